"""The buyer's fee: paid beside the price, frozen with the trade, given back with it, and the exchange's to lose."""

from __future__ import annotations

import csv
import datetime as dt
import html
import io
import secrets
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from listings.models import Offer
from marketplace import clock, documents
from marketplace.errors import Refused
from marketplace.models import Paper
from settlement import fees, hearing, invoices, ledger, member_money, metering, quotes, tasks, trades, upgrades
from settlement.gateways import Bounds, DisputeClosed, Disputed, sandbox_bank
from settlement.models import (
    Break,
    FeeSchedule,
    Grant,
    Invoice,
    Quote,
    Reconciliation,
    Refund,
    Statement,
    Trade,
    Transfer,
)
from settlement.models.fees import fee_back_minor
from settlement.states import TradeState
from tests import factories, money_proofs, pdf_text, trading
from tests.settlement import test_postpaid_calls as postpaid
from tests.settlement.test_trials import make_trial

pytestmark = pytest.mark.django_db

PERCENT = 200
THREE = [
    {"basis_points": 3000, "due_days": 0},
    {"basis_points": 4000, "due_days": 30},
    {"basis_points": 3000, "due_days": 60},
]


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path):
    settings.STORAGE_DIR = tmp_path / "storage"
    settings.CLOCK_MAY_MOVE = True


def take_of_buyers(basis_points: int = PERCENT, *, began_days_ago: int = 2, **facts: Any) -> FeeSchedule:
    """A schedule two people agreed on, that began some days ago; the seller's fee stays 2.5 %."""
    first, second = factories.make_staff("clearing"), factories.make_staff("clearing")
    with clock.moved_to(clock.now() - dt.timedelta(days=began_days_ago + 1)):
        said: dict[str, Any] = {"basis_points": 250, "reason": "Both sides bear the exchange.", "currency": "HKD"}
        said |= {"buyer_basis_points": basis_points, "begins_on": clock.today() + dt.timedelta(days=1)} | facts
        return fees.confirm(fees.ask(by=first, **said), by=second)


def moved(trade: Trade) -> dict[str, int]:
    return {part: ledger.sum_of([f"{part}-{trade.pk}"]) for part in ("fee", "buyer-fee", "net")}


def disputed(**offer: Any) -> tuple[trading.Deal, Any]:
    deal = trading.make_trade(TradeState.DELIVERED, **offer)
    return deal, trades.dispute(deal.trade, reason="A column lacks.", by=deal.buyer)


def resolve(dispute: Any, refund_minor: int) -> Trade:
    by = factories.make_staff("disputes")
    return trades.resolve(dispute, refund_minor=refund_minor, resolution="Heard.", by=by)


# --- how much ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "currency", "basis_points", "least", "most", "fee"),
    [
        (125_000, "CNY", 200, None, None, 2_500),
        (12_525, "CNY", 200, None, None, 251),  # 250.5 fen
        (12_524, "CNY", 200, None, None, 250),
        (99, "JPY", 150, None, None, 1),
        (33, "JPY", 150, None, None, 0),
        (123_456, "KWD", 250, None, None, 3_080),  # 3.086 dinars, and no third decimal
        (379, "KWD", 250, None, None, 0),
        (100_000, "CNY", 200, 5_000, None, 5_000),
        (1_000_000, "CNY", 200, None, 9_000, 9_000),
        (3_000, "CNY", 200, 5_000, None, 3_000),  # never above the price
        (0, "CNY", 200, 5_000, None, 0),
        (100_000, "CNY", 0, None, None, 0),
        (100_000, "KWD", 0, 1_005, None, 1_000),
    ],
)
def test_the_fee_is_a_share_within_its_limits_and_the_database_reckons_the_same(
    settings, price, currency, basis_points, least, most, fee
):
    settings.CURRENCIES = [*settings.CURRENCIES, "KWD", "JPY"]
    schedule = take_of_buyers(basis_points, currency=currency, buyer_least_minor=least, buyer_most_minor=most)
    assert schedule.buyer_fee_minor(price, currency) == fee
    trade = trading.propose(trading.make_offer(price_minor=price, currency=currency)).trade
    assert (trade.price_minor, trade.buyer_fee_minor, trade.total_minor) == (price, fee, price + fee)


@pytest.mark.parametrize(
    ("fee", "refund", "price", "currency", "back"),
    [
        (2_500, 0, 125_000, "CNY", 0),
        (2_500, 125_000, 125_000, "CNY", 2_500),
        (2_500, 62_500, 125_000, "CNY", 1_250),
        (2_500, 1, 125_000, "CNY", 1),
        (2_500, 124_999, 125_000, "CNY", 2_500),
        (7, 50, 100, "JPY", 4),
        (3_080, 41_150, 123_450, "KWD", 1_030),  # 1.026… dinars
        (3_080, 123_450, 123_450, "KWD", 3_080),
        (0, 5, 10, "JPY", 0),
    ],
)
def test_the_same_share_of_it_goes_back_rounded_for_the_buyer(fee, refund, price, currency, back):
    assert fee_back_minor(fee, refund, price, currency) == back


def test_by_default_there_is_none_and_nothing_is_said_of_it():
    deal = trading.make_trade(TradeState.SETTLED)
    assert deal.trade.buyer_fee_minor == 0 and moved(deal.trade)["buyer-fee"] == 0
    record = Paper.objects.get(kind="trade_contract", subject_id=deal.trade.pk).record
    assert "buyer_fee_minor" not in record and "total_minor" not in record
    client = Client(headers={"accept-language": "en"})
    client.force_login(deal.buyer)
    page = client.get(deal.trade.get_absolute_url()).content.decode()
    assert "With the exchange’s fee" not in html.unescape(page)
    assert "none for you" in client.get(reverse("propose", args=[deal.trade.offer.public_id])).content.decode()
    assert "the buyer pays none" in Client().get(reverse("fees")).content.decode()


# --- the whole road ------------------------------------------------------------------------------------------------


def test_a_whole_trade_is_paid_cleared_and_invoiced_to_the_cent():
    take_of_buyers()
    deal = trading.make_trade(TradeState.REGISTERED)
    assert (deal.trade.price_minor, deal.trade.buyer_fee_minor) == (125_000, 2_500)
    assert deal.payment.amount_minor == 127_500
    trading.pay(deal)
    assert deal.state == TradeState.DELIVERED and ledger.balance(ledger.escrow(deal.trade)) == 127_500
    (standing,) = member_money.standing(deal.trade.seller)
    assert standing.held_minor == 125_000
    trades.accept(deal.trade, by=deal.buyer)
    assert member_money.standing(deal.trade.seller)[0].to_clear_minor == 125_000
    assert [line.gross_minor for line in member_money.uncleared(deal.trade.seller, 5)] == [125_000]
    trading.clear_now()
    assert deal.state == TradeState.SETTLED
    assert moved(deal.trade) == {"fee": 3_125, "buyer-fee": 2_500, "net": 121_875}
    assert ledger.balance(ledger.fees("HKD")) == 5_625
    statement = Statement.objects.get()
    assert (statement.gross_minor, statement.fee_minor, statement.net_minor) == (125_000, 3_125, 121_875)
    tasks.issue_invoices()
    found = {one.kind: one for one in Invoice.objects.all()}
    assert {kind: one.gross_minor for kind, one in found.items()} == {
        "licence": 125_000, "fee": 3_125, "buyer_fee": 2_500,
    }  # fmt: skip
    assert found["buyer_fee"].issuer is None and found["buyer_fee"].recipient == deal.trade.buyer
    assert sorted(one.number for one in Invoice.objects.filter(issuer=None)) == [1, 2]
    for paper in Paper.objects.filter(kind="invoice"):
        for language in ("en", "zh-hans", "zh-hant"):
            assert pdf_text.text_of(documents.pdf(paper, language=language))
    money_proofs.prove()


def test_on_the_pages_one_buys_pays_accepts_and_reads_the_invoices():
    take_of_buyers()
    offer, buyer = trading.make_offer(), trading.make_verified()
    client = Client(headers={"accept-language": "en"})
    client.force_login(buyer.created_by)
    url = reverse("propose", args=[offer.public_id])
    page = client.get(url)
    assert "Buy for HKD 1,275.00" in page.content.decode()
    form = page.context["form"]
    said = {name: form[name].value() for name in ("text_digest", "fee_version", "price_minor")}
    said |= {"purpose": "Research", "accept": "on", "key": page.context["key"]}
    answer = client.post(url, said)
    trade = Trade.objects.get()
    assert answer.status_code == 302 and answer["Location"] == trade.get_absolute_url()
    trading.work()
    deal = trading.Deal(trade, buyer.created_by, offer.created_by)
    paying = client.get(deal.payment.pay_at_url)
    assert "1,275.00" in paying.content.decode()
    trading.pay(deal)
    act = reverse("trade_act", args=[trade.public_id, "accept"])
    assert client.post(act, {"key": secrets.token_urlsafe(18)}).status_code == 302
    trading.clear_now()
    tasks.issue_invoices()
    assert deal.state == TradeState.SETTLED and deal.trade.certificate is not None
    bought = html.unescape(client.get(trade.get_absolute_url()).content.decode())
    assert all(one in bought for one in ("Service fee of the buyer", "HKD 25.00", "HKD 1,275.00"))
    assert "HKD 1,275.00 with the fee" in client.get(reverse("orders")).content.decode()
    [order] = csv.DictReader(io.StringIO(client.get(reverse("orders_csv")).getvalue().decode("utf-8-sig")))
    assert (order["price"], order["buyer_fee"], order["total"]) == ("1250.00", "25.00", "1275.00")
    mine = client.get(reverse("api_invoices")).json()["results"]
    assert {one["kind"]: one["gross_minor"] for one in mine} == {"licence": 125_000, "buyer_fee": 2_500}
    client.force_login(deal.seller)
    sold = html.unescape(client.get(trade.get_absolute_url()).content.decode())
    assert "with the fee" not in client.get(reverse("sales")).content.decode()
    assert "HKD 31.25" in sold and "HKD 1,218.75" in sold and "Service fee of the buyer" not in sold
    assert {one["kind"] for one in client.get(reverse("api_invoices")).json()["results"]} == {"licence", "fee"}
    money_proofs.prove()


def test_what_its_seller_brought_is_without_it(settings):
    take_of_buyers()
    deal = trading.make_trade(TradeState.SETTLED)
    client = Client(headers={"accept-language": "en"})
    client.force_login(deal.seller)
    shown = client.get(reverse("studio_numbers")).content.decode()
    assert "1,250.00" in shown and "1,275.00" not in shown


def test_the_tax_of_a_mainland_buyers_fee_is_on_its_invoice():
    take_of_buyers(currency="CNY")
    seller, buyer = trading.make_verified(country="CN"), trading.make_verified(country="CN")
    offer = trading.make_offer(trading.make_listed(seller), price_minor=5_300_000, currency="CNY")
    deal = trading.propose(offer, buyer=buyer)
    trading.work()
    trading.pay(deal)
    trades.accept(deal.trade, by=deal.buyer)
    trading.clear_now()
    tasks.issue_invoices()
    fee = Invoice.objects.get(kind="buyer_fee")
    assert (fee.gross_minor, fee.net_minor) == (106_000, 100_000)


def test_too_little_and_too_much_are_judged_by_the_total():
    take_of_buyers()
    short = trading.make_trade(TradeState.REGISTERED)
    trading.pay(short, amount_minor=125_000)  # the price alone
    assert short.state == TradeState.REGISTERED
    by = factories.make_staff("payments")
    with pytest.raises(Refused) as refusal:
        trades.apply_suspense(short.trade, by=by)
    assert refusal.value.code == "too_little" and "127500" in str(refusal.value.detail)
    trading.pay(short, amount_minor=3_000)
    trades.apply_suspense(short.trade, by=by)
    trading.work()
    assert short.state == TradeState.DELIVERED
    assert ledger.balance(ledger.escrow(short.trade)) == 127_500
    assert [one.amount_minor for one in short.trade.refunds.all()] == [500]
    money_proofs.prove()


def test_what_no_gateway_takes_is_refused_by_the_total(monkeypatch):
    take_of_buyers()
    postpaid.bound(monkeypatch, HKD=Bounds(least_minor=1_000, most_minor=126_000))
    offer = trading.make_offer(price_minor=125_000)
    with pytest.raises(Refused) as refusal:
        trading.propose(offer)
    assert refusal.value.code == "amount_too_large"
    with pytest.raises(Refused) as refusal:
        buyer = trading.make_verified()
        quotes.make(offer, buyer=buyer, by=buyer.created_by)
    assert refusal.value.code == "amount_too_large"
    postpaid.bound(monkeypatch, HKD=Bounds(least_minor=1_000, most_minor=127_500))
    assert trading.propose(offer).trade.total_minor == 127_500


# --- money back ----------------------------------------------------------------------------------------------------


def test_a_refund_before_acceptance_gives_back_all_of_it():
    take_of_buyers()
    deal, dispute = disputed()
    resolve(dispute, 125_000)
    trading.work()
    assert deal.state == TradeState.REFUNDED
    assert [one.amount_minor for one in deal.trade.refunds.all()] == [127_500]
    assert ledger.balance(ledger.fees("HKD")) == 0
    money_proofs.prove()


def test_a_decision_that_gives_back_a_part_gives_back_that_part_of_the_fee():
    take_of_buyers(333)
    deal, dispute = disputed(price_minor=100_001)
    assert deal.trade.buyer_fee_minor == 3_330
    resolve(dispute, 33_334)
    assert [one.amount_minor for one in deal.trade.refunds.all()] == [33_334 + 1_111]
    (line,) = member_money.uncleared(deal.trade.seller, 5)
    assert line.gross_minor == member_money.standing(deal.trade.seller)[0].to_clear_minor == 66_667
    trading.clear_now()
    assert moved(deal.trade) == {"fee": 1_667, "buyer-fee": 2_219, "net": 65_000}
    record = Paper.objects.get(kind="acceptance", subject_id=deal.trade.pk).record
    assert (record["refund_minor"], record["fee_back_minor"]) == (33_334, 1_111)
    tasks.issue_invoices()
    assert Invoice.objects.get(kind="buyer_fee").gross_minor == 2_219
    money_proofs.prove()


@pytest.mark.parametrize("taken", [127_500, 51_000])
def test_of_a_chargeback_after_the_payout_the_fees_part_is_the_exchanges_loss(taken):
    take_of_buyers()
    deal = trading.make_trade(TradeState.SETTLED)
    tasks.issue_invoices()
    for what in ("charge_back", "lose_chargeback"):
        trading.pay(deal, what, **({"amount_minor": taken} if what == "charge_back" else {}))
    of_fee = taken * 2_500 // 127_500
    owed = ledger.owed_by_members([deal.trade.seller_id, deal.trade.buyer_id], locked=False)
    assert {key: minor for key, minor in owed.items() if minor} == {(deal.trade.seller_id, "HKD"): taken - of_fee}
    assert ledger.balance(ledger.fees("HKD")) == 5_625 - of_fee
    tasks.issue_invoices()
    tasks.issue_invoices()
    credits = {one.kind: one.gross_minor for one in Invoice.objects.exclude(corrects=None)}
    assert credits == {"licence": taken - of_fee, "buyer_fee": of_fee}
    assert not invoices.chargebacks_due().exists()
    money_proofs.prove()


def test_what_a_payer_has_twice_by_chargeback_is_of_no_invoice_and_waits_for_no_credit_note():
    deal = trading.make_trade(TradeState.SETTLED)
    tasks.issue_invoices()
    for contest in ("first", "second"):
        for fact in (Disputed(deal.payment.key, contest, 125_000, "HKD"), DisputeClosed(contest, is_lost=True)):
            hearing.HEAR[type(fact)](fact, "sandbox")
    owed = ledger.owed_by_members([deal.trade.seller_id, deal.trade.buyer_id], locked=False)
    assert set(owed.values()) == {125_000} and len(owed) == 2
    assert [invoices.credit_lost(one) is None for one in invoices.chargebacks_due().order_by("pk")] == [False]
    assert not invoices.chargebacks_due().exists()


def test_an_award_that_the_gateway_cannot_write_is_refused_and_decides_nothing(settings, monkeypatch):
    settings.CURRENCIES = [*settings.CURRENCIES, "KWD"]
    take_of_buyers(currency="KWD")
    postpaid.bound(monkeypatch, KWD=Bounds(200, 10**8, 10))
    deal, dispute = disputed(price_minor=123_450, currency="KWD")
    with pytest.raises(Refused) as refused:
        resolve(dispute, 41_155)
    assert refused.value.code == "award_not_payable"
    dispute.refresh_from_db()
    deal.trade.refresh_from_db()
    assert (dispute.resolved_at, deal.trade.state, Refund.objects.exists()) == (None, TradeState.DISPUTED, False)
    resolve(dispute, 41_150)
    assert {one.amount_minor % 10 for one in Refund.objects.all()} == {0}
    money_proofs.prove()


def test_the_three_books_agree_on_what_came_with_a_fee_and_was_taken_back():
    take_of_buyers()
    lost, _kept = (trading.make_trade(TradeState.SETTLED) for _one in range(2))
    given, dispute = disputed()
    resolve(dispute, 25_000)
    trading.work()
    for what in ("charge_back", "lose_chargeback"):
        trading.pay(lost, what)
    with clock.moved_to(clock.now() + dt.timedelta(days=1)):
        tasks.reconcile_books()
    day = Reconciliation.objects.get(currency="HKD")
    assert (day.found, day.in_transit) == (0, 0) and not Break.objects.exists()
    sent_minor = 2 * 121_875 + 25_500 + 127_500
    assert day.ledger_minor == day.gateway_minor == day.records_minor == 3 * 127_500 - sent_minor
    assert given.state == TradeState.ACCEPTED


def test_chargebacks_of_each_instalment_take_the_whole_fee_and_no_more():
    take_of_buyers(333)
    deal = trading.propose(trading.make_offer(price_minor=100_001, instalments=THREE))
    for _part in THREE:
        trading.work()
        trading.pay(deal)
        trading.work()
    assert [one.amount_minor for one in deal.trade.payments.order_by("pk")] == [30_000 + 3_330, 40_000, 30_001]
    trades.accept(deal.trade, by=deal.buyer)
    trading.clear_now()
    lost = []
    for payment in deal.trade.payments.order_by("pk"):
        for what in ("charge_back", "lose_chargeback"):
            sandbox_bank.act(payment.reference, what)
            trading.work()
        lost.append(ledger.lost_by_exchange(deal.trade.chargebacks.values_list("pk", flat=True)))
        money_proofs.prove()
    assert lost == [33_330 * 3_330 // 103_331, 73_330 * 3_330 // 103_331, 3_330]
    assert ledger.lost_by_seller(deal.trade.chargebacks.values_list("pk", flat=True)) == 100_001


def test_an_unpaid_instalment_gives_back_the_fee_that_came_with_the_first():
    take_of_buyers()
    deal = trading.propose(trading.make_offer(price_minor=100_000, instalments=THREE))
    trading.work()
    trading.pay(deal)
    trading.work()
    assert ledger.balance(ledger.escrow(deal.trade)) == 32_000
    trades.cancel(deal.trade, by=deal.buyer)
    assert [one.amount_minor for one in deal.trade.refunds.all()] == [32_000]


# --- other roads ---------------------------------------------------------------------------------------------------


def test_a_bill_has_the_fee_its_licence_was_agreed_with():
    with clock.moved_to(postpaid.NOVEMBER) as move:
        take_of_buyers()
        deal = postpaid.take(unit=1_000)
        assert (deal.trade.price_minor, deal.trade.buyer_fee_minor) == (0, 0)
        postpaid.call(deal, 10)
        take_of_buyers(900, began_days_ago=0, reason="A dearer tariff.")
        move(postpaid.DECEMBER)
        tasks.bill_calls()
        bill = postpaid.bill_of(deal)
        assert (bill.trade.price_minor, bill.trade.buyer_fee_minor) == (10_000, 200)
        trading.work()
        trading.pay(bill)
        assert bill.state == TradeState.DELIVERED and ledger.balance(ledger.escrow(bill.trade)) == 10_200


def test_a_bill_is_as_large_as_one_payment_may_be_with_its_fee(monkeypatch):
    schedule = take_of_buyers(1_000)
    postpaid.bound(monkeypatch, HKD=Bounds(least_minor=1_000, most_minor=100_000))
    fits = metering.most_payable(1_000, 1_000, "HKD", schedule)
    assert fits == 90  # 99,000 with its tenth; one more would be 100,100
    assert metering.most_payable(50, 1_000, "HKD", schedule) == 50
    assert metering.most_payable(1_000, 99_999, "HKD", schedule) == 0


def test_an_upgrade_credits_the_price_and_never_the_fee():
    take_of_buyers()
    deal, dispute = disputed()
    resolve(dispute, 25_000)
    trading.work()
    old = deal.reload()
    credit = upgrades.credit_of(old, Grant.objects.get(trade=old))
    assert (credit.value_minor, credit.refunded_minor) == (125_000, 25_000)
    dear = trading.make_offer(old.listing, name="For the group", price_minor=400_000)
    new = trades.propose(dear, buyer=old.buyer, upgrades=old, by=deal.buyer)
    assert new.credit_minor == credit.minor > 0 and new.price_minor == 400_000 - credit.minor
    assert new.buyer_fee_minor == (new.price_minor * 2 + 50) // 100


def test_a_free_trade_and_a_free_trial_have_none():
    take_of_buyers(buyer_least_minor=5_000)
    paid = trading.make_offer()
    free = trading.propose(trading.make_offer(paid.listing, name="A part", price_minor=0))
    trial = trading.propose(make_trial(paid))
    trading.work()
    assert [deal.state for deal in (free, trial)] == [TradeState.DELIVERED] * 2
    assert [deal.trade.total_minor for deal in (free, trial)] == [0, 0]


# --- told before, and held to what was told ------------------------------------------------------------------------


def test_a_quote_names_the_total_and_ends_when_the_fee_is_another():
    take_of_buyers()
    buyer, offer = trading.make_verified(), trading.make_offer(instalments=THREE)
    quote, other = (quotes.make(offer, buyer=buyer, by=buyer.created_by) for _one in range(2))
    assert (quote.price_minor, quote.buyer_fee_minor) == (125_000, 2_500)
    paper = Paper.objects.get(kind="quote", subject_id=quote.pk)
    assert (paper.record["gross_minor"], paper.record["total_minor"]) == (125_000, 127_500)
    for language in ("en", "zh-hans", "zh-hant"):
        text = pdf_text.text_of(documents.pdf(paper, language=language))
        assert "1,275.00" in text and "25.00" in text
    trade = quotes.order(quote, by=buyer.created_by)
    assert trade.buyer_fee_minor == 2_500
    with clock.moved_to(clock.now() + dt.timedelta(days=3)):
        take_of_buyers(300, began_days_ago=1, reason="A dearer tariff.")
        assert [one["state"] for one in quotes.shown(quotes.of(buyer))] == ["price_changed", "used"]
        assert quotes.state_of(quotes.of(buyer).get(pk=other.pk)) == "price_changed"
        with pytest.raises(Refused) as refusal:
            quotes.order(other, by=buyer.created_by)
        assert refusal.value.code == "quote_not_valid"


@pytest.mark.parametrize("sells_blocks", [False, True])
def test_a_schedule_that_changed_between_look_and_click_binds_nobody(sells_blocks):
    seen = take_of_buyers()
    steps = [{"from_quantity": 10, "unit_price_minor": 100}]
    facts = {"price_minor": None, "steps": steps, "most_quantity": 100} if sells_blocks else {}
    quantity = {"quantity": 20} if sells_blocks else {}
    offer, buyer = trading.make_offer(**facts), trading.make_verified()
    client = Client(headers={"accept-language": "en"})
    client.force_login(buyer.created_by)
    url = reverse("propose", args=[offer.public_id])
    form = client.get(url).context["form"]
    said = {name: form[name].value() or "" for name in ("text_digest", "fee_version")} | quantity
    said |= {"purpose": "Research", "accept": "on", "key": secrets.token_urlsafe(18)}
    if not sells_blocks:
        said["price_minor"] = form["price_minor"].value()
    assert said["fee_version"] == seen.version
    with clock.moved_to(clock.now() + dt.timedelta(days=3)):
        take_of_buyers(300, began_days_ago=1, reason="A dearer tariff.")
        answer = client.post(url, said)
        assert answer.status_code == 409 and "fee is another now" in answer.content.decode()
        assert not Trade.objects.exists()
        again = answer.context["form"]["fee_version"].value()
        assert again not in ("", seen.version)
        assert client.post(url, said | {"fee_version": again, "key": secrets.token_urlsafe(18)}).status_code == 302
        trade = Trade.objects.get()
        assert trade.buyer_fee_minor == trade.price_minor * 3 // 100


def test_a_schedule_that_only_changed_for_the_seller_is_no_obstacle():
    seen = take_of_buyers()
    offer, buyer = trading.make_offer(), trading.make_verified()
    with clock.moved_to(clock.now() + dt.timedelta(days=3)):
        take_of_buyers(began_days_ago=1, basis_points=900, reason="The seller bears more.", buyer_basis_points=PERCENT)
        trade = trades.propose(offer, buyer=buyer, fee_version=seen.version, by=buyer.created_by)
        assert trade.fee_schedule != seen
        with pytest.raises(Refused) as refusal:
            trades.propose(offer, buyer=buyer, fee_version="1999-1", by=buyer.created_by)
        assert refusal.value.code == "fee_changed"


def test_pages_contract_and_api_say_what_is_paid_in_all():
    take_of_buyers(buyer_least_minor=1_000, buyer_most_minor=9_000)
    deal = trading.make_trade(TradeState.REGISTERED, instalments=THREE)
    client = Client(headers={"accept-language": "en"})
    client.force_login(deal.buyer)
    offer = Offer.objects.get(pk=deal.trade.offer_id)
    buying = html.unescape(client.get(reverse("propose", args=[offer.public_id])).content.decode())
    for said in ("2 % of the price", "10.00", "90.00", "25.00", "1,275.00", "and the exchange’s fee"):
        assert said in buying, said
    page = html.unescape(client.get(deal.trade.get_absolute_url()).content.decode())
    assert "With the exchange’s fee of HKD 25.00 the buyer pays HKD 1,275.00 in all" in page
    paper = Paper.objects.get(kind="trade_contract", subject_id=deal.trade.pk)
    assert (paper.record["buyer_fee_minor"], paper.record["total_minor"]) == (2_500, 127_500)
    for language in ("en", "zh-hans", "zh-hant"):
        assert "1,275.00" in pdf_text.text_of(documents.pdf(paper, language=language))
    told = client.get(f"/api/v1/trades/{deal.trade.public_id}").json()
    assert (told["price_minor"], told["buyer_fee_minor"], told["total_minor"]) == (125_000, 2_500, 127_500)
    assert [one["amount_minor"] for one in told["instalments"]] == [37_500 + 2_500, 50_000, 37_500]
    told = Client().get("/api/v1/fees").json()["results"][0]
    assert [told[f"buyer_{part}"] for part in ("basis_points", "least_minor", "most_minor")] == [200, 1_000, 9_000]
    for language, said in (("en", "the buyer pays one"), ("zh-hans", "需方"), ("zh-hant", "需求方")):
        public = Client(headers={"accept-language": language}).get(reverse("fees")).content.decode()
        assert said in html.unescape(public) and "90.00" in public


def test_the_desk_asks_for_a_buyers_fee():
    client = Client()
    client.force_login(factories.make_staff("clearing"))
    said = {"act": "ask", "percent": "2.5", "begins_on": clock.today() + dt.timedelta(days=2), "currency": "HKD"}
    said |= {"buyer_percent": "1.25", "buyer_least": "10.00", "buyer_most": "9", "reason": "Both sides bear it."}
    url = reverse("desk_fees_act")
    assert client.post(url, said | {"key": secrets.token_urlsafe(18)}).status_code in (409, 422)
    said["buyer_most"] = "900"
    assert client.post(url, said | {"key": secrets.token_urlsafe(18)}).status_code == 302
    asked = FeeSchedule.objects.latest("pk")
    assert [getattr(asked, name) for name in fees.OF_THE_BUYER] == [125, 1_000, 90_000]
    assert str(asked).endswith("2.5 % + 1.25 %")


# --- what the database refuses -------------------------------------------------------------------------------------


@pytest.mark.parametrize("fee", [0, 2_499, 2_501, -1, 125_001])
def test_the_database_takes_no_trade_with_another_fee_than_its_schedule_gives(fee):
    take_of_buyers()
    trade = trading.make_trade(TradeState.PROPOSED).trade
    fields = {field.attname: getattr(trade, field.attname) for field in Trade._meta.concrete_fields}
    fields |= {"id": None, "public_id": "t" + secrets.token_hex(6), "buyer_fee_minor": fee}
    with pytest.raises(DatabaseError, match="is not what the schedule gives"), transaction.atomic():
        Trade.objects.create(**fields)
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        Trade.objects.filter(pk=trade.pk).update(buyer_fee_minor=fee)


@pytest.mark.parametrize(
    "facts",
    [
        {"buyer_basis_points": 10_001},
        {"buyer_least_minor": -1},
        {"buyer_least_minor": 5, "buyer_most_minor": 4},
        {"buyer_least_minor": 5, "currency": ""},
    ],
)
def test_the_database_takes_no_schedule_that_cannot_be(facts):
    whole = {
        "version": "x", "seller_basis_points": 1, "currency": "HKD", "valid_from": clock.now(), "reason": "x",
        "asked_by": factories.make_staff("clearing"),
    }  # fmt: skip
    with pytest.raises(DatabaseError, match="fee"), transaction.atomic():
        FeeSchedule.objects.create(**whole | facts)
    asked = FeeSchedule.objects.create(**whole)
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        FeeSchedule.objects.filter(pk=asked.pk).update(buyer_basis_points=1)


def test_the_database_holds_that_the_whole_total_is_in_escrow_and_the_first_part_has_the_fee():
    take_of_buyers()
    deal = trading.propose(trading.make_offer(price_minor=100_000, instalments=THREE))
    assert [one.amount_minor for one in deal.trade.instalments.order_by("number")] == [32_000, 40_000, 30_000]
    trade = trading.make_trade(TradeState.REGISTERED).trade
    Transfer.objects.create(
        key="paid-by-hand", debit=ledger.outside("sandbox", "HKD"), credit=ledger.escrow(trade), amount_minor=125_000
    )
    with pytest.raises(DatabaseError, match="without its price in escrow"), transaction.atomic():
        Trade.objects.filter(pk=trade.pk).update(state=TradeState.FUNDED)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_database_takes_no_quote_at_another_fee_than_its_trade():
    take_of_buyers()
    buyer, offer = trading.make_verified(), trading.make_offer()
    quote = quotes.make(offer, buyer=buyer, by=buyer.created_by)
    trade = trades.propose(offer, buyer=buyer, by=buyer.created_by)
    fields = {field.attname: getattr(quote, field.attname) for field in Quote._meta.concrete_fields}
    fields |= {"id": None, "public_id": "q" + secrets.token_hex(6)}
    other = Quote.objects.create(**fields | {"buyer_fee_minor": 2_499})
    with pytest.raises(DatabaseError, match="does not lead to"), transaction.atomic():
        Quote.objects.filter(pk=other.pk).update(trade=trade)
    with pytest.raises(DatabaseError, match="quoted_fee"), transaction.atomic():
        Quote.objects.create(**fields | {"buyer_fee_minor": 125_001})
    Quote.objects.filter(pk=quote.pk).update(trade=trade)


def test_an_invoice_of_the_fee_goes_to_the_buyer_and_from_the_exchange():
    take_of_buyers()
    deal = trading.make_trade(TradeState.SETTLED)
    facts = {
        "key": "x", "kind": "buyer_fee", "recipient": deal.trade.seller, "trade": deal.trade, "year": 2026,
        "currency": "HKD", "gross_minor": 1, "net_minor": 1, "lines": [], "is_tax_known": False,
    }  # fmt: skip
    for wrong in ({}, {"recipient": deal.trade.buyer, "issuer": deal.trade.seller}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Invoice.objects.create(**facts | wrong)
