"""Clearing cycles, what they mean for each member, and the payouts that follow."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace import clock
from marketplace.claims import Claimable
from marketplace.guards import born_in, both_or_neither, never_changes, never_deleted, only_moves, sentence
from marketplace.models import Organisation, Paper, User
from settlement.states import (
    CYCLE_MOVES,
    OUTGOING_MOVES,
    CycleState,
    OutgoingState,
)


class ClearingCycle(models.Model):
    """A batch of accepted trades of one currency that are cleared together.

    Some that were released before cycles had a currency hold trades of several, and have none.
    """

    number = models.PositiveIntegerField(unique=True)
    currency = models.CharField(max_length=3, blank=True, default="", db_default="")
    state = models.CharField(max_length=10, choices=CycleState.choices, default=CycleState.OPEN)
    opened_at = models.DateTimeField(default=clock.now)
    cut_off_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    invoiced_at = models.DateTimeField(null=True, blank=True)  # when its last trade had its invoices
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    second_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("clearing cycle")
        verbose_name_plural = _("clearing cycles")
        constraints = [
            models.UniqueConstraint(
                fields=["currency"], condition=Q(state="open"), name="one_open_cycle_of_a_currency"
            ),
            sentence("cycle_has_a_currency_until_it_is_released", ~Q(currency="") | Q(state=CycleState.RELEASED)),
            sentence("released_by_two_different_people", Q(second_by=None) | ~Q(second_by=F("by"))),
        ]
        triggers = [
            only_moves(CYCLE_MOVES),
            born_in(CycleState.OPEN),
            never_changes("number", "currency", "opened_at"),
            pgtrigger.Trigger(
                name="books_agree_before_release",
                operation=pgtrigger.UpdateOf("state"),
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__state="released"),
                func="""
                    IF EXISTS (
                        SELECT FROM settlement_break b WHERE b.ended_at IS NULL AND b.currency = NEW.currency
                    ) THEN
                        RAISE 'cycle % is of %, whose books do not agree', NEW.number, NEW.currency
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.number} · {self.currency}" if self.currency else f"{self.number}"


class Statement(models.Model):
    """What a clearing cycle means for one member in one currency, to the cent.

    It runs from the balance at which the member's statement before it closed to the one it closes at: what the exchange
    owes the member after the cycle, in reserve or to be paid, less what the member owes the exchange. Below zero, the
    member owes.
    """

    cycle = models.ForeignKey(ClearingCycle, on_delete=models.PROTECT, related_name="statements", db_index=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="statements", db_index=False)
    currency = models.CharField(max_length=3)
    gross_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    shares_received_minor = models.BigIntegerField(default=0)  # of others' revenue
    shares_given_minor = models.BigIntegerField(default=0)
    recovered_minor = models.BigIntegerField(default=0)  # set against a receivable
    reserved_minor = models.BigIntegerField(default=0)  # kept back of this cycle
    released_minor = models.BigIntegerField(default=0)  # out of what earlier ones kept back
    net_minor = models.BigIntegerField()
    opening_minor = models.BigIntegerField()
    other_minor = models.BigIntegerField()  # what moved since the one before but for this cycle: payouts, new debts
    closing_minor = models.BigIntegerField()
    reserve_minor = models.BigIntegerField(default=0)  # what of it is in reserve
    last_transfer = models.BigIntegerField()  # the member's transfers up to this id are in it or in one before
    paper = models.OneToOneField(Paper, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("settlement statement")
        verbose_name_plural = _("settlement statements")
        constraints = [
            models.UniqueConstraint(
                fields=["cycle", "organisation", "currency"], name="one_statement_per_member_and_cycle"
            ),
            sentence(
                "statement_adds_up",
                Q(
                    net_minor=F("gross_minor")
                    - F("fee_minor")
                    + F("shares_received_minor")
                    - F("shares_given_minor")
                    - F("recovered_minor")
                    - F("reserved_minor")
                    + F("released_minor")
                ),
            ),
            sentence(
                "statement_runs_from_opening_to_closing",
                Q(
                    closing_minor=F("opening_minor")
                    + F("other_minor")
                    + F("net_minor")
                    + F("recovered_minor")
                    + F("reserved_minor")
                    - F("released_minor")
                ),
            ),
        ]
        indexes = [models.Index(fields=["organisation", "currency", "id"])]
        triggers = [
            never_changes(
                "cycle", "organisation", "currency", "gross_minor", "fee_minor", "shares_received_minor",
                "shares_given_minor", "recovered_minor", "net_minor",
                "reserved_minor", "released_minor", "opening_minor", "other_minor", "closing_minor", "reserve_minor",
                "last_transfer",
            ),
            pgtrigger.Trigger(
                name="balance_continues_and_is_that_of_the_books",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                declare=[("closed", "BIGINT"), ("held", "BIGINT"), ("kept", "BIGINT"), ("owed", "NUMERIC")],
                func="""
                    IF NOT EXISTS (
                        SELECT FROM settlement_clearingcycle WHERE id = NEW.cycle_id AND currency = NEW.currency
                    ) THEN
                        RAISE 'cycle % is not of %', NEW.cycle_id, NEW.currency USING ERRCODE = 'check_violation';
                    END IF;
                    SELECT balance_minor INTO held FROM settlement_account
                        WHERE name = 'payable:' || NEW.organisation_id || ':' || NEW.currency FOR NO KEY UPDATE;
                    SELECT balance_minor INTO kept FROM settlement_account
                        WHERE name = 'reserve:' || NEW.organisation_id || ':' || NEW.currency;
                    SELECT closing_minor INTO closed FROM settlement_statement
                        WHERE organisation_id = NEW.organisation_id AND currency = NEW.currency
                        ORDER BY id DESC LIMIT 1;
                    IF NEW.opening_minor <> coalesce(closed, 0) THEN
                        RAISE 'the statement opens at %, the one before closed at %', NEW.opening_minor, closed
                            USING ERRCODE = 'check_violation';
                    END IF;
                    SELECT coalesce((SELECT sum(amount_minor) FROM settlement_transfer WHERE debit_id = a.id), 0)
                            - coalesce((SELECT sum(amount_minor) FROM settlement_transfer WHERE credit_id = a.id), 0)
                        INTO owed FROM settlement_account a
                        WHERE a.name = 'receivable:' || NEW.organisation_id || ':' || NEW.currency;
                    IF NEW.reserve_minor <> coalesce(kept, 0)
                    OR NEW.closing_minor <> coalesce(held, 0) + NEW.reserve_minor - coalesce(owed, 0) THEN
                        RAISE 'the statement closes at %, the books hold % and %, and are owed %',
                            NEW.closing_minor, held, kept, owed USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="payouts_are_the_net",
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                declare=[("paid", "NUMERIC")],
                func="""
                    SELECT coalesce(sum(amount_minor), 0) INTO paid FROM settlement_payout
                        WHERE cycle_id = NEW.cycle_id AND organisation_id = NEW.organisation_id
                        AND currency = NEW.currency AND replaces_id IS NULL;
                    IF paid <> NEW.net_minor THEN
                        RAISE 'the payouts are % and the net of the statement is %', paid, NEW.net_minor
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,
            ),
            *never_deleted(),
        ]  # fmt: skip

    @property
    def cleared_minor(self) -> int:
        """What the cycle brought the member, before debts were set off and anything was kept back or released."""
        return self.net_minor + self.recovered_minor + self.reserved_minor - self.released_minor


class PayoutAccount(models.Model):
    """Where a member wants its money: named by one person, confirmed by another, and serving once its wait is over.

    The one before serves until then. Only accounts from before this rule are confirmed by nobody.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="payout_accounts")
    gateway = models.CharField(max_length=20)
    reference = models.CharField(max_length=120)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    confirmed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    effective_at = models.DateTimeField(null=True, blank=True)
    dropped_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    dropped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("payout account")
        verbose_name_plural = _("payout accounts")
        ordering = ["-pk"]
        constraints = [
            both_or_neither("confirmed_payout_account_says_from_when", "confirmed_at", "effective_at"),
            both_or_neither("dropped_payout_account_says_by_whom", "dropped_at", "dropped_by"),
            sentence("payout_account_confirmed_by_another", Q(confirmed_by=None) | ~Q(confirmed_by=F("by"))),
            sentence(
                "payout_account_serves_once_confirmed", Q(effective_at=None) | Q(effective_at__gte=F("confirmed_at"))
            ),
            models.UniqueConstraint(
                fields=["organisation"],
                condition=Q(confirmed_at=None, dropped_at=None),
                name="one_payout_account_waits_at_a_time",
            ),
        ]
        triggers = [
            never_changes("organisation", "gateway", "reference", "by", "created_at"),
            pgtrigger.Trigger(
                name="named_then_confirmed_by_another",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF TG_OP = 'INSERT' THEN
                        IF NEW.confirmed_at IS NOT NULL OR NEW.dropped_at IS NOT NULL THEN
                            RAISE 'a payout account is born unconfirmed' USING ERRCODE = 'check_violation';
                        END IF;
                        RETURN NEW;
                    END IF;
                    IF OLD.dropped_at IS NOT NULL THEN
                        RAISE 'payout account % was dropped', OLD.id USING ERRCODE = 'check_violation';
                    END IF;
                    IF OLD.confirmed_at IS NULL AND NEW.confirmed_at IS NOT NULL AND NEW.confirmed_by_id IS NULL THEN
                        RAISE 'payout account % needs a second person', OLD.id USING ERRCODE = 'check_violation';
                    END IF;
                    IF OLD.confirmed_at IS NOT NULL AND (NEW.confirmed_at, NEW.confirmed_by_id, NEW.effective_at)
                    IS DISTINCT FROM (OLD.confirmed_at, OLD.confirmed_by_id, OLD.effective_at) THEN
                        RAISE 'payout account % was confirmed', OLD.id USING ERRCODE = 'check_violation';
                    END IF;
                    IF NEW.dropped_at >= OLD.effective_at THEN
                        RAISE 'payout account % serves already', OLD.id USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.reference}"


class Payout(Claimable):
    """Money owed to a member, on its way: what one trade brought it, or what is released of its reserve.

    A net payout is all of a cycle that has no payout of its own, for a member with netting.
    """

    class Kind(models.TextChoices):
        """What a payout is of."""

        TRADE = "trade", pgettext_lazy("payout", "One trade")
        NET = "net", pgettext_lazy("payout", "Net of several trades")
        RESERVE = "reserve", pgettext_lazy("payout", "Released from reserve")

    cycle = models.ForeignKey(ClearingCycle, on_delete=models.PROTECT, related_name="payouts", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    trade = models.ForeignKey(
        "settlement.Trade", on_delete=models.PROTECT, null=True, blank=True, related_name="payouts"
    )
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="payouts")
    gateway = models.CharField(max_length=20, blank=True)  # the payee's; written with `destination` at the first claim
    destination = models.CharField(max_length=120, blank=True)
    routed_at = models.DateTimeField(null=True, blank=True)  # when gateway and destination were written
    key = models.CharField(max_length=60, unique=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=OutgoingState.choices, default=OutgoingState.DUE)
    reference = models.CharField(max_length=120, blank=True)
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by")
    created_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("payout")
        verbose_name_plural = _("payouts")
        indexes = [
            models.Index(fields=["state", "next_try_at"]),
            models.Index(fields=["cycle", "organisation", "currency", "kind"]),
        ]
        constraints = [
            sentence("payout_is_positive", Q(amount_minor__gt=0)),
            sentence(
                "payout_of_a_trade_names_it", Q(kind="trade", trade__isnull=False) | ~Q(kind="trade") & Q(trade=None)
            ),
            models.UniqueConstraint(
                fields=["cycle", "organisation", "currency", "kind"],
                condition=Q(trade=None) & ~Q(state="bounced"),
                name="one_payout_per_member_cycle_and_kind",
            ),
            models.UniqueConstraint(
                fields=["trade", "organisation"],
                condition=Q(trade__isnull=False) & ~Q(state="bounced"),
                name="one_payout_per_member_and_trade",
            ),
        ]
        triggers = [
            only_moves(OUTGOING_MOVES),
            born_in(OutgoingState.DUE),
            never_changes(
                "cycle", "kind", "trade", "organisation", "key", "amount_minor", "currency", "replaces", "created_at"
            ),
            pgtrigger.Trigger(
                name="due_with_its_cycle_or_again_as_it_was",
                level=pgtrigger.Statement,
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                referencing=pgtrigger.Referencing(new="opened"),
                declare=[("wrong", "RECORD")],
                func="""
                    SELECT p.cycle_id INTO wrong FROM opened p JOIN settlement_clearingcycle c ON c.id = p.cycle_id
                        WHERE p.replaces_id IS NULL AND c.state = 'released' LIMIT 1;
                    IF FOUND THEN
                        RAISE 'cycle % was released with all its payouts', wrong.cycle_id
                            USING ERRCODE = 'check_violation';
                    END IF;
                    SELECT p.cycle_id, p.currency INTO wrong
                        FROM opened p JOIN settlement_clearingcycle c ON c.id = p.cycle_id
                        WHERE p.replaces_id IS NULL AND c.currency <> p.currency LIMIT 1;
                    IF FOUND THEN
                        RAISE 'cycle % is not of %', wrong.cycle_id, wrong.currency USING ERRCODE = 'check_violation';
                    END IF;
                    SELECT p.organisation_id, p.cycle_id INTO wrong FROM opened p
                        WHERE p.replaces_id IS NULL AND p.kind = 'net' AND NOT EXISTS (
                            SELECT FROM settlement_netting n JOIN settlement_clearingcycle c ON c.id = p.cycle_id
                            WHERE n.organisation_id = p.organisation_id AND n.granted_at <= c.closed_at
                            AND coalesce(n.stopped_at, 'infinity') > c.closed_at
                        ) LIMIT 1;
                    IF FOUND THEN
                        RAISE 'no netting of member % was in force when cycle % closed', wrong.organisation_id,
                            wrong.cycle_id USING ERRCODE = 'check_violation';
                    END IF;
                    SELECT p.key INTO wrong FROM opened p
                        WHERE p.replaces_id IS NOT NULL AND NOT EXISTS (
                            SELECT FROM settlement_payout o WHERE o.id = p.replaces_id AND o.state = 'bounced'
                            AND (o.cycle_id, o.organisation_id, o.currency, o.amount_minor, o.kind)
                                = (p.cycle_id, p.organisation_id, p.currency, p.amount_minor, p.kind)
                            AND o.trade_id IS NOT DISTINCT FROM p.trade_id
                        ) LIMIT 1;
                    IF FOUND THEN
                        RAISE 'payout % is not what came back', wrong.key USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,
            ),
            pgtrigger.Trigger(
                name="payout_goes_to_an_account_that_serves",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF TG_OP = 'UPDATE' THEN
                        IF (NEW.gateway, NEW.destination) = (OLD.gateway, OLD.destination)
                        AND NOT (NEW.state <> 'due' AND NEW.destination = '') THEN RETURN NEW; END IF;
                        IF OLD.destination <> '' THEN
                            RAISE 'payout % keeps its destination', OLD.id USING ERRCODE = 'check_violation';
                        END IF;
                    ELSIF NEW.destination = '' THEN
                        RETURN NEW;
                    END IF;
                    IF NOT EXISTS (
                        SELECT FROM settlement_payoutaccount a
                        WHERE a.organisation_id = NEW.organisation_id AND a.gateway = NEW.gateway
                        AND a.reference = NEW.destination AND a.dropped_at IS NULL AND a.effective_at <= NEW.routed_at
                    ) THEN
                        RAISE 'payout % goes to no account that serves', NEW.id USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return self.key
