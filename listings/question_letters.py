"""Letters about questions: to the seller when one is asked, to whoever asked with each answer, to both when hidden."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from listings.models import Answer, Question
from marketplace import letters, roles
from marketplace.models import User


def tell_seller(question: Question) -> None:
    """Everybody of the seller who may answer reads the question; who asked stays with the exchange."""
    letters.write_to_each(
        _of_seller(question),
        lambda: _("A question about “%s”") % _title(question),
        "listings/question_letter.txt",
        _about(question),
    )


def tell_asker(answer: Answer) -> None:
    """Who asked reads the answer."""
    question = answer.question
    letters.write_to_each(
        [question.by],
        lambda: _("The seller of “%s” answered your question") % _title(question),
        "listings/answer_letter.txt",
        _about(question) | {"answer": answer},
    )


def tell_of_hiding(question: Question) -> None:
    """Both sides read that it is hidden, and why."""
    letters.write_to_each(
        [question.by, *_of_seller(question)],
        lambda: _("A question about “%s” is hidden") % _title(question),
        "listings/question_hidden_letter.txt",
        _about(question),
    )


def _title(question: Question) -> str:
    """In the language it is asked in."""
    version = question.listing.current_version
    return version.title if version else str(question.listing)


def _of_seller(question: Question) -> list[User]:
    return list(letters.members(question.listing.seller_id, roles.MEMBER_ACTS["edit_listing"]))


def _about(question: Question) -> dict[str, object]:
    path = reverse("product_questions", args=[question.listing.public_id])
    return {
        "question": question,
        "version": question.listing.current_version,
        "url": f"{settings.BASE_URL}{path}#question-{question.pk}",
    }
