"""Per-column facts: kind, missing, distinct, extremes, mean and quartiles. Counts are exact; see `EXACT_ROWS`."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

from .engine import Rows
from .kinds import counts, kind_of, moment, number, whole_number
from .tables import BINARY, DATE, INTEGER, NESTED, NUMBER, TEXT, TIMESTAMP

EXACT_ROWS = 100_000  # above, distinct values (HyperLogLog) and quartiles (t-digest) are estimated, a few percent off
# Long questions cost planning time and address space; but each one is a pass over a file that is not kept.
COLUMNS_PER_QUESTION, COLUMNS_PER_PASS = 8, 16
LONGEST_SHOWN = 120  # characters of a cell shown anywhere
COUNTS = 7  # how many aggregates `kinds.counts` gives


@dataclass
class Column:
    """What was measured of one column. `lowest` and `highest` are numbers, or text as the file has it."""

    name: str
    kind: str
    present: int
    valid: int  # present cells that parse as the column's kind
    size_bytes: int  # of all its text
    distinct: int = 0
    lowest: Any = None
    highest: Any = None
    mean: float | None = None
    deviation: float | None = None
    quartiles: list[float | None] = field(default_factory=list)
    newest_on: datetime.date | None = None  # the newest date that is not after the day of measuring


def measure(rows: Rows, as_of: datetime.date) -> tuple[int, list[Column]]:
    """The number of rows in the columns, and the columns."""
    total, columns = 0, []
    numbers = range(len(rows.table.names))
    step = COLUMNS_PER_QUESTION if rows.is_kept else COLUMNS_PER_PASS
    for start in range(0, len(numbers), step):
        part = numbers[start : start + step]
        total, kinds = _find_kinds(rows, part)
        _fill(rows, part, kinds, total <= EXACT_ROWS, as_of)
        columns += kinds
    return total, columns


def _find_kinds(rows: Rows, part: range) -> tuple[int, list[Column]]:
    asked = [question for place in part for question in (*counts(f"c{place}"), f"sum(strlen(c{place}))")]
    total, *answers = rows.ask(f"SELECT count(*), {', '.join(asked)} FROM {rows.cells(part)}")[0]
    columns = []
    for place in part:
        *counted, size_bytes = answers[: COUNTS + 1]
        del answers[: COUNTS + 1]
        kind, valid = kind_of(*counted)
        if counted[0] and place in rows.table.declared:
            kind, valid = rows.table.declared[place], counted[0]
        columns.append(Column(rows.table.names[place], kind, counted[0], valid, int(size_bytes or 0)))
    return total, columns


def _fill(rows: Rows, part: range, columns: list[Column], is_exact: bool, as_of: datetime.date) -> None:
    asked: list[str] = []
    for place, column in zip(part, columns, strict=True):
        cell = f"c{place}"
        asked.append(f"count(DISTINCT {cell})" if is_exact else f"approx_count_distinct({cell})")
        if column.kind in (INTEGER, NUMBER):
            value, exact_value = number(cell), whole_number(cell) if column.kind == INTEGER else number(cell)
            quartiles = "quantile_cont" if is_exact else "approx_quantile"
            asked += [f"min({exact_value})", f"max({exact_value})", f"avg({value})", f"stddev_samp({value})"]
            asked.append(f"{quartiles}({value}, [0.25, 0.5, 0.75])")
        elif column.kind in (DATE, TIMESTAMP):
            value = moment(cell)
            asked += [f"min({value})", f"max({value})"]
            asked.append(f"max({value}) FILTER ({value} < TIMESTAMP '{as_of.isoformat()}' + INTERVAL 1 DAY)")
        elif column.kind == TEXT:
            asked += [f"min(left({cell}, {LONGEST_SHOWN}))", f"max(left({cell}, {LONGEST_SHOWN}))"]
    answers = iter(rows.ask(f"SELECT {', '.join(asked)} FROM {rows.cells(part)}")[0])
    for column in columns:
        column.distinct = min(next(answers), column.present)
        if column.kind in (INTEGER, NUMBER):
            column.lowest, column.highest = next(answers), next(answers)
            column.mean, column.deviation = _settled(next(answers)), _settled(next(answers))
            column.quartiles = [_settled(quartile) for quartile in next(answers) or []]
        elif column.kind in (DATE, TIMESTAMP):
            lowest, highest, newest = (next(answers) for _ in range(3))
            column.lowest, column.highest = _shown(lowest, column.kind), _shown(highest, column.kind)
            column.newest_on = newest.date() if isinstance(newest, datetime.datetime) else None
        elif column.kind == TEXT:
            column.lowest, column.highest = next(answers), next(answers)


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
