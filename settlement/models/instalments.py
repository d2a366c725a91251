"""The instalments of a trade's price, frozen when it is proposed."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marketplace.guards import never_changes, never_deleted, sentence
from marketplace.money import Money
from settlement.models.trades import Trade


class Instalment(models.Model):
    """A part of a trade's price: due so many days after its registration, and paid once it lies in escrow.

    The first has the buyer's fee with it.
    """

    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, related_name="instalments", db_index=False)
    number = models.PositiveSmallIntegerField()
    amount_minor = models.BigIntegerField()
    due_days = models.PositiveSmallIntegerField()
    paid_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("instalment")
        verbose_name_plural = _("instalments")
        ordering = ["trade", "number"]
        constraints = [
            models.UniqueConstraint(fields=["trade", "number"], name="one_instalment_of_a_number"),
            sentence("instalment_is_positive", Q(amount_minor__gt=0)),
        ]
        triggers = [
            never_changes("trade", "number", "amount_minor", "due_days"),
            pgtrigger.Trigger(
                name="instalment_is_of_its_offers_plan",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NEW.paid_at IS NOT NULL OR NOT EXISTS (
                        SELECT FROM settlement_trade t JOIN listings_offer o ON o.id = t.offer_id
                        WHERE t.id = NEW.trade_id AND t.state = 'proposed'
                        AND NEW.due_days = (o.instalments->(NEW.number - 1)->>'due_days')::int
                        AND NEW.amount_minor = CASE NEW.number WHEN 1 THEN t.buyer_fee_minor ELSE 0 END
                            + CASE NEW.number WHEN jsonb_array_length(o.instalments) THEN
                            t.price_minor - (
                                SELECT sum(div(t.price_minor::numeric * (part->>'basis_points')::int, 10000))
                                FROM jsonb_array_elements(o.instalments - (NEW.number - 1)) AS parts (part)
                            )
                            ELSE div(
                                t.price_minor::numeric * (o.instalments->(NEW.number - 1)->>'basis_points')::int, 10000
                            )
                        END
                    ) THEN
                        RAISE 'instalment % of trade % is not as its offer says', NEW.number, NEW.trade_id
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="instalments_are_paid_in_order_and_once",
                operation=pgtrigger.UpdateOf("paid_at"),
                when=pgtrigger.After,
                func="""
                    IF OLD.paid_at IS NOT NULL OR EXISTS (
                        SELECT FROM settlement_instalment i
                        WHERE i.trade_id = NEW.trade_id AND i.number < NEW.number AND i.paid_at IS NULL
                    ) THEN
                        RAISE 'instalment % of trade % is paid, or one before it is not', NEW.number, NEW.trade_id
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,
            ),
            pgtrigger.Trigger(
                name="paid_instalments_came_to_escrow",
                operation=pgtrigger.UpdateOf("paid_at"),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                func="""
                    IF (
                        SELECT sum(amount_minor) FROM settlement_instalment
                        WHERE trade_id = NEW.trade_id AND paid_at IS NOT NULL
                    ) IS DISTINCT FROM (
                        SELECT sum(x.amount_minor) FROM settlement_transfer x
                        JOIN settlement_account a ON a.id = x.credit_id
                        WHERE a.trade_id = NEW.trade_id AND a.kind = 'escrow'
                    ) THEN
                        RAISE 'the paid instalments of trade % are not what came to its escrow', NEW.trade_id
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.trade} {self.number}"

    @property
    def amount(self) -> Money:
        """Of a trade that came with it."""
        return Money(self.amount_minor, self.trade.currency)
