"""What time it is: the one clock of every command, row and deadline.

The opening of the demo and the tests may set it to another time, so that a year of trades can be carried by the
commands that carry them every day. In production it cannot be moved.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

_moved_by = dt.timedelta()


class ClockFixed(Exception):
    """This exchange is in production; its clock shows the time it is."""


def now() -> dt.datetime:
    """The moment, with its zone. All but heartbeats and the age of files on the disk is measured with it."""
    return timezone.now() + _moved_by


def today() -> dt.date:
    """The date in the exchange's own time zone."""
    return timezone.localdate(now())


def day_of(date: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """When this date begins and ends in the exchange's own time zone."""
    zone = ZoneInfo(settings.TIME_ZONE)
    following = date + dt.timedelta(days=1)
    return dt.datetime.combine(date, dt.time(), zone), dt.datetime.combine(following, dt.time(), zone)


def is_moved() -> bool:
    """Whether this process lives at another time."""
    return _moved_by != dt.timedelta()


@contextmanager
def moved_to(moment: dt.datetime) -> Iterator[Callable[[dt.datetime], None]]:
    """Let it be `moment` in this process, and time go on from there; afterwards it is what it was.

    What it yields moves the clock again, to another moment. All threads of the process see it. May be used within
    itself. Raises ClockFixed unless CLOCK_MAY_MOVE.
    """
    global _moved_by
    if not settings.CLOCK_MAY_MOVE:
        raise ClockFixed("the clock moves in development and in tests only")
    before = _moved_by
    _move(moment)
    try:
        yield _move
    finally:
        _moved_by = before


def _move(moment: dt.datetime) -> None:
    global _moved_by
    _moved_by = moment - timezone.now()
