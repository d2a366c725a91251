"""What the law takes of a price, as dated data with its sources, and what that comes to: exact sums, no database.

Prices include tax. Value-added tax is the part `rate / (100 % + rate)` of a price, rounded half up to the minor unit,
and the net is the rest; income tax is a share of that net, rounded the same. A tax is *charged* by the seller, who
pays it to its authority, or *withheld* by the buyer, who pays it to its own.

A published file never changes: a correction is a new file and a new CURRENT_VERSION. Where no rule fits, nothing is
known, and the parties see to the tax themselves.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from marketplace.money import BASIS_POINTS_OF_THE_WHOLE, share

CURRENT_VERSION = "2026-11"
VAT, INCOME = "vat", "income"
CHARGED, WITHHELD = "charged", "withheld"
LICENCE, SERVICE = "licence", "service"
_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """What a rule is chosen by: both seats (ISO 3166), what is supplied, and what taxpayer the seller says it is."""

    seller_country: str
    buyer_country: str
    supply: str
    seller_status: str = ""


@dataclass(frozen=True)
class Rule:
    """One tax of some cases from one day to another, both included. `seller` and `buyer` are `CN` or `not CN`."""

    code: str
    tax: str
    how: str
    seller: str
    buyer: str
    supplies: Sequence[str]
    seller_statuses: Sequence[str]
    basis_points: int
    valid_from: str
    valid_until: str | None
    source: Mapping[str, str]

    def fits(self, case: Case, on: dt.date) -> bool:
        """Whether it counts for the case on this day."""
        return (
            _is_at(self.seller, case.seller_country)
            and _is_at(self.buyer, case.buyer_country)
            and case.supply in self.supplies
            and (not self.seller_statuses or case.seller_status in self.seller_statuses)
            and self.valid_from <= on.isoformat()
            and (self.valid_until is None or on.isoformat() <= self.valid_until)
        )


def _is_at(place: str, country: str) -> bool:
    return country != place.removeprefix("not ") if place.startswith("not ") else country == place


@dataclass(frozen=True)
class Line:
    """One tax of a price, in minor units, and by what: a rule with its source, or neither where the desk wrote it."""

    tax: str
    how: str
    basis_points: int
    amount_minor: int
    rule: str = ""
    source: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "source": dict(self.source)}


@dataclass(frozen=True)
class Tax:
    """A price and the taxes in it, in minor units. `is_known` is whether any rule fits."""

    gross_minor: int
    lines: tuple[Line, ...]
    is_known: bool
    rulebook: str = ""

    @property
    def net_minor(self) -> int:
        """The price without value-added tax."""
        return self.gross_minor - sum(line.amount_minor for line in self.lines if line.tax == VAT)

    @property
    def withheld_minor(self) -> int:
        """What the buyer pays to its authority."""
        return sum(line.amount_minor for line in self.lines if line.how == WITHHELD)

    @property
    def remains_minor(self) -> int:
        """What remains for the seller once the buyer has withheld what the law says."""
        return self.gross_minor - self.withheld_minor


@functools.cache
def every_rule(version: str = CURRENT_VERSION) -> tuple[Rule, ...]:
    """The rules of a version. Raises FileNotFoundError for one there never was."""
    told = json.loads((_FOLDER / f"{version}.json").read_text(encoding="utf-8"))
    return tuple(Rule(**rule) for rule in told["rules"])


@functools.lru_cache(maxsize=1000)
def _fitting(case: Case, on: dt.date, version: str) -> tuple[Rule, ...]:
    """The rules in force for a case on a day: the same for every line of a statement."""
    return tuple(rule for rule in every_rule(version) if rule.fits(case, on))


def tax_of(gross_minor: int, case: Case, *, on: dt.date, version: str = CURRENT_VERSION) -> Tax:
    """The taxes in a price by the rules in force on a day."""
    fitting = _fitting(case, on, version)
    net_minor = gross_minor - sum(vat_in(gross_minor, rule.basis_points) for rule in fitting if rule.tax == VAT)
    lines = tuple(
        Line(
            rule.tax,
            rule.how,
            rule.basis_points,
            _amount(rule.tax, gross_minor, net_minor, rule.basis_points),
            rule.code,
            rule.source,
        )
        for rule in fitting
    )
    return Tax(gross_minor, lines, is_known=bool(fitting), rulebook=version)


def written(gross_minor: int, *, vat: int, vat_how: str, income: int) -> Tax:
    """The taxes in a price at rates somebody decided on, in basis points; a rate of nothing leaves no line."""
    net_minor = gross_minor - vat_in(gross_minor, vat)
    rates = [(VAT, vat_how, vat), (INCOME, WITHHELD, income)]
    lines = tuple(Line(tax, how, rate, _amount(tax, gross_minor, net_minor, rate)) for tax, how, rate in rates if rate)
    return Tax(gross_minor, lines, is_known=True)


def again(tax: Tax, gross_minor: int) -> Tax:
    """The same taxes at the same rates in another sum, such as what the seller keeps of a price."""
    net_minor = gross_minor - sum(vat_in(gross_minor, line.basis_points) for line in tax.lines if line.tax == VAT)
    lines = tuple(
        replace(line, amount_minor=_amount(line.tax, gross_minor, net_minor, line.basis_points)) for line in tax.lines
    )
    return replace(tax, gross_minor=gross_minor, lines=lines)


def part_of(tax: Tax, before_minor: int, gross_minor: int) -> Tax:
    """The next part of a sum with its taxes, after parts of `before_minor` together: all parts sum to the whole."""
    so_far, then = again(tax, before_minor), again(tax, before_minor + gross_minor)
    lines = tuple(
        replace(line, amount_minor=line.amount_minor - taken.amount_minor)
        for line, taken in zip(then.lines, so_far.lines, strict=True)
    )
    return replace(then, gross_minor=gross_minor, lines=lines)


def vat_in(gross_minor: int, basis_points: int) -> int:
    """The value-added tax that a price includes, half a unit rounded up."""
    whole = BASIS_POINTS_OF_THE_WHOLE + basis_points
    return (2 * gross_minor * basis_points + whole) // (2 * whole)


def _amount(tax: str, gross_minor: int, net_minor: int, basis_points: int) -> int:
    return vat_in(gross_minor, basis_points) if tax == VAT else share(net_minor, basis_points)
