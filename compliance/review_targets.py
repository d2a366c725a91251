"""How old a review is against its target, in working hours; and what waits in the queue."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q

from compliance import working_time
from compliance.models import Review
from compliance.states import IN_HAND, ReviewState
from marketplace import clock

UNDECIDED = (ReviewState.OPEN, *IN_HAND)
OVERDUE, SOON, IN_TIME, STANDS_STILL, DECIDED = "overdue", "soon", "in_time", "stands_still", "decided"
SOON_SHARE = 0.75


@dataclass(frozen=True)
class Age:
    """The working hours that passed and those left (less than none when overdue); None once it is decided."""

    state: str
    passed_hours: float | None
    target_hours: int
    due_at: dt.datetime

    @property
    def over_hours(self) -> float:
        """By how many working hours the target is missed."""
        return max((self.passed_hours or 0) - self.target_hours, 0)


def age_of(review: Review) -> Age:
    """How it stands now; time in which a question waits for the seller does not count."""
    if review.state not in UNDECIDED:
        return Age(DECIDED, None, review.target_hours, review.due_at)
    now = review.stands_still_since or clock.now()
    if now <= review.due_at:
        left = working_time.worked(now, review.due_at)
        passed = review.target_hours - left / dt.timedelta(hours=1)
    else:
        passed = review.target_hours + working_time.worked(review.due_at, now) / dt.timedelta(hours=1)
    if review.stands_still_since:
        state = STANDS_STILL
    elif now > review.due_at:
        state = OVERDUE
    else:
        state = SOON if passed >= SOON_SHARE * review.target_hours else IN_TIME
    return Age(state, max(round(passed, 1), 0.0), review.target_hours, review.due_at)


def overdue() -> Q:
    """Those that should be decided by now."""
    return Q(state__in=UNDECIDED, stands_still_since=None, due_at__lt=clock.now())
