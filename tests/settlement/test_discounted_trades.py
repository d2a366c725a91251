"""A trade under a discount: the price the buyer saw, frozen with its discount, in the contract and on paper."""

from __future__ import annotations

import datetime as dt
import html
import re
from functools import partial

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from listings import discounts, licence_contract, pricing
from listings.models import Discount, Offer
from marketplace import clock
from marketplace.errors import Refused
from marketplace.models import Event, Paper
from settlement import ledger, renewals, tasks, trades
from settlement.models import Trade
from settlement.states import TradeState
from tests import trading
from tests.races import together
from tests.settlement.test_blocks_of_calls import STEPS, refused_by_the_database

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path):
    settings.STORAGE_DIR = tmp_path / "storage"


def discounted(percent: int = 20, *, days: float = 10, **changes) -> tuple[Offer, Discount]:
    offer = trading.make_offer(**changes)
    until = clock.now() + dt.timedelta(days=days)
    return offer, discounts.set_discount(offer, percent=percent, valid_until=until, by=offer.created_by)


def propose(offer: Offer, buyer=None, **facts) -> Trade:
    buyer = buyer or trading.make_verified()
    return trades.propose(offer, buyer=buyer, purpose="Research", by=buyer.created_by, **facts)


def seen(offer: Offer) -> str:
    found = Offer.objects.get(pk=offer.pk)
    return licence_contract.digest(found, offer.listing.current_version, pricing.discount_of(found))


# --- what is agreed ------------------------------------------------------------------------------------------------


def test_a_trade_freezes_its_discount_and_settles_at_its_price():
    offer, discount = discounted()
    deal = trading.propose(offer)
    assert (deal.trade.price_minor, deal.trade.discount, deal.trade.list_price.minor) == (100_000, discount, 125_000)
    agreement = deal.trade.agreement
    assert (agreement.seller_by, agreement.seller_agreed_at) == (discount.created_by, discount.created_at)
    assert Event.objects.get(kind="trade.proposed").facts["percent"] == 20
    discounts.end_discount(discount, by=offer.created_by)
    trading.work()
    trading.pay(deal)
    assert deal.payment.amount_minor == 100_000
    trades.accept(deal.trade, by=deal.buyer)
    trading.clear_now()
    assert deal.state == TradeState.SETTLED
    assert ledger.reconcile() == []
    contract = Paper.objects.get(kind="trade_contract").record
    for record in (contract, Paper.objects.get(kind="trade_certificate").record):
        assert [record[f"{part}_minor"] for part in ("price", "list_price")] == [100_000, 125_000]
        assert record["discount_percent"] == 20
    (clause,) = [
        clause for one in contract["articles"]["en"] for clause in one["clauses"] if clause.startswith("The price is")
    ]
    assert "HKD 1,000.00 (list price HKD 1,250.00 less a discount of 20 per cent)." in clause


def test_the_price_of_each_call_of_a_block_is_discounted():
    offer, discount = discounted(33, price_minor=None, steps=STEPS, most_quantity=5_000)
    trade = propose(offer, quantity=1_000)
    assert (trade.unit_price_minor, trade.price_minor, trade.list_price.minor) == (268, 268_000, 400_000)
    text = pricing.in_contract(offer, "zh-hant", discount)
    assert "100次起每次HKD 3.35（標價HKD 5.00減去33%的折扣）" in text


def test_a_renewal_is_at_the_price_in_force_at_its_moment():
    offer = trading.make_offer()
    deal = trading.propose(offer)
    trading.work()
    trading.pay(deal)
    trades.accept(deal.trade, by=deal.buyer)
    renewals.keep(deal.reload(), by=deal.buyer)
    until = deal.trade.grant.ends_at
    discounts.set_discount(
        offer, percent=40, valid_from=until - dt.timedelta(days=20), valid_until=until, by=offer.created_by
    )
    with clock.moved_to(until - dt.timedelta(days=1)):
        tasks.renew_licences()
    renewed = Trade.objects.get(renews=deal.trade)
    assert (renewed.price_minor, renewed.discount.percent) == (75_000, 40)


# --- the price the buyer saw ---------------------------------------------------------------------------------------


def test_a_price_that_is_not_the_one_seen_is_refused_whichever_way_it_was_told():
    offer, discount = discounted()
    text = seen(offer)
    discounts.end_discount(discount, by=offer.created_by)
    for told in ({"price_minor": 100_000}, {"text_digest": text}, {"price_minor": 100_000, "text_digest": text}):
        with pytest.raises(Refused) as refusal:
            propose(offer, **told)
        assert refusal.value.code == "price_changed" and "HKD 1,250.00" in refusal.value.detail
    assert not Trade.objects.exists()
    assert propose(offer, price_minor=125_000, text_digest=seen(offer)).discount is None


def test_a_contract_changed_by_more_than_its_price_says_so():
    offer, _discount = discounted()
    with pytest.raises(Refused) as refusal:
        propose(offer, text_digest="sha256:" + "0" * 64)
    assert refusal.value.code == "contract_changed"


def posted(client: Client, offer: Offer, page: str, **changes):
    fields = dict(re.findall(r'name="(key|text_digest|price_minor|renews)" value="([^"]*)"', page))
    said = {"purpose": "Research", "accept": "on"} | {name: html.unescape(value) for name, value in fields.items()}
    return client.post(reverse("propose", args=[offer.public_id]), said | changes)


@pytest.mark.parametrize("per_call", [False, True])
def test_a_discount_that_ends_between_look_and_click_is_told_with_the_new_total(per_call):
    changes = {"price_minor": None, "steps": STEPS, "most_quantity": 5_000} if per_call else {}
    offer, discount = discounted(**changes)
    buyer = trading.make_verified()
    client = Client()
    client.force_login(buyer.created_by)
    page = client.get(reverse("propose", args=[offer.public_id])).content.decode()
    number = {"quantity": 250} if per_call else {}
    assert ("Buy for HKD 400.00" if per_call else "Buy for HKD 1,000.00") in page and "20 % less" in page
    discounts.end_discount(discount, by=offer.created_by)
    refused = posted(client, offer, page, **number)
    again = refused.content.decode()
    assert refused.status_code == 409 and "price_changed" in again
    assert ("Buy for HKD 1,250.00") in again and "% less" not in again, "250 calls at 5.00, or the whole licence"
    assert not Trade.objects.exists()
    assert posted(client, offer, again, **number).status_code == 302
    assert Trade.objects.get().price_minor == 125_000


def test_the_api_tells_both_prices_and_takes_the_one_seen():
    offer, discount = discounted()
    trade = propose(offer, price_minor=100_000)
    client = Client()
    client.force_login(trade.proposed_by)
    told = client.get(f"/api/v1/trades/{trade.public_id}").json()
    assert [told[name] for name in ("price_minor", "list_price_minor", "discount_percent")] == [100_000, 125_000, 20]


# --- what PostgreSQL refuses ---------------------------------------------------------------------------------------


def test_the_database_refuses_the_discount_of_another_offer():
    offer, discount = discounted()
    other = trading.make_offer(offer.listing, name="Another")
    second = discounts.set_discount(other, percent=20, valid_until=discount.valid_until, by=other.created_by)
    refused_by_the_database(propose(offer), "is not in force", discount=second)


def test_the_database_refuses_a_discount_whose_time_has_passed():
    offer, discount = discounted()
    refused_by_the_database(propose(offer), "is not in force", proposed_at=discount.valid_until)


@pytest.mark.parametrize("changes", [{"unit_price_minor": 500, "price_minor": 50_000}, {"discount": None}])
def test_the_database_refuses_a_block_at_another_price_than_that_of_its_discount(changes):
    offer, _discount = discounted(price_minor=None, steps=STEPS, most_quantity=5_000)
    refused_by_the_database(propose(offer, quantity=100), "does not cost", **changes)


@pytest.mark.parametrize("changes", [{"price_minor": 125_000}, {"price_minor": 99_999}, {"discount": None}])
def test_the_database_refuses_another_price_than_that_of_the_discount(changes):
    offer, _discount = discounted()
    refused_by_the_database(propose(offer), "does not cost", **changes)


def test_the_database_keeps_the_discount_of_a_trade():
    trade = propose(discounted()[0])
    with pytest.raises(Exception, match="Cannot update"), transaction.atomic():
        Trade.objects.filter(pk=trade.pk).update(discount=None)


# --- at the same instant -------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_who_buys_while_the_discount_ends_gets_its_price_or_a_refusal():
    for _ in range(4):
        offer, discount = discounted()
        buyers = [trading.make_verified() for _ in range(3)]
        commands = [partial(propose, offer, buyer, price_minor=100_000) for buyer in buyers]
        ending = partial(discounts.end_discount, discount, by=offer.created_by)
        answers = together([*commands[:2], ending, *commands[2:]])
        assert len(answers) == 4 and set(answers) <= {"done", "price_changed"}
        found = Trade.objects.filter(offer=offer)
        assert found.count() == answers.count("done") - 1
        assert {trade.price_minor for trade in found} <= {100_000}


@pytest.mark.django_db(transaction=True)
def test_of_discounts_set_at_once_one_is_set():
    offer = trading.make_offer()
    until = clock.now() + dt.timedelta(days=1)
    set_one = partial(discounts.set_discount, offer, percent=10, valid_until=until, by=offer.created_by)
    assert sorted(together([set_one] * 4)) == ["done", "wrong_discount", "wrong_discount", "wrong_discount"]
    assert Discount.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_end_waits_for_a_proposal_under_way():
    offer, discount = discounted()
    with transaction.atomic():
        assert discounts.held(offer, clock.now()) == discount
        (answer,) = together([lambda: _end_at_once(discount)])
    assert answer == "waited"
    discounts.end_discount(discount, by=offer.created_by)
    assert discounts.held(offer, clock.now()) is None


class _Waited(Refused):
    code = "waited"
    says = next = "…"


def _end_at_once(discount: Discount) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '200ms'")
    try:
        discounts.end_discount(discount, by=discount.created_by)
    except Exception as error:
        assert "lock timeout" in str(error)
        raise _Waited() from error
