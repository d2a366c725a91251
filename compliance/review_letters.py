"""Letters about a review, to everybody of the seller who may edit the manual: a question, and how it was decided."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from compliance.models import Review, ReviewQuestion
from compliance.states import ReviewState
from listings.models import Version
from marketplace import letters, roles

SUBJECTS: dict[str, Promise] = {
    ReviewState.APPROVED: gettext_lazy("“%s” was approved"),
    ReviewState.CHANGES_REQUESTED: gettext_lazy("The reviewers ask for changes of “%s”"),
    ReviewState.REFUSED: gettext_lazy("“%s” was refused"),
}


def tell_of_question(question: ReviewQuestion) -> None:
    """A question waits for its answer."""
    version = question.review.version
    _tell(
        version,
        gettext_lazy("The reviewers ask about “%s”"),
        "compliance/question_letter.txt",
        {"question": question, "url": f"{_address(version)}#question-{question.pk}"},
    )


def tell_of_decision(review: Review) -> None:
    """Two approved it, or it was sent back, with the reason in words."""
    context = {
        "review": review,
        "is_approved": review.state == ReviewState.APPROVED,
        "is_refused": review.state == ReviewState.REFUSED,
        "url": _address(review.version),
    }
    _tell(review.version, SUBJECTS[review.state], "compliance/decision_letter.txt", context)


def _address(version: Version) -> str:
    return settings.BASE_URL + reverse("studio_version", args=[version.listing.public_id, version.number])


def _tell(version: Version, subject: Promise, template: str, context: dict[str, Any]) -> None:
    people = letters.members(version.listing.seller_id, roles.MEMBER_ACTS["edit_listing"])
    letters.write_to_each(people, lambda: str(subject) % version.title, template, context | {"version": version})
