"""Back up the database and the files, and put them back, with PostgreSQL's own pg_dump and pg_restore.

The database is dumped first and the files are copied afterwards: a file is stored before its row is committed and never
changes, so whatever the dump names is there to be copied, while the exchange goes on. Redis holds nothing to keep.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from marketplace import journal
from marketplace.journal_audit import Audit, Finding
from marketplace.models import TreeHead
from marketplace.quarters import CannotHouse, postgres_bin

STORED = "storage"
ASIDE = "before_restore"  # the schema in which what the database held waits until the restore has succeeded
# What libpq reads, by the name Django's connection has for it.
_LIBPQ = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "service": "PGSERVICE",
    "passfile": "PGPASSFILE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
}


class CannotBackUp(Exception):
    """Nothing was kept or put back; the sentence says why and what to do."""


@dataclass(frozen=True)
class Backup:
    """One backup: the dump, how many files were new, and the journal's head that the dump must lead to."""

    dump: Path
    files_copied: int
    head: str


def back_up(folder: Path) -> Backup:
    """Dump the database into `folder` and copy to it the files it has not yet. Raises CannotBackUp."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    newest = TreeHead.objects.order_by("-size").first()
    head = f"{newest.size}:{bytes(newest.root).hex()}" if newest else ""
    dump = folder / f"{timezone.now():%Y%m%dT%H%M%S%fZ}.dump"
    unfinished = dump.with_suffix(".part")
    try:
        _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={unfinished}")
        unfinished.replace(dump)
    finally:
        unfinished.unlink(missing_ok=True)
    files_copied = _copy_missing(Path(settings.STORAGE_DIR), folder / STORED)
    note = {"head": head, "made_at": timezone.now().isoformat(), "exchange": settings.EXCHANGE_NAME}
    dump.with_suffix(".json").write_text(json.dumps(note) + "\n", "utf-8")
    return Backup(dump, files_copied, head)


def restore(dump: Path, *, replace: bool) -> tuple[int, Audit, list[Finding]]:
    """Put a dump and the files beside it back, then recompute the journal: files copied, the audit, what is wrong.

    Raises CannotBackUp when the database holds tables and `replace` does not say to drop them, and when the restore
    fails; then the database is as it was.
    """
    if not dump.is_file():
        raise CannotBackUp(f"There is no dump at {dump}.")
    note = dump.with_suffix(".json")
    head = json.loads(note.read_text("utf-8"))["head"] if note.exists() else ""
    if connection.introspection.table_names() and not replace:
        raise CannotBackUp("The database is not empty; give an empty one, or --replace to drop what it holds.")
    _statements(
        f"ALTER SCHEMA public RENAME TO {ASIDE}", "CREATE SCHEMA public", "GRANT USAGE ON SCHEMA public TO PUBLIC"
    )
    try:
        options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
        _run("pg_restore", *options, f"--dbname={connection.get_connection_params()['dbname']}", str(dump))
    except CannotBackUp:
        _statements("DROP SCHEMA public CASCADE", f"ALTER SCHEMA {ASIDE} RENAME TO public")
        raise
    _statements(f"DROP SCHEMA {ASIDE} CASCADE")
    files_copied = _copy_missing(dump.parent / STORED, Path(settings.STORAGE_DIR))
    while journal.seal():  # what was recorded just before the dump was made
        pass
    size, _colon, root = head.partition(":")
    audit = Audit(known_heads={int(size): bytes.fromhex(root)} if head else {})
    return files_copied, audit, list(audit.findings())


def _statements(*statements: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _run(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on our database; its password is in no process list."""
    parameters = connection.get_connection_params()
    surroundings = {_LIBPQ[key]: str(value) for key, value in parameters.items() if key in _LIBPQ and value}
    try:
        done = subprocess.run(
            [_program(program), *arguments],
            env=os.environ | surroundings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            umask=0o077,
        )
    except OSError as error:
        raise CannotBackUp(f"{program} cannot be run: {error}") from error
    if done.returncode:
        raise CannotBackUp(f"{program} failed: {done.stderr.strip()[-1000:]}")


def _program(name: str) -> str:
    """The program of DATABOURSE_PG_BINDIR or of the wheel, which is as new as any server we support; else on PATH."""
    with suppress(CannotHouse):
        program = postgres_bin() / name
        if program.exists():
            return str(program)
    return name


def _copy_missing(source: Path, target: Path) -> int:
    """Copy the files that `target` lacks or has in another size; how many. Stored files never change."""
    copied = 0
    for path in _files(source):
        kept = target / path.relative_to(source)
        try:
            if kept.exists() and kept.stat().st_size == path.stat().st_size:
                continue
            kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished = kept.with_name(f".{kept.name}.part")
            shutil.copy2(path, unfinished)
            unfinished.replace(kept)
        except FileNotFoundError:
            continue  # an upload that was abandoned or finished meanwhile; the dump does not name it
        copied += 1
    return copied


def _files(folder: Path) -> Iterator[Path]:
    for place, _folders, names in os.walk(folder):
        for name in names:
            if not name.endswith(".part"):
                yield Path(place) / name
