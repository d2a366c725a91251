"""What a statement says, whatever its form: booked movements of the exchange's accounts, checked one by one."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

from marketplace import clock, money
from marketplace.errors import Invalid, Text
from settlement.bank.accounts import Account

LONGEST_REFERENCE, LONGEST_TEXT = 35, 500
MOST_ENTRIES = 20_000
_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,5})?")
_REFERENCE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,33}[\x21-\x7e])?")


class AtFault(Exception):
    """One entry cannot be taken; the rest of its statement is. `code` is stable; WHY_LEFT_OUT says it in words."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


WHY_LEFT_OUT: dict[str, Text] = {
    "bad_amount": _("Its amount cannot be: it is negative, zero, too large, or has more decimals than its currency."),
    "wrong_currency": _("It is in another currency than its account."),
    "no_bank_reference": _("The bank gave it no reference, so it could be booked twice."),
    "bad_date": _("It has no day of booking."),
    "future_dated": _("It is dated in the future: a later statement brings it."),
    "twice_in_file": _("Its bank reference stands twice in the file."),
    "changed": _("An earlier statement brought this bank reference with another amount."),
    "parts_differ": _("Its parts do not sum to its amount."),
    "no_direction": _("It does not say whether money came or went."),
}


class WrongAccount(Invalid):
    """The statement is of an account that is not the exchange's."""

    code = "wrong_account"
    says = _("The statement is of an account that is not the exchange's.")
    next = _("Compare the account with BANK_ACCOUNTS.")


class WrongStatementCurrency(Invalid):
    """The statement is in another currency than the exchange's account."""

    code = "wrong_currency"
    says = _("The statement is in another currency than the exchange's account.")
    next = _("Compare the account and its currency with BANK_ACCOUNTS.")


class FutureStatement(Invalid):
    """The statement is dated in the future."""

    code = "future_dated"
    says = _("The statement is dated in the future.")
    next = _("Compare the clocks, and import it when its day has come.")


class DoesNotAddUp(Invalid):
    """The opening balance and the entries do not give the closing balance: something is missing."""

    code = "statement_does_not_add_up"
    says = _("The opening balance and the entries do not give the closing balance: something is missing.")
    next = _("Ask the bank for the whole statement.")


class TooManyEntries(Invalid):
    """The file holds more entries than are taken at once."""

    code = "too_many_entries"
    says = _("The file holds more entries than are taken at once.")
    next = _("Ask the bank for statements of shorter periods.")


@dataclass(frozen=True)
class Entry:
    """A booked movement. `references` and `text` are the payer's words; `end_to_end_id` is ours on money we sent."""

    account: Account
    bank_reference: str
    is_credit: bool
    amount_minor: int
    booked_on: dt.date
    text: str = ""
    payer: str = ""
    end_to_end_id: str = ""

    @property
    def name(self) -> tuple[str, str, str]:
        """What no two entries have in common."""
        return self.account.number, self.account.currency, self.bank_reference


@dataclass
class Told:
    """All that one file says: its entries, how many are not booked yet, and those at fault, with their place."""

    entries: list[Entry] = field(default_factory=list)
    unbooked: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)
    seen: int = 0

    def count(self) -> int:
        """The next entry's place in the file, from 1. Raises TooManyEntries."""
        self.seen += 1
        if self.seen > MOST_ENTRIES:
            raise TooManyEntries()
        return self.seen

    def leave_out(self, place: int, code: str, reference: str) -> None:
        self.refused.append({"entry": place, "code": code, "reference": reference[:LONGEST_REFERENCE]})

    def without_twins(self) -> None:
        """Leave out every entry whose name another one of this file has too."""
        places: dict[tuple[str, str, str], list[Entry]] = {}
        for entry in self.entries:
            places.setdefault(entry.name, []).append(entry)
        self.entries = []
        for twins in places.values():
            if len(twins) == 1:
                self.entries += twins
            else:
                self.leave_out(0, "twice_in_file", twins[0].bank_reference)


def amount(text: str, currency: str, account: Account) -> int:
    """Minor units of an amount above zero. Raises AtFault."""
    if currency != account.currency:
        raise AtFault("wrong_currency")
    if not _AMOUNT.fullmatch(text):
        raise AtFault("bad_amount")
    units, _point, decimals = text.partition(".")
    exponent = money.exponent(currency)
    if decimals[exponent:].strip("0"):
        raise AtFault("bad_amount")
    minor = int(units + decimals[:exponent].ljust(exponent, "0"))
    if not 0 < minor <= money.LARGEST_MINOR:
        raise AtFault("bad_amount")
    return minor


def day(text: str) -> dt.date:
    """The day of booking, which is not after today. Raises AtFault."""
    try:
        found = dt.date.fromisoformat(text[:10])
    except ValueError:
        raise AtFault("bad_date") from None
    if found > clock.today():
        raise AtFault("future_dated")
    return found


def reference(text: str) -> str:
    """The bank's own reference. Raises AtFault."""
    if not _REFERENCE.fullmatch(text):
        raise AtFault("no_bank_reference")
    return text
