"""Who was reminded of what, and when."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.guards import append_only
from settlement.models.trades import Trade
from settlement.states import TradeState


class Reminder(models.Model):
    """A party was reminded, once, that a trade waits for it and until when."""

    class Wait(models.TextChoices):
        ANSWER = TradeState.PROPOSED.value, _("For the seller's answer")
        PAYMENT = TradeState.REGISTERED.value, _("For the buyer's payment")
        INSPECTION = TradeState.DELIVERED.value, _("For the buyer's inspection")

    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, related_name="reminders")
    wait = models.CharField(max_length=12, choices=Wait.choices)
    until = models.DateTimeField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        constraints = [models.UniqueConstraint(fields=["trade", "wait"], name="reminded_once_of_a_wait")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.trade} {self.wait}"
