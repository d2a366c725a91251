"""A worker that is killed at a named moment, and the passing of the time after which another takes its work over."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.utils import timezone

from marketplace.celery import app
from marketplace.claims import Claimable

WAIT_SECONDS = 60


def surroundings(**others: str) -> dict[str, str]:
    """The environment of a process that works on the test's own database, storage and servers."""
    name = str(connection.settings_dict["NAME"])
    return os.environ | {
        "DATABASE_URL": urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl(),
        "STORAGE_DIR": str(settings.STORAGE_DIR),
        "BASE_URL": settings.BASE_URL,
        **others,
    }


def die_at(at: str, task: str, folder: Path) -> int:
    """Let a worker of one process do `task` until it is killed `at` its moment (see `app`); its process id.

    A worker that does not come to that moment, or ends in any other way than by SIGKILL, fails the test.
    """
    queue, mark, log = f"crash-{uuid.uuid4().hex}", folder / "mark", folder / "worker.log"
    app.send_task(task, queue=queue)
    command = [sys.executable, "-m", "celery", "-A", "tests.crashes.app", "worker", "--pool", "solo", "--queues", queue]
    quickly = ["--without-mingle", "--without-gossip", "--without-heartbeat", "--loglevel", "INFO"]
    with log.open("wb") as said:
        worker = subprocess.Popen(
            [*command, *quickly],
            env=surroundings(CRASH_AT=at, CRASH_MARK=str(mark)),
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        worker.wait(WAIT_SECONDS)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"the worker never came to {at}:\n{log.read_text()}") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    assert mark.exists(), f"the worker ended before {at}:\n{log.read_text()}"
    assert mark.read_text() == str(worker.pid) and worker.returncode == -signal.SIGKILL, log.read_text()
    return worker.pid


def claims_left() -> list[Claimable]:
    """Every row that is held by a worker, alive or dead."""
    held = []
    for model in apps.get_models():
        if issubclass(model, Claimable):
            held += list(model.objects.filter(claimed_until__gt=timezone.now()))
    return held


def let_claims_lapse() -> None:
    """Instead of waiting for it: the time passes in which a dead worker's rows stay taken, at most CLAIM_SECONDS."""
    now = timezone.now()
    longest = now + dt.timedelta(seconds=settings.CLAIM_SECONDS)
    for row in claims_left():
        assert row.claimed_until is not None and row.claimed_until <= longest
        type(row).objects.filter(pk=row.pk).update(claimed_until=now)
