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
    checks.register(stripe_is_whole)


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


def stripe_is_whole(**_kwargs: Any) -> list[Error]:
    """Stripe has both of its secrets, each of its own kind, and in production none of its test mode."""
    key, signing = settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRETS
    problems = []
    if bool(key) != bool(signing):
        problems.append(
            Error(
                "Of STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET only one is set, so there is no Stripe gateway.",
                hint="Set both, or none.",
                id="settlement.E004",
            )
        )
    if key and not key.startswith(("sk_live_", "sk_test_", "rk_live_", "rk_test_")):
        problems.append(
            Error("STRIPE_SECRET_KEY is no secret key.", hint="It begins with sk_ or rk_.", id="settlement.E005")
        )
    if not all(one.startswith("whsec_") for one in signing):
        problems.append(
            Error(
                "STRIPE_WEBHOOK_SECRET is no signing secret of an endpoint.",
                hint="It begins with whsec_; several are separated by commas.",
                id="settlement.E006",
            )
        )
    if key and "_test_" in key and not settings.DEBUG:
        problems.append(
            Error(
                "STRIPE_SECRET_KEY is of Stripe's test mode, where no money moves.",
                hint="Set the live key.",
                id="settlement.E007",
            )
        )
    if strange := sorted({*settings.STRIPE_CURRENCIES} - {*settings.CURRENCIES}):
        problems.append(
            Error(
                f"STRIPE_CURRENCIES names {', '.join(strange)}, which the exchange does not trade in.",
                hint=f"Name some of {', '.join(settings.CURRENCIES)}.",
                id="settlement.E008",
            )
        )
    return problems
