"""The exchange month by month, for its staff: trades and turnover cleared, products first listed, members approved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncMonth
from redis import RedisError

from compliance.models import Decision
from listings.models import Listing
from marketplace import clock, plots
from settlement import market
from settlement.models import Trade

KEPT_AS = "staff-figures-1"  # count up when Figures changes: the program before may still be running


@dataclass(frozen=True)
class Figures:
    """A number for each of the last market.MONTHS months, the oldest first; turnover in minor units, by currency."""

    at: dt.datetime
    months: list[dt.date]
    trades: list[int]
    turnover: dict[str, list[int]]
    listings: list[int]
    members: list[int]


@dataclass(frozen=True)
class Plot:
    """One line of figures with its columns; `currency` says that it is money."""

    name: str
    numbers: list[int]
    columns: list[plots.Column]
    currency: str = ""

    @property
    def latest(self) -> int:
        return self.numbers[-1]


# Which desks' people see which figures.
SEEN_AT = {
    "trades": {"trades"},
    "turnover": {"payments", "clearing"},
    "listings": {"reviews"},
    "members": {"organisations"},
}


def figures() -> Figures:
    """As it is, at most market.KEPT_SECONDS old; counted anew for each reader while the cache is lost."""
    try:
        found: Figures | None = cache.get(KEPT_AS)
        if found is None:
            found = _counted()
            cache.set(KEPT_AS, found, market.KEPT_SECONDS)
        return found
    except RedisError:
        return _counted()


def plots_for(desks: Collection[str]) -> list[Plot]:
    """What those who see these desks may see."""
    found, seen = figures(), set(desks)
    shown = [_plot(name, getattr(found, name)) for name in ("trades", "listings", "members") if SEEN_AT[name] & seen]
    if SEEN_AT["turnover"] & seen:
        shown[1:1] = [_plot("turnover", numbers, code) for code, numbers in sorted(found.turnover.items())]
    return shown


def _plot(name: str, numbers: list[int], currency: str = "") -> Plot:
    return Plot(name, numbers, plots.columns(numbers), currency)


def _counted() -> Figures:
    first = clock.today().replace(day=1)
    months = [market.months_before(first, back) for back in range(market.MONTHS - 1, -1, -1)]
    since = months[0]
    cleared = Trade.objects.filter(state__in=market.DONE, cleared_at__date__gte=since)
    approved = Decision.objects.filter(act="approve", decided_at__date__gte=since)
    listed = Listing.objects.filter(listed_at__date__gte=since)
    trades: list[int] = [0] * len(months)
    turnover: dict[str, list[int]] = {}
    place = {month: number for number, month in enumerate(months)}
    rows = cleared.order_by().values_list(TruncMonth("cleared_at"), "currency")
    for month, currency, count, gross in rows.annotate(count=Count("pk"), gross=Sum("price_minor")):
        at = place[month.date()]
        trades[at] += count
        turnover.setdefault(currency, [0] * len(months))[at] = int(gross)
    return Figures(
        at=clock.now(),
        months=months,
        trades=trades,
        turnover=turnover,
        listings=_by_month(listed, "listed_at", place),
        members=_by_month(approved, "decided_at", place),
    )


def _by_month(rows: QuerySet[Any], field: str, place: dict[dt.date, int]) -> list[int]:
    numbers = [0] * len(place)
    for month, count in rows.order_by().values_list(TruncMonth(field)).annotate(Count("pk")):
        numbers[place[month.date()]] = count
    return numbers
