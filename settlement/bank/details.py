"""What a buyer needs in order to pay by bank transfer."""

from __future__ import annotations

from typing import Any

from marketplace.money import Money
from settlement.bank import accounts, references
from settlement.models import BankReference, Trade
from settlement.states import PaymentState


def of(trade: Trade) -> dict[str, Any] | None:
    """The exchange's account, the amount and the reference in groups; None unless a transfer is waited for."""
    row = (
        BankReference.objects.filter(payment__trade=trade, payment__state=PaymentState.STARTED)
        .select_related("payment")
        .order_by("-payment")
        .first()
    )
    account = accounts.ours().get(trade.currency) if row else None
    if row is None or account is None:
        return None
    return {
        "account": account,
        "amount": Money(row.payment.amount_minor, row.payment.currency),
        "reference": references.in_groups(row.reference),
    }
