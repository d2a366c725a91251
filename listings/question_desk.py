"""What the staff do with questions to sellers: hide one, for a reason."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from listings import questions
from listings.models import Question
from listings.question_page import HidingForm
from marketplace.desk_pages import acted, desk, parsed
from marketplace.signed_in import person


@desk("reviews")
@require_POST
def question_hiding(request: HttpRequest, question_id: int) -> HttpResponse:
    """Hide a question and its answers."""
    question = get_object_or_404(Question.objects.select_related("listing"), pk=question_id)
    reason = parsed(HidingForm(request.POST))["reason"]
    return acted(
        request,
        lambda: questions.hide(question, reason=reason, by=person(request)),
        done=_("The question is hidden."),
        back=reverse("product_questions", args=[question.listing.public_id]),
    )
