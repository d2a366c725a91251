"""A seller reads where its money is, every deduction beside its trade, and the CSV adds up to the payouts."""

from __future__ import annotations

import csv
import io

import pytest
from django.test import Client
from django.urls import reverse

from marketplace import clock
from settlement import ledger, member_money, tasks, trade_page, trades
from settlement.models import Account, Payout, Statement
from settlement.states import TradeState
from tests import factories, trading
from tests.trading import pay, work

pytestmark = pytest.mark.django_db


def bought(offer, buyer) -> trading.Deal:
    deal = trading.propose(offer, buyer=buyer)
    work()
    pay(deal)
    assert deal.state == TradeState.DELIVERED
    return deal


def test_a_seller_sees_what_is_held_to_be_cleared_on_its_way_and_paid(django_assert_max_num_queries):
    offer, buyer = trading.make_offer(), trading.make_verified("A Reader Limited")
    seller = offer.listing.seller
    paid, held, accepted = (bought(offer, buyer) for _ in range(3))
    trades.accept(paid.trade, by=paid.buyer)
    trading.clear_now()
    assert paid.state == TradeState.SETTLED
    trades.accept(accepted.trade, by=accepted.buyer)
    (one,) = member_money.standing(seller)
    told = (
        one.currency,
        one.held_minor,
        one.to_clear_minor,
        one.on_its_way_minor,
        one.paid_minor,
        one.owed_by_it_minor,
    )
    assert told == ("HKD", 125_000, 125_000, 0, 121_875, 0)
    assert one.last_paid_at == Payout.objects.get().paid_at
    lines = [
        (line.trade, line.gross_minor, line.fee_minor, line.net_minor) for line in member_money.uncleared(seller, 9)
    ]
    assert lines == [(deal.trade, 125_000, 3_125, 121_875) for deal in (accepted, held)]

    client = Client(headers={"accept-language": "en"})
    client.force_login(seller.created_by)
    with django_assert_max_num_queries(27):
        page = client.get(reverse("money")).content.decode()
    uncleared = page.partition('id="uncleared"')[2].partition("</section>")[0]
    assert "Held in escrow" in page and uncleared and paid.trade.public_id not in uncleared
    assert all(deal.trade.get_absolute_url() in page for deal in (held, accepted))
    statement = Statement.objects.get()
    page = client.get(reverse("statement", args=[statement.pk])).content.decode()
    assert paid.trade.get_absolute_url() in page and "The paper is being written." in page
    assert [f"</span>{amount}</data>" in page for amount in ("1,250.00", "31.25", "0.00", "1,218.75")] == [True] * 4
    tasks.issue_statements()
    assert reverse("paper", args=[Statement.objects.get().paper.number]) in client.get(
        reverse("statement", args=[statement.pk])
    ).content.decode()  # fmt: skip

    answer = b"".join(client.get(reverse("cleared_csv"))).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(answer))
    payout = Payout.objects.get()
    assert (row["trade"], row["buyer"]) == (paid.trade.public_id, "A Reader Limited")
    assert [row[name] for name in ("gross", "fee", "tax", "net")] == ["1250.00", "31.25", "0.00", "1218.75"]
    assert (row["payout"], row["payout_state"]) == (payout.key, "paid")
    told = client.get(reverse("api_money")).json()
    assert (told["currencies"][0]["held_minor"], told["currencies"][0]["paid_minor"]) == (125_000, 121_875)
    assert clock.now() < member_money.next_clearing_at()


def test_what_a_member_owes_is_summed_in_one_statement(django_assert_num_queries):
    seller = trading.make_verified()
    for currency, minor in (("HKD", 700), ("CNY", 900)):
        owed = ledger.receivable(seller, currency)
        ledger.transfer(f"owed-{currency}", debit=owed, credit=ledger.fees(currency), amount_minor=minor)
    with django_assert_num_queries(1):
        found = ledger.balances(Account.objects.filter(organisation=seller))
    assert [(account.currency, minor) for account, minor in found] == [("HKD", -700), ("CNY", -900)]
    assert [(one.currency, one.owed_by_it_minor) for one in member_money.standing(seller)] == [
        ("CNY", 900),
        ("HKD", 700),
    ]


def test_the_page_of_a_statement_lists_the_first_movements_of_its_balance_and_says_so(monkeypatch):
    offer, buyer = trading.make_offer(), trading.make_verified()
    for trades_in_it in (3, 1):  # each of the first three is paid out alone, which moves the balance
        for deal in [bought(offer, buyer) for _ in range(trades_in_it)]:
            trades.accept(deal.trade, by=deal.buyer)
        trading.clear_now()
    client = Client(headers={"accept-language": "en"})
    client.force_login(offer.listing.seller.created_by)
    url = reverse("statement", args=[Statement.objects.order_by("-pk")[0].pk])
    for most, more in ((3, False), (2, True)):
        monkeypatch.setattr("settlement.money_page.LINES_ON_A_PAGE", most)
        balance = client.get(url).content.decode().partition('id="balance"')[2].partition("</section>")[0]
        assert balance.count("Payout sent") == most
        assert ("These are the first; the paper and the CSV list all of them." in balance) is more


def test_what_comes_to_the_seller_is_of_what_a_decision_left_of_the_price():
    offer, buyer = trading.make_offer(), trading.make_verified()
    deal = bought(offer, buyer)
    dispute = trades.dispute(deal.trade, reason="A fifth is missing.", by=deal.buyer)
    trades.resolve(dispute, refund_minor=25_000, resolution="So it is.", by=factories.make_staff("disputes"))
    shown = trade_page.money_of(deal.reload())
    coming = shown["fee"].minor, shown["net"].minor
    trading.clear_now()
    shown = trade_page.money_of(deal.reload())
    assert coming == (shown["fee"].minor, shown["net"].minor) == (2_500, 97_500)


def test_nothing_comes_to_the_seller_of_a_trade_that_ended():
    deal = trading.make_trade(TradeState.REGISTERED)
    client = Client(headers={"accept-language": "en"})
    client.force_login(deal.seller)
    page = client.get(deal.trade.get_absolute_url()).content.decode()
    assert "Comes to you" in page
    trades.cancel(deal.trade, by=deal.buyer)
    page = client.get(deal.trade.get_absolute_url()).content.decode()
    assert "Comes to you" not in page
