"""Workers killed while they compare the books: a day is written down once, with each of its breaks once."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.conf import settings

from marketplace import clock
from marketplace.models import Event
from settlement import tasks
from settlement.models import Break, Payment, Reconciliation
from settlement.states import PaymentState
from tests import rows
from tests.crashes.dying import die_at

pytestmark = pytest.mark.django_db(transaction=True)

TASKS = {"settlement.tasks.reconcile_books"}
COMPARE = ["within settlement.reconciliation.reconcile", "after settlement.reconciliation.reconcile"]


@pytest.mark.parametrize("at", COMPARE)
def test_a_day_is_reconciled_once_whoever_dies_over_it(at: str, tmp_path: Path) -> None:
    payment, a_day_ago = rows.a_payment("sandbox"), clock.now() - dt.timedelta(days=1)
    Payment.objects.update(state=PaymentState.STARTED)
    Payment.objects.update(state=PaymentState.PAID, paid_at=a_day_ago)
    die_at(at, "settlement.tasks.reconcile_books", tmp_path)
    assert Reconciliation.objects.count() == (0 if at.startswith("within") else 1) and not Break.objects.exists()
    tasks.reconcile_books()
    assert {run.currency: run.found for run in Reconciliation.objects.all()} == {
        currency: int(currency == "HKD") for currency in settings.CURRENCIES
    }
    assert Break.objects.get().cause == payment.key
    assert Event.objects.filter(kind="break.found").count() == 1
