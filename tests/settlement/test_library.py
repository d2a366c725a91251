"""The library: each licence with its term, what was fetched, its papers and what it costs now; exports of all of it."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from listings import offers, terms
from marketplace import clock
from settlement import library, licensee_notices
from settlement.models import Receipt
from settlement.states import TradeState
from tests import factories, trading

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path):
    settings.STORAGE_DIR = tmp_path / "storage"


def client_of(person):
    client = Client()
    client.force_login(person)
    return client


def rows_of(answer):
    assert answer.streaming and answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    head, *rows = csv.reader(io.StringIO(text))
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_a_licence_shows_its_term_what_was_fetched_its_papers_and_its_price_now():
    deal = trading.make_trade(TradeState.ACCEPTED)
    trade, client = deal.trade, client_of(deal.buyer)
    file = trade.release.files.get()
    for first in (0, 50):
        Receipt.objects.create(
            grant=trade.grant, path=file.path, sha256=file.sha256, first_byte=first, size_bytes=50, by=deal.buyer
        )
    shown = client.get("/library/").content.decode()
    assert trade.version.title in shown and trade.register_number in shown and "1 of 1 files" in shown
    assert "Trade contract" in shown and "Delivery record" in shown and "Acceptance" in shown
    assert f'href="/offers/{trade.offer.public_id}/buy/?renews={trade.public_id}"' in shown and "1,250.00" in shown
    [row] = client.get("/api/v1/licences").json()["results"]
    assert (row["trade"], row["fetched_files"], row["fetched_bytes"], row["price_minor"]) == (
        trade.public_id, 1, 100, 125_000,
    )  # fmt: skip
    assert row["days_left"] >= 364 and len(row["papers"]) == 3 and row["notice"] is None
    notice = licensee_notices.give(
        trade.listing, kind="delay", text="Late.", language="en", effective_on=clock.today(), by=deal.seller
    )
    shown = client.get("/library/").content.decode()
    assert f'href="{trade.get_absolute_url()}#notice-{notice.pk}">Delay</a>' in shown
    assert client.get("/api/v1/licences").json()["results"][0]["notice"] == "delay"
    offers.close_offer(trade.offer, by=deal.seller)
    shown = client.get("/library/").content.decode()
    assert "/buy/" not in shown and "See what is offered now" in shown


def test_what_ends_soon_and_what_is_over_are_told_apart():
    deal = trading.make_trade(TradeState.DELIVERED)
    holder = deal.trade.buyer
    assert library.counts(holder) == {"valid": 1, "ending": 0, "ended": 0, "all": 1}
    ends_at = deal.trade.grant.ends_at
    with clock.moved_to(ends_at - dt.timedelta(days=3)):
        assert library.counts(holder) == {"valid": 1, "ending": 1, "ended": 0, "all": 1}
        [licence] = library.licences(list(library.held(holder)), holder)
        assert (licence.days_left, licence.is_ending) == (2, True)
    with clock.moved_to(ends_at + dt.timedelta(seconds=1)):
        assert library.counts(holder) == {"valid": 0, "ending": 0, "ended": 1, "all": 1}
        [licence] = library.licences(list(library.held(holder, "ended")), holder)
        assert (licence.days_left, licence.is_ending) == (None, False)
    assert library.counts(deal.trade.seller)["all"] == 0
    seller = client_of(deal.seller)
    assert deal.trade.public_id not in seller.get("/library/?show=all").content.decode()
    assert rows_of(seller.get("/library/licences.csv")) == rows_of(seller.get("/orders/orders.csv")) == []


def test_a_licence_without_end_is_not_bought_again_while_it_is_open():
    deal = trading.propose(trading.make_offer(terms=terms.default_terms() | {"territory": ["*"], "term_months": None}))
    trading.work()
    trading.pay(deal)
    shown = client_of(deal.buyer).get("/library/").content.decode()
    assert "Without end" in shown and "/buy/" not in shown and "See what is offered now" in shown


def test_orders_and_licences_go_into_a_spreadsheet_that_runs_nothing():
    offer = trading.make_offer(name="=cmd()")
    deal = trading.propose(offer)
    trading.work()
    trading.pay(deal)
    client = client_of(deal.buyer)
    [order] = rows_of(client.get("/orders/orders.csv"))
    assert (order["trade"], order["offer"], order["price"], order["currency"], order["state"]) == (
        deal.trade.public_id, "'=cmd()", "1250.00", "HKD", "delivered",
    )  # fmt: skip
    [licence] = rows_of(client.get("/library/licences.csv"))
    assert licence["offer"] == "'=cmd()" and licence["files"] == "1" and licence["fetched_files"] == "0"
    assert licence["contract"] and licence["delivery_record"] and not licence["certificate"]


def test_the_library_costs_the_same_however_much_one_holds():
    offer = trading.make_offer()
    buyer = trading.make_verified()

    def licensed():
        deal = trading.propose(offer, buyer=buyer)
        trading.work()
        trading.pay(deal)

    def statements(path):
        with CaptureQueriesContext(connection) as counted:
            answer = client.get(path)
            b"".join(answer) if answer.streaming else answer.content
        return len(counted)

    licensed()
    client = client_of(factories.owner_of(buyer))
    paths = ["/library/", "/library/licences.csv", "/orders/orders.csv", "/api/v1/licences"]
    before = [statements(path) for path in paths]
    licensed()
    licensed()
    assert [statements(path) for path in paths] == before
    assert max(before) <= 25
