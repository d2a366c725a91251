"""What a gateway keeps for its work, booked as its own books say.

The exchange bears it, out of what it earns; but what a gateway charged for the payment of a trade is its seller's where
the fee schedule of that trade says so. It is passed on once the trade is accepted, as a debt that the seller's next
clearing sets off.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import CharField, Exists, F, OuterRef, Value
from django.db.models.functions import Cast, Concat

from marketplace import journal
from settlement import ledger
from settlement.gateways import gateway
from settlement.models import GatewayMovement, Payment, Trade, Transfer
from settlement.states import MovementKind, PaymentState, TradeState

AT_ONCE = 500
PASSED = "gateway-charge-"  # and the movement's id: the key of what its seller bears
ACCEPTED = (TradeState.ACCEPTED, TradeState.CLEARED, TradeState.SETTLED)


def book(gateway_name: str) -> None:
    """Book every charge that this gateway's movements name and the ledger does not know yet, each once.

    Only of gateways that say they charge us: any other's charge is a break of the books until staff explain it.
    """
    if gateway(gateway_name).capabilities().charges_us:
        while _book_some(gateway_name) == AT_ONCE:
            pass
        while _pass_on_some(gateway_name) == AT_ONCE:
            pass


def _lock(gateway_name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"charges {gateway_name}"])


@transaction.atomic
def _book_some(gateway_name: str) -> int:
    _lock(gateway_name)
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


@transaction.atomic
def _pass_on_some(gateway_name: str) -> int:
    """What a gateway takes for a payment costs its seller as much as it costs the exchange, each charge once."""
    _lock(gateway_name)
    payment = Payment.objects.filter(gateway=gateway_name, key=OuterRef("charged_for")).order_by()
    # A second payment that came back to its payer is none of the seller's.
    paid_for = payment.filter(state=PaymentState.PAID, trade__state__in=ACCEPTED)
    theirs = paid_for.filter(trade__fee_schedule__seller_bears_charges=True)
    charges = GatewayMovement.objects.filter(gateway=gateway_name, kind=MovementKind.FEE).exclude(charged_for="")
    passed = Transfer.objects.filter(key=Concat(Value(PASSED), Cast(OuterRef("pk"), CharField())))
    due = list(charges.filter(Exists(theirs)).exclude(Exists(passed)).order_by("pk")[:AT_ONCE])
    paid = Payment.objects.filter(gateway=gateway_name, key__in={one.charged_for for one in due})
    trades = {one.key: one.trade for one in paid.select_related("trade__seller")}
    # A statement of theirs that is being closed waits for this lock, or we for it: no debt is booked amid it.
    ledger.locked_payables({(trades[one.charged_for].seller_id, one.currency) for one in due})
    moves = []
    for one in due:
        owes = ledger.receivable(trades[one.charged_for].seller, one.currency).pk
        bears = ledger.costs(gateway_name, one.currency).pk
        sides = (owes, bears) if one.amount_minor < 0 else (bears, owes)
        moves.append((f"{PASSED}{one.pk}", *sides, abs(one.amount_minor)))
    ledger.book(moves)
    journal.record_many(
        (
            (
                "gateway_charge.passed_on",
                one,
                {
                    "amount_minor": -one.amount_minor,
                    "currency": one.currency,
                    "trade": trades[one.charged_for].pk,
                    "organisation": trades[one.charged_for].seller_id,
                },
            )
            for one in due
        ),
        by=None,
    )
    return len(due)


def trade_numbers(keys: Iterable[str]) -> dict[str, str]:
    """The register numbers of the trades whose sellers bear these charges, by the keys of the transfers. One statement
    where there are any."""
    ids = {int(key.removeprefix(PASSED)): key for key in keys if key.startswith(PASSED)}
    if not ids:
        return {}
    number = Payment.objects.filter(gateway=OuterRef("gateway"), key=OuterRef("charged_for")).order_by()
    rows = GatewayMovement.objects.filter(pk__in=ids).annotate(number=number.values("trade__register_number")[:1])
    return {ids[pk]: number or "" for pk, number in rows.values_list("pk", "number")}


def borne_minor(trade: Trade) -> int:
    """What was passed on to the seller of this trade, in minor units. Two statements."""
    keys = trade.payments.order_by().values("key")
    charges = GatewayMovement.objects.filter(kind=MovementKind.FEE, charged_for__in=keys, currency=trade.currency)
    of = {f"{PASSED}{pk}": -minor for pk, minor in charges.values_list("pk", "amount_minor")}
    passed = Transfer.objects.filter(key__in=of).values_list("key", flat=True)
    return sum(of[key] for key in passed)
