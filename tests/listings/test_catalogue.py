"""The catalogue: found in Chinese and English, filtered, ranked, and at a fixed cost."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from listings import (
    catalogue,
    discounts,
    offers,
    pricing,
    publishing,
    search_question,
    search_words,
    shelf_cards,
    terms,
)
from listings.filters import Filters
from listings.models import Offer
from marketplace import clock
from marketplace.errors import Invalid
from tests import factories

pytestmark = pytest.mark.django_db

PRODUCTS = {
    "flights": {
        "titles": {"en": "Departures of New York", "zh-hans": "纽约三大机场航班"},
        "summaries": {"en": "Every departure with delays.", "zh-hans": "逐班次延误数据。"},
    },
    "weather": {
        "titles": {"zh-hans": "长三角逐小时气象观测", "en": "Hourly weather of the Yangtze delta"},
        "summaries": {"zh-hans": "四十一市的气温、降水与风速。", "en": "Temperature, rain and wind in 41 cities."},
        "sector": "weather",
        "use_scenarios": "Forecasting demand for electricity.",
    },
    "airports": {
        "titles": {"zh-hant": "全球機場名錄"},
        "summaries": {"zh-hant": "機場代碼、座標與時區，按季更新。"},
        "classification": "general_2",
    },
}


@pytest.fixture
def shelf():
    return {name: factories.make_listed_product(**manual) for name, manual in PRODUCTS.items()}


def search(text: str = "", reader=None, **narrowed) -> list:
    """Products that match, at most a hundred."""
    filters = Filters(show="products", **{name: (value,) for name, value in narrowed.items()})
    return catalogue.browse(text, filters=filters, reader=reader)[:100]


def found(text: str = "", **filters: str) -> list[str]:
    names = {title: name for name, manual in PRODUCTS.items() for title in manual["titles"].values()}
    return [names[listing.current_version.title] for listing in search(text, **filters)]


QUESTIONS = [
    ("航班", ["flights"]),
    ("纽约 航班", ["flights"]),
    ("紐約 航班", ["flights"]),
    ("氣象", ["weather"]),
    ("名录", ["airports"]),
    ("气象", ["weather"]),
    ("长三角", ["weather"]),
    ("逐小时", ["weather"]),
    ("小时气", ["weather"]),
    ("機場", ["airports", "flights"]),
    ("机场", ["airports", "flights"]),
    ("全球機場", ["airports"]),
    ("名錄", ["airports"]),
    ("座標", ["airports"]),
    ("航班 气象", ["flights", "weather"]),
    ("天气", ["weather"]),
    ("meteorology", ["weather"]),
    ("weat", ["weather"]),
    ("forecasting electric", ["weather"]),
    ("wether", ["weather"]),
    ("departrues", ["flights"]),
    ("weather data", ["weather"]),
    ("气象数据", ["weather"]),
    ("the weather of the delta", ["weather"]),
    ("departure", ["flights"]),
    ("DEPARTURES", ["flights"]),
    ("delayed departures", ["flights"]),
    ("forecast", ["weather"]),
    ("weather 气象", ["weather"]),
    ("weather 航班", ["flights", "weather"]),
    ("ｗｅａｔｈｅｒ", ["weather"]),
    ("air_time", ["airports", "weather", "flights"]),
    ("nothing of the kind", []),
    ("!!! ... ???", []),
    ("'; DROP TABLE listings_listing; --", []),
    ("& | ! ( ) : * <->", []),
    ("\0", []),
    ("<script>alert(1)</script>", []),
]


def test_words_find_what_holds_them(shelf):
    answers = {text: sorted(found(text)) for text, _names in QUESTIONS}
    assert answers == {text: sorted(names) for text, names in QUESTIONS}


def test_one_character_finds_words_that_begin_with_it(shelf):
    assert sorted(found("机")) == sorted(found("機")) == ["airports", "flights"]


def test_the_seller_is_found_by_either_name():
    seller = factories.make_verified("雲圖數據有限公司")
    listing = factories.make_listed_product(seller)
    assert search("雲圖") == [listing]
    assert search(seller.latin_name) == [listing]


def test_a_title_counts_more_than_a_summary():
    in_summary = factories.make_listed_product(
        titles={"en": "Ports"}, summaries={"en": "Ports, with the weather there."}
    )
    in_title = factories.make_listed_product(titles={"en": "Weather"}, summaries={"en": "Of ports."})
    assert search("weather") == [in_title, in_summary]


def test_without_words_the_newest_comes_first(shelf):
    assert found() == ["airports", "weather", "flights"]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"sector": "weather"}, ["weather"]),
        ({"classification": "general_2"}, ["airports"]),
        ({"product_type": "report"}, []),
        ({"product_type": "dataset", "sector": "transport"}, ["airports", "flights"]),
        ({"price": "paid"}, ["airports", "weather", "flights"]),
        ({"price": "free"}, []),
    ],
)
def test_filters_narrow(shelf, filters, names):
    assert found(**filters) == names


def test_free_and_paid_ask_what_the_reader_may_buy():
    buyer, stranger = factories.make_organisation(), factories.make_organisation()
    listing = factories.make_listed_product()
    gift = factories.make_offer(listing, price_minor=0, audience="named", buyers=[buyer])
    assert search(price="free", reader=buyer) == [listing]
    assert search(price="free", reader=stranger) == []
    offers.close_offer(gift, by=factories.owner_of(listing.seller))
    assert search(price="free", reader=buyer) == []


@pytest.mark.parametrize(
    "filters",
    [
        {"sector": ("sports",)},
        {"product_type": ("x",)},
        {"classification": ("core",)},
        {"price": ("cheap",)},
        {"show": "x"},
        {"merchant": ("",)},
        {"sector": ("energy",) * 31},
    ],
)
def test_a_filter_that_cannot_be_is_refused(filters):
    with pytest.raises(Invalid) as refusal:
        Filters(**filters)
    assert refusal.value.code == "wrong_filter"


def test_only_what_is_on_sale_is_found(shelf):
    staff = factories.make_staff("review")
    publishing.suspend(shelf["flights"], reason="Complaint.", by=staff)
    publishing.withdraw(shelf["weather"], reason="No more.", by=factories.owner_of(shelf["weather"].seller))
    factories.make_draft(titles={"en": "Draft"}, summaries={"en": "Draft."})
    assert found() == ["airports"]
    assert found("航班") == []
    publishing.resume(shelf["flights"], by=staff)
    assert found("航班") == ["flights"]


def test_a_new_version_is_found_by_its_new_words_only():
    listing = factories.make_listed_product()
    version = publishing.draft(listing, by=factories.owner_of(listing.seller))
    publishing.edit(
        version,
        titles={"en": "Zeppelins"},
        summaries={"en": "Airships."},
        fields=[{"name": "x", "meaning": "y"}],
        by=factories.owner_of(listing.seller),
    )
    factories.make_approved(version)
    factories.registration.register_due()
    assert search("zeppelin") == [listing]
    assert search("航班") == []


def test_a_manual_of_any_length_is_indexed():
    long = " ".join(f"word{number} 數據集編號" for number in range(200))
    fields = [{"name": f"column_{number}", "meaning": "氣象觀測" * 200} for number in range(300)]
    listing = factories.make_listed_product(summaries={"en": long[:2000]}, titles={"en": "Long"}, fields=fields)
    assert search("氣象觀測") == [listing]


def statements(count: int) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = catalogue.page_of(catalogue.browse("departures"), "1")
        for listing in page:
            str(listing), listing.seller.name, listing.current_version.registration.number, list(listing.open_offers)
            assert listing.rows == 4
    assert len(page) == count
    return len(queries)


def test_a_page_costs_the_same_number_of_statements_whatever_it_shows():
    factories.make_listed_product()
    one = statements(1)
    for _ in range(4):
        factories.make_offer(factories.make_listed_product())
    assert statements(5) == one == 11


def test_any_page_number_gives_a_page(monkeypatch):
    monkeypatch.setattr(catalogue, "ON_A_PAGE", 1)
    for _ in range(3):
        factories.make_listed_product()
    shown = {"1": 1, "2": 2, "3": 3, "4": 3, "0": 1, "-1": 1, "x": 1, "": 1, "9" * 30: 3}
    assert {number: catalogue.page_of(catalogue.browse(), number).number for number in shown} == shown


def test_a_product_page_shows_strangers_what_is_on_sale_and_the_seller_all_of_its_own():
    listing = factories.make_listed_product()
    stranger = factories.make_organisation()
    shown = catalogue.product(listing.public_id, reader=stranger)
    assert shown.version == listing.current_version
    assert shown.registration.number == listing.current_version.registration.number
    assert shown.profile.report["rows"] == 4
    assert [offer.price_minor for offer in shown.offers] == [125_000]
    publishing.suspend(listing, reason="Complaint.", by=factories.make_staff("review"))
    assert catalogue.product(listing.public_id, reader=stranger) is None
    assert catalogue.product(listing.public_id, reader=None) is None
    assert catalogue.product(listing.public_id, reader=listing.seller).listing == listing


def test_a_product_that_was_never_registered_has_no_page():
    listing = factories.make_draft().listing
    assert catalogue.product(listing.public_id, reader=listing.seller) is None


def test_words_are_cut_in_either_script_and_quotes_cannot_escape():
    assert [word.own for word in search_question.read("氣象 o'neill").words] == ["气象", "o'neill"]
    assert "'" not in search_words.without_han("氣象").strip()
    assert search_words.han_vector("氣象觀測", "A").split()[0].startswith("'气象':1A")
    assert not search_question.read("。，！")


def test_a_card_shows_whoever_reads_it_the_offers_they_may_see_at_what_they_cost_now():
    listing = factories.make_listed_product()
    open_to_all = factories.make_offer(listing, price_minor=40_000)
    factories.make_offer(listing, price_minor=30_000, open_until=clock.now() + dt.timedelta(hours=1))
    by_call = [{"from_quantity": 10, "unit_price_minor": 500}]
    factories.make_offer(listing, price_minor=None, steps=by_call, most_quantity=99)
    buyer = factories.make_verified("Named Limited")
    named = factories.make_offer(listing, price_minor=20_000, audience="named", buyers=[buyer])
    closed = factories.make_offer(listing, price_minor=10_000)
    owner = factories.owner_of(listing.seller)
    offers.close_offer(closed, by=owner)
    until = clock.now() + dt.timedelta(days=9)
    discounts.set_discount(open_to_all, percent=50, valid_until=until, by=owner)
    over = discounts.set_discount(named, percent=50, valid_until=until, by=owner)
    discounts.end_discount(over, by=owner)
    gone = factories.make_listed_product()
    publishing.withdraw(gone, by=factories.owner_of(gone.seller), reason="No more.")

    def costs(several) -> list[tuple]:
        return [(one.pk, one.price_minor, one.steps, pricing.now(one).price.minor) for one in several]

    for hours in (0, 2):  # after which one offer's time has run out
        with clock.moved_to(clock.now() + dt.timedelta(hours=hours)):
            for reader in (None, buyer, listing.seller, factories.make_verified()):
                card = shelf_cards.of([listing.pk, gone.pk], reader)
                assert list(card) == [listing.pk]
                assert costs(card[listing.pk].open_offers) == costs(
                    Offer.objects.visible_to(reader).filter(listing=listing)
                )
    assert shelf_cards.of([], None) == {}


def test_offers_keep_terms_out_of_the_list_until_they_are_needed():
    factories.make_listed_product()
    (listing,) = search()
    assert "terms" in listing.open_offers[0].get_deferred_fields()
    assert terms.problems(listing.open_offers[0].terms) == []
