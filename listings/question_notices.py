"""Who is told of questions: the seller when one is asked, whoever asked of each answer, both when it is hidden."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from listings.models import Answer, Question
from marketplace import notifications


def tell_seller(question: Question) -> None:
    """Everybody of the seller who may answer reads the question; who asked stays with the exchange."""
    notifications.tell(
        "question.asked",
        organisation=question.listing.seller_id,
        path=_path(question),
        facts=_about(question) | {"quote": question.text},
        by=question.by,
    )


def tell_asker(answer: Answer) -> None:
    """Who asked reads the answer."""
    question = answer.question
    notifications.tell(
        "question.answered",
        people=[question.by],
        path=_path(question),
        facts=_about(question) | {"question": question.text, "quote": answer.text},
        by=answer.by,
    )


def tell_of_hiding(question: Question) -> None:
    """Both sides read that it is hidden, and why."""
    facts = _about(question) | {"quote": question.text, "reason": question.hidden_reason}
    notifications.tell("question.hidden", people=[question.by], path=_path(question), facts=facts)
    notifications.tell("question.hidden", organisation=question.listing.seller_id, path=_path(question), facts=facts)


def _about(question: Question) -> dict[str, Any]:
    version = question.listing.current_version
    return {"title": version.titles if version else str(question.listing)}


def _path(question: Question) -> str:
    return f"{reverse('product_questions', args=[question.listing.public_id])}#question-{question.pk}"
