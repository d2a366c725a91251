"""Instalments of a trade: its price in parts that come to escrow one after the other, before anything is delivered.

The buyer's fee is paid with the first, so that the parts of the price are those of the contract.

The next one is asked for as soon as the one before is paid, so a buyer may pay ahead. The trade waits for one at a
time: `Trade.fund_until` is when that one is due, and what is not paid by then ends the trade.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from listings import payment_plans
from listings.models import Offer
from marketplace import clock, journal
from marketplace.money import Money
from settlement import deadlines
from settlement.models import Instalment, Trade
from settlement.states import TradeState


def freeze(trade: Trade) -> None:
    """Keep the parts of the new trade's price as its offer says; nothing where it is paid at once."""
    plan = trade.offer.instalments
    if not plan:
        return
    amounts = with_fee(payment_plans.amounts(trade.price_minor, plan), trade.buyer_fee_minor)
    Instalment.objects.bulk_create(
        Instalment(trade=trade, number=number, amount_minor=minor, due_days=part["due_days"])
        for number, (minor, part) in enumerate(zip(amounts, plan, strict=True), 1)
    )


def with_fee(amounts: Sequence[int], buyer_fee_minor: int) -> list[int]:
    """What is paid with each instalment, in minor units: its part of the price, and with the first the buyer's fee."""
    return [amounts[0] + buyer_fee_minor, *amounts[1:]]


def planned(price_minor: int, buyer_fee_minor: int, currency: str, offer: Offer) -> list[dict[str, Any]]:
    """`payment_plans.shown` of this price with the buyer's fee, before anybody is bound."""
    rows = payment_plans.shown(price_minor, currency, offer.instalments)
    for row in rows[:1]:
        row["amount"] += Money(buyer_fee_minor, currency)
        row["has_fee"] = bool(buyer_fee_minor)
    return rows


def unpaid(trades: Iterable[Trade]) -> dict[int, list[Instalment]]:
    """What is not paid yet, in order, of those of these trades that are paid in instalments; by the trade's id.

    One statement, and none where no trade is.
    """
    known = {trade.pk: trade for trade in trades if trade.offer.instalments}
    found: dict[int, list[Instalment]] = {pk: [] for pk in known}
    if known:
        for row in Instalment.objects.filter(trade__in=known, paid_at=None).order_by("trade", "number"):
            row.trade = known[row.trade_id]
            found[row.trade_id].append(row)
    return found


def asked(trades: Iterable[Trade]) -> dict[int, tuple[int, int]]:
    """Which instalment is asked of each of these trades next and how much it is, in minor units, by the trade's id.

    Of a trade that is paid at once it is the first, of its total.
    """
    trades = list(trades)
    rows = unpaid(trades)
    return {
        trade.pk: (rows[trade.pk][0].number, rows[trade.pk][0].amount_minor)
        if rows.get(trade.pk)
        else (1, trade.total_minor)
        for trade in trades
    }


def due_at(registered_at: dt.datetime, offer: Offer, due_days: int) -> dt.datetime:
    """When an instalment of so many days is due, holds left aside: never before the usual time for payment is over."""
    return max(registered_at + dt.timedelta(days=due_days), deadlines.fund_until(registered_at, offer))


def fund_until_next(paid: Instalment, following: Instalment) -> dt.datetime:
    """Until when their trade waits for the one once the other, for which it waited, is paid: as much later as the two
    lie apart, so that the days a bank contested one of them stay added."""
    trade = paid.trade
    assert trade.registered_at is not None and trade.fund_until is not None  # noqa: S101 - it was registered and asked
    ends = [due_at(trade.registered_at, trade.offer, row.due_days) for row in (paid, following)]
    return trade.fund_until + (ends[1] - ends[0])


def due(trade: Trade, rows: Sequence[Instalment]) -> dict[int, dt.datetime]:
    """When the trade's instalments `rows`, in order, are due, by their numbers; of a trade that is not registered none.

    The one it waits for is due when its deadline is over, the days of holds and of contested payments included; those
    after it are due as much later as they lie apart.
    """
    if trade.registered_at is None:
        return {}
    found = {row.number: due_at(trade.registered_at, trade.offer, row.due_days) for row in rows}
    left = [row.number for row in rows if row.paid_at is None]
    until = deadlines.of(trade) if trade.state == TradeState.REGISTERED else trade.fund_until
    if left and until is not None:
        moved = until - found[left[0]]
        found |= {number: found[number] + moved for number in left}
    return found


def shown(trade: Trade) -> list[dict[str, Any]]:
    """The trade's instalments for its page, the first that is not paid named `next`; nothing where there are none."""
    if not trade.offer.instalments:
        return []
    rows = list(trade.instalments.order_by("number"))
    following, due_on = next((row.number for row in rows if row.paid_at is None), 0), due(trade, rows)
    return [
        {
            "number": row.number,
            "percent": payment_plans.percent(part["basis_points"]),
            "has_fee": row.number == 1 and bool(trade.buyer_fee_minor),
            "amount": Money(row.amount_minor, trade.currency),
            "due_days": row.due_days,
            "due_at": due_on.get(row.number),
            "paid_at": row.paid_at,
            "is_next": row.number == following and trade.state == TradeState.REGISTERED,
        }
        for row, part in zip(rows, trade.offer.instalments, strict=True)
    ]


def covered(rows: Sequence[Instalment], minor: int) -> list[Instalment]:
    """The next instalments that so much money pays whole."""
    found = []
    for row in rows:
        if row.amount_minor > minor:
            break
        minor -= row.amount_minor
        found.append(row)
    return found


def record_paid(rows: Sequence[Instalment]) -> None:
    """These instalments are in escrow; called with their trades locked."""
    Instalment.objects.filter(pk__in=[row.pk for row in rows]).update(paid_at=clock.now())
    journal.record_many(
        (
            ("trade.instalment_paid", row.trade, {"number": row.number, "amount_minor": row.amount_minor})
            for row in rows
        ),
        by=None,
    )
