"""Until when a trade waits. While a compliance hold lies on it, its payment and inspection deadlines stand still."""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from compliance import holds
from settlement.models import Trade
from settlement.states import TradeState


def agree_until(proposed_at: dt.datetime) -> dt.datetime:
    return proposed_at + dt.timedelta(days=settings.AGREE_WITHIN_DAYS)


def fund_until(registered_at: dt.datetime) -> dt.datetime:
    return registered_at + dt.timedelta(days=settings.FUND_WITHIN_DAYS)


def of(trade: Trade) -> dt.datetime | None:
    """When the present wait ends, holds included; None where nothing is waited for."""
    if trade.state == TradeState.PROPOSED:
        return trade.agree_until
    if trade.state == TradeState.AGREED and trade.agreed_at:
        return _stretched(trade, trade.agreed_at, fund_until(trade.agreed_at))
    if trade.state == TradeState.REGISTERED and trade.registered_at and trade.fund_until:
        return _stretched(trade, trade.registered_at, trade.fund_until)
    if trade.state == TradeState.DELIVERED and trade.delivered_at and trade.inspect_until:
        return _stretched(trade, trade.delivered_at, trade.inspect_until)
    return None


def _stretched(trade: Trade, since: dt.datetime, until: dt.datetime) -> dt.datetime:
    """`until`, moved on by the time the trade was held, holds during the added time included."""
    subjects = [
        ("trade", trade.pk),
        ("listing", trade.listing_id),
        ("organisation", trade.buyer_id),
        ("organisation", trade.seller_id),
    ]
    end = until
    while True:
        moved = until + holds.held_time(subjects, since=since, until=end)
        if moved <= end:
            return moved
        end = moved
