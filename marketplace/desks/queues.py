"""The queues of all desks: how much waits in each, since when, and what of it is past its target."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, DateTimeField, Min, Q, QuerySet, Value
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from compliance import proofs, review_targets
from compliance.models import Decision, Demand, FactChange, Review, Verification
from compliance.states import VerificationState
from listings.models import ListingReport, Objection
from listings.states import ObjectionState, ReportState
from marketplace import clock, desk_targets, working_time
from marketplace.models import Revocation
from settlement import netting, payment_desk, payout_accounts, reconciliation, reserve_terms
from settlement.models import Chargeback, ClearingCycle, Dispute, FeeSchedule, Payout, Unmatched
from settlement.states import ChargebackState, CycleState, DisputeState, OutgoingState

REVIEWS = "reviews"  # the only queue whose rows have a target each


@dataclass(frozen=True)
class Queue:
    """What waits at a desk: its rows, the field that says since when, and where on which page they are listed."""

    name: str
    desk: str
    label: Promise
    rows: Callable[[], QuerySet[Any]]
    since: str
    place: str = ""
    page: str = ""

    @property
    def url(self) -> str:
        return reverse(self.page or f"desk_{self.desk}") + self.place

    @property
    def overdue(self) -> Q:
        """What of it is past its target; nothing where it has none."""
        if self.name == REVIEWS:
            return review_targets.overdue()
        since = desk_targets.overdue_since(self.name)
        return Q(**{f"{self.since}__lt": since}) if since else Q(pk=None)


QUEUES = [
    Queue(
        "applications",
        "organisations",
        _("Applications"),
        lambda: Verification.objects.filter(state=VerificationState.APPLIED),
        "applied_at",
    ),
    Queue(
        "second_person",
        "organisations",
        _("Decisions for a second person"),
        lambda: Decision.objects.filter(decided_at=None, dropped_at=None),
        "proposed_at",
    ),
    Queue(
        "fact_changes",
        "organisations",
        _("Changes of verified facts"),
        lambda: FactChange.objects.filter(outcome=""),
        "asked_at",
        place="?show=changes",
    ),
    Queue(
        "expiring_papers",
        "organisations",
        _("Papers about to expire"),
        proofs.expiring,
        "expires_on",
        page="desk_expiring_papers",
    ),
    Queue(
        REVIEWS,
        "reviews",
        _("Manuals to review"),
        lambda: Review.objects.filter(state__in=review_targets.UNDECIDED, stands_still_since=None),
        "opened_at",
    ),
    Queue(
        "objections",
        "objections",
        _("Objections to decide"),
        lambda: Objection.objects.filter(state=ObjectionState.OPEN),
        "filed_at",
    ),
    Queue(
        "reports",
        "reports",
        _("Reports to decide"),
        lambda: ListingReport.objects.filter(state=ReportState.OPEN),
        "reported_at",
    ),
    Queue(
        "demands",
        "demands",
        _("Private demands to match"),
        lambda: Demand.objects.open().filter(is_public=False, matches=None),
        "posted_at",
        place="?show=unanswered",
    ),
    Queue(
        "unmatched",
        "payments",
        _("Unmatched sums"),
        lambda: Unmatched.objects.filter(decided_at=None),
        "arrived_at",
        place="?show=unmatched",
    ),
    Queue(
        "refunds",
        "payments",
        _("Refunds that came back"),
        payment_desk.bounced_refunds,
        "created_at",
        place="?show=refunds",
    ),
    Queue(
        "accounts",
        "payments",
        _("Payout accounts to confirm"),
        payout_accounts.waiting_for_staff,
        "created_at",
        place="?show=accounts",
    ),
    Queue(
        "chargebacks",
        "payments",
        _("Open chargebacks"),
        lambda: Chargeback.objects.filter(state=ChargebackState.OPEN),
        "opened_at",
        place="?show=chargebacks",
    ),
    Queue(
        "disputes",
        "disputes",
        _("Disputes to decide"),
        lambda: Dispute.objects.filter(state=DisputeState.OPEN),
        "opened_at",
    ),
    Queue(
        "cycles",
        "clearing",
        _("Cycles to release"),
        lambda: ClearingCycle.objects.filter(state=CycleState.CLOSED),
        "closed_at",
    ),
    Queue(
        "payouts",
        "clearing",
        _("Payouts that came back"),
        lambda: Payout.objects.filter(state=OutgoingState.BOUNCED, replaced_by=None),
        "created_at",
        place="?show=payouts",
    ),
    Queue(
        "netting",
        "clearing",
        _("Nettings to decide"),
        netting.waiting,
        "asked_at",
        page="desk_netting",
    ),
    Queue(
        "reserves",
        "clearing",
        _("Reserves for a second person"),
        reserve_terms.waiting,
        "asked_at",
        page="desk_reserves",
    ),
    Queue(
        "fees",
        "clearing",
        _("Fee schedules for a second person"),
        FeeSchedule.objects.waiting,
        "asked_at",
        page="desk_fees",
    ),
    Queue(
        "breaks",
        "reconciliation",
        _("Breaks to explain"),
        reconciliation.open_breaks,
        "found_at",
    ),
    Queue(
        "revocations",
        "papers",
        _("Revocations for a second person"),
        lambda: Revocation.objects.filter(revoked_at=None),
        "asked_at",
        place="?show=waiting",
    ),
]


@dataclass(frozen=True)
class Waits:
    """So many of a queue wait, the oldest since then; `due_at` is the first one's target, None where there is none."""

    queue: Queue
    count: int
    overdue: int
    since: dt.datetime | None
    due_at: dt.datetime | None

    @property
    def oldest(self) -> dt.datetime | None:
        """Since when the first waits; None where its day is still to come."""
        return self.since if self.since and self.since <= clock.now() else None

    @property
    def hours(self) -> float:
        """The working hours by which the first one's target is missed, or those that are left until then."""
        if self.due_at is None:
            return 0.0
        now = clock.now()
        return working_time.worked(min(self.due_at, now), max(self.due_at, now)) / dt.timedelta(hours=1)


def waiting(desks: Iterable[str]) -> list[Waits]:
    """Every queue of these desks, what is past its target first. One statement, however many there are."""
    seen = set(desks)
    queues = {queue.name: queue for queue in QUEUES if queue.desk in seen}
    if not queues:
        return []
    first, *others = [_counted(queue) for queue in queues.values()]
    found = {name: Waits(queues[name], 0, 0, None, None) for name in queues}  # what is empty answers nothing
    for name, count, overdue, since, due in first.union(*others, all=True):
        found[name] = Waits(queues[name], count, overdue, since, due if name == REVIEWS else _due(name, since))
    waits = found.values()
    return sorted(waits, key=lambda one: (not one.overdue, one.due_at is None, one.due_at or clock.now()))


def _counted(queue: Queue) -> QuerySet[Any, Any]:
    rows = queue.rows().order_by().select_related(None)
    due = Min("due_at") if queue.name == REVIEWS else Cast(Value(None), DateTimeField())
    since = Min(Cast(queue.since, DateTimeField()))  # of a paper a day
    late = Count("pk", filter=queue.overdue)
    return rows.values_list(Value(queue.name)).annotate(count=Count("pk"), overdue=late, since=since, due=due)


def _due(name: str, since: dt.datetime | None) -> dt.datetime | None:
    age = desk_targets.age(name, since) if since else None
    return age.due_at if age else None
