"""Parquet, read by DuckDB straight from the file: only what a query touches is unpacked."""

from __future__ import annotations

from pathlib import Path

import duckdb

from .failures import Unreadable
from .tables import BINARY, BOOLEAN, DATE, INTEGER, NESTED, NUMBER, TIMESTAMP, Table, column_names

INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
PLAIN = "hive_partitioning=false"  # the path of the file says nothing about its rows
# HUGEINT and UBIGINT are left to be found from the cells: they may not fit what a whole number is here.


def open_parquet(path: Path, connection: duckdb.DuckDBPyConnection) -> Table:
    """The table in a Parquet file. Raises Unreadable."""
    source = "'" + str(path).replace("'", "''") + "'"
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({source}, {PLAIN})").fetchall()
        names = column_names([row[0] for row in described])
        sizes = connection.execute("SELECT sum(total_uncompressed_size) FROM parquet_metadata($1)", [str(path)])
        unpacked = int(sizes.fetchall()[0][0] or 0)
        counts = connection.execute("SELECT sum(num_rows) FROM parquet_file_metadata($1)", [str(path)])
        rows = int(counts.fetchall()[0][0] or 0)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise Unreadable("broken_file", "The Parquet file is damaged: its description cannot be read.") from error
    cells = ", ".join(f'CAST("{_quoted(column[0])}" AS VARCHAR) AS c{place}' for place, column in enumerate(described))
    table = Table(names, rows_at_most=rows, bytes_at_most=4 * unpacked)
    table.select = f"SELECT file_row_number AS _row, {cells} FROM read_parquet({source}, file_row_number=true, {PLAIN})"
    table.declared = {place: kind for place, column in enumerate(described) if (kind := _kind(column[1]))}
    return table


def _quoted(name: str) -> str:
    return name.replace('"', '""')


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
