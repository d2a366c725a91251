"""Stripe's own books of a day: its balance transactions, with what it keeps for itself apart.

What a contest took out of the balance is told of when it is decided: until then the money is neither's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from marketplace import clock
from settlement.gateways import Movement
from settlement.gateways.stripe_amounts import from_stripe
from settlement.gateways.stripe_facts import key_of, key_of_intent
from settlement.gateways.stripe_line import asking, listed, services
from settlement.states import MovementKind

_KINDS = {
    "charge": MovementKind.PAYMENT,
    "payment": MovementKind.PAYMENT,
    "refund": MovementKind.REFUND,
    "payment_refund": MovementKind.REFUND,
    "transfer": MovementKind.PAYOUT,
    "refund_failure": MovementKind.RETURNED,
    "payment_failure_refund": MovementKind.RETURNED,
    "transfer_refund": MovementKind.RETURNED,
    "transfer_cancel": MovementKind.RETURNED,
    "transfer_failure": MovementKind.RETURNED,
    "stripe_fee": MovementKind.FEE,
    "stripe_fx_fee": MovementKind.FEE,
    "tax_fee": MovementKind.FEE,
    "network_cost": MovementKind.FEE,
}


def movements(day: dt.date) -> Iterator[Movement]:
    """What stands in Stripe's books of this day, and the contests that were decided on it. Raises TryLater."""
    begins, ends = clock.day_of(day)
    during = {"gte": int(begins.timestamp()), "lt": int(ends.timestamp())}
    ask = services()
    for line in listed(ask.balance_transactions.list, {"created": during, "expand": ["data.source"]}):
        source = line["source"] if isinstance(line["source"], dict) else {}
        if line["amount"] and source.get("object") != "dispute":
            yield _moved(line, _KINDS.get(line["type"], MovementKind.OTHER), _key(source), day)
        if line["fee"]:
            yield _kept(line, _key(source), day)
    for event in listed(ask.events.list, {"created": during, "type": "charge.dispute.closed"}):
        with asking():  # as it is now: what the payee won comes back a little after the decision
            dispute = ask.disputes.retrieve(event["data"]["object"]["id"]).to_dict()
        for line in dispute["balance_transactions"]:
            yield _moved(line, MovementKind.CHARGEBACK, key_of_intent(dispute["payment_intent"]), day)


def _key(source: dict[str, Any]) -> str:
    """Our id of what a line is about; a transfer that came back is known by the transfer."""
    if source.get("object") == "transfer_reversal":
        with asking():
            source = services().transfers.retrieve(source["transfer"]).to_dict()
    return key_of(source)


def _moved(line: dict[str, Any], kind: MovementKind, key: str, day: dt.date) -> Movement:
    amount_minor, currency = from_stripe(line["amount"], line["currency"])
    return Movement(line["id"], key, kind, amount_minor, currency, day)


def _kept(line: dict[str, Any], charged_for: str, day: dt.date) -> Movement:
    """What Stripe charges for it."""
    amount_minor, currency = from_stripe(-line["fee"], line["currency"])
    return Movement(f"{line['id']}-fee", "", MovementKind.FEE, amount_minor, currency, day, charged_for)
