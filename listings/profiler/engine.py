"""DuckDB, locked down and small, over the rows of one table."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa

from .failures import Unreadable, _
from .kinds import moment, number, present, trimmed
from .progress import Progress
from .tables import Table

KEPT_COLUMNS = 200  # each costs a quarter of a megabyte to keep, however few its rows
KEPT_SHARE = 6  # a table estimated below a sixth of the memory is parsed once and kept


def connect(memory_bytes: int) -> duckdb.DuckDBPyConnection:
    """An engine that loads no extension, writes no file and takes a third of the memory at most."""
    connection = duckdb.connect(config={"threads": 2, "memory_limit": f"{memory_bytes // 3 // 1024**2}MiB"})
    for setting in (
        "autoinstall_known_extensions=false",
        "autoload_known_extensions=false",
        "allow_community_extensions=false",
        "allow_persistent_secrets=false",
        "python_enable_replacements=false",
        "enable_progress_bar=false",
        "preserve_insertion_order=false",
        "temp_directory=''",
    ):
        connection.execute(f"SET {setting}")
    return connection


class Rows:
    """Asks questions of a table: each `ask` is one pass over the file, or over what was kept of a small one."""

    def __init__(
        self, table: Table, connection: duckdb.DuckDBPyConnection, memory_bytes: int, progress: Progress | None = None
    ) -> None:
        self.table = table
        self.connection = connection
        self.progress = progress or Progress()
        self.raw = f"({table.select})" if table.select else "rows_of_file"  # SQL: the rows as the file has them
        self.is_kept = False
        self.at_most = table.rows_at_most  # the rows, or more
        if table.bytes_at_most < memory_bytes // KEPT_SHARE and len(table.names) <= KEPT_COLUMNS:
            self.ask(f"CREATE OR REPLACE TABLE kept AS SELECT * FROM {self.raw}")
            self.raw, self.is_kept = "kept", True
            self.at_most = self.ask("SELECT count(*) FROM kept")[0][0]

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        """The answer to one question. Raises Unreadable if the file breaks off on the way."""
        with self._one_pass():
            return self.connection.execute(question).fetchall()

    def fetch(self, question: str) -> pa.Table:
        """The answer as a table of its own. Raises Unreadable like `ask`."""
        with self._one_pass():
            return self.connection.sql(question).to_arrow_table()

    def cells(self, columns: range | list[int]) -> str:
        """SQL: the rows with only these columns, their cells trimmed, and null where missing (see `kinds`)."""
        without_edges = ", ".join(["_row", *(f"{trimmed(f'c{number}')} AS t{number}" for number in columns)])
        selected = ", ".join(["_row", *(f"{present(f't{number}')} AS c{number}" for number in columns)])
        return f"(SELECT {selected} FROM (SELECT {without_edges} FROM {self.raw}))"

    def parsed(self, columns: range | list[int]) -> str:
        """SQL: `cells`, and of each cell c0 its finite number n0 and its moment m0, null where it is none."""
        tried = ", ".join(f"c{p}, {number(f'c{p}')} AS r{p}, {moment(f'c{p}')} AS m{p}" for p in columns)
        finite = ", ".join(f"c{p}, m{p}, CASE WHEN isfinite(r{p}) THEN r{p} END AS n{p}" for p in columns)
        return f"(SELECT _row, {finite} FROM (SELECT _row, {tried} FROM {self.cells(columns)}))"

    @contextlib.contextmanager
    def _one_pass(self) -> Iterator[None]:
        try:
            if not self.is_kept and self.table.batches:
                self.connection.register("rows_of_file", self.table.reader(self.progress.rows))
            yield
            self.progress.passed()
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error as error:
            if self.table.failure:
                raise self.table.failure from error
            raise Unreadable(
                "broken_file", _("The rows of the file cannot be read to its end; it is damaged.")
            ) from error
