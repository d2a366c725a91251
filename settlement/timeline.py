"""What both sides see of a trade: what happened, and what the reader may do."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace import journal, roles
from marketplace.models import Organisation, User
from settlement import billing, renewals
from settlement.models import Trade
from settlement.states import PaymentState, TradeState

HAPPENED = {
    "trade.proposed": gettext_lazy("The buyer proposed the trade."),
    "trade.agreed": gettext_lazy("Both parties are bound."),
    "trade.declined": gettext_lazy("The seller declined."),
    "trade.cancelled": gettext_lazy("The buyer cancelled."),
    "trade.expired": gettext_lazy("The time ran out."),
    "trade.excused": gettext_lazy("The exchange excused that it was not paid."),
    "trade.reminded": gettext_lazy("The exchange reminded whom it waited for."),
    "trade.registered": gettext_lazy("The exchange registered the trade."),
    "trade.instalment_paid": gettext_lazy("An instalment was paid into escrow."),
    "trade.funded": gettext_lazy("The money is held by the exchange’s gateway."),
    "trade.delivered": gettext_lazy("The data was delivered."),
    "trade.accepted": gettext_lazy("The delivery was accepted."),
    "trade.disputed": gettext_lazy("The buyer objected."),
    "trade.cleared": gettext_lazy("The trade was cleared."),
    "trade.settled": gettext_lazy("The trade is settled."),
    "trade.tax_decided": gettext_lazy("The exchange decided which tax the price includes."),
    "trade.metering_ended": gettext_lazy("A party ended the access; the calls that are open are billed."),
    "trade.refunded": gettext_lazy("The trade ended with a refund."),
}

BUYERS_ACTS = {
    "cancel": (TradeState.PROPOSED, TradeState.AGREED, TradeState.REGISTERED),
    "accept": (TradeState.DELIVERED,),
    "dispute": (TradeState.DELIVERED,),
}
SELLERS_ACTS = {"agree": (TradeState.PROPOSED,), "decline": (TradeState.PROPOSED,)}
MAY = {"ask_bill": "pay", "end_metering": "propose"}
LABELS = {
    "agree": gettext_lazy("Agree"),
    "decline": gettext_lazy("Decline"),
    "cancel": gettext_lazy("Cancel"),
    "pay": gettext_lazy("Pay"),
    "pay_again": gettext_lazy("Start another payment"),
    "download": gettext_lazy("Download"),
    "accept": gettext_lazy("Accept delivery"),
    "dispute": gettext_lazy("Object"),
    "answer": gettext_lazy("Answer the objection"),
    "keep_renewed": gettext_lazy("Renew automatically"),
    "stop_renewing": gettext_lazy("Stop renewing"),
    "convert": gettext_lazy("Go on with the paid plan at its end"),
    "ask_bill": gettext_lazy("Bill the open calls now"),
    "end_metering": gettext_lazy("End the access"),
    "give_notice": gettext_lazy("End the access with notice"),
    "stop_converting": gettext_lazy("Let the trial end"),
}


@dataclass(frozen=True)
class Step:
    """One thing that happened; `position` is its place in the journal once it is sealed."""

    kind: str
    text: str
    at: dt.datetime
    position: int | None


@dataclass(frozen=True)
class Act:
    name: str
    label: str


# The same of a bill of calls.
OF_A_BILL = {
    "trade.proposed": gettext_lazy("The calls were billed."),
    "trade.agreed": gettext_lazy("Both parties agreed with the order it bills."),
    "trade.delivered": gettext_lazy("The usage statement was delivered."),
}


def steps(trade: Trade) -> list[Step]:
    """The trade's own events, oldest first."""
    words = HAPPENED | (OF_A_BILL if trade.bills_id else {})
    return [
        Step(
            event.kind,
            _("The free trade needs no money.")
            if event.kind == "trade.funded" and trade.price_minor == 0
            else str(words.get(event.kind, event.kind)),
            event.at,
            event.seal.position if hasattr(event, "seal") else None,
        )
        for event in journal.of(trade).order_by("pk")
    ]


def possible_acts(trade: Trade, organisation: Organisation | None, by: User) -> list[Act]:
    """What this person may do for this organisation with the trade as it is now."""
    if organisation is None:
        return []
    names: list[str] = []
    if organisation.pk == trade.buyer_id:
        names += [
            name
            for name, states in BUYERS_ACTS.items()
            if trade.state in states and roles.may(by, organisation, name) and not (trade.bills_id and name == "cancel")
        ]
        if trade.state == TradeState.REGISTERED and roles.may(by, organisation, "pay"):
            names.append(_pay_act(trade))
        is_open = trade.delivered_at and trade.state != TradeState.REFUNDED
        if is_open and trade.bills_id is None and roles.may(by, organisation, "download"):
            names.append("download")
        offered = billing.possible_acts(trade, is_buyer=True)
        names += [name for name in offered if roles.may(by, organisation, MAY[name])]
        if trade.delivered_at and trade.state != TradeState.REFUNDED and roles.may(by, organisation, "propose"):
            names += renewals.possible_acts(trade)
    if organisation.pk == trade.seller_id:
        names += [
            name for name, states in SELLERS_ACTS.items() if trade.state in states and roles.may(by, organisation, name)
        ]
        if trade.state == TradeState.DISPUTED and roles.may(by, organisation, "dispute"):
            names.append("answer")
        if roles.may(by, organisation, "agree"):
            names += billing.possible_acts(trade, is_buyer=False)
    return [Act(name, str(LABELS[name])) for name in names if name]


def _pay_act(trade: Trade) -> str:
    payment = trade.payments.order_by("-pk").first()
    if payment is None or payment.state in (PaymentState.FAILED, PaymentState.STOPPED):
        return "pay_again"
    return "pay" if payment.pay_at_url else ""
