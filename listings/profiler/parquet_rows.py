"""Parquet, read by DuckDB straight from the file: only what a query touches is unpacked. Structs become paths."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from .failures import Unreadable, _
from .tables import BINARY, BOOLEAN, DATE, INTEGER, NESTED, NUMBER, TIMESTAMP, Table, column_names

INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
MOST_DEPTH = 16  # structs within structs
PLAIN = "hive_partitioning=false"  # the path of the file says nothing about its rows
# HUGEINT and UBIGINT are left to be found from the cells: they may not fit what a whole number is here.


def open_parquet(path: Path, connection: duckdb.DuckDBPyConnection) -> Table:
    """The table in a Parquet file. Raises Unreadable."""
    source = "'" + str(path).replace("'", "''") + "'"
    try:
        relation = connection.sql(f"SELECT * FROM read_parquet({source}, {PLAIN})")
        described = list(_paths(list(zip(relation.columns, relation.types, strict=True))))
        names = column_names([path for path, _, _ in described])
        sizes = connection.execute("SELECT sum(total_uncompressed_size) FROM parquet_metadata($1)", [str(path)])
        unpacked = int(sizes.fetchall()[0][0] or 0)
        counts = connection.execute("SELECT sum(num_rows) FROM parquet_file_metadata($1)", [str(path)])
        rows = int(counts.fetchall()[0][0] or 0)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise Unreadable("broken_file", _("The Parquet file is damaged: its description cannot be read.")) from error
    cells = ", ".join(f"CAST({cell} AS VARCHAR) AS c{place}" for place, (_, cell, _) in enumerate(described))
    table = Table(names, rows_at_most=rows, bytes_at_most=4 * unpacked)
    table.select = f"SELECT file_row_number AS _row, {cells} FROM read_parquet({source}, file_row_number=true, {PLAIN})"
    table.declared = {place: kind for place, column in enumerate(described) if (kind := _kind(str(column[2])))}
    if any("." in path or "[]" in path for path, _, _ in described):
        table.facts["paths"] = [{"path": path, "types": [str(found)[:200]]} for path, _, found in described]
    return table


def _paths(fields: list[tuple[str, Any]], prefix: str = "", within: str = "", depth: int = 1) -> Iterator[Any]:
    """For each leaf its path, the SQL of its cell, and its type; a struct's fields are leaves, a list is one."""
    for name, found in fields:
        quoted = '"' + name.replace('"', '""') + '"'
        cell = f"{within}.{quoted}" if within else quoted
        if found.id == "struct" and depth < MOST_DEPTH:
            yield from _paths(found.children, f"{prefix}{name}.", f"({cell})", depth + 1)
        else:
            yield prefix + name + ("[]" if str(found).endswith("]") else ""), cell, found


def _kind(type_name: str) -> str:
    """The kind of a DuckDB type; empty where the cells must be looked at."""
    if type_name in INTEGERS:
        return INTEGER
    if type_name in ("FLOAT", "DOUBLE") or type_name.startswith("DECIMAL"):
        return NUMBER
    if type_name.startswith("TIMESTAMP"):
        return TIMESTAMP
    if type_name.startswith(("STRUCT", "MAP", "UNION")) or type_name.endswith("]"):
        return NESTED
    return {"BOOLEAN": BOOLEAN, "DATE": DATE, "BLOB": BINARY}.get(type_name, "")
