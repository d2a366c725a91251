"""An exchange with no payment gateway: free offers trade to their certificates, paid ones are refused beforehand."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from marketplace.models import User
from settlement import trades
from settlement.gateways import NoGateway
from settlement.models import Agreement, Payment, Trade, Transfer
from settlement.states import TradeState
from tests import factories, trading

pytestmark = pytest.mark.django_db

WHY = "no payment gateway yet"


@pytest.fixture(autouse=True)
def without_gateway(settings):
    settings.GATEWAYS, settings.DEFAULT_GATEWAY = {}, None


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def make_offer(**changes):
    return trading.make_offer(trading.make_listed(factories.make_verified()), **changes)


def test_a_free_offer_trades_from_proposal_to_certificate():
    deal = trading.propose(make_offer(price_minor=0), buyer=factories.make_verified())
    trading.work()
    assert deal.state == TradeState.DELIVERED
    trades.accept(deal.trade, by=deal.buyer)
    trading.clear_now()
    assert deal.state == TradeState.SETTLED and deal.trade.certificate.number
    assert not Payment.objects.exists() and not Transfer.objects.exists()


def test_a_paid_offer_is_refused_before_anybody_commits():
    offer, buyer = make_offer(), factories.make_verified()
    with pytest.raises(NoGateway) as refusal:
        trades.propose(offer, buyer=buyer, by=buyer.created_by)
    assert refusal.value.code == "no_gateway" and "free offers" in refusal.value.next
    assert not Trade.objects.exists() and not Agreement.objects.exists()


def test_a_seller_cannot_agree_to_what_nobody_could_pay(settings):
    settings.GATEWAYS, settings.DEFAULT_GATEWAY = {"sandbox": "settlement.gateways.sandbox.Sandbox"}, "sandbox"
    deal = trading.propose(make_offer(audience="on_request"), buyer=factories.make_verified())
    settings.GATEWAYS, settings.DEFAULT_GATEWAY = {}, None
    with pytest.raises(NoGateway):
        trades.agree(deal.trade, by=deal.seller)
    assert deal.state == TradeState.PROPOSED and not Agreement.objects.exists()


def test_the_api_answers_no_gateway():
    offer, buyer = make_offer(), factories.make_verified()
    answer = signed_in(buyer.created_by).post(
        reverse("api_trades"),
        json.dumps({"offer": offer.public_id}),
        content_type="application/json",
        headers={"Idempotency-Key": "one"},
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "no_gateway")
    assert not Trade.objects.exists()


def test_the_products_page_says_so_where_the_button_would_be():
    listing = trading.make_listed(factories.make_verified())
    paid = trading.make_offer(listing)
    free = trading.make_offer(listing, name="For research", price_minor=0)
    words = Client().get(listing.get_absolute_url()).content.decode()
    assert words.count(WHY) == 1
    assert reverse("propose", args=[paid.public_id]) not in words
    assert reverse("propose", args=[free.public_id]) in words


def test_the_page_to_buy_says_so_and_has_no_button():
    offer, buyer = make_offer(), factories.make_verified()
    page = signed_in(buyer.created_by).get(reverse("propose", args=[offer.public_id]))
    assert page.status_code == 200 and b"no_gateway" in page.content and b"button-primary" not in page.content


def test_the_form_of_an_offer_says_so_and_takes_a_price_for_later():
    listing = trading.make_listed(factories.make_verified())
    page = signed_in(listing.seller.created_by).get(reverse("studio_offer", args=[listing.public_id]))
    assert WHY in page.content.decode() and 'name="price"' in page.content.decode()


def test_the_page_of_money_asks_for_no_account():
    seller = factories.make_verified()
    page = signed_in(seller.created_by).get(reverse("money"))
    assert page.status_code == 200 and WHY in page.content.decode() and 'name="reference"' not in page.content.decode()


def test_with_a_gateway_no_page_speaks_of_none(settings):
    settings.GATEWAYS, settings.DEFAULT_GATEWAY = {"sandbox": "settlement.gateways.sandbox.Sandbox"}, "sandbox"
    listing = trading.make_listed(factories.make_verified())
    trading.make_offer(listing)
    owner = signed_in(listing.seller.created_by)
    for url in (listing.get_absolute_url(), reverse("studio_offer", args=[listing.public_id]), reverse("money")):
        assert WHY not in owner.get(url).content.decode()
