"""The staff's home: how much waits at each desk and since when, and the records one may look through."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Min, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from compliance import proofs, review_targets
from compliance.models import Decision, FactChange, Review, Verification
from compliance.states import ReviewState, VerificationState
from listings.models import ListingReport, Objection
from listings.states import ObjectionState, ReportState
from marketplace import health
from marketplace.desk_pages import TITLES, desks_of
from marketplace.models import Revocation
from marketplace.signed_in import person
from settlement import payout_accounts
from settlement.models import Chargeback, ClearingCycle, Dispute, Payout, Refund, Unmatched
from settlement.states import ChargebackState, CycleState, DisputeState, OutgoingState

STUCK_COUNTED = 100


@dataclass(frozen=True)
class Waits:
    """So many of one kind wait at a desk, the oldest since then; and how the first stands against its target."""

    label: Any
    count: int
    since: dt.datetime | None
    age: review_targets.Age | None = None


def _waits(label: Any, rows: QuerySet[Any], since: str) -> Waits:
    found = rows.aggregate(count=Count("pk"), since=Min(since))
    return Waits(label, found["count"], found["since"])


def _organisations() -> list[Waits]:
    pending = Decision.objects.filter(decided_at=None, dropped_at=None)
    return [
        _waits(_("applications"), Verification.objects.filter(state=VerificationState.APPLIED), "applied_at"),
        _waits(_("decisions for a second person"), pending, "proposed_at"),
        _waits(_("papers about to expire"), proofs.expiring(), "uploaded_at"),
        _waits(_("changes of verified facts"), FactChange.objects.filter(outcome=""), "asked_at"),
    ]


def _reviews() -> list[Waits]:
    taken = [ReviewState.TAKEN, ReviewState.SECONDED]
    return [
        _waits(_("manuals to take"), Review.objects.filter(state=ReviewState.OPEN), "opened_at"),
        _waits(_("in review"), Review.objects.filter(state__in=taken), "opened_at"),
        _most_behind(),
    ]


def _most_behind() -> Waits:
    """The reviews past their target, and how far the one is that is due first."""
    late = Review.objects.filter(review_targets.overdue()).count()
    waiting = Review.objects.filter(state__in=review_targets.UNDECIDED, stands_still_since=None)
    first = waiting.order_by("due_at", "pk").first()
    if first is None:
        return Waits(_("past their target"), 0, None)
    age = review_targets.age_of(first)
    return Waits(_("past their target"), late, None, age) if late else Waits(_("due next"), 1, None, age)


def _payments() -> list[Waits]:
    bounced = Refund.objects.filter(state=OutgoingState.BOUNCED, replaced_by=None)
    return [
        _waits(_("unmatched sums"), Unmatched.objects.filter(decided_at=None), "arrived_at"),
        _waits(_("refunds that came back"), bounced, "created_at"),
        _waits(_("payout accounts to confirm"), payout_accounts.waiting_for_staff(), "created_at"),
        _waits(_("open chargebacks"), Chargeback.objects.filter(state=ChargebackState.OPEN), "opened_at"),
    ]


def _disputes() -> list[Waits]:
    return [_waits(_("disputes to decide"), Dispute.objects.filter(state=DisputeState.OPEN), "opened_at")]


def _objections() -> list[Waits]:
    return [_waits(_("objections to decide"), Objection.objects.filter(state=ObjectionState.OPEN), "filed_at")]


def _reports() -> list[Waits]:
    return [_waits(_("reports to decide"), ListingReport.objects.filter(state=ReportState.OPEN), "reported_at")]


def _clearing() -> list[Waits]:
    bounced = Payout.objects.filter(state=OutgoingState.BOUNCED, replaced_by=None)
    return [
        _waits(_("cycles to release"), ClearingCycle.objects.filter(state=CycleState.CLOSED), "closed_at"),
        _waits(_("payouts that came back"), bounced, "created_at"),
    ]


def _papers() -> list[Waits]:
    return [_waits(_("revocations for a second person"), Revocation.objects.filter(revoked_at=None), "asked_at")]


def _stuck() -> list[Waits]:
    return [Waits(_("rows that failed"), len(list(islice(health.stuck(), STUCK_COUNTED))), None)]


WAITING: dict[str, Callable[[], list[Waits]]] = {
    "organisations": _organisations,
    "reviews": _reviews,
    "payments": _payments,
    "disputes": _disputes,
    "objections": _objections,
    "reports": _reports,
    "clearing": _clearing,
    "papers": _papers,
    "stuck": _stuck,
}
SAYS = {
    "organisations": gettext_lazy("Who may list and trade."),
    "participants": gettext_lazy("Everything about a member in one view."),
    "reviews": gettext_lazy("What may be registered and listed."),
    "payments": gettext_lazy("Money that fits no trade, or came back."),
    "disputes": gettext_lazy("Who gets the money in escrow."),
    "objections": gettext_lazy("Who says that a registration is wrong."),
    "reports": gettext_lazy("What people say is wrong with a product."),
    "clearing": gettext_lazy("Cycles, statements and payouts."),
    "trades": gettext_lazy("Find any trade, and hold it."),
    "papers": gettext_lazy("Certificates, contracts, statements."),
    "stuck": gettext_lazy("What workers could not finish."),
}


@login_required
@never_cache
@require_safe
def staff_home(request: HttpRequest) -> HttpResponse:
    """All desks this member of the staff sees, and, for those who look everywhere, the records."""
    if not person(request).is_staff:
        raise Http404
    seen = desks_of(person(request))
    desks = [
        {
            "title": TITLES[name],
            "says": SAYS[name],
            "url": reverse(f"desk_{name}"),
            "waits": [one for one in WAITING[name]() if one.count] if name in WAITING else [],
            "is_queue": name in WAITING,
        }
        for name in seen
    ]
    return render(request, "admin/desks/home.html", {"desks": desks, "records": admin.site.get_app_list(request)})
