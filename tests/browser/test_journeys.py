"""The main journeys of seller and buyer, in each language, on a phone, at a desk, and by the keyboard alone.

Nothing is found by its words: the same journey is walked whatever the language. The reviewer's is in test_review_desk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from compliance import reviews
from compliance.models import Review
from listings import profiling, registration
from listings.models import Listing, Offer, Version
from listings.states import VersionState
from marketplace import journal
from marketplace.models import Paper
from settlement import tasks
from settlement.models import Trade
from tests import factories, trading
from tests.browser.conftest import file_of
from tests.listings.test_pages import OFFER, manual_form

pytestmark = pytest.mark.django_db(transaction=True)

MOST_TABS = 400
TITLES = {"en": "Arrivals at Yangshan", "zh-hans": "洋山港船舶到港数据", "zh-hant": "洋山港船舶到港數據"}
WAYS = pytest.mark.parametrize(
    ("language", "width", "by_keyboard"),
    [("en", 1280, True), ("zh-Hans", 390, False), ("zh-Hant", 1280, False)],
    ids=["en keyboard", "zh-Hans phone", "zh-Hant desk"],
)


class Hand:
    """Somebody at a page, with a pointer or with nothing but a keyboard."""

    def __init__(self, page: Any, *, by_keyboard: bool) -> None:
        self.page, self.by_keyboard = page, by_keyboard

    def goes(self, path: str) -> None:
        from playwright.sync_api import Error

        try:
            self.page.goto(path)
        except Error as error:
            if "ERR_ABORTED" not in str(error):
                raise
            self.page.goto(path)  # a page that waits for work loads itself anew, and did so in this very moment
        self.fits()

    def fits(self) -> None:
        """No page is wider than its window."""
        over = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, f"{self.page.url} is {over} px too wide"

    def reach(self, target: Any) -> None:
        """Go there from field to field, as one does without a pointer."""
        wanted = target.element_handle()
        for _step in range(MOST_TABS):
            if self.page.evaluate("wanted => wanted === document.activeElement", wanted):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no way by the keyboard to {target}")

    def press(self, target: Any, *, leads_to: str = "") -> None:
        """A link or button; `leads_to` is what the next page's address looks like."""
        if leads_to:
            with self.page.expect_navigation(url=re.compile(leads_to)):
                self.press(target)
            self.fits()
        elif self.by_keyboard:
            self.reach(target)
            self.page.keyboard.press("Enter")
        else:
            target.click()

    def writes(self, target: Any, text: str) -> None:
        if self.by_keyboard:
            self.reach(target)
            if target.evaluate("field => field.type") == "date":
                year, month, day = text.split("-")
                self.page.keyboard.type(month + day + year)  # as a browser in English asks for it
            else:
                self.page.keyboard.press("Control+A")
                self.page.keyboard.insert_text(text)
        else:
            target.fill(text)

    def ticks(self, target: Any) -> None:
        if target.is_checked():
            return
        if self.by_keyboard:
            self.reach(target)
            self.page.keyboard.press("Space")
        else:
            target.check()
        assert target.is_checked()

    def chooses(self, target: Any, value: str) -> None:
        if not self.by_keyboard:
            target.select_option(value)
            return
        self.reach(target)
        self.page.keyboard.press("Home")
        for _step in range(target.locator("option").count()):
            if target.input_value() == value:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{value} cannot be chosen by the keyboard")

    def fills(self, form: Any, said: dict[str, Any]) -> None:
        """Every field by its name, in the order of the page, as a keyboard comes by them."""
        names = form.locator("input, select, textarea").evaluate_all("all => all.map(one => one.name)")
        for name in [one for one in dict.fromkeys(names) if one in said]:
            for value in said[name] if isinstance(said[name], list) else [said[name]]:
                fields = form.locator(f"[name={name}]")
                kind = fields.first.evaluate("one => one.type")
                if kind in ("checkbox", "radio"):
                    self.ticks(fields.first if value == "on" else form.locator(f"[name={name}][value={value}]"))
                elif kind.startswith("select"):
                    self.chooses(fields, str(value))
                else:
                    self.writes(fields, str(value))

    def acts(self, address: str, *, leads_to: str) -> None:
        """One of the page's acts, whether it asks once more or not."""
        form = self.page.locator(f"form[action$='{address}']")
        if not form.locator("button").last.is_visible():
            self.press(form.locator("xpath=ancestor::details").locator("summary").first)
        self.press(form.locator("button").last, leads_to=leads_to)


@pytest.fixture
def hand_of(page_of: Callable[..., Any], live_server: Any, settings: Any) -> Iterator[Callable[..., Hand]]:
    settings.BASE_URL = live_server.url

    def open_page(person: Any, language: str, width: int, *, by_keyboard: bool) -> Hand:
        return Hand(page_of(person, width=width, language=language), by_keyboard=by_keyboard)

    return open_page


def in_words_of(language: str) -> str:
    return TITLES[language.lower()]


@WAYS
def test_a_buyer_finds_pays_fetches_accepts_and_shows_the_certificate(hand_of, language, width, by_keyboard):
    listing = trading.make_listed(trading.make_verified("Yangshan Terminal Data"), titles=TITLES)
    trading.make_offer(listing)
    buyer = trading.make_verified("Peak Freight").created_by
    hand = hand_of(buyer, language, width, by_keyboard=by_keyboard)
    page = hand.page
    hand.goes("/")
    hand.writes(page.locator("main [name=q]"), in_words_of(language)[:8])
    hand.press(page.locator("main form[role=search] button").first, leads_to=r"/catalogue/\?")
    hand.press(page.locator(".product h3 a").first, leads_to=r"/products/\w+/$")
    assert page.locator("h1").inner_text() == in_words_of(language)
    hand.press(page.locator("a[href*='/offers/'][href$='/buy/']").first, leads_to=r"/offers/\w+/buy/$")
    order = page.locator("main form:has([name=purpose])")
    hand.fills(order, {"purpose": "Berth planning", "purchase_order": "PO-7", "accept": "on"})
    hand.press(order.locator("button.button-primary"), leads_to=r"/trades/\w+/")
    trade = Trade.objects.get()
    trading.work()
    hand.goes(f"/trades/{trade.public_id}/")
    hand.press(page.locator("main a[href*='/sandbox/']").first, leads_to="/sandbox/")
    hand.press(page.locator("form:has([value=pay]) button, button[value=pay]").first, leads_to="/sandbox/")
    trading.work()
    hand.goes(f"/trades/{trade.public_id}/")
    with page.expect_download() as download:
        hand.press(page.locator("a[download]").first)
    assert download.value.path().read_bytes() == factories.FLIGHTS_CSV
    hand.acts("/accept/", leads_to="/trades/")
    trading.clear_now()
    trading.work()
    journal.seal()
    journal.follow()
    tasks.issue_certificates()
    hand.goes(f"/trades/{trade.public_id}/")
    trade.refresh_from_db()
    assert trade.state == "settled"
    number = Paper.objects.get(kind=Paper.Kind.TRADE_CERTIFICATE).number
    hand.press(page.locator(f"main a[href*='{number}']").first, leads_to=f"/papers/{number}/")


@WAYS
def test_a_seller_lists_a_product_and_offers_it(hand_of, tmp_path, language, width, by_keyboard):
    seller = trading.make_verified("Yangshan Terminal Data").created_by
    hand = hand_of(seller, language, width, by_keyboard=by_keyboard)
    page = hand.page
    hand.goes("/studio/")
    begun = page.locator("main form:has([name=product_type])")
    hand.fills(begun, {"product_type": "dataset"})
    hand.press(begun.locator("button").last, leads_to=r"/studio/\w+/$")
    listing = Listing.objects.get()
    opened = page.locator("main form[action$='/releases/']")
    hand.writes(opened.locator("[name=label]"), "2026-11")
    hand.press(opened.locator("button").last, leads_to=r"/releases/\d+/$")
    page.locator("input[type=file]").first.set_input_files(file_of(tmp_path, "flights.csv", factories.FLIGHTS_CSV))
    hand.press(page.locator("button[data-send]"))
    page.locator("#files tbody tr").wait_for()
    hand.acts("/seal/", leads_to="/releases/")
    profiling.profile_next()
    hand.goes(f"/studio/{listing.public_id}/")
    hand.press(page.locator("main a[href*='/versions/1/']").first, leads_to="/versions/1/")
    version = Version.objects.get()
    hand.fills(page.locator("form[data-draft]"), manual_form(version, **{f"title_{a}": b for a, b in TITLES.items()}))
    hand.press(page.locator(".editor-acts button"), leads_to="/versions/1/")
    assert page.locator("#problems li").all_inner_texts() == []
    hand.acts("/submission/", leads_to=rf"/studio/{listing.public_id}/$")
    version.refresh_from_db()
    assert version.state == VersionState.SUBMITTED
    for officer in (factories.make_staff("review"), factories.make_staff("review")):
        review = Review.objects.get()
        if review.assignee is None:
            reviews.take(review, by=officer)
        factories.approve(review, by=officer)
    registration.register_due()
    hand.goes(f"/studio/{listing.public_id}/")
    hand.press(page.locator("a[href$='/offers/new/']").first, leads_to="/offers/new/")
    form = page.locator("main form:has([name=price])")
    hand.fills(form, OFFER)
    hand.press(form.locator("button").last, leads_to=rf"/studio/{listing.public_id}/$")
    assert Offer.objects.get().price_minor == 125_050
    hand.press(page.locator(f"main a[href='/products/{listing.public_id}/']").first, leads_to="/products/")
    assert page.locator("h1").inner_text() == in_words_of(language)
