"""The API of upgrades: what a licence may be replaced by, and what that would cost now."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from listings import pricing
from listings.models import Offer
from marketplace.participants import acting_organisation
from settlement import fees, upgrades
from settlement.models import FeeSchedule, Trade


class UpgradeOut(serializers.Serializer[Any]):
    """An offer a licence may be upgraded to: its price now, less what is unused of the licence."""

    offer = serializers.CharField(help_text="Its id: what is proposed with `upgrades`.")
    name = serializers.CharField()
    currency = serializers.CharField()
    full_price_minor = serializers.IntegerField(help_text="The offer's price in force now.")
    credit_minor = serializers.IntegerField(help_text="What is taken off it, counted now and frozen with the proposal.")
    price_minor = serializers.IntegerField(help_text="What remains of it.")
    buyer_fee_minor = serializers.IntegerField(help_text="Paid beside the price.")
    total_minor = serializers.IntegerField(help_text="What remains to be paid.")
    days_left = serializers.IntegerField(help_text="Whole days of the licence that are unused.")
    days_in_all = serializers.IntegerField()


class TradeUpgrades(APIView):
    """GET: the offers the buyer's licence may be upgraded to, the cheapest first; none where it cannot be."""

    @extend_schema(responses=UpgradeOut(many=True))
    def get(self, request: Request, trade_id: str) -> Response:
        rows = Trade.objects.bought_by(acting_organisation(request)).select_related("buyer", "grant", "listing__seller")
        trade = get_object_or_404(rows, public_id=trade_id)
        offers = upgrades.possible(trade)
        credit = upgrades.credit_of(trade, trade.grant) if offers else None
        schedule = fees.schedule_for(trade.listing, trade.currency)
        told = [_told(offer, credit, schedule) for offer in offers] if credit else []
        return Response(UpgradeOut(told, many=True).data)


def _told(offer: Offer, credit: upgrades.Credit, schedule: FeeSchedule) -> dict[str, Any]:
    full_minor = pricing.now(offer).price.minor
    price_minor = full_minor - credit.minor
    fee_minor = schedule.buyer_fee_minor(price_minor, offer.currency)
    return {
        "offer": offer.public_id,
        "name": offer.name,
        "currency": offer.currency,
        "full_price_minor": full_minor,
        "credit_minor": credit.minor,
        "price_minor": price_minor,
        "buyer_fee_minor": fee_minor,
        "total_minor": price_minor + fee_minor,
        "days_left": credit.days_left,
        "days_in_all": credit.days_in_all,
    }
