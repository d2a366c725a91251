"""CSV in any common encoding: delimiter and header found from the first rows, the rest read as a stream by pyarrow."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv

from .failures import Unreadable, _
from .first_reading import LONGEST_LINE_BYTES, FirstReading
from .kinds import looks_like_a_value
from .packed import Packed
from .tables import Table, column_names
from .text_encoding import encoding_of

DELIMITERS = ",\t;|"
LOOKED_AT_ROWS = 200
YEAR = re.compile("(?:19|20)[0-9]{2}")


def open_csv(path: Path | Packed, reading: FirstReading) -> Table:
    """The table in a CSV file. Raises Unreadable."""
    encoding = encoding_of(path, reading)
    if reading.longest_line_bytes > LONGEST_LINE_BYTES:
        raise Unreadable(
            "line_too_long",
            _("A line is longer than %(megabytes)s MB; this is no table of rows."),
            megabytes=LONGEST_LINE_BYTES // 1024**2,
        )
    first_text = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)().decode(reading.head)
    delimiter, rows = sniff(first_text, is_whole=reading.size_bytes == len(reading.head))
    if not rows:
        raise Unreadable("empty", _("The file holds no row."))
    header = rows[0] if has_header(rows) else []
    widths = Counter(len(row) for row in rows[1:]) or Counter([len(rows[0])])
    width = widths.most_common(1)[0][0]
    if header and width == len(header) + 1:
        header = ["", *header]  # as R writes row names: without a name in the header
    names = column_names(header or [""] * width)
    table = Table(names, rows_at_most=reading.lines, bytes_at_most=2 * reading.size_bytes)
    table.facts = {"encoding": encoding, "delimiter": delimiter, "has_header": bool(header)}
    table.batches = lambda: _stream(path, table, encoding, delimiter, bool(header))
    return table


def sniff(text: str, is_whole: bool) -> tuple[str, list[list[str]]]:
    """The delimiter that gives the most rows of one width above 1 (else a comma), and the first rows it gives."""
    best: tuple[float, int, str, list[list[str]]] = (0, 0, ",", _first_rows(text, ",", is_whole))
    for delimiter in DELIMITERS:
        rows = _first_rows(text, delimiter, is_whole)
        width, count = Counter(len(row) for row in rows).most_common(1)[0] if rows else (1, 0)
        if width > 1 and (count / len(rows), width) > best[:2]:
            best = (count / len(rows), width, delimiter, rows)
    return best[2], best[3]


def _first_rows(text: str, delimiter: str, is_whole: bool) -> list[list[str]]:
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    csv.field_size_limit(LONGEST_LINE_BYTES)
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) > LOOKED_AT_ROWS:
                return rows
    except csv.Error:
        return rows
    return rows if is_whole or len(rows) < 2 else rows[:-1]  # the last one may be cut in two


def has_header(rows: list[list[str]]) -> bool:
    """The first row names columns: most cells are filled, and none holds a number or a date, but for years."""
    filled = [cell.strip() for cell in rows[0] if cell.strip()]
    values = [cell for cell in filled if looks_like_a_value(cell)]
    are_years = len(values) < len(filled) and len(set(values)) == len(values) and all(map(YEAR.fullmatch, values))
    return 2 * len(filled) > len(rows[0]) and (not values or are_years)


def _stream(
    path: Path | Packed, table: Table, encoding: str, delimiter: str, has_header: bool
) -> Iterator[pa.RecordBatch]:
    columns = [f"c{number}" for number in range(len(table.names))]
    table.uneven_rows = 0

    def leave_out(row: Any) -> str:
        table.uneven_rows += 1
        return "skip"

    try:
        yield from arrow_csv.open_csv(
            path if isinstance(path, Path) else path.open(),
            read_options=arrow_csv.ReadOptions(
                column_names=columns,
                skip_rows_after_names=int(has_header),
                block_size=LONGEST_LINE_BYTES,
                encoding=encoding,
                use_threads=False,
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=leave_out
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={column: pa.string() for column in columns}, null_values=[""], strings_can_be_null=True
            ),
        )
    except pa.ArrowInvalid as error:
        raise _broken(str(error)) from error


def _broken(message: str) -> Unreadable:
    if "straddling" in message:
        says = _("A quote is opened and not closed, or one row is longer than %(megabytes)s MB.")
        return Unreadable("broken_file", says, megabytes=LONGEST_LINE_BYTES // 1024**2)
    return Unreadable("broken_file", _("The rows cannot be read as CSV."))
