"""Offers: what may be offered, and that no more licences are sold than there are."""

from __future__ import annotations

import threading

import pytest
from django.db import DatabaseError, connection, connections, transaction

from listings import offers, publishing, terms
from listings.models import Offer, OfferBuyer
from marketplace import journal
from marketplace.errors import Invalid, RoleNeeded, SoldOut, WrongState
from marketplace.money import Money
from marketplace.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db


def new_listing(seller=None):
    seller = seller or factories.make_organisation()
    return publishing.create_listing(seller=seller, product_type="dataset", by=factories.owner_of(seller))


def test_an_offer_keeps_price_terms_and_licences():
    offer = factories.make_offer(new_listing(), licences_total=3, inspection_days=14)
    offer.refresh_from_db()
    assert offer.price == Money(125_000, "HKD")
    assert (offer.licences_total, offer.licences_left, offer.inspection_days) == (3, 3, 14)
    assert offer.terms == terms.default_terms() | {"territory": ["*"]}
    assert [event.kind for event in journal.of(offer)] == ["offer.made"]


WRONG_OFFERS = [
    ({"price_minor": -1}, "wrong_price_minor"),
    ({"price_minor": 1.5}, "wrong_price_minor"),
    ({"price_minor": True}, "wrong_price_minor"),
    ({"price_minor": 2**53}, "wrong_price_minor"),
    ({"currency": "BTC"}, "wrong_currency"),
    ({"currency": ["HKD"]}, "wrong_currency"),
    ({"name": " "}, "wrong_name"),
    ({"name": "two\nlines"}, "wrong_name"),
    ({"name": "x" * 121}, "wrong_name"),
    ({"name": None}, "wrong_name"),
    ({"channel": "pigeon"}, "wrong_channel"),
    ({"channel": ["files"]}, "wrong_channel"),
    ({"inspection_days": 0}, "wrong_inspection_days"),
    ({"inspection_days": 61}, "wrong_inspection_days"),
    ({"licences_total": 0}, "wrong_licences_total"),
    ({"licences_total": 10**7}, "wrong_licences_total"),
    ({"audience": "friends"}, "wrong_audience"),
    ({"audience": "named"}, "wrong_buyers"),
    ({"terms": {}}, "missing_field"),
    ({"terms": "any"}, "not_an_object"),
    ({"terms": terms.default_terms() | {"territory": ["XX"]}}, "wrong_territory"),
]


def test_a_wrong_offer_is_refused_and_leaves_no_trace():
    listing = new_listing()
    for changes, code in WRONG_OFFERS:
        with pytest.raises(Invalid) as refusal:
            factories.make_offer(listing, **changes)
        assert refusal.value.code == "wrong_offer", changes
        assert refusal.value.reasons[0]["code"] == code, changes
        assert not Offer.objects.exists(), changes
    assert not journal.Event.objects.filter(kind="offer.made").exists()


def test_everything_that_is_wrong_with_an_offer_is_said_at_once():
    with pytest.raises(Invalid) as refusal:
        factories.make_offer(new_listing(), price_minor=-1, currency="BTC", name="", terms=None)
    assert [reason["field"] for reason in refusal.value.reasons] == ["price_minor", "currency", "name", "terms"]


def test_a_named_offer_names_each_buyer_once_and_never_the_seller():
    seller, buyer = factories.make_organisation(), factories.make_organisation()
    listing = new_listing(seller)
    for buyers in ([buyer, buyer], [seller]):
        with pytest.raises(Invalid):
            factories.make_offer(listing, audience="named", buyers=buyers)
    with pytest.raises(Invalid):
        factories.make_offer(listing, audience="everyone", buyers=[buyer])
    assert (Offer.objects.count(), OfferBuyer.objects.count()) == (0, 0)
    offer = factories.make_offer(listing, audience="named", buyers=[buyer])
    assert list(offer.buyers.all()) == [buyer]


def test_a_named_offer_is_seen_by_those_it_names_and_by_its_seller_only():
    seller, named, stranger = (factories.make_organisation() for _ in range(3))
    offer = factories.make_offer(new_listing(seller), audience="named", buyers=[named])
    assert list(Offer.objects.visible_to(named)) == [offer]
    assert list(Offer.objects.visible_to(seller)) == [offer]
    assert list(Offer.objects.visible_to(stranger)) == []
    assert list(Offer.objects.visible_to(None)) == []


def test_only_owner_and_trader_offer_and_close():
    seller = factories.make_organisation()
    listing = new_listing(seller)
    offer = factories.make_offer(listing)
    for by in (factories.make_member(seller, Role.DATA_STEWARD), factories.make_user(), factories.make_staff("review")):
        with pytest.raises(RoleNeeded):
            offers.close_offer(offer, by=by)
        with pytest.raises(RoleNeeded):
            offers.make_offer(listing, name="x", price_minor=0, currency="HKD", terms=terms.default_terms(), by=by)
    assert Offer.objects.get().closed_at is None
    closed = offers.close_offer(offer, by=factories.make_member(seller, Role.TRADER))
    assert closed.closed_at is not None
    with pytest.raises(WrongState):
        offers.close_offer(offer, by=factories.owner_of(seller))


@pytest.mark.parametrize("grade", ["important", "general_4"])
def test_sensitive_data_is_never_offered_as_files(grade):
    version = factories.make_draft(classification=grade)
    with pytest.raises(Invalid) as refusal:
        factories.make_offer(version.listing)
    assert [reason["code"] for reason in refusal.value.reasons] == ["never_as_files"]
    assert not Offer.objects.exists()


def test_a_manual_cannot_become_sensitive_while_it_is_offered_as_files():
    seller = factories.make_organisation()
    version = factories.make_draft(seller)
    factories.make_offer(version.listing)
    version = publishing.edit(version, classification="general_4", by=factories.owner_of(seller))
    assert [problem["code"] for problem in publishing.problems(version)] == ["never_as_files"]
    with pytest.raises(Invalid):
        publishing.submit(version, by=factories.owner_of(seller))


def test_terms_cannot_deny_the_personal_information_the_manual_admits():
    version = factories.make_draft(
        has_personal_data=True, persons_count=5, coverage_population="Pilots", classification="general_2"
    )
    with pytest.raises(Invalid) as refusal:
        factories.make_offer(version.listing)
    assert [reason["code"] for reason in refusal.value.reasons] == ["terms_deny_personal_data"]
    factories.make_offer(version.listing, terms=terms.default_terms() | {"personal_data": "personal"})


def test_a_product_has_a_bounded_number_of_open_offers(monkeypatch):
    monkeypatch.setattr(offers, "MOST_OPEN_OFFERS", 2)
    listing = new_listing()
    first = factories.make_offer(listing)
    factories.make_offer(listing)
    with pytest.raises(Invalid) as refusal:
        factories.make_offer(listing)
    assert refusal.value.reasons[0]["code"] == "too_many_offers"
    offers.close_offer(first, by=factories.owner_of(listing.seller))
    factories.make_offer(listing)


def test_licences_are_counted_down_and_given_back():
    offer = factories.make_offer(new_listing(), licences_total=1)
    offers.take_licence(offer)
    with pytest.raises(SoldOut):
        offers.take_licence(offer)
    offers.give_back_licence(offer)
    offer.refresh_from_db()
    assert offer.licences_left == 1


def test_an_unlimited_offer_counts_nothing():
    offer = factories.make_offer(new_listing())
    offers.take_licence(offer)
    offers.give_back_licence(offer)
    offer.refresh_from_db()
    assert (offer.licences_total, offer.licences_left) == (None, None)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE listings_offer SET licences_left = -1",
        "UPDATE listings_offer SET licences_left = 3",
        "UPDATE listings_offer SET licences_left = NULL",
        "UPDATE listings_offer SET licences_total = 5, licences_left = 5",
        "UPDATE listings_offer SET price_minor = 1",
        "UPDATE listings_offer SET currency = 'CNY'",
        "UPDATE listings_offer SET terms = '{}'",
        "DELETE FROM listings_offer",
        "TRUNCATE listings_offer CASCADE",
    ],
)
def test_the_database_keeps_an_offer_and_its_licences_right(statement):
    factories.make_offer(new_listing(), licences_total=2)
    before = list(Offer.objects.values())
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert list(Offer.objects.values()) == before


@pytest.mark.django_db(transaction=True)
def test_of_six_buyers_of_one_last_licence_one_gets_it():
    offer = factories.make_offer(new_listing(), licences_total=1)
    gate, outcomes = threading.Barrier(6), []

    def buy() -> None:
        gate.wait()
        try:
            with transaction.atomic():
                offers.take_licence(offer)
            outcomes.append("taken")
        except SoldOut as refusal:
            outcomes.append(refusal.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=buy) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["sold_out"] * 5 + ["taken"]
    assert Offer.objects.get().licences_left == 0
