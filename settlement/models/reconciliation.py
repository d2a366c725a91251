"""The days on which three books were compared, and where they did not agree."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.guards import append_only, never_changes, never_deleted, sentence
from marketplace.models import Organisation, User
from settlement.models.trades import Trade
from settlement.states import MovementKind


class GatewayMovement(models.Model):
    """One line of a gateway's own books, as it told it: what the ledger is compared with, and never written by it."""

    gateway = models.CharField(max_length=20)
    reference = models.CharField(max_length=120)  # the gateway's own, once per gateway
    booked_on = models.DateField()
    kind = models.CharField(max_length=10, choices=MovementKind.choices)
    cause = models.CharField(max_length=140)  # our key where the gateway names one we know, else its reference
    charged_for = models.CharField(max_length=140, blank=True, default="")  # our key of what a charge was taken for
    amount_minor = models.BigIntegerField()  # negative for money that left
    currency = models.CharField(max_length=3)
    heard_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("movement at a gateway")
        verbose_name_plural = _("movements at gateways")
        indexes = [
            models.Index(fields=["gateway", "currency", "booked_on"], name="movements_of_a_day"),
            models.Index(fields=["gateway", "cause"], name="movements_of_a_cause"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["gateway", "reference"], name="one_movement_per_gateway_and_reference"),
            sentence("movement_moves_something", ~Q(amount_minor=0)),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return self.reference


class Reconciliation(models.Model):
    """One comparison of one gateway's books of one day in one currency; the totals are of that day, in minor units."""

    gateway = models.CharField(max_length=20)
    currency = models.CharField(max_length=3)
    day = models.DateField()  # by the exchange's clock
    run = models.PositiveIntegerField(default=1)  # the day's first, or a later look while a break is open
    ledger_minor = models.BigIntegerField()
    ledger_lines = models.PositiveIntegerField()
    gateway_minor = models.BigIntegerField()
    gateway_lines = models.PositiveIntegerField()
    records_minor = models.BigIntegerField()  # what payments, refunds, payouts and chargebacks say
    records_lines = models.PositiveIntegerField()
    compared = models.PositiveIntegerField()  # causes
    in_transit = models.PositiveIntegerField()  # of which one side is awaited
    found = models.PositiveIntegerField()  # breaks that are new with this run
    resolved = models.PositiveIntegerField()  # breaks that this run saw come right
    digest = models.CharField(max_length=64)  # SHA-256 of all that was compared, in hexadecimal
    at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")
        constraints = [
            models.UniqueConstraint(fields=["gateway", "currency", "day", "run"], name="each_run_of_a_day_once"),
        ]
        indexes = [models.Index(fields=["-day", "gateway", "currency", "-run"], name="reconciled_days")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.day} {self.gateway} {self.currency}"


class Break(models.Model):
    """Two books that say different things of one cause. Open until staff explain it or a later run sees it come right.

    `cause` is the key of a payment, refund or payout, the gateway's reference of money nobody knows, or a trade's id.
    """

    class Kind(models.TextChoices):
        ONLY_IN_LEDGER = "only_in_ledger", _("In the ledger, not at the gateway")
        ONLY_AT_GATEWAY = "only_at_gateway", _("At the gateway, not in the ledger")
        AMOUNT_DIFFERS = "amount_differs", _("Another amount")
        TWICE = "twice", _("Sent twice")
        NOT_POSTED = "not_posted", _("Recorded as moved, not posted")
        TRADE_SAYS_OTHERWISE = "trade_says_otherwise", _("The trade says otherwise")

    class Reason(models.TextChoices):
        GATEWAY_CHARGE = "gateway_charge", _("The gateway's own charge or interest")
        BOOKED_ELSEWHERE = "booked_elsewhere", _("Booked on another day, or under another reference")
        GATEWAY_MISTAKE = "gateway_mistake", _("A mistake of the gateway, which corrects it")
        OUR_MISTAKE = "our_mistake", _("A mistake of ours, which is mended")
        NOT_OF_TRADES = "not_of_trades", _("Money that concerns no trade")
        OTHER = "other", _("Something else")

    found_by = models.ForeignKey(Reconciliation, on_delete=models.PROTECT, related_name="breaks")
    gateway = models.CharField(max_length=20)
    currency = models.CharField(max_length=3)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    cause = models.CharField(max_length=140)
    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, null=True, blank=True, related_name="breaks")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="breaks"
    )  # whose payout it is
    ledger_minor = models.BigIntegerField()
    gateway_minor = models.BigIntegerField(null=True, blank=True)  # None where a gateway knows nothing of it: a trade
    records_minor = models.BigIntegerField()
    found_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        Reconciliation, on_delete=models.PROTECT, null=True, blank=True, related_name="resolved_breaks"
    )
    explained_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reason_code = models.CharField(max_length=20, choices=Reason.choices, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        verbose_name = _("break")
        verbose_name_plural = _("breaks")
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "currency", "cause"], condition=Q(ended_at=None), name="one_open_break_per_cause"
            ),
            sentence(
                "ended_break_says_how",
                Q(ended_at=None, resolved_by=None, explained_by=None)
                | Q(ended_at__isnull=False, resolved_by__isnull=False, explained_by=None)
                | Q(ended_at__isnull=False, resolved_by=None, explained_by__isnull=False),
            ),
            sentence(
                "explained_break_says_why",
                Q(explained_by=None, reason_code="", reason="")
                | (Q(explained_by__isnull=False) & ~Q(reason_code="") & ~Q(reason="")),
            ),
            sentence("break_is_a_difference", ~Q(ledger_minor=models.F("records_minor"), gateway_minor__isnull=True)),
        ]
        indexes = [
            models.Index(fields=["currency"], condition=Q(ended_at=None), name="open_breaks_of_a_currency"),
            models.Index(fields=["gateway", "currency", "cause"], name="breaks_of_a_cause"),
        ]
        triggers = [
            never_changes(
                "found_by", "gateway", "currency", "kind", "cause", "trade", "organisation", "ledger_minor",
                "gateway_minor", "records_minor", "found_at",
            ),
            pgtrigger.Protect(
                name="ended_never_changes",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__ended_at__isnull=False),
            ),
            pgtrigger.Trigger(
                name="break_is_born_open",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__ended_at__isnull=False),
                func="RAISE 'a break is born open' USING ERRCODE = 'check_violation';",
            ),
            *never_deleted(),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.cause
