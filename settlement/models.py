"""Access against money, each exactly once."""

from __future__ import annotations

import datetime as dt

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from listings.models import Listing, Offer, Release, Version
from marketplace.claims import Claimable
from marketplace.guards import append_only, born_in, both_or_neither, never_changes, never_deleted, only_moves, sentence
from marketplace.models import Organisation, Paper, User, new_public_id
from marketplace.money import Money
from settlement.states import (
    CHARGEBACK_MOVES,
    CYCLE_MOVES,
    DISPUTE_MOVES,
    GRANT_MOVES,
    OUTGOING_MOVES,
    PAYMENT_MOVES,
    TRADE_MOVES,
    ChargebackState,
    CycleState,
    DisputeState,
    GrantState,
    OutgoingState,
    PaymentState,
    TradeState,
)


class FeeSchedule(models.Model):
    """What the exchange takes of a trade, from a date on. A trade keeps the schedule it was agreed under."""

    version = models.CharField(max_length=20, unique=True)
    seller_basis_points = models.PositiveIntegerField()
    valid_from = models.DateTimeField(unique=True)

    class Meta:
        constraints = [sentence("fee_is_at_most_the_price", Q(seller_basis_points__lte=10_000))]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.version}: {self.seller_basis_points / 100:g} %"


class ClearingCycle(models.Model):
    """A batch of accepted trades that are cleared together."""

    number = models.PositiveIntegerField(unique=True)
    state = models.CharField(max_length=10, choices=CycleState.choices, default=CycleState.OPEN)
    opened_at = models.DateTimeField(default=timezone.now)
    cut_off_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    second_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("clearing cycle")
        verbose_name_plural = _("clearing cycles")
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="open"), name="one_open_cycle"),
            sentence("released_by_two_different_people", Q(second_by=None) | ~Q(second_by=F("by"))),
        ]
        triggers = [
            only_moves(CYCLE_MOVES),
            born_in(CycleState.OPEN),
            never_changes("number", "opened_at"),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.number}"


class TradeQuerySet(models.QuerySet["Trade"]):
    def visible_to(self, organisation: Organisation | None) -> TradeQuerySet:
        """The trades this organisation is a party to."""
        return self.filter(Q(buyer=organisation) | Q(seller=organisation)) if organisation else self.none()

    def sold_by(self, organisation: Organisation | None) -> TradeQuerySet:
        return self.filter(seller=organisation) if organisation else self.none()

    def bought_by(self, organisation: Organisation | None) -> TradeQuerySet:
        return self.filter(buyer=organisation) if organisation else self.none()

    def due(self, state: str) -> TradeQuerySet:
        """Trades in this state that may be tried now."""
        return self.filter(state=state, next_try_at__lte=timezone.now())

    def overdue(self) -> TradeQuerySet:
        """Trades that waited too long for a party: holds may still stretch the deadline, `trades.expire` knows."""
        now = timezone.now()
        funding_ended = now - dt.timedelta(days=settings.FUND_WITHIN_DAYS)
        return self.filter(
            Q(state=TradeState.PROPOSED, agree_until__lte=now)
            | Q(state=TradeState.AGREED, agreed_at__lte=funding_ended)
            | Q(state=TradeState.REGISTERED, fund_until__lte=now),
            next_try_at__lte=now,
        )

    def without_certificate(self) -> TradeQuerySet:
        """Settled trades that wait for their certificate and may be tried now."""
        return self.due(TradeState.SETTLED).filter(certificate=None).order_by("pk")


class Trade(models.Model):
    """One purchase of an offer. Version, release, price and terms are frozen into it when it is proposed."""

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    register_number = models.CharField(_("trade register number"), max_length=40, unique=True, null=True, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=TradeState.choices, default=TradeState.PROPOSED)
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="trades")
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="trades")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="+")
    seller = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="sales")
    buyer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="purchases")
    price_minor = models.BigIntegerField(_("price"))
    currency = models.CharField(max_length=3)
    terms = models.JSONField()
    fee_schedule = models.ForeignKey(FeeSchedule, on_delete=models.PROTECT, related_name="+")
    crossborder = models.JSONField()  # the decision as compliance.crossborder gave it
    inspection_days = models.PositiveSmallIntegerField()
    purpose = models.TextField(_("use"), blank=True)
    purchase_order = models.CharField(_("purchase order number"), max_length=60, blank=True)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(default=timezone.now)
    agree_until = models.DateTimeField()
    agreed_at = models.DateTimeField(null=True, blank=True)
    registered_at = models.DateTimeField(null=True, blank=True)
    fund_until = models.DateTimeField(null=True, blank=True)
    funded_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    inspect_until = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    is_deemed_accepted = models.BooleanField(default=False)
    cycle = models.ForeignKey(ClearingCycle, on_delete=models.PROTECT, null=True, blank=True, related_name="trades")
    cleared_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=300, blank=True)
    holds_licence = models.BooleanField(default=False)
    is_frozen = models.BooleanField(default=False)  # a chargeback is open
    certificate = models.OneToOneField(Paper, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    next_try_at = models.DateTimeField(default=timezone.now)
    tries = models.IntegerField(default=0)
    error = models.TextField(blank=True)

    objects = TradeQuerySet.as_manager()

    class Meta:
        verbose_name = _("trade")
        verbose_name_plural = _("trades")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["state", "next_try_at", "id"]), models.Index(fields=["cycle", "seller"])]
        constraints = [
            sentence("trade_has_two_parties", ~Q(buyer=F("seller"))),
            sentence("trade_price_is_not_negative", Q(price_minor__gte=0)),
            both_or_neither("registered_trade_has_a_number", "register_number", "registered_at"),
            sentence("only_settled_trades_have_a_certificate", Q(certificate=None) | Q(state=TradeState.SETTLED)),
            sentence(
                "cleared_trade_names_its_cycle",
                ~Q(state__in=[TradeState.CLEARED, TradeState.SETTLED]) | Q(cycle__isnull=False),
            ),
        ]
        triggers = [
            only_moves(TRADE_MOVES),
            born_in(TradeState.PROPOSED),
            never_changes(
                "public_id", "offer", "listing", "version", "release", "seller", "buyer", "price_minor", "currency",
                "terms",
                "fee_schedule", "crossborder", "inspection_days", "proposed_by", "proposed_at",
            ),
            pgtrigger.Trigger(
                name="agreed_trade_has_an_agreement",
                operation=pgtrigger.UpdateOf("state"),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(new__state="agreed"),
                func="""
                    IF NOT EXISTS (SELECT FROM settlement_agreement WHERE trade_id = NEW.id) THEN
                        RAISE 'trade % is agreed without an agreement', NEW.id USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,
            ),
            pgtrigger.Trigger(
                name="paid_trade_holds_its_price",
                operation=pgtrigger.UpdateOf("state"),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(new__state="funded", new__price_minor__gt=0),
                func="""
                    IF NOT EXISTS (
                        SELECT FROM settlement_transfer t JOIN settlement_account a ON a.id = t.credit_id
                        WHERE a.trade_id = NEW.id AND a.kind = 'escrow'
                        GROUP BY a.id HAVING sum(t.amount_minor) >= NEW.price_minor
                    ) THEN
                        RAISE 'trade % is funded without its price in escrow', NEW.id USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,
            ),
            *never_deleted(),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.register_number or self.public_id

    def get_absolute_url(self) -> str:
        return reverse("trade", args=[self.public_id])

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.currency)


class Agreement(models.Model):
    """What both parties are bound by, and who bound them."""

    trade = models.OneToOneField(Trade, on_delete=models.PROTECT, related_name="agreement")
    terms = models.JSONField()
    digest = models.CharField(max_length=80)
    buyer_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    seller_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    agreed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        triggers = append_only()


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
    pay_at_url = models.CharField(max_length=500, blank=True)
    is_stop_due = models.BooleanField(default=False)
    requested_at = models.DateTimeField(default=timezone.now)
    paid_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
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
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return self.key


class Notice(Claimable):
    """What a gateway told us, as it came: kept whatever becomes of it."""

    gateway = models.CharField(max_length=20)
    event_id = models.CharField(max_length=120)
    body = models.TextField()
    received_at = models.DateTimeField(default=timezone.now)
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
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        indexes = [models.Index(fields=["state", "next_try_at"])]
        constraints = [
            sentence("refund_is_positive", Q(amount_minor__gt=0)),
            sentence("refund_has_a_source", Q(trade__isnull=False) | Q(unmatched__isnull=False)),
        ]
        triggers = [
            only_moves(OUTGOING_MOVES),
            born_in(OutgoingState.DUE),
            never_changes("trade", "payment", "unmatched", "gateway", "key", "amount_minor", "currency", "created_at"),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return self.key


class Unmatched(models.Model):
    """Money that arrived and fits no open trade exactly. It waits in suspense for the desk; it is never guessed."""

    gateway = models.CharField(max_length=20)
    event_id = models.CharField(max_length=120)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="unmatched")
    payer_reference = models.CharField(max_length=120)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    why = models.CharField(max_length=40)
    arrived_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decision = models.CharField(max_length=20, blank=True)  # returned | applied

    class Meta:
        verbose_name = _("unmatched money")
        verbose_name_plural = _("unmatched money")
        constraints = [
            models.UniqueConstraint(fields=["gateway", "event_id"], name="unmatched_once_per_gateway_event"),
            sentence("unmatched_is_positive", Q(amount_minor__gt=0)),
            both_or_neither("decided_unmatched_says_by_whom", "decided_at", "decided_by"),
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


class Chargeback(models.Model):
    """A payment the payer's bank contests. While it is open the trade stands still."""

    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, related_name="chargebacks")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="chargebacks")
    reference = models.CharField(max_length=120, unique=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=ChargebackState.choices, default=ChargebackState.OPEN)
    opened_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [sentence("chargeback_is_positive", Q(amount_minor__gt=0))]
        triggers = [
            only_moves(CHARGEBACK_MOVES),
            born_in(ChargebackState.OPEN),
            never_changes("trade", "payment", "reference", "amount_minor", "currency", "opened_at"),
            *never_deleted(),
        ]


class Dispute(models.Model):
    """The buyer's objection to what was delivered, and the exchange's answer."""

    trade = models.OneToOneField(Trade, on_delete=models.PROTECT, related_name="dispute")
    state = models.CharField(max_length=10, choices=DisputeState.choices, default=DisputeState.OPEN)
    reason = models.TextField()
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(default=timezone.now)
    answer = models.TextField(blank=True)
    resolution = models.TextField(blank=True)
    refund_minor = models.BigIntegerField(null=True, blank=True)
    resolved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        constraints = [both_or_neither("resolved_dispute_says_by_whom", "resolved_at", "resolved_by")]
        triggers = [
            only_moves(DISPUTE_MOVES),
            born_in(DisputeState.OPEN),
            never_changes("trade", "reason", "opened_by", "opened_at"),
            *never_deleted(),
        ]


class GrantQuerySet(models.QuerySet["Grant"]):
    def visible_to(self, organisation: Organisation | None) -> GrantQuerySet:
        """The grants an organisation holds as buyer."""
        return self.filter(trade__buyer=organisation) if organisation else self.none()


class Grant(Claimable):
    """A buyer's access to a release through a channel."""

    trade = models.OneToOneField(Trade, on_delete=models.PROTECT, related_name="grant")
    channel = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=GrantState.choices, default=GrantState.DUE)
    access = models.JSONField(default=dict)  # what the channel gave; no secrets
    opened_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    is_close_due = models.BooleanField(default=False)

    objects = GrantQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["state", "next_try_at"])]
        triggers = [
            only_moves(GRANT_MOVES),
            born_in(GrantState.DUE),
            never_changes("trade", "channel"),
            *never_deleted(),
        ]


class Receipt(models.Model):
    """One use of a grant: what was asked, what was sent at most."""

    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="receipts")
    path = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    first_byte = models.BigIntegerField()
    size_bytes = models.BigIntegerField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-pk"]
        triggers = append_only()


class Account(models.Model):
    """A place where money is. Its balance is what was credited less what was debited.

    Only accounts with a floor carry a running total; it is written by the ledger's trigger alone.
    """

    class Kind(models.TextChoices):
        OUTSIDE = "outside", _("Outside")
        ESCROW = "escrow", _("Escrow")
        FEE = "fee", _("Fee income")
        PAYABLE = "payable", _("Payable to member")
        REFUND = "refund", _("Payable refund")
        SUSPENSE = "suspense", _("Suspense")
        RECEIVABLE = "receivable", _("Receivable from member")

    name = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    currency = models.CharField(max_length=3)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="accounts"
    )
    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, null=True, blank=True, related_name="accounts")
    has_floor = models.BooleanField()
    balance_minor = models.BigIntegerField(null=True, blank=True)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        indexes = [models.Index(fields=["kind", "currency"])]
        constraints = [
            sentence(
                "account_with_a_floor_is_not_overdrawn",
                Q(has_floor=True, balance_minor__gte=0) | Q(has_floor=False, balance_minor=None),
            ),
            models.UniqueConstraint(fields=["trade"], condition=Q(kind="escrow"), name="one_escrow_account_per_trade"),
        ]
        triggers = [
            never_changes("name", "kind", "currency", "organisation", "trade", "has_floor"),
            pgtrigger.Trigger(
                name="balance_is_written_by_the_ledger",
                operation=pgtrigger.UpdateOf("balance_minor"),
                when=pgtrigger.Before,
                func="""
                    IF pg_trigger_depth() < 2 THEN
                        RAISE 'the balance of account % is written by transfers alone', OLD.name
                        USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="account_opens_empty",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__balance_minor__gt=0),
                func="RAISE 'account % opens empty', NEW.name USING ERRCODE = 'check_violation';",
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return self.name


class Transfer(models.Model):
    """Money moved, both sides in one row: an unbalanced movement cannot be written."""

    key = models.CharField(max_length=120, unique=True)
    debit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="debits")
    credit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="credits")
    amount_minor = models.BigIntegerField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("transfer")
        verbose_name_plural = _("transfers")
        constraints = [
            sentence("transfer_is_positive", Q(amount_minor__gt=0)),
            sentence("transfer_has_two_sides", ~Q(debit=F("credit"))),
        ]
        triggers = [
            *append_only(),
            pgtrigger.Trigger(
                name="transfers_move_balances",
                level=pgtrigger.Statement,
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                referencing=pgtrigger.Referencing(new="moved"),
                func="""
                    IF EXISTS (
                        SELECT FROM moved m
                        JOIN settlement_account d ON d.id = m.debit_id JOIN settlement_account c ON c.id = m.credit_id
                        WHERE d.currency <> c.currency
                    ) THEN
                        RAISE 'a transfer stays in one currency' USING ERRCODE = 'check_violation';
                    END IF;
                    PERFORM FROM settlement_account
                        WHERE has_floor AND id IN (SELECT debit_id FROM moved UNION SELECT credit_id FROM moved)
                        ORDER BY id FOR NO KEY UPDATE;
                    UPDATE settlement_account a SET balance_minor = a.balance_minor + s.delta
                    FROM (
                        SELECT account_id, sum(delta) AS delta FROM (
                            SELECT debit_id AS account_id, -amount_minor AS delta FROM moved
                            UNION ALL SELECT credit_id, amount_minor FROM moved
                        ) sides GROUP BY account_id
                    ) s WHERE a.id = s.account_id AND a.has_floor;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.key


class PayoutAccount(models.Model):
    """Where a member wants its money: the newest row of an organisation counts."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="payout_accounts")
    gateway = models.CharField(max_length=20)
    reference = models.CharField(max_length=120)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-pk"]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.gateway} {self.reference}"


class Payout(Claimable):
    """Money owed to a member, on its way."""

    cycle = models.ForeignKey(ClearingCycle, on_delete=models.PROTECT, related_name="payouts")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="payouts")
    gateway = models.CharField(max_length=20, blank=True)  # the payee's; written with `destination` at the first claim
    destination = models.CharField(max_length=120, blank=True)
    key = models.CharField(max_length=60, unique=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=OutgoingState.choices, default=OutgoingState.DUE)
    reference = models.CharField(max_length=120, blank=True)
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by")
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("payout")
        verbose_name_plural = _("payouts")
        indexes = [models.Index(fields=["state", "next_try_at"])]
        constraints = [
            sentence("payout_is_positive", Q(amount_minor__gt=0)),
            models.UniqueConstraint(
                fields=["cycle", "organisation", "currency"],
                condition=~Q(state="bounced"),
                name="one_payout_per_member_and_cycle",
            ),
        ]
        triggers = [
            only_moves(OUTGOING_MOVES),
            born_in(OutgoingState.DUE),
            never_changes("cycle", "organisation", "key", "amount_minor", "currency", "created_at"),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return self.key


class Statement(models.Model):
    """What a clearing cycle means for one member in one currency, to the cent."""

    cycle = models.ForeignKey(ClearingCycle, on_delete=models.PROTECT, related_name="statements")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="statements")
    currency = models.CharField(max_length=3)
    gross_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    recovered_minor = models.BigIntegerField(default=0)  # set against a receivable
    net_minor = models.BigIntegerField()
    paper = models.OneToOneField(Paper, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cycle", "organisation", "currency"], name="one_statement_per_member_and_cycle"
            ),
            sentence(
                "statement_adds_up",
                Q(net_minor=F("gross_minor") - F("fee_minor") - F("recovered_minor")),
            ),
        ]
        triggers = [
            never_changes(
                "cycle",
                "organisation",
                "currency",
                "gross_minor",
                "fee_minor",
                "recovered_minor",
                "net_minor",
            ),
            *never_deleted(),
        ]


class SandboxOrder(Claimable):
    """The sandbox's own bank: what was asked of it and what it will tell us. Outside our books, and no money moves."""

    class Kind(models.TextChoices):
        PAYMENT = "payment", "payment"
        REFUND = "refund", "refund"
        PAYOUT = "payout", "payout"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    key = models.CharField(max_length=60, unique=True)  # our stable key: asking twice gives the same order
    reference = models.CharField(max_length=40, unique=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    payer_reference = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=12, default="open")  # open | stopped | done
    created_at = models.DateTimeField(default=timezone.now)


class SandboxNotice(Claimable):
    """A signed notice the sandbox is about to post to the inbox every gateway uses."""

    order = models.ForeignKey(SandboxOrder, on_delete=models.CASCADE, related_name="notices")
    event_id = models.CharField(max_length=60, unique=True)
    body = models.TextField()
    posted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["next_try_at"], condition=Q(posted_at=None), name="sandbox_notice_unposted")]
