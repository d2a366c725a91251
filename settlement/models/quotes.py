"""What an organisation was quoted for an offer, and the trade it ordered by that."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from listings import pricing
from listings.models import Discount, Offer
from marketplace import clock
from marketplace.guards import never_changes, never_deleted, sentence
from marketplace.models import Organisation, User, new_public_id
from marketplace.money import Money
from settlement.models.trades import LESS, Trade

# What a whole licence costs, less the discount `d`.
WHOLE = pricing.less_sql("o.price_minor", "d")


class QuoteQuerySet(models.QuerySet["Quote"]):
    def of(self, buyer: Organisation | None) -> QuoteQuerySet:
        """Those made for this organisation; nobody else sees them."""
        return self.filter(buyer=buyer) if buyer else self.none()


class Quote(models.Model):
    """The price of an offer for one buyer until `valid_until`; its paper is found by it. It binds nobody.

    Offers never change, so the price stands unless the seller closes the offer or ends its discount before.
    """

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="quotes")
    buyer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="quotes", db_index=False)
    discount = models.ForeignKey(
        Discount, on_delete=models.PROTECT, null=True, blank=True, related_name="quotes", db_index=False
    )
    price_minor = models.BigIntegerField(_("price"))
    buyer_fee_minor = models.BigIntegerField(_("fee of the buyer"), default=0)
    currency = models.CharField(max_length=3)
    quantity = models.PositiveIntegerField(_("calls"), null=True, blank=True)
    unit_price_minor = models.BigIntegerField(_("price of a call"), null=True, blank=True)
    purpose = models.TextField(_("use"), blank=True)
    made_at = models.DateTimeField(default=clock.now)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    valid_until = models.DateTimeField()
    trade = models.OneToOneField(Trade, on_delete=models.PROTECT, null=True, blank=True, related_name="quote")

    objects = QuoteQuerySet.as_manager()

    class Meta:
        verbose_name = _("quote")
        verbose_name_plural = _("quotes")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["buyer", "-id"], name="quotes_of_a_buyer")]
        constraints = [
            sentence("quote_names_a_price", Q(price_minor__gt=0)),
            sentence(
                "quoted_fee_is_between_nothing_and_the_price",
                Q(buyer_fee_minor__gte=0, buyer_fee_minor__lte=F("price_minor")),
            ),
            sentence("quote_is_valid_for_some_time", Q(valid_until__gt=F("made_at"))),
            sentence(
                "quoted_block_costs_its_calls",
                Q(quantity=None, unit_price_minor=None)
                | Q(quantity__gt=0, unit_price_minor__gt=0, price_minor=F("quantity") * F("unit_price_minor")),
            ),
        ]
        triggers = [
            never_changes(
                "public_id", "offer", "buyer", "discount", "price_minor", "buyer_fee_minor", "currency", "quantity",
                "unit_price_minor", "purpose", "made_at", "made_by", "valid_until",
            ),
            pgtrigger.Trigger(
                name="quote_is_of_the_offers_price_in_force",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func=f"""
                    IF NOT EXISTS (
                        SELECT FROM listings_offer o LEFT JOIN listings_discount d ON d.id = NEW.discount_id
                            AND d.offer_id = o.id AND d.valid_from <= NEW.made_at
                            AND least(d.valid_until, d.ended_at) > NEW.made_at AND d.valid_until >= NEW.valid_until
                        WHERE o.id = NEW.offer_id AND o.closed_at IS NULL AND o.currency = NEW.currency
                        AND NOT o.is_postpaid AND (o.open_until >= NEW.valid_until) IS NOT FALSE
                        AND d.id IS NOT DISTINCT FROM NEW.discount_id
                        AND CASE WHEN o.steps = '[]' THEN NEW.quantity IS NULL AND NEW.price_minor = {WHOLE}
                            ELSE NEW.quantity <= o.most_quantity AND NEW.unit_price_minor = (
                                SELECT min({LESS}) FROM jsonb_array_elements(o.steps) s
                                WHERE (s->>'from_quantity')::bigint <= NEW.quantity
                            ) END
                    ) THEN
                        RAISE 'offer % does not sell at the price of quote %', NEW.offer_id, NEW.public_id
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,  # noqa: S608
            ),
            pgtrigger.Trigger(
                name="quote_is_used_once_for_what_it_quotes",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.AnyChange("trade"),
                func="""
                    IF OLD.trade_id IS NOT NULL OR NOT EXISTS (
                        SELECT FROM settlement_trade t WHERE t.id = NEW.trade_id AND t.offer_id = NEW.offer_id
                        AND t.buyer_id = NEW.buyer_id AND t.price_minor = NEW.price_minor
                        AND t.buyer_fee_minor = NEW.buyer_fee_minor
                        AND t.quantity IS NOT DISTINCT FROM NEW.quantity AND t.proposed_at < NEW.valid_until
                    ) THEN
                        RAISE 'quote % does not lead to trade %', NEW.public_id, NEW.trade_id
                            USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.public_id

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.currency)

    @property
    def buyer_fee(self) -> Money:
        return Money(self.buyer_fee_minor, self.currency)

    @property
    def total_minor(self) -> int:
        return self.price_minor + self.buyer_fee_minor

    @property
    def total(self) -> Money:
        """What the buyer would pay in all."""
        return Money(self.total_minor, self.currency)
