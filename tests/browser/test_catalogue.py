"""The catalogue answers while one types; without a script the form does the same."""

from __future__ import annotations

import re

import pytest

from tests.factories import make_listed_product, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shelf():
    make_listed_product(titles={"en": "Hourly weather"}, summaries={"en": "Ten stations."}, sector="weather")
    make_listed_product(titles={"en": "Ports"}, summaries={"en": "Calls and weather."})


def titles(page) -> list[str]:
    return page.locator(".product h3").all_inner_texts()


@pytest.mark.parametrize("width", [390, 1280])
def test_results_follow_what_is_typed_and_the_address_says_it(shelf, page_of, width):
    from playwright.sync_api import expect

    page = page_of(make_user(), width=width)
    page.goto("/catalogue/")
    assert len(titles(page)) == 2
    box = page.get_by_role("searchbox")
    box.press_sequentially("hourly wea", delay=20)
    expect(page.locator(".product")).to_have_count(1)
    expect(page.locator(".product mark").first).to_have_text(re.compile("hourly", re.IGNORECASE))
    expect(page).to_have_url(re.compile(r"/catalogue/\?q=hourly\+wea$"))
    expect(page.get_by_role("status").last).to_have_text("1 result")
    expect(box).to_be_focused()
    box.fill("weather")
    expect(page.locator(".product")).to_have_count(2)
    if width < 960:
        page.locator("#filters > summary").click()
    page.get_by_label("Weather and environment").check()
    expect(page.locator(".product")).to_have_count(1)
    expect(page.get_by_label("Weather and environment")).to_be_focused()
    expect(page).to_have_url(re.compile(r"\?q=weather&sector=weather$"))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("link", name=re.compile("Remove: Sector")).click()
    expect(page.locator(".product")).to_have_count(2)
    page.go_back()
    expect(page.locator(".product")).to_have_count(1)
    page.reload()
    assert titles(page) == ["Hourly weather"]
    expect(page.get_by_role("searchbox")).to_have_value("weather")


def test_without_a_script_the_form_does_the_same(shelf, browser, live_server):
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/catalogue/")
    page.get_by_role("searchbox").fill("weather")
    page.get_by_label("Weather and environment").check()
    page.get_by_role("button", name="Apply the filters").click()
    assert page.url.endswith("?q=weather&sector=weather&sort=best")
    assert titles(page) == ["Hourly weather"]
    page.get_by_role("link", name=re.compile("Remove all")).click()
    assert sorted(titles(page)) == ["Hourly weather", "Ports"]
    context.close()
