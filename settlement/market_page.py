"""The market in figures, open to anyone, as a page and by API."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from listings.models import ProductType, Version
from marketplace import plots
from marketplace.money import Money, format_minor
from marketplace.regions import place_name
from settlement import market
from settlement.market import Part, Turnover


@require_safe
def market_page(request: HttpRequest) -> HttpResponse:
    """Answers 200 to anyone; nothing on it is older than a minute."""
    found = market.figures()
    currencies = [one.currency for one in found.whole]
    types = {kind: number for kind, number in found.listed.items() if number}
    context = {
        "at": found.at,
        "listed": sum(types.values()),
        "members": found.members,
        "sellers": found.sellers,
        "trades": sum(one.trades for one in found.whole),
        "trades_today": sum(one.trades for one in found.today),
        "today": _sums(found.today),
        "whole": _sums(found.whole),
        "currencies": currencies,
        "months": _bars(found.months, _month, currencies),
        "sectors": _bars(found.sectors, lambda key: str(Version.Sector(key).label), currencies),
        "regions": _bars(found.regions, _region, currencies),
        "types": [{"label": ProductType(kind).label, "value": number} for kind, number in sorted(types.items())],
        "fewest": market.FEWEST,
    }
    return render(request, "settlement/market.html", context)


def _bars(parts: list[Part], label: Callable[[str], str], currencies: list[str]) -> list[plots.Bar]:
    """A line for each part, the longest the one with most trades."""
    numbers = [sum(one.trades for one in part.turnover) for part in parts]
    bars = []
    for part, number in zip(parts, numbers, strict=True):
        sums = {one.currency: _amount(one) for one in part.turnover}
        length = plots.length(number, numbers)
        bars.append(
            plots.Bar(label(part.key), number, length, {currency: sums.get(currency, "") for currency in currencies})
        )
    return bars


def _amount(turnover: Turnover) -> str | None:
    return None if turnover.gross_minor is None else format_minor(turnover.gross_minor, turnover.currency)


def _sums(turnover: list[Turnover]) -> list[Money]:
    return [Money(one.gross_minor, one.currency) for one in turnover if one.gross_minor]


def _month(key: str) -> str:
    return date_format(dt.date.fromisoformat(f"{key}-01"), "YEAR_MONTH_FORMAT")


def _region(key: str) -> str:
    country, _slash, region = key.partition("/")
    return place_name(country, region)


# --- the API -------------------------------------------------------------------------------------------------------


class TurnoverOut(serializers.Serializer):
    """`gross_minor` is null where fewer than three trades stand behind it."""

    currency = serializers.CharField()
    trades = serializers.IntegerField()
    gross_minor = serializers.IntegerField(allow_null=True)


class MarketPartOut(serializers.Serializer):
    """A month (`2026-11`), a sector, or a country and region (`CN/CN-SH`)."""

    key = serializers.CharField()
    turnover = TurnoverOut(many=True)


class MarketOut(serializers.Serializer):
    """The market in figures; `months`, `sectors` and `regions` are of the last twelve months."""

    at = serializers.DateTimeField()
    listed = serializers.DictField(child=serializers.IntegerField(), help_text="Products on sale, by type.")
    members = serializers.IntegerField()
    sellers = serializers.IntegerField()
    today = TurnoverOut(many=True)
    whole = TurnoverOut(many=True)
    months = MarketPartOut(many=True)
    sectors = MarketPartOut(many=True)
    regions = MarketPartOut(many=True)


class MarketFigures(APIView):
    """What the whole market trades."""

    permission_classes = [AllowAny]

    @extend_schema(responses=MarketOut)
    def get(self, request: Request) -> Response:
        """Turnover of cleared trades, products and members; at most a minute old, open to anyone."""
        return Response(MarketOut(asdict(market.figures())).data)
