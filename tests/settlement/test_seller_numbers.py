"""A seller's numbers: from a look to a renewal, revenue by month and currency, as pages and as CSV."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from listings import daily_counts
from listings.models import Listing
from marketplace import clock
from settlement import market, seller_numbers, trades
from settlement.seller_numbers import Earned, Steps
from settlement.states import TradeState
from tests import factories, trading

pytestmark = pytest.mark.django_db

FORMULA = {"en": "=SUM(A1)", "zh-hans": "=SUM(A1)", "zh-hant": "=SUM(A1)"}


def settled_twice(listing: Listing, **offer) -> tuple[trading.Deal, trading.Deal]:
    """A buyer takes an offer, and once that is settled takes it again; the second is delivered only."""
    plan = trading.make_offer(listing, **offer)
    first = trading.propose(plan)
    second = trading.propose(plan, buyer=first.trade.buyer)
    trading.work()
    for deal in (first, second):
        if plan.price_minor:
            trading.pay(deal)
    trades.accept(first.reload(), by=first.buyer)
    trading.clear_now()
    return first, second


def looked(listing: Listing, day: dt.date, **counts: int) -> None:
    daily_counts.add({(day, listing.pk): counts}, batch=f"{listing.pk} {day}")


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def rows(client: Client, address: str) -> list[list[str]]:
    answer = client.get(address)
    assert answer.status_code == 200 and answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_steps_and_revenue_are_counted_by_month_product_and_currency():
    seller = trading.make_verified()
    listing = trading.make_listed(seller, titles=FORMULA)
    first, _second = settled_twice(listing)
    settled_twice(listing, currency="CNY", price_minor=80_000)
    settled_twice(trading.make_listed(), price_minor=1)  # another seller's
    this_month = clock.today().replace(day=1)
    last_month = market.months_before(this_month, 1)
    looked(listing, clock.today(), seen=40, opened=10, sampled=2)
    looked(listing, last_month, seen=5)
    looked(listing, market.months_before(this_month, market.MONTHS), seen=1_000)
    found = seller_numbers.of(seller)
    assert found.whole() == Steps(45, 10, 2, ordered=4, renewed=2)
    assert found.by_product() == {listing.pk: Steps(45, 10, 2, ordered=4, renewed=2)}
    assert found.by_month()[-2:] == [(last_month, Steps(5)), (this_month, Steps(40, 10, 2, ordered=4, renewed=2))]
    assert len(found.by_month()) == market.MONTHS and found.by_month()[0][1] == Steps()
    assert {currency: months[-1][1] for currency, months in found.by_currency().items()} == {
        "CNY": Earned(1, 80_000, 2_000),
        "HKD": Earned(1, 125_000, 3_125),
    }
    assert seller_numbers.of(seller, with_money=False).earned == {}
    assert seller_numbers.of(first.trade.buyer).steps == {}
    other = factories.make_draft(seller).listing
    assert seller_numbers.of(seller, listing=other).steps == {}

    owner = signed_in(factories.owner_of(seller))
    page = owner.get("/studio/numbers/").content.decode()
    assert "1,250.00" in page and "800.00" in page and "2,050.00" not in page
    assert "1,250.00" in owner.get(f"/studio/{listing.public_id}/numbers/").content.decode()
    assert "1,250.00" not in owner.get(f"/studio/{other.public_id}/numbers/").content.decode()
    month = f"{this_month:%Y-%m}"
    assert rows(owner, "/studio/numbers/revenue.csv") == [
        ["month", "product", "title", "currency", "trades", "gross", "fee", "net"],
        [month, listing.public_id, "'=SUM(A1)", "CNY", "1", "800.00", "20.00", "780.00"],
        [month, listing.public_id, "'=SUM(A1)", "HKD", "1", "1250.00", "31.25", "1218.75"],
    ]
    assert rows(owner, f"/studio/{listing.public_id}/numbers/steps.csv")[1:] == [
        [f"{last_month:%Y-%m}", listing.public_id, "'=SUM(A1)", "5", "0", "0", "0", "0", "0", "0"],
        [month, listing.public_id, "'=SUM(A1)", "40", "10", "2", "0", "0", "4", "2"],
    ]
    steward = signed_in(factories.make_member(seller, "data_steward"))
    assert "1,250.00" not in steward.get("/studio/numbers/").content.decode()
    assert steward.get("/studio/numbers/revenue.csv").status_code == 403
    assert owner.get("/studio/numbers/else.csv").status_code == 404


def test_what_a_dispute_gave_back_is_no_revenue():
    listing = trading.make_listed()
    deal = trading.propose(trading.make_offer(listing))
    trading.work()
    trading.pay(deal)
    dispute = trades.dispute(deal.reload(), reason="Two days are missing.", by=deal.buyer)
    trades.answer_dispute(dispute, answer="So they are.", by=deal.seller)
    trades.resolve(dispute, refund_minor=25_000, resolution="A fifth back.", by=factories.make_staff("disputes"))
    trading.clear_now()
    assert deal.state == TradeState.SETTLED
    assert list(seller_numbers.of(listing.seller).earned.values()) == [Earned(1, 100_000, 2_500)]


def test_the_page_costs_the_same_however_much_there_is():
    seller = trading.make_verified()

    def statements() -> int:
        client = signed_in(factories.owner_of(seller))
        client.get("/studio/numbers/")
        with CaptureQueriesContext(connection) as asked:
            assert client.get("/studio/numbers/").status_code == 200
        return len(asked)

    for number in range(2):
        looked(factories.make_draft(seller).listing, dt.date(2026, 1, 1) + dt.timedelta(days=number), seen=1)
    with clock.moved_to(dt.datetime(2026, 6, 1, tzinfo=dt.UTC)):
        few = statements()
        for number in range(6):
            looked(factories.make_draft(seller).listing, dt.date(2026, 2, 1) + dt.timedelta(days=number), seen=1)
        assert statements() == few <= 25
