"""The catalogue's filters: several values each, counted without themselves, for this reader; and its orders."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from compliance import dossier, fact_changes
from listings import catalogue, facets, offers, publishing, shelf
from listings.filters import NARROWING, Filters, known_values, sort_of
from listings.models import CatalogueWord, Profile, ShelfItem
from listings.profiler.quality import grade_of
from listings.shelf_queries import ARRAYS, COLUMNS
from marketplace.errors import Invalid
from marketplace.organisation_facts import FIELDS
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf_of_four():
    """Ports (transport, free), tides (transport, 1,250 HKD), loads (energy, 99 CNY and 20,000 CNY), an entry."""
    made = {
        "ports": factories.make_listed_product(
            titles={"en": "Ports"}, summaries={"en": "Calls."}, offer={"price_minor": 0}
        ),
        "tides": factories.make_listed_product(titles={"en": "Tides"}, summaries={"en": "Of ports."}),
        "loads": factories.make_listed_product(
            titles={"en": "Loads"},
            summaries={"en": "Of cities."},
            sector="energy",
            classification="general_2",
            update_frequency="daily",
            offer={"price_minor": 9_900, "currency": "CNY"},
        ),
    }
    factories.make_offer(made["loads"], price_minor=2_000_000, currency="CNY", name="Group")
    factories.make_entry(update_frequency="每日")
    return made


def counted(text: str = "", reader=None, **narrowed) -> dict[str, dict[str, int]]:
    filters = Filters(**{name: value if isinstance(value, str) else tuple(value) for name, value in narrowed.items()})
    return catalogue.browse(text, filters=filters, reader=reader).counts.of


def titles(text: str = "", *, sort: str = "best", reader=None, **narrowed) -> list[str]:
    filters = Filters(**{name: tuple(value) for name, value in narrowed.items()})
    return [str(one) for one in catalogue.browse(text, filters=filters, reader=reader, sort=sort)[:50]]


def test_every_filter_counts_what_matches(shelf_of_four):
    counts = counted()
    assert counts["sector"] == {"transport": 3, "energy": 1}
    assert counts["product_type"] == {"dataset": 4}
    assert counts["price"] == {"free": 1, "paid": 2, "HKD-2": 1, "CNY-1": 1, "CNY-3": 1}
    assert counts["frequency"] == {"historical": 2, "daily": 2}
    assert counts["classification"] == {"general_1": 2, "general_2": 1}
    assert counts["channel"] == {"files": 3}
    assert counts["quality"] == {"A": 3}
    assert counts["region"] == {"HK": 3}
    assert len(counts["merchant"]) == 4


def test_the_catalogue_grades_as_the_profiler_does(shelf_of_four):
    for score, grade in {"0.9500": "A", "0.9499": "B", "0.8499": "C", "0.6999": "D"}.items():
        listing = shelf_of_four["tides"]
        Profile.objects.filter(release=listing.current_version.release).update(quality=score)
        shelf.put(listing)
        assert ShelfItem.objects.get(listing=listing).grade == grade == grade_of(float(score))


def test_a_filter_is_counted_without_itself_and_with_the_others(shelf_of_four):
    counts = counted(sector=["energy"])
    assert counts["sector"] == {"transport": 3, "energy": 1}
    assert counts["price"] == {"paid": 1, "CNY-1": 1, "CNY-3": 1}
    counts = counted(sector=["transport"], price=["paid"])
    assert counts["sector"] == {"transport": 1, "energy": 1}
    assert counts["price"] == {"free": 1, "paid": 1, "HKD-2": 1}
    assert counts["frequency"] == {"historical": 1}
    for narrowed in (
        {"sector": ["energy"], "price": ["free"], "frequency": ["daily"]},
        {"price": ["paid", "free"], "region": ["HK"], "show": "products"},
        {"merchant": ["海图数据有限公司"], "quality": ["A"], "show": "entries"},
    ):
        assert counted(**narrowed) == counted_one_by_one(**narrowed)


def counted_one_by_one(show: str = "", **narrowed: list[str]) -> dict[str, dict[str, int]]:
    """What `counted` says, by reading every item."""
    counts: dict[str, dict[str, int]] = {name: {} for name in COLUMNS}
    for item in ShelfItem.objects.filter(is_shown=True):
        if show and item.is_entry != (show == "entries"):
            continue
        said = {name: getattr(item, column) for name, column in COLUMNS.items()}
        said = {name: value if name in ARRAYS else [value] for name, value in said.items()}
        failed = {name for name, values in narrowed.items() if not set(values) & set(said[name])}
        for name in COLUMNS:
            for value in said[name]:
                if value and failed <= {name}:
                    counts[name][value] = counts[name].get(value, 0) + 1
    return counts


def test_words_and_filters_count_together(shelf_of_four):
    assert counted("ports")["price"] == {"free": 1, "paid": 1, "HKD-2": 1}
    assert counted("ports", show="products")["sector"] == {"transport": 2}
    found = catalogue.browse("ports", filters=Filters(price=("free",)))
    assert (found.product_count, found.entry_count, found.count()) == (1, 0, 1)


def test_several_values_of_one_filter_widen_and_two_filters_narrow(shelf_of_four):
    assert titles(price=["free", "HKD-2"]) == ["Tides", "Ports"]
    assert titles(price=["free", "HKD-2"], sector=["energy"]) == []
    assert titles(sector=["energy", "transport"], price=["paid"]) == ["Loads", "Tides"]
    assert titles(merchant=[shelf_of_four["loads"].seller.public_id]) == ["Loads"]
    assert titles(frequency=["daily"]) == ["Loads", "港口吞吐量月报"]
    assert titles(merchant=["海图数据有限公司"]) == ["港口吞吐量月报"]


def test_orders(shelf_of_four):
    assert titles(sort="newest") == ["Loads", "Tides", "Ports", "港口吞吐量月报"]
    assert titles(sort="price") == ["Ports", "Loads", "Tides", "港口吞吐量月报"]
    ShelfItem.objects.filter(listing=shelf_of_four["tides"]).update(quality="0.5")
    assert titles(sort="quality")[2:] == ["Tides", "港口吞吐量月报"]
    assert titles("ports", sort="best")[:2] == ["Ports", "Tides"]
    with pytest.raises(Invalid):
        sort_of("fame")


def test_an_offer_to_named_buyers_is_counted_for_them_and_the_seller_alone(shelf_of_four):
    buyer, listing = factories.make_organisation(), shelf_of_four["tides"]
    gift = factories.make_offer(listing, price_minor=0, audience="named", buyers=[buyer])
    assert counted(reader=buyer)["price"]["free"] == counted(reader=listing.seller)["price"]["free"] == 2
    assert counted(reader=factories.make_organisation())["price"]["free"] == counted()["price"]["free"] == 1
    assert titles(price=["free"], reader=buyer) == ["Tides", "Ports"]
    offers.close_offer(gift, by=factories.owner_of(listing.seller))
    assert titles(price=["free"], reader=buyer) == ["Ports"]


def test_the_shelf_keeps_in_step_with_what_happens_to_a_product(shelf_of_four):
    listing = shelf_of_four["loads"]
    owner, staff = factories.owner_of(listing.seller), factories.make_staff("review")
    (cheap, dear) = listing.offers.order_by("price_minor")
    offers.close_offer(cheap, by=owner)
    assert ShelfItem.objects.get(listing=listing).prices == ["CNY-3", "paid"]
    publishing.suspend(listing, reason="Complaint.", by=staff)
    assert not ShelfItem.objects.get(listing=listing).is_shown
    publishing.resume(listing, by=staff)
    assert ShelfItem.objects.get(listing=listing).is_shown
    publishing.withdraw(listing, reason="No more.", by=owner)
    item = ShelfItem.objects.get(listing=listing)
    assert (item.is_shown, item.prices, item.price_minor) == (False, [], None)
    assert dear.listing_id == listing.pk


def test_making_the_shelf_anew_changes_nothing(shelf_of_four):
    before = list(ShelfItem.objects.order_by("pk").values())
    for listing in shelf_of_four.values():
        listing.refresh_from_db()
        shelf.index(listing)
    assert list(ShelfItem.objects.order_by("pk").values()) == before


def test_a_seller_is_found_by_its_new_name_once_it_is_confirmed(shelf_of_four):
    seller = shelf_of_four["ports"].seller
    facts = {name: getattr(seller, name) for name in FIELDS} | {"name": "雲圖數據", "latin_name": "Cloudmap"}
    change = dossier.tell(seller, "identity", facts, by=factories.owner_of(seller))
    fact_changes.confirm(change, by=factories.make_staff("vetting"))
    assert titles("cloudmap") == titles("云图") == []
    fact_changes.confirm(change, by=factories.make_staff("vetting"))
    assert titles("cloudmap") == titles("云图") == ["Ports"]


def test_counting_is_one_statement_and_the_page_of_all_is_counted_once_a_minute(shelf_of_four, settings):
    settings.CATALOGUE_COUNTS_SECONDS = 60
    with CaptureQueriesContext(connection) as first:
        assert catalogue.browse().counts.products == 3
    with CaptureQueriesContext(connection) as second:
        assert catalogue.browse().counts.products == 3
    assert (len(first), len(second)) == (1, 0)
    with CaptureQueriesContext(connection) as narrowed:
        catalogue.browse(filters=Filters(sector=("energy",), price=("paid", "free"), show="products")).counts  # noqa: B018
    assert len(narrowed) == 1


def test_a_searched_and_narrowed_page_costs_the_same_however_many_it_shows(shelf_of_four):
    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            page = Client().get("/catalogue/", {"q": "ports", "sector": ["transport", "energy"], "sort": "price"})
            assert page.status_code == 200
        return len(queries)

    few = statements()
    for _ in range(3):
        factories.make_listed_product(titles={"en": "More ports"}, summaries={"en": "Calls."})
    assert statements() == few <= 16


def test_the_page_shows_counts_chips_and_keeps_the_choice(shelf_of_four):
    page = Client().get("/catalogue/", {"q": "ports", "sector": ["transport", "energy"], "sort": "price"})
    text = page.content.decode()
    assert 'name="sector" value="transport" id="sector-1" checked' in text
    assert 'href="?q=ports&amp;sector=energy&amp;sort=price"' in text
    assert '<option value="price" selected>' in text
    assert "<mark>Ports</mark>" in text


def test_a_script_gets_the_part_that_changes_alone():
    page = Client().get("/catalogue/", headers={"X-Part": "found"})
    assert "<html" not in page.content.decode() and 'id="filters"' in page.content.decode()
    assert "X-Part" in page.headers["Vary"]


@pytest.mark.parametrize("query", ["sort=fame", "price=cheap", "sector=x", "merchant=" + "x" * 301, "q=" + "x" * 201])
def test_a_choice_that_cannot_be_is_said_on_the_page(query):
    page = Client().get(f"/catalogue/?{query}")
    assert page.status_code == 422
    assert 'role="alert"' in page.content.decode()


def test_the_api_filters_sorts_and_counts_as_the_page_does(shelf_of_four):
    answer = Client().get("/api/v1/catalogue", {"price": ["free", "HKD-2"], "sort": "price"}).json()
    assert [one["title"] for one in answer["results"]] == ["Ports", "Tides"]
    price = next(facet for facet in answer["facets"] if facet["name"] == "price")
    assert [(value["value"], value["count"], value["chosen"]) for value in price["values"]] == [
        ("free", 1, True),
        ("paid", 2, False),
        ("CNY-1", 1, False),
        ("CNY-3", 1, False),
        ("HKD-2", 1, True),
    ]
    assert (answer["understood_as"], answer["has_some_words_only"]) == (None, False)
    answer = Client().get("/api/v1/catalogue", {"q": "tiddes"}).json()
    assert (answer["understood_as"], answer["count"]) == ("tides", 1)
    assert Client().get("/api/v1/catalogue", {"q": "tiddes", "as": "typed"}).json()["count"] == 0
    assert Client().get("/api/v1/catalogue", {"q": "tides zeppelins"}).json()["has_some_words_only"] is True
    refused = Client().get("/api/v1/catalogue", {"price": "cheap"})
    assert (refused.status_code, refused.json()["code"]) == (422, "wrong_filter")


def test_every_value_of_every_filter_can_be_asked_and_has_words():
    assert set(known_values()) | {"merchant"} == set(NARROWING) == set(facets.labels())
    for name, values in known_values().items():
        for value in values:
            assert getattr(Filters.asked(QueryDict(f"{name}={value}&{name}={value}&{name}=")), name) == (value,)
            shown = facets.of(counts_of(name, value), Filters())
            assert [(facet.name, len(facet.values), bool(facet.values[0].label)) for facet in shown] == [
                (name, 1, True)
            ]


def counts_of(name: str, value: str) -> catalogue.Counts:
    return catalogue.Counts(of={one: {value: 1} if one == name else {} for one in NARROWING})


def test_the_database_refuses_an_item_that_is_neither_product_nor_entry(shelf_of_four):
    item = ShelfItem.objects.filter(listing=shelf_of_four["ports"])
    for wrong in ({"listing": None}, {"is_entry": True}):
        with pytest.raises(IntegrityError), transaction.atomic():
            item.update(**wrong)
    assert item.count() == 1


def test_the_whole_shelf_can_be_made_anew(shelf_of_four):
    before = {item.pop("listing_id") or 0: item for item in ShelfItem.objects.exclude(listing=None).values()}
    ShelfItem.objects.all().delete()
    CatalogueWord.objects.all().delete()
    said = io.StringIO()
    call_command("reindex_catalogue", stdout=said)
    assert said.getvalue() == "3 products and 1 entries.\n"
    after = {item.pop("listing_id") or 0: item for item in ShelfItem.objects.exclude(listing=None).values()}
    for item in (*before.values(), *after.values()):
        item.pop("id")
    assert after == before
    assert titles("吞吐量") == ["港口吞吐量月报"]
    assert titles("tiddes") == ["Tides"]
