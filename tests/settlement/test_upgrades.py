"""Upgrades: what is unused of a licence is taken off a dearer one's price, exactly; one access ends as one opens."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from listings import discounts, offers
from marketplace import clock, journal
from marketplace.errors import Refused
from marketplace.models import Notification, Paper
from settlement import deliveries, extensions, ledger, library, renewals, tasks, trades, upgrades
from settlement.channels import Access
from settlement.gateways import sandbox_bank
from settlement.models import Account, Grant, Renewal, Trade
from settlement.states import GrantState, RenewalState, TradeState
from settlement.upgrades import Credit
from tests import factories, money_proofs, trading

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path):
    settings.STORAGE_DIR = tmp_path / "storage"


@pytest.fixture
def deal():
    """A licence of a year for 1,250.00 HKD, accepted."""
    deal = trading.propose()
    trading.work()
    trading.pay(deal)
    trades.accept(deal.reload(), by=deal.buyer)
    deal.reload()
    return deal


@pytest.fixture
def dearer(deal):
    return trading.make_offer(deal.trade.listing, name="For the group", price_minor=400_000)


def proposed(deal, offer):
    trade = trades.propose(offer, buyer=deal.trade.buyer, upgrades=deal.trade, by=deal.buyer)
    return trading.Deal(trade, deal.buyer, deal.seller)


def upgraded(deal, offer):
    new = proposed(deal, offer)
    trading.work()
    trading.pay(new)
    return new


def days_after(deal, days, seconds=1):
    return clock.moved_to(deal.trade.grant.opened_at + days * DAY + dt.timedelta(seconds=seconds))


def grant_of(deal):
    return Grant.objects.get(trade=deal.trade)


def refused(code, command):
    with pytest.raises(Refused) as refusal:
        command()
    assert refusal.value.code == code


# --- the sum -------------------------------------------------------------------------------------------------------


@given(value=st.integers(1, 10**12), refunded=st.integers(0, 10**12), in_all=st.integers(1, 18_300), left=st.data())
@pytest.mark.parametrize("currency", ["CNY", "JPY"])
def test_a_credit_is_a_part_of_what_the_licence_cost_rounded_down(currency, value, refunded, in_all, left):
    days_left = left.draw(st.integers(0, in_all))
    credit = Credit(value, min(refunded, value), days_left, in_all, currency)
    kept = value - credit.refunded_minor
    assert 0 <= credit.minor <= kept
    assert credit.minor * in_all <= kept * days_left < (credit.minor + 1) * in_all, "less than a minor unit is lost"
    assert Credit(value, credit.refunded_minor, in_all, in_all, currency).minor == kept
    assert Credit(value, credit.refunded_minor, 0, in_all, currency).minor == 0


@pytest.mark.parametrize(
    ("days", "left", "credit"), [(0, 364, 124_657), (100, 264, 90_410), (363, 1, 342), (364, 0, 0)]
)
def test_a_year_is_credited_by_its_whole_days_left(deal, dearer, days, left, credit):
    with days_after(deal, days):
        sum_ = upgrades.credit_of(deal.trade, deal.trade.grant)
        assert (sum_.days_left, sum_.days_in_all, sum_.minor) == (left, 365, credit)
        new = proposed(deal, dearer)
    assert (new.trade.credit_minor, new.trade.price_minor) == (credit, 400_000 - credit)


def test_a_credit_in_yen(deal):
    listing = deal.trade.listing
    old = trading.propose(trading.make_offer(listing, currency="JPY", price_minor=10_000, name="Yen"))
    trading.work()
    trading.pay(old)
    trades.accept(old.reload(), by=old.buyer)
    old.reload()
    better = trading.make_offer(listing, currency="JPY", price_minor=20_001, name="Better")
    with days_after(old, 10):
        new = proposed(old, better)
    assert (new.trade.credit_minor, new.trade.price_minor) == (9_698, 10_303)  # 10,000 × 354 ÷ 365


def test_what_was_given_back_is_not_credited_and_a_credit_counts_as_paid(dearer):
    deal = trading.propose(trading.make_offer(dearer.listing))
    trading.work()
    trading.pay(deal)
    dispute = trades.dispute(deal.reload(), reason="Two days are missing.", by=deal.buyer)
    trades.resolve(dispute, refund_minor=25_000, resolution="A fifth back.", by=factories.make_staff("disputes"))
    deal.reload()
    with days_after(deal, 0):
        new = upgraded(deal, dearer)
        assert new.trade.credit_minor == 100_000 * 364 // 365
        trades.accept(new.reload(), by=new.buyer)
        new.reload()
        third = trading.make_offer(dearer.listing, name="All", price_minor=900_000)
        assert proposed(new, third).trade.credit_minor == 400_000 * 364 // 365


# --- one opens, one ends -------------------------------------------------------------------------------------------


def test_the_new_access_opens_as_the_old_one_ends_and_the_money_is_what_was_paid(deal, dearer):
    renewals.keep(deal.trade, by=deal.buyer)
    with days_after(deal, 100):
        new = proposed(deal, dearer)
        trading.work()
        deliveries.require_use(grant_of(deal), by=deal.buyer)
        trading.pay(new)
        assert new.state == TradeState.DELIVERED
        refused("grant_closed", lambda: deliveries.require_use(grant_of(deal), by=deal.buyer))
        deliveries.require_use(grant_of(new), by=deal.buyer)
        assert grant_of(new).ends_at == deliveries.months_after(grant_of(new).opened_at, 12)
        assert [one.trade_id for one in library.held(deal.trade.buyer, "valid")] == [new.trade.pk]
        escrow = Account.objects.get(trade=new.trade, kind=Account.Kind.ESCROW)
        assert ledger.balance(escrow) == new.trade.price_minor == 400_000 - 90_410
        tasks.close_grants()
        assert grant_of(deal).state == GrantState.OPEN, "it may come back until the new one is accepted"
        trades.accept(new.reload(), by=new.buyer)
        tasks.close_grants()
        assert grant_of(deal).state == GrantState.CLOSED
    order = Renewal.objects.get(trade=deal.trade)
    assert (order.state, order.stopped_because) == (RenewalState.STOPPED, "upgraded")
    assert not Renewal.objects.filter(trade=new.trade).exists()
    while journal.seal():
        pass
    journal.follow()
    assert [one.organisation_id for one in Notification.objects.filter(kind="renewal.upgraded")] == [
        deal.trade.buyer_id
    ]
    trading.clear_now()
    assert new.state == TradeState.SETTLED
    contract = Paper.objects.get(kind=Paper.Kind.TRADE_CONTRACT, subject_id=new.trade.pk)
    said = {key: contract.record[key] for key in ("price_minor", "full_price_minor", "credit_minor")}
    assert said == {"price_minor": 309_590, "full_price_minor": 400_000, "credit_minor": 90_410}
    assert contract.record["upgraded_trade_number"] == deal.trade.register_number


def test_the_old_access_comes_back_where_the_upgrade_is_refunded_before_it_is_accepted(deal, dearer):
    order = renewals.keep(deal.trade, by=deal.buyer)
    new = upgraded(deal, dearer)
    dispute = trades.dispute(new.reload(), reason="Empty.", by=new.buyer)
    tasks.close_grants()
    trades.resolve(
        dispute, refund_minor=new.trade.price_minor, resolution="All back.", by=factories.make_staff("disputes")
    )
    tasks.close_grants()
    assert (new.state, grant_of(deal).state) == (TradeState.REFUNDED, GrantState.OPEN)
    deliveries.require_use(grant_of(deal), by=deal.buyer)
    order.refresh_from_db()
    assert (order.state, order.set_by, order.stopped_because) == (RenewalState.STANDING, deal.buyer, "")
    again = proposed(deal, dearer)
    assert again.trade.credit_minor == new.trade.credit_minor


def test_the_old_access_does_not_come_back_once_the_upgrade_was_accepted(deal, dearer):
    new = upgraded(deal, dearer)
    trades.accept(new.reload(), by=new.buyer)
    for what in ("charge_back", "lose_chargeback"):  # before a worker has closed the old access
        sandbox_bank.act(new.payment.reference, what)
        trading.hand_over_notices()
        tasks.read_notices()
    assert new.state == TradeState.REFUNDED
    tasks.close_grants()
    assert grant_of(deal).state == GrantState.CLOSED


def test_an_upgrade_that_is_not_paid_leaves_the_old_licence_and_its_order_as_they_were(deal, dearer):
    renewals.keep(deal.trade, by=deal.buyer)
    with clock.moved_to(grant_of(deal).ends_at - 5 * DAY):
        new = proposed(deal, dearer)
        tasks.renew_licences()
        assert not Trade.objects.filter(renews=deal.trade).exists(), "an upgrade is under way"
        refused("upgraded_already", lambda: renewals_by_hand(deal))
        trades.cancel(new.trade, by=new.buyer)
        tasks.renew_licences()
    assert Trade.objects.filter(renews=deal.trade).count() == 1
    deliveries.require_use(grant_of(deal), by=deal.buyer)


def renewals_by_hand(deal):
    return trades.propose(deal.trade.offer, buyer=deal.trade.buyer, renews=deal.trade, by=deal.buyer)


def test_an_upgrade_waiting_for_its_money_ends_where_the_old_payment_is_charged_back(deal, dearer):
    new = proposed(deal, dearer)
    trading.work()
    trading.pay(deal, "charge_back")
    refused("not_upgradable", lambda: proposed(deal, dearer))
    trading.pay(deal, "lose_chargeback")
    assert (deal.state, new.state) == (TradeState.REFUNDED, TradeState.EXPIRED)


@pytest.mark.parametrize("is_cleared", [False, True])
def test_a_paid_upgrade_that_is_not_open_is_refunded_where_the_old_payment_is_lost(deal, dearer, is_cleared):
    if is_cleared:
        with clock.moved_to(clock.now() + 7 * DAY):
            trading.clear_now()
        assert deal.state in (TradeState.CLEARED, TradeState.SETTLED)
    new = proposed(deal, dearer)
    trading.work()
    for whose, what in ((new, "pay"), (deal, "charge_back"), (deal, "lose_chargeback")):  # no worker opens the access
        sandbox_bank.act(whose.payment.reference, what)
        trading.hand_over_notices()
        tasks.read_notices()
    assert new.state == TradeState.REFUNDED
    assert new.trade.refunds.get().amount_minor == new.trade.total_minor
    money_proofs.prove()


# --- what is refused -----------------------------------------------------------------------------------------------


def test_what_cannot_be_upgraded_is_told(deal, dearer):
    stranger = trading.make_verified()
    elsewhere = trading.make_offer(trading.make_listed(trading.make_verified()), price_minor=900_000)
    cheaper = trading.make_offer(deal.trade.listing, price_minor=125_000, name="Same")
    yuan = trading.make_offer(deal.trade.listing, currency="CNY", price_minor=900_000, name="Yuan")
    refused(
        "not_upgradable",
        lambda: trades.propose(dearer, buyer=stranger, upgrades=deal.trade, by=stranger.created_by),
    )
    refused("not_upgradable", lambda: proposed(deal, elsewhere))
    refused("not_upgradable", lambda: proposed(deal, yuan))
    refused("not_dearer", lambda: proposed(deal, cheaper))
    with clock.moved_to(grant_of(deal).ends_at + DAY):
        refused("not_upgradable", lambda: proposed(deal, dearer))
    fresh = trading.propose(deal.trade.offer)
    trading.work()
    trading.pay(fresh)
    refused("not_upgradable", lambda: proposed(fresh, dearer))
    renewals_by_hand(deal)
    refused("renewed_already", lambda: proposed(deal, dearer))
    assert not Trade.objects.filter(upgrades__isnull=False).exists()


def test_a_licence_is_extended_or_replaced_and_not_both_at_once(deal, dearer):
    other = trading.propose(dearer, buyer=deal.trade.buyer)
    trading.work()
    trading.pay(other)
    trades.accept(other.reload(), by=other.buyer)
    refused(
        "renews_and_upgrades",
        lambda: trades.propose(dearer, buyer=deal.trade.buyer, renews=other.trade, upgrades=deal.trade, by=deal.buyer),
    )


def test_the_database_refuses_a_credit_too_high_a_second_upgrade_and_what_is_no_licence(deal, dearer):
    new = proposed(deal, dearer).trade
    stranger = trading.make_verified()

    def inserted(**changes):
        with transaction.atomic():
            copy = Trade.objects.get(pk=new.pk)
            copy.pk, copy.public_id, copy.state, copy.agreed_at = None, "another", TradeState.PROPOSED, None
            for name, value in changes.items():
                setattr(copy, name, value)
            copy.save(force_insert=True)

    with pytest.raises(IntegrityError, match="licence_is_upgraded_by_one_trade"):
        inserted()
    no_licence = "holds no licence that this one could replace"
    with pytest.raises(IntegrityError, match=no_licence):
        inserted(credit_minor=125_001, price_minor=274_999)
    with pytest.raises(IntegrityError, match=no_licence):
        inserted(credit_minor=0, price_minor=125_000, offer=deal.trade.offer)
    with pytest.raises(IntegrityError, match=no_licence):
        inserted(buyer=stranger)
    with pytest.raises(IntegrityError, match=no_licence):
        inserted(upgrades=new)
    with pytest.raises(IntegrityError, match="only_an_upgrade_has_a_credit"):
        inserted(upgrades=None)
    with pytest.raises(IntegrityError, match="holds no licence that this one could extend"):
        inserted(upgrades=None, credit_minor=0, price_minor=125_000, renews=deal.trade, offer=deal.trade.offer)
    trades.cancel(new, by=deal.buyer)
    Trade.objects.filter(pk=deal.trade.pk).update(is_frozen=True)
    with pytest.raises(IntegrityError, match=no_licence):
        inserted()
    Trade.objects.filter(pk=deal.trade.pk).update(is_frozen=False)
    Grant.objects.filter(trade=deal.trade).update(is_close_due=True)
    with pytest.raises(IntegrityError, match=no_licence):
        inserted()


def test_the_database_refuses_both_accesses_and_an_ended_one_that_comes_back(deal, dearer, monkeypatch):
    def at_once():
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    new = upgraded(deal, dearer)
    at_once()
    with pytest.raises(IntegrityError, match="has ended"), transaction.atomic():
        Grant.objects.filter(trade=deal.trade).update(is_close_due=False)
        at_once()
    trades.accept(new.reload(), by=new.buyer)
    new.reload()
    third = proposed(new, trading.make_offer(dearer.listing, name="All", price_minor=900_000))
    tasks.register_trades()
    tasks.start_payments()
    sandbox_bank.act(third.payment.reference, "pay")
    trading.hand_over_notices()
    tasks.read_notices()
    at_once()
    monkeypatch.setattr(deliveries, "end", lambda trade: None)
    grant = grant_of(third)
    grant.trade = third.trade
    with pytest.raises(IntegrityError, match="delivered beside what it replaces"), transaction.atomic():
        trades.deliver([(grant, Access({}))])
        at_once()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_upgrade_or_renew_at_once_one_does(deal, dearer):
    met, outcomes = threading.Barrier(3), []

    def go(**how):
        try:
            met.wait()
            trades.propose(buyer=deal.trade.buyer, by=deal.buyer, **how)
            outcomes.append("proposed")
        except (upgrades.NotUpgradable, extensions.NotRenewable) as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    ways = [{"offer": dearer, "upgrades": deal.trade}] * 2 + [{"offer": deal.trade.offer, "renews": deal.trade}]
    threads = [threading.Thread(target=go, kwargs=way) for way in ways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("proposed") == 1 and set(outcomes) <= {"proposed", "upgraded_already", "renewed_already"}
    assert Trade.objects.exclude(pk=deal.trade.pk).count() == 1


# --- pages and API -------------------------------------------------------------------------------------------------


def test_the_page_shows_the_sum_line_by_line_and_buys_at_it(deal, dearer):
    client = Client()
    client.force_login(deal.buyer)
    with days_after(deal, 100):
        address = f"/offers/{dearer.public_id}/buy/?upgrades={deal.trade.public_id}"
        assert address in client.get(f"/trades/{deal.trade.public_id}/").content.decode()
        page = client.get(address).content.decode()
        for said in ("264 of 365", "1,250.00", "4,000.00", "904.10", "3,095.90", "Buy for HKD 3,095.90"):
            assert said in page, said
        said = {"purpose": "More", "accept": "on", "upgrades": deal.trade.public_id, "key": "a" * 20}
        assert 'name="price_minor" value="309590"' in page
        again = client.post(f"/offers/{dearer.public_id}/buy/", said | {"price_minor": 309_248})  # a day before
        assert (again.status_code, Trade.objects.filter(upgrades=deal.trade).count()) == (409, 0)
        assert 'name="price_minor" value="309590"' in again.content.decode()
        said |= {"price_minor": 309_590, "key": "b" * 20}
        assert client.post(f"/offers/{dearer.public_id}/buy/", said).status_code == 302
        new = Trade.objects.get(upgrades=deal.trade)
        assert new.price_minor == 309_590
        assert "upgraded_already" in client.get(address).content.decode()
        told = client.get(f"/api/v1/trades/{new.public_id}").json()
        assert (told["upgrades"], told["credit_minor"]) == (deal.trade.public_id, 90_410)
        assert "904.10" in client.get(f"/trades/{new.public_id}/").content.decode()
        client.force_login(trading.make_verified().created_by)
        assert "This replaces a licence" not in client.get(address).content.decode()
        body = {"offer": dearer.public_id, "upgrades": deal.trade.public_id}
        answer = client.post(
            "/api/v1/trades", body, content_type="application/json", headers={"Idempotency-Key": "upgrade-1"}
        )
        assert answer.status_code == 404


def test_the_api_tells_what_an_upgrade_would_cost_before_it_is_proposed(deal, dearer, django_assert_max_num_queries):
    other = trading.make_offer(deal.trade.listing, name="Other", price_minor=500_000)
    trading.make_offer(deal.trade.listing, name="Cheaper", price_minor=100_000)
    discounts.set_discount(dearer, percent=10, valid_until=clock.now() + 30 * DAY, by=deal.seller)
    client = Client()
    client.force_login(deal.buyer)
    url = f"/api/v1/trades/{deal.trade.public_id}/upgrades"
    with clock.moved_to(clock.now() + 100 * DAY - dt.timedelta(hours=1)):
        told = client.get(url).json()
    assert [(one["offer"], one["full_price_minor"]) for one in told] == [
        (dearer.public_id, 400_000), (other.public_id, 500_000),
    ]  # fmt: skip
    with django_assert_max_num_queries(20):
        told = client.get(url).json()
    assert told[0]["full_price_minor"] == 360_000 and told[0]["buyer_fee_minor"] == 0
    assert {one["price_minor"] - one["full_price_minor"] + one["credit_minor"] for one in told} == {0}
    new = proposed(deal, dearer)
    assert (new.trade.credit_minor, new.trade.price_minor) == (told[0]["credit_minor"], told[0]["price_minor"])
    assert client.get(url).json() == [], "one is under way"
    client.force_login(deal.seller)
    assert client.get(url).status_code == 404


def test_the_page_of_a_replaced_licence_says_where_its_files_are(deal, dearer):
    new = upgraded(deal, dearer)
    client = Client()
    client.force_login(deal.buyer)
    page = client.get(deal.trade.get_absolute_url()).content.decode()
    assert "An upgrade replaced this licence" in page and f"{new.trade.get_absolute_url()}#files" in page
    assert "grant_closed" not in page and "The files cannot be fetched now" not in page
    assert "An upgrade replaced" not in client.get(new.trade.get_absolute_url()).content.decode()


def test_the_api_upgrades_and_a_closed_offer_does_not(deal, dearer):
    client = Client()
    client.force_login(deal.buyer)
    offers.close_offer(dearer, by=deal.seller)
    other = trading.make_offer(deal.trade.listing, name="Other", price_minor=500_000)

    def posted(key, offer):
        body = {"offer": offer.public_id, "upgrades": deal.trade.public_id}
        headers = {"Idempotency-Key": key}
        return client.post("/api/v1/trades", body, content_type="application/json", headers=headers)

    assert posted("upgrade-1", dearer).status_code == 404
    answer = posted("upgrade-2", other)
    assert (answer.status_code, answer.json()["credit_minor"]) == (201, 124_657)
    assert posted("upgrade-3", other).json()["code"] == "upgraded_already"
