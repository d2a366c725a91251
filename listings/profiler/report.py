"""The report on one file, as JSON:

format          csv, jsonl, json, parquet, xlsx, gzip, zip or other; for `other` only size_bytes and sha256 follow
more_tables     further sheets of a workbook or files of an archive, each with all that follows sha256
size_bytes, sha256      of the file as read
encoding, delimiter, has_header, sheet, sheets_not_described, entry, entries_not_described    where there are any
paths           [{path, types}] of nested JSON and Parquet
rows, uneven_rows       rows in all; those among them with another number of cells than the header (not described)
columns         [{name, type, missing, missing_share, distinct, distinct_is_exact, min, max, mean, deviation,
                quartiles, examples, personal: {verdict, rate, cells, kinds}}]; what could show personal data is
                null or empty in a column whose verdict is personal or contains.
                Of the sample, and told only of columns without any find: frequent [{value, share of the present
                cells}], bars (counts over the range from min to max); language and place: see those modules
duplicates      {rows, measured_rows, is_exact, key_columns, unknown_key_columns}; rows: copies of an earlier row
newest_date     the newest date that is not after `as_of`, or null
personal_data   {searched_rows, columns: [names of columns with any]}
preview         the first rows, at most 20 rows of 100 columns, masked
quality         {score, grade, parts: {name: {score, good, of}}, rules}; formulas in `quality`
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from . import quality
from .columns import COLUMNS_PER_PASS, Column, measure
from .consistency import broken, rules
from .csv_rows import open_csv
from .distribution import DETAILED_COLUMNS, frequent, has_plot
from .engine import Rows, connect
from .failures import Unreadable, _
from .first_reading import FirstReading, read_through
from .formats import CSV, GZIPPED, JSON_ARRAY, JSON_LINES, OTHER, PARQUET, XLSX, ZIPPED, format_of
from .geography import places_in
from .harmless import require_harmless
from .json_rows import open_json
from .languages import language_of
from .packed import Packed, entries_of
from .parquet_rows import open_parquet
from .progress import Progress
from .sampling import Sample, shown
from .tables import TEXT, Table
from .verdicts import CONTAINS, NONE, PERSONAL, Verdict
from .xlsx_rows import open_xlsx

COUNTED_ROWS = 4_000_000  # above, duplicates are counted among rows drawn by their hash, which keeps copies together
LATER_PASSES = 3  # duplicates, rules, sample


def report_on(
    path: Path,
    *,
    name: str,
    key_columns: list[str],
    update_frequency: str,
    as_of: datetime.date,
    memory_bytes: int,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Describe the file. Raises Unreadable."""
    progress = progress or Progress()
    progress.size_bytes = path.stat().st_size or 1
    reading = read_through(path, progress.bytes)
    require_harmless(path, name, reading)
    kind = format_of(name, reading)
    report: dict[str, Any] = {"format": kind, "size_bytes": reading.size_bytes, "sha256": reading.sha256}
    connection = connect(memory_bytes)
    asked = _Asked(key_columns, update_frequency, as_of, memory_bytes)
    more: list[dict[str, Any]] = []
    for table in _tables(kind, name, path, reading, connection, memory_bytes, report):
        described = _described_table(table, connection, asked, progress)
        if "columns" in report:
            more.append(described)
        else:
            report |= described
    return report | ({"more_tables": more} if more else {})


@dataclasses.dataclass(frozen=True)
class _Asked:
    """What the caller wants to know of each table, and in how much memory."""

    key_columns: list[str]
    update_frequency: str
    as_of: datetime.date
    memory_bytes: int


def _tables(
    kind: str,
    name: str,
    path: Path,
    reading: FirstReading,
    connection: duckdb.DuckDBPyConnection,
    memory_bytes: int,
    report: dict[str, Any],
) -> Iterator[Table]:
    """The tables of a file, opened one after the other; what is not described is noted in the report."""
    if kind == OTHER:
        return
    if kind == PARQUET:
        yield open_parquet(path, connection)
        return
    connection.execute("SET enable_external_access=false")  # the engine is given rows and needs no file of its own
    if kind == XLSX:
        yield from open_xlsx(path, memory_bytes)
    elif kind == GZIPPED:
        yield _open_text(Packed(path), name[: -len(".gz")])
    elif kind == ZIPPED:
        entries, report["entries_not_described"] = entries_of(path)
        for entry in entries:
            table = _open_text(entry, entry.name)
            table.facts["entry"] = entry.entry[:300]
            yield table
    elif kind == CSV:
        yield open_csv(path, reading)
    else:
        yield open_json(path, reading, is_array=kind == JSON_ARRAY)


def _open_text(packed: Packed, name: str) -> Table:
    reading = read_through(packed)
    kind = format_of(name, reading)
    if kind == CSV:
        return open_csv(packed, reading)
    if kind in (JSON_LINES, JSON_ARRAY):
        return open_json(packed, reading, is_array=kind == JSON_ARRAY)
    raise Unreadable("broken_file", _("What is packed is not what its name says; send it unpacked."))


def _described_table(
    table: Table, connection: duckdb.DuckDBPyConnection, asked: _Asked, progress: Progress
) -> dict[str, Any]:
    """All that is told of one table. Raises Unreadable."""
    progress.expect(-(-len(table.names) // COLUMNS_PER_PASS) + LATER_PASSES, table.rows_at_most)
    rows = Rows(table, connection, asked.memory_bytes, progress)
    total, columns = measure(rows, asked.as_of)
    if total == 0 and table.uneven_rows:
        raise Unreadable("broken_file", _("No row has as many cells as the header; this is no table with that header."))
    uneven_rows = table.uneven_rows  # counted by the first pass, counted again by each further one
    duplicates = _duplicates(rows, asked.key_columns)
    pairs = rules(columns)
    broken_rows = _broken_rows(rows, columns, pairs) if pairs else 0
    sample = Sample(rows, total, columns, asked.memory_bytes)
    verdicts = [sample.verdict(place) for place in range(len(columns))]
    details = _details(sample, columns, verdicts)
    newest_on = max((column.newest_on for column in columns if column.newest_on), default=None)
    cells = total * len(columns)
    present = sum(column.present for column in columns)
    parts = {
        quality.COMPLETENESS: quality.Part(present, cells),
        quality.UNIQUENESS: quality.Part(duplicates["measured_rows"] - duplicates["rows"], duplicates["measured_rows"]),
        quality.VALIDITY: quality.Part(sum(column.valid for column in columns), present),
        quality.TIMELINESS: quality.timeliness(newest_on, asked.as_of, asked.update_frequency),
        quality.CONSISTENCY: quality.Part(total - broken_rows, total + uneven_rows),
    }
    return table.facts | {
        "rows": total + uneven_rows,
        "uneven_rows": uneven_rows,
        "columns": [
            _described(column, verdict, total, sample.examples(place, verdict)) | details[place]
            for place, (column, verdict) in enumerate(zip(columns, verdicts, strict=True))
        ],
        "duplicates": duplicates,
        "newest_date": newest_on.isoformat() if newest_on else None,
        "personal_data": {
            "searched_rows": sample.rows,
            "columns": [
                column.name for column, verdict in zip(columns, verdicts, strict=True) if verdict.column != NONE
            ],
        },
        "preview": sample.preview(verdicts),
        "quality": quality.judged(parts)
        | {"rules": [f"{columns[low].name} is not after {columns[high].name}" for low, high in pairs]},
    }


def _broken_rows(rows: Rows, columns: list[Column], pairs: list[tuple[int, int]]) -> int:
    places = sorted({place for pair in pairs for place in pair})
    return int(rows.ask(f"SELECT count(*) FILTER ({broken(columns, pairs)}) FROM {rows.parsed(places)}")[0][0])


def _duplicates(rows: Rows, key_columns: list[str]) -> dict[str, Any]:
    """How many rows repeat an earlier one, by a 64-bit hash of their cells.

    The hash errs once in two million files of four million rows.
    """
    names = rows.table.names
    key = [names.index(name) for name in key_columns if name in names]
    compared = ", ".join(f"c{place}" for place in key or range(len(names)))
    one_in = max(-(-rows.table.rows_at_most // COUNTED_ROWS), 1)
    found, distinct = rows.ask(
        f"SELECT count(row_hash), count(DISTINCT row_hash) FROM (SELECT hash({compared}) AS row_hash FROM {rows.raw}) "
        f"WHERE row_hash % {one_in} = 0"
    )[0]
    return {
        "rows": found - distinct,
        "measured_rows": found,
        "is_exact": one_in == 1,
        "key_columns": [names[place] for place in key],
        "unknown_key_columns": [name for name in key_columns if name not in names],
    }


def _details(sample: Sample, columns: list[Column], verdicts: list[Verdict]) -> list[dict[str, Any]]:
    """How the values of each column are spread and what they speak of; of their values nothing if they are personal."""
    looked_at = columns[:DETAILED_COLUMNS]
    values = [sample.values(place) for place in range(len(looked_at))]
    said = places_in(looked_at, values)
    details: list[dict[str, Any]] = []
    for place, column in enumerate(columns):
        if place >= len(looked_at):
            details.append({"frequent": [], "bars": [], "language": "", "place": ""})
            continue
        is_told = verdicts[place].column == NONE
        cells = max(sum(times for _, times in values[place]), 1)
        details.append(
            {
                "frequent": [
                    {"value": shown(cell), "share": share} for cell, share in frequent(column, values[place], cells)
                ]
                if is_told
                else [],
                "bars": sample.bars(place) if is_told and has_plot(column) else [],
                "language": language_of(values[place]) if column.kind == TEXT else "",
                "place": said[place],
            }
        )
    return details


def _described(column: Column, verdict: Verdict, total: int, examples: list[str]) -> dict[str, Any]:
    """One column; nothing of its values if they are personal."""
    hides = verdict.column in (PERSONAL, CONTAINS)
    lowest, highest = column.lowest, column.highest
    if column.kind == TEXT and column.present:
        lowest, highest = shown(lowest), shown(highest)
    return {
        "name": column.name,
        "type": column.kind,
        "missing": total - column.present,
        "missing_share": (total - column.present) / total if total else None,
        "distinct": column.distinct,
        "distinct_is_exact": column.is_exact,
        "min": None if hides else lowest,
        "max": None if hides else highest,
        "mean": None if hides else column.mean,
        "deviation": None if hides else column.deviation,
        "quartiles": [] if hides else column.quartiles,
        "examples": examples,
        "personal": verdict.as_json(),
    }
