"""Letters about decisions of a review; and the review of a product that its seller withdraws."""

from __future__ import annotations

import pytest

from compliance import followers, review_history, review_questions, reviews
from compliance.models import Review, ReviewDecision
from listings import publishing
from listings.models import Version
from marketplace import journal
from marketplace.errors import Invalid, WrongState
from marketplace.models import Event, Letter, User
from tests import factories
from tests.factories import make_draft, make_member, make_staff, make_verified, owner_of

pytestmark = pytest.mark.django_db


def submitted() -> Review:
    version = make_draft(make_verified())
    return reviews.submit(version, by=owner_of(version.listing.seller))


def taken() -> tuple[Review, User]:
    review, reviewer = submitted(), make_staff("review")
    return reviews.take(review, by=reviewer), reviewer


def letters_to(person: User) -> list[tuple[str, str]]:
    return list(Letter.objects.filter(to=person.email).order_by("pk").values_list("subject", "body"))


def test_the_seller_is_written_to_once_two_approved_and_not_before():
    review, reviewer = taken()
    owner = owner_of(review.version.listing.seller)
    factories.approve(review, by=reviewer)
    assert letters_to(owner) == []
    factories.approve(review, by=make_staff("review"))
    [(subject, body)] = letters_to(owner)
    assert subject == "“Departures of New York” was approved"
    assert "registers it" in body and f"/studio/{review.version.listing.public_id}/versions/1/" in body


@pytest.mark.parametrize(
    ("decide", "code", "english", "chinese"),
    [
        (
            reviews.request_changes,
            "manual_unclear",
            "The reviewers ask for changes of “Departures of New York”",
            "審核人要求修改「紐約航班離港數據」",
        ),
        (reviews.refuse, "misleading", "“Departures of New York” was refused", "「紐約航班離港數據」未獲通過"),
    ],
)
def test_what_is_sent_back_is_told_with_its_reason_to_those_who_may_edit_it(decide, code, english, chinese):
    review, reviewer = taken()
    seller = review.version.listing.seller
    trader, viewer = make_member(seller, "trader"), make_member(seller, "viewer")
    trader.language = "zh-hant"
    trader.save()
    decide(review, reason_code=code, reason="Say which months.", by=reviewer)
    [(subject, body)] = letters_to(owner_of(seller))
    assert subject == english and "Say which months." in body
    [(subject, body)] = letters_to(trader)
    assert subject == chinese and "Say which months." in body
    assert letters_to(viewer) == []


def test_a_refused_decision_writes_no_letter():
    review, reviewer = taken()
    with pytest.raises(Invalid):
        reviews.refuse(review, reason_code="no such code", reason="Because.", by=reviewer)
    assert not Letter.objects.exists()


# --- a product that is withdrawn -----------------------------------------------------------------------------------


def withdraw(review: Review, by: User) -> None:
    publishing.withdraw(review.version.listing, reason="We sell it no more.", by=by)
    journal.seal()
    journal.follow()


@pytest.mark.parametrize("state", ["open", "taken", "seconded"])
def test_the_review_of_a_product_its_seller_withdrew_leaves_the_queue_with_the_reason(state):
    review, reviewer = (submitted(), None) if state == "open" else taken()
    if state == "seconded":
        factories.approve(review, by=reviewer)
    question = review_questions.ask(review, field="sector", question="Why?", by=reviewer) if state == "taken" else None
    owner = owner_of(review.version.listing.seller)
    withdraw(review, owner)
    review.refresh_from_db()
    assert (review.state, review.reason_code) == ("withdrawn", "product_withdrawn")
    assert review.reason == "We sell it no more."
    assert Version.objects.get(pk=review.version_id).state == "withdrawn"
    decision = ReviewDecision.objects.get(review=review, act="take_back")
    assert (decision.by, decision.reason_code) == (owner, "product_withdrawn")
    assert journal.of(review).order_by("pk").last().kind == "review.taken_back"
    told = [
        entry for entry in review_history.thread(review.version.listing, with_notes=False) if entry.kind == "take_back"
    ]
    assert [(entry.code, entry.text) for entry in told] == [("The seller withdrew the product", "We sell it no more.")]
    if question:
        question.refresh_from_db()
        assert question.withdrawn_at is not None
    with pytest.raises(WrongState):
        reviews.take(review, by=make_staff("review"))


def test_following_twice_takes_nothing_back_twice():
    review = submitted()
    withdraw(review, owner_of(review.version.listing.seller))
    followers.follow(Event.objects.get(kind="listing.withdrawn"))
    assert ReviewDecision.objects.filter(review=review).count() == 1


def test_what_was_decided_before_stays_decided():
    review, reviewer = taken()
    reviews.refuse(review, reason_code="misleading", reason="It misleads.", by=reviewer)
    withdraw(review, owner_of(review.version.listing.seller))
    review.refresh_from_db()
    assert (review.state, review.reason_code) == ("refused", "misleading")


def test_the_review_of_a_product_the_staff_withdrew_stays_with_the_reviewers():
    review = submitted()
    withdraw(review, make_staff("review"))
    review.refresh_from_db()
    assert review.state == "open"
