"""What money is paid through, why it fits no trade and what became of it, in words."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy, pgettext_lazy

WHY: dict[str, Promise] = {
    "unknown_payment": gettext_lazy("No payment of ours has this reference."),
    "paid_twice": gettext_lazy("The trade was paid already."),
    "too_late": gettext_lazy("It came after the trade had ended, or its payment was closed."),
    "wrong_currency": gettext_lazy("It came in another currency."),
    "wrong_amount": gettext_lazy("The amount is not what was asked for."),
}
DECIDED: dict[str, Promise] = {
    "returned": pgettext_lazy("money", "Returned"),
    "applied": gettext_lazy("Applied to the trade"),
    "charged_back": pgettext_lazy("money", "Charged back"),
}

GATEWAYS: dict[str, str | Promise] = {
    "bank": gettext_lazy("Bank transfer"),
    "sandbox": gettext_lazy("Practice money"),
    "stripe": "Stripe",
}


def paid_through(gateway: str) -> str:
    """What a gateway is called; its own name where it is none of ours."""
    return str(GATEWAYS.get(gateway, gateway.replace("_", " ")))


def refunded_because(reason: str) -> str:
    """A refund's reason: a code of what fitted no trade, a sentence of ours, or what somebody wrote."""
    return str(WHY[reason]) if reason in WHY else gettext(reason) if reason else ""
