"""Worlds many tests begin with: walked once by the real commands, then laid again as the rows and files they wrote.

A product on sale with its people takes some two hundred statements, and a third of the time of settlement's tests went
into the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from marketplace import clock

# What migrations lay and no test changes.
LAID = {"django_migrations", "django_content_type", "auth_permission"}
# What lies there before a test begins: laid by migrations, and but for the followers again after each emptying.
LAID_AT_FIRST = {"settlement_feeschedule", "compliance_tier", "marketplace_follower"}


@dataclass(frozen=True)
class World:
    """What its maker gave (primary keys), its rows by table and columns as COPY writes them, its files by path."""

    given: Any
    rows: dict[str, bytes]
    files: dict[Path, bytes]


_kept: dict[Any, World] = {}


def filled(cursor: Any) -> list[str]:
    """The tables that hold a row, of those a test may fill."""
    tables = [name for name in connection.introspection.table_names(cursor) if name not in LAID]
    cursor.execute(" UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in tables))  # noqa: S608
    return [name for (name,) in cursor.fetchall()]


def as_rows_alone(cursor: Any) -> None:
    """No trigger and no foreign key is asked until the transaction ends: a superuser, as ours is, may say so."""
    replica = "SELECT set_config('session_replication_role', 'replica', true) FROM pg_roles"
    cursor.execute(f"{replica} WHERE rolname = current_user AND rolsuper")


def again(make: Callable[[], Any]) -> Any:
    """What `make` gives, primary keys, with all it writes: laid again where it was kept, else made.

    It is made where anything was there before or the clock is moved, and kept apart for each state of the settings: it
    may turn out otherwise.
    """
    with connection.cursor() as cursor:
        before = {name: _count(cursor, name) for name in filled(cursor)}
    if clock.is_moved() or settings.STORAGE_URL or not before.keys() <= LAID_AT_FIRST:
        return make()
    chosen = tuple((name, repr(getattr(settings, name))) for name in dir(settings) if name.isupper())
    surroundings = make.__qualname__, tuple(sorted(before.items())), chosen
    kept = _kept.get(surroundings)
    if kept is not None:
        _lay(kept, before)
        return kept.given
    there = _files()
    given = make()
    _kept[surroundings] = World(given, _rows(), {path: path.read_bytes() for path in _files() - there})
    return given


def _count(cursor: Any, table: str) -> int:
    return int(cursor.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608


def _files() -> set[Path]:
    return {path for path in Path(settings.STORAGE_DIR).rglob("*") if path.is_file()}


def _rows() -> dict[str, bytes]:
    rows = {}
    with connection.cursor() as cursor:
        for name in filled(cursor):
            cursor.execute(
                "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute "
                "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
                [name],
            )
            columns = f"{name} ({cursor.fetchone()[0]})"
            with cursor.copy(f"COPY {columns} TO STDOUT") as copy:
                rows[columns] = b"".join(bytes(part) for part in copy)
    return rows


def _lay(world: World, before: Iterable[str]) -> None:
    for path, data in world.files.items():
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    with transaction.atomic(), connection.cursor() as cursor:
        as_rows_alone(cursor)
        for name in before:
            cursor.execute(f"DELETE FROM {name}")  # noqa: S608
        for columns, rows in world.rows.items():
            with cursor.copy(f"COPY {columns} FROM STDIN") as copy:
                copy.write(rows)
        cursor.execute("SET LOCAL session_replication_role = origin")
