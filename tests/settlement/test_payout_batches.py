"""Payouts are claimed, sent, recorded and heard of several at a time, and each is as safe as if it were alone."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from compliance import holds
from marketplace import claims
from settlement import hearing, ledger, payouts, tasks, trades
from settlement.gateways import TryLater, gateway
from settlement.gateways.sandbox import Sandbox
from settlement.models import Notice, Payout, SandboxNotice, SandboxOrder, Transfer
from settlement.states import OutgoingState, TradeState
from tests import factories, money_proofs, races, trading
from tests.crashes.dying import let_claims_lapse
from tests.settlement.test_clearing_run import accepted

pytestmark = pytest.mark.django_db(transaction=True)
PRICES = (100_000, 50_000, 30_000)


def cleared(*prices: int, of_one_seller: bool = False) -> list[trading.Deal]:
    """Trades whose payouts are due."""
    deals = accepted(*prices, of_one_seller=of_one_seller)
    trades.clear(trading.close_now())
    return deals


def states() -> list[str]:
    return list(Payout.objects.order_by("pk").values_list("state", flat=True))


def each_was_paid_once(deals: list[trading.Deal]) -> None:
    trading.hand_over_notices()
    tasks.read_notices()
    assert [deal.state for deal in deals] == [TradeState.SETTLED] * len(deals)
    assert SandboxOrder.objects.filter(kind="payout").count() == len(deals)
    assert Transfer.objects.filter(key__endswith="-sent").count() == len(deals)
    money_proofs.prove()


def test_what_is_wrong_with_one_payee_stops_no_other(monkeypatch):
    deals = cleared(*PRICES, 20_000)
    held, away, refusing, _well = (deal.trade.seller for deal in deals)
    by = factories.make_staff("review")
    holds.place("organisation", held.pk, reason_code="investigation", reason="A question.", by=by)
    trading.set_account(refusing, "bounce-always", by=deals[2].seller)
    pay_out = Sandbox.pay_out

    def one_does_not_answer(self: Sandbox, payout: Payout, to: str) -> str:
        if payout.organisation_id == away.pk:
            raise TryLater("the bank does not answer")
        return pay_out(self, payout, to)

    monkeypatch.setattr(Sandbox, "pay_out", one_does_not_answer)
    tasks.pay_members()
    assert states() == [OutgoingState.DUE, OutgoingState.DUE, OutgoingState.SENT, OutgoingState.SENT]
    errors = list(Payout.objects.filter(state="due").order_by("pk").values_list("error", flat=True))
    assert "is held" in errors[0] and "does not answer" in errors[1]
    trading.hand_over_notices()
    tasks.read_notices()
    assert states()[2:] == [OutgoingState.BOUNCED, OutgoingState.PAID]
    assert [deal.state for deal in deals] == [TradeState.CLEARED] * 3 + [TradeState.SETTLED]
    money_proofs.prove()


def test_one_that_cannot_be_recorded_backs_off_alone_and_is_not_sent_again(monkeypatch):
    deals = cleared(*PRICES)
    poisoned, book = Payout.objects.order_by("pk")[0], ledger.book

    def all_but_one(moves: list[ledger.Move]) -> None:
        if any(move[0].startswith(poisoned.key) for move in moves):
            raise ledger.Overdrawn()
        book(moves)

    monkeypatch.setattr(ledger, "book", all_but_one)
    tasks.pay_members()
    assert states() == [OutgoingState.DUE, OutgoingState.SENT, OutgoingState.SENT]
    monkeypatch.undo()
    let_claims_lapse()
    Payout.objects.update(next_try_at=deals[0].trade.proposed_at)
    tasks.pay_members()
    assert states() == [OutgoingState.SENT] * 3
    each_was_paid_once(deals)


def test_a_worker_that_dies_among_its_calls_leaves_them_to_another_and_none_is_paid_twice():
    deals = cleared(*PRICES)
    claimed = payouts.claim_next_payouts()
    assert [payout.destination for payout in claimed] == [f"acct-{deal.trade.seller_id}" for deal in deals]
    gateway("sandbox").pay_out(claimed[0], claimed[0].destination)
    tasks.pay_members()
    assert states() == [OutgoingState.DUE] * 3  # the dead worker's, until its claim lapses
    let_claims_lapse()
    tasks.pay_members()
    each_was_paid_once(deals)


def test_two_workers_share_what_is_due(monkeypatch):
    monkeypatch.setattr(payouts, "AT_ONCE", 1)
    deals = cleared(*PRICES)
    assert races.together([tasks.pay_members] * 2) == ["done"] * 2
    assert states() == [OutgoingState.SENT] * 3
    assert list(Payout.objects.values_list("tries", flat=True)) == [1] * 3
    each_was_paid_once(deals)


def test_what_a_slow_gateway_leaves_no_time_for_is_given_back_untried(monkeypatch):
    cleared(*PRICES)
    moments = iter([0.0, 1.0, 21.0])
    claimed = payouts.claim_next_payouts()
    monkeypatch.setattr(claims, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    assert list(claims.while_it_holds(claimed)) == claimed[:2]
    monkeypatch.undo()
    rows = Payout.objects.order_by("pk").values_list("tries", "claimed_until")
    assert [(tries, until is None) for tries, until in rows] == [(1, False), (1, False), (0, True)]
    assert [payout.pk for payout in payouts.claim_next_payouts()] == [claimed[2].pk]


def test_what_another_worker_took_meanwhile_is_not_given_back(monkeypatch):
    cleared(*PRICES[:2])
    claimed = payouts.claim_next_payouts()
    let_claims_lapse()
    payouts.claim_next_payouts()
    moments = iter([0.0, 21.0])
    monkeypatch.setattr(claims, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    assert list(claims.while_it_holds(claimed)) == claimed[:1]
    assert list(Payout.objects.values_list("tries", flat=True)) == [2, 2]


def test_several_ask_for_no_more_statements_than_one_but_for_the_hold_on_each(monkeypatch):
    def said(act: Callable[[], object]) -> int:
        with CaptureQueriesContext(connection) as queries:
            act()
        return len(queries)

    def asked(*prices: int) -> tuple[int, int]:
        deals = cleared(*prices, of_one_seller=True)
        with monkeypatch.context() as patch:
            patch.setattr(Sandbox, "pay_out", lambda _self, payout, _to: f"sent-{payout.pk}")
            sending = said(tasks.pay_members)
        for payout in Payout.objects.filter(state="sent"):
            gateway("sandbox").pay_out(payout, payout.destination)
        trading.hand_over_notices()
        notices = list(Notice.objects.filter(read_at=None))
        hearing_them = said(lambda: hearing.hear(notices))
        assert [deal.state for deal in deals] == [TradeState.SETTLED] * len(deals)
        return sending - len(prices), hearing_them

    asked(100_000)  # the first opens the account that mirrors the gateway
    assert asked(*PRICES) == asked(100_000)


def test_a_success_that_is_told_after_the_return_settles_nothing():
    [deal] = cleared(100_000)
    trading.set_account(deal.trade.seller, "bounce-always", by=deal.seller)
    tasks.pay_members()
    payout = Payout.objects.get()
    trading.hand_over_notices()
    tasks.read_notices()
    told = SandboxNotice.objects.latest("pk")
    body = told.body.replace("payout_failed", "paid_out")
    Notice.objects.create(gateway="sandbox", event_id="late", body=body)
    tasks.read_notices()
    payout.refresh_from_db()
    assert (payout.state, deal.state) == (OutgoingState.BOUNCED, TradeState.CLEARED)
    money_proofs.prove()
