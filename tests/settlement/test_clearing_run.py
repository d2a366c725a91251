"""A clearing run: any number of trades in parts, amounts of a whole market, and a `kill -9` at every statement."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import signal
import traceback

import pytest
from django.db import IntegrityError, connection
from django.test import Client
from django.urls import reverse

from marketplace import clock, documents
from marketplace.canonical import digest_of
from marketplace.errors import WrongState
from marketplace.models import Event, Paper
from settlement import clearing, clearing_preview, ledger, positions, splits, statements, tasks, trades
from settlement.models import ClearingCycle, Payout, Statement, Trade, Transfer
from settlement.states import CycleState, TradeState
from tests import factories, money_proofs, trading

pytestmark = pytest.mark.django_db(transaction=True)


def accepted(*prices: int, currency: str = "CNY", of_one_seller: bool = False) -> list[trading.Deal]:
    """Accepted trades at these prices, in minor units."""
    deals = []
    seller = trading.make_verified() if of_one_seller else None
    buyer = trading.make_verified()
    for price_minor in prices:
        listing = trading.make_listed(seller)
        offer = trading.make_offer(listing, price_minor=price_minor, currency=currency)
        deals.append(trading.propose(offer, buyer=buyer))
        trading.work()
        if price_minor:
            trading.pay(deals[-1])
        trades.accept(deals[-1].reload(), by=deals[-1].buyer)
    return deals


class Killed:
    """We are killed, as by `kill -9`, when we send the statement of this number, counted from 1."""

    def __init__(self, number: int) -> None:
        self.number, self.sent = number, 0

    def __call__(self, execute, sql, params, many, context):
        self.sent += 1
        if self.sent == self.number:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)


def is_done_unless_killed_at(number: int, work) -> bool:
    """Do the work in a process of its own, to be killed at that statement; whether it came to its end before."""
    connection.close()  # parent and child have one of their own each
    if (child := os.fork()) == 0:
        signal.alarm(60)
        try:
            with connection.execute_wrapper(Killed(number)):
                work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code == 0


def cut_everywhere(work, unchanged) -> int:
    """Do the work, killed at its first statement, then at its second, until it comes to its end; how often it was.

    `unchanged` looks at the rows after each death.
    """
    for number in range(1, 200):
        if is_done_unless_killed_at(number, work):
            return number - 1
        unchanged()
    raise AssertionError("the work never ended")


@pytest.mark.parametrize(
    ("after", "cut_off"),
    [
        ("2026-11-20T15:59:59+08:00", "2026-11-20T16:00:00+08:00"),  # a Friday
        ("2026-11-20T16:00:00+08:00", "2026-11-23T16:00:00+08:00"),  # the moment itself: Monday's
        ("2026-11-20T08:30:00+00:00", "2026-11-23T16:00:00+08:00"),  # told in another zone
        ("2026-11-21T23:59:59+00:00", "2026-11-23T16:00:00+08:00"),  # Sunday's morning there
        ("2026-09-30T16:00:00+08:00", "2026-10-08T16:00:00+08:00"),  # over the National Day
        ("2026-10-09T17:00:00+08:00", "2026-10-10T16:00:00+08:00"),  # a Saturday that is worked in its stead
    ],
)
def test_the_books_close_at_four_on_working_days_of_the_exchanges_clock(settings, after, cut_off):
    settings.TIME_ZONE, settings.CLEARING_CUT_OFF_HOUR, settings.CLEARING_EVERY_SECONDS = "Asia/Shanghai", 16, 0
    found = clearing.next_cut_off(dt.datetime.fromisoformat(after))
    assert found == dt.datetime.fromisoformat(cut_off) and found.utcoffset() == dt.timedelta(hours=8)


def test_what_is_accepted_at_the_cut_off_itself_is_in_that_cycle_if_it_is_there_when_the_books_close():
    [deal] = accepted(0)
    cycle = clearing.open_cycle("CNY")
    with clock.moved_to(cycle.cut_off_at - dt.timedelta(seconds=1)), pytest.raises(WrongState):
        clearing.close(cycle)
    with clock.moved_to(cycle.cut_off_at):
        assert clearing.close(cycle).cut_off_at == cycle.cut_off_at
        late = clearing.open_cycle("CNY")
    assert deal.reload().cycle == cycle and late.cut_off_at > cycle.cut_off_at
    with clock.moved_to(cycle.cut_off_at - dt.timedelta(hours=2)):  # a clock that was set back opens no second one
        assert clearing.open_cycle("CNY") == late
        with pytest.raises(WrongState):
            clearing.close(late)
        trades.clear(cycle)
    assert deal.state == TradeState.SETTLED


def test_a_run_in_parts_that_is_cut_at_any_statement_and_run_again_clears_each_trade_once(monkeypatch):
    monkeypatch.setattr(positions, "AT_ONCE", 2)
    deals = accepted(100_001, 33_333, 0, of_one_seller=True)
    cycle = trading.close_now()
    promised = clearing_preview.of_cycle(cycle, left_out_shown=0)
    before = Transfer.objects.count(), Event.objects.count()

    def nothing_moved() -> None:
        assert (Transfer.objects.count(), Event.objects.count()) == before
        assert not Statement.objects.exists() and not Payout.objects.exists()
        assert set(Trade.objects.values_list("state", flat=True)) == {TradeState.ACCEPTED}
        assert ClearingCycle.objects.get(pk=cycle.pk).state == CycleState.CLOSED

    assert cut_everywhere(lambda: trades.clear(cycle), nothing_moved) > 15
    total, statement = promised.total, Statement.objects.get()
    fees = 2_500 + 833  # 2.5 %, each rounded half up
    assert (total.gross_minor, total.fee_minor, promised.free) == (133_334, fees, 1)
    assert (statement.gross_minor, statement.fee_minor, statement.net_minor) == (133_334, fees, 133_334 - fees)
    assert total.payouts == 2
    assert list(Payout.objects.order_by("trade_id").values_list("trade", "amount_minor")) == [
        (deals[0].trade.pk, 97_501),
        (deals[1].trade.pk, 32_500),
    ]
    assert [deal.state for deal in deals] == [TradeState.CLEARED, TradeState.CLEARED, TradeState.SETTLED]
    kinds = ["trade.cleared", "payout.due", "cycle.released", "trade.settled"]
    assert [Event.objects.filter(kind=kind).count() for kind in kinds] == [3, 2, 1, 1]
    assert [ledger.balance(ledger.escrow(deal.trade)) for deal in deals[:2]] == [0, 0]
    assert ledger.reconcile() == [] and sum(ledger.totals()["CNY"].values()) == 0

    def no_paper() -> None:
        assert not Paper.objects.filter(kind=Paper.Kind.SETTLEMENT_STATEMENT).exists()

    assert cut_everywhere(lambda: statements.issue([statement]), no_paper) > 5
    paper = Statement.objects.select_related("paper").get().paper
    assert [line["gross_minor"] for line in paper.record["lines"]] == [100_001, 33_333]
    assert paper.digest == digest_of(paper.record)
    tasks.clear_cycles()
    tasks.issue_statements()
    assert Statement.objects.get().paper == paper and Paper.objects.filter(kind=paper.kind).count() == 1


def test_a_run_with_shares_that_is_cut_at_any_statement_passes_each_on_once(monkeypatch):
    monkeypatch.setattr(positions, "AT_ONCE", 1)
    listing, holder = trading.make_listed(), trading.make_verified()
    wanted = [splits.Wanted(splits.Kind.RIGHT_HOLDER, 3_333, holder)]
    splits.agree(splits.propose(listing, wanted, by=listing.seller.created_by), payee=holder, by=holder.created_by)
    for price_minor in (100_001, 33_333):
        deal = trading.propose(trading.make_offer(listing, price_minor=price_minor, currency="CNY"))
        trading.work()
        trading.pay(deal)
        trades.accept(deal.reload(), by=deal.buyer)
    cycle = trading.close_now()
    promised = clearing_preview.of_cycle(cycle, left_out_shown=0)
    before = Transfer.objects.count()

    def nothing_moved() -> None:
        assert Transfer.objects.count() == before and not Statement.objects.exists()

    assert cut_everywhere(lambda: trades.clear(cycle), nothing_moved) > 15
    shares = 32_497 + 10_832  # of 97,501 and 32,500 after the fee, each rounded down
    stated = {one.organisation_id: one for one in Statement.objects.all()}
    assert stated[holder.pk].shares_received_minor == stated[listing.seller_id].shares_given_minor == shares
    assert stated[listing.seller_id].net_minor == 97_501 + 32_500 - shares
    assert {one.organisation_id: one.net.minor for one in promised.by_member} == {
        one.organisation_id: one.net_minor for one in stated.values()
    }
    money_proofs.prove()


def test_a_year_of_a_market_is_right_to_the_fen():
    """Two trades that together come to 2.2 × 10^13 fen; 10 billion yuan are 10^12."""
    deals = accepted(12_000_000_000_007, 10_000_000_000_013, of_one_seller=True)
    first, second = factories.make_staff("clearing"), factories.make_staff("clearing")
    cycle = trading.close_now(by=first)
    assert clearing.needs_two_people(cycle)
    for officer in (first, second):
        cycle = trades.release(cycle, by=officer)
    statements.issue_due()
    fees = 300_000_000_000 + 250_000_000_000  # 2.5 %; of the 7 and the 13 fen less than half a one each
    statement = Statement.objects.select_related("paper").get()
    assert (statement.gross_minor, statement.fee_minor) == (22_000_000_000_020, fees)
    assert statement.paper.record["totals"]["net_minor"] == statement.net_minor == 21_450_000_000_020
    assert list(Payout.objects.order_by("trade_id").values_list("amount_minor", flat=True)) == [
        11_700_000_000_007,
        9_750_000_000_013,
    ]
    assert "220,000,000,000.20" in str(clearing_preview.Sum("CNY", 2, statement.gross_minor, 0, 0, 0, 0, 0, 0, 0).gross)
    assert [ledger.balance(ledger.escrow(deal.trade)) for deal in deals] == [0, 0]
    assert ledger.totals()["CNY"]["fee"] == fees and sum(ledger.totals()["CNY"].values()) == 0
    trading.work()
    assert ledger.reconcile() == [] and sum(ledger.totals()["CNY"].values()) == 0
    assert [deal.state for deal in deals] == [TradeState.SETTLED] * 2


SUMMED = """
    SELECT s.id, s.opening_minor, s.other_minor, s.closing_minor,
        coalesce(lag(s.closing_minor) OVER (PARTITION BY s.organisation_id, s.currency ORDER BY s.id), 0),
        (SELECT sum(CASE WHEN t.credit_id = a.id THEN t.amount_minor ELSE -t.amount_minor END)
         FROM settlement_account a JOIN settlement_transfer t ON a.id IN (t.debit_id, t.credit_id)
         WHERE a.organisation_id = s.organisation_id AND a.currency = s.currency
         AND a.kind IN ('payable', 'receivable') AND t.id <= s.last_transfer)
    FROM settlement_statement s ORDER BY s.id
"""


def test_each_statement_opens_where_the_one_before_closed_and_closes_at_what_the_ledger_holds():
    first = trading.make_trade(TradeState.SETTLED, price_minor=100_000)
    seller = first.trade.seller
    offer = trading.make_offer(first.trade.listing, price_minor=40_000)

    def sell() -> trading.Deal:
        deal = trading.propose(offer)
        trading.work()
        trading.pay(deal)
        trades.accept(deal.reload(), by=deal.buyer)
        return deal

    sell()
    second = trading.clear_now()  # the first payout went out since
    trading.pay(first, "charge_back")
    trading.pay(first, "lose_chargeback")
    sell()
    third = trading.clear_now()  # all of it is set against the debt
    sell()
    fourth = trading.clear_now()  # what is left of the debt is below zero no more
    statements.issue_due()
    with connection.cursor() as cursor:
        rows = cursor.execute(SUMMED).fetchall()
    assert [(opening, closing) for _pk, opening, _other, closing, _before, _held in rows] == [
        (0, 97_500),
        (97_500, 39_000),  # less 97,500 paid out, and 39,000 more
        (39_000, -61_000),  # less 39,000 paid out and 100,000 taken back, and 39,000 more
        (-61_000, -22_000),
    ]
    assert all(opening == before and closing == held for _pk, opening, _other, closing, before, held in rows)
    assert [statement.net_minor for statement in Statement.objects.order_by("pk")] == [97_500, 39_000, 0, 0]
    paper = Statement.objects.select_related("paper").get(cycle=third).paper
    payout = Payout.objects.get(cycle=second)
    said = [(one["kind"], one["reference"], one["amount_minor"]) for one in paper.record["movements"]]
    assert said == [("payout", payout.key, -39_000), ("debt", first.trade.register_number, -100_000)]
    assert Statement.objects.select_related("paper").get(cycle=fourth).paper.record["movements"] == []
    assert ["debt", first.trade.register_number, "HKD", "", "", "-1000.00"] in list(
        csv.reader(io.StringIO(statements.as_csv(Statement.objects.get(cycle=third)).decode("utf-8-sig")))
    )
    for language in ("en", "zh-hans", "zh-hant"):
        assert documents.pdf(paper, language=language).startswith(b"%PDF")
    client = Client()
    client.force_login(seller.created_by)
    page = client.get(reverse("statement", args=[rows[2][0]])).content.decode()
    assert "Taken back by the payer’s bank" in page and "-610.00" in page and payout.key in page
    for wrong in ({"opening_minor": 1, "other_minor": -22_001}, {"closing_minor": 1, "other_minor": 22_001}):
        right = {"opening_minor": -22_000, "other_minor": 0, "closing_minor": -22_000}
        with pytest.raises(IntegrityError, match="the statement (opens|closes) at"):
            Statement.objects.create(
                cycle=clearing.open_cycle("HKD"), organisation=seller, currency="HKD", gross_minor=0, fee_minor=0,
                net_minor=0, last_transfer=0, **right | wrong,
            )  # fmt: skip
