"""Which kind of value the cells of a column are, decided by counting: one rule in SQL, for every format.

A cell is *missing* if it is blank or one of MISSING_WORDS in any case. A column's kind is what more than half of its
other cells parse as; whole numbers become `number` when one has a fraction, dates become `timestamp` when one has a
time of day. A column of digits is `text` when a cell begins with a needless 0 or has more than 18 digits, because such
cells are codes and not amounts. Dates are read year first (2013-01-31, 2013/1/31, 2013年1月31日, ISO 8601): day-first
and month-first cannot be told apart.
"""

from __future__ import annotations

import math
import re

from .tables import BOOLEAN, DATE, EMPTY, INTEGER, NUMBER, TEXT, TIMESTAMP

# Regular expressions of RE2. A list of words after IN would cost the engine megabytes per column.
MISSING_WORDS = r"^(?i:[\s\x{a0}\x{3000}]*|NA|N/A|#N/A|NAN|NULL|NONE|NIL|\\N)$"
TRUTHS = "^(?i:true|false|t|f|yes|no|y|n|是|否)$"
MOST_DIGITS = 18

DATE_START = re.compile(r"\d{4}[-/年]\d")


def trimmed(cell: str) -> str:
    """SQL: the cell without blanks around it. The cheap looks come first: most cells have none."""
    has_edges = f"{cell} < '!' OR suffix({cell}, ' ') OR strlen({cell}) <> length({cell})"
    return f"CASE WHEN {has_edges} THEN trim({cell}) ELSE {cell} END"


def present(trimmed: str) -> str:
    """SQL: a trimmed cell, or null if it is missing."""
    is_word = f"strlen({trimmed}) <= 4 AND ({trimmed} < '0' OR {trimmed} >= ':')"
    return f"CASE WHEN {is_word} AND regexp_matches({trimmed}, '{MISSING_WORDS}') THEN NULL ELSE {trimmed} END"


def number(cell: str) -> str:
    """SQL: the cell as a number, perhaps an infinite one, or null. What a failing cast costs is spared to words."""
    return f"CASE WHEN {cell} < ':' AND NOT contains({cell}, '_') THEN TRY_CAST({cell} AS DOUBLE) END"


def whole_number(cell: str) -> str:
    """SQL: the cell as a whole number, or null."""
    return f"CASE WHEN NOT contains({cell}, '_') AND NOT contains({cell}, '.') THEN TRY_CAST({cell} AS BIGINT) END"


def moment(cell: str) -> str:
    """SQL: the cell as a date with or without a time of day, or null."""
    iso = f"replace(replace(replace({cell}, '年', '-'), '月', '-'), '日', '')"
    plausible = f"{cell} >= '0' AND {cell} < ':' AND strlen({cell}) BETWEEN 8 AND 40 AND {cell}[5] IN ('-', '/', '年')"
    written = f"CASE WHEN contains({cell}, '年') THEN {iso} ELSE {cell} END"
    return f"CASE WHEN {plausible} THEN TRY_CAST({written} AS TIMESTAMP) END"


def counts(place: int) -> list[str]:
    """SQL aggregates for `kind_of`: present, numbers, fractions, codes, truths, dates, dates with a time of day.

    Of a column parsed by `Rows.parsed`: cells c0, finite numbers n0, moments m0, and so on.
    """
    cell, value, when = f"c{place}", f"n{place}", f"m{place}"
    has_fraction = f"(contains({cell}, '.') OR contains({cell}, 'e') OR contains({cell}, 'E'))"
    is_code = f"strlen(ltrim({cell}, '+-')) > {MOST_DIGITS} OR regexp_matches({cell}, '^[+-]?0[0-9]')"
    may_be_code = f"(strlen({cell}) > {MOST_DIGITS} OR {cell} < '1') AND NOT {has_fraction}"
    is_truth = f"strlen({cell}) <= 5 AND {cell} >= 'F' AND regexp_matches({cell}, '{TRUTHS}')"
    return [
        f"count({cell})",
        f"count({value})",
        f"count(CASE WHEN {value} IS NOT NULL AND {has_fraction} THEN 1 END)",
        f"count(CASE WHEN {value} IS NOT NULL AND {may_be_code} AND ({is_code}) THEN 1 END)",
        f"count(CASE WHEN {is_truth} THEN 1 END)",
        f"count({when})",
        f"count(CASE WHEN {when} IS NOT NULL AND contains({cell}, ':') THEN 1 END)",
    ]


def kind_of(
    present: int, numbers: int, fractions: int, codes: int, truths: int, dates: int, times: int
) -> tuple[str, int]:
    """The kind, and how many of the present cells parse as it."""
    if present == 0:
        return EMPTY, 0
    if 2 * numbers > present and codes == 0:
        return (NUMBER if fractions else INTEGER), numbers
    if 2 * dates > present:
        return (TIMESTAMP if times else DATE), dates
    if 2 * truths > present:
        return BOOLEAN, truths
    return TEXT, present


def looks_like_a_value(cell: str) -> bool:
    """A header does not hold this: a number or a date."""
    try:
        return math.isfinite(float(cell)) or bool(cell)
    except ValueError:
        return bool(DATE_START.match(cell.strip()))
