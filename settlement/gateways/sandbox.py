"""The sandbox gateway: the same protocol as any other, before a bank that only acts (`sandbox_bank`)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from settlement.gateways import (
    BadNotice,
    Capabilities,
    DisputeClosed,
    Disputed,
    Fact,
    Movement,
    Paid,
    PaidOut,
    PaymentFailed,
    PayoutFailed,
    Refunded,
    RefundFailed,
    Started,
    sandbox_bank,
)
from settlement.gateways.sandbox_signature import HEADER, require_signed
from settlement.models import SandboxNotice, SandboxOrder
from settlement.states import MovementKind

if TYPE_CHECKING:
    from marketplace.models import Organisation
    from settlement.models import Notice, Payment, Payout, Refund

_FACTS: dict[str, Callable[[dict[str, Any]], Fact]] = {
    "paid": lambda told: Paid(told["event_id"], told["key"], told["moved_minor"], told["currency"], told["payer"]),
    "payment_failed": lambda told: PaymentFailed(told["key"], told["reason"]),
    "refunded": lambda told: Refunded(told["key"]),
    "refund_failed": lambda told: RefundFailed(told["key"], told["reason"]),
    "paid_out": lambda told: PaidOut(told["key"]),
    "payout_failed": lambda told: PayoutFailed(told["key"], told["reason"]),
    "disputed": lambda told: Disputed(told["key"], told["contest"], told["amount_minor"], told["currency"]),
    "dispute_closed": lambda told: DisputeClosed(told["contest"], told["is_lost"]),
}

_KINDS = {
    "paid": MovementKind.PAYMENT,
    "refunded": MovementKind.REFUND,
    "refund_failed": MovementKind.RETURNED,
    "paid_out": MovementKind.PAYOUT,
    "payout_failed": MovementKind.RETURNED,
    "dispute_closed": MovementKind.CHARGEBACK,
}


class Sandbox:
    """Acts out a bank; no money moves."""

    name = "sandbox"

    def capabilities(self) -> Capabilities:
        return Capabilities(currencies=frozenset(settings.CURRENCIES), moves_money=False)

    def start(self, payment: Payment) -> Started:
        order = sandbox_bank.open_order(SandboxOrder.Kind.PAYMENT, payment.key, payment.amount_minor, payment.currency)
        return _started(order.reference)

    def stop(self, payment: Payment) -> None:
        sandbox_bank.stop_order(payment.key, payment.amount_minor, payment.currency)

    def look_up(self, payment: Payment) -> Started | None:
        orders = SandboxOrder.objects.filter(kind=SandboxOrder.Kind.PAYMENT, key=payment.key)
        reference = orders.values_list("reference", flat=True).first()
        return None if reference is None else _started(reference)

    def verify(self, body: bytes, headers: Mapping[str, str]) -> str:
        signature = next((value for name, value in headers.items() if name.lower() == HEADER.lower()), "")
        require_signed(body, signature)
        try:
            event_id = json.loads(body.decode("utf-8"))["event_id"]
        except (ValueError, KeyError, TypeError, RecursionError):
            event_id = None
        if not isinstance(event_id, str) or not 0 < len(event_id) <= 120 or not event_id.isprintable():
            raise BadNotice(_("The notice names no event."))
        return event_id

    def read(self, notice: Notice) -> Iterable[Fact]:
        told = json.loads(notice.body)
        return [_FACTS[told["type"]](told)] if told["type"] in _FACTS else []

    def check_account(self, reference: str, holder: Organisation | None = None) -> str:
        return reference

    def refund(self, refund: Refund) -> str:
        account = sandbox_bank.account_of(refund.payer_reference)
        order = sandbox_bank.send_out(
            SandboxOrder.Kind.REFUND, refund.key, refund.amount_minor, refund.currency, account=account
        )
        return order.reference

    def pay_out(self, payout: Payout, to: str) -> str:
        order = sandbox_bank.send_out(
            SandboxOrder.Kind.PAYOUT, payout.key, payout.amount_minor, payout.currency, account=to
        )
        return order.reference

    def movements(self, day: dt.date) -> Iterable[Movement]:
        begins, ends = (moment.astimezone(dt.UTC) for moment in clock.day_of(day))
        dated = Q()
        for date in {begins.date(), ends.date()}:  # the bank dates what it writes in UTC
            dated |= Q(body__contains=f'"at": "{date.isoformat()}T')
        lines = SandboxNotice.objects.filter(dated).order_by("pk")
        for body in lines.values_list("body", flat=True).iterator():
            told = json.loads(body)
            if told["moved_minor"] and begins <= dt.datetime.fromisoformat(told["at"]) < ends:
                yield Movement(
                    reference=told["event_id"],
                    key=told["key"],
                    kind=_KINDS[told["type"]],
                    amount_minor=told["moved_minor"],
                    currency=told["currency"],
                    booked_on=day,
                )


def _started(reference: str) -> Started:
    return Started(reference=reference, pay_at_url=f"{settings.BASE_URL}{reverse('sandbox_pay', args=[reference])}")
