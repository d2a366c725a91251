"""What members' webhooks are told of trades, accesses, refunds and payouts: ids, states and where to read more."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketplace import webhook_kinds
from marketplace.models import Event
from marketplace.webhook_kinds import Told
from settlement import licensee_notices
from settlement.models import Grant, LicenseeNotice, Payout, Refund, Renewal, Trade
from settlement.states import TradeState

TRADES: dict[str, Promise] = {
    "trade.proposed": _("A buyer proposed a trade"),
    "trade.agreed": _("Both parties are bound"),
    "trade.declined": _("The seller declined"),
    "trade.cancelled": _("The buyer cancelled before paying"),
    "trade.expired": _("A deadline passed before the payment"),
    "trade.registered": _("The trade is registered; its price is due"),
    "trade.instalment_paid": _("An instalment of the price is in escrow"),
    "trade.funded": _("The price is in escrow; access is due"),
    "trade.delivered": _("Access is open; the inspection begins"),
    "trade.accepted": _("The delivery is accepted"),
    "trade.disputed": _("The buyer objects to the delivery"),
    "trade.refunded": _("The trade ended and the price goes back"),
    "trade.cleared": _("The trade is cleared"),
    "trade.settled": _("The seller is paid; the trade is over"),
}
GRANTS: dict[str, Promise] = {
    "grant.suspended": _("An access is suspended"),
    "grant.resumed": _("An access goes on"),
    "grant.ending": _("An access ends soon"),
    "grant.closed": _("An access is closed"),
}
RENEWALS: dict[str, Promise] = {"renewal.stopped": _("A licence is not renewed any more")}
PAYOUTS: dict[str, Promise] = {
    "payout.due": _("A payout is due"),
    "payout.sent": _("A payout is on its way"),
    "payout.paid": _("A payout arrived"),
    "payout.bounced": _("A payout came back"),
}
REFUNDS: dict[str, Promise] = {
    "refund.due": _("A refund is due"),
    "refund.sent": _("A refund is on its way"),
    "refund.paid": _("A refund arrived"),
    "refund.bounced": _("A refund came back"),
}
NOTICES: dict[str, Promise] = {"licensee_notice.given": _("A seller tells its licensees something")}


def register() -> None:
    """Make the kinds known; called once, when Django has loaded the app."""
    webhook_kinds.register(TRADES, _of_trade)
    webhook_kinds.register(GRANTS, _of_grant)
    webhook_kinds.register(RENEWALS, _of_renewal)
    webhook_kinds.register(PAYOUTS, _of_payout)
    webhook_kinds.register(REFUNDS, _of_refund)
    webhook_kinds.register(NOTICES, _of_notice)


def _url(name: str, *arguments: Any) -> str:
    return str(settings.BASE_URL) + reverse(name, args=arguments)


def _state(event: Event) -> str:
    return event.kind.partition(".")[2]


def _about(trade: Trade) -> dict[str, Any]:
    return {
        "trade": trade.public_id,
        "product": trade.listing.public_id,
        "url": _url("api_trade", trade.public_id),
    }


def _of_trade(event: Event) -> Told:
    """Both parties, each told which one it is."""
    trade = Trade.objects.select_related("listing").get(pk=event.subject_id)
    state = TradeState.REGISTERED.value if event.kind == "trade.instalment_paid" else _state(event)
    for role, party in (("seller", trade.seller_id), ("buyer", trade.buyer_id)):
        yield party, {**_about(trade), "state": state, "role": role}


def _of_grant(event: Event) -> Told:
    """The buyer, whose access it is."""
    grant = Grant.objects.select_related("trade__listing").get(pk=event.subject_id)
    yield grant.trade.buyer_id, {**_about(grant.trade), "access": _state(event)}


def _of_renewal(event: Event) -> Told:
    """The buyer, whose standing order it was; why is said where the exchange stopped it."""
    order = Renewal.objects.select_related("trade__listing").get(pk=event.subject_id)
    because = str((event.facts or {}).get("because", ""))
    yield order.trade.buyer_id, {**_about(order.trade), "renewal": _state(event), "because": because}


def _of_payout(event: Event) -> Told:
    """The member that is paid, with the trade it is paid for where the payout is of one; it may be another's trade."""
    payout = Payout.objects.select_related("cycle", "trade").get(pk=event.subject_id)
    data = {"payout": payout.pk, "cycle": payout.cycle.number, "state": _state(event), "url": _url("api_payouts")}
    yield payout.organisation_id, data | ({"trade": payout.trade.public_id} if payout.trade else {})


def _of_refund(event: Event) -> Told:
    """The buyer of the trade it belongs to; money of a payer the exchange does not know concerns no member."""
    refund = Refund.objects.select_related("trade__listing").get(pk=event.subject_id)
    if refund.trade is not None:
        yield refund.trade.buyer_id, {**_about(refund.trade), "refund": refund.pk, "state": _state(event)}


def _of_notice(event: Event) -> Told:
    """The licensees who were told; what it says is read at the product."""
    notice = LicenseeNotice.objects.select_related("listing").get(pk=event.subject_id)
    product = notice.listing.public_id
    data = {"product": product, "notice": notice.pk, "about": notice.kind, "from": notice.effective_on.isoformat()}
    buyers = licensee_notices.told(notice).values_list("trade__buyer", flat=True)
    for buyer in buyers.distinct().order_by("trade__buyer"):
        yield buyer, {**data, "url": _url("api_listing", product)}
