"""Questions and answers as the product's page, the page of all of them, and the API take them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.paginator import Page
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from listings import catalogue, questions
from listings.models import Listing, Question
from listings.states import ListingState
from marketplace import posted, roles
from marketplace.desk_pages import act_button
from marketplace.models import Organisation
from marketplace.participants import acting_or_none

SHOWN_WITH_PRODUCT = 4


class QuestionForm(forms.Form):
    """What somebody asks the seller."""

    text = forms.CharField(
        label=gettext_lazy("Your question"),
        max_length=questions.LONGEST_QUESTION,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy(
            "Everybody reads it here once the seller answers, without your name. Write no personal data."
        ),
    )


class AnswerForm(forms.Form):
    """What the seller says to it."""

    text = forms.CharField(
        label=gettext_lazy("Your answer"),
        max_length=questions.LONGEST_ANSWER,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Everybody reads it. It is never changed; you may add a further answer."),
    )


class HidingForm(forms.Form):
    """Why a question is hidden."""

    reason = forms.CharField(
        label=gettext_lazy("Reason, in words both sides read"),
        max_length=questions.LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def visible(listing: Listing, reader: Organisation | None) -> QuerySet[Question]:
    """What this reader may see, what waits first, then the newest answered; with its answers."""
    rows = Question.objects.visible_to(reader).filter(listing=listing).prefetch_related("answers")
    return rows.order_by(F("answered_at").desc(nulls_first=True), "-pk")


def beside_product(listing: Listing, request: HttpRequest) -> dict[str, Any]:
    """The newest of them for the product's own page, and the form to ask."""
    reader = acting_or_none(request)
    found = list(visible(listing, reader)[: SHOWN_WITH_PRODUCT + 1])
    shown = found[:SHOWN_WITH_PRODUCT]
    return {"questions": rows(shown, listing, request), "has_more": len(found) > len(shown)} | asking(listing, reader)


def of_page(page: Page, listing: Listing, request: HttpRequest) -> dict[str, Any]:
    """One page of all of them."""
    return {"questions": rows(page, listing, request)} | asking(listing, acting_or_none(request))


def asking(listing: Listing, reader: Organisation | None) -> dict[str, Any]:
    """The form to ask, for whoever acts for an organisation other than the seller while the product is on sale."""
    may_ask = reader is not None and reader.pk != listing.seller_id and listing.state == ListingState.LISTED
    return {"question_form": QuestionForm() if may_ask else None, "question_key": posted.new_key()}


def rows(found: Iterable[Question], listing: Listing, request: HttpRequest) -> list[dict[str, Any]]:
    """Each question with what this reader may do about it."""
    reader = acting_or_none(request)
    is_seller = reader is not None and reader.pk == listing.seller_id
    by = request.user if request.user.is_authenticated else None
    may_answer = is_seller and roles.may(by, listing.seller, "edit_listing")
    may_hide = roles.staff_may(by, "hide_question")
    return [
        {
            "question": question,
            "is_own": reader is not None and question.asked_for_id == reader.pk,
            "acts": [
                *(_answering(question, listing) if may_answer else []),
                *(hiding(question) if may_hide else []),
            ],
        }
        for question in found
    ]


def _answering(question: Question, listing: Listing) -> list[dict[str, Any]]:
    if question.hidden_at is not None or len(question.answers.all()) >= questions.MOST_ANSWERS:
        return []
    label = _("Add to the answer") if question.answered_at else _("Answer")
    form = AnswerForm(auto_id=f"answer_{question.pk}_%s")
    url = reverse("product_answer", args=[listing.public_id, question.pk])
    return [act_button("answer", label, url, form=form, tone="" if question.answered_at else "primary")]


def hiding(question: Question) -> list[dict[str, Any]]:
    """The button that hides it, for whose role may; nothing once it is hidden."""
    if question.hidden_at is not None:
        return []
    form = HidingForm(auto_id=f"hide_{question.pk}_%s")
    confirm = _("Only its two sides see it from then on, and your reason.")
    url = reverse("desk_question_hiding", args=[question.pk])
    return [act_button("hide", _("Hide"), url, form=form, tone="danger", confirm=confirm)]


def page_of(listing: Listing, reader: Organisation | None, number: str) -> Page:
    """One page of what this reader may see."""
    return catalogue.page_of(visible(listing, reader), number)
