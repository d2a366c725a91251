"""What Stripe's events say, as facts. Each is read from the event alone: whatever came before or comes again.

Events are told more than once, late and in any order. Money that came is known by its payment intent, so that two
events of it are one fact; everything else may be said twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from settlement.gateways import (
    DisputeClosed,
    Disputed,
    Fact,
    Paid,
    PaidOut,
    PaymentFailed,
    PayoutFailed,
    Refunded,
    RefundFailed,
)
from settlement.gateways.stripe_amounts import from_stripe
from settlement.models import StripeIntent

KEY = "databourse_key"  # the name of our own id in Stripe's metadata
REFUSED = "databourse.refused"  # what Stripe said no to when it was asked, kept as an event of our own
DECIDED = ("won", "lost", "warning_closed")

Told = Mapping[str, Any]


def key_of(told: Told) -> str:
    """Our id of what this object is about; '' for what others made in the same account."""
    return str((told.get("metadata") or {}).get(KEY, ""))


def facts_of(event: Told) -> list[Fact]:
    """The facts an event reports; none for the kinds we do not ask for."""
    read = _READ.get(event["type"])
    return read(event, event["data"]["object"]) if read else []


def _paid(event: Told, session: Told) -> list[Fact]:
    """A page was paid. What is paid later is told of by another event."""
    key, intent = session.get("client_reference_id"), session.get("payment_intent")
    if session["payment_status"] != "paid" or not key or not intent:
        return []
    first, _is_new = StripeIntent.objects.get_or_create(intent=intent, defaults={"key": key, "event_id": event["id"]})
    if first.event_id != event["id"]:
        return []
    amount_minor, currency = from_stripe(session["amount_total"], session["currency"])
    return [Paid(intent, key, amount_minor, currency, payer_reference=intent)]


def _failed(_event: Told, session: Told) -> list[Fact]:
    key = session.get("client_reference_id")
    return [PaymentFailed(key, gettext_noop("the payer's bank declined"))] if key else []


def _lapsed(event: Told, session: Told) -> list[Fact]:
    """Nobody paid in time. A page that ended before its time was ended by us: that is no failure."""
    key = session.get("client_reference_id")
    if not key or event["created"] < session["expires_at"]:
        return []
    return [PaymentFailed(key, gettext_noop("the page to pay on has lapsed"))]


def _refund(_event: Told, refund: Told) -> list[Fact]:
    key = key_of(refund)
    if key and refund["status"] == "succeeded":
        return [Refunded(key)]
    if key and refund["status"] in ("failed", "canceled"):
        return [RefundFailed(key, str(refund.get("failure_reason") or refund["status"]).replace("_", " "))]
    return []


def _transferred(_event: Told, transfer: Told) -> list[Fact]:
    """The member has it: it stands in the member's own account at Stripe."""
    key = key_of(transfer)
    return [PaidOut(key)] if key else []


def _reversed(_event: Told, transfer: Told) -> list[Fact]:
    """All of a transfer came back. One that came back in part shows as a break of the books."""
    key = key_of(transfer)
    return [PayoutFailed(key, gettext_noop("the transfer was reversed"))] if key and transfer["reversed"] else []


def _disputed(_event: Told, dispute: Told) -> list[Fact]:
    amount_minor, currency = from_stripe(dispute["amount"], dispute["currency"])
    return [Disputed(key_of_intent(dispute.get("payment_intent")), dispute["id"], amount_minor, currency)]


def _dispute_closed(_event: Told, dispute: Told) -> list[Fact]:
    if dispute["status"] not in DECIDED:
        return []
    return [DisputeClosed(dispute["id"], dispute["status"] == "lost")]


def _refused(_event: Told, said: Told) -> list[Fact]:
    failed = RefundFailed if said["of"] == "refund" else PayoutFailed
    return [failed(said["key"], said["reason"])]


def key_of_intent(intent: str | None) -> str:
    """The payment whose money Stripe keeps under this id; '' for none that we heard of."""
    return StripeIntent.objects.filter(intent=intent or "").values_list("key", flat=True).first() or ""


_READ: dict[str, Callable[[Told, Told], list[Fact]]] = {
    "checkout.session.completed": _paid,
    "checkout.session.async_payment_succeeded": _paid,
    "checkout.session.async_payment_failed": _failed,
    "checkout.session.expired": _lapsed,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "transfer.created": _transferred,
    "transfer.reversed": _reversed,
    "charge.dispute.created": _disputed,
    "charge.dispute.closed": _dispute_closed,
    REFUSED: _refused,
}
EVENTS = tuple(sorted(_READ.keys() - {REFUSED}))  # what an endpoint at Stripe is to send
