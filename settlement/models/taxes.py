"""What taxpayer a member says it is, and the taxes in the price of a trade as they were frozen or decided on."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.guards import append_only, sentence
from marketplace.models import Organisation, User
from settlement.models.trades import Trade
from settlement.tax_rules import Line, Tax


class TaxStatus(models.Model):
    """What taxpayer a member says it is, from this moment on; the newest counts."""

    class Status(models.TextChoices):
        GENERAL = "general", _("General VAT taxpayer")
        SMALL_SCALE = "small_scale", _("Small-scale VAT taxpayer")

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="tax_statuses")
    status = models.CharField(max_length=20, choices=Status.choices)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("tax status")
        verbose_name_plural = _("tax statuses")
        constraints = [sentence("tax_status_is_a_known_one", Q(status__in=["general", "small_scale"]))]
        triggers = append_only()

    def __str__(self) -> str:
        return str(self.get_status_display())


class TradeTax(models.Model):
    """The taxes in a trade's price, in minor units of its currency; the newest revision counts.

    The first is made by the rules when the trade is proposed; another only before it is funded, by the desk.
    """

    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, related_name="taxes")
    revision = models.PositiveSmallIntegerField()
    gross_minor = models.BigIntegerField()
    net_minor = models.BigIntegerField()
    withheld_minor = models.BigIntegerField()
    lines = models.JSONField()
    is_known = models.BooleanField()
    rulebook = models.CharField(max_length=20, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("tax of a trade")
        verbose_name_plural = _("taxes of trades")
        constraints = [
            models.UniqueConstraint(fields=["trade", "revision"], name="one_tax_of_a_trade_and_revision"),
            sentence(
                "tax_is_within_the_price",
                Q(net_minor__gte=0, net_minor__lte=F("gross_minor"), withheld_minor__gte=0)
                & Q(withheld_minor__lte=F("gross_minor")),
            ),
            sentence(
                "tax_is_by_the_rules_first_or_by_the_desk_with_a_reason",
                Q(revision=1, by=None, reason="") & ~Q(rulebook="")
                | Q(by__isnull=False, rulebook="", is_known=True) & ~Q(reason=""),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="tax_is_of_the_price_and_before_the_money",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                declare=[("trade", "record"), ("vat", "bigint"), ("withheld", "bigint")],
                func="""
                    SELECT price_minor, state INTO trade FROM settlement_trade
                        WHERE id = NEW.trade_id FOR NO KEY UPDATE;
                    IF trade.state NOT IN ('proposed', 'agreed', 'registered') OR EXISTS (
                        SELECT FROM settlement_instalment i WHERE i.trade_id = NEW.trade_id AND i.paid_at IS NOT NULL
                    ) THEN
                        RAISE 'trade % is %: its tax stays', NEW.trade_id, trade.state
                        USING ERRCODE = 'check_violation';
                    END IF;
                    SELECT coalesce(sum((l->>'amount_minor')::bigint) FILTER (WHERE l->>'tax' = 'vat'), 0),
                        coalesce(sum((l->>'amount_minor')::bigint) FILTER (WHERE l->>'how' = 'withheld'), 0)
                        INTO vat, withheld FROM jsonb_array_elements(NEW.lines) l;
                    IF NEW.gross_minor <> trade.price_minor OR NEW.net_minor <> NEW.gross_minor - vat
                    OR NEW.withheld_minor <> withheld THEN
                        RAISE 'the tax of trade % does not add up', NEW.trade_id USING ERRCODE = 'check_violation';
                    END IF;
                    IF NEW.revision <> 1 + (
                        SELECT coalesce(max(revision), 0) FROM settlement_tradetax WHERE trade_id = NEW.trade_id
                    ) THEN
                        RAISE 'the tax of trade % has another revision', NEW.trade_id USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *append_only(),
        ]

    def __str__(self) -> str:
        return f"{self.trade_id}-{self.revision}"

    @property
    def tax(self) -> Tax:
        """The sums as `tax_rules` gives them."""
        lines = tuple(Line(**line) for line in self.lines)
        return Tax(self.gross_minor, lines, is_known=self.is_known, rulebook=self.rulebook)
