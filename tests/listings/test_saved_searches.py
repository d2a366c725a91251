"""Saved searches: a person's own, looked after by a worker, who tells of each new product once and of none unseen."""

from __future__ import annotations

import datetime as dt

import pytest
from django.conf import settings
from django.core import mail
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from listings import publishing, saved_searches, tasks
from listings.models import FoundProduct, SavedSearch
from marketplace import clock
from marketplace import tasks as letters_tasks
from marketplace.errors import Invalid
from marketplace.models import Letter, Notification
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader():
    return factories.make_user("reader@example.com")


def save(reader, query="q=departures", *, name="Departures", frequency="at_once", organisation=None):
    return saved_searches.save(name=name, query=query, frequency=frequency, reader=organisation, by=reader)


def client_of(person):
    client = Client()
    client.force_login(person)
    return client


def told(reader):
    return Notification.objects.filter(to=reader, kind="saved_search.found").count()


def test_what_is_kept_is_what_the_catalogue_understands(reader):
    search = save(reader, "sort=newest&q=+flights+&region=HK&region=CN-SH&page=3&nonsense=1&sector=")
    assert search.query == "q=flights&region=CN-SH&region=HK&sort=newest"
    again = save(reader, "region=CN-SH&q=flights&sort=newest&region=HK", name="Flights", frequency="weekly")
    assert (again.pk, again.name, again.frequency) == (search.pk, "Flights", "weekly")
    for query in ("region=Atlantis", "sort=colour", "show=entries", "q=" + "x" * 300, "q=a%00b"):
        with pytest.raises(Invalid):
            save(reader, query)
    with pytest.raises(Invalid):
        save(reader, "q=b", name="  ")
    with pytest.raises(Invalid):
        save(reader, "q=b", frequency="hourly")
    assert SavedSearch.objects.count() == 1


def test_a_person_keeps_fifty_at_most(reader):
    rows = [SavedSearch(user=reader, name=f"S{n}", query=f"q=s{n}") for n in range(saved_searches.MOST)]
    SavedSearch.objects.bulk_create(rows)
    with pytest.raises(saved_searches.TooManySearches):
        save(reader)
    assert SavedSearch.objects.of(reader).count() == saved_searches.MOST


def test_a_new_product_is_told_of_once_to_whose_search_finds_it(reader):
    factories.make_listed_product()  # before: nothing new
    at_once, other = save(reader), save(reader, "q=zeppelin", name="Zeppelins")
    never = save(reader, "sector=transport", name="Transport", frequency="never")
    tasks.look_for_saved_searches()
    assert told(reader) == FoundProduct.objects.count() == 0
    listing = factories.make_listed_product()
    tasks.look_for_saved_searches()
    tasks.look_for_saved_searches()
    assert sorted(FoundProduct.objects.values_list("search", "listing")) == sorted(
        [(at_once.pk, listing.pk), (never.pk, listing.pk)]
    )
    assert told(reader) == 1
    letter = Letter.objects.get(to=reader.email)
    assert letter.subject == "New products for “Departures”: 1"
    assert "Departures of New York" in letter.body and f"/searches/#search-{at_once.pk}" in letter.body
    assert FoundProduct.objects.get(search=never).told_at is None
    assert not FoundProduct.objects.filter(search=other).exists()
    assert not saved_searches.due().exists()


def test_what_is_told_once_a_day_waits_for_its_day_and_names_only_what_is_still_on_sale(reader):
    daily = save(reader, frequency="daily")
    first, gone = factories.make_listed_product(), factories.make_listed_product()
    tasks.look_for_saved_searches()  # the first time at once
    assert told(reader) == 1
    second = factories.make_listed_product()
    tasks.look_for_saved_searches()
    assert told(reader) == 1 and FoundProduct.objects.filter(search=daily).count() == 3
    publishing.suspend(second, reason="Being looked into.", by=factories.make_staff("review"))
    with clock.moved_to(clock.now() + dt.timedelta(days=1, minutes=1)):
        tasks.look_for_saved_searches()
        assert told(reader) == 1  # what was found is on sale no more, and is told of to nobody
    assert {first.pk, gone.pk, second.pk} == set(FoundProduct.objects.values_list("listing", flat=True))


def test_the_list_counts_what_is_new_since_it_was_looked_at_and_ends_what_it_keeps(reader):
    search = save(reader, "q=departures&sector=transport", frequency="never")
    client = client_of(reader)
    assert "Save this search" in client.get("/catalogue/?q=departures").content.decode()
    form = client.get("/searches/new/?q=departures&sector=transport").content.decode()
    assert "Transport and shipping" in form and "sector=transport" in form
    factories.make_listed_product()
    tasks.look_for_saved_searches()
    shown = client.get("/searches/").content.decode()
    assert "1 new" in shown and "Transport and shipping" in shown
    assert client.get("/api/v1/searches").json()[0]["new"] == 1
    assert client.post(f"/searches/{search.pk}/show/").url == "/catalogue/?q=departures&sector=transport"
    assert "1 new" not in client.get("/searches/").content.decode()
    stranger = client_of(factories.make_user())
    assert stranger.post(f"/searches/{search.pk}/delete/").status_code == 404
    assert client.post(f"/searches/{search.pk}/delete/").status_code == 302
    assert SavedSearch.objects.count() == FoundProduct.objects.count() == 0


def test_the_list_costs_the_same_however_many_there_are(reader):
    save(reader)
    client = client_of(reader)

    def statements():
        with CaptureQueriesContext(connection) as counted:
            client.get("/searches/")
        return len(counted)

    before = statements()
    seller = factories.make_organisation()
    for number in range(4):
        save(reader, f"q=w{number}&merchant={seller.public_id}", name=f"W{number}")
    assert statements() <= before + 1  # the names of merchants, all at once


def test_offers_to_ones_organisation_count_while_one_belongs_to_it(reader):
    organisation = factories.make_organisation(owner=reader)
    search = save(reader, "price=free", organisation=organisation)
    listing = factories.make_listed_product()
    factories.make_offer(listing, audience="named", buyers=[organisation], price_minor=0)
    stranger = save(factories.make_user(), "price=free", organisation=organisation)  # belongs to it no more
    tasks.look_for_saved_searches()
    assert list(FoundProduct.objects.values_list("search", flat=True)) == [search.pk]
    assert told(stranger.user) == 0


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE listings_savedsearch SET query = 'q=b'",
        "UPDATE listings_savedsearch SET name = ''",
        "UPDATE listings_foundproduct SET found_at = now()",
        "INSERT INTO listings_foundproduct (search_id, listing_id, found_at) "
        "SELECT search_id, listing_id, now() FROM listings_foundproduct",
    ],
)
def test_the_database_keeps_what_was_saved_and_found(sql, reader):
    search = save(reader)
    FoundProduct.objects.create(search=search, listing=factories.make_draft().listing)
    with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_letter_ends_with_one_click_and_without_signing_in(reader):
    search = save(reader)
    other = save(reader, "q=airports", name="Airports")
    factories.make_listed_product()
    tasks.look_for_saved_searches()
    letters_tasks.send_letters()
    (letter,) = [one for one in mail.outbox if one.to == [reader.email]]
    headers = letter.message()
    url = headers["List-Unsubscribe"].strip("<>")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert url.startswith(settings.BASE_URL + "/searches/stop/") and url in letter.body
    path = url.removeprefix(settings.BASE_URL)
    stranger = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    page = stranger.get(path).content.decode()
    assert "Write to me no more of this search" in page and search.name not in page
    search.refresh_from_db()
    assert search.frequency == "at_once"  # a program that looks at links ends nothing
    forged = path.replace(f"/{search.pk}:", f"/{other.pk}:")
    assert forged != path and stranger.post(forged).status_code == 404
    answer = stranger.post(path, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200 and "You get no more letters of this search" in answer.content.decode()
    frequencies = dict(SavedSearch.objects.values_list("name", "frequency"))
    assert frequencies == {"Departures": "never", "Airports": "at_once"}
    search.delete()
    assert stranger.post(path).status_code == 404
