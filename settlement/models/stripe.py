"""Stripe's side of money: which of our payments the money it holds was paid for."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.guards import append_only, never_changes, never_deleted
from marketplace.models import Organisation, User


class StripeIntent(models.Model):
    """Money that Stripe said had come, once for each of its payment intents, whatever number of events tell of it."""

    intent = models.CharField(max_length=120, unique=True)  # Stripe's id, pi_…
    key = models.CharField(max_length=60)  # our payment's
    event_id = models.CharField(max_length=120)  # the event that told of it first
    heard_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("money at Stripe")
        verbose_name_plural = _("money at Stripe")
        triggers = append_only()

    def __str__(self) -> str:
        return self.intent


class StripeAccount(models.Model):
    """A member's own account at Stripe, connected to the exchange's: where transfers can go, once Stripe says so."""

    organisation = models.OneToOneField(Organisation, on_delete=models.PROTECT, related_name="stripe_account")
    reference = models.CharField(max_length=64, unique=True)  # Stripe's id, acct_…
    takes_transfers = models.BooleanField(default=False)  # as Stripe said last, as is the next
    pays_out = models.BooleanField(default=False)
    opened_at = models.DateTimeField(default=clock.now)
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("member's account at Stripe")
        verbose_name_plural = _("members' accounts at Stripe")
        triggers = [never_changes("organisation", "reference", "opened_at", "opened_by"), *never_deleted()]

    def __str__(self) -> str:
        return self.reference
