"""JSON lines: one object per line, in UTF-8; its keys are the columns."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .failures import Unreadable
from .first_reading import LONGEST_LINE_BYTES, FirstReading
from .tables import MOST_COLUMNS, NESTED, Table, batches_of, column_names


def open_json_lines(path: Path, reading: FirstReading) -> Table:
    """The table in a file of JSON lines. Raises Unreadable."""
    if reading.not_utf8_at is not None or reading.has_nul:
        where = f" (byte {reading.not_utf8_at})" if reading.not_utf8_at is not None else ""
        raise Unreadable("not_utf8", f"JSON lines must be UTF-8 text, and this file is not{where}.")
    if reading.longest_line_bytes > LONGEST_LINE_BYTES:
        raise Unreadable(
            "line_too_long", f"A line is longer than {LONGEST_LINE_BYTES // 1024**2} MB; this is no table of rows."
        )
    present: Counter[str] = Counter()
    nested: Counter[str] = Counter()
    uneven = rows = 0
    for item in _items(path):
        if item is None:
            uneven += 1
            continue
        rows += 1
        for key, value in item.items():
            present[key] += 1
            if isinstance(value, dict | list):
                nested[key] += 1
        if len(present) > MOST_COLUMNS:
            raise Unreadable("too_many_columns", f"The objects have more than {MOST_COLUMNS} different keys.")
    if uneven > rows:
        raise Unreadable("broken_file", f"{uneven} of {rows + uneven} lines are no JSON object.")
    if not present:
        raise Unreadable("empty", "The file holds no JSON object with a key.")
    keys = list(present)
    table = Table(column_names(keys), rows_at_most=rows, bytes_at_most=reading.size_bytes, uneven_rows=uneven)
    table.declared = {place: NESTED for place, key in enumerate(keys) if 2 * nested[key] > present[key]}
    table.facts = {"encoding": "utf-8"}
    objects = lambda: (item for item in _items(path) if item is not None)  # noqa: E731
    table.batches = lambda: batches_of(([_text(item.get(key)) for key in keys] for item in objects()), len(keys))
    return table


def _items(path: Path) -> Iterator[dict[str, Any] | None]:
    """The object of each line that is not blank; None where the line is something else."""
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        for line in file:
            if line.isspace():
                continue
            try:
                item = json.loads(line)
            except (ValueError, RecursionError):
                item = None
            yield item if isinstance(item, dict) else None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if value is True or value is False:
        return "true" if value else "false"
    return repr(value) if isinstance(value, int | float) else json.dumps(value, ensure_ascii=False)
