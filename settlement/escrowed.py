"""What each payment brought to the escrow of its trade and is there still: money goes back the way it came."""

from __future__ import annotations

from collections import Counter

from django.db.models import Sum

from settlement.models import Payment, Refund, Trade, Transfer, Unmatched
from settlement.states import ChargebackState, PaymentState


def by_payment(trade: Trade) -> list[tuple[Payment, int]]:
    """The payments of the locked trade with what of each is in escrow, in minor units; the newest first.

    A payment brought its amount if it fitted, and what the desk applied of what came for it otherwise. Refunds and
    what its payer's bank took back are taken off.
    """
    payments = {payment.pk: payment for payment in trade.payments.order_by("-pk")}
    brought = {f"paid-{one.key}": pk for pk, one in payments.items() if one.state == PaymentState.PAID}
    applied = Unmatched.objects.filter(payment__trade=trade, decision="applied").values_list("pk", "payment")
    brought |= {f"applied-{pk}": payment for pk, payment in applied}
    taken = {f"chargeback-{pk}-escrow": payment for pk, payment in trade.chargebacks.values_list("pk", "payment")}
    held: Counter[int] = Counter()
    for key, minor in Transfer.objects.filter(key__in=[*brought, *taken]).values_list("key", "amount_minor"):
        held[brought.get(key) or taken[key]] += minor if key in brought else -minor
    refunds = Refund.objects.filter(trade=trade, unmatched=None, replaces=None).order_by()
    for payment, minor in refunds.values_list("payment").annotate(sum=Sum("amount_minor")):
        held[payment] -= minor
    return [(payment, held[pk]) for pk, payment in payments.items() if held[pk] > 0]


def uncontested(trade: Trade) -> list[tuple[Payment, int]]:
    """`by_payment` without the payments whose bank has not decided yet: it may take back what they brought."""
    contested = set(trade.chargebacks.filter(state=ChargebackState.OPEN).values_list("payment", flat=True))
    return [(payment, held) for payment, held in by_payment(trade) if payment.pk not in contested]


def in_parts(trade: Trade, amount_minor: int) -> list[tuple[Payment, int]]:
    """By which payments so much of the locked trade's escrow goes back, the newest first; of none more than it brought.

    Together they are less where the escrow holds less.
    """
    parts = []
    for payment, held in by_payment(trade):
        if part := min(amount_minor, held):
            parts.append((payment, part))
            amount_minor -= part
    return parts
