"""A manual is saved while one types, says what is left, and shows the buyer's page beside it."""

from __future__ import annotations

import re

import pytest

from listings import publishing
from listings.models import Version
from tests.browser.conftest import signed_in
from tests.factories import make_draft, make_verified, owner_of

pytestmark = pytest.mark.django_db(transaction=True)


def editor(page, version):
    page.goto(f"/studio/{version.listing.public_id}/versions/1/")
    return page


@pytest.mark.parametrize("width", [390, 1280])
def test_what_is_typed_is_saved_and_what_is_left_follows(page_of, width):
    from playwright.sync_api import expect

    version = make_draft(make_verified(), sector="", support_contact="")
    page = editor(page_of(owner_of(version.listing.seller), width=width), version)
    expect(page.locator("#left")).to_contain_text("2 things left before you can hand it in")
    page.locator("#problems a", has_text="Choose the sector").click()
    expect(page.get_by_label("Sector")).to_be_in_viewport()
    page.get_by_label("Sector").select_option("transport")
    expect(page.locator("[data-said]")).to_have_text(re.compile("Saved at"))
    expect(page.locator("#left")).to_contain_text("1 thing left before you can hand it in")
    page.get_by_label("Support contact").press_sequentially("desk@example.com")  # no leaving of the field
    expect(page.locator("#left")).to_contain_text("Ready to hand in")
    assert Version.objects.get().support_contact == "desk@example.com"
    assert page.evaluate("document.documentElement.scrollWidth") <= width

    if width < 1152:
        page.locator("[data-preview] > summary").click()
    shown = page.frame_locator("[data-preview] iframe")
    expect(shown.get_by_role("heading", level=1)).to_have_text("Departures of New York")
    page.get_by_label("Title · English").fill("Arrivals of Boston")
    expect(shown.get_by_role("heading", level=1)).to_have_text("Arrivals of Boston")
    page.get_by_role("button", name="Hand it in for review").click()
    page.wait_for_url(re.compile(rf"/studio/{version.listing.public_id}/$"))
    assert (Version.objects.get().state, Version.objects.get().titles["en"]) == ("submitted", "Arrivals of Boston")


def test_a_draft_changed_elsewhere_is_not_overwritten(browser, live_server):
    """In a context of its own: the browser's console reports every answer 409."""
    from playwright.sync_api import expect

    version = make_draft(make_verified())
    owner = owner_of(version.listing.seller)
    context = signed_in(browser, live_server.url, owner)
    page = editor(context.new_page(), version)
    publishing.edit(version, by=owner, support_contact="a colleague’s desk")
    page.get_by_label("Support contact").fill("my own desk")
    expect(page.locator("[data-said]")).to_contain_text("changed meanwhile")
    assert Version.objects.get().support_contact == "a colleague’s desk"
    expect(page.get_by_label("Support contact")).to_have_value("my own desk")
    page.get_by_role("button", name="Save the draft").click()
    page.get_by_text("The draft was saved.").wait_for()
    assert Version.objects.get().support_contact == "my own desk"
    context.close()


def test_the_button_pressed_at_once_is_no_conflict_with_the_saving_under_way(page_of):
    version = make_draft(make_verified())
    page = editor(page_of(owner_of(version.listing.seller)), version)
    for words in ("first desk", "second desk"):
        page.get_by_label("Support contact").fill(words)
        with page.expect_navigation():
            page.get_by_role("button", name="Save the draft").click()
        page.get_by_text("The draft was saved.").wait_for()
        assert Version.objects.get().support_contact == words
