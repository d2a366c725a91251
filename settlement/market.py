"""What the whole market trades, for anyone to read: turnover, trades, products and members.

A trade counts once it is cleared, at its price, in its own currency; currencies are never added up. Where fewer than
`FEWEST` trades stand behind a figure that is broken down, their sum would tell what one of them cost: it is left out.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import Count, F, QuerySet, Sum, Value
from django.db.models.functions import Concat, TruncMonth
from redis import RedisError

from compliance.models import Verification
from compliance.states import VerificationState
from listings.models import Listing
from listings.states import ListingState
from marketplace import clock
from settlement.models import Trade
from settlement.states import TradeState

MONTHS = 12
FEWEST = 3
KEPT_SECONDS = 60
KEPT_AS = "market-1"  # count up when Market changes: the program before may still be running
DONE = (TradeState.CLEARED, TradeState.SETTLED)


@dataclass(frozen=True)
class Turnover:
    """Trades and their sum in one currency; `gross_minor` is None where it would tell a single price."""

    currency: str
    trades: int
    gross_minor: int | None


@dataclass(frozen=True)
class Part:
    """The turnover of one month, sector or region."""

    key: str
    turnover: list[Turnover]


@dataclass(frozen=True)
class Market:
    """The market at one moment. `months` has the last MONTHS, empty ones too, the oldest first, as `2026-11`."""

    at: dt.datetime
    listed: dict[str, int]
    members: int
    sellers: int
    today: list[Turnover]
    whole: list[Turnover]
    months: list[Part]
    sectors: list[Part]
    regions: list[Part]


def figures() -> Market:
    """The market as it is, at most KEPT_SECONDS old; counted anew for each reader while the cache is lost."""
    try:
        found: Market | None = cache.get(KEPT_AS)
        if found is None:
            found = _counted()
            cache.set(KEPT_AS, found, KEPT_SECONDS)
        return found
    except RedisError:
        return _counted()


def _counted() -> Market:
    today = clock.today()
    since = months_before(today.replace(day=1), MONTHS - 1)
    done = Trade.objects.filter(state__in=DONE).order_by()
    of_year = done.filter(cleared_at__date__gte=since)
    listed = Listing.objects.filter(state=ListingState.LISTED).order_by()
    months = {part.key: part for part in _parts(of_year, TruncMonth("cleared_at"))}
    names = [f"{months_before(today.replace(day=1), back):%Y-%m}" for back in range(MONTHS - 1, -1, -1)]
    return Market(
        at=clock.now(),
        listed=dict(listed.values_list("product_type").annotate(number=Count("pk"))),
        members=Verification.objects.filter(state=VerificationState.VERIFIED).count(),
        sellers=listed.aggregate(number=Count("seller", distinct=True))["number"],
        today=_turnover(done.filter(cleared_at__date=today)),
        whole=_turnover(done),
        months=[months.get(name, Part(name, [])) for name in names],
        sectors=_parts(of_year, F("version__sector")),
        regions=_parts(of_year, Concat("seller__country", Value("/"), "seller__region")),
    )


def _turnover(trades: QuerySet[Trade]) -> list[Turnover]:
    """One for each currency, the one with most trades first."""
    rows = trades.values_list("currency").annotate(trades=Count("pk"), gross_minor=Sum("price_minor"))
    found = [Turnover(code, number, gross if number >= FEWEST else None) for code, number, gross in rows]
    return sorted(found, key=lambda one: (-one.trades, one.currency))


def _parts(trades: QuerySet[Trade], key: Any) -> list[Part]:
    """The trades broken down by a key, the most traded first."""
    rows = trades.values_list("currency").annotate(key=key, trades=Count("pk"), gross_minor=Sum("price_minor"))
    by_currency: dict[str, list[tuple[Any, int, int]]] = {}
    for currency, name, number, gross in rows:
        by_currency.setdefault(currency, []).append((name, number, gross))
    parts: dict[str, list[Turnover]] = {}
    for currency, cells in by_currency.items():
        withheld = _withheld([number for _name, number, _gross in cells])
        for place, (name, number, gross) in enumerate(cells):
            shown = f"{name:%Y-%m}" if isinstance(name, dt.datetime) else name
            parts.setdefault(shown, []).append(Turnover(currency, number, None if place in withheld else gross))
    found = [Part(name, sorted(of, key=lambda one: (-one.trades, one.currency))) for name, of in parts.items()]
    return sorted(found, key=lambda part: (-sum(one.trades for one in part.turnover), part.key))


def _withheld(numbers: list[int]) -> set[int]:
    """The places of the cells whose sums are left out: those of too few trades and, where these are so few together
    that the whole less the rest would tell, the next smallest too."""
    by_size = sorted(range(len(numbers)), key=lambda place: numbers[place])
    found = {place for place in by_size if numbers[place] < FEWEST}
    for place in by_size:
        if not found or sum(numbers[one] for one in found) >= FEWEST:
            break
        found.add(place)
    return found


def months_before(first: dt.date, months: int) -> dt.date:
    """The first day of the month so many months before that of `first`."""
    back = first.year * 12 + first.month - 1 - months
    return dt.date(back // 12, back % 12 + 1, 1)
