"""Until when a trade waits. While a compliance hold lies on it, its payment and inspection deadlines stand still."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.conf import settings

from compliance import holds
from listings.models import Offer
from marketplace import clock
from settlement.models import Trade
from settlement.states import TradeState


def agree_until(proposed_at: dt.datetime) -> dt.datetime:
    return proposed_at + dt.timedelta(days=settings.AGREE_WITHIN_DAYS)


def days_to_fund(offer: Offer) -> int:
    """How long the buyer has to pay: less where licences are few, for an unpaid one keeps others from buying."""
    return settings.FUND_WITHIN_DAYS if offer.licences_total is None else settings.FUND_LIMITED_WITHIN_DAYS


def fund_until(registered_at: dt.datetime, offer: Offer) -> dt.datetime:
    return registered_at + dt.timedelta(days=days_to_fund(offer))


def register_until(agreed_at: dt.datetime) -> dt.datetime:
    """Until when the exchange enters an agreed trade into its register."""
    return agreed_at + dt.timedelta(days=settings.FUND_WITHIN_DAYS)


def deliver_until(funded_at: dt.datetime) -> dt.datetime:
    """By when the exchange promises to open the access of a paid trade; nothing lapses when that passes."""
    return funded_at + dt.timedelta(hours=settings.DELIVER_WITHIN_HOURS)


def of(trade: Trade) -> dt.datetime | None:
    """When the present wait ends, holds included; None where nothing is waited for."""
    until = _without_holds(trade)
    since = {
        TradeState.AGREED: trade.agreed_at,
        TradeState.REGISTERED: trade.registered_at,
        TradeState.FUNDED: trade.funded_at,
        TradeState.DELIVERED: trade.delivered_at,
    }.get(TradeState(trade.state))
    return until if until is None or since is None else _stretched(trade, since, until)


def inspection_of(trade: Trade) -> dt.datetime | None:
    """When the inspection of a delivered trade ends or ended, holds included."""
    if trade.delivered_at is None or trade.inspect_until is None:
        return None
    return _stretched(trade, trade.delivered_at, trade.inspect_until)


def of_many(trades: Iterable[Trade]) -> dict[int, dt.datetime | None]:
    """`of` for a page of trades, by id: two statements, and more only for those on which a hold ever lay."""
    trades = list(trades)
    ever_held = holds.ever_held_trade_ids(trades)
    return {trade.pk: of(trade) if trade.pk in ever_held else _without_holds(trade) for trade in trades}


def _without_holds(trade: Trade) -> dt.datetime | None:
    """When the present wait ends if nothing ever held it."""
    if trade.state == TradeState.PROPOSED:
        return trade.agree_until
    if trade.state == TradeState.AGREED and trade.agreed_at:
        return register_until(trade.agreed_at)
    if trade.state == TradeState.REGISTERED:
        return trade.fund_until
    if trade.state == TradeState.FUNDED and trade.funded_at:
        return deliver_until(trade.funded_at)
    if trade.state == TradeState.DELIVERED:
        return trade.inspect_until
    return None


def _stretched(trade: Trade, since: dt.datetime, until: dt.datetime) -> dt.datetime:
    """`until`, moved on by the time the trade was held, holds during the added time included."""
    subjects = [
        ("trade", trade.pk),
        ("listing", trade.listing_id),
        ("organisation", trade.buyer_id),
        ("organisation", trade.seller_id),
    ]
    now = clock.now()  # one moment for all rounds: an open hold grows while one looks
    end = until
    while True:
        moved = until + holds.held_time(subjects, since=since, until=min(end, now))
        if moved <= end:
            return moved
        end = moved
