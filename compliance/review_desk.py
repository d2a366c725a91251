"""The screen of one review: both versions side by side, what is known, and every act on it and its product."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from compliance import (
    hold_acts,
    manual_shown,
    reason_templates,
    review_history,
    review_questions,
    review_targets,
    reviews,
    risk,
)
from compliance.desk_forms import SentenceForm
from compliance.models import Hold, Review
from compliance.reasons import REASONS, SEND_BACK
from compliance.review_forms import DecisionForm, NoteForm, QuestionForm
from compliance.states import IN_HAND, ReviewState
from listings import differences, publishing
from listings.models import Listing, Version
from listings.product_page import measured
from listings.states import LISTING_MOVES
from marketplace import journal, posted, roles
from marketplace.desk_pages import act_button, acted, desk, parsed, posted_id, render_desk
from marketplace.errors import Invalid, Refused
from marketplace.models import User
from marketplace.signed_in import person

DONE = {
    "take": gettext_lazy("It is yours to review."),
    "approve": gettext_lazy("Approved."),
    "request_changes": gettext_lazy("The seller was asked for changes."),
    "refuse": gettext_lazy("The version is refused."),
}
SECONDED = gettext_lazy("Approved. A second person decides.")
PRODUCT_ACTS: dict[str, Any] = {
    "suspend": gettext_lazy("Suspend the product"),
    "resume": gettext_lazy("Put it back on sale"),
}
HTML_LANGUAGES = {"en": "en", "zh-hans": "zh-Hans", "zh-hant": "zh-Hant-HK"}


@desk("reviews")
@require_safe
def review(request: HttpRequest, review_id: int) -> HttpResponse:
    """One submission: the manual beside the version approved before, what was measured, the offers, and the acts."""
    found = _review(review_id)
    return _screen(request, found, DecisionForm(items=reviews.checklist_of(found), auto_id="decide_%s"))


def _screen(request: HttpRequest, found: Review, form: DecisionForm, *, refusal: Refused | None = None) -> HttpResponse:
    version, listing = found.version, found.version.listing
    before = manual_shown.approved_before(version)
    placed = hold_acts.holds_on(Hold.Subject.LISTING, listing.pk)
    url, by = reverse("desk_review_act", args=[found.pk]), person(request)
    possible = reviews.possible_acts(found, by)
    questions = list(found.questions.select_related("asked_by", "answered_by", "withdrawn_by"))
    fields, counts = manual_shown.dictionary(version, before)
    is_in_hand = found.state in IN_HAND and "request_changes" in possible
    asks_about = request.GET.get("ask", "")
    context = {
        "review": found,
        "version": version,
        "listing": listing,
        "before": before,
        "age": review_targets.age_of(found),
        "risk_level": risk.level(found.risk_points),
        "risk_reasons": risk.words(found.risk),
        "rows": (rows := manual_shown.side_by_side(version, before, questions)),
        "changed_rows": [row for row in rows if row.is_changed],
        "fields": fields,
        "field_counts": counts,
        "questions_of": {name: [one for one in questions if one.field == name] for name in ("fields", "offers")},
        "open_questions": [one for one in questions if one.is_open],
        "measured": measured(version.release),
        "differences": differences.shown(version.release, only_approved=True)
        if before and before.release_id != version.release_id
        else None,
        "personal": _personal(version),
        "offers": manual_shown.offers(version, before, get_language() or "en"),
        "form": form,
        "key": posted.new_key(),
        "url": url,
        "possible": possible,
        "templates": {
            act: [(REASONS[table][one.reason_code], one) for one in reason_templates.for_act(act)]
            for act, table in SEND_BACK.items()
        },
        "template_languages": [(code, HTML_LANGUAGES[code], name) for code, name in reason_templates.LANGUAGES.items()],
        "take": [act_button("take", _("Take it"), url, tone="primary", shortcut="t")] if "take" in possible else [],
        "ask": _ask(url, asks_about) if is_in_hand else [],
        "is_asking": bool(asks_about),
        "withdraw_key": posted.new_key(),
        "may_ask": is_in_hand,
        "note": [act_button("note", _("Write a note"), url, form=NoteForm(auto_id="note_%s"), shortcut="n")]
        if _may_note(found, by)
        else [],
        "is_second": found.state == ReviewState.SECONDED,
        "thread": review_history.thread(listing, with_notes=True),
        "standing": review_history.standing(listing.seller),
        "holds": placed,
        "product_acts": _product_acts(listing, url, by),
        "hold_acts": hold_acts.buttons(placed, url, by=by),
        "other_reviews": Review.objects.filter(version__listing=listing)
        .exclude(pk=found.pk)
        .select_related("version")
        .order_by("-pk")[:20],
        "events": journal.of(found).order_by("-pk"),
        "refusal": refusal,
    }
    answer = render_desk(request, "reviews", "admin/desks/review.html", context)
    if refusal:
        answer.status_code = refusal.status
    return answer


def _review(review_id: int) -> Review:
    parts = ("version__listing__seller", "version__listing__current_version", "version__release__profile")
    rows = Review.objects.select_related(*parts, "submitted_by", "assignee", "by", "second_by")
    return get_object_or_404(rows, pk=review_id)


def _personal(version: Version) -> list[str]:
    """Where personal information was found, column by column."""
    profile = getattr(version.release, "profile", None)
    found = (profile.report or {}).get("personal_columns", []) if profile else []
    return [f"{one['path']}: {one['column']} ({', '.join(one['kinds'])})" for one in found]


def _ask(url: str, about: str) -> list[dict[str, Any]]:
    form = QuestionForm(initial={"field": about}, auto_id="ask_%s")
    return [act_button("ask", _("Ask the seller"), url, form=form, shortcut="q", is_open=bool(about))]


def _may_note(found: Review, by: User) -> bool:
    return roles.staff_may(by, "review") and reviews.is_impartial(found, by)


def _product_acts(listing: Listing, url: str, by: User) -> list[dict[str, Any]]:
    """Suspend the product or put it back on sale."""
    if not roles.staff_may(by, "suspend_listing"):
        return []
    return [
        act_button(
            name,
            label,
            url,
            tone="danger" if name == "suspend" else "",
            form=SentenceForm(auto_id=f"{name}_product_%s") if name == "suspend" else None,
        )
        for name, label in PRODUCT_ACTS.items()
        if name in LISTING_MOVES[listing.state]
    ]


@desk("reviews")
@require_POST
def review_act(request: HttpRequest, review_id: int) -> HttpResponse:
    """Decide on a submission, ask, note, act on its product, or hold the product; through the commands."""
    found = _review(review_id)
    back = reverse("desk_review", args=[review_id])
    act, by, listing = request.POST.get("act", ""), person(request), found.version.listing
    if act in hold_acts.ACTS:
        return hold_acts.act(request, act, Hold.Subject.LISTING, listing.pk, back=back)
    if act in ("approve", *SEND_BACK):
        return _decided(request, found, act, back)
    if act == "take":
        return acted(request, lambda: reviews.take(found, by=by), done=DONE["take"], back=back)
    if act == "ask":
        said = parsed(QuestionForm(request.POST))
        done = _("The seller was asked; the target stands still.")
        return acted(request, lambda: review_questions.ask(found, by=by, **said), done=done, back=back)
    if act == "withdraw_question":
        question = get_object_or_404(found.questions, pk=posted_id(request, "question"))
        done = _("The question was withdrawn.")
        return acted(request, lambda: review_questions.withdraw(question, by=by), done=done, back=back)
    if act == "note":
        said = parsed(NoteForm(request.POST))
        done = _("The note is kept.")
        return acted(request, lambda: review_questions.note(found, by=by, **said), done=done, back=f"{back}#thread")
    if act == "suspend":
        said = parsed(SentenceForm(request.POST))
        done = _("The product is suspended: no new trades.")
        return acted(request, lambda: publishing.suspend(listing, by=by, **said), done=done, back=back)
    if act == "resume":
        done = _("The product is back on sale.")
        return acted(request, lambda: publishing.resume(listing, by=by), done=done, back=back)
    raise Http404


def _decided(request: HttpRequest, found: Review, act: str, back: str) -> HttpResponse:
    """Approve or send back; what cannot be used is shown on the screen again, with all that was filled in."""
    by = person(request)
    form = DecisionForm(request.POST, items=reviews.checklist_of(found), act=act, auto_id="decide_%s")
    try:
        if not form.is_valid():
            raise Invalid(_("Some of what was sent cannot be used."), next=_("See what is marked below."))
        said: dict[str, Any] = {"answers": form.answers()} | (form.reason(act) if act in SEND_BACK else {})
        command: Any = {
            "approve": reviews.approve,
            "request_changes": reviews.request_changes,
            "refuse": reviews.refuse,
        }[act]
        posted.posted_once(request, None, lambda: bool(command(found, by=by, **said)))
    except Refused as refusal:
        if not roles.staff_may(by, "review"):
            raise
        return _screen(request, _review(found.pk), form, refusal=refusal)
    found.refresh_from_db(fields=["state"])
    messages.success(request, str(SECONDED if found.state == ReviewState.SECONDED else DONE[act]))
    return redirect(back)
