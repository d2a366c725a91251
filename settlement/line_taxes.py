"""What of a cleared trade's sums is tax: of what its seller keeps of the price, by its frozen rates, and of the fee."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings

from settlement import tax_rules
from settlement.models import TradeTax


class Cleared(NamedTuple):
    """One cleared trade, sums in minor units: what escrow held for the seller, and the fee of it."""

    trade_id: int
    seller_country: str
    cleared_at: dt.datetime
    gross_minor: int
    fee_minor: int


@dataclass(frozen=True)
class LineTaxes:
    """The taxes in a line; None where no rule fits, so that the parties see to them themselves."""

    price: tax_rules.Tax | None
    fee: tax_rules.Tax | None

    def on_paper(self) -> dict[str, Any]:
        """As the record of a statement holds them: `taxes` in the gross, `fee_vat_minor` in the fee; each if known."""
        said: dict[str, Any] = {}
        if self.price is not None:
            lines = self.price.lines
            said["taxes"] = [{"tax": f"{one.tax}_{one.how}", "amount_minor": one.amount_minor} for one in lines]
        if self.fee is not None:
            said["fee_vat_minor"] = self.fee.gross_minor - self.fee.net_minor
        return said


def of(cleared: Sequence[Cleared]) -> dict[int, LineTaxes]:
    """The taxes of these trades, by id. One statement."""
    rows = TradeTax.objects.filter(trade__any_of=[one.trade_id for one in cleared], is_known=True).order_by("revision")
    kept = {
        trade_id: tuple(tax_rules.Line(**line) for line in lines)
        for trade_id, lines in rows.values_list("trade_id", "lines")
    }
    return {one.trade_id: LineTaxes(_of_price(one, kept.get(one.trade_id)), _of_fee(one)) for one in cleared}


def _of_price(one: Cleared, lines: tuple[tax_rules.Line, ...] | None) -> tax_rules.Tax | None:
    return None if lines is None else tax_rules.again(tax_rules.Tax(0, lines, is_known=True), one.gross_minor)


def _of_fee(one: Cleared) -> tax_rules.Tax | None:
    tax = of_fee(one.seller_country, one.fee_minor, on=one.cleared_at.astimezone(ZoneInfo(settings.TIME_ZONE)).date())
    return tax if tax.is_known else None


def of_fee(country: str, fee_minor: int, *, on: dt.date) -> tax_rules.Tax:
    """The tax in a fee of the exchange, which is a service to the member of this country that bears it."""
    case = tax_rules.Case(settings.EXCHANGE_COUNTRY, country, tax_rules.SERVICE, settings.EXCHANGE_TAX_STATUS)
    return tax_rules.tax_of(fee_minor, case, on=on)


def totals(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The sums of what the lines of a statement's record say of tax, in the same form."""
    said: dict[str, Any] = {}
    if known := [line["taxes"] for line in lines if "taxes" in line]:
        taxes: Counter[str] = Counter()
        for one in chain.from_iterable(known):
            taxes[one["tax"]] += one["amount_minor"]
        said["taxes"] = [{"tax": tax, "amount_minor": minor} for tax, minor in sorted(taxes.items())]
    if fee_vat := [line["fee_vat_minor"] for line in lines if "fee_vat_minor" in line]:
        said["fee_vat_minor"] = sum(fee_vat)
    return said
