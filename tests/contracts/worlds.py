"""The world outside each gateway: how a test makes its payers and banks act. One class a driver, all alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from settlement.bank import payment_files, reports
from settlement.bank.references import in_groups
from settlement.gateways import Movement, sandbox_bank, sandbox_signature
from settlement.gateways.bank import headers_of
from settlement.models import Notice, Payment, SandboxNotice
from tests import bank_messages
from tests.bank_messages import Line
from tests.contracts.stripe_world import StripeWorld
from tests.factories import make_staff


class World(Protocol):
    """Made with the settings to change; whoever made it closes it."""

    good_account: str
    bad_account: str
    bad_payer: str  # takes nothing back
    contesting_payer: str  # whose payment is contested, here by `contest`
    currency: str

    def pay(self, payment: Payment, amount_minor: int, payer: str = "") -> None:
        """Somebody pays: the same one each time, or `payer`. Where only exact sums are taken, no other comes."""

    def fail(self, payment: Payment) -> bool:
        """Whether this world can make a payment fail."""

    def contest(self, payment: Payment) -> None: ...

    def decide(self, payment: Payment, *, is_lost: bool) -> None: ...

    def post(self) -> list[tuple[bytes, Mapping[str, str]]]:
        """What the gateway posts now: each notice's body and headers, each once."""

    def of_this_test(self, lines: Sequence[Movement]) -> list[Movement]:
        """Those of the gateway's own books that are of what the test did."""

    def close(self) -> None: ...


class SandboxWorld:
    good_account = "account-of-a-payee"
    bad_account = bad_payer = "bounce-always"
    contesting_payer = ""
    currency = "HKD"

    def __init__(self, settings: Any) -> None:
        """It is configured."""

    def close(self) -> None:
        """Nothing was opened."""

    def pay(self, payment: Payment, amount_minor: int, payer: str = "") -> None:
        sandbox_bank.act(_reference(payment), "pay", amount_minor=amount_minor, account=payer)

    def fail(self, payment: Payment) -> bool:
        sandbox_bank.act(_reference(payment), "fail")
        return True

    def of_this_test(self, lines: Sequence[Movement]) -> list[Movement]:
        return list(lines)

    def contest(self, payment: Payment) -> None:
        sandbox_bank.act(_reference(payment), "charge_back")

    def decide(self, payment: Payment, *, is_lost: bool) -> None:
        sandbox_bank.act(_reference(payment), "lose_chargeback" if is_lost else "win_chargeback")

    def post(self) -> list[tuple[bytes, Mapping[str, str]]]:
        rows = SandboxNotice.objects.filter(posted_at=None).order_by("pk")
        bodies = [row.body.encode() for row in rows]
        rows.update(posted_at="2026-01-01T00:00Z")
        return [(body, {sandbox_signature.HEADER: sandbox_signature.sign(body)}) for body in bodies]


def _reference(payment: Payment) -> str:
    return sandbox_bank.reference_of("payment", payment.key)


class BankWorld:
    """A bank whose staff bring its files in and take ours out. No payment fails there, and none is contested."""

    good_account = bank_messages.PAYER
    contesting_payer = ""
    bad_account = bad_payer = "GB33BUKB20201555555555/BUKBGB22/A Closed Account"
    currency = "HKD"

    def __init__(self, settings: Any) -> None:
        settings.BANK_ACCOUNTS = bank_messages.ACCOUNTS
        self.lines: list[Line] = []
        self.posted: set[str] = set()

    def close(self) -> None:
        """Nothing was opened."""

    def pay(self, payment: Payment, amount_minor: int, payer: str = "") -> None:
        reference = in_groups(payment.bank_reference.reference)
        self.lines.append(Line(amount_minor, text=f"Invoice 7 {reference}", payer=payer or self.good_account))

    def fail(self, payment: Payment) -> bool:
        """Money that does not come is nothing a bank tells of."""
        return False

    def of_this_test(self, lines: Sequence[Movement]) -> list[Movement]:
        return list(lines)

    def contest(self, payment: Payment) -> None:
        """A transfer cannot be contested by who sent it."""

    def decide(self, payment: Payment, *, is_lost: bool) -> None:
        """Nothing was contested."""

    def post(self) -> list[tuple[bytes, Mapping[str, str]]]:
        officer = make_staff("payments")
        if payment_files.waiting().exists():
            file = payment_files.make(self.currency, by=officer)
            refused = []
            for one in file.instructions.order_by("pk"):
                if one.payee == self.bad_account:
                    refused.append((one.end_to_end_id, "RJCT"))
                else:
                    self.lines.append(bank_messages.debit_of(one))
            if refused:
                reports.take_pain002(bank_messages.pain002(refused, file=file.message_id), by=officer)
        if self.lines:
            reports.take_camt053(bank_messages.camt053(self.lines), by=officer)
        self.lines = []
        new = [row for row in Notice.objects.filter(gateway="bank").order_by("pk") if row.event_id not in self.posted]
        self.posted |= {row.event_id for row in new}
        return [(row.body.encode(), headers_of(row.body.encode())) for row in new]


WORLDS: dict[str, type[World]] = {"bank": BankWorld, "sandbox": SandboxWorld, "stripe": StripeWorld}
