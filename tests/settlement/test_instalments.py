"""Instalments before delivery: parts of a price that come to escrow one after the other."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers

from listings import discounts, payment_plans
from listings.models import Offer
from marketplace import clock, journal, notifications
from marketplace.errors import Invalid
from marketplace.models import Event, Notification
from settlement import instalments, ledger, library, payments, presenting, tasks, trades, webhook_events
from settlement.gateways import Bounds, gateway, sandbox_bank, sandbox_signature
from settlement.models import Break, Instalment, Payment, Reconciliation, Refund, Reminder, SandboxNotice
from settlement.states import OutgoingState, PaymentState, TradeState
from tests import factories, money_proofs, trading
from tests.trading import Deal, kinds_recorded

pytestmark = pytest.mark.django_db

THREE = [
    {"basis_points": 3000, "due_days": 0},
    {"basis_points": 4000, "due_days": 30},
    {"basis_points": 3000, "due_days": 60},
]


def make_offer(plan: Any = THREE, **changes: Any) -> Offer:
    return trading.make_offer(trading.make_market()[0], **{"instalments": plan, "price_minor": 100_001} | changes)


def registered(**changes: Any) -> Deal:
    """A trade of three instalments whose first one can be paid."""
    offer = make_offer(**changes)
    deal = trading.propose(offer, buyer=trading.make_market()[1])
    trading.work()
    assert deal.state == TradeState.REGISTERED, deal.trade.error
    return deal


def pay(deal: Deal, what: str = "pay", **how: Any) -> None:
    """Pay what is asked for, and let the workers ask for the next."""
    trading.pay(deal, what, **how)
    trading.work()


def later(days: float) -> Any:
    return clock.moved_to(clock.now() + dt.timedelta(days=days))


def proven() -> None:
    """What is looked at when a transaction ends is looked at now."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    money_proofs.prove()


# --- the plan ------------------------------------------------------------------------------------------------------


@given(
    price=st.integers(1, 2**53 - 1),
    cuts=st.lists(st.integers(1, 9_999), min_size=1, max_size=11, unique=True),
)
def test_no_minor_unit_is_lost_or_made(price: int, cuts: list[int]) -> None:
    """In minor units, so in yen and in thousandths of a dinar as in cents; each within a unit of its share."""
    edges = [0, *sorted(cuts), 10_000]
    plan: Any = [{"basis_points": b - a, "due_days": a} for a, b in zip(edges, edges[1:], strict=False)]
    found = payment_plans.amounts(price, plan)
    assert sum(found) == price
    for minor, part in zip(found[:-1], plan, strict=False):
        assert 0 <= price * part["basis_points"] - minor * 10_000 < 10_000
    assert 0 <= found[-1] * 10_000 - price * plan[-1]["basis_points"] < len(plan) * 10_000


def test_whole_road() -> None:
    deal = registered()
    assert [row.amount_minor for row in deal.trade.instalments.all()] == [30_000, 40_000, 30_001]
    for number, minor in enumerate([30_000, 40_000, 30_001], 1):
        assert (deal.payment.instalment, deal.payment.amount_minor) == (number, minor)
        assert deal.state == TradeState.REGISTERED
        pay(deal)
    assert deal.state == TradeState.DELIVERED
    proven()
    trades.accept(deal.trade, by=deal.buyer)
    trading.clear_now()
    assert deal.state == TradeState.SETTLED
    proven()
    assert kinds_recorded(deal.trade).count("trade.instalment_paid") == 3


# --- what is late, cancelled or refused ----------------------------------------------------------------------------


def test_a_late_instalment_ends_the_trade_and_all_goes_back() -> None:
    deal = registered(currency="JPY")
    pay(deal)
    pay(deal)
    with later(59):
        tasks.expire_trades()
        assert deal.state == TradeState.REGISTERED
    with later(60.1):
        tasks.expire_trades()
        assert deal.state == TradeState.EXPIRED
        trading.work()
        trading.work()
    refunds = deal.trade.refunds.order_by("pk").values_list("payment__instalment", "amount_minor", "state")
    assert list(refunds) == [(2, 40_000, OutgoingState.PAID), (1, 30_000, OutgoingState.PAID)]
    assert ledger.balance(ledger.escrow(deal.trade)) == 0
    assert deal.payment.state == PaymentState.STOPPED
    proven()


def test_the_next_day_begins_when_an_instalment_is_paid() -> None:
    """Each is due so many days after registration, and none before the usual time for payment has passed."""
    deal = registered()
    begun = deal.trade.registered_at
    assert begun is not None
    for days in (settings.FUND_WITHIN_DAYS, 30, 60):
        assert deal.reload().fund_until == begun + dt.timedelta(days=days)
        pay(deal)


def test_each_instalment_is_reminded_of_once() -> None:
    deal = registered()
    with later(5.5):
        for _again in range(2):
            tasks.remind_parties()
        pay(deal)
        tasks.remind_parties()
        assert Reminder.objects.count() == 1
    with later(28.5):
        tasks.remind_parties()
    assert list(Reminder.objects.order_by("pk").values_list("until", flat=True)) == [
        deal.trade.registered_at + dt.timedelta(days=days)  # type: ignore[operator]
        for days in (settings.FUND_WITHIN_DAYS, 30)
    ]


def test_a_buyer_cancels_between_two_instalments() -> None:
    deal = registered()
    pay(deal)
    trades.cancel(deal.trade, reason="No budget.", by=deal.buyer)
    assert deal.state == TradeState.CANCELLED
    event = Event.objects.get(kind="trade.cancelled", subject_id=deal.trade.pk)
    assert event.facts == {"refund_minor": 30_000}
    trading.work()
    trading.work()
    assert deal.trade.refunds.get().state == OutgoingState.PAID
    proven()


def test_money_for_a_trade_that_ended_half_paid_goes_back() -> None:
    deal = registered()
    pay(deal)
    reference = deal.payment.reference
    trades.cancel(deal.trade, by=deal.buyer)
    sandbox_bank.act(reference, "pay")
    trading.work()
    assert deal.payment.unmatched.get().why == "too_late"
    proven()


@pytest.mark.parametrize(("sent", "why"), [("pay_less", "wrong_amount"), ("pay_more", "wrong_amount")])
def test_what_is_not_the_instalment_waits_for_the_desk(sent: str, why: str) -> None:
    deal = registered()
    pay(deal, sent)
    assert deal.payment.unmatched.get().why == why
    assert deal.state == TradeState.REGISTERED and not deal.trade.instalments.exclude(paid_at=None).exists()
    proven()


def test_an_instalment_paid_twice_pays_once() -> None:
    deal = registered()
    first = deal.payment
    pay(deal, "pay_twice")
    assert first.unmatched.get().why == "paid_twice"
    assert deal.trade.instalments.exclude(paid_at=None).count() == 1
    proven()


def test_the_desk_pays_as_many_instalments_as_arrived() -> None:
    """A buyer sends the first two at once, and a unit more."""
    deal = registered()
    pay(deal, amount_minor=70_001)
    trades.apply_suspense(deal.trade, by=factories.make_staff("payments"))
    assert [row.paid_at is None for row in deal.trade.instalments.all()] == [False, False, True]
    trading.work()
    trading.work()
    assert deal.payment.instalment == 3
    pay(deal)
    assert deal.state == TradeState.DELIVERED
    proven()


def test_the_desk_applies_nothing_that_pays_no_instalment() -> None:
    deal = registered()
    pay(deal, "pay_less")
    with pytest.raises(Invalid, match="29,999|29999"):
        trades.apply_suspense(deal.trade, by=factories.make_staff("payments"))


def test_money_on_a_payment_the_desk_made_needless_is_too_much() -> None:
    """Its payment is being stopped, and its instalment was paid otherwise."""
    deal = registered()
    first = deal.payment
    sandbox_bank.act(first.reference, "pay", amount_minor=70_000)
    trading.hand_over_notices()
    tasks.read_notices()
    trades.apply_suspense(deal.trade, by=factories.make_staff("payments"))
    told = json.loads(SandboxNotice.objects.latest("pk").body)
    body = json.dumps(told | {"event_id": "again", "amount_minor": 30_000, "moved_minor": 30_000}).encode()
    payments.note("sandbox", body, {sandbox_signature.HEADER: sandbox_signature.sign(body)})
    tasks.read_notices()
    assert deal.trade.payments.filter(state=PaymentState.STARTED, instalment=1).exists(), "not stopped yet"
    assert list(first.unmatched.order_by("pk").values_list("why", flat=True))[1] == "paid_twice"
    proven()


def test_the_buyer_is_told_of_each_instalment_and_the_seller_of_the_last() -> None:
    deal = registered()
    for _part in THREE:
        pay(deal)
    while journal.seal():
        pass
    journal.follow()
    told = {
        person: [
            (one.kind, notifications.words_of(one.kind, one.facts).text)
            for one in Notification.objects.filter(to=person, kind__startswith="trade.").order_by("pk")
        ]
        for person in (deal.buyer, deal.seller)
    }
    assert told[deal.seller][-1][0] == "trade.funded"
    assert [kind for kind, _text in told[deal.buyer]] == ["trade.delivered"], "what was overtaken asks nobody"


def test_what_is_asked_for_is_told_with_its_own_amount() -> None:
    deal = registered()
    for _step in range(2):
        while journal.seal():
            pass
        journal.follow()
        pay(deal)
    asked = Notification.objects.filter(to=deal.buyer, kind__in=["trade.to_pay", "trade.pay_next"]).order_by("pk")
    first, second = [notifications.words_of(one.kind, one.facts).text for one in asked]
    assert "HKD 300.00 is due." in first
    assert "HKD 300.00 arrived" in second and "HKD 400.00 is due next" in second


def test_three_books_agree_on_trades_that_are_half_paid_over_or_whole() -> None:
    half, ended, whole = registered(), registered(), paid()
    pay(half)
    pay(ended)
    trades.cancel(ended.trade, by=ended.buyer)
    trading.work()
    assert whole.state == TradeState.DELIVERED
    with later(1):
        tasks.reconcile_books()
        assert not Break.objects.exists()
        reconciled = Reconciliation.objects.get(currency="HKD")
    # five payments, a refund and three trades
    assert reconciled.compared == 9


def test_a_webhook_is_told_of_an_instalment() -> None:
    deal = registered()
    pay(deal)
    event = Event.objects.get(kind="trade.instalment_paid")
    [(seller, first), (buyer, second)] = webhook_events._of_trade(event)
    assert (seller, buyer) == (deal.trade.seller_id, deal.trade.buyer_id)
    assert (first["state"], first["role"], second["role"]) == ("registered", "seller", "buyer")


# --- money back ----------------------------------------------------------------------------------------------------


def paid(**changes: Any) -> Deal:
    deal = registered(**changes)
    for _part in THREE:
        pay(deal)
    assert deal.state == TradeState.DELIVERED
    return deal


def test_a_partial_award_goes_back_over_two_payments() -> None:
    deal = paid()
    dispute = trades.dispute(deal.trade, reason="A column lacks.", by=deal.buyer)
    trades.resolve(dispute, refund_minor=50_001, resolution="Half.", by=factories.make_staff("disputes"))
    trading.work()
    trading.work()
    refunds = deal.trade.refunds.order_by("pk").values_list("payment__instalment", "amount_minor", "state")
    assert list(refunds) == [(3, 30_001, OutgoingState.PAID), (2, 20_000, OutgoingState.PAID)]
    proven()
    trading.clear_now()
    assert deal.state == TradeState.SETTLED
    proven()


def test_the_whole_goes_back_by_each_payment() -> None:
    deal = paid(currency="KWD")
    dispute = trades.dispute(deal.trade, reason="A column lacks.", by=deal.buyer)
    trades.resolve(dispute, refund_minor=100_001, resolution="All.", by=factories.make_staff("disputes"))
    trading.work()
    trading.work()
    assert deal.state == TradeState.REFUNDED
    refunds = deal.trade.refunds.order_by("pk").values_list("amount_minor", flat=True)
    assert list(refunds) == [30_001, 40_000, 30_000]
    proven()
    money_proofs.prove_all_is_paid()


def contested(deal: Deal, number: int, outcome: str = "") -> None:
    payment = deal.trade.payments.get(instalment=number)
    sandbox_bank.act(payment.reference, "charge_back")
    trading.work()
    if outcome:
        sandbox_bank.act(payment.reference, outcome)
        trading.work()
        trading.work()


def test_a_contested_instalment_stops_the_trade_until_the_bank_decided() -> None:
    deal = registered()
    pay(deal)
    contested(deal, 1)
    assert deal.reload().is_frozen
    with pytest.raises(trades.Frozen):
        trades.cancel(deal.trade, by=deal.buyer)
    with later(31):
        tasks.expire_trades()
        assert deal.state == TradeState.REGISTERED
        with pytest.raises(trades.Frozen):
            trades.expire(deal.trade)
        contested_payment = deal.trade.payments.get(instalment=1)
        due = deal.reload().fund_until
        sandbox_bank.act(contested_payment.reference, "win_chargeback")
        trading.work()
        assert not deal.reload().is_frozen
        assert deal.trade.fund_until - due > dt.timedelta(days=30), "the days the bank took are not the buyer's"
        tasks.expire_trades()
        assert deal.state == TradeState.REGISTERED
    pay(deal)
    pay(deal)
    assert deal.state == TradeState.DELIVERED
    proven()


def test_all_days_of_contests_that_overlap_are_not_the_buyers() -> None:
    deal = registered()
    pay(deal)
    pay(deal)
    due = deal.reload().fund_until
    first, second = (deal.trade.payments.get(instalment=number).reference for number in (1, 2))
    for days, reference, what in (
        (1, first, "charge_back"),
        (11, second, "charge_back"),
        (21, first, "win_chargeback"),
        (41, second, "win_chargeback"),
    ):
        with later(days):
            sandbox_bank.act(reference, what)
            trading.work()
            assert deal.reload().is_frozen == (days < 41)
    assert dt.timedelta(days=40) <= deal.trade.fund_until - due < dt.timedelta(days=41)
    proven()


def test_the_days_of_a_contest_are_added_to_the_instalments_after_the_next_too() -> None:
    deal = registered()
    pay(deal)
    reference = deal.trade.payments.get(instalment=1).reference
    with later(1):
        sandbox_bank.act(reference, "charge_back")
        trading.work()
    with later(91):
        sandbox_bank.act(reference, "win_chargeback")
        trading.work()
        due = deal.reload().fund_until
        shown = {row["number"]: row["due_at"] for row in instalments.shown(deal.trade)}
        assert (shown[2], shown[3]) == (due, due + dt.timedelta(days=30)), "the days that decide are shown"
        rows = list(deal.trade.instalments.order_by("number"))
        told = presenting.TradeInFullOut(deal.trade).get_instalments(deal.trade)
        assert [row["due_at"] for row in told] == [
            serializers.DateTimeField().to_representation(instalments.due(deal.trade, rows)[one]) for one in (1, 2, 3)
        ]
        assert instalments.due(deal.trade, rows)[1] < due - dt.timedelta(days=90), "what was paid was due in its time"
    with later(100):
        pay(deal)
        assert deal.reload().fund_until == due + dt.timedelta(days=30), "30 days lie between the two"
        tasks.expire_trades()
        assert deal.state == TradeState.REGISTERED
        pay(deal)
        assert deal.state == TradeState.DELIVERED
    proven()


def test_an_instalment_the_bank_took_back_ends_the_trade_and_the_rest_goes_back() -> None:
    deal = registered()
    pay(deal)
    pay(deal)
    contested(deal, 1, "lose_chargeback")
    assert deal.state == TradeState.REFUNDED
    refund = deal.trade.refunds.get()
    assert (refund.payment.instalment, refund.amount_minor) == (2, 40_000)  # type: ignore[union-attr]
    assert deal.payment.state == PaymentState.STOPPED
    proven()
    money_proofs.prove_all_is_paid()


def test_an_instalment_lost_after_delivery_ends_the_trade() -> None:
    deal = paid()
    contested(deal, 2, "lose_chargeback")
    assert deal.state == TradeState.REFUNDED
    refunds = deal.trade.refunds.order_by("pk").values_list("payment__instalment", "amount_minor")
    assert list(refunds) == [(3, 30_001), (1, 30_000)]
    proven()
    money_proofs.prove_all_is_paid()


@pytest.mark.parametrize("outcome", ["win_chargeback", "lose_chargeback"])
def test_a_contested_instalment_goes_back_once_by_its_bank_or_by_us(outcome: str) -> None:
    deal = registered()
    pay(deal)
    pay(deal)
    contested(deal, 2)
    contested(deal, 1, "lose_chargeback")
    assert deal.state == TradeState.REFUNDED
    assert not deal.trade.refunds.exists(), "what the bank still contests is not given back"
    proven()
    sandbox_bank.act(deal.trade.payments.get(instalment=2).reference, outcome)
    trading.work()
    trading.work()
    refunds = list(deal.trade.refunds.values_list("payment__instalment", "amount_minor"))
    assert refunds == ([(2, 40_000)] if outcome == "win_chargeback" else [])
    assert not deal.reload().is_frozen
    assert not ledger.balance(ledger.receivable(deal.trade.buyer, deal.trade.currency))
    proven()
    money_proofs.prove_all_is_paid()


def test_an_instalment_lost_after_its_refund_is_the_buyers_debt() -> None:
    deal = registered()
    pay(deal)
    trades.cancel(deal.trade, by=deal.buyer)
    trading.work()
    trading.work()
    contested(deal, 1, "lose_chargeback")
    assert ledger.balance(ledger.receivable(deal.trade.buyer, deal.trade.currency)) == -30_000
    proven()


# --- what PostgreSQL refuses ---------------------------------------------------------------------------------------


def refused(change: Any, match: str) -> None:
    with pytest.raises(DatabaseError, match=match), transaction.atomic():
        change()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def plan(*parts: tuple[int, int]) -> list[dict[str, int]]:
    return [{"basis_points": share, "due_days": days} for share, days in parts]


@pytest.mark.parametrize(
    "changes",
    [
        {"instalments": plan((10_000, 0))},
        {"instalments": plan((5_000, 0), (4_999, 5))},
        {"instalments": plan((5_000, 5), (5_000, 5))},
        {"instalments": plan((5_000, 9), (5_000, 5))},
        {"instalments": plan((10_001, 0), (-1, 5))},
        {"instalments": plan((5_000, -1), (5_000, 5))},
        {"instalments": [{"basis_points": 10_000}, {}]},
        {"instalments": plan(*((769, day) for day in range(12)), (772, 12))},
        {"price_minor": 0},
    ],
    ids=str,
)
def test_postgresql_refuses_a_wrong_plan(changes: dict[str, Any]) -> None:
    offer = make_offer()
    offer.pk, offer.public_id = None, "another"
    for name, value in changes.items():
        setattr(offer, name, value)
    refused(offer.save, "not its whole price in order")


def test_postgresql_refuses_what_is_not_as_the_offer_says() -> None:
    deal = registered()
    first, second, _third = deal.trade.instalments.all()
    refused(lambda: Instalment.objects.filter(pk=first.pk).update(amount_minor=1), "Cannot update")
    refused(lambda: Instalment.objects.filter(pk=second.pk).update(paid_at=clock.now()), "or one before it is not")
    refused(lambda: Instalment.objects.filter(pk=first.pk).update(paid_at=clock.now()), "not what came to its escrow")
    refused(lambda: Instalment.objects.create(trade=deal.trade, number=4, amount_minor=1, due_days=90), "as its offer")
    other = {"trade": deal.trade, "gateway": "sandbox", "currency": "HKD"}
    refused(lambda: Payment.objects.create(instalment=2, key="x", amount_minor=1, **other), "asks for no instalment")
    refused(lambda: type(deal.trade).objects.filter(pk=deal.trade.pk).update(state="funded"), "without its price")
    pay(deal)
    refused(lambda: Instalment.objects.filter(pk=first.pk).update(paid_at=None), "is paid, or one before")


def test_postgresql_refuses_more_back_than_a_payment_brought() -> None:
    deal = registered()
    pay(deal)
    pay(deal)
    one = deal.trade.payments.get(instalment=1)
    facts: dict[str, Any] = {"trade": deal.trade, "payment": one, "gateway": "sandbox", "currency": "HKD"}
    Refund.objects.create(key="one", amount_minor=29_000, reason="part", **facts)
    refused(lambda: Refund.objects.create(key="two", amount_minor=1_001, reason="more", **facts), "than its payment")
    Refund.objects.create(key="three", amount_minor=1_000, reason="the rest", **facts)


# --- what it does not go with --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"instalments": plan((5_000, 0), (5_000, 91))},
        {"instalments": plan((5_000, 0))},
        {"instalments": plan((5_000, 0), (4_000, 5))},
        {"instalments": plan((5_000, 5), (5_000, 1))},
        {"instalments": [1, 2]},
        {"instalments": {"a": 1}},
        {"instalments": [{"basis_points": True, "due_days": 0}, {"basis_points": 9_999, "due_days": 1}]},
        {"price_minor": 0},
        {"price_minor": 2},
        {"price_minor": None, "steps": [{"from_quantity": 1, "unit_price_minor": 5}], "most_quantity": 9},
    ],
    ids=str,
)
def test_a_wrong_plan_is_refused_with_its_reason(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refusal:
        make_offer(**wrong)
    assert [reason["field"] for reason in refusal.value.as_json()["reasons"]] == ["instalments"]


def test_a_licence_paid_in_instalments_is_not_renewed() -> None:
    deal = paid()
    trades.accept(deal.trade, by=deal.buyer)
    with pytest.raises(Exception, match="bought anew"):
        trades.propose(deal.trade.offer, buyer=deal.trade.buyer, renews=deal.trade, by=deal.buyer)
    holder = deal.trade.buyer
    [licence] = library.licences(list(library.held(holder)), holder)
    assert licence.is_buyable and not licence.is_renewable


def test_an_upgrade_is_paid_at_once() -> None:
    listing, buyer = trading.make_market()
    old = trading.propose(trading.make_offer(listing), buyer=buyer)
    trading.work()
    trading.pay(old)
    trades.accept(old.reload(), by=old.buyer)
    dearer = trading.make_offer(listing, price_minor=900_000, instalments=THREE)
    with pytest.raises(Exception, match="paid at once"):
        trades.propose(dearer, buyer=buyer, upgrades=old.trade, by=old.buyer)


def test_a_trial_goes_on_with_what_is_paid_at_once() -> None:
    paid = make_offer()
    terms = {name: value for name, value in paid.terms.items() if name != "term_months"} | {"term_days": 7}
    with pytest.raises(Invalid) as refusal:
        trading.make_offer(paid.listing, price_minor=0, terms=terms | {"term_months": None}, converts_to=paid)
    assert [one["code"] for one in refusal.value.as_json()["reasons"]] == ["wrong_converts_to"]


def test_an_instalment_the_gateway_does_not_take_is_refused_before_anybody_is_bound(monkeypatch: Any) -> None:
    """Of a price that is taken, a part may be too small."""
    can = gateway("sandbox").capabilities()
    offer = make_offer(price_minor=10_000)
    bounded = type(can)(**{**vars(can), "bounds": {"HKD": Bounds(least_minor=3_001)}})
    monkeypatch.setattr("settlement.gateways.sandbox.Sandbox.capabilities", lambda self: bounded)
    with pytest.raises(Invalid) as refusal:
        trading.propose(offer, buyer=trading.make_market()[1])
    assert refusal.value.code == "amount_too_small"


def test_a_discount_is_divided_like_any_price() -> None:
    offer = make_offer()
    discounts.set_discount(offer, percent=50, valid_until=clock.now() + dt.timedelta(days=9), by=offer.created_by)
    deal = trading.propose(offer, buyer=trading.make_market()[1])
    assert [row.amount_minor for row in deal.trade.instalments.all()] == [15_000, 20_000, 15_000]
