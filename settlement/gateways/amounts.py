"""Which amounts the gateway of new payments takes: asked before anybody is bound to pay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import gcd

from django.utils.translation import gettext_lazy as _

from listings import payment_plans
from marketplace.errors import Invalid
from marketplace.money import Money
from settlement.gateways import Bounds, default_gateway, gateway
from settlement.models import Payment


def require_taken(amount_minor: int, currency: str) -> None:
    """The gateway of new payments takes this sum.

    Raises NoGateway, Invalid `currency_not_taken`, `amount_too_small`, `amount_too_large`, `amount_not_taken`.
    """
    can = gateway(default_gateway()).capabilities()
    if currency not in can.currencies:
        raise Invalid(
            _("No gateway takes %(currency)s."),
            code="currency_not_taken",
            next=_("Ask the seller for another currency."),
            currency=currency,
        )
    bounds = can.bounds.get(currency, Bounds())
    if amount_minor < bounds.least_minor:
        raise Invalid(
            _("The payment provider takes no less than %(least)s."),
            code="amount_too_small",
            next=_("Ask the seller for an offer with another price."),
            least=Money(bounds.least_minor, currency),
        )
    if amount_minor > bounds.most_minor:
        raise Invalid(
            _("The payment provider takes no more than %(most)s at once."),
            code="amount_too_large",
            next=_("Ask the seller for an offer with another price."),
            most=Money(bounds.most_minor, currency),
        )
    if amount_minor % bounds.step_minor:
        raise Invalid(
            _("The payment provider takes whole multiples of %(step)s only."),
            code="amount_not_taken",
            next=_("Ask the seller for an offer with another price."),
            step=Money(bounds.step_minor, currency),
        )


def require_all_taken(
    price_minor: int, buyer_fee_minor: int, currency: str, plan: Sequence[payment_plans.Part]
) -> None:
    """The same of a price with the buyer's fee, or of each instalment where there is a plan: the first has the fee.

    Raises as `require_taken` does.
    """
    first, *others = payment_plans.amounts(price_minor, plan) if plan else [price_minor]
    for minor in (first + buyer_fee_minor, *others):
        require_taken(minor, currency)


def require_returnable(parts: Iterable[tuple[Payment, int]]) -> None:
    """The gateways of these payments can write what goes back of each, in minor units.

    Raises NoGateway, Invalid `award_not_payable`.
    """
    for payment, part in parts:
        step = gateway(payment.gateway).capabilities().bounds.get(payment.currency, Bounds()).step_minor
        if part % step:
            raise Invalid(
                _("The payment provider gives back whole multiples of %(step)s only."),
                code="award_not_payable",
                next=_("Award a little more or less."),
                step=Money(step, payment.currency),
            )


def above_most(amount_minor: int, currency: str) -> int:
    """By how much this sum is more than one payment may be; 0 where it is not. Raises NoGateway."""
    most = gateway(default_gateway()).capabilities().bounds.get(currency, Bounds()).most_minor
    return max(0, amount_minor - most)


def most_calls(calls: int, unit_minor: int, currency: str) -> int:
    """Of so many calls at this price each, as many as one payment may pay for; 0 where it is too little. Raises
    NoGateway."""
    can = gateway(default_gateway()).capabilities()
    if currency not in can.currencies:
        return 0
    bounds = can.bounds.get(currency, Bounds())
    fit = min(calls, bounds.most_minor // unit_minor)
    fit -= fit % (bounds.step_minor // gcd(unit_minor, bounds.step_minor))
    return fit if fit * unit_minor >= bounds.least_minor else 0
