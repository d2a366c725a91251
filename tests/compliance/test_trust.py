"""What outsiders read of a product's past: its review, its papers, its releases, and what went wrong with it."""

from __future__ import annotations

import html
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from compliance import checklists, exchange_rules, holds, trust
from listings import publishing, registration, related, revisions
from listings.catalogue import product
from listings.models import Listing
from marketplace.models import Paper
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def listing() -> Listing:
    return factories.make_listed_product(factories.make_verified("Harbour Metrics Limited"))


def told(listing: Listing) -> trust.Trust:
    found = product(listing.public_id, reader=listing.seller)
    return trust.of(found.listing, found.version, found.registration)


def page_of(listing: Listing) -> str:
    content = Client().get(f"/products/{listing.public_id}/").content.decode()
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", content)).split())


def called(title: str) -> dict[str, dict[str, str]]:
    return {"titles": {"en": title}, "summaries": {"en": "Of every day."}, "coverage_area": {"en": "New York"}}


def next_release(listing: Listing, content: bytes, label: str) -> None:
    by = factories.owner_of(listing.seller)
    release = factories.make_release(listing, files={"flights.csv": content}, label=label)
    factories.make_approved(publishing.edit(publishing.draft(listing, by=by), by=by, release=release))
    registration.register_next()


def test_a_product_says_who_approved_it_by_which_rules_and_names_its_papers(listing):
    found = told(listing)
    assert found.approval["rules_version"] == exchange_rules.CURRENT_VERSION
    assert found.approval["checklist_version"] == checklists.CURRENT_VERSION
    assert {one["paper"].pk for one in found.papers} == set(
        Paper.objects.filter(subject_kind="registration").values_list("pk", flat=True)
    )
    assert [one["label"] for one in found.history] == ["Listed", "First registration", "A release passed its review"]
    assert found.troubles == 0
    assert "no incident" in page_of(listing)


def test_holds_and_suspensions_are_told_without_the_reasons_of_the_staff(listing):
    officer = factories.make_staff("review")
    hold = holds.place("listing", listing.pk, reason_code="complaint", reason="A rival wrote to us.", by=officer)
    holds.lift(hold, reason="It was groundless.", by=officer)
    publishing.suspend(listing, reason="Looked into at length.", by=officer)
    publishing.resume(listing, by=officer)
    found = told(listing)
    assert [(one["label"], one["is_trouble"]) for one in found.history[:4]] == [
        ("On sale again", False),
        ("Suspended", True),
        ("Trades go on after the examination", False),
        ("The exchange stopped trades to examine something", True),
    ]
    assert found.troubles == 2
    page = page_of(listing)
    for secret in ("rival", "groundless", "Looked into", officer.email):
        assert secret not in page


def test_each_release_says_what_changed_since_the_one_before(listing):
    next_release(listing, factories.FLIGHTS_CSV.replace(b"air_time", b"minutes"), "2026-12")
    next_release(
        listing, factories.FLIGHTS_CSV.replace(b"air_time", b"minutes") + b"2013,1,3,AA,9,JFK,MIA,160\n", "2027-01"
    )
    listing.refresh_from_db()
    found = revisions.of(listing)
    assert [(one.release.label, one.rows, one.words) for one in found] == [
        ("2027-01", 5, ["The columns are the same."]),
        ("2026-12", 4, ["1 column added", "1 column removed"]),
        ("2026-11", 4, []),
    ]
    page = page_of(listing)
    assert "1 column removed" in page
    assert page.count("A release passed its review") == 3


def test_what_is_like_a_product_comes_from_its_sector_and_shares_its_fields(listing):
    other = factories.make_verified("Another House Limited")
    far = factories.make_listed_product(other, **called("Other fields"), fields=[{"name": "x", "meaning": "X"}])
    near = factories.make_listed_product(other, **called("Same fields"))
    elsewhere = factories.make_listed_product(other, **called("Of finance"), sector="finance")
    own = factories.make_listed_product(listing.seller, **called("Of the same house"))
    hidden = factories.make_listed_product(other, **called("Suspended"))
    publishing.suspend(hidden, reason="Looked into.", by=factories.make_staff("review"))
    alike, others = related.of(product(listing.public_id, reader=None), reader=None)
    assert ([one.pk for one in alike], [one.pk for one in others]) == ([near.pk, far.pk], [own.pk])
    page = page_of(listing)
    for words, is_there in (
        ("Same fields", True),
        ("Of the same house", True),
        ("Of finance", False),
        ("Suspended", False),
    ):
        assert (words in page) == is_there
    assert elsewhere.pk not in {one.pk for one in alike}


def test_a_product_page_costs_the_same_whatever_its_past_and_neighbours(listing):
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert Client().get(f"/products/{listing.public_id}/").status_code == 200
        return len(queries)

    other = factories.make_verified()
    factories.make_listed_product(other)
    before = cost()
    for _ in range(3):
        factories.make_listed_product(other)
        factories.make_listed_product(listing.seller)
    officer = factories.make_staff("review")
    for _ in range(3):
        holds.lift(
            holds.place("listing", listing.pk, reason_code="complaint", reason="Asked.", by=officer),
            reason="No.",
            by=officer,
        )
    assert cost() == before <= 22
