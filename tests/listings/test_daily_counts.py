"""How often products are seen and opened: counted by day, of nobody in particular, written down once."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from listings import daily_counts
from listings.models import CountedBatch, DailyCount
from marketplace import clock
from tests import factories
from tests.races import together

BROWSER = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Safari/605.1.15"
DAY = dt.date(2026, 3, 31)


def browser(person=None, agent: str = BROWSER) -> Client:
    client = Client(headers={"User-Agent": agent})
    if person:
        client.force_login(person)
    return client


def counted() -> list[tuple[int, int, int]]:
    daily_counts.write_down()
    return list(DailyCount.objects.order_by("pk").values_list("seen", "opened", "sampled"))


@pytest.mark.django_db
def test_a_card_is_seen_and_a_page_opened_by_visitors_alone():
    listing = factories.make_listed_product()
    seller, member = factories.owner_of(listing.seller), factories.owner_of(factories.make_organisation())
    page = f"/products/{listing.public_id}/"
    for client in (browser(), browser(member), browser(seller), browser(factories.make_staff("review"))):
        assert client.get("/catalogue/").status_code == client.get(page).status_code == 200
    for agent in ("", "curl/8.5", "Mozilla/5.0 (compatible; Googlebot/2.1)", "Mozilla/5.0 (X11) HeadlessChrome/130"):
        assert browser(agent=agent).get(page).status_code == 200
    assert browser().head(page).status_code == 200
    assert browser().get(page, headers={"Sec-Purpose": "prefetch;prerender"}).status_code == 200
    assert browser().get("/products/nowhere/").status_code == 404
    assert counted() == [(2, 2, 0)]
    assert DailyCount.objects.get().day == clock.today()
    assert list(DailyCount.objects.visible_to(listing.seller)) == list(DailyCount.objects.all())
    assert not DailyCount.objects.visible_to(member.memberships.get().organisation).exists()
    assert not DailyCount.objects.visible_to(None).exists()


@pytest.mark.django_db
def test_counting_asks_the_database_nothing_and_without_redis_the_pages_are_as_before(settings):
    listing = factories.make_listed_product()
    page = f"/products/{listing.public_id}/"

    def statements(client: Client) -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert client.get(page).status_code == 200
        return len(asked)

    assert statements(browser()) == statements(Client())
    there, settings.REDIS_URL = settings.REDIS_URL, "unix:///nonexistent/redis.sock"
    assert browser().get(page).status_code == 200
    settings.REDIS_URL = there
    assert counted() == [(0, 1, 0)]


@pytest.mark.django_db
def test_a_batch_counts_once_and_what_is_no_product_not_at_all():
    listing = factories.make_draft(factories.make_organisation()).listing
    counts = {(DAY, listing.pk): {"seen": 5, "sampled": 1}, (DAY, 0): {"seen": 1}}
    assert daily_counts.add(counts, batch="one")
    assert not daily_counts.add(counts, batch="one")
    assert counted() == [(5, 0, 1)]
    assert daily_counts.add({(DAY, listing.pk): {"seen": 2, "opened": 3}}, batch="two")
    assert counted() == [(7, 3, 1)]
    with clock.moved_to(clock.now() + dt.timedelta(days=2)):
        assert daily_counts.add({}, batch="three")
    assert list(CountedBatch.objects.values_list("key", flat=True)) == ["three"]


@pytest.mark.django_db(transaction=True)
def test_workers_who_write_down_at_once_lose_nothing_and_count_nothing_twice():
    listings = [factories.make_draft(factories.make_organisation()).listing for _ in range(3)]
    counts = {(DAY, listing.pk): {"seen": 1} for listing in listings}
    turned = dict(reversed(counts.items()))
    adding = [
        lambda number=number: daily_counts.add(turned if number % 2 else counts, batch=f"{number // 2}")
        for number in range(6)
    ]
    assert together(adding) == ["done"] * 6
    assert counted() == [(3, 0, 0)] * 3


@pytest.mark.django_db
def test_the_database_keeps_one_row_a_day_that_only_grows():
    listing = factories.make_draft(factories.make_organisation()).listing
    row = DailyCount.objects.create(listing=listing, day=DAY, seen=3)
    for change in (
        lambda: DailyCount.objects.update(seen=2),
        lambda: DailyCount.objects.update(day=dt.date.min),
        row.delete,
    ):
        with pytest.raises(ProgrammingError), transaction.atomic():
            change()
    for wrong in ({"day": DAY, "seen": 1}, {"day": dt.date.max}, {"day": dt.date.max, "seen": -1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            DailyCount.objects.create(listing=listing, **wrong)
    assert counted() == [(3, 0, 0)]
