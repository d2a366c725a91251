"""Three books, compared every day: one break of each kind is planted and named; what it blocks, and what lifts that."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from django.db.models import QuerySet

from marketplace import clock
from marketplace.errors import Invalid, RoleNeeded, WrongState
from marketplace.models import Event, Membership
from settlement import due, ledger, payments, reconciliation, tasks, trades
from settlement.gateways import Movement, Paid, sandbox_bank
from settlement.models import Break, GatewayMovement, Payment, Reconciliation, Refund, Transfer, Unmatched
from settlement.reconciliation import BooksDoNotAgree
from settlement.states import CycleState, MovementKind, PaymentState, TradeState
from tests import factories, races, rows, trading

DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def two_currencies(settings: Any) -> None:
    settings.CURRENCIES = ["HKD", "EUR"]


def heard(event: str, amount_minor: int = 500, *, payment: Payment | None = None) -> Unmatched:
    """Money that a gateway told us of, in our books."""
    fact = Paid(event, "", amount_minor, "HKD", "a payer")
    with transaction.atomic():
        found = payments.put_in_suspense(fact, gateway_name="sandbox", payment=payment, why="unknown_payment")
    assert found is not None
    return found


def told(reference: str, amount_minor: int = 500, key: str = "", kind: str = MovementKind.PAYMENT) -> None:
    """A line in the gateway's own books of today."""
    line = Movement(reference, key, MovementKind(kind), amount_minor, "HKD", clock.today())
    reconciliation.take_in("sandbox", [line])


def found(rows: QuerySet[Break] | None = None) -> dict[str, str]:
    """The open breaks: each cause with its kind."""
    return dict((Break.objects.filter(ended_at=None) if rows is None else rows).values_list("cause", "kind"))


def explain(broken: Break) -> Break:
    return reconciliation.explain(
        broken, reason_code="gateway_mistake", reason="They sent it twice.", by=factories.make_staff("clearing")
    )


@pytest.mark.django_db
def test_a_day_of_trades_that_went_every_way_agrees_to_the_cent():
    settled = trading.make_trade(TradeState.SETTLED)
    odd = trading.make_trade(TradeState.REGISTERED)
    trading.pay(odd, "pay_twice")
    officer = factories.make_staff("payments")
    payments.return_unmatched(Unmatched.objects.get(), by=officer)
    trading.work()
    sandbox_bank.act(Refund.objects.get().reference, "bounce")
    for what in ("charge_back", "lose_chargeback"):
        trading.pay(odd, what)
    assert odd.state == TradeState.REFUNDED and Refund.objects.get().state == "bounced"
    today, sent_minor = clock.today(), 125_000 - 3_125
    with clock.moved_to(clock.now() + DAY):
        tasks.reconcile_books()
        tasks.reconcile_books()
        assert not due.books().detail
    empty, of_hkd = Reconciliation.objects.order_by("currency")
    assert (empty.currency, empty.compared, empty.ledger_lines, empty.gateway_lines) == ("EUR", 0, 0, 0)
    assert (of_hkd.day, of_hkd.run, of_hkd.found, of_hkd.in_transit) == (today, 1, 0, 0)
    # three payments, a payout, a refund there and back, a chargeback
    assert (of_hkd.ledger_minor, of_hkd.ledger_lines) == (3 * 125_000 - sent_minor - 125_000, 7)
    assert (of_hkd.gateway_minor, of_hkd.gateway_lines) == (of_hkd.ledger_minor, 7)
    assert (of_hkd.records_minor, of_hkd.records_lines) == (of_hkd.ledger_minor, 5)
    # two payments, a payout, a refund, a chargeback, and two trades
    assert of_hkd.compared == 7 and len(of_hkd.digest) == 64
    assert sum(kept.amount_minor for kept in GatewayMovement.objects.all()) == of_hkd.ledger_minor
    assert set(GatewayMovement.objects.values_list("kind", flat=True)) == {
        "payment", "payout", "refund", "returned", "chargeback",
    }  # fmt: skip
    assert Event.objects.filter(kind="books.reconciled").count() == 2
    assert settled.state == TradeState.SETTLED


@pytest.mark.django_db
def test_a_break_of_each_kind_is_named(settings):
    heard("only-ours")
    told("only-theirs")
    heard("less")
    told("less", 499)
    paid, unfunded = rows.a_payment("sandbox"), rows.a_payment("sandbox")
    Payment.objects.filter(pk__in=[paid.pk, unfunded.pk]).update(state=PaymentState.STARTED)
    Payment.objects.filter(pk__in=[paid.pk, unfunded.pk]).update(state=PaymentState.PAID, paid_at=clock.now())
    ledger.transfer(
        f"paid-{unfunded.key}",
        debit=ledger.outside("sandbox", "HKD"),
        credit=ledger.escrow(unfunded.trade),
        amount_minor=10_000,
    )
    told("unfunded", 10_000, unfunded.key)
    payments.return_unmatched(heard("came"), by=factories.make_staff("payments"))
    told("came")
    tasks.pay_refunds()
    refund = Refund.objects.get()
    told("sent again", -500, refund.key, MovementKind.REFUND)
    at_once = {
        "less": "amount_differs",
        paid.key: "not_posted",
        unfunded.trade.public_id: "trade_says_otherwise",
        refund.key: "twice",
    }
    with clock.moved_to(clock.now() + DAY):
        tasks.reconcile_books()
        first = Reconciliation.objects.get(currency="HKD")
        assert found() == at_once
        assert (first.found, first.in_transit) == (4, 2), "what only one side booked may still come"
    with clock.moved_to(clock.now() + 2 * DAY):
        tasks.reconcile_books()
        assert found() == at_once | {"only-ours": "only_in_ledger", "only-theirs": "only_at_gateway"}
        assert "6 open breaks" in due.books().detail
    second = Reconciliation.objects.get(currency="HKD", day=first.day + DAY)
    assert (second.found, second.in_transit, second.ledger_lines, second.gateway_lines) == (2, 0, 0, 0)
    twice, unposted = Break.objects.get(cause=refund.key), Break.objects.get(cause=paid.key)
    assert (twice.ledger_minor, twice.gateway_minor, twice.records_minor) == (-500, -1_000, -500)
    assert (unposted.ledger_minor, unposted.gateway_minor, unposted.records_minor) == (0, 0, 10_000)
    assert unposted.trade == paid.trade and found(Break.objects.filter(trade=unfunded.trade)).keys() == {
        unfunded.trade.public_id
    }
    assert Event.objects.filter(kind="break.found").count() == 6
    assert set(Break.objects.values_list("kind", flat=True)) == set(Break.Kind.values)


@pytest.mark.django_db
def test_a_side_that_arrives_late_ends_its_break_and_an_explained_one_is_not_found_again():
    now = clock.now().replace(hour=4)  # noon in Shanghai: two hours later it is still the same day
    with clock.moved_to(now):
        heard("late"), told("charge", -30, kind=MovementKind.FEE)
    with clock.moved_to(now + DAY):
        tasks.reconcile_books()
    with clock.moved_to(now + 2 * DAY):
        tasks.reconcile_books()
        assert found() == {"late": "only_in_ledger", "charge": "only_at_gateway"}
        charge = explain(Break.objects.get(cause="charge"))
        told("late")
        tasks.reconcile_books()
        assert found() == {"late": "only_in_ledger"}, "the books are looked at anew after an hour"
    with clock.moved_to(now + 2 * DAY + 2 * reconciliation.AGAIN_AFTER):
        tasks.reconcile_books()
    assert found() == {}
    last = Reconciliation.objects.get(run=2)
    assert (last.currency, last.found, last.resolved) == ("HKD", 0, 1)
    late = Break.objects.get(cause="late")
    assert (late.resolved_by, late.explained_by, charge.resolved_by) == (last, None, None)
    assert Event.objects.filter(kind__in=["break.resolved", "break.explained"]).count() == 2
    with clock.moved_to(now + 3 * DAY):
        tasks.reconcile_books()
    assert found() == {} and Break.objects.count() == 2


@pytest.mark.django_db
def test_an_open_break_keeps_its_currency_from_being_cleared_until_it_is_explained():
    deal = trading.make_trade(TradeState.ACCEPTED)
    now, officer = clock.now(), factories.make_staff("clearing")
    told("more", 7, deal.payment.key)
    cycle = trading.close_now(by=officer)
    for days in (1, 2):
        with clock.moved_to(now + days * DAY):
            tasks.reconcile_books()
    broken = Break.objects.get()
    assert (broken.kind, broken.trade, broken.gateway_minor) == ("only_at_gateway", deal.trade, 125_007)
    before = Transfer.objects.count()
    with pytest.raises(BooksDoNotAgree, match=f"books of HKD do not agree, so cycle {cycle.number} is not") as refusal:
        trades.release(cycle, by=officer)
    assert refusal.value.code == "books_do_not_agree" and refusal.value.next
    tasks.clear_cycles()
    with pytest.raises(IntegrityError, match="whose books do not agree"), transaction.atomic():
        type(cycle).objects.filter(pk=cycle.pk).update(state=CycleState.RELEASED)
    cycle.refresh_from_db()
    assert (cycle.state, deal.state, Transfer.objects.count()) == (CycleState.CLOSED, TradeState.ACCEPTED, before)
    said = {"reason_code": "gateway_mistake", "reason": "Seven cents of interest."}
    with pytest.raises(RoleNeeded):
        reconciliation.explain(broken, **said, by=factories.make_staff("disputes"))
    partial = factories.make_staff("clearing")
    Membership.objects.create(user=partial, organisation=deal.trade.buyer, role="viewer")
    for change, code, by in (
        ({}, "own_interest", partial),
        ({"reason": " "}, "reason_needed", officer),
        ({"reason_code": "because"}, "unknown_reason", officer),
    ):
        with pytest.raises(Invalid) as refused:
            reconciliation.explain(broken, **said | change, by=by)
        assert refused.value.code == code
    assert found() == {deal.payment.key: "only_at_gateway"}
    reconciliation.explain(broken, **said, by=factories.make_staff("payments"))
    with pytest.raises(WrongState):
        reconciliation.explain(broken, **said, by=officer)
    tasks.clear_cycles()
    assert deal.state == TradeState.CLEARED
    event = Event.objects.get(kind="break.explained")
    assert event.facts == {
        "reason_code": "gateway_mistake", "difference": "only_at_gateway", "cause": deal.payment.key,
    }  # fmt: skip


@pytest.mark.django_db
def test_the_database_keeps_what_was_compared_and_found():
    told("charge", -30, kind=MovementKind.FEE)
    told("charge", -40, kind=MovementKind.FEE)
    line = GatewayMovement.objects.get()
    assert line.amount_minor == -30, "a line is kept as it was first told"
    for days in (1, 2):
        with clock.moved_to(clock.now() + days * DAY):
            tasks.reconcile_books()
    run, broken = Reconciliation.objects.filter(currency="HKD").last(), Break.objects.get()
    copy, same_run = (
        {field.attname: getattr(row, field.attname) for field in row._meta.fields if field.name != "id"}
        for row in (broken, run)
    )
    forbidden = [
        lambda: GatewayMovement.objects.update(amount_minor=1),
        lambda: GatewayMovement.objects.all().delete(),
        lambda: Reconciliation.objects.update(ledger_minor=1),
        lambda: Reconciliation.objects.filter(pk=run.pk).delete(),
        lambda: Break.objects.update(gateway_minor=0),
        lambda: Break.objects.all().delete(),
        lambda: Break.objects.update(ended_at=clock.now()),
        lambda: Break.objects.update(ended_at=clock.now(), explained_by=factories.make_staff("clearing")),
        lambda: Break.objects.create(**copy),
        lambda: Break.objects.create(**copy | {"cause": "born ended", "ended_at": clock.now(), "resolved_by": run}),
        lambda: Break.objects.create(**copy | {"cause": "none", "gateway_minor": None, "records_minor": 0}),
        lambda: GatewayMovement.objects.create(
            gateway="sandbox", reference="nothing", booked_on=run.day, cause="x", amount_minor=0, currency="HKD"
        ),
        lambda: Reconciliation.objects.create(**same_run),
    ]
    for number, write in enumerate(forbidden):
        with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic():
            write()
            pytest.fail(f"write {number} went through")
    explain(broken)
    with pytest.raises(ProgrammingError), transaction.atomic():
        Break.objects.update(reason="Another.")
    assert Break.objects.get().reason == "They sent it twice."


@pytest.mark.django_db(transaction=True)
def test_two_workers_reconcile_a_day_once():
    heard("ours"), told("theirs", 501, "")
    day = clock.today()
    with clock.moved_to(clock.now() + 3 * DAY):
        answers = races.together([lambda: reconciliation.reconcile("sandbox", "HKD", day)] * 4)
    assert answers == ["done"] * 4
    assert Reconciliation.objects.get().run == 1 and Event.objects.filter(kind="books.reconciled").count() == 1
