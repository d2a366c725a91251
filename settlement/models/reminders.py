"""Who was reminded of what and when, and whose default the exchange excused."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.guards import append_only, sentence
from marketplace.models import User
from settlement.models.trades import Trade
from settlement.states import TradeState


class Reminder(models.Model):
    """A party was reminded, once, that a trade waits for it and until when, holds left aside.

    The instalments of a price are each waited for until their own time.
    """

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
        constraints = [models.UniqueConstraint(fields=["trade", "wait", "until"], name="reminded_once_of_a_wait")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.trade} {self.wait}"


class Excuse(models.Model):
    """An expired trade that is not held against its buyer: the exchange heard why it was not paid."""

    trade = models.OneToOneField(Trade, on_delete=models.PROTECT, related_name="excuse")
    reason = models.TextField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("excused default")
        verbose_name_plural = _("excused defaults")
        constraints = [sentence("excuse_has_a_reason", ~models.Q(reason=""))]
        triggers = [
            *append_only(),
            pgtrigger.Trigger(
                name="excused_is_what_expired_unpaid",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NOT EXISTS (
                        SELECT FROM settlement_trade t
                        WHERE t.id = NEW.trade_id AND t.state = 'expired' AND t.registered_at IS NOT NULL
                    ) THEN
                        RAISE 'trade % did not expire unpaid', NEW.trade_id USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return str(self.trade)
