"""System checks of money: a gateway that is set half is refused before anybody pays to nowhere."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import Error

from marketplace.errors import Refused
from settlement.bank import accounts, statement_csv


def register() -> None:
    """Let every command that starts the exchange look first."""
    checks.register(bank_accounts_are_whole)


def bank_accounts_are_whole(**_kwargs: Any) -> list[Error]:
    """Every account of BANK_ACCOUNTS can be paid to, in a currency of the exchange, and the CSV's columns are named."""
    hint = 'Write {"HKD": {"name": …, "number": …, "bic": …}}, or unset BANK_ACCOUNTS.'
    told = settings.BANK_ACCOUNTS
    if not isinstance(told, dict):
        return [Error("BANK_ACCOUNTS is no JSON object.", hint=hint, id="settlement.E001")]
    wrong = [mistake for currency, account in told.items() if (mistake := accounts.wrong(currency, account))]
    wrong += [f"{currency!r} is no currency of CURRENCIES." for currency in sorted({*told} - {*settings.CURRENCIES})]
    problems = [Error(f"BANK_ACCOUNTS: {mistake}", hint=hint, id="settlement.E001") for mistake in wrong]
    try:
        statement_csv.columns_of(settings.BANK_CSV_COLUMNS)
    except Refused as refusal:
        problems.append(Error(f"BANK_CSV_COLUMNS: {refusal}", hint=str(refusal.next), id="settlement.E002"))
    if settings.DEFAULT_GATEWAY and settings.DEFAULT_GATEWAY not in settings.GATEWAYS:
        problems.append(
            Error(
                f"DEFAULT_GATEWAY {settings.DEFAULT_GATEWAY!r} is not configured.",
                hint=f"Name one of {', '.join(settings.GATEWAYS) or 'none'}.",
                id="settlement.E003",
            )
        )
    return problems
