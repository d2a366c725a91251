"""Every decision of the staff, for audit: who, when, what, about what and why; by officer and day, as a page or CSV.

The rows that were decided are read as they are: each says its own reason, so nothing is kept twice. One statement asks
all kinds of them; at most LONGEST_DAYS are asked for at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import CharField, F, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.timezone import localtime, make_aware
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from compliance import reasons
from compliance.models import Decision, FactChange, Hold, ReviewDecision, TierDecision
from listings.models import ListingReport, Objection, Question
from listings.states import ObjectionState, ReportState
from marketplace import clock
from marketplace.act_words import ACTS
from marketplace.desk_pages import ROWS_ON_A_PAGE, desk, render_desk
from marketplace.models import Announcement, Revocation
from marketplace.spreadsheets import csv_of
from settlement import money_words
from settlement.models import ClearingCycle, Dispute, Unmatched

SHOWN_DAYS, LONGEST_DAYS = 30, 366
MOST_IN_CSV = 20_000
# What a decision that is no act is called: why something is held, what became of a report or of money.
OUTCOMES: dict[str, Any] = {
    **dict(FactChange.Outcome.choices),
    **dict(ObjectionState.choices),
    **dict(ReportState.choices),
    **reasons.REASONS["hold"],
    **money_words.DECIDED,
}


@dataclass(frozen=True)
class Kind:
    """Where one kind of decision is read: by whom, when, which act, why, and what names its page."""

    label: Promise
    rows: Callable[[], QuerySet[Any]]
    by: str
    at: str
    act: str | Value
    why: str | Value
    subject: str
    page: str


# What has two people is there twice: once for each who decided.
KINDS: dict[str, Kind] = {
    "organisation": Kind(
        gettext_lazy("Organisation"),
        lambda: Decision.objects.filter(dropped_at=None),
        "by",
        "proposed_at",
        "act",
        "reason",
        "verification__organisation__public_id",
        "desk_organisation",
    ),
    "organisation_second": Kind(
        gettext_lazy("Organisation, second person"),
        lambda: Decision.objects.filter(second_by__isnull=False),
        "second_by",
        "decided_at",
        "act",
        "reason",
        "verification__organisation__public_id",
        "desk_organisation",
    ),
    "facts": Kind(
        gettext_lazy("Change of facts"),
        lambda: FactChange.objects.filter(by__isnull=False, decided_at__isnull=False),
        "by",
        "decided_at",
        "outcome",
        "reason",
        "organisation__public_id",
        "desk_organisation",
    ),
    "facts_second": Kind(
        gettext_lazy("Change of facts, second person"),
        lambda: FactChange.objects.filter(second_by__isnull=False),
        "second_by",
        "decided_at",
        "outcome",
        "reason",
        "organisation__public_id",
        "desk_organisation",
    ),
    "tier": Kind(
        gettext_lazy("Tier"),
        TierDecision.objects.all,
        "by",
        "decided_at",
        "tier__code",
        "reason",
        "organisation__public_id",
        "desk_organisation",
    ),
    "review": Kind(
        gettext_lazy("Review"),
        lambda: ReviewDecision.objects.exclude(act=ReviewDecision.Act.TAKE_BACK),
        "by",
        "decided_at",
        "act",
        "reason",
        "review",
        "desk_review",
    ),
    "hold": Kind(
        gettext_lazy("Hold placed"), Hold.objects.all, "placed_by", "placed_at", "reason_code", "reason", "pk", ""
    ),
    "hold_lifted": Kind(
        gettext_lazy("Hold lifted"),
        lambda: Hold.objects.filter(lifted_at__isnull=False),
        "lifted_by",
        "lifted_at",
        "reason_code",
        "lift_reason",
        "pk",
        "",
    ),
    "objection": Kind(
        gettext_lazy("Objection"),
        lambda: Objection.objects.filter(decided_at__isnull=False),
        "decided_by",
        "decided_at",
        "state",
        "decision",
        "pk",
        "desk_objection",
    ),
    "report": Kind(
        gettext_lazy("Report"),
        lambda: ListingReport.objects.filter(decided_at__isnull=False),
        "decided_by",
        "decided_at",
        "state",
        "decision",
        "pk",
        "desk_report",
    ),
    "question": Kind(
        gettext_lazy("Question hidden"),
        lambda: Question.objects.filter(hidden_at__isnull=False),
        "hidden_by",
        "hidden_at",
        Value("hide_question"),
        "hidden_reason",
        "listing__public_id",
        "product_questions",
    ),
    "dispute": Kind(
        gettext_lazy("Dispute"),
        lambda: Dispute.objects.filter(resolved_at__isnull=False),
        "resolved_by",
        "resolved_at",
        Value("resolve"),
        "resolution",
        "pk",
        "desk_dispute",
    ),
    "money": Kind(
        gettext_lazy("Unmatched money"),
        lambda: Unmatched.objects.filter(decided_by__isnull=False),
        "decided_by",
        "decided_at",
        "decision",
        "why",
        "pk",
        "",
    ),
    "cycle": Kind(
        gettext_lazy("Clearing cycle, first person"),
        lambda: ClearingCycle.objects.filter(released_at__isnull=False, by__isnull=False),
        "by",
        "released_at",
        Value("release_clearing"),
        Value(""),
        "number",
        "desk_cycle",
    ),
    "cycle_second": Kind(
        gettext_lazy("Clearing cycle, second person"),
        lambda: ClearingCycle.objects.filter(second_by__isnull=False),
        "second_by",
        "released_at",
        Value("release_clearing"),
        Value(""),
        "number",
        "desk_cycle",
    ),
    "paper": Kind(
        gettext_lazy("Revocation asked"),
        Revocation.objects.all,
        "by",
        "asked_at",
        Value("revoke_paper"),
        "reason",
        "paper__number",
        "desk_paper",
    ),
    "paper_second": Kind(
        gettext_lazy("Revocation, second person"),
        lambda: Revocation.objects.filter(revoked_at__isnull=False),
        "second_by",
        "revoked_at",
        Value("revoke_paper"),
        "reason",
        "paper__number",
        "desk_paper",
    ),
    "announcement": Kind(
        gettext_lazy("Announcement"),
        Announcement.objects.all,
        "written_by",
        "written_at",
        Value("announce"),
        "why",
        "public_id",
        "",
    ),
}


class DecisionsForm(forms.Form):
    """Whose decisions of which days; nonsense counts as nothing chosen."""

    by = forms.CharField(label=gettext_lazy("Officer’s e-mail"), max_length=254, required=False)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), required=False)
    since = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    until = forms.DateField(
        label=gettext_lazy("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind: Any = self.fields["kind"]
        kind.choices = [("", _("Any")), *((name, one.label) for name, one in KINDS.items())]
        for field in self.fields.values():
            field.is_need_unsaid = True  # type: ignore[attr-defined]

    def chosen(self) -> dict[str, Any]:
        """What was chosen, with days: the last SHOWN_DAYS unless others are said, LONGEST_DAYS at most."""
        self.is_valid()
        said = self.cleaned_data
        until = said.get("until") or clock.today()
        since = said.get("since") or until - dt.timedelta(days=SHOWN_DAYS)
        longest = until - dt.timedelta(days=LONGEST_DAYS)
        return {
            "by": said.get("by", ""),
            "kind": said.get("kind", ""),
            "since": max(since, longest),
            "until": until,
        }


def decided(*, by: str, kind: str, since: dt.date, until: dt.date) -> QuerySet[Any, Any]:
    """Decisions of these days, both included, the newest first, as (kind, who, name, when, act, why, subject)."""
    begins = make_aware(dt.datetime.combine(since, dt.time.min))
    ends = make_aware(dt.datetime.combine(until, dt.time.max))
    parts = []
    for name in [kind] if kind else KINDS:
        one = KINDS[name]
        rows = one.rows().filter(**{f"{one.at}__range": (begins, ends)})
        if by:
            rows = rows.filter(Q(**{f"{one.by}__email": by.lower()}))
        parts.append(
            rows.order_by()
            .annotate(told_at=F(one.at))
            .values_list(
                Value(name, CharField()),
                F(f"{one.by}__email"),
                F(f"{one.by}__name"),
                "told_at",
                Cast(one.act if isinstance(one.act, Value) else F(one.act), TextField()),
                Cast(one.why if isinstance(one.why, Value) else F(one.why), TextField()),
                Cast(F(one.subject), TextField()),
            )
        )
    first, *others = parts
    return (first.union(*others, all=True) if others else first).order_by("-told_at")


@desk("decisions")
@require_safe
def decisions(request: HttpRequest) -> HttpResponse:
    """The list of decisions; `?format=csv` gives it as a table to keep."""
    form = DecisionsForm(request.GET, auto_id="decisions_%s")
    chosen = form.chosen()
    rows = decided(**chosen)
    if request.GET.get("format") == "csv":
        return _csv(rows[:MOST_IN_CSV], chosen)
    page = Paginator(rows, ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": DecisionsForm(chosen, auto_id="decisions_%s"),
        "page": page,
        "rows": [_shown(*row) for row in page],
    }
    return render_desk(request, "decisions", "admin/desks/decisions.html", context)


def _shown(kind: str, email: str, name: str, at: dt.datetime, act: str, why: str, subject: str) -> dict[str, Any]:
    page = KINDS[kind].page
    url = reverse(page, args=[subject]) if page else ""
    said = {"label": KINDS[kind].label, "act": ACTS.get(act) or OUTCOMES.get(act), "code": act}
    words = money_words.WHY.get(why, why) if kind == "money" else why
    return said | {"who": name or email, "at": at, "why": words, "subject": subject, "url": url}


def _csv(rows: Any, chosen: dict[str, Any]) -> HttpResponse:
    head = ["when", "who", "kind", "act", "about", "why"]
    table = csv_of(
        head, ([localtime(at).isoformat(), who, kind, act, about, why] for kind, who, _n, at, act, why, about in rows)
    )
    name = f"decisions-{chosen['since']}-{chosen['until']}.csv"
    return HttpResponse(
        table,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
