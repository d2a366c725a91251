"""The period a product covers, in words and in the years it is found by."""

import datetime as dt

import pytest
from django.utils.translation import override

from listings import periods


def day(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2013-01-01", "2013-12-31", "2013"),
        ("2004-01-01", "2025-12-31", "2004 – 2025"),
        ("2025-09-01", "2025-09-30", "2025-09"),
        ("2025-07-01", "2025-09-30", "2025-07 – 2025-09"),
        ("2019-01-01", "2026-06-30", "2019-01 – 2026-06"),
        ("2024-02-01", "2024-02-28", "2024-02-01 – 2024-02-28"),  # not to the end: 2024 was a leap year
        ("2025-01-02", "2025-12-31", "2025-01-02 – 2025-12-31"),
        ("2025-03-04", "2025-03-04", "2025-03-04"),
        ("2020-01-01", "", "since 2020"),
        ("2020-04-01", "", "since 2020-04"),
        ("2020-04-02", "", "since 2020-04-02"),
        ("", "2020-04-02", ""),
        ("1000-01-01", "9999-12-31", "1000 – 9999"),
    ],
)
def test_whole_years_and_months_are_said_shortly(start, end, words):
    assert periods.words(day(start), day(end)) == words


def test_what_goes_on_is_said_in_the_readers_language():
    said = []
    for language in ("zh-hans", "zh-hant"):
        with override(language):
            said.append(periods.words(dt.date(2020, 1, 1), None))
    assert said == ["2020 起", "2020 起"]


@pytest.mark.parametrize(
    ("start", "end", "years"),
    [
        ("2024-06-01", "2026-01-01", "2024 2025 2026"),
        ("2020-01-01", "", "2020"),
        ("", "", ""),
    ],
)
def test_a_product_is_found_by_each_year_it_covers(start, end, years):
    assert periods.years(day(start), day(end)) == years


def test_of_a_long_period_the_last_hundred_years_are_kept():
    found = periods.years(dt.date(1, 1, 1), dt.date(9999, 12, 31)).split()
    assert (len(found), found[0], found[-1]) == (100, "9900", "9999")
