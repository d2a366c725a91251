"""A sample of the rows, kept in memory: personal data is looked for in it, examples and the preview come from it."""

from __future__ import annotations

import dataclasses
import math

from .columns import LONGEST_SHOWN, Column, has_examples
from .distribution import BARS, MOST_VALUES
from .engine import Rows
from .personal import WORTH_A_LOOK, masked
from .tables import DATE, TIMESTAMP
from .verdicts import CONTAINS, PERSONAL, Verdict, verdict_on

PREVIEW_ROWS = 20
PREVIEW_COLUMNS = 100
EXAMPLES = 5
SAMPLE_ROWS = 100_000
LONGEST_SEARCHED = 10_000  # characters of a cell that are searched
LONGEST_COMPARED = 500  # characters by which cells are told apart
MASK = "•••"


class Sample:
    """Every row of a modest file; of a larger one, rows drawn by a hash of their number, and the first ones."""

    def __init__(self, rows: Rows, total: int, columns: list[Column], memory_bytes: int) -> None:
        bytes_per_row = sum(column.size_bytes for column in columns) // max(total, 1) + 32 * len(columns)
        most = max(PREVIEW_ROWS, min(SAMPLE_ROWS, memory_bytes // 8 // bytes_per_row))
        one_in = -(-total // most) if total > most else 1
        self.columns = columns
        self.connection = rows.connection
        self.cells = rows.fetch(f"SELECT * FROM {rows.raw} WHERE _row < {PREVIEW_ROWS} OR hash(_row) % {one_in} = 0")
        self.rows = self.cells.num_rows
        self.engine = Rows(dataclasses.replace(rows.table, batches=None, select="FROM sampled"), rows.connection, 0)

    def _source(self, places: range) -> str:
        """SQL: these columns of the sample."""
        self.connection.register("sampled", self.cells.select(["_row", *(f"c{place}" for place in places)]))
        return self.engine.cells(places)

    def verdict(self, place: int) -> Verdict:
        """What personal data column number `place` holds."""
        cells = self._source(range(place, place + 1))
        worth = f"regexp_matches(c{place}, '{WORTH_A_LOOK}')"
        found = self.engine.ask(
            f"SELECT CASE WHEN {worth} THEN left(c{place}, {LONGEST_SEARCHED}) END AS cell, count(c{place}) "
            f"FROM {cells} GROUP BY cell"
        )
        return verdict_on(
            sum(count for _, count in found), ((cell, count) for cell, count in found if cell is not None)
        )

    def examples(self, place: int, verdict: Verdict) -> list[str]:
        """The first few different cells of a column, unless it is personal."""
        if verdict.column in (PERSONAL, CONTAINS) or not has_examples(self.columns[place]):
            return []
        rows = self.engine.ask(
            f"SELECT left(c{place}, {LONGEST_SEARCHED}) AS cell FROM {self._source(range(place, place + 1))} "
            f"WHERE c{place} IS NOT NULL GROUP BY cell ORDER BY min(_row) LIMIT {EXAMPLES}"
        )
        return [shown(row[0]) for row in rows]

    def values(self, place: int) -> list[tuple[str, int]]:
        """The different cells of a column and how often each occurs, the most frequent first; not all of many."""
        found = self.engine.ask(
            f"SELECT left(c{place}, {LONGEST_COMPARED}) AS cell, count(*) AS times "
            f"FROM {self._source(range(place, place + 1))} WHERE c{place} IS NOT NULL "
            f"GROUP BY cell ORDER BY times DESC, cell LIMIT {MOST_VALUES}"
        )
        return [(str(cell), int(times)) for cell, times in found]

    def bars(self, place: int) -> list[int]:
        """How many cells fall in each bar of a plot over the column's range."""
        column = self.columns[place]
        self._source(range(place, place + 1))
        value = f"epoch(m{place})" if column.kind in (DATE, TIMESTAMP) else f"n{place}"
        parsed = self.engine.parsed([place])
        low, high = self.engine.ask(f"SELECT min({value}), max({value}) FROM {parsed}")[0]
        if low is None or not math.isfinite(high - low) or high == low:
            return []
        bar = f"least(floor(({value} - {low!r}) / {high - low!r} * {BARS}), {BARS - 1})::INTEGER"
        counts = dict(self.engine.ask(f"SELECT {bar} AS bar, count({value}) FROM {parsed} GROUP BY bar"))
        return [int(counts.get(number, 0)) for number in range(BARS)]

    def preview(self, verdicts: list[Verdict]) -> list[list[str | None]]:
        """The first rows, personal columns masked whole, other finds masked in place."""
        places = range(min(len(self.columns), PREVIEW_COLUMNS))
        selected = ", ".join(f"left(c{place}, {LONGEST_SEARCHED})" for place in places)
        rows = self.engine.ask(
            f"SELECT {selected} FROM {self._source(places)} WHERE _row < {PREVIEW_ROWS} ORDER BY _row"
        )
        return [
            [
                None if cell is None else MASK if verdicts[place].column == PERSONAL else shown(cell)
                for place, cell in enumerate(row)
            ]
            for row in rows
        ]


def shown(cell: str) -> str:
    """The cell as anybody may see it: finds masked, then cut."""
    safe = masked(cell, MASK)
    return safe if len(safe) <= LONGEST_SHOWN else safe[: LONGEST_SHOWN - 1] + "…"
