"""Bank transfer: the buyer quotes a reference, staff bring the bank's statements in and take files of payments out.

Nobody is called. What a statement says comes as notices like any gateway's, signed with a key of our own.
"""

from __future__ import annotations

import datetime as dt
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Q
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.errors import Invalid
from settlement.bank import accounts, matching, references
from settlement.gateways import (
    BadNotice,
    Capabilities,
    Fact,
    Movement,
    Paid,
    PaidOut,
    PayoutFailed,
    Refunded,
    RefundFailed,
    Started,
)
from settlement.models import BankEntry, BankInstruction, BankReference, Notice, Payment
from settlement.states import MovementKind

if TYPE_CHECKING:
    from marketplace.models import Organisation
    from settlement.models import Payout, Refund

NAME = "bank"
HEADER = "Bank-Signature"
BOOKS_WITHIN_DAYS = 5  # a file of payments waits for staff, and a bank for the end of a weekend
_KIND = BankInstruction.Kind

_FACTS: dict[str, Callable[[dict[str, Any]], Fact]] = {
    "paid": lambda told: Paid(told["event_id"], told["key"], told["amount_minor"], told["currency"], told["payer"]),
    "refund_sent": lambda told: Refunded(told["key"]),
    "refund_returned": lambda told: RefundFailed(told["key"], told["reason"]),
    "payout_sent": lambda told: PaidOut(told["key"]),
    "payout_returned": lambda told: PayoutFailed(told["key"], told["reason"]),
}


def headers_of(body: bytes) -> dict[str, str]:
    """What proves that this notice was written here, from a file that staff brought in."""
    return {HEADER: salted_hmac("settlement.bank", body, algorithm="sha256").hexdigest()}


class Bank:
    """An account at a bank, without a line to it."""

    name = NAME

    def capabilities(self) -> Capabilities:
        return Capabilities(
            currencies=frozenset(accounts.ours()),
            moves_money=True,
            tells_of_failed_payments=False,
            is_contestable=False,
            books_within_days=BOOKS_WITHIN_DAYS,
        )

    def start(self, payment: Payment) -> Started:
        accounts.ours_in(payment.currency)
        row, _is_new = BankReference.objects.get_or_create(
            payment=payment, defaults={"reference": references.reference_of(payment.key)}
        )
        return _started(row)

    def stop(self, payment: Payment) -> None:
        """Nobody can keep a payer from paying: what still arrives waits in suspense."""

    def look_up(self, payment: Payment) -> Started | None:
        row = BankReference.objects.filter(payment=payment).first()
        return None if row is None else _started(row)

    def verify(self, body: bytes, headers: Mapping[str, str]) -> str:
        signature = next((value for name, value in headers.items() if name.lower() == HEADER.lower()), "")
        if not hmac.compare_digest(headers_of(body)[HEADER].encode(), signature.encode()):
            raise BadNotice(
                _("The signature does not belong to this notice."), next=_("Bring the bank's statement in at the desk.")
            )
        return str(json.loads(body)["event_id"])

    def read(self, notice: Notice) -> Iterable[Fact]:
        told = json.loads(notice.body)
        return [_FACTS[told["told"]](told)]

    def check_account(self, reference: str, holder: Organisation | None = None) -> str:
        return str(accounts.payee(reference))

    def refund(self, refund: Refund) -> str:
        to = _payer_of(refund.payer_reference) or refund.payer_reference
        return _instruct(_KIND.REFUND, refund.key, refund.amount_minor, refund.currency, to)

    def pay_out(self, payout: Payout, to: str) -> str:
        return _instruct(_KIND.PAYOUT, payout.key, payout.amount_minor, payout.currency, to)

    def movements(self, day: dt.date) -> Iterable[Movement]:
        begins, ends = clock.day_of(day)
        told = Q(booked_on=day) | Q(report__imported_at__gte=begins, report__imported_at__lt=ends)
        booked = BankEntry.objects.filter(told).select_related("payment", "instruction").order_by("pk")
        for entry in booked.iterator():
            cause = entry.payment or entry.instruction
            yield Movement(
                reference=matching.event_id_of(entry),
                key=cause.key if cause else "",
                kind=_kind_of(entry),
                amount_minor=entry.amount_minor if entry.is_credit else -entry.amount_minor,
                currency=entry.currency,
                booked_on=entry.booked_on,
            )


def _kind_of(entry: BankEntry) -> MovementKind:
    if entry.reading == BankEntry.Reading.SENT and entry.instruction:
        return MovementKind(entry.instruction.kind)
    if entry.reading == BankEntry.Reading.RETURNED:
        return MovementKind.RETURNED
    return MovementKind.PAYMENT if entry.is_credit else MovementKind.OTHER


def _started(row: BankReference) -> Started:
    """The details stand on the page of the trade itself."""
    url = f"{settings.BASE_URL}{row.payment.trade.get_absolute_url()}#transfer"
    return Started(reference=row.reference, pay_at_url=url)


def _payer_of(reference: str) -> str:
    """Who paid under this reference: who paid exactly, or the only one who paid; '' where that would be a guess."""
    came = BankEntry.objects.filter(payment__bank_reference__reference=reference).order_by("pk")
    asked = Payment.objects.filter(bank_reference__reference=reference).values("amount_minor", "currency").first()
    exact = came.filter(**asked).first() if asked else None
    if exact is not None:
        return exact.payer
    payers = set(came.values_list("payer", flat=True))
    return payers.pop() if len(payers) == 1 else ""


def _instruct(kind: str, key: str, amount_minor: int, currency: str, to: str) -> str:
    """Put it down for the next file of payments; money that has nowhere to go comes back at once."""
    end_to_end_id = references.end_to_end_id_of(key)
    try:
        payee = accounts.payee(to)
    except Invalid as refusal:
        _tell_returned(kind, key, end_to_end_id, str(refusal))
        return end_to_end_id
    BankInstruction.objects.get_or_create(
        key=key,
        defaults={
            "kind": kind,
            "end_to_end_id": end_to_end_id,
            "amount_minor": amount_minor,
            "currency": currency,
            "payee": str(payee),
        },
    )
    return end_to_end_id


def _tell_returned(kind: str, key: str, end_to_end_id: str, reason: str) -> None:
    told = {"event_id": f"nowhere-{end_to_end_id}", "told": f"{kind}_returned", "key": key, "reason": reason}
    Notice.objects.get_or_create(gateway=NAME, event_id=told["event_id"], defaults={"body": json.dumps(told)})
