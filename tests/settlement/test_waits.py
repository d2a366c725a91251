"""Each wait of a trade says who acts next and by when, where the trade changes by itself and where it does not."""

from __future__ import annotations

import datetime as dt

import pytest

from marketplace import clock, working_time
from settlement import clearing, hearing, payments, payout_accounts, trades, waits
from settlement.gateways import sandbox_bank
from settlement.states import CycleState, TradeState
from tests import factories, trading
from tests.trading import make_trade, pay, work

pytestmark = pytest.mark.django_db


def working(since: dt.datetime, hours: int) -> dt.datetime:
    return working_time.after(since, dt.timedelta(hours=hours))


def wait(deal: trading.Deal) -> tuple[str, str, dt.datetime | None]:
    following = waits.of(deal.reload())
    return following.who, following.text, following.until


def test_every_state_on_the_road_says_who_acts_and_by_when(settings, django_assert_num_queries):
    deal = make_trade(TradeState.PROPOSED)
    assert wait(deal) == ("seller", "The seller agrees or declines.", deal.trade.agree_until)
    trades.agree(deal.trade, by=deal.seller)
    week = dt.timedelta(days=7)
    assert wait(deal) == ("exchange", "The exchange registers the trade.", deal.trade.agreed_at + week)
    work()
    assert wait(deal) == ("buyer", "The buyer pays.", deal.trade.fund_until)
    sandbox_bank.act(deal.payment.reference, "pay")
    trading.hand_over_notices()
    hearing.hear(payments.claim_next_notices())
    assert wait(deal) == ("exchange", "The exchange delivers.", deal.trade.funded_at + dt.timedelta(hours=24))
    work()
    assert wait(deal)[::2] == ("buyer", deal.trade.inspect_until)
    trades.accept(deal.trade, by=deal.buyer)
    assert wait(deal) == (
        "exchange",
        "The next clearing pays the seller.",
        clearing.open_cycle(trading.currency_now()).cut_off_at,
    )
    cycle = trading.close_now()
    assert wait(deal) == ("exchange", "The exchange releases the clearing.", working(cycle.closed_at, 4))
    cycle = trades.release(cycle, by=factories.make_staff("clearing"))
    assert (cycle.state, deal.state) == (CycleState.RELEASED, TradeState.CLEARED)
    since = deal.trade.seller.payouts.get().created_at
    assert wait(deal) == ("exchange", "The payout is on its way.", working(since, 24))
    assert waits.of(deal.trade).otherwise.startswith("the exchange is late")
    settings.PAYOUT_WITHIN_HOURS = 0
    assert wait(deal)[2] is None
    with django_assert_num_queries(2):
        waits.of_many([deal.trade, deal.trade])
    work()
    assert wait(deal) == ("nobody", "Nothing is left to do.", None)


def test_a_dispute_says_by_when_the_exchange_decides_and_a_chargeback_names_no_time():
    deal = make_trade(TradeState.DELIVERED)
    opened = trades.dispute(deal.trade, reason="Wrong year.", by=deal.buyer)
    until = working(opened.opened_at, 40)
    both = "The exchange decides the dispute; until then the seller may answer."
    assert wait(deal) == ("exchange", both, until) and not waits.of(deal.trade).is_late
    with clock.moved_to(until + dt.timedelta(minutes=1)):
        assert waits.of(deal.trade).is_late
    trades.answer_dispute(opened, answer="Look again.", by=deal.seller)
    assert wait(deal) == ("exchange", "The exchange decides the dispute.", until)
    deal.trade.is_frozen = True
    frozen = waits.of(deal.trade)
    assert (frozen.who, frozen.text, frozen.until) == ("exchange", "A chargeback is open; the bank decides.", None)
    assert frozen.why_endless.startswith("The buyer's bank decides in its own time")


def test_a_cleared_trade_waits_for_its_seller_until_an_account_serves():
    seller = factories.make_verified()  # has named no account
    deal = trading.propose(trading.make_offer(trading.make_listed(seller)))
    work()
    pay(deal)
    trades.accept(deal.reload(), by=deal.buyer)
    trading.clear_now()
    assert deal.state == TradeState.CLEARED
    assert wait(deal) == ("seller", "The seller names the account its payout goes to.", None)
    assert waits.of(deal.trade).why_endless.startswith("Nothing lapses")
    account = payout_accounts.name(seller, gateway_name="sandbox", reference="acct-1", by=seller.created_by)
    assert wait(deal) == ("seller", "A second person of the seller confirms the account its payout goes to.", None)
    account = payout_accounts.confirm(account, by=factories.make_staff("payments"))
    assert wait(deal)[::2] == ("exchange", working(account.effective_at, 24))
    work()
    assert deal.state == TradeState.SETTLED
