"""What each of three books says of one break, line by line, for whoever explains it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from marketplace.money import Money
from settlement import ledger
from settlement.models import Break, Chargeback, GatewayMovement, Payment, Payout, Refund, Transfer, Unmatched

SHOWN = 25
LOST_FROM = ("escrow", "fee", "owed", "owed-reserve", "owed-by-payer", "owed-by-payer-reserve")


@dataclass(frozen=True)
class Line:
    """One line of a book: what it is called there, what it says of it, how much it moved, and when."""

    name: str
    says: Any
    money: Money
    at: dt.datetime | dt.date | None


def in_ledger(found: Break) -> list[Line]:
    """The transfers, SHOWN at most: of a trade into its escrow, else through the gateway's account."""
    rows = Transfer.objects.order_by("pk")
    if found.gateway_minor is None:
        into = Q(key__startswith="paid-") | Q(key__startswith="applied-")
        of_trade = rows.filter(into, credit__trade=found.trade, credit__kind=ledger.Kind.ESCROW)
        return [Line(row.key, "", Money(row.amount_minor, found.currency), row.at) for row in of_trade[:SHOWN]]
    outside = ledger.outside(found.gateway, found.currency)
    moved = rows.filter(Q(debit=outside) | Q(credit=outside), key__in=_keys(found))
    return [
        Line(
            row.key,
            "",
            Money(row.amount_minor if row.debit_id == outside.pk else -row.amount_minor, found.currency),
            row.at,
        )
        for row in moved[:SHOWN]
    ]


def _keys(found: Break) -> list[str]:
    """The keys of every transfer this cause may have left."""
    cause = found.cause
    heard = Unmatched.objects.filter(Q(payment__key=cause) | Q(payment=None, event_id=cause), gateway=found.gateway)
    contested = Chargeback.objects.filter(payment__key=cause.removeprefix("chargeback "))
    return [
        cause,
        f"paid-{cause}",
        f"{cause}-sent",
        f"{cause}-bounced",
        *(f"suspense-{row.gateway}-{row.event_id}" for row in heard[:SHOWN]),
        *(f"chargeback-{row.pk}-{part}" for row in contested[:SHOWN] for part in LOST_FROM),
    ]


def at_gateway(found: Break) -> list[Line]:
    """The gateway's own lines, SHOWN at most."""
    rows = GatewayMovement.objects.filter(gateway=found.gateway, currency=found.currency, cause=found.cause)
    return [
        Line(row.reference, row.get_kind_display(), Money(row.amount_minor, row.currency), row.booked_on)
        for row in rows.order_by("pk")[:SHOWN]
    ]


def in_records(found: Break) -> list[Line]:
    """The trade, payment, refund, payout, chargebacks and unmatched money of this cause, SHOWN at most of each."""
    if found.gateway_minor is None and found.trade:
        trade = found.trade
        return [Line(str(trade), trade.get_state_display(), trade.total, trade.funded_at)]
    contested = found.cause.startswith("chargeback ")
    of_key = {"gateway": found.gateway, "key": found.cause}
    heard = Q(payment__key=found.cause) | Q(payment=None, event_id=found.cause)
    rows: Iterable[tuple[Any, int, Any]] = [
        *((row, row.amount_minor, row.paid_at) for row in Payment.objects.filter(**of_key)),
        *((row, -row.amount_minor, row.sent_at) for row in Refund.objects.filter(**of_key)),
        *((row, -row.amount_minor, row.sent_at) for row in Payout.objects.filter(**of_key)),
        *(
            (row, -row.amount_minor, row.closed_at)
            for row in Chargeback.objects.filter(payment__key=found.cause.removeprefix("chargeback "))[:SHOWN]
            if contested
        ),
    ]
    arrived = Unmatched.objects.filter(heard, gateway=found.gateway, currency=found.currency).order_by("pk")
    return [Line(_name(row), row.get_state_display(), Money(minor, row.currency), at) for row, minor, at in rows] + [
        Line(row.event_id, row._meta.verbose_name, Money(row.amount_minor, row.currency), row.arrived_at)
        for row in arrived[:SHOWN]
    ]


def _name(row: Any) -> str:
    return str(row.reference if isinstance(row, Chargeback) else row.key)
