"""The whole road over real HTTP, with the workers' tasks run in the test's process."""

from __future__ import annotations

import pytest

from settlement.models import Trade
from tests.journeys import whole_trade
from tests.journeys.conftest import wait
from tests.journeys.visitor import Refusal

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_trade_goes_from_an_empty_studio_to_a_checked_certificate(people):
    number = whole_trade.drive(people, wait)
    certificate = Trade.objects.get().certificate
    assert certificate.number == number
    shown = people.stranger.get(f"papers/{number}", code=certificate.check_code)
    assert shown["record"]["price_minor"] == 125_000
    with pytest.raises(Refusal):
        people.stranger.get("papers/TC-0000-0000-0000")
    page = people.stranger.http.get(f"/verify/{number}/?code={certificate.check_code}")
    assert page.status_code == 200 and certificate.record["trade_number"] in page.text


def test_a_free_trade_goes_the_same_road(people):
    listing = whole_trade.list_product(people, wait)
    trade = whole_trade.propose(people, whole_trade.offer(people, listing, price_minor=0))
    wait(lambda: whole_trade.state_of(people.buyer, trade) == "delivered", "the delivery")
    whole_trade.download(people, trade)
    people.buyer.post(f"trades/{trade}/acceptance")
    whole_trade.clear(people)
    wait(lambda: people.buyer.get(f"trades/{trade}")["certificate"], "the certificate")
    assert people.buyer.get(f"trades/{trade}")["payments"] == []


def test_six_posts_with_one_key_make_one_trade(people):
    listing = whole_trade.list_product(people, wait)
    offer = whole_trade.offer(people, listing, price_minor=0)
    answers = [people.buyer.post("trades", {"offer": offer}, key="the-same") for _again in range(6)]
    assert len({answer["public_id"] for answer in answers}) == 1 and Trade.objects.count() == 1
    with pytest.raises(Refusal) as refusal:
        people.buyer.post("trades", {"offer": offer, "purpose": "Another"}, key="the-same")
    assert refusal.value.code == "key_reused"
