"""Calls that are billed monthly: counted under a free licence, billed by trades of their own, each call once."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import hashlib
import io
import threading

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from listings import discounts
from listings.models import Offer
from marketplace import clock, documents, posted
from marketplace.errors import Invalid, Refused, RoleNeeded, WrongState
from marketplace.models import Paper
from settlement import billing, defaults, deliveries, ledger, metering, quotes, renewals, tasks, trades
from settlement.channels import usage
from settlement.gateways import Bounds, gateway
from settlement.models import Call, Grant, Trade
from settlement.states import GrantState, TradeState
from tests import factories, trading
from tests.settlement import test_blocks_of_calls as blocks

pytestmark = pytest.mark.django_db
NOVEMBER = dt.datetime(2026, 11, 10, 4, tzinfo=dt.UTC)
DECEMBER = dt.datetime(2026, 12, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path):
    settings.STORAGE_DIR = tmp_path / "storage"


def make_offer(listing=None, unit: int = 50, most: int = 100, **changes) -> Offer:
    steps = [{"from_quantity": 1, "unit_price_minor": unit}]
    facts = {"price_minor": None, "steps": steps, "most_quantity": most, "is_postpaid": True} | changes
    return trading.make_offer(listing, **facts)


def take(offer: Offer | None = None, **changes) -> trading.Deal:
    offer, buyer = offer or make_offer(**changes), trading.make_verified()
    trade = trades.propose(offer, buyer=buyer, by=buyer.created_by)
    deal = trading.Deal(trade, buyer.created_by, offer.listing.seller.created_by)
    trading.work()
    assert deal.state == TradeState.DELIVERED
    return deal


def call(deal: trading.Deal, number: int = 1) -> None:
    grant = Grant.objects.select_related("trade").get(trade=deal.trade)
    so_far = metering.counted(grant)
    for place in range(so_far, so_far + number):
        deliveries.require_use(grant, by=None)
        deliveries.leave_receipt(
            grant, path="a", sha256="0" * 64, first_byte=0, size_bytes=1, by=None, call=f"call {place}"
        )


def bill_of(deal: trading.Deal) -> trading.Deal:
    return trading.Deal(metering.bills(deal.trade).latest("pk"), deal.buyer, deal.seller)


def test_a_month_is_billed_paid_delivered_and_settled_to_the_cent():
    with clock.moved_to(NOVEMBER) as move:
        deal = take()
        assert (deal.trade.price_minor, deal.trade.quantity, deal.trade.unit_price_minor) == (0, None, 50)
        call(deal, 3)
        tasks.bill_calls()
        assert not metering.bills(deal.trade).exists(), "the month goes on"
        move(DECEMBER)
        call(deal, 2)  # these belong to December
        tasks.bill_calls()
        tasks.bill_calls()
        bill = bill_of(deal)
        assert metering.bills(deal.trade).count() == 1
        assert (bill.trade.quantity, bill.trade.price_minor, bill.trade.first_call) == (3, 150, 1)
        assert bill.state == TradeState.AGREED
        trading.work()
        trading.pay(bill)
        assert bill.state == TradeState.DELIVERED
        statement = bill.trade.grant.access["statement"]
        assert list(csv.DictReader(io.StringIO(statement)))[0] == {
            "day": "2026-11-10", "release": deal.trade.release.label, "release_digest": deal.trade.release.digest,
            "calls": "3",
        }  # fmt: skip
        record = Paper.objects.get(kind="delivery_record", subject_id=bill.trade.pk).record
        assert record["delivery_digest"] == f"sha256:{hashlib.sha256(statement.encode()).hexdigest()}"
        assert record["billed_trade_number"] == deal.trade.register_number
        move(bill.trade.inspect_until + dt.timedelta(seconds=1))
        tasks.deem_accepted()
        trading.clear_now()
        assert bill.state == TradeState.SETTLED
        trading.work()
        certificate = bill.reload().certificate
        assert certificate.record["delivery_digest"] == record["delivery_digest"]
        assert documents.pdf(certificate, language="en").startswith(b"%PDF")
        assert ledger.reconcile() == []


def test_a_usage_statement_runs_nothing_in_a_spreadsheet():
    with clock.moved_to(NOVEMBER) as move:
        deal = take()
        call(deal)
        move(DECEMBER)
        tasks.bill_calls()
    bill = bill_of(deal).trade
    bill.release.label = '=HYPERLINK("https://evil.example")'  # its seller chose it
    [line] = csv.DictReader(io.StringIO(usage.statement(bill)))
    assert (line["release"], line["calls"]) == (f"'{bill.release.label}", "1")


# --- what may be offered and taken ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": [{"from_quantity": 2, "unit_price_minor": 50}]},
        {"steps": [{"from_quantity": 1, "unit_price_minor": 50}, {"from_quantity": 5, "unit_price_minor": 40}]},
        {"steps": None, "most_quantity": None, "price_minor": 500},
        {"steps": "steps"},
        {"most_quantity": None},
        {"price_minor": 500},
    ],
)
def test_what_cannot_be_billed_by_the_call_is_refused(changes):
    with pytest.raises(Invalid) as refusal:
        make_offer(**changes)
    assert refusal.value.code == "wrong_offer"


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": [], "most_quantity": None},
        {"steps": [{"from_quantity": 2, "unit_price_minor": 25}]},
        {
            "steps": [{"from_quantity": 1, "unit_price_minor": 50}, {"from_quantity": 5, "unit_price_minor": 40}],
        },
    ],
)
def test_the_database_refuses_them_too(changes):
    offer = make_offer()
    facts = {field.attname: getattr(offer, field.attname) for field in Offer._meta.concrete_fields} | changes
    with pytest.raises(DatabaseError), transaction.atomic():
        Offer.objects.create(**facts | {"id": None, "public_id": "another"})
    with pytest.raises(DatabaseError), transaction.atomic():
        Offer.objects.filter(pk=offer.pk).update(is_postpaid=False)


def test_a_discount_in_force_stays_with_every_bill():
    with clock.moved_to(NOVEMBER) as move:
        offer = make_offer(unit=60)
        discounts.set_discount(
            offer, percent=50, valid_until=NOVEMBER + dt.timedelta(days=2), by=offer.listing.seller.created_by
        )
        deal = take(offer)
        assert (deal.trade.unit_price_minor, deal.trade.list_price.minor) == (30, 60)
        contract = Paper.objects.get(kind="trade_contract", subject_id=deal.trade.pk).record
        assert (contract["list_price_minor"], contract["metered_unit_minor"]) == (60, 30)
        call(deal, 10)
        move(DECEMBER)  # the discount is over
        tasks.bill_calls()
        bill = bill_of(deal)
        assert (bill.trade.price_minor, bill.trade.list_price.minor) == (300, 600)
        trading.work()
        trading.pay(bill)
        assert bill.state == TradeState.DELIVERED


def test_no_number_of_calls_is_said_and_one_licence_is_held_at_a_time():
    offer = make_offer()
    buyer = trading.make_verified()
    with pytest.raises(Invalid) as refusal:
        trades.propose(offer, buyer=buyer, quantity=5, by=buyer.created_by)
    assert refusal.value.code == "quantity_not_wanted"
    with pytest.raises(Refused) as refusal:
        trades.propose(offer, buyer=buyer, price_minor=40, by=buyer.created_by)
    assert refusal.value.code == "price_changed"
    first = trades.propose(offer, buyer=buyer, price_minor=50, by=buyer.created_by)
    with pytest.raises(Refused) as refusal:
        trades.propose(offer, buyer=buyer, by=buyer.created_by)
    assert refusal.value.code == "usage_taken" and refusal.value.next
    facts = {field.attname: getattr(first, field.attname) for field in Trade._meta.concrete_fields}
    facts |= {"id": None, "public_id": "another", "state": "proposed", "agreed_at": None, "holds_licence": False}
    with pytest.raises(DatabaseError, match="billed already"), transaction.atomic():
        Trade.objects.create(**facts)


def test_what_has_no_meaning_is_refused():
    deal = take()
    with pytest.raises(Refused) as refusal:
        trades.propose(deal.trade.offer, buyer=deal.trade.buyer, renews=deal.trade, by=deal.buyer)
    assert (refusal.value.code, "monthly" in str(refusal.value)) == ("not_renewable", True)
    with pytest.raises(Refused) as refusal:
        renewals.keep(deal.trade, by=deal.buyer)
    assert refusal.value.code == "not_renewable"
    with pytest.raises(Refused) as refusal:
        quotes.make(deal.trade.offer, buyer=deal.trade.buyer, by=deal.buyer)
    assert refusal.value.code == "not_quoted"
    dearer = trading.make_offer(deal.trade.listing, price_minor=900_000)
    with pytest.raises(Refused) as refusal:
        trades.propose(dearer, buyer=deal.trade.buyer, upgrades=deal.trade, by=deal.buyer)
    assert refusal.value.code == "not_upgradable"
    block = trading.make_trade(TradeState.DELIVERED)
    for act in (billing.ask, billing.end):
        with pytest.raises(WrongState):
            act(block.trade, by=block.buyer)


def test_an_offer_whose_bills_nobody_could_pay_is_not_taken(monkeypatch):
    bound(monkeypatch, HKD=Bounds(10_000, 10**9, 1))
    buyer, offer = trading.make_verified(), make_offer(most=100)
    with pytest.raises(Invalid) as refusal:
        trades.propose(offer, buyer=buyer, by=buyer.created_by)
    assert refusal.value.code == "amount_too_small"


# --- which calls are billed -----------------------------------------------------------------------------------------


def bound(monkeypatch, **bounds: Bounds) -> None:
    from dataclasses import replace

    can = replace(gateway("sandbox").capabilities(), bounds=bounds)
    monkeypatch.setattr("settlement.gateways.sandbox.Sandbox.capabilities", lambda _self: can)


def test_a_month_without_calls_is_not_billed():
    with clock.moved_to(NOVEMBER) as move:
        take()
        move(DECEMBER)
        tasks.bill_calls()
    assert Trade.objects.count() == 1


def test_what_is_too_little_is_carried_over_and_waived_at_the_end(monkeypatch):
    with clock.moved_to(NOVEMBER) as move:
        bound(monkeypatch, HKD=Bounds(400, 10**9, 1))
        deal = take()
        call(deal, 5)
        move(DECEMBER)
        tasks.bill_calls()
        assert not metering.bills(deal.trade).exists()
        with pytest.raises(Invalid) as refusal:
            billing.ask(deal.trade, by=deal.buyer)
        assert refusal.value.code == "nothing_to_bill"
        call(deal, 4)
        move(DECEMBER + dt.timedelta(days=31))
        tasks.bill_calls()
        bill = bill_of(deal)
        assert (bill.trade.first_call, bill.trade.quantity) == (1, 9)
        trading.work()
        trading.pay(bill)
        call(deal, 2)
        billing.end(deal.trade, by=deal.buyer)
        trading.work()
        tasks.bill_calls()
        assert metering.bills(deal.trade).count() == 1
        assert not billing.due().exists(), "nothing is late"


@pytest.mark.parametrize(
    ("currency", "unit", "bounds", "billed", "price"),
    [("JPY", 7, Bounds(50, 10**9, 1), 9, 63), ("KWD", 125, Bounds(100, 10**9, 10), 8, 1_000)],
)
def test_bills_of_other_currencies_are_whole_and_what_the_gateway_takes(
    monkeypatch, settings, currency, unit, bounds, billed, price
):
    with clock.moved_to(NOVEMBER) as move:
        bound(monkeypatch, **{currency: bounds})
        deal = take(unit=unit, currency=currency)
        call(deal, 9)
        move(DECEMBER)
        tasks.bill_calls()
        bill = bill_of(deal)
        assert (bill.trade.quantity, bill.trade.price_minor) == (billed, price)
        trading.work()
        trading.pay(bill)
        trades.accept(bill.trade, by=deal.buyer)
        trading.clear_now()
        assert bill.state == TradeState.SETTLED
        assert ledger.reconcile() == []


def test_access_that_ended_is_billed_at_once_and_never_again():
    deal = take()
    call(deal, 4)
    billing.end(deal.trade, by=deal.buyer)
    with pytest.raises(Refused) as refusal:
        call(deal)
    assert refusal.value.code == "grant_closed"
    trading.work()
    tasks.bill_calls()
    tasks.bill_calls()
    [bill] = metering.bills(deal.trade)
    assert (bill.quantity, bill.price_minor) == (4, 200)
    with pytest.raises(WrongState):
        billing.end(deal.trade, by=deal.buyer)


def test_the_seller_ends_it_to_the_end_of_the_following_month():
    with clock.moved_to(NOVEMBER) as move:
        deal = take()
        with pytest.raises(RoleNeeded):
            billing.give_notice(deal.trade, by=deal.buyer)
        billing.give_notice(deal.trade, by=deal.seller)
        end = deal.reload().grant.ends_at
        assert end == dt.datetime(2026, 12, 31, 16, tzinfo=dt.UTC), "midnight in Shanghai"
        call(deal, 2)
        with pytest.raises(WrongState):
            billing.give_notice(deal.trade, by=deal.seller)
        move(end + dt.timedelta(minutes=1))
        with pytest.raises(Refused) as refusal:
            call(deal)
        assert refusal.value.code == "licence_ended"
        trading.work()
        tasks.bill_calls()
        assert bill_of(deal).trade.quantity == 2


# --- the limit, and bills that are not paid --------------------------------------------------------------------------


def test_at_the_limit_the_next_call_waits_for_a_payment():
    deal = take(most=3)
    call(deal, 3)
    with pytest.raises(metering.UsageLimit) as refusal:
        call(deal)
    assert (refusal.value.code, refusal.value.status) == ("usage_limit", 403)
    with pytest.raises(DatabaseError), transaction.atomic():
        Call.objects.create(grant=deal.trade.grant, number=4, key="more")
    bill = trading.Deal(billing.ask(deal.trade, by=deal.buyer), deal.buyer, deal.seller)
    with pytest.raises(WrongState) as waits:
        billing.ask(deal.trade, by=deal.buyer)
    assert waits.value.code == "bill_open"
    trading.work()
    with pytest.raises(metering.UsageLimit):
        call(deal)
    trading.pay(bill)
    call(deal, 3)
    with pytest.raises(metering.UsageLimit):
        call(deal)


def test_an_unpaid_bill_suspends_access_until_it_is_asked_for_again_and_paid():
    with clock.moved_to(NOVEMBER) as move:
        deal = take()
        call(deal, 3)
        move(DECEMBER)
        tasks.bill_calls()
        trading.work()
        bill = bill_of(deal)
        call(deal, 2)
        with pytest.raises(Refused) as refusal:
            trades.cancel(bill.trade, by=deal.buyer)
        assert refusal.value.code == "bill_is_owed"
        move(bill.reload().fund_until + dt.timedelta(seconds=1))
        tasks.expire_trades()
        assert (bill.state, deal.reload().grant.state) == (TradeState.EXPIRED, GrantState.SUSPENDED)
        assert defaults.unpaid(deal.trade.buyer).count() == 1, "it counts as any unpaid trade"
        with pytest.raises(metering.UsageUnpaid) as refused:
            call(deal)
        assert refused.value.code == "usage_unpaid" and refused.value.next
        with pytest.raises(DatabaseError), transaction.atomic():
            Call.objects.create(grant=deal.trade.grant, number=6, key="more")
        with pytest.raises(DatabaseError), transaction.atomic():
            Grant.objects.filter(trade=deal.trade).update(state=GrantState.OPEN)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        deliveries.resume(deal.trade.grant)  # as a hold that is lifted would
        assert deal.reload().grant.state == GrantState.SUSPENDED
        tasks.bill_calls()
        move(DECEMBER + dt.timedelta(days=31))
        tasks.bill_calls()
        assert metering.bills(deal.trade).count() == 1, "the buyer asks for it"
        billing.ask(deal.trade, by=deal.buyer)
        again = bill_of(deal)
        assert (again.trade.first_call, again.trade.quantity) == (1, 5)
        trading.work()
        assert deal.reload().grant.state == GrantState.SUSPENDED, "asked for, not paid"
        trading.pay(again)
        assert (again.state, deal.reload().grant.state) == (TradeState.DELIVERED, GrantState.OPEN)
        call(deal)


def test_a_bill_the_exchange_did_not_register_in_time_is_nobodys_default():
    with clock.moved_to(NOVEMBER) as move:
        deal = take()
        call(deal, 3)
        move(DECEMBER)
        tasks.bill_calls()
        bill = bill_of(deal)
        move(DECEMBER + dt.timedelta(days=8))
        tasks.expire_trades()
        assert (bill.state, deal.reload().grant.state) == (TradeState.EXPIRED, GrantState.OPEN)
        assert not metering.is_overdue(deal.trade) and not defaults.unpaid(deal.trade.buyer).exists()
        call(deal)
        tasks.bill_calls()
        trading.work()
        again = bill_of(deal)
        assert (again.state, again.trade.first_call, again.trade.quantity) == (TradeState.REGISTERED, 1, 3)


def test_the_database_refuses_an_open_access_beside_an_overdue_bill():
    deal = take()
    call(deal, 3)
    bill = billing.ask(deal.trade, by=deal.buyer)
    trading.work()
    with pytest.raises(DatabaseError, match="overdue"), transaction.atomic():
        Trade.objects.filter(pk=bill.pk).update(state=TradeState.EXPIRED)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"first_call": 2}, "no such calls"),
        ({"quantity": 4, "price_minor": 200}, "no such calls"),
        ({"unit_price_minor": 40, "price_minor": 120}, "no such calls"),
        ({"billed_until": None}, "bill_says_which_calls"),
        ({"is_trial": True}, "trial"),
        ({"price_minor": 100}, "block_costs_its_calls"),
    ],
)
def test_the_database_refuses_a_bill_of_other_calls(changes, words):
    deal = take()
    call(deal, 3)
    with transaction.atomic():
        bill = billing.ask(deal.trade, by=deal.buyer)
        facts = {field.attname: getattr(bill, field.attname) for field in Trade._meta.concrete_fields}
        transaction.set_rollback(True)
    facts |= {"id": None, "state": "proposed", "agreed_at": None} | changes
    with pytest.raises(DatabaseError, match=words), transaction.atomic():
        Trade.objects.create(**facts)


def test_the_database_bills_no_call_twice():
    deal = take()
    call(deal, 3)
    bill = billing.ask(deal.trade, by=deal.buyer)
    facts = {field.attname: getattr(bill, field.attname) for field in Trade._meta.concrete_fields}
    facts |= {"id": None, "public_id": "another", "state": "proposed", "agreed_at": None}
    with pytest.raises(DatabaseError, match="no such calls"), transaction.atomic():
        Trade.objects.create(**facts)
    for state in ("cancelled", "declined"):
        with pytest.raises(DatabaseError), transaction.atomic():
            Trade.objects.filter(pk=bill.pk).update(state=state)


@pytest.mark.django_db(transaction=True)
def test_calls_and_bills_at_once_lose_and_double_nothing():
    deal = take(most=1_000)
    grant = Grant.objects.select_related("trade").get(trade=deal.trade)
    start = threading.Barrier(6)

    def use(name: int) -> None:
        start.wait(30)
        for place in range(10):
            key = f"call {name}-{place}"
            deliveries.leave_receipt(grant, path="a", sha256="0" * 64, first_byte=0, size_bytes=1, by=None, call=key)
        connection.close()

    def bill() -> None:
        start.wait(30)
        for _turn in range(5):
            with contextlib.suppress(Invalid, WrongState):
                billing.ask(deal.trade, by=deal.buyer)
        connection.close()

    threads = [threading.Thread(target=use, args=(name,)) for name in range(4)]
    threads += [threading.Thread(target=bill) for _two in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    trading.work()
    while (bills := metering.bills(deal.trade)) and metering.billed(deal.trade) < 40:
        waiting = bills.filter(state=TradeState.REGISTERED).first()
        if waiting is not None:
            trading.pay(trading.Deal(waiting, deal.buyer, deal.seller))
        billing.ask(deal.trade, by=deal.buyer)
        trading.work()
    spans = [(bill.first_call, bill.first_call + bill.quantity - 1) for bill in metering.bills(deal.trade)]
    covered = [number for first, last in spans for number in range(first, last + 1)]
    assert covered == list(range(1, 41))
    assert Call.objects.count() == 40


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_one_bills_the_month():
    with clock.moved_to(NOVEMBER) as move:
        deal = take()
        call(deal, 3)
        move(DECEMBER)
        start = threading.Barrier(2)

        def work() -> None:
            start.wait(30)
            billing.bill_next()
            connection.close()

        threads = [threading.Thread(target=work) for _two in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        [bill] = metering.bills(deal.trade)
        assert bill.quantity == 3


def test_a_bill_that_is_charged_back_ends_access():
    deal = take()
    call(deal, 3)
    bill = trading.Deal(billing.ask(deal.trade, by=deal.buyer), deal.buyer, deal.seller)
    trading.work()
    trading.pay(bill)
    trading.pay(bill, "charge_back")
    trading.pay(bill, "lose_chargeback")
    assert bill.state == TradeState.REFUNDED
    with pytest.raises(Refused) as refusal:
        call(deal)
    assert refusal.value.code == "grant_closed"


def test_downloads_are_the_calls_and_are_refused_by_code(monkeypatch):
    deal = take(most=2)
    [file] = deal.trade.release.files.all()
    for place in range(2):
        monkeypatch.setattr("django.core.signing.time.time", lambda at=place * 5: clock.now().timestamp() + at)
        link = blocks.path_to(deal, file.path)
        assert blocks.fetch(link).status_code == 200
        assert blocks.fetch(link, range="bytes=1-").status_code == 206, "one link is one call"
    monkeypatch.setattr("django.core.signing.time.time", lambda: clock.now().timestamp() + 20)
    refused = blocks.fetch(blocks.path_to(deal, file.path), accept="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "usage_limit")
    bill = trading.Deal(billing.ask(deal.trade, by=deal.buyer), deal.buyer, deal.seller)
    trading.work()
    trading.pay(bill)
    assert blocks.fetch(blocks.path_to(deal, file.path)).status_code == 200
    assert metering.of(deal.reload()).paid == 2
    assert "2" in bill.reload().grant.access["statement"].splitlines()[1].split(",")


def test_what_is_to_be_billed_waits_since_the_month_ended():
    with clock.moved_to(NOVEMBER) as move:
        deal = take()
        call(deal, 2)
        assert not billing.due().exists()
        move(DECEMBER)
        [waiting] = billing.due()
        assert waiting.waits_since == metering.month_start() > waiting.trade.next_try_at


# --- pages and API ---------------------------------------------------------------------------------------------------


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_settled_frame_says_that_calls_go_on_and_its_price_in_every_language():
    deal = take(most=3)
    trades.accept(deal.reload(), by=deal.buyer)
    trading.clear_now()
    deal.reload()
    assert deal.state == TradeState.SETTLED
    buyer, url = signed_in(deal.buyer), deal.trade.get_absolute_url()
    assert "The access is open; calls are billed monthly" in buyer.get(url).content.decode()
    for language, price in (("en", "a call"), ("zh-hans", "／次"), ("zh-hant", "／次")):
        page = buyer.get(url, headers={"accept-language": language}).content.decode()
        assert f'<span class="small soft">{price}</span>' in page
        product = Client().get(deal.trade.listing.get_absolute_url(), headers={"accept-language": language})
        assert f'<span class="small soft">{price}</span>' in product.content.decode()
    desk = signed_in(factories.make_staff("support")).get(reverse("desk_trade", args=[deal.trade.public_id]))
    assert "calls are billed monthly" in desk.content.decode() and "Billed monthly afterwards" in desk.content.decode()
    billing.end(deal.trade, by=deal.buyer)
    assert "This trade is settled" in buyer.get(url).content.decode()


def test_pages_say_what_a_call_costs_and_what_is_open():
    deal = take(most=3)
    call(deal, 2)
    buyer, seller = signed_in(deal.buyer), signed_in(deal.seller)
    product = Client().get(deal.trade.listing.get_absolute_url()).content.decode()
    assert "Billed monthly afterwards; up to 3 calls may be unpaid" in product
    page = buyer.get(deal.trade.get_absolute_url()).content.decode()
    assert "1 left before something is paid" in page and "Bill the open calls now" in page and "End the access" in page
    assert "End the access with notice" in seller.get(deal.trade.get_absolute_url()).content.decode()
    assert "billed monthly" in buyer.get(reverse("library")).content.decode()
    act = reverse("trade_act", args=[deal.trade.public_id, "ask_bill"])
    assert buyer.post(act, {"key": posted.new_key()}).status_code == 302
    bill = bill_of(deal)
    trading.work()
    trading.pay(bill)
    page = buyer.get(bill.trade.get_absolute_url()).content.decode()
    assert "Usage statement" in page and str(deal.trade) in page and 'id="files"' not in page
    for client in (buyer, seller):
        csv_file = client.get(reverse("usage_statement", args=[bill.trade.public_id]))
        assert csv_file.content.decode() == bill.trade.grant.access["statement"]
    assert (
        signed_in(trading.make_verified().created_by)
        .get(reverse("usage_statement", args=[bill.trade.public_id]))
        .status_code
        == 404
    )
    assert reverse("usage_statement", args=[deal.trade.public_id]) not in page


def test_a_buyer_reads_the_price_of_a_call_and_takes_it_on_the_page():
    offer, buyer = make_offer(), trading.make_verified()
    client, url = signed_in(buyer.created_by), reverse("propose", args=[offer.public_id])
    page = client.get(url).content.decode()
    assert "Take it at HKD 0.50 a call" in page and 'name="quantity"' not in page and "100 at most" in page
    said = {"key": posted.new_key(), "purpose": "Research", "accept": "on", "text_digest": "", "price_minor": "50"}
    assert client.post(url, said).status_code == 302
    assert Trade.objects.get().is_metered
    again = client.get(url).content.decode()
    assert "usage_taken" in again


def test_the_api_tells_bills_and_ends():
    deal = take()
    call(deal, 2)
    client, path = signed_in(deal.buyer), f"/api/v1/trades/{deal.trade.public_id}"
    usage = client.get(f"{path}/usage").json()
    assert (usage["counted"], usage["unbilled"], usage["left"], usage["unit_price_minor"]) == (2, 2, 98, 50)
    made = client.post(f"{path}/bills", headers={"idempotency-key": "a"})
    assert made.status_code == 201, made.content
    assert (made.json()["bills"], made.json()["first_call"], made.json()["quantity"]) == (deal.trade.public_id, 1, 2)
    assert client.post(f"{path}/bills", headers={"idempotency-key": "b"}).json()["code"] == "bill_open"
    bill = bill_of(deal)
    trading.work()
    assert client.get(f"/api/v1/trades/{bill.trade.public_id}/usage.csv").status_code == 409
    trading.pay(bill)
    assert client.get(f"/api/v1/trades/{bill.trade.public_id}/usage.csv").content.startswith(b"day,")
    links = client.get(f"/api/v1/trades/{bill.trade.public_id}/access")
    assert (links.status_code, links.json()["code"]) == (403, "bill_has_no_files")
    assert client.post(f"{path}/access/ending", headers={"idempotency-key": "c"}).status_code == 200
    assert client.get(f"{path}/usage").json()["bills"][0]["quantity"] == 2
    assert client.get(f"/api/v1/trades/{bill.trade.public_id}/usage").json()["code"] == "not_ready"
    licences = client.get("/api/v1/licences").json()["results"]
    assert [one["trade"] for one in licences] == [deal.trade.public_id], "a bill is no licence"


@pytest.mark.parametrize("language", ["en", "zh-hans", "zh-hant"])
def test_the_contract_says_it_in_every_language(language):
    deal = take()
    paper = Paper.objects.get(kind="trade_contract", subject_id=deal.trade.pk)
    text = " ".join(clause for one in paper.record["articles"][language] for clause in one["clauses"])
    assert "HKD 0.50" in text
    assert documents.pdf(paper, language=language).startswith(b"%PDF")
