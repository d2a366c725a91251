"""The manual's editor: what is left is what submitting refuses; saved while one types; a preview nobody else sees."""

from __future__ import annotations

import html
import re

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from compliance import manual_left, reviews
from compliance.models import Review
from listings import publishing
from listings.models import Version
from listings.states import VersionState
from marketplace.errors import Refused
from marketplace.roles import Role
from tests import factories
from tests.listings.test_pages import manual_form, signed_in, text_of

pytestmark = pytest.mark.django_db


def page_of(version: Version) -> str:
    return f"/studio/{version.listing.public_id}/versions/{version.number}/"


def kept(version: Version) -> dict[str, object]:
    return Version.objects.filter(pk=version.pk).values().get()


def as_script(browser, version: Version, sent: dict[str, object]):
    return browser.post(page_of(version), sent, headers={"Accept": "application/json"})


def refused_for(version: Version) -> list[str]:
    """The codes with which submitting this version is refused; nothing is kept of trying."""
    try:
        with transaction.atomic():
            reviews.submit(version, by=factories.owner_of(version.listing.seller))
            transaction.set_rollback(True)
    except Refused as refusal:
        return [reason["code"] for reason in refusal.reasons] or [refusal.code]
    return []


CHANGES = {
    "whole": {},
    "no title": {"titles": {}},
    "a title in a language without its summary": {
        "titles": {"en": "Flights", "zh-hant": "航班"},
        "summaries": {"en": "Flights."},
    },
    "no sector and no contact": {"sector": "", "support_contact": ""},
    "no dictionary": {"fields": []},
    "no release": {"release": None},
    "no right to operate": {"rights": {right: {"held": False} for right in ("holding", "use", "operation")}},
    "core data": {"classification": "core"},
    "personal information graded too low": {
        "has_personal_data": True,
        "persons_count": 3,
        "coverage_population": "Pilots",
        "classification": "general_1",
    },
    "persons counted, none admitted": {"persons_count": 3},
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_list_is_empty_exactly_when_submitting_succeeds(name):
    version = factories.make_draft(factories.make_verified())
    version = publishing.edit(version, by=factories.owner_of(version.listing.seller), **CHANGES[name])
    left = [one.code for one in manual_left.of(version)]
    assert left == refused_for(version)
    assert (left == []) == (name == "whole")
    page = signed_in(factories.owner_of(version.listing.seller)).get(page_of(version)).content.decode()
    assert (">Ready to hand in<" in page) == (left == [])
    for code in left:
        assert f"<code>{code}</code>" in page


def test_a_seller_who_may_not_list_and_a_version_under_review_are_told_before_submitting():
    unverified = factories.make_draft(factories.make_organisation())
    assert [one.code for one in manual_left.of(unverified)] == refused_for(unverified) == ["organisation_not_verified"]
    first = factories.make_draft(factories.make_verified())
    owner = factories.owner_of(first.listing.seller)
    reviews.submit(first, by=owner)
    second = publishing.draft(first.listing, by=owner)
    assert [one.code for one in manual_left.of(second)] == refused_for(second) == ["already_in_review"]
    page = text_of(signed_in(owner).get(page_of(second)))
    assert "Another version of this product is under review." in page and "Ready to hand in" not in page
    assert "Hand it in for review" not in page


def test_each_thing_left_links_to_an_input_of_the_page_and_stands_in_its_section():
    lacking = {
        "titles": {"en": "Flights", "zh-hant": "航班"},
        "summaries": {"en": "Flights."},
        "rights": {},
        "sector": "",
        "fields": [],
    }
    version = factories.make_draft(factories.make_verified(), coverage_area={}, classification="", **lacking)
    page = signed_in(factories.owner_of(version.listing.seller)).get(page_of(version)).content.decode()
    links = re.findall(r'<li><a href="#([^"]+)">', page)
    ids = set(re.findall(r'id="([^"]+)"', page))
    assert links and set(links) <= ids
    assert {"id_summary_zh-hant", "id_holding_held", "id_sector", "id_fields", "id_classification"} <= set(links)
    assert re.findall(r"(\d) things? left here", page) == ["1", "2", "1", "3", "1"]


def test_a_script_saves_and_is_told_what_is_left_now():
    version = factories.make_draft(factories.make_verified(), sector="")
    browser = signed_in(factories.owner_of(version.listing.seller))
    seen = browser.get(page_of(version)).context["seen"]
    answer = as_script(browser, version, manual_form(version, seen=seen))
    told = answer.json()
    assert (answer.status_code, sorted(told)) == (200, ["parts", "said", "seen"])
    assert re.fullmatch(r"Saved at \d\d:\d\d:\d\d", told["said"])
    assert "Ready to hand in" in told["parts"]["left"] and "1 thing" not in told["parts"]["part-2-left"]
    assert kept(version)["sector"] == factories.manual()["sector"]
    assert told["seen"] == browser.get(page_of(version)).context["seen"] != seen

    lacking = as_script(browser, version, manual_form(version, seen=told["seen"], support_contact="")).json()
    assert "1 thing left before you can hand it in" in html.unescape(lacking["parts"]["left"])
    assert "support_contact_missing" in lacking["parts"]["left"]


def test_a_draft_changed_meanwhile_is_not_overwritten_and_what_was_typed_is_kept():
    version = factories.make_draft(factories.make_verified())
    owner = factories.owner_of(version.listing.seller)
    browser = signed_in(owner)
    seen = browser.get(page_of(version)).context["seen"]
    publishing.edit(version, by=owner, support_contact="a colleague’s desk")
    before = kept(version)
    mine = manual_form(version, seen=seen, support_contact="my own desk")

    answer = as_script(browser, version, mine)
    assert answer.status_code == 409 and "changed meanwhile" in answer.json()["said"]
    page = browser.post(page_of(version), mine)
    assert page.status_code == 409 and "changed meanwhile" in text_of(page)
    assert 'value="my own desk"' in page.content.decode()
    assert kept(version) == before

    again = browser.post(page_of(version), mine | {"seen": page.context["seen"]})
    assert (again.status_code, kept(version)["support_contact"]) == (302, "my own desk")


def test_the_same_form_sent_twice_is_no_conflict():
    version = factories.make_draft(factories.make_verified())
    browser = signed_in(factories.owner_of(version.listing.seller))
    form = manual_form(version, seen=browser.get(page_of(version)).context["seen"], support_contact="our desk")
    assert as_script(browser, version, form).status_code == 200
    assert browser.post(page_of(version), form).status_code == 302
    assert kept(version)["support_contact"] == "our desk"


def test_a_script_is_told_of_mistakes_and_nothing_is_saved():
    version = factories.make_draft(factories.make_verified())
    browser = signed_in(factories.owner_of(version.listing.seller))
    before = kept(version)
    answer = as_script(browser, version, manual_form(version, persons_count="-1"))
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["persons_count"])
    assert answer.json()["said"].startswith("Not saved: ")
    assert kept(version) == before


def test_what_was_handed_in_and_who_may_only_look_are_refused_in_json():
    version = factories.make_draft(factories.make_verified())
    viewer = signed_in(factories.make_member(version.listing.seller, Role.VIEWER))
    form = manual_form(version, support_contact="another")
    assert (as_script(viewer, version, form).status_code, as_script(viewer, version, form).json()["code"]) == (
        403,
        "role_needed",
    )
    owner = factories.owner_of(version.listing.seller)
    reviews.submit(version, by=owner)
    before = kept(version)
    answer = as_script(signed_in(owner), version, form)
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    assert (kept(version), before["state"]) == (before, VersionState.SUBMITTED)


def test_the_preview_is_the_buyers_page_of_the_draft_and_only_the_seller_sees_it():
    version = factories.make_draft(factories.make_verified(), titles={"en": "Flights, revised"})
    address = f"{page_of(version)}preview/"
    shown = signed_in(factories.owner_of(version.listing.seller)).get(address)
    page = text_of(shown)
    assert (shown.status_code, "Flights, revised" in page, "nothing here is on offer" in page) == (200, True, True)
    assert "carrier" in page and "Skip to the content" in page and "Sign out" not in page
    assert shown.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in shown.headers["Content-Security-Policy"]
    stranger = signed_in(factories.owner_of(factories.make_verified()))
    assert stranger.get(address).status_code == 404
    assert "frame-ancestors 'none'" in stranger.get("/catalogue/").headers["Content-Security-Policy"]


def test_an_empty_draft_has_a_preview_too():
    listing = publishing.create_listing(
        seller=(seller := factories.make_verified()), product_type="dataset", by=(owner := factories.owner_of(seller))
    )
    version = publishing.draft(listing, by=owner)
    assert signed_in(owner).get(f"{page_of(version)}preview/").status_code == 200


def test_the_editor_asks_the_same_number_of_questions_however_long_the_manual():
    counts = []
    for size in (1, 40):
        fields = [{"name": f"f{n}", "type": "text", "meaning": "", "unit": "", "is_key": False} for n in range(size)]
        version = factories.make_draft(factories.make_verified(), fields=fields)
        browser = signed_in(factories.owner_of(version.listing.seller))
        with CaptureQueriesContext(
            connection,
        ) as asked:
            browser.get(page_of(version))
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 25
    assert Review.objects.count() == 0
