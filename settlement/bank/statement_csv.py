"""A bank's statement as CSV: one account, one line a booked entry, money that went with a minus.

A mapping says which column holds what, as `field=Column` pairs: `date` (YYYY-MM-DD or YYYYMMDD), `amount`, `reference`
(the bank's own) and `text` must be there; `currency`, `payer`, `payer_account`, `payer_bic` and `end_to_end` may.
"""

from __future__ import annotations

import csv
import io

from django.utils.translation import gettext_lazy as _

from marketplace.errors import Invalid
from settlement.bank import accounts
from settlement.bank.accounts import Account
from settlement.bank.entries import LONGEST_TEXT, AtFault, Entry, Told, amount, day, reference
from settlement.bank.messages import Unreadable

NEEDED = ("date", "amount", "reference", "text")
FIELDS = (*NEEDED, "currency", "payer", "payer_account", "payer_bic", "end_to_end")


class WrongColumns(Invalid):
    """The mapping of columns does not fit the file."""

    code = "wrong_columns"
    says = _("The mapping of columns does not fit the file.")
    next = _("Name a column for date, amount, reference and text, as the file's first line writes them.")


def columns_of(written: str) -> dict[str, str]:
    """The mapping written `date=Booked, amount=Sum`. Raises WrongColumns."""
    pairs = [pair.partition("=") for pair in written.split(",") if pair.strip()]
    columns = {name.strip(): column.strip() for name, _equals, column in pairs}
    if not set(NEEDED) <= set(columns) <= set(FIELDS) or not all(columns.values()):
        raise WrongColumns()
    return columns


def read(body: bytes, *, account: Account, columns: dict[str, str]) -> Told:
    """Every line of the file as a booked entry of this account. One at fault is left out, with its reason.

    Raises Unreadable, WrongColumns, TooManyEntries.
    """
    text = _decoded(body)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    told = Told()
    try:
        if not set(columns.values()) <= set(rows.fieldnames or []):
            raise WrongColumns()
        for row in rows:
            said = {name: " ".join((row[column] or "").split()) for name, column in columns.items()}
            place = told.count()
            try:
                told.entries.append(_entry(said, account))
            except AtFault as fault:
                told.leave_out(place, fault.code, said["reference"])
    except csv.Error as error:
        raise Unreadable(_("The file is no CSV: %(error)s."), error=str(error)[:120]) from None
    told.without_twins()
    return told


def _decoded(body: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):  # what banks of the Mainland save
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise Unreadable(_("The file is no text in UTF-8 or GB 18030."))


def _entry(said: dict[str, str], account: Account) -> Entry:
    written = said["amount"].replace(",", "")
    unsigned = written.removeprefix("-").removeprefix("+")
    on = said["date"]
    if len(on) == 8 and on.isdecimal():
        on = f"{on[:4]}-{on[4:6]}-{on[6:]}"
    return Entry(
        account=account,
        bank_reference=reference(said["reference"]),
        is_credit=not written.startswith("-"),
        amount_minor=amount(unsigned, said.get("currency") or account.currency, account),
        booked_on=day(on.replace("/", "-")),
        text=said["text"][:LONGEST_TEXT],
        payer=accounts.as_written(said.get("payer_account", ""), said.get("payer_bic", ""), said.get("payer", "")),
        end_to_end_id=said.get("end_to_end", "")[:35],
    )
