"""The desk of questions: what buyers asked and nobody answered, what was answered, what was hidden; hiding one."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from listings import question_page, questions
from listings.models import ListingReport, Question
from listings.states import ReportState
from marketplace import roles
from marketplace.desk_pages import ROWS_ON_A_PAGE, acted, desk, parsed, render_desk
from marketplace.signed_in import person

SHOWS: dict[str, tuple[Any, Q, list[str]]] = {
    "unanswered": (gettext_lazy("Unanswered"), Q(answered_at=None, hidden_at=None), ["asked_at", "pk"]),
    "reported": (gettext_lazy("Of reported products"), Q(is_reported=True, hidden_at=None), ["-pk"]),
    "answered": (gettext_lazy("Answered"), Q(answered_at__isnull=False, hidden_at=None), ["-answered_at", "-pk"]),
    "hidden": (gettext_lazy("Hidden"), Q(hidden_at__isnull=False), ["-hidden_at", "-pk"]),
}
LONG_COLUMNS = [f"listing__current_version__{name}" for name in ("fields", "use_scenarios", "forbidden_uses", "rights")]


@desk("questions")
@require_safe
def questions_list(request: HttpRequest) -> HttpResponse:
    """The questions, those nobody answered first and of them the oldest; and what this person may do with each."""
    asked = request.GET.get("show", "")
    show = asked if asked in SHOWS else "unanswered"
    open_reports = ListingReport.objects.filter(listing=OuterRef("listing"), state=ReportState.OPEN)
    rows = Question.objects.annotate(is_reported=Exists(open_reports))
    _label, where, order = SHOWS[show]
    shown = rows.filter(where).select_related("listing__seller", "listing__current_version", "asked_for", "by")
    shown = shown.defer(*LONG_COLUMNS).prefetch_related("answers").order_by(*order)
    page = Paginator(shown, ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    may_hide = roles.staff_may(person(request), "hide_question")
    context = {
        "show": show,
        "tabs": [
            {"show": name, "label": label, "count": rows.filter(where).count()}
            for name, (label, where, _order) in SHOWS.items()
        ],
        "page": page,
        "rows": [
            {"question": question, "acts": question_page.hiding(question) if may_hide else []} for question in page
        ],
        "may_hide": may_hide,
    }
    return render_desk(request, "questions", "admin/desks/questions.html", context)


@desk("questions")
@require_POST
def question_hiding(request: HttpRequest, question_id: int) -> HttpResponse:
    """Hide a question and its answers."""
    question = get_object_or_404(Question.objects.select_related("listing"), pk=question_id)
    reason = parsed(question_page.HidingForm(request.POST))["reason"]
    return acted(
        request,
        lambda: questions.hide(question, reason=reason, by=person(request)),
        done=_("The question is hidden."),
        back=f"{reverse('desk_questions')}?show=hidden",
    )
