"""What every format's reader gives: columns of text, read in batches, as often as somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from .failures import Unreadable, _

MOST_COLUMNS = 1_000
BATCH_ROWS = 8_192

# The kinds of a column. A file format that knows a column's kind declares it; otherwise it is found from the cells.
INTEGER, NUMBER, BOOLEAN, DATE, TIMESTAMP = "integer", "number", "boolean", "date", "timestamp"
TEXT, NESTED, BINARY, EMPTY = "text", "nested", "binary", "empty"


@dataclass
class Table:
    """Rows of text cells in columns c0, c1, ... (`names` says what the file calls them); null is a missing cell.

    Either `batches` starts a new pass over the rows, or `select` is SQL that does.
    """

    names: list[str]
    rows_at_most: int
    bytes_at_most: int
    batches: Callable[[], Iterator[pa.RecordBatch]] | None = None
    select: str = ""
    declared: dict[int, str] = field(default_factory=dict)  # column number -> kind
    uneven_rows: int = 0  # left out of the columns because they do not have the header's cells; known after a pass
    facts: dict[str, Any] = field(default_factory=dict)  # encoding, delimiter, sheet: for the report

    failure: Exception | None = None  # why the last pass broke off; the engine would only hand on its words

    def reader(self, on_rows: Callable[[int], None]) -> pa.RecordBatchReader:
        """One pass over the rows, with `_row` counting them from 0; `on_rows` hears how many were read so far."""
        columns = [(f"c{number}", pa.string()) for number in range(len(self.names))]
        schema = pa.schema([("_row", pa.int64()), *columns])
        return pa.RecordBatchReader.from_batches(schema, self._numbered(schema, on_rows))

    def _numbered(self, schema: pa.Schema, on_rows: Callable[[int], None]) -> Iterator[pa.RecordBatch]:
        starts_at = 0
        try:
            for batch in self.batches() if self.batches else ():
                numbers = pa.arange(starts_at, starts_at + batch.num_rows)
                starts_at += batch.num_rows
                on_rows(starts_at)
                yield pa.RecordBatch.from_arrays([numbers, *batch.columns], schema=schema)
        except Exception as failure:
            self.failure = failure
            raise


def batches_of(rows: Iterator[list[str | None]], columns: int) -> Iterator[pa.RecordBatch]:
    """Rows of Python cells as batches; every row has `columns` cells."""
    names = [f"c{number}" for number in range(columns)]
    waiting: list[list[str | None]] = []
    rows_per_batch = max(1, min(BATCH_ROWS, 1_000_000 // max(1, columns)))
    for row in rows:
        waiting.append(row)
        if len(waiting) == rows_per_batch:
            yield _batch(waiting, names)
            waiting = []
    if waiting:
        yield _batch(waiting, names)


def _batch(rows: list[list[str | None]], names: list[str]) -> pa.RecordBatch:
    columns = [list(column) for column in zip(*rows, strict=True)]
    return pa.RecordBatch.from_arrays([_text_array(column) for column in columns], names=names)


def _text_array(cells: list[str | None]) -> pa.Array:
    try:
        return pa.array(cells, pa.string())
    except UnicodeEncodeError:  # half of a surrogate pair, as JSON escapes allow
        mended = (cell if cell is None else cell.encode("utf-8", "replace").decode() for cell in cells)
        return pa.array(list(mended), pa.string())


def column_names(header: list[str]) -> list[str]:
    """The header's names; a nameless column is called by its place, a repeated name gets a number."""
    if len(header) > MOST_COLUMNS:
        raise Unreadable(
            "too_many_columns",
            _("The table has %(columns)s columns; at most %(most)s can be described."),
            columns=len(header),
            most=MOST_COLUMNS,
        )
    names: list[str] = []
    taken: set[str] = set()
    for place, raw in enumerate(header, start=1):
        name = raw.strip()[:200] or f"column {place}"
        if name in taken:
            name = f"{name} (column {place})"
        taken.add(name)
        names.append(name)
    return names
