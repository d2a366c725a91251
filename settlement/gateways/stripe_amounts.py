"""How Stripe writes amounts, and which it takes.

Stripe counts minor units much as ISO 4217 does, but not everywhere: some currencies have fewer decimals there, two have
more, and in those with three the last is always 0. Source: docs.stripe.com/currencies (special cases, minimum and
maximum charge amounts).
"""

from __future__ import annotations

from marketplace.money import exponent
from settlement.gateways import Bounds

WITHOUT_DECIMALS = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
WITH_THREE_DECIMALS = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
LARGEST = 99_999_999  # eight digits, whatever the currency

# The least that can be charged, as Stripe counts. Where its table names none, what is surely above half a US dollar.
_LEAST = {
    "AED": 200, "AUD": 50, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250, "EUR": 50, "GBP": 30, "HKD": 400,
    "INR": 50, "JPY": 50, "MXN": 1000, "MYR": 200, "NOK": 300, "NZD": 50, "PLN": 200, "RON": 200, "SEK": 300,
    "SGD": 50, "THB": 1000, "USD": 50,
    "BHD": 300, "CNY": 500, "IDR": 1_000_000, "JOD": 500, "KRW": 1000, "KWD": 200, "MOP": 500, "OMR": 300,
    "PHP": 4000, "SAR": 250, "TWD": 2000, "VND": 20_000, "ZAR": 1500,
}  # fmt: skip
CURRENCIES = frozenset(_LEAST)


class NotWritable(ValueError):
    """Stripe cannot write this amount."""


def to_stripe(minor: int, currency: str) -> int:
    """Our minor units as Stripe counts. Raises NotWritable."""
    shift = _decimals(currency) - exponent(currency)
    amount, rest = divmod(minor * 10 ** max(shift, 0), 10 ** max(-shift, 0))
    if rest or (currency in WITH_THREE_DECIMALS and amount % 10):
        raise NotWritable(f"Stripe cannot write {minor} minor units of {currency}")
    return amount


def from_stripe(amount: int, currency: str) -> tuple[int, str]:
    """What Stripe wrote, as our minor units and our code of the currency. Raises NotWritable."""
    code = currency.upper()
    shift = exponent(code) - _decimals(code)
    minor, rest = divmod(amount * 10 ** max(shift, 0), 10 ** max(-shift, 0))
    if rest:
        raise NotWritable(f"{amount} of {code} at Stripe are no whole minor units")
    return minor, code


def bounds_of(currency: str) -> Bounds:
    """What can be charged at once in this currency."""
    step = 10 if currency in WITH_THREE_DECIMALS else 10 ** max(exponent(currency) - _decimals(currency), 0)
    return Bounds(
        least_minor=from_stripe(_LEAST[currency], currency)[0],
        most_minor=from_stripe(LARGEST, currency)[0] // step * step,
        step_minor=step,
    )


def _decimals(currency: str) -> int:
    """How many decimals Stripe counts; those of ISK and UGX are always 00."""
    if currency in WITHOUT_DECIMALS:
        return 0
    return 3 if currency in WITH_THREE_DECIMALS else 2
