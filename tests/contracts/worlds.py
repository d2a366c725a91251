"""The world outside each gateway: how a test makes its payers and banks act. One class a driver, all alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from settlement.gateways import sandbox_bank, sandbox_signature
from settlement.models import Payment, SandboxNotice


class World(Protocol):
    good_account: str
    bad_account: str
    currency: str

    def pay(self, payment: Payment, amount_minor: int) -> None: ...

    def fail(self, payment: Payment) -> None: ...

    def contest(self, payment: Payment) -> None: ...

    def decide(self, payment: Payment, *, is_lost: bool) -> None: ...

    def post(self) -> list[tuple[bytes, Mapping[str, str]]]:
        """What the gateway posts now: each notice's body and headers, each once."""


class SandboxWorld:
    good_account = "account-of-a-payee"
    bad_account = "bounce-always"
    currency = "HKD"

    def pay(self, payment: Payment, amount_minor: int) -> None:
        sandbox_bank.act(_reference(payment), "pay", amount_minor=amount_minor)

    def fail(self, payment: Payment) -> None:
        sandbox_bank.act(_reference(payment), "fail")

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


WORLDS: dict[str, type[World]] = {"sandbox": SandboxWorld}
