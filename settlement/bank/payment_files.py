"""Files of payments for the bank (ISO 20022 pain.001): each instruction in one file, each file kept as it was made."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from compliance import holds
from marketplace import clock, journal, roles
from marketplace.errors import Refused
from marketplace.models import User, new_public_id
from marketplace.money import EXPONENTS
from settlement.bank import accounts
from settlement.models import BankFile, BankInstruction, Payout

MOST_INSTRUCTIONS = 2_000


class NothingToSend(Refused):
    """No instruction waits for a file in this currency."""

    code = "nothing_to_send"
    says = _("No instruction waits for a file in this currency.")
    next = _("Refunds and payouts come here by themselves when they are due.")


def waiting() -> QuerySet[BankInstruction]:
    """Instructions that stand in no file yet, oldest first."""
    return BankInstruction.objects.filter(file=None).order_by("pk")


def waiting_by_currency() -> list[dict[str, Any]]:
    """How many wait in each currency, and their sum in minor units."""
    sums = waiting().order_by().values("currency").annotate(number=Count("pk"), sum_minor=Sum("amount_minor"))
    return [dict(one) for one in sums.order_by("currency")]


@transaction.atomic
def make(currency: str, *, by: User) -> BankFile:
    """Gather what waits in this currency into one file, at most MOST_INSTRUCTIONS of them, the oldest first.

    Raises RoleNeeded, NoAccount, NothingToSend.
    """
    roles.require_staff(by, "match_payment")
    account = accounts.ours_in(currency)
    due = waiting().filter(currency=currency).exclude(key__in=_of_held_members(currency))
    rows = list(due.select_for_update()[:MOST_INSTRUCTIONS])
    if not rows:
        raise NothingToSend()
    message_id, now = f"DX{currency}{new_public_id()}"[:35], clock.now()
    body = _written(rows, account, message_id, now.isoformat(timespec="seconds"))
    file = BankFile.objects.create(
        message_id=message_id,
        currency=currency,
        account=account.number,
        number=len(rows),
        sum_minor=sum(row.amount_minor for row in rows),
        digest=hashlib.sha256(body).hexdigest(),
        body=body,
        made_at=now,
        by=by,
    )
    BankInstruction.objects.filter(pk__in=[row.pk for row in rows]).update(file=file)
    journal.record("bank.file_made", file, by=by, digest=file.digest, number=file.number, sum_minor=file.sum_minor)
    return file


def _of_held_members(currency: str) -> list[str]:
    """The keys of payouts that wait and whose member is held meanwhile: they stay for a later file."""
    keys = waiting().filter(kind=BankInstruction.Kind.PAYOUT, currency=currency).order_by().values("key")
    payees = dict(Payout.objects.filter(key__in=keys).values_list("key", "organisation"))
    held = {subject_id for _kind, subject_id in holds.lying_on(organisations=set(payees.values()))}
    return [key for key, organisation in payees.items() if organisation in held]


def _written(rows: list[BankInstruction], account: accounts.Account, message_id: str, made_at: str) -> bytes:
    context = {
        "account": account,
        "account_is_iban": accounts.is_iban(account.number),
        "message_id": message_id,
        "made_at": made_at,
        "day": clock.today().isoformat(),
        "number": len(rows),
        "sum": _amount(sum(row.amount_minor for row in rows), account.currency),
        "transfers": [
            {
                "end_to_end_id": row.end_to_end_id,
                "amount": _amount(row.amount_minor, row.currency),
                "payee": accounts.payee(row.payee),
                "key": row.key,
            }
            for row in rows
        ],
    }
    return render_to_string("settlement/pain.001.xml", context).encode()


def _amount(minor: int, currency: str) -> str:
    """As messages write it: a point before the decimals, nothing between the digits."""
    exponent = EXPONENTS[currency]
    units, decimals = divmod(minor, 10**exponent)
    return f"{units}.{decimals:0{exponent}d}" if exponent else str(units)
