"""What trades come to for each member when they are cleared. Sums of whole minor units, over trades read in parts.

The preview and the run make the same sums here. However many trades there are, no more than `AT_ONCE` of them are in
memory, one position for each member and currency, and what each trade brought a member: two numbers, which a preview
keeps only of members that owe something or leave a part in reserve.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import FilteredRelation, Q, QuerySet

from compliance.crossborder import MAINLAND
from marketplace.money import BASIS_POINTS_OF_THE_WHOLE
from settlement.models import Account, Payout, Trade, TradeShare
from settlement.models.fees import fee_minor

AT_ONCE = 5_000


class Row(NamedTuple):
    """What clearing needs to know of a trade; `escrow_id` and `held_minor` are None where no money was asked for.

    `refund_minor` is what a decision gave back of the price, None without a decision.
    """

    pk: int
    listing_id: int
    buyer_id: int
    seller_id: int
    currency: str
    is_frozen: bool
    buyer_country: str
    seller_country: str
    escrow_id: int | None
    held_minor: int | None
    basis_points: int
    least_minor: int | None
    most_minor: int | None
    price_minor: int
    refund_minor: int | None


class Line(NamedTuple):
    """One paid trade in a cycle, in minor units: what escrow holds of the price, the seller's fee of it, what the
    seller gets, and the buyer's fee beside it."""

    trade_id: int
    listing_id: int
    seller_id: int
    currency: str
    escrow_id: int
    is_domestic: bool
    gross_minor: int
    fee_minor: int
    buyer_fee_minor: int

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.fee_minor


class Passed(NamedTuple):
    """A share of a trade that a seller passes on, in minor units."""

    trade_id: int
    share_id: int
    payer_id: int
    payee_id: int
    currency: str
    is_domestic: bool
    amount_minor: int


@dataclass
class Position:
    """What a cycle means for one member in one currency, in minor units.

    `brought` says what each trade brought it by the trade's id: net and shares received, less shares passed on;
    `abroad` which of them cross a border. A member `is_netted` if its domestic trades are paid as one sum.
    """

    brought: dict[int, int] = field(default_factory=dict)
    abroad: set[int] = field(default_factory=set)
    is_netted: bool = False
    counted_at_home: int = 0
    counted_abroad: int = 0
    trades: int = 0
    gross_minor: int = 0
    fee_minor: int = 0
    received_minor: int = 0
    given_minor: int = 0
    recovered_minor: int = 0
    reserve_basis_points: int = 0
    reserved_minor: int = 0
    released_minor: int = 0

    @property
    def cleared_minor(self) -> int:
        """What the cycle brings it, before what it owes is set off and anything is kept back or released."""
        return self.gross_minor - self.fee_minor + self.received_minor - self.given_minor

    @property
    def net_minor(self) -> int:
        """What is paid out."""
        return self.cleared_minor - self.recovered_minor - self.reserved_minor + self.released_minor

    def payouts(self) -> Iterator[tuple[Payout.Kind, int | None, int]]:
        """The payouts, as (kind, the id of the trade if it is of one, minor units).

        Each trade is paid alone, and what is released too; with netting only trades across the border are, and the rest
        is one sum. What is paid for a trade is the same either way.
        """
        released = self.released_minor - max(self.recovered_minor - self.cleared_minor, 0)
        together = released if self.is_netted else 0
        for trade_id, minor in self._paid_by_trade():
            if self.is_netted and trade_id not in self.abroad:
                together += minor
            else:
                yield Payout.Kind.TRADE, trade_id, minor
        if together:
            yield Payout.Kind.NET, None, together
        elif released:
            yield Payout.Kind.RESERVE, None, released

    def count_paid(self) -> None:
        """Forget what each trade brought, and only count those that are paid out: for a preview, of a member that owes
        nothing and leaves nothing in reserve."""
        paid = {trade_id for trade_id, minor in self.brought.items() if minor > 0}
        self.counted_abroad += len(paid & self.abroad)
        self.counted_at_home += len(paid - self.abroad)
        self.brought.clear()
        self.abroad.clear()

    @property
    def payout_count(self) -> int:
        """How many payouts there are, those of the counted trades among them."""
        others = sum(1 for _payout in self.payouts())
        if self.is_netted:
            return self.counted_abroad + max(others, int(self.counted_at_home > 0))
        return self.counted_abroad + self.counted_at_home + others

    def _paid_by_trade(self) -> Iterator[tuple[int, int]]:
        """What is paid out for each trade, as (trade id, minor units), in the order the trades were proposed.

        Debts are taken from the first trades until they are covered; of what remains each trade leaves its part in
        reserve. The sums are cumulated before they are rounded, so that all payouts and what is released are the net.
        """
        brought = paid = 0
        for trade_id in sorted(self.brought):
            brought += self.brought[trade_id]
            remains = max(brought - self.recovered_minor, 0)
            paid_so_far = remains - share_of(remains, self.reserve_basis_points)
            if paid_so_far > paid:
                yield trade_id, paid_so_far - paid
            paid = paid_so_far

    def bring(self, trade_id: int, minor: int, *, is_domestic: bool) -> None:
        """A trade brings it so many minor units, or takes them."""
        self.brought[trade_id] = self.brought.get(trade_id, 0) + minor
        if not is_domestic:
            self.abroad.add(trade_id)


def lock_each(rows: QuerySet[Any]) -> None:
    """Lock rows in key order without keeping them in memory."""
    locked = rows.order_by("pk").select_for_update(of=("self",), no_key=True)
    deque(locked.values_list("pk").iterator(AT_ONCE), maxlen=0)


Member = tuple[int, str]  # (organisation id, currency)
Positions = dict[Member, Position]


def in_parts(trades: QuerySet[Trade]) -> Iterator[list[Row]]:
    """These trades seller by seller, so that few parts touch the same member. One statement, read as it is used."""
    columns = trades.annotate(
        escrow=FilteredRelation("accounts", condition=Q(accounts__kind=Account.Kind.ESCROW))
    ).values_list(
        "pk", "listing_id", "buyer_id", "seller_id", "currency", "is_frozen", "buyer__country", "seller__country",
        "escrow__pk", "escrow__balance_minor",
        "fee_schedule__seller_basis_points", "fee_schedule__least_minor", "fee_schedule__most_minor",
        "price_minor", "dispute__refund_minor",
    )  # fmt: skip
    rows = map(Row._make, columns.order_by("seller_id", "pk").iterator(AT_ONCE))
    while part := list(islice(rows, AT_ONCE)):
        yield part


def line_of(row: Row) -> Line | None:
    """The money of a trade; None where none was asked for."""
    if row.escrow_id is None:
        return None
    gross = row.price_minor - (row.refund_minor or 0)
    beside = (row.held_minor or 0) - gross  # escrow holds the whole total, or what a decision left of it
    fee = fee_minor(gross, row.basis_points, row.least_minor, row.most_minor)
    is_domestic = row.buyer_country == row.seller_country == MAINLAND
    return Line(row.pk, row.listing_id, row.seller_id, row.currency, row.escrow_id, is_domestic, gross, fee, beside)


def passed_on(lines: Iterable[Line]) -> list[Passed]:
    """What the sellers of these lines, and those they pay, pass on by the shares frozen into the trades. One statement.

    Each share is of what its product got in that trade, rounded down: what rounding leaves stays with the seller.
    """
    of_trade = {line.trade_id: line for line in lines}
    frozen = TradeShare.objects.filter(trade__any_of=of_trade).order_by("trade", "position")
    columns = frozen.values_list(
        "trade_id", "share_id", "share__split__listing_id", "share__split__listing__seller_id", "share__upstream_id",
        "share__payee_id", "share__basis_points",
    )  # fmt: skip
    found: list[Passed] = []
    got = {(line.trade_id, line.listing_id): line.net_minor for line in of_trade.values()}
    for trade_id, share_id, listing_id, payer_id, upstream_id, payee_id, basis_points in columns:
        minor = share_of(got[trade_id, listing_id], basis_points)
        if upstream_id is not None:
            got[trade_id, upstream_id] = got.get((trade_id, upstream_id), 0) + minor
        if minor:
            line = of_trade[trade_id]
            found.append(Passed(trade_id, share_id, payer_id, payee_id, line.currency, line.is_domestic, minor))
    return found


def share_of(minor: int, basis_points: int) -> int:
    """So many basis points of a sum in minor units, rounded down."""
    return minor * basis_points // BASIS_POINTS_OF_THE_WHOLE


def add(positions: Positions, lines: Iterable[Line], passed: Iterable[Passed]) -> None:
    """Count these lines in with their sellers' positions, and what they pass on with both sides'."""
    for one in passed:
        payer = positions.setdefault((one.payer_id, one.currency), Position())
        payer.given_minor += one.amount_minor
        payer.bring(one.trade_id, -one.amount_minor, is_domestic=one.is_domestic)
        payee = positions.setdefault((one.payee_id, one.currency), Position())
        payee.received_minor += one.amount_minor
        payee.bring(one.trade_id, one.amount_minor, is_domestic=one.is_domestic)
    for line in lines:
        position = positions.setdefault((line.seller_id, line.currency), Position())
        position.trades += 1
        position.gross_minor += line.gross_minor
        position.fee_minor += line.fee_minor
        position.bring(line.trade_id, line.net_minor, is_domestic=line.is_domestic)


def net(positions: Positions, members: Collection[int]) -> None:
    """The domestic trades of these members, by organisation id, are paid as one sum in each currency.

    Called once all positions are there, also those of whom only a reserve is released to.
    """
    for (organisation_id, _currency), position in positions.items():
        position.is_netted = organisation_id in members


def set_off(positions: Positions, owed: Mapping[Member, int]) -> None:
    """Set what each member owes the exchange, in minor units, against what it gets: once before anything is kept back,
    and what is still owed then against what is released."""
    for key, position in positions.items():
        position.recovered_minor = min(owed.get(key, 0), position.cleared_minor + position.released_minor)


def keep_back(positions: Positions, basis_points: Mapping[Member, int]) -> None:
    """Keep back so many basis points of what each of these members gets once its debts are set off, rounded down."""
    for key, share in basis_points.items():
        position = positions[key]
        position.reserve_basis_points = share
        position.reserved_minor = share_of(position.cleared_minor - position.recovered_minor, share)


def release(positions: Positions, released: Iterable[tuple[int, str, int]]) -> None:
    """Add what is released of a member's reserve, each (organisation id, currency, minor units)."""
    for organisation_id, currency, minor in released:
        positions.setdefault((organisation_id, currency), Position()).released_minor += minor
