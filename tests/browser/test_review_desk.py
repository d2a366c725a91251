"""A clean case at the review desk: under ten clicks for each of the two reviewers, or none at all."""

from __future__ import annotations

import re

import pytest

from compliance import review_questions, reviews
from compliance.models import Review
from tests.factories import make_draft, make_staff, make_verified, owner_of

pytestmark = pytest.mark.django_db(transaction=True)

MOST_CLICKS = 9
TITLE = "Departures of New York"


class Hand:
    """A person at a mouse: every click is counted."""

    def __init__(self, page) -> None:
        self.page, self.clicks = page, 0

    def click(self, target) -> None:
        target.click()
        self.clicks += 1

    def answer_all_yes(self) -> None:
        self.page.locator("[data-item]").first.wait_for()  # all() would take a page not yet there for an empty list,
        self.page.wait_for_load_state("domcontentloaded")  # and half of one for the whole
        for item in self.page.locator("[data-item]").all():
            self.click(item.get_by_label("Yes"))


def submitted() -> Review:
    version = make_draft(make_verified())
    return reviews.submit(version, by=owner_of(version.listing.seller))


def state_of(review: Review) -> str:
    return Review.objects.get(pk=review.pk).state


def test_each_reviewer_approves_a_clean_case_in_under_ten_clicks(page_of):
    review = submitted()
    first = Hand(page_of(make_staff("review")))
    first.page.goto("/admin/desks/reviews/")
    first.click(first.page.get_by_role("button", name="Take it"))  # in its row: taking leads to its screen
    first.answer_all_yes()
    first.click(first.page.get_by_role("button", name="Approve", exact=True))
    first.page.get_by_text("Approved by one, waiting for the second").first.wait_for()
    assert (state_of(review), first.clicks) == ("seconded", 7)

    second = Hand(page_of(make_staff("review")))
    second.page.goto("/admin/desks/reviews/")
    second.click(second.page.get_by_role("link", name=TITLE))
    second.answer_all_yes()
    second.click(second.page.get_by_role("button", name="Approve as the second person"))
    second.page.get_by_text("Approved", exact=True).first.wait_for()
    assert (state_of(review), second.clicks) == ("approved", 7)
    assert max(first.clicks, second.clicks) <= MOST_CLICKS


@pytest.mark.parametrize(("language", "width"), [("en", 390), ("zh-Hans", 1280), ("zh-Hant", 390)])
def test_the_keyboard_alone_takes_and_approves(page_of, language, width):
    review = submitted()
    page = page_of(make_staff("review"), language=language, width=width)
    page.goto("/admin/desks/reviews/")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/reviews/\d+/$"))
    with page.expect_navigation():
        page.keyboard.press("t")
    page.keyboard.press("q")  # opens the question's box: what is typed there is text
    page.keyboard.type("a tax record?")
    assert page.locator("#ask textarea, #ask select").first.is_visible()
    assert state_of(review) == "taken"
    page.keyboard.press("Tab")
    page.locator("#decision [data-item] input").first.focus()
    for _item in range(page.locator("[data-item]").count()):
        page.keyboard.press("y")
    with page.expect_navigation():
        page.keyboard.press("a")
    assert state_of(review) == "seconded"
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_shortcuts_are_listed_and_switched_off(page_of):
    review = submitted()
    page = page_of(make_staff("review"))
    page.goto(f"/admin/desks/reviews/{review.pk}/")
    page.keyboard.press("?")
    assert page.get_by_text("Back to the queue").is_visible()
    page.get_by_label("Shortcuts are on in this browser").uncheck()
    page.keyboard.press("t")
    page.keyboard.press("b")
    page.reload()
    page.keyboard.press("t")
    assert state_of(review) == "open"
    assert page.url.endswith(f"/reviews/{review.pk}/")


def test_a_sentence_is_inserted_and_edited_before_it_is_sent(page_of):
    review = submitted()
    officer = make_staff("review")
    reviews.take(review, by=officer)
    page = page_of(officer)
    page.goto(f"/admin/desks/reviews/{review.pk}/")
    page.keyboard.press("c")
    page.get_by_text("Sentences to begin with").first.click()
    page.locator("summary", has_text="The data differs from the manual").click()
    page.get_by_role("button", name="Insert English").locator("visible=true").click()
    box = page.locator("#decide_request_changes_reason")
    box.fill(box.input_value().replace("[…]", "2013", 1))
    page.locator("button[value=request_changes]").click()
    page.get_by_text("The seller was asked for changes.").wait_for()
    review.refresh_from_db()
    assert (review.state, review.reason_code) == ("changes_requested", "data_differs")
    assert review.reason.startswith("The data differs from the manual: the manual says 2013, the data shows […].")


@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant"])
def test_a_question_is_asked_and_answered_in_place_on_a_phone(page_of, language):
    review = submitted()
    officer, seller = make_staff("review"), owner_of(review.version.listing.seller)
    reviews.take(review, by=officer)
    question = review_questions.ask(review, field="coverage_from", question="Which months?", by=officer)
    page = page_of(seller, width=390, language=language)
    page.goto("/")
    page.locator(f"a[href$='#question-{question.pk}']").click()
    box = page.locator(f"#question-{question.pk} textarea")
    box.fill("All of them.")
    page.locator(f"#question-{question.pk} button").click()
    page.get_by_text("All of them.").wait_for()
    question.refresh_from_db()
    assert question.answer == "All of them."
    desk = page_of(officer, width=390, language=language)
    for path in ("/admin/desks/reviews/", f"/admin/desks/reviews/{review.pk}/"):
        desk.goto(path)
        too_wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not desk.evaluate(too_wide), path
    assert desk.get_by_text("All of them.").first.is_visible()
