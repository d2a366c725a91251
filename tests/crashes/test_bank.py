"""Workers killed beside the bank: it is asked for a payment once, and told to send money once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from settlement import ledger, payments, tasks
from settlement.bank import payment_files, reports
from settlement.models import BankInstruction, BankReference, Payment, Refund, Unmatched
from settlement.states import OutgoingState, PaymentState
from tests import bank_messages, factories, rows
from tests.bank_messages import Line, camt053
from tests.crashes.dying import die_at, let_claims_lapse

pytestmark = pytest.mark.django_db(transaction=True)

START = "after settlement.gateways.bank.Bank.start"
SEND = "after settlement.gateways.bank.Bank.refund"


@pytest.fixture(autouse=True)
def bank(settings: Any) -> None:
    settings.GATEWAYS = settings.GATEWAYS | {"bank": "settlement.gateways.bank.Bank"}
    settings.BANK_ACCOUNTS = bank_messages.ACCOUNTS


def test_a_buyer_is_given_one_reference(tmp_path: Path) -> None:
    payment = rows.a_payment("bank")
    die_at(START, "settlement.tasks.start_payments", tmp_path)
    reference = BankReference.objects.get()
    let_claims_lapse()
    tasks.start_payments()
    assert BankReference.objects.get() == reference
    payment = Payment.objects.get(pk=payment.pk)
    assert (payment.state, payment.reference) == (PaymentState.STARTED, reference.reference)


def test_money_is_put_down_for_the_bank_once(tmp_path: Path) -> None:
    officer = factories.make_staff("payments")
    reports.take_camt053(camt053([Line(500)]), by=officer)
    tasks.read_notices()
    payments.return_unmatched(Unmatched.objects.get(), by=officer)
    die_at(SEND, "settlement.tasks.pay_refunds", tmp_path)
    assert (BankInstruction.objects.count(), Refund.objects.get().state) == (1, OutgoingState.DUE)
    file = payment_files.make("HKD", by=officer)
    reports.take_camt053(camt053([bank_messages.debit_of(file.instructions.get())]), by=officer)
    tasks.read_notices()  # the bank is faster than the worker that comes after the dead one
    let_claims_lapse()
    tasks.pay_refunds()
    assert BankInstruction.objects.count() == 1 and Refund.objects.get().state == OutgoingState.PAID
    assert ledger.balance(ledger.outside("bank", "HKD")) == 0
