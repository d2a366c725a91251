"""What trades come to for each member when they are cleared. Sums of whole minor units, over trades read in parts.

The preview and the run make the same sums here. However many trades there are, no more than `AT_ONCE` of them are in
memory, and one position for each member and currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from django.db.models import FilteredRelation, Q, QuerySet

from settlement.models import Account, Trade
from settlement.models.fees import fee_minor

AT_ONCE = 5_000


class Row(NamedTuple):
    """What clearing needs to know of a trade; `escrow_id` and `held_minor` are None where no money was asked for."""

    pk: int
    listing_id: int
    buyer_id: int
    seller_id: int
    currency: str
    is_frozen: bool
    escrow_id: int | None
    held_minor: int | None
    basis_points: int
    least_minor: int | None
    most_minor: int | None


class Line(NamedTuple):
    """One paid trade in a cycle, in minor units: what escrow holds, the fee, what the seller gets."""

    trade_id: int
    seller_id: int
    currency: str
    escrow_id: int
    gross_minor: int
    fee_minor: int

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.fee_minor


@dataclass
class Position:
    """What a cycle means for one member in one currency, in minor units."""

    trades: int = 0
    gross_minor: int = 0
    fee_minor: int = 0
    recovered_minor: int = 0

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.fee_minor - self.recovered_minor


Member = tuple[int, str]  # (organisation id, currency)
Positions = dict[Member, Position]


def in_parts(trades: QuerySet[Trade]) -> Iterator[list[Row]]:
    """These trades seller by seller, so that few parts touch the same member. One statement, read as it is used."""
    columns = trades.annotate(
        escrow=FilteredRelation("accounts", condition=Q(accounts__kind=Account.Kind.ESCROW))
    ).values_list(
        "pk", "listing_id", "buyer_id", "seller_id", "currency", "is_frozen", "escrow__pk", "escrow__balance_minor",
        "fee_schedule__seller_basis_points", "fee_schedule__least_minor", "fee_schedule__most_minor",
    )  # fmt: skip
    rows = map(Row._make, columns.order_by("seller_id", "pk").iterator(AT_ONCE))
    while part := list(islice(rows, AT_ONCE)):
        yield part


def line_of(row: Row) -> Line | None:
    """The money of a trade; None where none was asked for."""
    if row.escrow_id is None:
        return None
    held = row.held_minor or 0
    fee = fee_minor(held, row.basis_points, row.least_minor, row.most_minor)
    return Line(row.pk, row.seller_id, row.currency, row.escrow_id, held, fee)


def add(positions: Positions, lines: Iterable[Line]) -> None:
    """Count these lines in with their sellers' positions."""
    for line in lines:
        position = positions.setdefault((line.seller_id, line.currency), Position())
        position.trades += 1
        position.gross_minor += line.gross_minor
        position.fee_minor += line.fee_minor


def set_off(positions: Positions, owed: Mapping[Member, int]) -> None:
    """Set what each member owes the exchange, in minor units, against what it gets."""
    for key, position in positions.items():
        position.recovered_minor = min(owed.get(key, 0), position.net_minor)
