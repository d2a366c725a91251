"""What happens when two do it at the same instant: threads on real PostgreSQL, each with a connection of its own.

The commands of a race are all under way, and wait at one locked row, before the first of them may go on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import connection, models, transaction
from django.test import Client
from django.utils import timezone

from compliance import holds
from listings.models import Offer
from marketplace import journal, tokens
from marketplace.claims import postponed_on_failure
from marketplace.errors import Refused
from marketplace.models import Event, KeyedCommand, Paper, Seal
from settlement import clearing, deliveries, hearing, ledger, payments, payouts, tasks, trades
from settlement.channels import channel
from settlement.gateways import gateway, sandbox_bank, sandbox_signature
from settlement.models import (
    Agreement,
    Chargeback,
    ClearingCycle,
    Dispute,
    Grant,
    Notice,
    Payment,
    Payout,
    Refund,
    SandboxNotice,
    SandboxOrder,
    Statement,
    Trade,
    Transfer,
    Unmatched,
)
from settlement.states import CycleState, GrantState, OutgoingState, PaymentState, TradeState
from tests import factories, trading
from tests.races import together
from tests.trading import Deal, kinds_recorded, make_trade

pytestmark = pytest.mark.django_db(transaction=True)

PRICE_MINOR = 125_000
LONGEST_SECONDS = 30


def race(gate: models.Model, commands: Sequence[Callable[[], object]], *, in_this_order: bool = False) -> list[str]:
    """Run the commands at once and give what came of each: `done`, or the code of its refusal.

    The row `gate` is locked until every command waits for some lock or has ended; `in_this_order` they come to it one
    after the other. Any other error is the test's.
    """
    start = threading.Barrier(1 if in_this_order else len(commands))

    def run(command: Callable[[], object]) -> str:
        start.wait(LONGEST_SECONDS)
        try:
            command()
        except Refused as refusal:
            return refusal.code
        finally:
            connection.close()
        return "done"

    def all_have_come(outcomes: list[Future[str]]) -> None:
        deadline = time.monotonic() + LONGEST_SECONDS
        while sum(outcome.done() for outcome in outcomes) + backends_waiting() < len(outcomes):
            assert time.monotonic() < deadline, "the commands neither ended nor came to the lock"
            time.sleep(0.01)

    with ThreadPoolExecutor(len(commands)) as pool:
        with transaction.atomic():
            type(gate).objects.select_for_update(of=("self",)).get(pk=gate.pk)
            outcomes: list[Future[str]] = []
            for command in commands:
                outcomes.append(pool.submit(run, command))
                if in_this_order:
                    all_have_come(outcomes)
            all_have_come(outcomes)
        return [outcome.result(LONGEST_SECONDS) for outcome in outcomes]


def backends_waiting() -> int:
    """How many wait for a lock in this database; another process of the tests has races of its own in another."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT waits.pid) FROM pg_locks waits JOIN pg_locks has USING (pid)"
            " JOIN pg_database d ON d.oid = has.database WHERE NOT waits.granted AND d.datname = current_database()"
        )
        return int(cursor.fetchone()[0])


def books_are_right() -> None:
    assert ledger.reconcile() == []
    assert all(sum(kinds.values()) == 0 for kinds in ledger.totals().values())


def moved() -> dict[str, int]:
    return dict(Transfer.objects.values_list("key", "amount_minor"))


def recorded(kind: str) -> int:
    return Event.objects.filter(kind=kind).count()


def told(deal: Deal, what: str, **how: object) -> Notice:
    """The notice of what the bank's customer did, unread."""
    sandbox_bank.act(deal.payment.reference, what, **how)
    trading.hand_over_notices()
    return Notice.objects.filter(read_at=None).get()


# --- binding ---------------------------------------------------------------------------------------------------------


def require_key_order(command: Callable[[], object], *rows: models.Model) -> None:
    """The command holds none of the later `rows` while it waits for the first: else two of its kind may block each
    other for ever."""

    def run() -> None:
        try:
            command()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            for row in rows:  # the first is held before the command begins, the others are free while it waits
                type(row).objects.select_for_update(no_key=True, nowait=row is not rows[0]).get(pk=row.pk)
                if row is rows[0]:
                    outcome = pool.submit(run)
                    deadline = time.monotonic() + LONGEST_SECONDS
                    while not outcome.done() and not backends_waiting():
                        assert time.monotonic() < deadline, "the command neither ended nor came to the lock"
                        time.sleep(0.01)
                    assert not outcome.done(), "it never asked for the first row"
        outcome.result(LONGEST_SECONDS)


def test_notices_that_are_read_together_lock_their_trades_in_key_order():
    deals = [make_trade(TradeState.DELIVERED) for _one in range(2)]
    for deal in deals:
        trading.pay(deal, "charge_back")
    for deal in reversed(deals):
        sandbox_bank.act(deal.payment.reference, "lose_chargeback")
        trading.hand_over_notices()
    older, newer = sorted((deal.trade for deal in deals), key=lambda trade: trade.pk)
    require_key_order(lambda: hearing.hear(payments.claim_next_notices()), older, newer)
    assert {deal.state for deal in deals} == {TradeState.REFUNDED}


def test_a_cycle_that_closes_locks_its_trades_in_key_order():
    deals = [make_trade(TradeState.ACCEPTED) for _one in range(2)]
    older, newer = sorted((deal.trade for deal in deals), key=lambda trade: trade.pk)
    with connection.cursor() as cursor:  # the newer one lies first
        cursor.execute("CREATE INDEX backwards ON settlement_trade (id DESC)")
        cursor.execute("CLUSTER settlement_trade USING backwards")
        cursor.execute("DROP INDEX backwards")
    cycle = clearing.open_cycle(older.currency)
    require_key_order(lambda: clearing.close(cycle, by=factories.make_staff("clearing")), older, newer)
    assert not Trade.objects.filter(cycle=None).exists()


def test_who_ends_a_renewal_waits_for_the_old_trade_before_it_holds_the_new_one():
    old = make_trade(TradeState.ACCEPTED)
    new = trades.propose(old.trade.offer, buyer=old.trade.buyer, renews=old.trade, by=old.buyer)
    require_key_order(lambda: trades.cancel(new, by=old.buyer), old.trade, new)
    new.refresh_from_db()
    assert new.state == TradeState.CANCELLED


def test_of_six_buyers_one_gets_the_last_licence():
    offer = trading.make_offer(licences_total=1)
    buyers = [trading.make_verified() for _ in range(6)]
    outcomes = race(
        offer, [lambda buyer=buyer: trades.propose(offer, buyer=buyer, by=buyer.created_by) for buyer in buyers]
    )
    assert sorted(outcomes) == ["done"] + ["sold_out"] * 5
    trade = Trade.objects.get()
    assert (trade.state, trade.holds_licence, Offer.objects.get().licences_left) == (TradeState.AGREED, True, 0)
    assert kinds_recorded(trade) == ["trade.proposed", "trade.agreed"]
    assert Agreement.objects.count() == 1
    assert (recorded("trade.proposed"), recorded("trade.agreed")) == (1, 1)


def test_six_identical_posts_with_one_key_make_one_trade_and_six_equal_answers():
    offer, buyer = trading.make_offer(licences_total=6), trading.make_verified()
    _token, secret = tokens.create_token(
        user=buyer.created_by,
        organisation=buyer,
        name="Six",
        scopes=["read", "trade"],
        lapses_at=None,
        by=buyer.created_by,
    )
    answers: list[tuple[int, dict[str, object]]] = []

    def post() -> None:
        answer = Client().post(
            "/api/v1/trades",
            {"offer": offer.public_id, "purpose": "Research"},
            content_type="application/json",
            headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": "one-key"},
        )
        answers.append((answer.status_code, answer.json()))

    assert race(offer, [post] * 6) == ["done"] * 6
    trade = Trade.objects.get()
    assert answers == [(201, answers[0][1])] * 6 and answers[0][1]["public_id"] == trade.public_id
    assert kinds_recorded(trade) == ["trade.proposed", "trade.agreed"]
    assert (recorded("trade.proposed"), KeyedCommand.objects.count(), Offer.objects.get().licences_left) == (1, 1, 5)


def test_two_who_agree_at_once_agree_once():
    deal = make_trade(TradeState.PROPOSED, licences_total=2)
    colleague = factories.make_member(deal.trade.seller, "trader")
    outcomes = race(deal.trade, [lambda by=by: trades.agree(deal.trade, by=by) for by in (deal.seller, colleague)])
    assert sorted(outcomes) == ["done", "wrong_state"]
    assert Agreement.objects.count() == 1 and Offer.objects.get().licences_left == 1
    assert kinds_recorded(deal.trade) == ["trade.proposed", "trade.agreed"]


@pytest.mark.parametrize("is_limited", [True, False])
def test_to_agree_and_to_decline_at_once_is_one_or_the_other(is_limited):
    deal = make_trade(TradeState.PROPOSED, licences_total=1 if is_limited else None)
    outcomes = race(
        deal.trade,
        [lambda: trades.agree(deal.trade, by=deal.seller), lambda: trades.decline(deal.trade, by=deal.seller)],
    )
    assert sorted(outcomes) == ["done", "wrong_state"]
    has_agreed = outcomes[0] == "done"
    assert deal.state == (TradeState.AGREED if has_agreed else TradeState.DECLINED)
    assert Agreement.objects.exists() == has_agreed
    assert kinds_recorded(deal.trade) == ["trade.proposed", f"trade.{deal.trade.state}"]
    if is_limited:
        assert Offer.objects.get().licences_left == (0 if has_agreed else 1)


# --- money -----------------------------------------------------------------------------------------------------------


def test_to_cancel_while_the_money_arrives_loses_neither():
    deal = make_trade(TradeState.REGISTERED, licences_total=1)
    notice = told(deal, "pay")
    outcomes = race(deal.trade, [lambda: trades.cancel(deal.trade, by=deal.buyer), lambda: hearing.hear([notice])])
    is_funded = outcomes[0] == "wrong_state"
    assert outcomes == ["wrong_state" if is_funded else "done", "done"]
    balances = ledger.totals()["HKD"]
    if is_funded:
        assert deal.state == TradeState.FUNDED
        assert balances == {"escrow": PRICE_MINOR, "outside": -PRICE_MINOR}
        assert Grant.objects.count() == 1 and not Unmatched.objects.exists()
        assert (deal.payment.state, Offer.objects.get().licences_left) == (PaymentState.PAID, 0)
    else:
        assert deal.state == TradeState.CANCELLED
        assert balances == {"suspense": PRICE_MINOR, "outside": -PRICE_MINOR}
        assert Unmatched.objects.get().why == "too_late" and not Grant.objects.exists()
        assert (deal.payment.is_stop_due, Offer.objects.get().licences_left) == (True, 1)
    books_are_right()


def test_to_expire_while_the_money_arrives_loses_neither():
    deal = make_trade(TradeState.REGISTERED)
    notice = told(deal, "pay")
    Trade.objects.filter(pk=deal.trade.pk).update(fund_until=timezone.now())
    outcomes = race(deal.trade, [lambda: trades.expire(deal.trade), lambda: hearing.hear([notice])])
    is_funded = outcomes == ["wrong_state", "done"]
    assert is_funded or outcomes == ["done", "done"]
    assert deal.state == (TradeState.FUNDED if is_funded else TradeState.EXPIRED)
    assert ledger.totals()["HKD"] == {"escrow" if is_funded else "suspense": PRICE_MINOR, "outside": -PRICE_MINOR}
    books_are_right()


INSTALMENTS = [{"basis_points": 4_000, "due_days": 0}, {"basis_points": 6_000, "due_days": 30}]


def test_two_workers_who_hear_of_one_instalment_ask_for_the_next_once():
    deal = make_trade(TradeState.REGISTERED, instalments=INSTALMENTS)
    notice = told(deal, "pay")
    assert race(deal.trade, [lambda: hearing.hear([notice])] * 2) == ["done"] * 2
    assert list(deal.trade.payments.values_list("instalment", "state")) == [(1, "paid"), (2, "requested")]
    assert recorded("trade.instalment_paid") == 1
    books_are_right()


@pytest.mark.parametrize("ends", ["cancel", "expire"])
def test_the_last_instalment_and_the_end_of_the_trade_lose_nothing(ends):
    deal = make_trade(TradeState.REGISTERED, instalments=INSTALMENTS)
    trading.pay(deal)
    trading.work()
    first, second = deal.trade.payments.order_by("pk")
    notice = told(deal, "pay")
    Trade.objects.filter(pk=deal.trade.pk).update(fund_until=timezone.now())
    end = {"cancel": lambda: trades.cancel(deal.trade, by=deal.buyer), "expire": lambda: trades.expire(deal.trade)}
    outcomes = race(deal.trade, [end[ends], lambda: hearing.hear([notice])])
    if outcomes == ["wrong_state", "done"]:
        assert deal.state == TradeState.FUNDED
        assert moved() == {f"paid-{first.key}": 50_000, f"paid-{second.key}": 75_000}
    else:
        assert outcomes == ["done", "done"] and deal.state in (TradeState.CANCELLED, TradeState.EXPIRED)
        held = {kind: minor for kind, minor in ledger.totals()["HKD"].items() if minor}
        assert held == {"refund": 50_000, "suspense": 75_000, "outside": -PRICE_MINOR}
        assert Refund.objects.get().payment == first and Unmatched.objects.get().why == "too_late"
    books_are_right()


def test_two_workers_who_hear_one_notice_book_it_once():
    deal = make_trade(TradeState.REGISTERED)
    notice = told(deal, "pay")
    assert race(notice, [lambda: hearing.hear([notice])] * 2) == ["done"] * 2
    assert moved() == {f"paid-{deal.payment.key}": PRICE_MINOR}
    assert (recorded("trade.funded"), recorded("payment.paid"), Grant.objects.count()) == (1, 1, 1)
    books_are_right()


def test_six_workers_empty_the_inbox_together_once():
    deals = [trading.propose(trading.make_offer()) for _ in range(3)]
    trading.work()
    for deal in deals:
        sandbox_bank.act(deal.payment.reference, "pay_twice")
    trading.hand_over_notices()
    assert race(deals[0].trade, [tasks.read_notices] * 6) == ["done"] * 6
    assert sorted(moved().values()) == [PRICE_MINOR] * 6
    assert [deal.state for deal in deals] == [TradeState.FUNDED] * 3
    assert [row.why for row in Unmatched.objects.all()] == ["paid_twice"] * 3
    assert ledger.totals()["HKD"] == {
        "escrow": 3 * PRICE_MINOR,
        "suspense": 3 * PRICE_MINOR,
        "outside": -6 * PRICE_MINOR,
    }
    assert not Notice.objects.filter(read_at=None).exists() and not Notice.objects.exclude(error="").exists()
    books_are_right()


def test_two_payments_begun_at_once_are_one():
    deal = make_trade(TradeState.REGISTERED)
    trading.pay(deal, "fail")
    outcomes = race(deal.trade, [lambda: trades.pay_again(deal.trade, by=deal.buyer)] * 2)
    assert sorted(outcomes) == ["done", "wrong_state"]
    assert [payment.state for payment in Payment.objects.order_by("pk")] == ["failed", "requested"]
    assert recorded("payment.requested") == 2


@pytest.mark.parametrize("other", ["return", "apply"])
def test_two_of_the_desk_decide_once_on_unmatched_money(other):
    deal = make_trade(TradeState.REGISTERED)
    hearing.hear([told(deal, "pay_more")])
    unmatched = Unmatched.objects.get()
    ann, bob = factories.make_staff("payments"), factories.make_staff("payments")
    act = {
        "return": lambda: payments.return_unmatched(unmatched, by=bob),
        "apply": lambda: trades.apply_suspense(deal.trade, by=bob),
    }
    outcomes = race(unmatched, [lambda: payments.return_unmatched(unmatched, by=ann), act[other]])
    assert sorted(outcomes) in (["done", "wrong_state"], ["done", "too_little"])
    unmatched.refresh_from_db()
    was_applied = other == "apply" and outcomes[1] == "done"
    assert unmatched.decision == ("applied" if was_applied else "returned")
    assert Refund.objects.get().amount_minor == (1 if was_applied else PRICE_MINOR + 1)
    balances = ledger.totals()["HKD"]
    assert (balances.get("escrow", 0), balances["suspense"]) == (PRICE_MINOR if was_applied else 0, 0)
    assert deal.state == (TradeState.FUNDED if was_applied else TradeState.REGISTERED)
    books_are_right()


def test_two_of_the_desk_send_a_bounced_refund_again_once():
    deal = make_trade(TradeState.REGISTERED)
    hearing.hear([told(deal, "pay_more", account="bounce-once-1")])
    payments.return_unmatched(Unmatched.objects.get(), by=factories.make_staff("payments"))
    trading.work()
    refund = Refund.objects.get(state=OutgoingState.BOUNCED)
    people = [factories.make_staff("payments") for _ in range(2)]
    outcomes = race(refund, [lambda by=by: payments.send_again(refund, by=by) for by in people])
    assert sorted(outcomes) == ["done", "wrong_state"]
    trading.work()
    assert sorted(Refund.objects.values_list("state", flat=True)) == [OutgoingState.BOUNCED, OutgoingState.PAID]
    assert set(ledger.totals()["HKD"].values()) == {0}
    books_are_right()


# --- workers at the same row -----------------------------------------------------------------------------------------


def test_two_workers_register_a_trade_once():
    deal = trading.propose(trading.make_offer())
    assert race(deal.trade, [tasks.register_trades] * 2) == ["done"] * 2
    tasks.register_trades()
    trade = deal.reload()
    assert trade.state == TradeState.REGISTERED and trade.register_number
    assert kinds_recorded(trade) == ["trade.proposed", "trade.agreed", "trade.registered"]
    assert (Payment.objects.count(), Paper.objects.filter(kind="trade_contract").count()) == (1, 1)
    assert (trade.error, trade.tries) == ("", 0), "the worker who came second left a complaint"
    assert trade.next_try_at <= timezone.now()


def test_two_workers_start_a_payment_once():
    deal = trading.propose(trading.make_offer())
    tasks.register_trades()
    payment = deal.payment
    assert race(payment, [tasks.start_payments] * 2) == ["done"] * 2
    tasks.start_payments()
    payment.refresh_from_db()
    assert (payment.state, SandboxOrder.objects.count(), payment.error) == (PaymentState.STARTED, 1, "")


def test_two_workers_open_a_grant_once():
    deal = make_trade(TradeState.FUNDED)
    assert race(deal.trade, [tasks.open_grants] * 2) == ["done"] * 2
    assert deal.state == TradeState.DELIVERED
    assert (deal.trade.grant.state, deal.trade.grant.error) == (GrantState.OPEN, "")
    assert recorded("trade.delivered") == 1


def test_a_worker_who_took_too_long_opens_nothing_twice():
    """The claim lapsed while the first was still at it, so a second has it too."""
    deal = make_trade(TradeState.FUNDED)
    grant = deal.trade.grant
    access = channel(grant.channel).open(grant)
    outcomes = race(deal.trade, [lambda: trades.deliver([(grant, access)])] * 2)
    assert sorted(outcomes) == ["done", "wrong_state"]
    assert (deal.state, recorded("trade.delivered")) == (TradeState.DELIVERED, 1)


def test_a_worker_who_comes_back_too_late_does_not_spoil_what_another_did():
    deal = make_trade(TradeState.FUNDED)
    slow = deliveries.claim_next_grants()[0]
    Grant.objects.update(claimed_until=timezone.now())
    tasks.open_grants()
    with postponed_on_failure(slow):
        trades.deliver([(slow, channel(slow.channel).open(slow))])
    grant = Grant.objects.get()
    assert (deal.state, grant.state, grant.error, grant.tries) == (TradeState.DELIVERED, GrantState.OPEN, "", 0)
    assert recorded("trade.delivered") == 1


def test_two_workers_close_a_grant_once():
    deal = make_trade(TradeState.DELIVERED, licences_total=1)
    Grant.objects.update(ends_at=timezone.now())
    grant = Grant.objects.get()
    assert race(deal.trade, [lambda: deliveries.record_closed(grant)] * 2) == ["done"] * 2
    assert (Offer.objects.get().licences_left, recorded("grant.closed")) == (1, 1)


def test_the_notice_of_a_payout_may_overtake_our_own_record():
    deal = make_trade(TradeState.CLEARED)
    [payout] = payouts.claim_next_payouts()
    reference = gateway(payout.gateway).pay_out(payout, payout.destination)
    trading.hand_over_notices()
    notice = Notice.objects.get(read_at=None)
    acts = [lambda: payouts.record_sent([(payout, reference)]), lambda: hearing.hear([notice])]
    assert race(payout, acts) == ["done"] * 2
    payout.refresh_from_db()
    assert (payout.state, deal.state) == (OutgoingState.PAID, TradeState.SETTLED)
    assert (recorded("payout.sent"), recorded("payout.paid"), recorded("trade.settled")) == (1, 1, 1)
    assert ledger.balance(ledger.payable(deal.trade.seller, "HKD")) == 0
    books_are_right()


def test_two_sealers_give_each_event_one_place():
    make_trade(TradeState.FUNDED)
    gate = Event.objects.all()[0]
    assert race(gate, [journal.seal] * 4) == ["done"] * 4
    while journal.seal():
        pass
    assert list(Seal.objects.order_by("position").values_list("position", flat=True)) == list(
        range(Event.objects.count())
    )
    assert Seal.objects.values("event").distinct().count() == Event.objects.count()


def test_two_workers_issue_a_certificate_and_a_statement_once():
    deal = make_trade(TradeState.CLEARED)
    tasks.pay_members()
    trading.hand_over_notices()
    tasks.read_notices()
    journal.seal()
    statement = Statement.objects.get()
    assert race(deal.trade, [tasks.issue_certificates] * 2) == ["done"] * 2
    assert race(statement, [tasks.issue_statements] * 2) == ["done"] * 2
    tasks.issue_certificates()
    tasks.issue_statements()
    kinds = ["settlement_statement", "trade_certificate"]
    assert sorted(Paper.objects.filter(kind__in=kinds).values_list("kind", flat=True)) == kinds
    assert deal.reload().certificate is not None and Statement.objects.get().paper is not None


# --- acceptance ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_deemed", [True, False])
def test_to_accept_and_to_dispute_at_once_is_one_or_the_other(is_deemed):
    deal = make_trade(TradeState.DELIVERED)
    if is_deemed:
        Trade.objects.filter(pk=deal.trade.pk).update(inspect_until=timezone.now())
    accept = (
        (lambda: trades.deem_accepted(deal.trade)) if is_deemed else (lambda: trades.accept(deal.trade, by=deal.buyer))
    )
    outcomes = race(deal.trade, [accept, lambda: trades.dispute(deal.trade, reason="Half is missing.", by=deal.buyer)])
    # An objection that comes first when the inspection is over is refused too, and silence then accepts.
    assert outcomes.count("done") == 1 and set(outcomes) <= {"done", "wrong_state", "inspection_over"}
    is_accepted = outcomes[0] == "done"
    assert deal.state == (TradeState.ACCEPTED if is_accepted else TradeState.DISPUTED)
    assert Dispute.objects.exists() != is_accepted
    assert deal.trade.is_deemed_accepted == (is_deemed and is_accepted)
    assert kinds_recorded(deal.trade)[-2:] == ["trade.delivered", f"trade.{deal.trade.state}"]


def test_two_of_the_staff_resolve_a_dispute_once():
    deal = make_trade(TradeState.DELIVERED)
    dispute = trades.dispute(deal.trade, reason="Half is missing.", by=deal.buyer)
    people = [factories.make_staff("disputes") for _ in range(2)]
    awards = [PRICE_MINOR, 25_000]
    outcomes = race(
        deal.trade,
        [
            lambda by=by, award=award: trades.resolve(dispute, refund_minor=award, resolution="So it is.", by=by)
            for by, award in zip(people, awards, strict=True)
        ],
    )
    assert sorted(outcomes) == ["done", "wrong_state"]
    award = awards[outcomes.index("done")]
    assert Refund.objects.get().amount_minor == award
    assert ledger.balance(ledger.escrow(deal.trade)) == PRICE_MINOR - award
    books_are_right()


# --- clearing --------------------------------------------------------------------------------------------------------


def closed_cycle() -> ClearingCycle:
    return trading.close_now()


def cleared_once(deal: Deal) -> None:
    assert deal.state == TradeState.CLEARED
    assert ledger.totals()["HKD"] == {"escrow": 0, "fee": 3_125, "payable": 121_875, "outside": -PRICE_MINOR}
    assert (Payout.objects.get().amount_minor, Statement.objects.get().net_minor) == (121_875, 121_875)
    assert (recorded("trade.cleared"), recorded("cycle.released"), recorded("payout.due")) == (1, 1, 1)
    books_are_right()


def test_a_trade_that_freezes_as_the_books_close_is_in_no_cycle(settings):
    settings.SETTLE_ABROAD_AFTER_DAYS = 5  # so that closing asks where the parties are
    deal, officer = make_trade(TradeState.ACCEPTED), factories.make_staff("clearing")
    cycle = clearing.open_cycle("HKD")
    freeze = Trade.objects.filter(pk=deal.trade.pk)
    closing = [lambda: freeze.update(is_frozen=True), lambda: clearing.close(cycle, by=officer)]
    assert race(deal.trade, closing, in_this_order=True) == ["done", "nothing_to_clear"]
    assert deal.reload().is_frozen and deal.trade.cycle is None


def test_a_cycle_cleared_twice_at_once_is_cleared_once():
    deal = make_trade(TradeState.ACCEPTED)
    cycle = closed_cycle()
    assert sorted(race(cycle, [lambda: trades.clear(cycle)] * 2)) == ["done", "wrong_state"]
    cleared_once(deal)


def test_two_of_the_staff_release_a_small_cycle_once():
    deal = make_trade(TradeState.ACCEPTED)
    cycle = closed_cycle()
    people = [factories.make_staff("clearing") for _ in range(2)]
    assert sorted(race(cycle, [lambda by=by: trades.release(cycle, by=by) for by in people])) == ["done", "wrong_state"]
    cleared_once(deal)
    assert ClearingCycle.objects.get(pk=cycle.pk).by in people


def test_a_large_cycle_is_released_by_two_even_when_three_click_at_once(settings):
    settings.CLEARING_LIMIT_MINOR = PRICE_MINOR - 1
    deal = make_trade(TradeState.ACCEPTED)
    cycle = closed_cycle()
    ann, bob = factories.make_staff("clearing"), factories.make_staff("clearing")
    outcomes = race(cycle, [lambda by=by: trades.release(cycle, by=by) for by in (ann, ann, bob)])
    assert sorted(set(outcomes)) in (["done", "second_person_needed"], ["done", "wrong_state"])
    cleared_once(deal)
    cycle.refresh_from_db()
    assert {cycle.by, cycle.second_by} == {ann, bob}


def test_one_person_who_clicks_twice_does_not_release_a_large_cycle(settings):
    settings.CLEARING_LIMIT_MINOR = PRICE_MINOR - 1
    deal = make_trade(TradeState.ACCEPTED)
    cycle, ann = closed_cycle(), factories.make_staff("clearing")
    outcomes = race(cycle, [lambda: trades.release(cycle, by=ann)] * 2)
    assert sorted(outcomes) == ["done", "second_person_needed"]
    assert deal.state == TradeState.ACCEPTED and ClearingCycle.objects.get(pk=cycle.pk).state == CycleState.CLOSED


def test_two_workers_close_and_clear_one_cycle():
    deal = make_trade(TradeState.ACCEPTED)
    cycle = clearing.open_cycle("HKD")
    ClearingCycle.objects.filter(pk=cycle.pk).update(cut_off_at=timezone.now())
    assert race(cycle, [tasks.clear_cycles] * 2) == ["done"] * 2
    cleared_once(deal)
    assert recorded("cycle.closed") == 1
    assert sorted(ClearingCycle.objects.values_list("state", flat=True)) == [CycleState.OPEN, CycleState.RELEASED]


def test_a_debt_is_set_off_once_when_two_cycles_are_cleared_at_once():
    first = make_trade(TradeState.SETTLED, price_minor=30_000)
    trading.pay(first, "charge_back")
    trading.pay(first, "lose_chargeback")
    seller = first.trade.seller
    assert ledger.balance(ledger.receivable(seller, "HKD")) == -30_000
    cycles, deals = [], []
    for _ in range(2):
        deal = trading.propose(trading.make_offer(first.trade.listing))
        trading.work()
        trading.pay(deal)
        trades.accept(deal.reload(), by=deal.buyer)
        cycles.append(closed_cycle())
        deals.append(deal)
    receivable = ledger.receivable(seller, "HKD")
    assert race(receivable, [lambda cycle=cycle: trades.clear(cycle) for cycle in cycles]) == ["done"] * 2
    assert ledger.balance(receivable) == 0
    recovered = Statement.objects.filter(cycle__in=cycles).values_list("recovered_minor", flat=True)
    assert sorted(recovered) == [0, 30_000]
    assert [deal.state for deal in deals] == [TradeState.CLEARED] * 2
    books_are_right()


@pytest.mark.parametrize("first", ["clearing", "bank"])
def test_a_chargeback_that_comes_while_a_cycle_is_cleared_is_booked_once(first):
    deal = make_trade(TradeState.ACCEPTED)
    trading.pay(deal, "charge_back")
    Trade.objects.filter(pk=deal.trade.pk).update(is_frozen=False)  # the bank's word and the cut-off cross
    cycle = closed_cycle()
    notice = told(deal, "lose_chargeback")
    commands = [lambda: trades.clear(cycle), lambda: hearing.hear([notice])]
    commands = commands if first == "clearing" else commands[::-1]
    assert race(deal.trade, commands, in_this_order=True) == ["done"] * 2
    balances = ledger.totals()["HKD"]
    if first == "bank":
        assert deal.state == TradeState.REFUNDED
        assert balances == {"escrow": 0, "outside": 0}
    else:
        assert deal.state == TradeState.CLEARED
        assert balances == {"escrow": 0, "fee": 3_125, "payable": 121_875, "receivable": -PRICE_MINOR, "outside": 0}
    assert Chargeback.objects.get().state == "lost"
    books_are_right()


def test_two_workers_open_a_bounced_payout_anew_once():
    deal = make_trade(TradeState.ACCEPTED)
    owner = deal.seller
    trading.set_account(deal.trade.seller, "bounce-always", by=owner)
    trading.clear_now()
    bounced = Payout.objects.get(state=OutgoingState.BOUNCED)
    trading.set_account(deal.trade.seller, "acct-new", by=owner)
    assert race(bounced, [payouts.reopen_bounced] * 2) == ["done"] * 2
    payouts.reopen_bounced()
    trading.work()
    assert sorted(Payout.objects.values_list("state", flat=True)) == [OutgoingState.BOUNCED, OutgoingState.PAID]
    assert deal.state == TradeState.SETTLED
    books_are_right()


# --- holds -----------------------------------------------------------------------------------------------------------


def test_a_hold_that_comes_while_access_is_opened_shuts_it_either_way():
    deal = make_trade(TradeState.FUNDED)
    officer = factories.make_staff("vetting")
    race(
        deal.trade,
        [
            tasks.open_grants,
            lambda: holds.place("trade", deal.trade.pk, reason_code="investigation", reason="A question.", by=officer),
        ],
    )
    with pytest.raises(Refused) as refusal:
        deliveries.require_use(deal.trade.grant, by=deal.buyer)
    assert refusal.value.code in ("not_ready", "not_cleared")
    journal.seal()
    journal.follow()
    assert Grant.objects.get().state == (GrantState.SUSPENDED if deal.state == TradeState.DELIVERED else GrantState.DUE)


def test_a_storm_of_ten_thousand_duplicates_is_one_notice_and_books_once():
    """Four posters say the same thing 2,500 times each while the workers read."""
    deal = make_trade("registered", price_minor=PRICE_MINOR)
    sandbox_bank.act(deal.payment.reference, "pay")
    body = SandboxNotice.objects.get().body.encode()
    headers = {sandbox_signature.HEADER: sandbox_signature.sign(body)}

    def post() -> None:
        for _again in range(2_500):
            payments.note("sandbox", body, headers)

    def read() -> None:
        for _round in range(20):
            tasks.read_notices()

    said = together([post, post, post, post, read], longest_seconds=300)
    tasks.read_notices()
    assert said == ["done"] * 5
    assert Notice.objects.count() == 1 and deal.state == TradeState.FUNDED
    assert [one.amount_minor for one in Transfer.objects.all()] == [PRICE_MINOR] and not Unmatched.objects.exists()
    assert kinds_recorded(deal.trade).count("trade.funded") == 1
