"""What a gateway keeps for its work, booked as its own books say. The exchange bears it, out of what it earns."""

from __future__ import annotations

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef

from marketplace import journal
from settlement import ledger
from settlement.gateways import gateway
from settlement.models import GatewayMovement, Transfer
from settlement.states import MovementKind

AT_ONCE = 500


def book(gateway_name: str) -> None:
    """Book every charge that this gateway's movements name and the ledger does not know yet, each once.

    Only of gateways that say they charge us: any other's charge is a break of the books until staff explain it.
    """
    if gateway(gateway_name).capabilities().charges_us:
        while _book_some(gateway_name) == AT_ONCE:
            pass


@transaction.atomic
def _book_some(gateway_name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"charges {gateway_name}"])
    charges = GatewayMovement.objects.filter(gateway=gateway_name, kind=MovementKind.FEE, cause=F("reference"))
    due = list(charges.exclude(Exists(Transfer.objects.filter(key=OuterRef("reference")))).order_by("pk")[:AT_ONCE])
    places = {
        currency: (ledger.costs(gateway_name, currency).pk, ledger.outside(gateway_name, currency).pk)
        for currency in sorted({one.currency for one in due})
    }
    ledger.book(
        [
            (one.reference, *(places[one.currency] if one.amount_minor < 0 else places[one.currency][::-1]),
             abs(one.amount_minor))
            for one in due
        ]
    )  # fmt: skip
    journal.record_many(
        (
            (
                "gateway.charged",
                one,
                {"amount_minor": -one.amount_minor, "currency": one.currency, "for": one.reference},
            )
            for one in due
        ),
        by=None,
    )
    return len(due)
