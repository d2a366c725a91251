"""Requests for access in the studio: who asks, the clock both sides see, and the answer in place."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from marketplace import clock
from settlement import track_record, trades
from settlement.states import TradeState
from settlement.track_record import Counted
from tests import factories, trading

pytestmark = pytest.mark.django_db
PAGE = "/studio/requests/"


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def post(client: Client, deal: trading.Deal, act: str, **said: str):
    return client.post(
        f"/trades/{deal.trade.public_id}/{act}/",
        {"key": f"{act}-{deal.trade.public_id}-once", "back": "requests"} | said,
    )


def test_a_request_shows_who_asks_and_its_clock_and_is_answered_in_place():
    offer = trading.make_offer(audience="on_request")
    first, second, third = (trading.propose(offer) for _ in range(3))
    seller, viewer = signed_in(first.seller), signed_in(factories.make_member(offer.listing.seller, "viewer"))
    page = seller.get(PAGE).content.decode()
    assert [page.count(f'id="request-{deal.trade.public_id}"') for deal in (first, second, third)] == [1, 1, 1]
    assert all(words in page for words in ("Research", "Verified member", "Transport", str(first.trade.buyer)))
    clocks = {
        re.search(r'datetime="([^"]+)"', text).group(1) for text in re.findall(r"Answer by.*?</time>", page, re.S)
    }
    assert {one[:16] for one in clocks} == {
        clock.timezone.localtime(deal.trade.agree_until).isoformat()[:16] for deal in (first, second, third)
    }
    assert "/agree/" not in viewer.get(PAGE).content.decode()
    assert first.trade.public_id not in signed_in(first.buyer).get(PAGE).content.decode()

    answer = post(seller, first, "agree")
    assert (answer.status_code, answer["Location"], first.state) == (302, PAGE, TradeState.AGREED)
    answer = post(seller, second, "decline", because="unclear", reason="Which lines?")
    assert (answer["Location"], second.state) == (PAGE, TradeState.DECLINED)
    assert second.trade.end_reason == "The stated use is too unclear; please ask again and say more. Which lines?"
    assert post(signed_in(first.buyer), third, "agree").status_code == 404
    assert third.state == TradeState.PROPOSED

    with clock.moved_to(third.trade.agree_until + dt.timedelta(seconds=1)):
        trades.expire(third.trade)
        record = track_record.of(offer.listing.seller)
        assert record.answered == Counted(2, 3)
        assert record.answer_time is not None and record.answer_time < dt.timedelta(minutes=10)
        assert "you answered 2 of 3 requests in time" in seller.get(PAGE).content.decode()


def test_the_list_costs_the_same_however_many_ask():
    offer = trading.make_offer(audience="on_request")
    client = signed_in(trading.propose(offer).seller)

    def statements() -> int:
        client.get(PAGE)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(PAGE).status_code == 200
        return len(asked)

    few = statements()
    for _ in range(4):
        trading.propose(offer)
    assert statements() == few <= 25
