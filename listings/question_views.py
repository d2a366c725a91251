"""The page of a product's questions, and the forms that ask and answer."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from listings import question_page, questions
from listings.models import Listing, Question
from marketplace import posted
from marketplace.desk_pages import parsed
from marketplace.models import Organisation
from marketplace.participants import acting_or_none, acting_organisation
from marketplace.signed_in import person


def _listing(public_id: str, reader: Organisation | None) -> Listing:
    found = Listing.objects.visible_to(reader).filter(public_id=public_id, current_version__isnull=False)
    listing = found.select_related("seller", "current_version").first()
    if listing is None:
        raise Http404
    return listing


@require_safe
def questions_list(request: HttpRequest, public_id: str) -> HttpResponse:
    """Everything that was asked and answered about a product; its two sides also see what waits."""
    reader = acting_or_none(request)
    listing = _listing(public_id, reader)
    page = question_page.page_of(listing, reader, request.GET.get("page", "1"))
    context = {"listing": listing, "version": listing.current_version, "page": page}
    return render(request, "listings/questions.html", context | question_page.of_page(page, listing, request))


@login_required
@require_POST
def new_question(request: HttpRequest, public_id: str) -> HttpResponse:
    """Ask the seller."""
    organisation = acting_organisation(request)
    listing = _listing(public_id, organisation)
    text = parsed(question_page.QuestionForm(request.POST))["text"]
    asked = posted.posted_once(
        request, organisation, lambda: questions.ask(listing, asked_for=organisation, text=text, by=person(request)).pk
    )
    messages.success(request, _("The seller has your question. Everybody reads it here once it is answered."))
    return redirect(f"{reverse('product_questions', args=[public_id])}#question-{asked}")


@login_required
@require_POST
def new_answer(request: HttpRequest, public_id: str, question_id: int) -> HttpResponse:
    """Answer, or add to an answer."""
    seller = acting_organisation(request)
    own = Question.objects.filter(listing__seller=seller, listing__public_id=public_id)
    question = get_object_or_404(own, pk=question_id)
    text = parsed(question_page.AnswerForm(request.POST))["text"]
    posted.posted_once(request, seller, lambda: questions.answer(question, text=text, by=person(request)).pk)
    messages.success(request, _("Your answer stands below the question."))
    return redirect(f"{reverse('product_questions', args=[public_id])}#question-{question_id}")
