"""Who is told of a trade's steps: the party that has to act next, or that waited for it. Followed in the journal.

What was overtaken meanwhile (a proposal the seller has answered) asks nobody for anything any more.
"""

from __future__ import annotations

from typing import Any

from compliance import hold_notices
from compliance.models import Hold
from listings import pricing
from marketplace import notifications, telling
from marketplace.models import Event
from marketplace.money import Money
from settlement import deadlines, extensions, fees, instalments, renewals
from settlement.models import Dispute, Grant, Payment, Trade
from settlement.states import TradeState


def register() -> None:
    """Follow the trades; called once, when Django has loaded the app."""
    telling.register(
        {
            "trade.proposed": _proposed,
            "trade.agreed": _agreed,
            "trade.declined": _declined,
            "trade.cancelled": _cancelled,
            "trade.expired": _expired,
            "trade.reminded": _reminded,
            "trade.registered": _registered,
            "trade.instalment_paid": _instalment_paid,
            "trade.funded": _funded,
            "trade.delivered": _delivered,
            "trade.accepted": _accepted,
            "trade.disputed": _disputed,
            "trade.refunded": _refunded,
            "trade.cleared": _cleared,
            "dispute.answered": _answered,
            "payment.failed": _payment_failed,
            "grant.ending": _ending,
            "grant.closed": _closed,
            "grant.end_moved": _end_moved,
            "renewal.stopped": _not_renewed,
            "hold.placed": _held,
            "hold.lifted": _held,
        }
    )


PARTS = ("version", "buyer", "seller", "offer__converts_to", "listing", "renewal")


def trade_of(event: Event) -> Trade:
    """The trade an event is about."""
    return Trade.objects.select_related(*PARTS).get(pk=event.subject_id)


def about(trade: Trade) -> dict[str, Any]:
    """What every notification of a trade may name."""
    return {"title": trade.version.titles, "buyer": trade.buyer, "seller": trade.seller, "price": trade.price}


def _tell(kind: str, trade: Trade, organisation: int, event: Event, **facts: Any) -> None:
    notifications.tell(
        kind,
        organisation=organisation,
        path=trade.get_absolute_url(),
        facts=about(trade) | facts,
        by=event.by,
    )


def _proposed(event: Event) -> None:
    trade = trade_of(event)
    if trade.state == TradeState.PROPOSED and trade.bills_id is None:
        _tell("trade.proposed", trade, trade.seller_id, event, until=trade.agree_until)


def _agreed(event: Event) -> None:
    """A buyer who took an open offer is the one who agreed; else the seller answered."""
    trade = trade_of(event)
    if trade.bills_id is not None:
        return  # both agreed with the order it bills; the buyer is told once it is registered and to be paid
    if event.by_id == trade.proposed_by_id:
        _tell("trade.bought", trade, trade.seller_id, event)
    else:
        _tell("trade.agreed", trade, trade.buyer_id, event)


def _declined(event: Event) -> None:
    trade = trade_of(event)
    _tell("trade.declined", trade, trade.buyer_id, event, quote=trade.end_reason)


def _cancelled(event: Event) -> None:
    trade = trade_of(event)
    _tell("trade.cancelled", trade, trade.seller_id, event, quote=trade.end_reason)


def _expired(event: Event) -> None:
    trade = trade_of(event)
    for party in (trade.buyer_id, trade.seller_id):
        _tell("trade.expired", trade, party, event)


def _reminded(event: Event) -> None:
    trade, wait = trade_of(event), str((event.facts or {})["wait"])
    if trade.state == wait:  # else it was done meanwhile
        kind, party = {
            TradeState.PROPOSED.value: ("trade.answer_soon", trade.seller_id),
            TradeState.REGISTERED.value: ("trade.pay_soon", trade.buyer_id),
            TradeState.DELIVERED.value: ("trade.inspect_soon", trade.buyer_id),
        }[wait]
        facts = _asked(trade) if wait == TradeState.REGISTERED else {"until": deadlines.of(trade) or ""}
        _tell(kind, trade, party, event, **facts)


def _registered(event: Event) -> None:
    trade = trade_of(event)
    if trade.state == TradeState.REGISTERED and trade.price_minor:
        facts = _asked(trade) | {"number": trade.register_number or ""}
        _tell("trade.to_pay", trade, trade.buyer_id, event, **facts)


def _asked(trade: Trade) -> dict[str, Any]:
    """What its buyer pays next and until when: the whole with its fee, or an instalment."""
    _number, minor = instalments.asked([trade])[trade.pk]
    return {"price": Money(minor, trade.currency), "until": deadlines.of(trade) or ""}


def _instalment_paid(event: Event) -> None:
    """While others are due; that the last one came is told as the payment of the whole."""
    trade, facts = trade_of(event), event.facts or {}
    if trade.state == TradeState.REGISTERED:
        paid = Money(int(facts["amount_minor"]), trade.currency)
        _tell("trade.pay_next", trade, trade.buyer_id, event, paid=paid, **_asked(trade))


def _funded(event: Event) -> None:
    trade = trade_of(event)
    if trade.price_minor:
        _tell("trade.funded", trade, trade.seller_id, event)


def _delivered(event: Event) -> None:
    trade = trade_of(event)
    until = deadlines.inspection_of(trade)
    if trade.state == TradeState.DELIVERED and until is not None:
        _tell("trade.delivered", trade, trade.buyer_id, event, until=until)


def _accepted(event: Event) -> None:
    """By the buyer, by silence, or by the exchange's decision of a dispute."""
    trade = trade_of(event)
    if dispute := _decided(trade, event):
        _tell_decision(trade, dispute, event)
    else:
        _tell("trade.accepted", trade, trade.seller_id, event)


def _disputed(event: Event) -> None:
    trade = trade_of(event)
    _tell("trade.disputed", trade, trade.seller_id, event, quote=Dispute.objects.get(trade=trade).reason)


def _answered(event: Event) -> None:
    dispute = Dispute.objects.get(pk=event.subject_id)
    trade = Trade.objects.select_related(*PARTS).get(pk=dispute.trade_id)
    _tell("dispute.answered", trade, trade.buyer_id, event, quote=dispute.answer)


def _refunded(event: Event) -> None:
    trade = trade_of(event)
    if dispute := _decided(trade, event):
        _tell_decision(trade, dispute, event)
        return
    for party in (trade.buyer_id, trade.seller_id):
        _tell("trade.refunded", trade, party, event)


def _decided(trade: Trade, event: Event) -> Dispute | None:
    """The dispute that one of the staff decided by this step."""
    return Dispute.objects.filter(trade=trade, resolved_at__isnull=False).first() if event.by_id else None


def _tell_decision(trade: Trade, dispute: Dispute, event: Event) -> None:
    award = Money(int((event.facts or {}).get("refund_minor") or 0), trade.currency)
    for party in (trade.buyer_id, trade.seller_id):
        _tell("dispute.decided", trade, party, event, award=award, quote=dispute.resolution)


def _cleared(event: Event) -> None:
    trade, facts = trade_of(event), event.facts or {}
    if "net_minor" in facts:
        net = Money(int(facts["net_minor"]), trade.currency)
        _tell("trade.cleared", trade, trade.seller_id, event, cycle=str(facts.get("cycle", "")), net=net)


def _payment_failed(event: Event) -> None:
    payment = Payment.objects.get(pk=event.subject_id)
    trade = Trade.objects.select_related(*PARTS).get(pk=payment.trade_id)
    if trade.state == TradeState.REGISTERED:
        _tell("payment.failed", trade, trade.buyer_id, event, until=deadlines.of(trade) or "")


def _ending(event: Event) -> None:
    grant = _grant_of(event)
    if grant.ends_at is not None and grant.closed_at is None:
        trade, on = grant.trade, renewals.renews_on(grant)
        offer = extensions.extending(trade.offer)
        price = pricing.priced(offer, trade.quantity, pricing.discount_of(offer)).price
        schedule = fees.schedule_for(trade.listing, offer.currency)
        now = price + Money(schedule.buyer_fee_minor(price.minor, offer.currency), offer.currency)
        facts: dict[str, Any] = {"until": grant.ends_at, "on": on or ""}
        if trade.is_trial:
            kind = "trial.ending" if on is None else "trial.converting"
            facts |= {"price": now}
        else:
            kind = "grant.ending" if on is None else "grant.renewing"
            facts |= {"price": now if on else trade.total}
        _tell(kind, trade, trade.buyer_id, event, **facts)


def _not_renewed(event: Event) -> None:
    """By the exchange, because the renewal was refused; who stopped it knows."""
    facts = event.facts or {}
    if facts["because"]:
        trade = Trade.objects.select_related(*PARTS).get(pk=facts["trade"])
        kind = "trial.stopped" if trade.is_trial else "renewal.stopped"
        _tell("renewal.upgraded" if facts["because"] == "upgraded" else kind, trade, trade.buyer_id, event)


def _closed(event: Event) -> None:
    """Of a licence whose term is over; an access that its trade ended is told of with the trade."""
    grant = _grant_of(event)
    if grant.ends_at is not None and grant.ends_at <= event.at and not grant.is_close_due:
        _tell("grant.ended", grant.trade, grant.trade.buyer_id, event)


def _end_moved(event: Event) -> None:
    grant = _grant_of(event)
    _tell("grant.end_moved", grant.trade, grant.trade.buyer_id, event, until=grant.ends_at)


def _grant_of(event: Event) -> Grant:
    return Grant.objects.select_related(*(f"trade__{part}" for part in PARTS)).get(pk=event.subject_id)


def _held(event: Event) -> None:
    """Both sides of a trade a hold was placed on, or lifted from."""
    facts = event.facts or {}
    if facts["subject_kind"] == Hold.Subject.TRADE:
        trade = Trade.objects.select_related(*PARTS).get(pk=facts["subject_id"])
        for side in (trade.buyer_id, trade.seller_id):
            code = f"trade.{hold_notices.ACTS[event.kind]}"
            _tell(code, trade, side, event, **hold_notices.sentence(event))
