"""Products side by side: what differs is marked, what may not be seen is not there, and a fifth is refused."""

from __future__ import annotations

import html
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from listings import comparison, publishing
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def seller():
    return factories.make_verified("Harbour Metrics Limited")


@pytest.fixture
def flights(seller):
    return factories.make_listed_product(seller)


@pytest.fixture
def prices(seller):
    return factories.make_listed_product(
        seller,
        **called("Prices of carriers"),
        sector="finance",
        files={"prices.csv": b"carrier,price\nUA,12.5\nAA,13\n"},
        offer={"price_minor": 0, "name": "Open"},
    )


def called(title: str) -> dict[str, dict[str, str]]:
    return {"titles": {"en": title}, "summaries": {"en": "Of every day."}, "coverage_area": {"en": "New York"}}


def address(*listings) -> str:
    return "/compare/?" + "&".join(f"p={one.public_id}" for one in listings)


def text_of(response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def rows_of(compared) -> dict[str, tuple[list[str], bool]]:
    told = comparison.sections(compared, verified=set())
    return {row.label: ([cell.text for cell in row.cells], row.differs) for one in told for row in one.rows}


def test_facts_stand_in_one_row_and_what_differs_is_marked(flights, prices):
    compared = comparison.compare([flights.public_id, prices.public_id], reader=None)
    rows = rows_of(compared)
    assert rows["Sector"] == (["Transport and shipping", "Finance"], True)
    assert rows["Type"] == (["Dataset", "Dataset"], False)
    assert rows["Rows"] == (["4", "2"], True)
    assert rows["Files"] == (["1", "1"], False)
    assert compared.columns_in_common == ["carrier"]
    assert rows["carrier"] == (["Text", "Text"], False)
    assert rows["price"] == (["–", "Decimal number"], True)
    page = text_of(Client().get(address(flights, prices)))
    for words in ("≠ differs", "Free Open", "HKD 1,250.00", "In common: 1. Not in all: 8.", "Harbour Metrics Limited"):
        assert words in page
    assert page.index("Departures of New York") < page.index("Prices of carriers")


def test_what_one_may_not_see_is_left_out_without_a_word(flights, seller):
    hidden = factories.make_listed_product(seller, **called("Kept to ourselves"))
    publishing.suspend(hidden, reason="Looked into.", by=factories.make_staff("review"))
    page = Client().get(address(flights, hidden) + "&p=nowhere")
    assert page.status_code == 200
    assert "Kept to ourselves" not in text_of(page)
    owner = Client()
    owner.force_login(factories.owner_of(seller))
    assert "Kept to ourselves" in text_of(owner.get(address(flights, hidden)))
    assert Client().post("/compare/changes/", {"p": hidden.public_id}).status_code == 404
    assert "Nothing to compare yet" in text_of(Client().get("/compare/?p=nowhere"))


def test_products_are_gathered_from_the_catalogue_and_a_fifth_is_refused(seller):
    listings = [factories.make_listed_product(seller, **called(f"Number {n}")) for n in range(5)]
    browser = Client()
    for one in listings[:4]:
        assert browser.post("/compare/changes/", {"p": one.public_id, "next": "/catalogue/?q=n"})["Location"] == (
            "/catalogue/?q=n"
        )
    assert "To compare 4 / 4" in text_of(browser.get("/catalogue/"))
    browser.post("/compare/changes/", {"p": listings[4].public_id, "next": "/catalogue/"})
    assert "At most 4 products stand side by side. Take one out first." in text_of(browser.get("/catalogue/"))
    assert browser.session["compared"] == [one.public_id for one in listings[:4]]
    browser.post("/compare/changes/", {"out": listings[0].public_id, "next": "https://elsewhere.example/"})
    shown = text_of(browser.get("/compare/"))
    assert "Number 0" not in shown and "Number 3" in shown
    assert "In the comparison" in text_of(browser.get(f"/products/{listings[1].public_id}/"))
    too_many = Client().get(address(*listings))
    assert too_many.status_code == 422
    assert "too_many_compared" in text_of(too_many) and "Number 4" not in text_of(too_many)


def test_the_api_compares_too(flights, prices):
    told = Client().get(f"/api/v1{address(flights, prices).replace('/compare/', '/compare')}").json()
    assert [one["public_id"] for one in told["products"]] == [flights.public_id, prices.public_id]
    assert told["columns_in_common"] == ["carrier"]
    assert sorted(told["columns_elsewhere"])[:2] == ["air_time", "day"]
    refused = Client().get("/api/v1/compare?p=1&p=2&p=3&p=4&p=5")
    assert (refused.status_code, refused.json()["code"]) == (422, "too_many_compared")


def test_four_cost_as_many_statements_as_two(seller, flights, prices):
    more = [factories.make_listed_product(seller) for _ in range(2)]
    for listing in more:
        for _ in range(5):
            factories.make_offer(listing)

    def cost(*listings) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert Client().get(address(*listings)).status_code == 200
        return len(queries)

    assert cost(flights, prices, *more) == cost(flights, prices) <= 8
