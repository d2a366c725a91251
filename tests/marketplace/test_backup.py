"""A backup, made while the exchange goes on, comes back whole: rows, guards, files, and a journal that verifies."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection

from listings import storage
from marketplace import backups, journal
from marketplace.models import Event, Paper, TreeHead
from settlement.models import Transfer
from tests import trading

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept(settings, tmp_path) -> Path:
    settings.STORAGE_DIR = tmp_path / "storage"
    return tmp_path / "backups"


@pytest.fixture
def elsewhere(settings) -> Iterator[str]:
    """The address of an empty database on the same server."""
    name = f"restored_{os.getpid()}"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name}")
    parameters = connection.get_connection_params()
    yield f"postgresql://{parameters['user']}@/{name}?host={parameters['host']}"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def manage(address: str, storage_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    surroundings = os.environ | {"DATABASE_URL": address, "STORAGE_DIR": str(storage_dir)}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=django_settings.BASE_DIR, env=surroundings, capture_output=True, text=True, check=False
    )


def test_a_settled_trade_comes_back_from_a_backup(kept, elsewhere, tmp_path, settings):
    deal = trading.make_trade("settled")
    journal.seal()
    file = deal.trade.release.files.get()
    made = backups.back_up(kept)
    head = TreeHead.objects.latest("size")
    assert made.head == f"{head.size}:{bytes(head.root).hex()}"
    assert made.files_copied == 1
    assert made.dump.stat().st_mode & 0o077 == 0

    target = tmp_path / "another machine"
    done = manage(elsewhere, target, "restore", str(made.dump))
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"Restored, with 1 files.\nThe journal is whole. Head: {made.head}\n"
    settings.STORAGE_DIR = target
    assert hashlib.sha256(storage.path_of(file.stored_as).read_bytes()).hexdigest() == file.sha256
    with psycopg.connect(elsewhere) as restored:
        for model in (Event, Transfer, Paper):
            count = restored.execute(f"SELECT count(*) FROM {model._meta.db_table}").fetchone()  # noqa: S608
            assert count == (model.objects.count(),)
        row = restored.execute("SELECT state FROM settlement_trade").fetchone()
        assert row == ("settled",)
    for statement in ("DELETE FROM marketplace_event", "UPDATE settlement_trade SET state = 'proposed'"):
        with psycopg.connect(elsewhere) as restored, pytest.raises(psycopg.Error):
            restored.execute(statement)

    with psycopg.connect(elsewhere) as restored:
        restored.execute("SET session_replication_role = replica")
        restored.execute("UPDATE marketplace_event SET by_id = NULL WHERE kind = 'trade.agreed'")
    checked = manage(elsewhere, target, "verify_journal")
    position = Event.objects.get(kind="trade.agreed").seal.position
    assert checked.returncode == 1
    assert f"leaf_differs: position {position}: event" in checked.stdout


def test_what_is_not_sealed_yet_is_sealed_after_the_restore(kept, elsewhere, tmp_path):
    person = trading.factories.make_user()
    journal.record("trade.agreed", person, by=None)
    journal.seal()
    journal.record("trade.agreed", person, by=None)
    made = backups.back_up(kept)
    done = manage(elsewhere, tmp_path / "storage", "restore", str(made.dump))
    assert done.returncode == 0, done.stderr
    assert "Head: 2:" in done.stdout
    assert made.head.startswith("1:")


def test_a_dump_that_does_not_lead_to_its_head_is_told(kept, elsewhere, tmp_path):
    journal.record("trade.agreed", trading.factories.make_user(), by=None)
    journal.seal()
    made = backups.back_up(kept)
    note = made.dump.with_suffix(".json")
    note.write_text(json.dumps(json.loads(note.read_text()) | {"head": f"1:{'00' * 32}"}))
    done = manage(elsewhere, tmp_path / "storage", "restore", str(made.dump))
    assert done.returncode == 1
    assert "known_head_differs" in done.stdout
    assert "The restored journal is not whole." in done.stderr


def test_a_database_that_holds_something_is_not_overwritten_unless_told(kept, elsewhere, tmp_path):
    made = backups.back_up(kept)
    with psycopg.connect(elsewhere) as restored:
        restored.execute("CREATE TABLE precious (id int)")
    refused = manage(elsewhere, tmp_path / "storage", "restore", str(made.dump))
    assert refused.returncode == 1
    assert "The database is not empty" in refused.stderr
    with psycopg.connect(elsewhere) as restored:
        assert restored.execute("SELECT count(*) FROM precious").fetchone() == (0,)
    done = manage(elsewhere, tmp_path / "storage", "restore", str(made.dump), "--replace")
    assert done.returncode == 0, done.stderr
    with psycopg.connect(elsewhere) as restored, pytest.raises(psycopg.errors.UndefinedTable):
        restored.execute("SELECT FROM precious")


def test_a_restore_that_fails_leaves_the_database_as_it_was(kept, elsewhere, tmp_path):
    made = backups.back_up(kept)
    made.dump.write_bytes(made.dump.read_bytes()[:-20_000])
    with psycopg.connect(elsewhere) as restored:
        restored.execute("CREATE TABLE precious (id int)")
    failed = manage(elsewhere, tmp_path / "storage", "restore", str(made.dump), "--replace")
    assert failed.returncode == 1
    assert "pg_restore failed" in failed.stderr
    with psycopg.connect(elsewhere) as restored:
        assert restored.execute("SELECT count(*) FROM precious").fetchone() == (0,)
        schemas = restored.execute("SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information)'").fetchall()
    assert schemas == [("public",)]


def test_files_are_copied_once_and_half_copied_ones_again(kept, settings):
    folder = settings.STORAGE_DIR / "releases" / "ab"
    folder.mkdir(parents=True)
    (folder / "abc").write_bytes(b"content")
    (folder / "abd").write_bytes(b"more")
    assert backups.back_up(kept).files_copied == 2
    (folder / "abd").write_bytes(b"more than before")
    assert backups.back_up(kept).files_copied == 1
    assert (kept / "storage" / "releases" / "ab" / "abd").read_bytes() == b"more than before"
    assert len(list(kept.glob("*.dump"))) == 2


def test_a_failing_dump_leaves_nothing_and_says_why(kept, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABOURSE_PG_BINDIR", str(tmp_path))
    (tmp_path / "pg_dump").write_text("#!/bin/sh\necho disk full >&2\nexit 1\n")
    (tmp_path / "pg_dump").chmod(0o755)
    with pytest.raises(CommandError, match="pg_dump failed: disk full"):
        call_command("backup", str(kept))
    assert list(kept.iterdir()) == []
    with pytest.raises(CommandError, match="There is no dump"):
        call_command("restore", str(tmp_path / "none.dump"))


# --- the drill -----------------------------------------------------------------------------------------------------


def drill(elsewhere: str, kept: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As an operator calls it: with the exchange's own address, into the database that is elsewhere."""
    own = urlsplit(elsewhere)._replace(path="/" + connection.settings_dict["NAME"]).geturl()
    return manage(own, kept.parent / "storage", "drill", str(kept), *arguments)


def test_a_drill_restores_the_newest_backup_and_finds_it_whole(kept, elsewhere):
    trading.make_trade("settled")
    backups.back_up(kept)
    journal.seal()
    made = backups.back_up(kept)
    done = drill(elsewhere, kept, "--into", urlsplit(elsewhere).path[1:])
    assert done.returncode == 0, done.stderr
    assert f"Restoring {made.dump.name} into" in done.stdout
    assert f"The journal is whole. Head: {made.head}" in done.stdout
    assert f"{Event.objects.count()} events, 1 trades, {Transfer.objects.count()} transfers" in done.stdout
    assert "The books of HKD sum to 0." in done.stdout and "every file its digest" in done.stdout


def test_a_drill_fails_when_a_file_is_not_what_it_was(kept, elsewhere):
    listing = trading.make_listed()
    backups.back_up(kept)
    file = listing.current_version.release.files.get()
    stored = kept / "storage" / storage.name_of(file.stored_as)
    stored.chmod(0o600)
    stored.write_bytes(b"something else")
    done = drill(elsewhere, kept, "--into", urlsplit(elsewhere).path[1:])
    assert done.returncode == 1 and f"file {file.pk} has another digest" in done.stderr


def test_a_drill_never_touches_the_exchanges_own_database(kept, elsewhere):
    backups.back_up(kept)
    done = drill(elsewhere, kept, "--into", connection.settings_dict["NAME"])
    assert done.returncode == 1 and "own database" in done.stderr
    assert drill(elsewhere, kept / "nowhere", "--into", "another").returncode == 1
    assert "Name the folder" in drill(elsewhere, kept).stderr
