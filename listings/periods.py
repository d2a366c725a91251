"""The period a product covers, in words: whole years and months are said shortly, and what goes on says since when."""

from __future__ import annotations

import calendar
import datetime as dt

from django.utils.translation import gettext as _


def words(start: dt.date | None, end: dt.date | None) -> str:
    """Such as `2013`, `2025-07 – 2025-09`, `2024-02-29 – 2025-03-01` or `since 2020`; '' without a beginning."""
    if start is None:
        return ""
    is_end_of_month = end is None or end.day == calendar.monthrange(end.year, end.month)[1]
    if start.day != 1 or not is_end_of_month:
        length = 10
    elif start.month == 1 and (end is None or end.month == 12):
        length = 4
    else:
        length = 7
    first = start.isoformat()[:length]
    if end is None:
        return _("since %(start)s") % {"start": first}
    last = end.isoformat()[:length]
    return first if first == last else f"{first} – {last}"


def years(start: dt.date | None, end: dt.date | None) -> str:
    """The years it covers, for the search: each of the last hundred; of what goes on, the one it begins in."""
    if start is None:
        return ""
    last = (end or start).year
    return " ".join(str(year) for year in range(max(start.year, last - 99), last + 1))
