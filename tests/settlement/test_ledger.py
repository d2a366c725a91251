"""The ledger: both sides or nothing, once per key, never below a floor."""

from __future__ import annotations

import threading

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from settlement import ledger
from settlement.models import Account, Transfer

move = transaction.atomic(ledger.transfer)


def suspense(name: str, currency: str = "CNY") -> Account:
    return ledger.suspense("sandbox", name, currency)


@pytest.mark.django_db
def test_a_transfer_moves_both_sides_once_per_key():
    outside, ann = ledger.outside("sandbox", "CNY"), suspense("ann")
    ledger.transfer("k1", debit=outside, credit=ann, amount_minor=500)
    ledger.transfer("k1", debit=outside, credit=ann, amount_minor=500)
    assert Transfer.objects.count() == 1
    assert (ledger.balance(ann), ledger.balance(outside)) == (500, -500)
    assert ledger.totals() == {"CNY": {"suspense": 500, "outside": -500}}
    assert ledger.reconcile() == []


@pytest.mark.django_db
def test_a_key_moves_only_what_it_moved_first():
    outside, ann = ledger.outside("sandbox", "CNY"), suspense("ann")
    ledger.transfer("k1", debit=outside, credit=ann, amount_minor=500)
    with pytest.raises(ledger.KeyMismatch):
        ledger.transfer("k1", debit=outside, credit=ann, amount_minor=501)
    assert ledger.balance(ann) == 500


@pytest.mark.django_db
def test_an_account_with_a_floor_is_not_overdrawn():
    ann, bob = suspense("ann"), suspense("bob")
    ledger.transfer("in", debit=ledger.outside("sandbox", "CNY"), credit=ann, amount_minor=100)
    with pytest.raises(ledger.Overdrawn, match="holds 100, not 101"):
        ledger.transfer("k", debit=ann, credit=bob, amount_minor=101)
    with pytest.raises(IntegrityError, match="account_with_a_floor_is_not_overdrawn"), transaction.atomic():
        Transfer.objects.create(key="raw", debit=ann, credit=bob, amount_minor=101)
    assert (ledger.balance(ann), ledger.balance(bob)) == (100, 0)


@pytest.mark.django_db
def test_currencies_never_mix():
    ann, bob = suspense("ann"), suspense("bob", "HKD")
    with pytest.raises(ledger.CurrencyMismatch):
        ledger.transfer("k", debit=ledger.outside("sandbox", "CNY"), credit=bob, amount_minor=1)
    with pytest.raises(IntegrityError, match="stays in one currency"), transaction.atomic():
        Transfer.objects.create(key="raw", debit=ledger.outside("sandbox", "CNY"), credit=bob, amount_minor=1)
    assert not Transfer.objects.exists() and ledger.balance(ann) == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE settlement_account SET balance_minor = 1000000",
        "UPDATE settlement_account SET currency = 'HKD'",
        "DELETE FROM settlement_account",
        "TRUNCATE settlement_account CASCADE",
        "UPDATE settlement_transfer SET amount_minor = 1",
        "DELETE FROM settlement_transfer",
        "TRUNCATE settlement_transfer CASCADE",
        "INSERT INTO settlement_transfer (key, debit_id, credit_id, amount_minor, at)"
        " SELECT 'zero', min(id), max(id), 0, now() FROM settlement_account",
        "INSERT INTO settlement_transfer (key, debit_id, credit_id, amount_minor, at)"
        " SELECT 'self', min(id), min(id), 5, now() FROM settlement_account",
        "INSERT INTO settlement_account (name, kind, currency, has_floor, balance_minor)"
        " VALUES ('gift', 'payable', 'CNY', true, 5)",
    ],
)
def test_database_refuses_to_cook_the_books(statement):
    ledger.transfer("in", debit=ledger.outside("sandbox", "CNY"), credit=suspense("ann"), amount_minor=100)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic():
            cursor.execute(statement)
    assert ledger.totals() == {"CNY": {"suspense": 100, "outside": -100}}
    assert ledger.reconcile() == []


class AnyTransfers(TestCase):
    @settings(max_examples=25)
    @given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 300)), max_size=12))
    def test_the_books_sum_to_zero_whatever_is_tried(self, moves):
        accounts = [ledger.outside("sandbox", "CNY"), *(suspense(name) for name in ("ann", "bob", "eve"))]
        for number, (debit, credit, amount) in enumerate(moves):
            if debit == credit:
                continue
            try:
                ledger.transfer(f"m{number}", debit=accounts[debit], credit=accounts[credit], amount_minor=amount)
            except ledger.Overdrawn:
                assert ledger.balance(accounts[debit]) < amount
        assert ledger.reconcile() == []
        assert sum(ledger.balance(account) for account in accounts) == 0
        assert all(ledger.balance(account) >= 0 for account in accounts[1:])


@pytest.mark.django_db(transaction=True)
def test_opposed_transfers_do_not_deadlock_and_lose_nothing():
    ann, bob = suspense("ann"), suspense("bob")
    outside = ledger.outside("sandbox", "CNY")
    for account in (ann, bob):
        move(f"in-{account.pk}", debit=outside, credit=account, amount_minor=1000)
    failures: list[BaseException] = []
    start = threading.Barrier(6)

    def push(worker: int) -> None:
        try:
            start.wait(timeout=30)
            debit, credit = (ann, bob) if worker % 2 else (bob, ann)
            for number in range(20):
                move(f"t-{worker}-{number}", debit=debit, credit=credit, amount_minor=7)
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=push, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert (ledger.balance(ann), ledger.balance(bob)) == (1000, 1000)
    assert Transfer.objects.count() == 122
    assert ledger.reconcile() == []


@pytest.mark.django_db(transaction=True)
def test_six_spenders_of_one_balance_never_overdraw_it():
    ann = suspense("ann")
    move("in", debit=ledger.outside("sandbox", "CNY"), credit=ann, amount_minor=100)
    payees = [suspense(f"payee{number}") for number in range(6)]
    start, results = threading.Barrier(6), []

    def spend(number: int) -> None:
        start.wait(timeout=30)
        try:
            move(f"spend-{number}", debit=ann, credit=payees[number], amount_minor=60)
            results.append("paid")
        except ledger.Overdrawn:
            results.append("overdrawn")
        finally:
            connection.close()

    threads = [threading.Thread(target=spend, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(results) == ["overdrawn"] * 5 + ["paid"]
    assert ledger.balance(ann) == 40
