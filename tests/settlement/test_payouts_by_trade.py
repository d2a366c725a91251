"""Members are paid trade by trade: what each trade's payout is, when it settles its trade, and what may not be."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from marketplace import clock, journal
from marketplace.models import Event, Notification
from marketplace.notifications import words_of
from settlement import clearing_preview, payouts, positions, splits, statements, trades, webhook_events
from settlement.models import ClearingCycle, Payout, Statement
from settlement.states import TradeState
from tests import factories, money_proofs, trading
from tests.settlement.test_clearing_run import accepted
from tests.settlement.test_reserves import agreed, bought, lost

pytestmark = pytest.mark.django_db(transaction=True)


def paid(cycle: ClearingCycle) -> list[tuple[object, object, int]]:
    return list(cycle.payouts.order_by("pk").values_list("kind", "trade", "amount_minor"))


def test_debts_are_taken_from_the_first_trades_and_each_of_the_rest_leaves_its_part_in_reserve():
    seller = trading.make_verified()
    first = bought(seller, 100_000)
    trading.clear_now()
    lost(first)
    agreed([factories.make_staff("clearing"), factories.make_staff("clearing")], seller)
    deals = [bought(seller, price_minor) for price_minor in (60_000, 80_000, 20_001)]
    cycle = trading.clear_now()
    # Nets of 58,500, 78,000 and 19,501; 100,000 are owed. Of 36,500 a tenth is 3,650, of 56,001 together 5,600.
    assert paid(cycle) == [("trade", deals[1].trade.pk, 32_850), ("trade", deals[2].trade.pk, 17_551)]
    stated = Statement.objects.get(cycle=cycle)
    assert (stated.recovered_minor, stated.reserved_minor, stated.net_minor) == (100_000, 5_600, 32_850 + 17_551)
    assert [deal.state for deal in deals] == [TradeState.SETTLED] * 3
    money_proofs.prove()


def test_a_trade_is_settled_by_its_own_payout_and_no_other():
    deals = accepted(100_000, 50_000, of_one_seller=True)
    trading.set_account(deals[0].trade.seller, "bounce-once-7", by=deals[0].seller)
    trading.clear_now()
    first, second = Payout.objects.order_by("pk")
    assert (first.state, second.state) == ("bounced", "paid")
    assert [deal.state for deal in deals] == [TradeState.CLEARED, TradeState.SETTLED]
    money_proofs.prove()
    trading.set_account(deals[0].trade.seller, "mended", by=deals[0].seller)
    trading.work()
    anew = Payout.objects.get(replaces=first)
    assert (anew.trade, anew.kind, anew.amount_minor, anew.state) == (deals[0].trade, "trade", 97_500, "paid")
    assert [deal.state for deal in deals] == [TradeState.SETTLED] * 2
    money_proofs.prove()


def letters(deal: trading.Deal) -> list[tuple[str, str]]:
    """What the seller was told of its payouts, in order."""
    for _event in range(3):
        journal.follow()
    of_payouts = Notification.objects.filter(to=deal.seller, kind__startswith="payout.").order_by("pk")
    return [(one.kind, words_of(one.kind, one.facts).subject) for one in of_payouts]


def test_what_a_cycle_pays_a_member_is_told_once_and_not_for_each_trade():
    deals = accepted(100_000, 50_000, 30_000, 0, of_one_seller=True)
    trading.clear_now()
    assert Payout.objects.filter(state="paid").count() == 3
    assert letters(deals[0]) == [("payout.paid", "CNY 1,755.00 was paid out to you")]


def test_a_payout_that_comes_back_is_told_by_itself_and_so_is_the_one_in_its_place():
    deals = accepted(100_000, 50_000, 30_000, of_one_seller=True)
    trading.set_account(deals[0].trade.seller, "bounce-once-7", by=deals[0].seller)
    trading.clear_now()
    back = ("payout.bounced", "A payout of CNY 975.00 did not arrive")
    others = ("payout.paid", "CNY 780.00 was paid out to you")
    assert sorted(letters(deals[0])) == [back, others]
    trading.set_account(deals[0].trade.seller, "mended", by=deals[0].seller)
    trading.work()
    assert letters(deals[0])[2:] == [("payout.paid", "CNY 975.00 was paid out to you")]


def test_where_every_payout_comes_back_none_is_told_as_paid():
    deals = accepted(100_000, 50_000, of_one_seller=True)
    trading.set_account(deals[0].trade.seller, "bounce-7", by=deals[0].seller)
    trading.clear_now()
    assert {kind for kind, _words in letters(deals[0])} == {"payout.bounced"}


def test_a_payout_may_come_back_as_often_as_it_will():
    [deal] = accepted(100_000)
    trades.clear(trading.close_now())
    for number in range(25):
        [payout] = payouts.claim_next_payouts()
        with transaction.atomic():
            payouts.record_bounced(payout.key, "sandbox", "closed")
        trading.set_account(deal.trade.seller, f"account-{number}", by=deal.seller)
        assert payouts.reopen_bounced() == 1
    newest = Payout.objects.order_by("pk").last()
    assert newest.key == f"{Payout.objects.order_by('pk')[0].key}-r25"
    money_proofs.prove()


def test_who_shares_in_a_trade_gets_a_payout_for_it_and_what_is_released_comes_by_itself():
    listing, holder = trading.make_listed(), trading.make_verified()
    wanted = [splits.Wanted(splits.Kind.RIGHT_HOLDER, 3_333, holder)]
    splits.agree(splits.propose(listing, wanted, by=listing.seller.created_by), payee=holder, by=holder.created_by)
    deal = trading.propose(trading.make_offer(listing, price_minor=100_001, currency="CNY"))
    trading.work()
    trading.pay(deal)
    trades.accept(deal.reload(), by=deal.buyer)
    cycle = trading.clear_now()
    got = dict(cycle.payouts.filter(trade=deal.trade).values_list("organisation", "amount_minor"))
    assert got == {listing.seller_id: 97_501 - 32_497, holder.pk: 32_497}
    money_proofs.prove()


def test_the_statement_names_the_payout_of_each_line_and_the_preview_their_number():
    deals = accepted(100_000, 50_000, 0, of_one_seller=True)
    cycle = trading.close_now()
    preview = clearing_preview.of_cycle(cycle, left_out_shown=0)
    assert [one.payouts for one in (*preview.by_member, preview.total)] == [2, 2]
    trades.clear(cycle)
    statements.issue_due()
    record = Statement.objects.get().paper.record
    keys = [deal.trade.payouts.get().key for deal in deals[:2]]
    assert [line["payout_reference"] for line in record["lines"]] == keys
    assert [(one["reference"], one["kind"], one["amount_minor"]) for one in record["payouts"]] == [
        (keys[0], "trade", 97_500),
        (keys[1], "trade", 48_750),
    ]
    assert record["payout_reference"] is None


def test_a_preview_keeps_no_trade_of_an_even_member_and_still_counts_each_payout(monkeypatch):
    monkeypatch.setattr(positions, "AT_ONCE", 1)
    accepted(100_000, 50_000, 1, 0, of_one_seller=True)
    cycle = trading.close_now()
    most, add = [], positions.add

    def watched(found, *rest):
        add(found, *rest)
        most.append(sum(len(one.brought) for one in found.values()))

    with monkeypatch.context() as patched:
        patched.setattr(positions, "add", watched)
        preview = clearing_preview.of_cycle(cycle, left_out_shown=0)
    assert max(most) == 1, "one trade of a part of one"
    trades.clear(cycle)
    assert preview.total.payouts == cycle.payouts.count() == 3


def test_the_webhook_of_a_payout_names_its_trade_where_it_is_of_one():
    seller = trading.make_verified()
    agreed((factories.make_staff("clearing"), factories.make_staff("clearing")), seller)
    deal = bought(seller, 100_000)
    trading.clear_now()
    with clock.moved_to(clock.now() + dt.timedelta(days=30)):
        trading.clear_now()  # what was kept back is released
    told = [webhook_events._of_payout(event) for event in Event.objects.filter(kind="payout.due").order_by("pk")]
    assert [(payee, said.get("trade"), said["cycle"]) for [(payee, said)] in map(list, told)] == [
        (seller.pk, deal.trade.public_id, 1),
        (seller.pk, None, 2),
    ]


def test_more_trades_ask_for_no_more_statements():
    def asked(*prices: int) -> int:
        accepted(*prices, of_one_seller=True)
        cycle = trading.close_now()
        with CaptureQueriesContext(connection) as queries:
            trades.clear(cycle)
        return len(queries)

    asked(100_000)  # the first opens the exchange's own accounts
    assert asked(100_000, 50_000, 30_000) == asked(100_000)
    assert Payout.objects.count() == 5


def refused(act) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        act()


def test_the_database_refuses_payouts_that_are_not_the_net_of_a_statement():
    deals = accepted(100_000, 50_000, of_one_seller=True)
    cycle = trading.close_now()
    stated = {"cycle": cycle, "organisation": deals[0].trade.seller, "currency": "CNY"}
    sums = {"gross_minor": 100, "fee_minor": 0, "net_minor": 100, "last_transfer": 0}
    balance = {"opening_minor": 0, "other_minor": -100, "closing_minor": 0}

    def pays(amount_minor: int) -> None:
        Payout.objects.create(**stated, kind="trade", trade=deals[0].trade, key="a", amount_minor=amount_minor)
        Statement.objects.create(**stated, **sums, **balance)

    for amount_minor in (99, 101):
        refused(lambda minor=amount_minor: pays(minor))
    trades.clear(cycle)
    more = {**stated, "amount_minor": 1}
    refused(lambda: Payout.objects.create(**more, kind="reserve", key="b"))  # its cycle is released
    payout = Payout.objects.order_by("pk")[0]
    refused(lambda: Payout.objects.create(**more, kind="trade", trade=payout.trade, key="c", replaces=payout))
    assert Payout.objects.count() == 2


def test_the_database_refuses_a_payout_of_a_trade_without_a_trade_and_two_of_one():
    deals = accepted(100_000, 50_000, of_one_seller=True)
    cycle = trading.close_now()
    owner = {"cycle": cycle, "organisation": deals[0].trade.seller, "currency": "CNY", "amount_minor": 1}
    refused(lambda: Payout.objects.create(**owner, kind="trade", key="a"))
    refused(lambda: Payout.objects.create(**owner, kind="reserve", trade=deals[0].trade, key="b"))
    Payout.objects.create(**owner, kind="trade", trade=deals[0].trade, key="c")
    refused(lambda: Payout.objects.create(**owner, kind="trade", trade=deals[0].trade, key="d"))
    Payout.objects.create(**owner, kind="reserve", key="e")
    refused(lambda: Payout.objects.create(**owner, kind="reserve", key="f"))
