"""Per-column facts: kind, missing, distinct, extremes, mean and quartiles. Counts are exact; see `EXACT_ROWS`."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

from .engine import Rows
from .kinds import counts, kind_of, whole_number
from .tables import BINARY, DATE, INTEGER, NESTED, NUMBER, TEXT, TIMESTAMP

EXACT_ROWS = 100_000  # above, distinct values (HyperLogLog) and quartiles (t-digest) are estimated, a few percent off
# Long questions cost planning time and address space; but each one is a pass over a file that is not kept.
COLUMNS_PER_QUESTION, COLUMNS_PER_PASS = 8, 16
LONGEST_SHOWN = 120  # characters of a cell shown anywhere
COUNTS, FACTS = 7, 12  # how many aggregates `kinds.counts` and `_facts` give
EXACT_DOUBLE = 2**53  # above, a double no longer tells whole numbers apart


@dataclass
class Column:
    """What was measured of one column. `lowest` and `highest` are numbers, or text as the file has it."""

    name: str
    kind: str
    present: int
    valid: int  # present cells that parse as the column's kind
    size_bytes: int  # of all its text
    distinct: int = 0
    is_exact: bool = True  # whether `distinct` and `quartiles` are
    lowest: Any = None
    highest: Any = None
    mean: float | None = None
    deviation: float | None = None
    quartiles: list[float | None] = field(default_factory=list)
    newest_on: datetime.date | None = None  # the newest date that is not after the day of measuring


def measure(rows: Rows, as_of: datetime.date) -> tuple[int, list[Column]]:
    """The number of rows in the columns, and the columns: one pass for every few of them."""
    total, columns = 0, []
    numbers = range(len(rows.table.names))
    step = columns_per_question(rows)
    is_exact = rows.at_most <= EXACT_ROWS
    for start in range(0, len(numbers), step):
        part = numbers[start : start + step]
        asked = [question for place in part for question in (*counts(place), *_facts(place, is_exact, as_of))]
        total, *answers = rows.ask(f"SELECT count(*), {', '.join(asked)} FROM {rows.parsed(part)}")[0]
        for position, place in enumerate(part):
            mine = answers[position * (COUNTS + FACTS) : (position + 1) * (COUNTS + FACTS)]
            columns.append(_column(rows, place, mine, is_exact))
    return total, columns


def columns_per_question(rows: Rows) -> int:
    return COLUMNS_PER_QUESTION if rows.is_kept else COLUMNS_PER_PASS


def _facts(place: int, is_exact: bool, as_of: datetime.date) -> list[str]:
    """SQL aggregates of a parsed column for whichever kind it turns out to be."""
    cell, value, when = f"c{place}", f"n{place}", f"m{place}"
    return [
        f"sum(strlen({cell}))",
        f"count(DISTINCT {cell})" if is_exact else f"approx_count_distinct({cell})",
        f"min({value})",
        f"max({value})",
        f"avg({value})",
        f"stddev_samp({value})",
        f"{'quantile_cont' if is_exact else 'approx_quantile'}({value}, [0.25, 0.5, 0.75])",
        f"min({when})",
        f"max({when})",
        f"max(CASE WHEN {when} < TIMESTAMP '{as_of.isoformat()}' + INTERVAL 1 DAY THEN {when} END)",
        f"left(min({cell}), {LONGEST_SHOWN})",
        f"left(max({cell}), {LONGEST_SHOWN})",
    ]


def _column(rows: Rows, place: int, answers: list[Any], is_exact: bool) -> Column:
    counted, facts = answers[:COUNTS], answers[COUNTS:]
    size_bytes, distinct, lowest, highest, mean, deviation, quartiles, first, last, newest, low, high = facts
    kind, valid = kind_of(*counted)
    if counted[0] and place in rows.table.declared:
        kind, valid = rows.table.declared[place], counted[0]
    column = Column(rows.table.names[place], kind, counted[0], valid, int(size_bytes or 0), min(distinct, counted[0]))
    column.is_exact = is_exact
    if kind in (INTEGER, NUMBER):
        column.lowest, column.highest = lowest, highest
        column.mean, column.deviation = _settled(mean), _settled(deviation)
        column.quartiles = [_settled(quartile) for quartile in quartiles or []]
        if kind == INTEGER:
            column.lowest, column.highest = _whole(rows, place, lowest, highest)
    elif kind in (DATE, TIMESTAMP):
        column.lowest, column.highest = _shown(first, kind), _shown(last, kind)
        column.newest_on = newest.date() if isinstance(newest, datetime.datetime) else None
    elif kind == TEXT:
        column.lowest, column.highest = low, high
    return column


def _whole(rows: Rows, place: int, lowest: float | None, highest: float | None) -> tuple[Any, Any]:
    if lowest is None or highest is None:
        return lowest, highest
    if max(abs(lowest), abs(highest)) < EXACT_DOUBLE:
        return int(lowest), int(highest)
    value = whole_number(f"c{place}")
    return rows.ask(f"SELECT min({value}), max({value}) FROM {rows.cells([place])}")[0]


def _settled(value: float | None) -> float | None:
    """Twelve digits: the last ones depend on the order in which two threads add up."""
    return None if value is None else float(f"{value:.12g}")


def _shown(value: Any, kind: str) -> str | None:
    """A moment as ISO 8601. DuckDB answers with text where the year is beyond Python's."""
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if kind == DATE else value.isoformat(" ")
    return None if value is None else str(value)


def has_examples(column: Column) -> bool:
    return column.kind not in (BINARY, NESTED)
