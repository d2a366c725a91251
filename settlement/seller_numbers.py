"""What a seller's products did: how often they were seen, opened, sampled, tried, ordered and renewed, and earned.

Looks are counted by listings.daily_counts; orders and money are the trades' own. An order is a proposal to take an
offer that is no free trial, whatever became of it; it renews where its buyer was bound to such a trade of the same
product before, and is converted where it goes on where a trial ends. Money counts in the month in which its trade was
cleared, as the ledger moved it; currencies are never added up.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth

from listings.models import DailyCount, Listing
from marketplace import clock
from marketplace.models import Organisation
from settlement.market import MONTHS, months_before
from settlement.models import Account, Trade, Transfer


@dataclass
class Steps:
    """From a look to a renewal; each step is counted by itself."""

    seen: int = 0
    opened: int = 0
    sampled: int = 0
    tried: int = 0
    converted: int = 0
    ordered: int = 0
    renewed: int = 0

    def __add__(self, other: Steps) -> Steps:
        return Steps(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Steps)))


@dataclass(frozen=True)
class Earned:
    """What cleared trades of one currency brought: what buyers paid for good, the exchange's fee, and the rest."""

    trades: int
    gross_minor: int
    fee_minor: int

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.fee_minor


@dataclass(frozen=True)
class Numbers:
    """A seller's numbers of the last MONTHS months, the present one included: by month (its first day) and product."""

    months: list[dt.date]
    steps: dict[tuple[dt.date, int], Steps] = field(default_factory=dict)
    earned: dict[tuple[dt.date, int, str], Earned] = field(default_factory=dict)

    def by_month(self) -> list[tuple[dt.date, Steps]]:
        """Every month, the oldest first."""
        return [(month, _sum(steps for (of, _pk), steps in self.steps.items() if of == month)) for month in self.months]

    def by_product(self) -> dict[int, Steps]:
        """The products that have any."""
        found: dict[int, Steps] = defaultdict(Steps)
        for (_month, pk), steps in self.steps.items():
            found[pk] += steps
        return dict(found)

    def whole(self) -> Steps:
        return _sum(self.steps.values())

    def by_currency(self) -> dict[str, list[tuple[dt.date, Earned]]]:
        """Every month of each currency in which anything was earned."""
        currencies = sorted({currency for _month, _pk, currency in self.earned})
        return {
            currency: [(month, self._earned_in(month, currency)) for month in self.months] for currency in currencies
        }

    def _earned_in(self, month: dt.date, currency: str) -> Earned:
        rows = [one for (of, _pk, code), one in self.earned.items() if (of, code) == (month, currency)]
        return Earned(
            sum(one.trades for one in rows), sum(one.gross_minor for one in rows), sum(one.fee_minor for one in rows)
        )


def of(seller: Organisation, *, listing: Listing | None = None, with_money: bool = True) -> Numbers:
    """The seller's numbers, or those of one of its products: a fixed number of statements."""
    this_month = clock.today().replace(day=1)
    numbers = Numbers([months_before(this_month, back) for back in range(MONTHS - 1, -1, -1)])
    first = numbers.months[0]
    looks = DailyCount.objects.visible_to(seller).since(first)
    orders = Trade.objects.sold_by(seller).filter(proposed_at__gte=_midnight(first))
    cleared = Trade.objects.sold_by(seller).filter(cleared_at__gte=_midnight(first))
    if listing is not None:
        looks, orders, cleared = (
            looks.filter(listing=listing),
            orders.filter(listing=listing),
            cleared.filter(listing=listing),
        )
    _add_looks(numbers, looks)
    _add_orders(numbers, orders)
    if with_money:
        _add_money(numbers, cleared)
    return numbers


def _add_looks(numbers: Numbers, looks: QuerySet[DailyCount]) -> None:
    rows = looks.values(month=TruncMonth("day"), product=F("listing")).order_by()
    for row in rows.annotate(seen=Sum("seen"), opened=Sum("opened"), sampled=Sum("sampled")):
        numbers.steps[row["month"], row["product"]] = Steps(row["seen"], row["opened"], row["sampled"])


def _add_orders(numbers: Numbers, orders: QuerySet[Trade]) -> None:
    before = Trade.objects.filter(
        listing=OuterRef("listing"),
        buyer=OuterRef("buyer"),
        agreed_at__lt=OuterRef("proposed_at"),
        is_trial=False,
    )
    rows = orders.annotate(is_renewal=Exists(before)).values(month=TruncMonth("proposed_at"), product=F("listing"))
    for row in rows.order_by().annotate(
        tried=Count("pk", filter=Q(is_trial=True)),
        converted=Count("pk", filter=Q(renews__is_trial=True)),
        ordered=Count("pk", filter=Q(is_trial=False)),
        renewed=Count("pk", filter=Q(is_trial=False, is_renewal=True)),
    ):
        key = (row["month"].date(), row["product"])
        numbers.steps[key] = numbers.steps.get(key, Steps()) + Steps(
            tried=row["tried"], converted=row["converted"], ordered=row["ordered"], renewed=row["renewed"]
        )


def _add_money(numbers: Numbers, cleared: QuerySet[Trade]) -> None:
    """What left the trades' escrow for the seller and as its fee; free trades moved nothing."""
    moved = Transfer.objects.filter(
        debit__trade__in=cleared,
        debit__kind=Account.Kind.ESCROW,
        credit__kind__in=[Account.Kind.FEE, Account.Kind.PAYABLE],
    ).exclude(key__startswith="buyer-fee-")
    rows = moved.values(
        month=TruncMonth("debit__trade__cleared_at"), product=F("debit__trade__listing"), code=F("debit__currency")
    )
    for row in rows.order_by().annotate(
        trades=Count("debit__trade", distinct=True),
        gross=Sum("amount_minor"),
        fee=Sum("amount_minor", filter=Q(credit__kind=Account.Kind.FEE)),
    ):
        key = (row["month"].date(), row["product"], row["code"])
        numbers.earned[key] = Earned(row["trades"], row["gross"], row["fee"] or 0)


def _midnight(day: dt.date) -> dt.datetime:
    """When this day begins at the exchange."""
    return dt.datetime.combine(day, dt.time(), ZoneInfo(settings.TIME_ZONE))


def _sum(steps: Iterable[Steps]) -> Steps:
    return sum(steps, Steps())
