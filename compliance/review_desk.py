"""The desk of reviews: what waits and since when; one submission in full, and the decision on it and its product."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from compliance import hold_acts, manual_shown, reviews
from compliance.desk_forms import CodedReasonForm, SentenceForm
from compliance.models import Hold, Review
from compliance.states import ReviewState
from listings import publishing
from listings.models import Listing, Version
from listings.product_page import measured
from listings.states import LISTING_MOVES
from marketplace import journal, roles
from marketplace.desk_pages import ROWS_ON_A_PAGE, act_button, acted, desk, parsed, render_desk
from marketplace.models import User
from marketplace.signed_in import person

R = ReviewState
SHOWS = {
    "waiting": (gettext_lazy("Waiting for a reviewer"), Q(state=R.OPEN)),
    "in_hand": (gettext_lazy("In review"), Q(state=R.TAKEN)),
    "seconded": (gettext_lazy("Waiting for the second person"), Q(state=R.SECONDED)),
    "decided": (gettext_lazy("Decided"), Q(state__in=[R.APPROVED, R.CHANGES_REQUESTED, R.REFUSED])),
}
# What the list does not show and is long.
LONG_COLUMNS = [
    f"version__{name}"
    for name in ("fields", "rights", "use_scenarios", "forbidden_uses", "source_statement", "summaries")
]
ACTS: dict[str, Any] = {
    "take": gettext_lazy("Take it"),
    "approve": gettext_lazy("Approve"),
    "request_changes": gettext_lazy("Ask for changes"),
    "refuse": gettext_lazy("Refuse"),
}
DONE = {
    "take": gettext_lazy("It is yours to review."),
    "approve": gettext_lazy("Approved."),
    "request_changes": gettext_lazy("The seller was asked for changes."),
    "refuse": gettext_lazy("The version is refused."),
}
REASON_TABLE = {"request_changes": "request_changes", "refuse": "refuse_version"}
PRODUCT_ACTS: dict[str, Any] = {
    "suspend": gettext_lazy("Suspend the product"),
    "resume": gettext_lazy("Put it back on sale"),
}


@desk("reviews")
@require_safe
def review_queue(request: HttpRequest) -> HttpResponse:
    """The queue, the longest waiting first, and what was decided, newest first; by a search, any."""
    show, asked = request.GET.get("show", "waiting"), request.GET.get("q", "").strip()[:100]
    show = show if show in SHOWS else "waiting"
    rows = Review.objects.select_related("version__listing__seller", "assignee", "by").defer(
        *LONG_COLUMNS, "version__listing__search"
    )
    if asked:
        rows = rows.filter(
            Q(version__titles__icontains=asked)
            | Q(version__listing__seller__name__icontains=asked)
            | Q(version__registration__number__iexact=asked)
        )
    else:
        rows = rows.filter(SHOWS[show][1])
    newest_first = show == "decided" or bool(asked)
    page = Paginator(rows.order_by("-opened_at" if newest_first else "opened_at", "pk"), ROWS_ON_A_PAGE)
    counts = Review.objects.aggregate(**{name: Count("pk", filter=where) for name, (_label, where) in SHOWS.items()})
    context = {
        "page": page.get_page(request.GET.get("page")),
        "asked": asked,
        "show": "" if asked else show,
        "tabs": [{"show": name, "label": label, "count": counts[name]} for name, (label, _q) in SHOWS.items()],
    }
    return render_desk(request, "reviews", "admin/desks/reviews.html", context)


@desk("reviews")
@require_safe
def review(request: HttpRequest, review_id: int) -> HttpResponse:
    """One submission: the manual beside the version approved before, what was measured, the offers, and the acts."""
    found = _review(review_id)
    version, listing = found.version, found.version.listing
    before = manual_shown.approved_before(version)
    placed = hold_acts.holds_on(Hold.Subject.LISTING, listing.pk)
    url, by = reverse("desk_review_act", args=[review_id]), person(request)
    context = {
        "review": found,
        "version": version,
        "listing": listing,
        "before": before,
        "rows": manual_shown.side_by_side(version, before),
        "measured": measured(version.release),
        "personal": _personal(version),
        "offers": listing.offers.filter(closed_at=None).order_by("price_minor", "pk"),
        "acts": _acts(found, url, by),
        "holds": placed,
        "product_acts": _product_acts(listing, url, by),
        "hold_acts": hold_acts.buttons(placed, url, by=by),
        "other_reviews": Review.objects.filter(version__listing=listing)
        .exclude(pk=found.pk)
        .select_related("version")
        .order_by("-pk"),
        "events": journal.of(found).order_by("-pk"),
    }
    return render_desk(request, "reviews", "admin/desks/review.html", context)


def _review(review_id: int) -> Review:
    parts = ("version__listing__seller", "version__listing__current_version", "version__release__profile")
    rows = Review.objects.select_related(*parts, "submitted_by", "assignee", "by", "second_by")
    return get_object_or_404(rows.defer("version__listing__search"), pk=review_id)


def _personal(version: Version) -> list[str]:
    """Where personal information was found, column by column."""
    profile = getattr(version.release, "profile", None)
    found = (profile.report or {}).get("personal_columns", []) if profile else []
    return [f"{one['path']}: {one['column']} ({', '.join(one['kinds'])})" for one in found]


def _acts(found: Review, url: str, by: User) -> list[dict[str, Any]]:
    """What this person may do with the submission now."""
    possible = reviews.possible_acts(found, by)
    buttons = []
    for name, label in ACTS.items():
        if name in possible:
            form = CodedReasonForm(act=REASON_TABLE[name], auto_id=f"{name}_%s") if name in REASON_TABLE else None
            tone = {"take": "primary", "approve": "primary", "refuse": "danger"}.get(name, "")
            if name == "approve" and found.state == R.SECONDED:
                label = _("Approve as the second person")
            buttons.append(act_button(name, label, url, tone=tone, form=form))
    return buttons


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
    """Decide on a submission, on its product, or hold the product; through the commands."""
    found = _review(review_id)
    back = reverse("desk_review", args=[review_id])
    act, by, listing = request.POST.get("act", ""), person(request), found.version.listing
    if act in hold_acts.ACTS:
        return hold_acts.act(request, act, Hold.Subject.LISTING, listing.pk, back=back)
    if act == "suspend":
        said = parsed(SentenceForm(request.POST))
        done = _("The product is suspended: no new trades.")
        return acted(request, lambda: publishing.suspend(listing, by=by, **said), done=done, back=back)
    if act == "resume":
        done = _("The product is back on sale.")
        return acted(request, lambda: publishing.resume(listing, by=by), done=done, back=back)
    if act not in ACTS:
        raise Http404
    command: Any = {
        "take": reviews.take,
        "approve": reviews.approve,
        "request_changes": reviews.request_changes,
        "refuse": reviews.refuse,
    }[act]
    reason = parsed(CodedReasonForm(request.POST, act=REASON_TABLE[act])) if act in REASON_TABLE else {}
    return acted(request, lambda: command(found, by=by, **reason), done=DONE[act], back=back)
