"""Amounts of money: whole minor units (cents, fen, yen) with their currency, never a float.

Currencies and their number of decimals are those of ISO 4217 (list one, funds and metals left out).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import total_ordering

from django.utils.translation import gettext, ngettext

_WITHOUT_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_WITH_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
_WITH_TWO_DECIMALS = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP
    CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES
    KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK
    NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB
    TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
EXPONENTS: dict[str, int] = {
    **dict.fromkeys(_WITHOUT_DECIMALS.split(), 0),
    **dict.fromkeys(_WITH_TWO_DECIMALS.split(), 2),
    **dict.fromkeys(_WITH_THREE_DECIMALS.split(), 3),
}

# Amounts are written into canonical JSON records, whose integers are exact only up to here (RFC 8785 §3.2.2.3).
LARGEST_MINOR = 2**53 - 1
BASIS_POINTS_OF_THE_WHOLE = 10_000

_AMOUNT = re.compile(r"(?P<sign>-?)(?P<units>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<decimals>\d+))?", re.ASCII)


class UnknownCurrency(ValueError):
    """The code is not a currency of ISO 4217."""


class CurrencyMismatch(ValueError):
    """Two amounts in different currencies were added, subtracted or compared."""


class NotAnAmount(ValueError):
    """A text, or a number, that cannot be an amount of money; the sentence says why and how to write it."""


def exponent(currency: str) -> int:
    """How many decimals the currency has (CNY 2, JPY 0, KWD 3). Raises UnknownCurrency."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise UnknownCurrency(f"{currency!r} is not a currency code of ISO 4217, such as CNY, HKD or USD.") from None


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount: `minor` whole minor units of `currency`. Negative amounts are allowed (a reversal, a debt).

    Raises UnknownCurrency or NotAnAmount when made from anything else.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        exponent(self.currency)
        if not isinstance(self.minor, int) or isinstance(self.minor, bool):
            raise NotAnAmount(f"Money counts whole minor units, not {self.minor!r}.")
        if abs(self.minor) > LARGEST_MINOR:
            most = format_minor(LARGEST_MINOR, self.currency)
            raise NotAnAmount(
                gettext("The amount is larger than %(most)s, the most we can write exactly.") % {"most": most}
            )

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(0, currency)

    def __add__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        self._require_same_currency(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        self._require_same_currency(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        self._require_same_currency(other)
        return self.minor < other.minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{self.currency} {self.amount}"

    @property
    def amount(self) -> str:
        """The amount for people, without its currency: `1,234.50`, `1,234` for yen, `1,234.500` for dinars."""
        return format_minor(self.minor, self.currency)

    def share(self, basis_points: int) -> Money:
        """So many hundredths of a percent of this amount, rounded as `share` states."""
        return Money(share(self.minor, basis_points), self.currency)

    def split(self, weights: Sequence[int]) -> list[Money]:
        """This amount in parts that sum to it exactly, as `split` states."""
        return [Money(part, self.currency) for part in split(self.minor, weights)]

    def _require_same_currency(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self} and {other} are in different currencies.")


def share(minor: int, basis_points: int) -> int:
    """`basis_points` hundredths of a percent of `minor`, in whole minor units.

    Half a unit is rounded up (away from zero), so the share of a reversal is the reversal of the share.
    """
    if basis_points < 0:
        raise ValueError("a share cannot be negative")
    doubled = 2 * abs(minor) * basis_points + BASIS_POINTS_OF_THE_WHOLE
    rounded = doubled // (2 * BASIS_POINTS_OF_THE_WHOLE)
    return rounded if minor >= 0 else -rounded


def split(minor: int, weights: Sequence[int]) -> list[int]:
    """`minor` in parts proportional to `weights`, which sum to `minor` exactly.

    Each part is rounded down; the units left over go one by one to the largest remainders, the earlier part first
    when remainders are equal. Raises ValueError unless the weights are whole, not negative and not all zero.
    """
    whole_weight = sum(weights)
    if any(not isinstance(weight, int) or weight < 0 for weight in weights) or whole_weight <= 0:
        raise ValueError("the weights of a split are whole numbers, none negative, not all zero")
    if minor < 0:
        return [-part for part in split(-minor, weights)]
    parts = [minor * weight // whole_weight for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: -(minor * weights[index] % whole_weight))
    for index in by_remainder[: minor - sum(parts)]:
        parts[index] += 1
    return parts


def format_minor(minor: int, currency: str) -> str:
    """Minor units for people, in groups of three and with the currency's decimals: `1,234.50`."""
    decimals = exponent(currency)
    units, rest = divmod(abs(minor), 10**decimals)
    sign = "-" if minor < 0 else ""
    return f"{sign}{units:,}.{rest:0{decimals}d}" if decimals else f"{sign}{units:,}"


def parse(text: str, currency: str) -> Money:
    """The amount a person typed, such as `1,234.50`, `1234.5` or full-width `１２３４`.

    Commas may only stand between groups of three digits, a point only before decimals, and no more decimals than
    the currency has: anything that could be read in two ways is refused. Raises NotAnAmount, UnknownCurrency.
    """
    decimals_allowed = exponent(currency)
    written = unicodedata.normalize("NFKC", text).strip()
    if not written:
        raise NotAnAmount(gettext("Enter an amount, for instance 1,234.50."))
    found = _AMOUNT.fullmatch(written)
    if found is None or len(written) > 30:
        says = gettext("“%(written)s” is not an amount. Write digits with a point before decimals: 1,234.50.")
        raise NotAnAmount(says % {"written": written[:30]})
    decimals = found["decimals"] or ""
    if len(decimals) > decimals_allowed:
        raise NotAnAmount(_too_fine(decimals_allowed) % {"currency": currency, "allowed": decimals_allowed})
    minor = int(found["units"].replace(",", "") + decimals.ljust(decimals_allowed, "0"))
    return Money(-minor if found["sign"] else minor, currency)


def _too_fine(decimals_allowed: int) -> str:
    if not decimals_allowed:
        return gettext("%(currency)s has no decimals.")
    return ngettext(
        "%(currency)s has at most %(allowed)s decimal.",
        "%(currency)s has at most %(allowed)s decimals.",
        decimals_allowed,
    )
