"""How old a review is against its target, in working hours; and what waits in the queue."""

from __future__ import annotations

from django.db.models import Q

from compliance.models import Review
from compliance.states import IN_HAND, ReviewState
from marketplace import clock, desk_targets
from marketplace.desk_targets import Age

UNDECIDED = (ReviewState.OPEN, *IN_HAND)


def age_of(review: Review) -> Age:
    """How it stands now; time in which a question waits for the seller does not count."""
    if review.state not in UNDECIDED:
        return Age(desk_targets.DECIDED, None, review.target_hours, review.due_at)
    still = review.stands_still_since
    return desk_targets.against(review.target_hours, review.due_at, stands_still_since=still)


def overdue() -> Q:
    """Those that should be decided by now."""
    return Q(state__in=UNDECIDED, stands_still_since=None, due_at__lt=clock.now())
