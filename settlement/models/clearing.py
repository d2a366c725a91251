"""Clearing cycles, what they mean for each member, and the payouts that follow."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.claims import Claimable
from marketplace.guards import append_only, born_in, never_changes, never_deleted, only_moves, sentence
from marketplace.models import Organisation, Paper, User
from settlement.states import (
    CYCLE_MOVES,
    OUTGOING_MOVES,
    CycleState,
    OutgoingState,
)


class ClearingCycle(models.Model):
    """A batch of accepted trades that are cleared together."""

    number = models.PositiveIntegerField(unique=True)
    state = models.CharField(max_length=10, choices=CycleState.choices, default=CycleState.OPEN)
    opened_at = models.DateTimeField(default=clock.now)
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


class PayoutAccount(models.Model):
    """Where a member wants its money: the newest row of an organisation counts."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="payout_accounts")
    gateway = models.CharField(max_length=20)
    reference = models.CharField(max_length=120)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("payout account")
        verbose_name_plural = _("payout accounts")
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
    created_at = models.DateTimeField(default=clock.now)
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
