"""Money asked for, told of, sent back, unmatched or contested."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.claims import Claimable
from marketplace.guards import born_in, both_or_neither, never_changes, never_deleted, only_moves, sentence
from marketplace.models import User
from settlement.models.trades import Trade
from settlement.money_words import DECIDED, WHY, refunded_because
from settlement.states import (
    CHARGEBACK_MOVES,
    OUTGOING_MOVES,
    PAYMENT_MOVES,
    ChargebackState,
    OutgoingState,
    PaymentState,
)


class Payment(Claimable):
    """Money asked of the buyer through a gateway."""

    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, related_name="payments")
    instalment = models.PositiveSmallIntegerField(default=1)
    gateway = models.CharField(max_length=20)
    key = models.CharField(max_length=60, unique=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=12, choices=PaymentState.choices, default=PaymentState.REQUESTED)
    reference = models.CharField(max_length=120, blank=True)  # the gateway's own id
    pay_at_url = models.CharField(max_length=2000, blank=True)  # a gateway's own may be long
    is_stop_due = models.BooleanField(default=False)
    requested_at = models.DateTimeField(default=clock.now)
    paid_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["pk"]
        indexes = [models.Index(fields=["state", "next_try_at"]), models.Index(fields=["gateway", "reference"])]
        constraints = [
            sentence("payment_is_positive", Q(amount_minor__gt=0)),
            models.UniqueConstraint(
                fields=["trade", "instalment"], condition=Q(state__in=["requested", "started"]), name="one_open_payment"
            ),
            models.UniqueConstraint(fields=["trade", "instalment"], condition=Q(state="paid"), name="one_paid_payment"),
        ]
        triggers = [
            only_moves(PAYMENT_MOVES),
            born_in(PaymentState.REQUESTED),
            never_changes("trade", "instalment", "gateway", "key", "amount_minor", "currency", "requested_at"),
            pgtrigger.Trigger(
                name="payment_is_of_its_instalment",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF (
                        SELECT bool_or(i.number = NEW.instalment AND i.amount_minor = NEW.amount_minor)
                        FROM settlement_instalment i WHERE i.trade_id = NEW.trade_id
                    ) IS FALSE THEN
                        RAISE 'payment % asks for no instalment of its trade', NEW.key
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return self.key


class Notice(Claimable):
    """What a gateway told us, as it came: kept whatever becomes of it."""

    gateway = models.CharField(max_length=20)
    event_id = models.CharField(max_length=120)
    body = models.TextField()
    received_at = models.DateTimeField(default=clock.now)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        indexes = [models.Index(fields=["next_try_at"], condition=Q(read_at=None), name="notice_unread")]
        constraints = [models.UniqueConstraint(fields=["gateway", "event_id"], name="one_notice_per_gateway_event")]
        triggers = [never_changes("gateway", "event_id", "body", "received_at"), *never_deleted()]

    def __str__(self) -> str:
        return f"{self.gateway} {self.event_id}"


class Refund(Claimable):
    """Money that goes back to a buyer (from a trade's escrow) or to a payer (from suspense)."""

    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, null=True, blank=True, related_name="refunds")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="refunds")
    unmatched = models.ForeignKey("Unmatched", on_delete=models.PROTECT, null=True, blank=True, related_name="refunds")
    gateway = models.CharField(max_length=20)
    key = models.CharField(max_length=60, unique=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    payer_reference = models.CharField(max_length=120, blank=True)  # whom the gateway returns it to
    reason = models.CharField(max_length=300)
    state = models.CharField(max_length=10, choices=OutgoingState.choices, default=OutgoingState.DUE)
    reference = models.CharField(max_length=120, blank=True)
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by")
    created_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["pk"]
        indexes = [models.Index(fields=["state", "next_try_at"])]
        constraints = [
            sentence("refund_is_positive", Q(amount_minor__gt=0)),
            sentence("refund_has_a_source", Q(trade__isnull=False) | Q(unmatched__isnull=False)),
        ]
        triggers = [
            only_moves(OUTGOING_MOVES),
            born_in(OutgoingState.DUE),
            never_changes("trade", "payment", "unmatched", "gateway", "key", "amount_minor", "currency", "created_at"),
            pgtrigger.Trigger(
                name="payment_gives_back_no_more_than_it_brought",
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                condition=pgtrigger.Q(
                    new__payment__isnull=False, new__unmatched__isnull=True, new__replaces__isnull=True
                ),
                func="""
                    PERFORM FROM settlement_payment p WHERE p.id = NEW.payment_id FOR NO KEY UPDATE;
                    IF (
                        SELECT sum(r.amount_minor) FROM settlement_refund r WHERE r.payment_id = NEW.payment_id
                        AND r.unmatched_id IS NULL AND r.replaces_id IS NULL
                    ) > (
                        SELECT coalesce(sum(t.amount_minor), 0) FROM settlement_transfer t WHERE t.key IN (
                            SELECT 'paid-' || p.key FROM settlement_payment p WHERE p.id = NEW.payment_id
                            UNION ALL
                            SELECT 'applied-' || u.id FROM settlement_unmatched u WHERE u.payment_id = NEW.payment_id
                        )
                    ) THEN
                        RAISE 'refund % is more than its payment brought', NEW.key USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,
            ),
            pgtrigger.Trigger(
                name="another_account_takes_two_people",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__replaces__isnull=False),
                func="""
                    IF EXISTS (
                        SELECT FROM settlement_refund r WHERE r.id = NEW.replaces_id
                        AND r.payer_reference <> NEW.payer_reference
                    ) AND NOT EXISTS (
                        SELECT FROM settlement_refundmending m WHERE m.refund_id = NEW.replaces_id
                        AND m.payer_reference = NEW.payer_reference AND m.confirmed_at IS NOT NULL
                    ) THEN
                        RAISE 'refund % goes to another account without two people', NEW.key
                        USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def reason_words(self) -> str:
        """Why it goes back, in the reader's words."""
        return refunded_because(self.reason)


class RefundMending(models.Model):
    """Another account for a refund that came back: one of the staff names it, another confirms it."""

    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="mendings")
    payer_reference = models.CharField(max_length=120)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    named_at = models.DateTimeField(default=clock.now)
    second_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    dropped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            both_or_neither("confirmed_mending_says_by_whom", "confirmed_at", "second_by"),
            sentence("refund_mended_by_two_people", Q(second_by=None) | ~Q(second_by=F("by"))),
            models.UniqueConstraint(
                fields=["refund"], condition=Q(confirmed_at=None, dropped_at=None), name="one_open_mending"
            ),
        ]
        triggers = [
            never_changes("refund", "payer_reference", "by", "named_at"),
            pgtrigger.Protect(
                name="decided_never_changes",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__confirmed_at__isnull=False) | pgtrigger.Q(old__dropped_at__isnull=False),
            ),
            *never_deleted(),
        ]


class Unmatched(models.Model):
    """Money that arrived and fits no open trade exactly. It waits in suspense for the desk; it is never guessed."""

    gateway = models.CharField(max_length=20)
    event_id = models.CharField(max_length=120)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="unmatched")
    payer_reference = models.CharField(max_length=120)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    why = models.CharField(max_length=40)
    arrived_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decision = models.CharField(
        max_length=20, blank=True
    )  # returned | applied | charged_back, which the payer's bank decided

    class Meta:
        verbose_name = _("unmatched money")
        verbose_name_plural = _("unmatched money")
        constraints = [
            models.UniqueConstraint(fields=["gateway", "event_id"], name="unmatched_once_per_gateway_event"),
            sentence("unmatched_is_positive", Q(amount_minor__gt=0)),
            sentence(
                "decided_unmatched_says_by_whom",
                Q(decided_at=None, decided_by=None)
                | Q(decided_at__isnull=False, decided_by__isnull=False)
                | Q(decided_at__isnull=False, decided_by=None, decision="charged_back")
                | Q(decided_at__isnull=False, decided_by=None, decision="returned", why__in=["paid_twice", "too_late"]),
            ),
        ]
        triggers = [
            never_changes(
                "gateway", "event_id", "payment", "payer_reference", "amount_minor", "currency", "arrived_at"
            ),
            pgtrigger.Protect(
                name="decided_never_changes",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__decided_at__isnull=False),
            ),
            *never_deleted(),
        ]

    @property
    def why_words(self) -> str:
        """Why it fits no trade, in the reader's words."""
        return str(WHY.get(self.why, self.why))

    @property
    def decision_words(self) -> str:
        """What became of it, in the reader's words; "" while it waits."""
        return str(DECIDED.get(self.decision, self.decision))


class Chargeback(models.Model):
    """A payment the payer's bank contests. While it is open the trade stands still."""

    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, related_name="chargebacks")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="chargebacks")
    reference = models.CharField(max_length=120, unique=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=ChargebackState.choices, default=ChargebackState.OPEN)
    opened_at = models.DateTimeField(default=clock.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("chargeback")
        verbose_name_plural = _("chargebacks")
        constraints = [sentence("chargeback_is_positive", Q(amount_minor__gt=0))]
        triggers = [
            only_moves(CHARGEBACK_MOVES),
            born_in(ChargebackState.OPEN),
            never_changes("trade", "payment", "reference", "amount_minor", "currency", "opened_at"),
            *never_deleted(),
        ]
