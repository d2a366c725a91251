"""Working time of the exchange's desks: the hours of working days in the exchange's time zone, by dated data.

`worked` and `after` are pure: working time is a coordinate that stands still outside the desk's hours, so
`after(since, worked(since, until))` is `until` whenever `until` lies within them.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings

_FILE = Path(__file__).parent / "CN.json"
SATURDAY = 5


@functools.cache
def _exceptions() -> tuple[frozenset[str], frozenset[str]]:
    """The weekdays that are off, and the days of a weekend that are worked, as ISO dates."""
    told = json.loads(_FILE.read_text(encoding="utf-8"))["years"].values()
    return (
        frozenset(day for year in told for day in year["off"]),
        frozenset(day for year in told for day in year["worked"]),
    )


def is_working(day: dt.date) -> bool:
    """Whether the desks are open on this day. A year the data does not know yet has its weekends off."""
    off, worked_weekends = _exceptions()
    name = day.isoformat()
    return name not in off and (day.weekday() < SATURDAY or name in worked_weekends)


def days_after(day: dt.date, count: int) -> dt.date:
    """The working day that is so many after this day; the day itself for none."""
    while count:
        day += dt.timedelta(days=1)
        count -= is_working(day)
    return day


def worked(since: dt.datetime, until: dt.datetime) -> dt.timedelta:
    """The working time between two moments; none when `until` is not later."""
    total, day, last = dt.timedelta(), _local(since).date(), _local(until).date()
    while day <= last:
        if is_working(day):
            opens, closes = _hours(day)
            total += max(min(closes, until) - max(opens, since), dt.timedelta())
        day += dt.timedelta(days=1)
    return total


def after(since: dt.datetime, time: dt.timedelta) -> dt.datetime:
    """The moment at which so much working time has passed since `since`."""
    day, left = _local(since).date(), time
    while True:
        if is_working(day):
            opens, closes = _hours(day)
            begins = max(opens, since)
            if begins + left <= closes:
                return begins + left
            left -= max(closes - begins, dt.timedelta())
        day += dt.timedelta(days=1)


def before(until: dt.datetime, time: dt.timedelta) -> dt.datetime:
    """The latest moment from which so much working time has passed until `until`."""
    day, left = _local(until).date(), time
    while True:
        if is_working(day):
            opens, closes = _hours(day)
            ends = min(closes, until)
            if ends - left >= opens:
                return ends - left
            left -= max(ends - opens, dt.timedelta())
        day -= dt.timedelta(days=1)


def _local(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(ZoneInfo(settings.TIME_ZONE))


def _hours(day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    zone = ZoneInfo(settings.TIME_ZONE)
    opens, closes = settings.DESK_OPENS_HOUR, settings.DESK_CLOSES_HOUR
    return dt.datetime.combine(day, dt.time(opens), zone), dt.datetime.combine(day, dt.time(closes), zone)
