"""Everybody of the seller who may edit a manual is told of its review: a question, and how it was decided."""

from __future__ import annotations

from django.urls import reverse

from compliance.models import Review, ReviewQuestion
from listings.models import Version
from marketplace import notifications


def tell_of_question(question: ReviewQuestion) -> None:
    """A question waits for its answer."""
    _tell("review.question_asked", question.review.version, question.question, f"#question-{question.pk}")


def tell_of_decision(review: Review) -> None:
    """Two approved it, or it was sent back, with the reason in words."""
    _tell(f"review.{review.state}", review.version, review.reason)


def _tell(kind: str, version: Version, quote: str, anchor: str = "") -> None:
    notifications.tell(
        kind,
        organisation=version.listing.seller_id,
        path=reverse("studio_version", args=[version.listing.public_id, version.number]) + anchor,
        facts={"title": version.titles, "number": version.number, "quote": quote},
    )
