"""The queue of reviews: by age against target, or by risk; whose it is; filters and search."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from compliance import review_targets, risk
from compliance.models import Review
from compliance.states import ReviewState
from listings.models import Classification, ProductType
from marketplace import roles
from marketplace.desk_pages import ROWS_ON_A_PAGE, act_button, desk, render_desk
from marketplace.models import Membership, User
from marketplace.signed_in import person

R = ReviewState
SHOWS: dict[str, tuple[Any, Q]] = {
    "undecided": (_("Undecided"), Q(state__in=review_targets.UNDECIDED)),
    "waiting": (_("Waiting for a reviewer"), Q(state=R.OPEN)),
    "in_hand": (_("In review"), Q(state=R.TAKEN)),
    "seconded": (_("Waiting for the second person"), Q(state=R.SECONDED)),
    "decided": (_("Decided"), Q(state__in=[R.APPROVED, R.CHANGES_REQUESTED, R.REFUSED, R.WITHDRAWN])),
}
ANY = ("", _("Any"))
# Above this many points a level begins.
LEVELS = {
    "high": Q(risk_points__gte=risk.HIGH),
    "raised": Q(risk_points__gte=risk.RAISED, risk_points__lt=risk.HIGH),
    "low": Q(risk_points__lt=risk.RAISED),
}
# What the list does not show and is long.
LONG_COLUMNS = [
    f"version__{name}"
    for name in ("fields", "rights", "use_scenarios", "forbidden_uses", "source_statement", "summaries")
]


class QueueForm(forms.Form):
    """What of the queue one looks at, and in which order; nonsense counts as nothing chosen."""

    whose = forms.ChoiceField(
        label=_("Whose"),
        required=False,
        choices=[ANY, ("mine", _("Mine")), ("nobodys", _("Nobody’s")), ("others", _("Others’"))],
    )
    risk = forms.ChoiceField(
        label=_("Risk"), required=False, choices=[ANY, ("high", _("High")), ("raised", _("Raised")), ("low", _("Low"))]
    )
    target = forms.ChoiceField(
        label=_("Target"),
        required=False,
        choices=[ANY, ("overdue", _("Overdue")), ("stands_still", _("Waits for the seller"))],
    )
    product_type = forms.ChoiceField(label=_("Type"), required=False, choices=[ANY, *ProductType.choices])
    classification = forms.ChoiceField(
        label=_("Classification"), required=False, choices=[ANY, *Classification.choices]
    )
    sort = forms.ChoiceField(
        label=_("Sorted by"),
        required=False,
        choices=[("", _("Target, then risk")), ("risk", _("Risk, then target")), ("age", _("Age"))],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.is_need_unsaid = True  # type: ignore[attr-defined]

    def chosen(self) -> dict[str, str]:
        """What was chosen, without what makes no sense."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


@desk("reviews")
@require_safe
def review_queue(request: HttpRequest) -> HttpResponse:
    """The queue, the one most behind its target first; what was decided, newest first; by a search, any."""
    show, asked = request.GET.get("show", ""), request.GET.get("q", "").strip()[:100]
    show = show if show in SHOWS else "undecided"
    form = QueueForm(request.GET, auto_id="queue_%s")
    chosen = form.chosen()
    rows = Review.objects.select_related("version__listing__seller", "assignee", "by").defer(*LONG_COLUMNS)
    rows = _searched(rows, asked) if asked else rows.filter(SHOWS[show][1])
    rows = _filtered(rows, chosen, person(request))
    newest_first = (show == "decided" or bool(asked)) and "sort" not in chosen
    page = Paginator(_sorted(rows, "newest" if newest_first else chosen.get("sort", "")), ROWS_ON_A_PAGE)
    found = page.get_page(request.GET.get("page"))
    by = person(request)
    may_review = roles.staff_may(by, "review")
    own = _not_for(found, by)
    counts = Review.objects.aggregate(**{name: Count("pk", filter=where) for name, (_label, where) in SHOWS.items()})
    context = {
        "page": found,
        "rows": [
            {
                "review": one,
                "age": review_targets.age_of(one),
                "level": risk.level(one.risk_points),
                "why": risk.words(one.risk),
                "take": _take(one) if may_review and one.state == R.OPEN and one.pk not in own else [],
            }
            for one in found
        ],
        "asked": asked,
        "show": "" if asked else show,
        "tabs": [{"show": name, "label": label, "count": counts[name]} for name, (label, _q) in SHOWS.items()],
        "form": form,
        "is_filtered": bool(set(chosen) - {"sort"}),
        "overdue": Review.objects.filter(review_targets.overdue()).count(),
    }
    return render_desk(request, "reviews", "admin/desks/reviews.html", context)


def _not_for(shown: Iterable[Review], by: User) -> set[int]:
    """Those on the page that this person may not review: their own submissions, and their houses' products."""
    shown = list(shown)
    sellers = {one.version.listing.seller_id for one in shown}
    theirs = set(Membership.objects.filter(user=by, organisation__in=sellers).values_list("organisation_id", flat=True))
    return {one.pk for one in shown if one.submitted_by_id == by.pk or one.version.listing.seller_id in theirs}


def _take(review: Review) -> list[dict[str, Any]]:
    """Taking it leads to its screen."""
    return [act_button("take", _("Take it"), reverse("desk_review_act", args=[review.pk]))]


def _searched(rows: QuerySet[Review], asked: str) -> QuerySet[Review]:
    return rows.filter(
        Q(version__titles__icontains=asked)
        | Q(version__listing__seller__name__icontains=asked)
        | Q(version__registration__number__iexact=asked)
    )


def _filtered(rows: QuerySet[Review], chosen: dict[str, str], by: User) -> QuerySet[Review]:
    whose = {"mine": Q(assignee=by), "nobodys": Q(assignee=None), "others": Q(assignee__isnull=False) & ~Q(assignee=by)}
    target = {"overdue": review_targets.overdue(), "stands_still": Q(stands_still_since__isnull=False)}
    for name, wheres in (("whose", whose), ("risk", LEVELS), ("target", target)):
        if name in chosen:
            rows = rows.filter(wheres[chosen[name]])
    if "product_type" in chosen:
        rows = rows.filter(version__listing__product_type=chosen["product_type"])
    if "classification" in chosen:
        rows = rows.filter(version__classification=chosen["classification"])
    return rows


def _sorted(rows: QuerySet[Review], order: str) -> QuerySet[Review]:
    """What waits for the seller comes last: nobody here can decide it."""
    if order == "newest":
        return rows.order_by("-opened_at", "-pk")
    waits = Q(stands_still_since__isnull=False)
    keys = {"risk": ["-risk_points", "due_at"], "age": ["opened_at"]}.get(order, ["due_at", "-risk_points"])
    return rows.annotate(waits_for_seller=waits).order_by("waits_for_seller", *keys, "pk")
