"""Workers killed beside the main road: what ends early, is stopped, closed, refunded, contested, held or unmatched."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.utils import timezone

from compliance import holds
from marketplace import tasks as marketplace_tasks
from marketplace.models import Follower, Seal
from settlement import billing, deliveries, ledger, payments, renewals, tasks, trades
from settlement.gateways import sandbox_bank
from settlement.models import (
    Chargeback,
    Grant,
    Payment,
    Refund,
    Reminder,
    Renewal,
    SandboxOrder,
    Trade,
    Transfer,
    Unmatched,
)
from settlement.states import GrantState, OutgoingState, PaymentState, TradeState
from tests import factories, trading
from tests.crashes.dying import die_at, let_claims_lapse
from tests.crashes.roads import (
    carry_on,
    exactly_one_of_everything,
    nothing_is_amiss,
    recorded,
    ring_every_bell,
    walk_to,
)
from tests.trading import kinds_recorded

pytestmark = pytest.mark.django_db(transaction=True)

PRICE_MINOR = 125_000
# Besides those named with their points below.
TASKS = {
    "settlement.tasks.stop_payments",
    "settlement.tasks.expire_trades",
    "settlement.tasks.close_grants",
    "settlement.tasks.deem_accepted",
    "marketplace.tasks.follow_journal",
    "settlement.tasks.tell_ending_grants",
    "settlement.tasks.renew_licences",
    "settlement.tasks.bill_calls",
    "settlement.tasks.remind_parties",
}


def moved() -> dict[str, int]:
    return dict(Transfer.objects.values_list("key", "amount_minor"))


def recover() -> None:
    """Two rounds of bells, as beat rings them within twenty seconds."""
    let_claims_lapse()
    ring_every_bell()
    ring_every_bell()


# --- before money --------------------------------------------------------------------------------------------------

STOP = [
    "after settlement.payments.claim_next_stop",
    "after settlement.gateways.sandbox.Sandbox.stop",
    "within settlement.payments.record_stopped",
    "after settlement.payments.record_stopped",
]


@pytest.mark.parametrize("at", STOP)
def test_a_cancelled_trades_payment_is_stopped_once(at: str, tmp_path: Path) -> None:
    deal = walk_to("started")
    trades.cancel(deal.trade, by=deal.buyer)
    die_at(at, "settlement.tasks.stop_payments", tmp_path)
    recover()
    assert kinds_recorded(deal.reload())[-2:] == ["trade.registered", "trade.cancelled"]
    assert deal.trade.offer.licences_left == 3
    ended_without_money()


EXPIRE = [f"{moment} settlement.trades.expire" for moment in ("before", "within", "after")]


@pytest.mark.parametrize("at", EXPIRE)
def test_an_overdue_trade_expires_once(at: str, tmp_path: Path) -> None:
    deal = walk_to("started")
    Trade.objects.filter(pk=deal.trade.pk).update(fund_until=timezone.now())
    die_at(at, "settlement.tasks.expire_trades", tmp_path)
    assert deal.state == (TradeState.EXPIRED if at.startswith("after") else TradeState.REGISTERED)
    recover()
    assert kinds_recorded(deal.reload())[-2:] == ["trade.registered", "trade.expired"]
    assert deal.trade.offer.licences_left == 3
    ended_without_money()


def ended_without_money() -> None:
    assert (Payment.objects.get().state, SandboxOrder.objects.get().state) == (PaymentState.STOPPED, "stopped")
    assert recorded("payment.requested", "payment.stopped") == {"payment.requested": 1, "payment.stopped": 1}
    assert moved() == {}
    nothing_is_amiss()


# --- access --------------------------------------------------------------------------------------------------------

CLOSE = [
    "after settlement.deliveries.claim_next_close",
    "after settlement.channels.files.Files.close",
    "within settlement.deliveries.record_closed",
    "after settlement.deliveries.record_closed",
]


@pytest.mark.parametrize("at", CLOSE)
def test_an_ended_licence_is_closed_and_given_back_once(at: str, tmp_path: Path) -> None:
    deal = walk_to("delivered")
    Grant.objects.filter(trade=deal.trade).update(ends_at=timezone.now())
    assert deal.reload().offer.licences_left == 2
    die_at(at, "settlement.tasks.close_grants", tmp_path)
    recover()
    assert Grant.objects.get().state == GrantState.CLOSED
    assert deal.reload().offer.licences_left == 3 and not deal.trade.holds_licence
    assert recorded("grant.closed") == {"grant.closed": 1}
    nothing_is_amiss()


def test_an_access_that_ends_soon_is_told_once(tmp_path: Path) -> None:
    deal = walk_to("delivered")
    Grant.objects.filter(trade=deal.trade).update(ends_at=timezone.now() + dt.timedelta(days=3))
    die_at("after marketplace.journal.record_many", "settlement.tasks.tell_ending_grants", tmp_path)
    assert recorded("grant.ending") == {}
    tasks.tell_ending_grants()
    tasks.tell_ending_grants()
    assert recorded("grant.ending") == {"grant.ending": 1}


REMIND = ["within settlement.defaults.remind", "after settlement.defaults.remind"]


@pytest.mark.parametrize("at", REMIND)
def test_who_is_waited_for_is_reminded_once(at: str, tmp_path: Path) -> None:
    deal = walk_to("delivered")
    now = timezone.now()
    Trade.objects.filter(pk=deal.trade.pk).update(
        delivered_at=now - dt.timedelta(days=6), inspect_until=now + dt.timedelta(days=1)
    )
    die_at(at, "settlement.tasks.remind_parties", tmp_path)
    tasks.remind_parties()
    tasks.remind_parties()
    assert recorded("trade.reminded") == {"trade.reminded": 1}
    assert list(Reminder.objects.values_list("trade", "wait")) == [(deal.trade.pk, "delivered")]


RENEW = [
    "after settlement.renewals.claim_next",
    "within settlement.renewals.renew",
    "after settlement.renewals.renew",
]


@pytest.mark.parametrize("at", RENEW)
def test_a_licence_is_renewed_once(at: str, tmp_path: Path) -> None:
    deal = walk_to("delivered")
    renewals.keep(deal.trade, by=deal.buyer)
    Grant.objects.filter(trade=deal.trade).update(ends_at=timezone.now() + dt.timedelta(days=3))
    die_at(at, "settlement.tasks.renew_licences", tmp_path)
    assert Trade.objects.filter(renews=deal.trade).count() == at.startswith("after settlement.renewals.renew")
    let_claims_lapse()
    tasks.renew_licences()
    new = Trade.objects.get(renews=deal.trade)
    assert set(Renewal.objects.values_list("trade", "state")) == {(deal.trade.pk, "renewed"), (new.pk, "standing")}
    assert deal.reload().offer.licences_left == 2 and not deal.trade.holds_licence


@pytest.mark.parametrize("at", RENEW)
def test_a_trial_goes_on_once(at: str, tmp_path: Path) -> None:
    paid = trading.make_offer()
    terms = paid.terms | {"term_months": None, "term_days": 14}
    trial = trading.make_offer(paid.listing, price_minor=0, terms=terms, converts_to=paid)
    buyer = trading.make_verified()
    old = trades.propose(trial, buyer=buyer, converts=True, by=buyer.created_by)
    trading.work()
    Grant.objects.filter(trade=old).update(ends_at=timezone.now() - dt.timedelta(minutes=1))
    die_at(at, "settlement.tasks.renew_licences", tmp_path)
    assert Trade.objects.filter(renews=old).count() == at.startswith("after settlement.renewals.renew")
    let_claims_lapse()
    tasks.renew_licences()
    assert Trade.objects.get(renews=old).offer == paid
    assert list(Renewal.objects.values_list("trade", "state")) == [(old.pk, "renewed")]


BILL = [f"{moment} settlement.trades.bill" for moment in ("before", "within", "after")]


@pytest.mark.parametrize("at", BILL)
def test_calls_are_billed_once(at: str, tmp_path: Path) -> None:
    one_price = [{"from_quantity": 1, "unit_price_minor": 50}]
    offer = trading.make_offer(price_minor=None, steps=one_price, most_quantity=10, is_postpaid=True)
    buyer = trading.make_verified()
    metered = trades.propose(offer, buyer=buyer, by=buyer.created_by)
    trading.work()
    for key in ("a", "b"):
        deliveries.leave_receipt(
            metered.grant, path="a", sha256="0" * 64, first_byte=0, size_bytes=1, by=None, call=key
        )
    billing.end(metered, by=buyer.created_by)
    die_at(at, "settlement.tasks.bill_calls", tmp_path)
    assert Trade.objects.filter(bills=metered).count() == at.startswith("after")
    tasks.bill_calls()
    bill = Trade.objects.get(bills=metered)
    assert (bill.first_call, bill.quantity, bill.price_minor) == (1, 2, 100)
    trading.work()
    trading.pay(trading.Deal(bill, buyer.created_by, offer.listing.seller.created_by))
    assert Trade.objects.get(bills=metered).state == TradeState.DELIVERED
    nothing_is_amiss()


@pytest.mark.parametrize("at", [f"{moment} settlement.trades.deliver" for moment in ("before", "within", "after")])
def test_an_upgrade_opens_as_what_it_replaces_ends(at: str, tmp_path: Path) -> None:
    deal = walk_to("delivered")
    trades.accept(deal.trade, by=deal.buyer)
    dearer = trading.make_offer(deal.trade.listing, price_minor=2 * PRICE_MINOR)
    new = trades.propose(dearer, buyer=deal.trade.buyer, upgrades=deal.trade, by=deal.buyer)
    tasks.register_trades()
    tasks.start_payments()
    sandbox_bank.act(new.payments.get().reference, "pay")
    trading.hand_over_notices()
    tasks.read_notices()
    die_at(at, "settlement.tasks.open_grants", tmp_path)
    opened = at.startswith("after")
    states = dict(Grant.objects.values_list("trade", "state"))
    assert (states[new.pk], states[deal.trade.pk]) == (GrantState.OPEN if opened else GrantState.DUE, GrantState.OPEN)
    assert Grant.objects.get(trade=deal.trade).is_close_due == opened
    let_claims_lapse()
    tasks.open_grants()
    assert Grant.objects.get(trade=new).state == GrantState.OPEN
    assert Grant.objects.get(trade=deal.trade).is_close_due


DEEM = [f"{moment} settlement.trades.deem_accepted" for moment in ("before", "within", "after")]


@pytest.mark.parametrize("at", DEEM)
def test_silence_accepts_once(at: str, tmp_path: Path) -> None:
    deal = walk_to("delivered")
    Trade.objects.filter(pk=deal.trade.pk).update(inspect_until=timezone.now())
    die_at(at, "settlement.tasks.deem_accepted", tmp_path)
    assert deal.state == (TradeState.ACCEPTED if at.startswith("after") else TradeState.DELIVERED)
    let_claims_lapse()
    tasks.deem_accepted()
    assert deal.reload().is_deemed_accepted
    carry_on(deal)
    exactly_one_of_everything(deal)


FOLLOW = [
    "after settlement.deliveries.suspend",
    "after settlement.followers.follow",
    "within marketplace.journal._follow_one",
    "after marketplace.journal._follow_one",
]


@pytest.mark.parametrize("at", FOLLOW)
def test_a_follower_killed_reads_on_from_where_it_was(at: str, tmp_path: Path) -> None:
    deal = walk_to("delivered")
    marketplace_tasks.seal_journal()
    marketplace_tasks.follow_journal()
    holds.place(
        "trade", deal.trade.pk, reason_code="investigation", reason="Under review.", by=factories.make_staff("vetting")
    )
    marketplace_tasks.seal_journal()
    die_at(at, "marketplace.tasks.follow_journal", tmp_path)
    recover()
    assert Grant.objects.get().state == GrantState.SUSPENDED
    assert recorded("grant.suspended") == {"grant.suspended": 1}
    assert Follower.objects.get(name="settlement").position == Seal.objects.order_by("-position")[0].position
    nothing_is_amiss()


# --- money back ----------------------------------------------------------------------------------------------------

REFUND = [
    ("settlement.tasks.open_grants", "before settlement.trades.cannot_deliver"),
    ("settlement.tasks.open_grants", "after settlement.payments.open_refunds"),
    ("settlement.tasks.open_grants", "within settlement.trades.cannot_deliver"),
    ("settlement.tasks.open_grants", "after settlement.trades.cannot_deliver"),
    ("settlement.tasks.pay_refunds", "after settlement.payments.claim_next_refund"),
    ("settlement.tasks.pay_refunds", "after settlement.gateways.sandbox.Sandbox.refund"),
    ("settlement.tasks.pay_refunds", "within settlement.payments.record_refund_sent"),
    ("settlement.tasks.pay_refunds", "after settlement.payments.record_refund_sent"),
    ("settlement.tasks.read_notices", "within settlement.hearing.hear"),
    ("settlement.tasks.read_notices", "after settlement.hearing.hear"),
]
INSTALMENT = [
    ("settlement.tasks.read_notices", "after settlement.payments.record_paid"),
    ("settlement.tasks.read_notices", "after settlement.instalments.record_paid"),
    ("settlement.tasks.read_notices", "after settlement.payments.request"),
    ("settlement.tasks.read_notices", "within settlement.hearing.hear"),
    ("settlement.tasks.expire_trades", "after settlement.payments.open_refunds"),
    ("settlement.tasks.expire_trades", "within settlement.trades.expire"),
    ("settlement.tasks.expire_trades", "after settlement.trades.expire"),
]


@pytest.mark.parametrize(("task", "at"), INSTALMENT)
def test_an_instalment_is_taken_once_and_given_back_once(task: str, at: str, tmp_path: Path) -> None:
    plan = [{"basis_points": 4_000, "due_days": 0}, {"basis_points": 6_000, "due_days": 30}]
    deal = walk_to("started", instalments=plan)
    sandbox_bank.act(deal.payment.reference, "pay")
    trading.hand_over_notices()
    if task == "settlement.tasks.read_notices":
        die_at(at, task, tmp_path)
        let_claims_lapse()
    tasks.read_notices()
    assert kinds_recorded(deal.reload())[-2:] == ["trade.registered", "trade.instalment_paid"]
    first, second = deal.trade.payments.order_by("pk")
    assert (first.state, first.amount_minor, second.amount_minor) == (PaymentState.PAID, 50_000, 75_000)
    assert moved() == {f"paid-{first.key}": 50_000}
    Trade.objects.filter(pk=deal.trade.pk).update(fund_until=timezone.now())
    if task == "settlement.tasks.expire_trades":
        die_at(at, task, tmp_path)
    recover()
    refund = Refund.objects.get()
    assert (deal.state, refund.state, refund.payment) == (TradeState.EXPIRED, OutgoingState.PAID, first)
    assert moved() == dict.fromkeys([f"paid-{first.key}", f"{refund.key}-due", f"{refund.key}-sent"], 50_000)
    assert recorded("payment.paid", "refund.due", "trade.instalment_paid", "trade.expired") == {
        "payment.paid": 1,
        "refund.due": 1,
        "trade.instalment_paid": 1,
        "trade.expired": 1,
    }
    nothing_is_amiss()


@pytest.mark.parametrize(("task", "at"), REFUND)
def test_what_cannot_be_delivered_is_refunded_once(task: str, at: str, own_storage: Path, tmp_path: Path) -> None:
    deal = walk_to("funded")
    for file in [path for path in own_storage.rglob("*") if path.is_file()]:
        file.unlink()
    for step in (tasks.open_grants, tasks.pay_refunds):
        if step.name == task:
            break
        step()
        trading.hand_over_notices()
    die_at(at, task, tmp_path)
    recover()
    trade, refund, payment = deal.reload(), Refund.objects.get(), Payment.objects.get()
    assert kinds_recorded(trade)[-2:] == ["trade.funded", "trade.refunded"]
    assert (refund.amount_minor, refund.state) == (PRICE_MINOR, OutgoingState.PAID)
    assert moved() == dict.fromkeys([f"paid-{payment.key}", f"{refund.key}-due", f"{refund.key}-sent"], PRICE_MINOR)
    assert sorted(SandboxOrder.objects.values_list("kind", flat=True)) == ["payment", "refund"]
    assert recorded("refund.due", "refund.sent", "refund.paid", "grant.closed") == {
        "refund.due": 1,
        "refund.sent": 1,
        "refund.paid": 1,
        "grant.closed": 1,
    }
    assert trade.offer.licences_left == 3
    assert ledger.totals()["HKD"]["outside"] == 0
    nothing_is_amiss()


CONTEST = [
    ("charge_back", "within settlement.hearing.hear"),
    ("charge_back", "after settlement.hearing.hear"),
    ("lose_chargeback", "after settlement.ledger.transfer"),
    ("lose_chargeback", "within settlement.hearing.hear"),
    ("lose_chargeback", "after settlement.hearing.hear"),
]


@pytest.mark.parametrize(("what", "at"), CONTEST)
def test_a_lost_chargeback_is_booked_once(what: str, at: str, tmp_path: Path) -> None:
    deal = walk_to("delivered")
    for act in ("charge_back", "lose_chargeback"):
        sandbox_bank.act(deal.payment.reference, act)
        trading.hand_over_notices()
        if act == what:
            die_at(at, "settlement.tasks.read_notices", tmp_path)
            let_claims_lapse()
        tasks.read_notices()
    recover()
    trade, chargeback, payment = deal.reload(), Chargeback.objects.get(), Payment.objects.get()
    assert (trade.state, trade.is_frozen, chargeback.state) == (TradeState.REFUNDED, False, "lost")
    assert moved() == dict.fromkeys([f"paid-{payment.key}", f"chargeback-{chargeback.pk}-escrow"], PRICE_MINOR)
    assert recorded("chargeback.opened", "chargeback.lost", "trade.refunded", "grant.closed") == {
        "chargeback.opened": 1,
        "chargeback.lost": 1,
        "trade.refunded": 1,
        "grant.closed": 1,
    }
    nothing_is_amiss()


SUSPENSE = [
    "after settlement.ledger.transfer",
    "after settlement.payments.put_in_suspense",
    "within settlement.hearing.hear",
    "after settlement.hearing.hear",
]


@pytest.mark.parametrize("at", SUSPENSE)
def test_money_that_does_not_fit_is_kept_once_and_returned_once(at: str, tmp_path: Path) -> None:
    deal = walk_to("started")
    sandbox_bank.act(deal.payment.reference, "pay_more")
    trading.hand_over_notices()
    die_at(at, "settlement.tasks.read_notices", tmp_path)
    recover()
    unmatched = Unmatched.objects.get()
    assert (unmatched.amount_minor, unmatched.why) == (PRICE_MINOR + 1, "wrong_amount")
    assert deal.state == TradeState.REGISTERED
    assert list(moved().values()) == [PRICE_MINOR + 1]
    assert recorded("money.unmatched") == {"money.unmatched": 1}
    nothing_is_amiss()
    payments.return_unmatched(unmatched, by=factories.make_staff("payments"))
    ring_every_bell()
    assert ledger.totals() == {"HKD": {"outside": 0, "suspense": 0, "refund": 0}}
