"""How what waits at a desk stands against its target, in working hours; `DESK_TARGET_HOURS` names them by queue."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings

from marketplace import clock, working_time

OVERDUE, SOON, IN_TIME, STANDS_STILL, DECIDED = "overdue", "soon", "in_time", "stands_still", "decided"
SOON_SHARE = 0.75


@dataclass(frozen=True)
class Age:
    """The working hours that passed of the target's; None once it is decided."""

    state: str
    passed_hours: float | None
    target_hours: int
    due_at: dt.datetime

    @property
    def over_hours(self) -> float:
        """By how many working hours the target is missed."""
        return max((self.passed_hours or 0) - self.target_hours, 0)


def age(queue: str, since: dt.datetime) -> Age | None:
    """How something of this queue stands that waits since then; None where the queue has no target."""
    hours = settings.DESK_TARGET_HOURS[queue]
    return against(hours, working_time.after(since, dt.timedelta(hours=hours))) if hours else None


def against(target_hours: int, due_at: dt.datetime, *, stands_still_since: dt.datetime | None = None) -> Age:
    """How something stands that is due then; since it stands still no more time counts."""
    now = stands_still_since or clock.now()
    if now <= due_at:
        passed = target_hours - working_time.worked(now, due_at) / dt.timedelta(hours=1)
    else:
        passed = target_hours + working_time.worked(due_at, now) / dt.timedelta(hours=1)
    if stands_still_since:
        state = STANDS_STILL
    elif now > due_at:
        state = OVERDUE
    else:
        state = SOON if passed >= SOON_SHARE * target_hours else IN_TIME
    return Age(state, max(round(passed, 1), 0.0), target_hours, due_at)


def overdue_since(queue: str) -> dt.datetime | None:
    """What of this queue waits since before this moment is past its target; None where it has none."""
    hours = settings.DESK_TARGET_HOURS[queue]
    return working_time.before(clock.now(), dt.timedelta(hours=hours)) if hours else None
