"""What the API says of prices: steps of a price per call, discounts, and what an offer costs now."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from listings import pricing
from listings.models import Discount, Offer


class StepField(serializers.Serializer[Any]):
    """From how many calls in one purchase on each of them costs how much."""

    from_quantity = serializers.IntegerField()
    unit_price_minor = serializers.IntegerField()


class PartField(serializers.Serializer[Any]):
    """An instalment: its share of the price, and within how many days after registration it is due."""

    basis_points = serializers.IntegerField(help_text="Hundredths of a per cent; of all together 10000.")
    due_days = serializers.IntegerField()


class DiscountIn(serializers.Serializer[Any]):
    percent = serializers.IntegerField(help_text="Whole per cent, 1 to 99.")
    valid_from = serializers.DateTimeField(allow_null=True, default=None, help_text="null for at once.")
    valid_until = serializers.DateTimeField(help_text="In force until before this moment.")


class DiscountOut(serializers.ModelSerializer[Discount]):
    """So many per cent less than the list price, from one moment until before another."""

    percent = serializers.IntegerField()

    class Meta:
        model = Discount
        fields = ["public_id", "percent", "valid_from", "valid_until"]


class OwnDiscountOut(DiscountOut):
    offer = serializers.CharField(source="offer.public_id")
    is_over = serializers.BooleanField()

    class Meta(DiscountOut.Meta):
        fields = [*DiscountOut.Meta.fields, "offer", "created_at", "ended_at", "is_over"]


class PricedNow(serializers.Serializer[Any]):
    """What an offer costs now: its list price less the discount in force."""

    price_minor = serializers.IntegerField(
        help_text="The list price; of an offer priced per call that of the least block."
    )
    steps = StepField(many=True, help_text="List prices per call; empty for one price.")
    instalments = PartField(many=True, help_text="In which the price is paid before delivery; empty for at once.")
    discount = serializers.SerializerMethodField(help_text="In force now; null for none.")
    price_now_minor = serializers.SerializerMethodField(help_text="The price less the discount.")
    steps_now = serializers.SerializerMethodField(help_text="The prices per call less the discount.")

    @extend_schema_field(DiscountOut(allow_null=True))
    def get_discount(self, offer: Offer) -> dict[str, Any] | None:
        found = pricing.discount_of(offer)
        return dict(DiscountOut(found).data) if found else None

    def get_price_now_minor(self, offer: Offer) -> int:
        return pricing.now(offer).price.minor

    @extend_schema_field(StepField(many=True))
    def get_steps_now(self, offer: Offer) -> list[pricing.Step]:
        return pricing.steps_now(offer)
