"""Money the payer's bank may take back, and what it was spent on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from marketplace.errors import Refused
from settlement.models import Chargeback, Payment, Unmatched
from settlement.states import ChargebackState, PaymentState


class Contested(Refused):
    """The payer's bank contests this payment."""

    code = "contested"
    says = _("The payer's bank contests this payment.")
    next = _("Wait for the bank's decision.")


def require_not(rows: Iterable[Unmatched]) -> None:
    """Contested money neither goes back nor pays for a trade. Raises Contested."""
    named = [row.payment_id for row in rows if row.payment_id]
    if Chargeback.objects.filter(payment__in=named, state=ChargebackState.OPEN).exists():
        raise Contested()


def of_trades_of(rows: Iterable[Unmatched]) -> list[Chargeback]:
    """What is contested now of the trades that this money names. One statement."""
    trades = {row.payment.trade_id for row in rows if row.payment}
    return list(Chargeback.objects.filter(trade__in=trades, state=ChargebackState.OPEN))


def has_money(payment: Payment) -> bool:
    """Whether any money came for the payment, fitting or not."""
    return payment.state == PaymentState.PAID or payment.unmatched.exists()


def is_spent_on_trade(payment: Payment) -> bool:
    """Whether its money funded its trade: by itself, or applied by the desk."""
    return payment.state == PaymentState.PAID or payment.unmatched.filter(decision="applied").exists()


def since(chargeback: Chargeback) -> dt.datetime:
    """From when on the trade of this chargeback has been contested without a break: some may overlap it."""
    began = chargeback.opened_at
    before = Chargeback.objects.filter(trade=chargeback.trade_id, opened_at__lt=began).order_by("-opened_at")
    for opened_at, closed_at in before.values_list("opened_at", "closed_at"):
        if closed_at is None or closed_at >= began:
            began = opened_at
    return began
