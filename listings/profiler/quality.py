"""The quality score: five parts from 0 to 1, each one division; their mean; a grade.

    completeness  1 - missing cells / cells
    uniqueness    1 - duplicate rows / rows. A row is a duplicate if an earlier one has the same key (the key columns
                  the seller declared) or, where none is declared, the same in every cell.
    validity      cells that parse as their column's kind / cells that are not missing
    timeliness    1 while the newest date is no older than the promised update interval, then interval / age in days;
                  it applies only where an interval is promised and the file holds a date
    consistency   rows that break no rule / rows. The rules: as many cells as the header (a JSON line: an object), and
                  every pair of `consistency.rules` in order.

Rows whose number of cells differs from the header's count for consistency only; the other parts are of the rest.
The score is the mean of the parts that apply: none applies to a file without rows. Grade A from 0.95, B from 0.85, C
from 0.70, else D, of the score as it is kept: to four decimals.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

COMPLETENESS, UNIQUENESS, VALIDITY = "completeness", "uniqueness", "validity"
TIMELINESS, CONSISTENCY = "timeliness", "consistency"

# The promised interval in days, the longest that the word allows. Other words promise none.
UPDATE_DAYS = {"real_time": 1, "daily": 1, "weekly": 7, "monthly": 31, "quarterly": 92, "yearly": 366}
# The least score of each grade, best first: the only place that says so.
GRADES = {"A": 0.95, "B": 0.85, "C": 0.70, "D": 0.0}
DECIMALS = 4  # a score is kept to so many


@dataclass(frozen=True)
class Part:
    """`good` of `of` are as they should be; a part does not apply if `of` is 0."""

    good: int
    of: int

    @property
    def score(self) -> float | None:
        return self.good / self.of if self.of else None


def timeliness(newest_on: datetime.date | None, as_of: datetime.date, update_frequency: str) -> Part:
    """The interval over the age, both in days; 1 of 1 while it is fresh."""
    interval = UPDATE_DAYS.get(update_frequency)
    if interval is None or newest_on is None:
        return Part(0, 0)
    age = max((as_of - newest_on).days, 0)
    return Part(1, 1) if age <= interval else Part(interval, age)


def grade_of(score: float | None) -> str | None:
    """The letter of a score from 0 to 1; None where there is none."""
    if score is None:
        return None
    return next(letter for letter, least in GRADES.items() if round(score, DECIMALS) >= least)


def judged(parts: dict[str, Part]) -> dict[str, object]:
    """The parts with what they were computed from, the score and the grade."""
    scores = [part.score for part in parts.values() if part.score is not None]
    score = sum(scores) / len(scores) if scores else None
    return {
        "score": score,
        "grade": grade_of(score),
        "parts": {name: {"score": part.score, "good": part.good, "of": part.of} for name, part in parts.items()},
    }
