"""Discounts: one of an offer at a time, rounded in the buyer's favour, on the shelf while they are in force."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from listings import catalogue, discounts, offers, pricing, shelf
from listings import tasks as listings_tasks
from listings.filters import Filters
from listings.models import Discount, Offer, ShelfItem
from marketplace import clock
from marketplace.errors import Invalid, RoleNeeded, WrongState
from marketplace.models import Event
from tests import factories

pytestmark = pytest.mark.django_db
STEPS = [{"from_quantity": 100, "unit_price_minor": 500}, {"from_quantity": 1_000, "unit_price_minor": 400}]


def days(number: float) -> dt.datetime:
    return clock.now() + dt.timedelta(days=number)


def make_offer(**changes) -> Offer:
    return factories.make_listed_product(offer=changes).offers.get()


def owner(offer: Offer):
    return factories.owner_of(offer.listing.seller)


def discount(offer: Offer, percent: int = 20, *, begins: float | None = None, ends: float = 10) -> Discount:
    begins_at = None if begins is None else days(begins)
    return discounts.set_discount(offer, percent=percent, valid_from=begins_at, valid_until=days(ends), by=owner(offer))


# --- what it costs -------------------------------------------------------------------------------------------------


@given(st.integers(1, 2**53 - 1), st.integers(1, 99))
def test_a_price_is_rounded_down_to_the_minor_unit_and_never_to_nothing(minor, percent):
    price = pricing.less(minor, Discount(percent=percent))
    assert price == max(1, minor * (100 - percent) // 100)
    assert 1 <= price <= minor
    assert price == 1 or 0 <= minor * (100 - percent) - price * 100 < 100, "the buyer pays no more than the percent say"


@pytest.mark.parametrize(("minor", "percent"), [(0, 50), (1, 99), (3, 50), (125_000, 20), (2**53 - 1, 33)])
def test_postgresql_rounds_as_the_program_does(minor, percent):
    rows = Offer.objects.raw(
        f"SELECT 1 AS id, {pricing.less_sql('%s::bigint', 'd')} AS lowered FROM (SELECT %s AS percent) AS d",  # noqa: S608
        [minor, minor, percent],
    )
    assert rows[0].lowered == pricing.less(minor, Discount(percent=percent))


def test_the_price_of_each_call_is_lowered_and_a_block_costs_its_calls():
    offer = make_offer(price_minor=None, steps=[{"from_quantity": 3, "unit_price_minor": 333}], most_quantity=9)
    block = pricing.priced(offer, 7, discount(offer, 50))
    assert (block.unit_price_minor, block.price_minor, block.list_price_minor) == (166, 7 * 166, 7 * 333)
    shown = pricing.now(offer)
    assert (shown.unit_price.minor, shown.list_unit_price.minor, shown.price.minor) == (166, 333, 3 * 166)


def test_a_larger_block_that_costs_less_is_sought_under_the_same_discount():
    offer = make_offer(price_minor=None, steps=STEPS, most_quantity=5_000)
    block = pricing.priced(offer, 999, discount(offer, 25))
    assert pricing.cheaper(offer, block).price_minor == 1_000 * 300


def test_a_discount_is_in_force_from_its_first_moment_until_before_its_last():
    offer = make_offer()
    one = discount(offer, begins=1, ends=2)
    moment = dt.timedelta(microseconds=1)
    for at, holds in (
        (one.valid_from - moment, False),
        (one.valid_from, True),
        (one.valid_until - moment, True),
        (one.valid_until, False),
    ):
        assert Discount.objects.in_force(at).exists() == (discounts.held(offer, at) == one) == holds
    for at, price in ((one.valid_from, 100_000), (one.valid_until, 125_000)):
        with clock.moved_to(at):
            assert pricing.now(Offer.objects.get()).price.minor == price
            assert pricing.now(Offer.objects.still_open().get()).price.minor == price


# --- setting and ending --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("percent", "begins", "ends", "field"),
    [
        (0, 0, 1, "percent"),
        (100, 0, 1, "percent"),
        ("20", 0, 1, "percent"),
        (True, 0, 1, "percent"),
        (20, 2, 1, "valid_until"),
        (20, 0, -1, "valid_until"),
        (20, 0, 400, "valid_until"),
        (20, 400, 401, "valid_from"),
    ],
)
def test_a_discount_that_cannot_be_is_refused_with_its_reason(percent, begins, ends, field):
    offer = make_offer()
    with pytest.raises(Invalid) as refusal:
        discount(offer, percent, begins=begins, ends=ends)
    assert [one["field"] for one in refusal.value.as_json()["reasons"]] == [field]
    assert not Discount.objects.exists()


def test_what_is_free_or_too_small_takes_no_discount():
    for price in (0, 1):
        with pytest.raises(Invalid) as refusal:
            discount(make_offer(price_minor=price))
        assert refusal.value.code == "wrong_discount"


def test_discounts_of_one_offer_never_meet_but_may_follow_each_other():
    offer = make_offer()
    first = discount(offer, ends=10)
    for begins, ends in ((None, 5), (5, 20), (9.99, 11)):
        with pytest.raises(Invalid):
            discount(offer, begins=begins, ends=ends)
    after = discounts.set_discount(
        offer, percent=10, valid_from=first.valid_until, valid_until=days(20), by=owner(offer)
    )
    assert (after.is_coming, first.is_over) == (True, False)
    with pytest.raises(IntegrityError), transaction.atomic():
        Discount.objects.create(
            offer=offer, percent=5, valid_from=days(1), valid_until=days(2), created_by=owner(offer)
        )
    discounts.end_discount(first, by=owner(offer))
    discount(offer, 30, ends=9)
    assert [one.percent for one in Discount.objects.in_force()] == [30]
    assert Event.objects.filter(kind="discount.set").count() == 3


def test_one_that_is_to_come_is_taken_back_and_another_takes_its_time():
    offer = make_offer()
    discounts.end_discount(discount(offer, begins=2, ends=3), by=owner(offer))
    discount(offer, begins=2, ends=3)
    assert offer.discounts.not_over().count() == 1


def test_a_discount_is_ended_once_and_set_by_those_who_make_offers():
    offer = make_offer()
    one = discount(offer)
    viewer = factories.make_member(offer.listing.seller, "viewer")
    with pytest.raises(RoleNeeded):
        discounts.end_discount(one, by=viewer)
    with pytest.raises(RoleNeeded):
        discounts.set_discount(offer, percent=5, valid_until=days(1), by=viewer)
    discounts.end_discount(one, by=owner(offer))
    with pytest.raises(WrongState):
        discounts.end_discount(one, by=owner(offer))
    offers.close_offer(offer, by=owner(offer))
    with pytest.raises(WrongState):
        discount(offer)


@pytest.mark.parametrize(
    "changes",
    [{"percent": 50}, {"valid_until": "2099-01-01T00:00Z"}, {"valid_from": "2020-01-01T00:00Z"}, {"ended_at": None}],
)
def test_the_database_keeps_a_discount_as_it_was_set(changes):
    offer = make_offer()
    discounts.end_discount(discount(offer), by=owner(offer))
    with pytest.raises(DatabaseError), transaction.atomic():
        Discount.objects.update(**changes)
    with pytest.raises(DatabaseError), transaction.atomic():
        Discount.objects.all().delete()


@pytest.mark.parametrize(
    "changes",
    [{"percent": 0}, {"percent": 100}, {"valid_from": -1}, {"valid_until": 0}, {"closed": True}, {"price_minor": 0}],
)
def test_the_database_refuses_a_discount_that_cannot_be(changes):
    offer = make_offer(price_minor=changes.get("price_minor", 100))
    if changes.get("closed"):
        offers.close_offer(offer, by=owner(offer))
    facts = {"percent": changes.get("percent", 20), "valid_from": days(changes.get("valid_from", 1))}
    with pytest.raises(IntegrityError), transaction.atomic():
        Discount.objects.create(
            offer=offer, valid_until=days(changes.get("valid_until", 2)), created_by=owner(offer), **facts
        )


# --- the shelf -----------------------------------------------------------------------------------------------------


def on_shelf() -> tuple[int, list[str]]:
    item = ShelfItem.objects.get()
    return item.price_minor, item.prices


def test_the_shelf_follows_the_price_as_discounts_begin_and_end():
    offer = make_offer()
    one = discount(offer, 30, begins=1, ends=2)
    assert on_shelf() == (125_000, ["HKD-2", "paid"])
    assert ShelfItem.objects.get().priced_until == one.valid_from
    with clock.moved_to(one.valid_from):
        listings_tasks.reprice_shelf()
        assert on_shelf() == (87_500, ["HKD-1", "paid"])
        named = catalogue.browse(filters=Filters(price=("HKD-1",)))
        assert named.product_count == 1
    with clock.moved_to(one.valid_until):
        assert shelf.to_reprice().count() == 1
        listings_tasks.reprice_shelf()
        assert on_shelf() == (125_000, ["HKD-2", "paid"])
        assert shelf.to_reprice().count() == 0 and ShelfItem.objects.get().priced_until is None


def test_the_shelf_has_the_price_at_once_when_a_discount_is_set_or_ended():
    offer = make_offer(price_minor=None, steps=STEPS, most_quantity=5_000)
    one = discount(offer, 50)
    assert on_shelf()[0] == 100 * 250
    discounts.end_discount(one, by=owner(offer))
    assert on_shelf()[0] == 100 * 500


def test_cards_pages_and_the_catalogue_name_both_prices():
    offer = make_offer()
    factories.make_offer(offer.listing, name="The cheaper list price", price_minor=110_000)
    one = discount(offer, 20)
    for address in ("/catalogue/", f"/products/{offer.listing.public_id}/"):
        page = Client().get(address).content.decode()
        assert "1,000.00" in page and "20 % less" in page, address
        assert "<s><span" in page and "HKD 1,250.00</s>" in page, "the list price is struck through, with words"
    assert str(one.valid_until.year) in page
    told = Client().get(f"/api/v1/products/{offer.listing.public_id}").json()["offers"]
    assert [(one["price_minor"], one["price_now_minor"]) for one in told] == [(110_000, 110_000), (125_000, 100_000)]
    assert told[1]["discount"]["percent"] == 20
