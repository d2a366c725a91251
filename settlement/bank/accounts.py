"""Accounts: those of the exchange, which settings name, and those money is sent to, which members and payers name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from stdnum import bic, iban
from stdnum.exceptions import ValidationError

from marketplace import money
from marketplace.errors import Invalid, Refused

LONGEST_NUMBER, LONGEST_HOLDER = 34, 70
PARTS = ("name", "number", "bic")
_NUMBER = re.compile(r"[0-9A-Z]{4,34}")
_LOOKS_LIKE_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}")


class NoAccount(Refused):
    """The exchange has no bank account in this currency."""

    code = "no_bank_account"
    says = _("The exchange has no bank account in this currency.")
    next = _("Ask the exchange's operator to name one in BANK_ACCOUNTS.")


@dataclass(frozen=True)
class Account:
    """An account of the exchange. `number` is an IBAN or the bank's own number, without spaces."""

    currency: str
    name: str
    number: str
    bic: str


@dataclass(frozen=True)
class Payee:
    """Where money goes: written `account/BIC/holder` wherever one line must hold it."""

    number: str
    bic: str
    holder: str

    def __str__(self) -> str:
        return f"{self.number}/{self.bic}/{self.holder}"

    @property
    def is_iban(self) -> bool:
        return is_iban(self.number)


def ours() -> dict[str, Account]:
    """The exchange's accounts by currency."""
    return {
        currency: Account(currency, told["name"], number_of(told["number"]), told["bic"].upper())
        for currency, told in settings.BANK_ACCOUNTS.items()
    }


def ours_in(currency: str) -> Account:
    """The exchange's account in this currency. Raises NoAccount."""
    try:
        return ours()[currency]
    except KeyError:
        raise NoAccount(_("The exchange has no bank account in %(currency)s."), currency=currency) from None


def is_iban(number: str) -> bool:
    """Whether messages name it as an IBAN; otherwise it is the bank's own number."""
    return iban.is_valid(number, check_country=False)


def number_of(text: str) -> str:
    """The number without the spaces and hyphens people write into it."""
    return re.sub(r"[\s-]", "", text).upper()


def payee(text: str) -> Payee:
    """The account written `account/BIC/holder`. Raises Invalid `wrong_account`."""
    number, bank, holder = ([part.strip() for part in text.split("/", 2)] + ["", ""])[:3]
    number = number_of(number)
    if not _is_number(number) or not bic.is_valid(bank) or not 0 < len(holder) <= LONGEST_HOLDER:
        raise Invalid(
            _("“%(text)s” is no bank account that money can be sent to."),
            code="wrong_account",
            next=_("Write account/BIC/holder: the account number or IBAN, the BIC of its bank, and who holds it."),
            text=text[:120],
        )
    return Payee(number, bic.compact(bank), holder)


def as_written(number: str, bank: str, holder: str) -> str:
    """A payer in one line, as far as the bank names it."""
    known = (number_of(number)[:LONGEST_NUMBER], bank.strip().upper()[:11], " ".join(holder.split())[:LONGEST_HOLDER])
    return "/".join(known) if any(known) else ""


def wrong(currency: str, told: object) -> str:
    """What is wrong with an account of BANK_ACCOUNTS, or ''."""
    if currency not in money.EXPONENTS:
        return f"{currency!r} is no currency of ISO 4217."
    if not isinstance(told, dict) or any(not isinstance(told.get(part), str) or not told[part] for part in PARTS):
        return f"the account in {currency} needs {', '.join(PARTS)}."
    if not _is_number(number_of(told["number"])):
        return f"the number of the account in {currency} is no account number, or its check digits are wrong."
    if not bic.is_valid(told["bic"]):
        return f"the BIC of the account in {currency} is none."
    if len(told["name"]) > LONGEST_HOLDER:
        return f"the name of the account in {currency} is longer than {LONGEST_HOLDER} characters."
    return ""


def _is_number(number: str) -> bool:
    """An IBAN must have the right check digits; a bank's own number is taken as it is."""
    if _LOOKS_LIKE_IBAN.fullmatch(number):
        try:
            iban.validate(number, check_country=False)
        except ValidationError:
            return False
        return True
    return bool(_NUMBER.fullmatch(number))
