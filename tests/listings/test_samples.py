"""Samples: the seller gives the first rows away, anybody takes them, and each time is counted."""

from __future__ import annotations

import csv
import io

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from django.test import Client

from listings import catalogue, daily_counts, samples
from listings.models import DailyCount, Listing, PublishedSample
from marketplace import clock, journal
from marketplace.errors import NotReady, RoleNeeded, WrongState
from marketplace.roles import Role
from marketplace.spreadsheets import csv_of
from tests import factories

pytestmark = pytest.mark.django_db

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
HOSTILE_CSV = b"name,amount\n=1+1,-5\n@cmd,+7.5\nplain,3\n"


@pytest.fixture
def listing() -> Listing:
    return factories.make_listed_product()


def by_of(listing: Listing):
    return factories.owner_of(listing.seller)


def sampled(listing: Listing) -> Listing:
    samples.publish(listing, by=by_of(listing))
    return listing


def rows_of(response) -> list[list[str]]:
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))


def events_of(listing: Listing) -> list[str]:
    return [event.kind for event in journal.of(listing) if event.kind.startswith("sample.")]


def test_anybody_downloads_what_the_seller_gives_away_until_it_is_taken_back(listing):
    path = f"/products/{listing.public_id}/samples/1.csv"
    assert Client().get(path).status_code == 404
    sampled(listing)
    taken = Client().get(path)
    assert (taken.status_code, taken["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert taken["Content-Disposition"] == f'attachment; filename="{listing.public_id}-sample-1.csv"'
    assert rows_of(taken)[:2] == [
        ["year", "month", "day", "carrier", "flight", "origin", "dest", "air_time"],
        ["2013", "1", "1", "UA", "1545", "EWR", "IAH", "227"],
    ]
    assert f'href="{path}"' in Client().get(f"/products/{listing.public_id}/").content.decode()
    assert Client().get(f"/products/{listing.public_id}/samples/2.csv").status_code == 404
    told = Client().get(f"/api/v1/products/{listing.public_id}").json()
    assert told["samples"] == [{"path": "flights.csv", "url": path}]
    samples.withdraw(listing, by=by_of(listing))
    assert Client().get(path).status_code == 404
    assert events_of(listing) == ["sample.published", "sample.withdrawn"]


def test_each_download_by_a_person_is_counted_and_the_sellers_own_is_not(listing):
    path = f"/products/{sampled(listing).public_id}/samples/1.csv"
    visitor = Client(headers={"User-Agent": BROWSER})
    visitor.get(path)
    visitor.get(path)
    visitor.head(path)
    visitor.get(f"/products/{listing.public_id}/dictionary.csv")
    Client().get(path)
    seller = Client(headers={"User-Agent": BROWSER})
    seller.force_login(by_of(listing))
    assert seller.get(path).status_code == 200
    daily_counts.write_down()
    assert list(DailyCount.objects.values_list("listing", "seen", "opened", "sampled")) == [(listing.pk, 0, 0, 2)]


def test_a_sample_runs_no_formula_and_keeps_its_numbers():
    listing = sampled(factories.make_listed_product(files={"prices.csv": HOSTILE_CSV}))
    taken = Client().get(f"/products/{listing.public_id}/samples/1.csv")
    assert rows_of(taken) == [["name", "amount"], ["'=1+1", "-5"], ["'@cmd", "+7.5"], ["plain", "3"]]
    assert csv_of(["=a"], [["＝1", "-1e3", "-1-1"]]).decode("utf-8-sig") == "'=a\r\n'＝1,-1e3,'-1-1\r\n"


def test_the_dictionary_is_downloaded_by_anybody_who_sees_the_product(listing):
    answer = Client().get(f"/products/{listing.public_id}/dictionary.csv")
    assert rows_of(answer) == [
        ["name", "type", "meaning", "unit", "example", "is_key"],
        ["carrier", "text", "Airline, two letters", "", "", "false"],
        ["air_time", "integer", "Time in the air", "minutes", "", "false"],
    ]


def test_only_who_may_edit_the_product_gives_a_sample_away_and_only_once(listing):
    with pytest.raises(RoleNeeded):
        samples.publish(listing, by=factories.make_member(listing.seller, Role.FINANCE))
    with pytest.raises(RoleNeeded):
        samples.publish(listing, by=factories.make_user())
    with pytest.raises(WrongState, match="No sample"):
        samples.withdraw(listing, by=by_of(listing))
    sampled(listing)
    with pytest.raises(WrongState, match="published already"):
        samples.publish(listing, by=by_of(listing))
    assert PublishedSample.objects.count() == 1
    assert events_of(listing) == ["sample.published"]


def test_what_is_no_table_or_never_goes_out_as_files_has_no_sample():
    text = factories.make_listed_product(files={"read.txt": b"A report in words.\n"}, product_type="report")
    with pytest.raises(NotReady) as refused:
        samples.publish(text, by=by_of(text))
    assert refused.value.code == "nothing_to_sample"
    draft = factories.make_draft(factories.make_verified(), classification="important")
    assert "never handed out as files" in str(samples.rows_withheld(draft, None))
    assert PublishedSample.objects.count() == 0


def test_rows_that_stay_on_the_mainland_are_shown_there_alone():
    seller = factories.make_verified("临港数据有限公司", country="CN")
    listing = sampled(factories.make_listed_product(seller, leaves_mainland=False))
    there, outside = factories.make_organisation(country="CN"), factories.make_organisation(country="HK")
    for reader, is_shown in [(None, False), (outside, False), (there, True), (seller, True)]:
        browser = Client()
        if reader:
            browser.force_login(factories.owner_of(reader))
        page = browser.get(f"/products/{listing.public_id}/").content.decode()
        assert ("IAH" in page, "first rows are not shown" in page) == (is_shown, not is_shown)
        taken = browser.get(f"/products/{listing.public_id}/samples/1.csv")
        assert taken.status_code == (200 if is_shown else 404)
        told = browser.get(f"/api/v1/products/{listing.public_id}").json()
        assert ("preview" in told["measured"]["report"]["files"][0], bool(told["samples"])) == (is_shown, is_shown)


def test_a_card_says_that_there_is_a_sample(listing):
    assert [one.has_sample for one in catalogue.newest(1, reader=None)] == [False]
    sampled(listing)
    assert [one.has_sample for one in catalogue.newest(1, reader=None)] == [True]


def test_the_studio_switches_the_sample_on_and_off(listing):
    browser = Client()
    browser.force_login(by_of(listing))
    here = f"/studio/{listing.public_id}/"
    assert "Give a sample away" in browser.get(here).content.decode()
    assert browser.post(f"{here}sample/")["Location"] == here
    assert "Take the sample back" in browser.get(here).content.decode()
    assert browser.post(f"{here}sample/withdrawal/")["Location"] == here
    assert PublishedSample.objects.get().withdrawn_at is not None


def test_the_database_keeps_one_standing_sample_and_what_became_of_it(listing):
    published = samples.publish(listing, by=by_of(listing))
    wrong = [
        (IntegrityError, lambda: PublishedSample.objects.create(listing=listing, published_by=by_of(listing))),
        (ProgrammingError, lambda: PublishedSample.objects.update(published_at=clock.now())),
        (ProgrammingError, lambda: PublishedSample.objects.all().delete()),
        (IntegrityError, lambda: PublishedSample.objects.update(withdrawn_at=clock.now())),
    ]
    for kind, write in wrong:
        with pytest.raises(kind), transaction.atomic():
            write()
    samples.withdraw(listing, by=by_of(listing))
    with pytest.raises(ProgrammingError), transaction.atomic():
        PublishedSample.objects.update(withdrawn_at=None, withdrawn_by=None)
    published.refresh_from_db()
    assert published.withdrawn_at is not None
