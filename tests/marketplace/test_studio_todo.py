"""The studio's first page: what waits for the seller, by kind and age, only for who may do it, in few statements."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from compliance import review_questions, reviews
from compliance.models import Proof
from listings import offers, profiling, publishing, questions, uploads
from listings.models import Profile
from marketplace import clock
from marketplace.desks import studio_todo
from marketplace.roles import Role
from tests import factories
from tests.compliance.test_proofs import shown
from tests.listings.test_pages import signed_in, text_of

pytestmark = pytest.mark.django_db


def tasks(seller, role=Role.OWNER) -> list[tuple[str, str]]:
    return [(task.text, task.about) for task in studio_todo.of(seller, role)]


@pytest.fixture
def seller():
    return factories.make_verified("Harbour Metrics Limited")


def opened(listing, label: str, content: bytes = factories.FLIGHTS_CSV, path: str = "flights.csv"):
    by = factories.owner_of(listing.seller)
    release = uploads.open_release(listing, label=label, by=by)
    uploads.put_file(release, path=path, stream=io.BytesIO(content), by=by)
    return release


def fail_to_measure(listing) -> None:
    owner = factories.owner_of(listing.seller)
    uploads.seal_release(opened(listing, "2026-12", b"PK\x03\x04 but no workbook", "broken.xlsx"), by=owner)
    for _try in range(profiling.MOST_TRIES):
        Profile.objects.update(next_try_at=clock.now())
        profiling.profile_next()


def test_nothing_waits_for_a_seller_without_products(seller):
    assert tasks(seller) == []
    assert "Nothing at the moment." in text_of(signed_in(factories.owner_of(seller)).get("/studio/"))


def test_drafts_say_how_much_is_left_by_the_rules_of_submitting(seller):
    whole = factories.make_draft(seller)
    lacking = factories.make_draft(seller, sector="", support_contact="")
    assert tasks(seller) == [
        ("Hand the draft in", "Departures of New York · Ready to hand in"),
        ("Go on with the draft", "Departures of New York · 2 things left"),
    ]
    page = signed_in(factories.owner_of(seller)).get("/studio/").content.decode()
    for version in (whole, lacking):
        assert f'href="/studio/{version.listing.public_id}/versions/1/"' in page
    assert page.index('id="tasks"') < page.index('id="products"')


def test_a_draft_is_done_once_handed_in_and_comes_back_as_a_question_and_then_as_rework(seller):
    version = factories.make_draft(seller)
    owner, officer = factories.owner_of(seller), factories.make_staff("review")
    review = reviews.submit(version, by=owner)
    assert tasks(seller) == []
    review = reviews.take(review, by=officer)
    review_questions.ask(review, field="source_statement", question="Which airports?", by=officer)
    assert tasks(seller) == [("Answer the reviewers’ question", "Departures of New York")]
    reviews.request_changes(review, reason_code="manual_unclear", reason="Name the airports.", by=officer)
    assert tasks(seller) == [("Rework the manual that was sent back", "Departures of New York")]
    publishing.draft(version.listing, by=owner)
    assert tasks(seller) == [("Hand the draft in", "Departures of New York · Ready to hand in")]


def test_a_buyers_question_waits_until_it_is_answered(seller):
    listing = factories.make_listed_product(seller)
    buyer = factories.make_verified()
    asked = questions.ask(listing, asked_for=buyer, text="Is Macao covered?", by=factories.owner_of(buyer))
    assert tasks(seller) == [("Answer a question about a product", "Departures of New York")]
    assert f"/products/{listing.public_id}/questions/#question-{asked.pk}" in [
        task.url for task in studio_todo.of(seller, Role.OWNER)
    ]
    questions.answer(asked, text="It is.", by=factories.owner_of(seller))
    assert tasks(seller) == []


def test_releases_wait_to_be_sealed_once_they_hold_a_file_and_tell_when_they_could_not_be_measured(seller):
    listing = factories.make_listed_product(seller)
    owner = factories.owner_of(seller)
    empty = uploads.open_release(listing, label="2027-01", by=owner)
    assert tasks(seller) == []
    uploads.put_file(empty, path="a.csv", stream=io.BytesIO(b"a\n1\n"), by=owner)
    assert tasks(seller) == [("Seal the release", "Departures of New York · 2027-01")]
    uploads.seal_release(empty, by=owner)
    fail_to_measure(listing)
    assert tasks(seller) == [("See why a release could not be measured", "Departures of New York · 2026-12")]
    opened(listing, "2027-02")
    assert tasks(seller) == [("Seal the release", "Departures of New York · 2027-02")]


def test_a_product_nobody_can_order_asks_for_an_offer_until_it_is_withdrawn(seller):
    listing = factories.make_listed_product(seller)
    owner = factories.owner_of(seller)
    assert tasks(seller) == []
    offers.close_offer(listing.offers.get(), by=owner)
    assert tasks(seller) == [("Make an offer", "Departures of New York")]
    publishing.withdraw(listing, reason="No longer kept up.", by=owner)
    assert tasks(seller) == []


def test_papers_about_to_expire_say_until_when(seller):
    soon = clock.today() + dt.timedelta(days=3)
    shown(seller, expires_on=soon)
    shown(seller, kind="address", expires_on=clock.today() + dt.timedelta(days=900))
    assert [(task.text, task.until) for task in studio_todo.of(seller, Role.OWNER)] == [("Show a newer paper", soon)]
    assert Proof.objects.count() == 2


def test_each_role_is_told_what_it_may_do_and_another_seller_nothing(seller):
    factories.make_draft(seller)
    other = factories.make_listed_product(seller)
    offers.close_offer(other.offers.get(), by=factories.owner_of(seller))
    words = {role: [text for text, _about in tasks(seller, role)] for role in (Role.DATA_STEWARD, Role.VIEWER)}
    assert words == {Role.DATA_STEWARD: ["Hand the draft in"], Role.VIEWER: []}
    assert [text for text, _about in tasks(seller, Role.TRADER)] == ["Make an offer"]
    assert tasks(factories.make_verified()) == []


def test_the_age_is_told_in_days(seller):
    factories.make_draft(seller)
    assert [task.age for task in studio_todo.of(seller, Role.OWNER)] == ["since today"]
    with clock.moved_to(clock.now() + dt.timedelta(days=2, hours=1)):
        assert [task.age for task in studio_todo.of(seller, Role.OWNER)] == ["for 2 days"]


def test_of_each_kind_the_oldest_few_are_shown_and_the_statements_do_not_grow(seller):
    browser = signed_in(factories.owner_of(seller))

    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            browser.get("/studio/")
        return len(asked)

    def add() -> None:
        factories.make_draft(seller, sector="")
        opened(factories.make_draft(seller).listing, "2027-01")

    add()
    few = statements()
    assert "that wait longest" not in text_of(browser.get("/studio/"))
    for _time in range(3):
        add()
    assert statements() == few <= 25
    drafts = [task for task in studio_todo.of(seller, Role.OWNER) if "draft" in task.text]
    assert len(drafts) == studio_todo.SHOWN
    assert "Of each kind the 5 that wait longest are shown." in text_of(browser.get("/studio/"))
