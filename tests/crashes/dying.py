"""A worker that is killed at a named moment, and the passing of the time after which another takes its work over."""

from __future__ import annotations

import atexit
import contextlib
import datetime as dt
import functools
import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.utils import timezone

from marketplace.celery import app
from marketplace.claims import Claimable
from tests import bank_messages

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


@functools.cache
def nursery() -> subprocess.Popen[str]:
    """The process that workers are forked from, one for each process of the tests; it ends with its standard input."""
    born = subprocess.Popen(
        [sys.executable, "-W", "ignore::RuntimeWarning", "-m", "tests.crashes.nursery"],
        env=surroundings(
            BANK_ACCOUNTS=json.dumps(bank_messages.ACCOUNTS),
            DJANGO_SETTINGS_MODULE=os.environ.get("DJANGO_SETTINGS_MODULE", "marketplace.settings"),
        ),
        cwd=settings.BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def close() -> None:
        with born:  # its pipes are closed, and its end is waited for
            pass

    atexit.register(close)
    return born


def die_at(at: str, task: str, folder: Path) -> int:
    """Let a worker of one process do `task` until it is killed `at` its moment (see `app`); its process id.

    A worker that does not come to that moment, or ends in any other way than by SIGKILL, fails the test.
    """
    queue, mark, log = f"crash-{uuid.uuid4().hex}", folder / "mark", folder / "worker.log"
    app.send_task(task, queue=queue)
    order = {"at": at, "mark": str(mark), "log": str(log), "queue": queue}
    order |= {"storage_dir": str(settings.STORAGE_DIR), "base_url": settings.BASE_URL}
    born = nursery()
    assert born.stdin is not None and born.stdout is not None
    print(json.dumps(order), file=born.stdin, flush=True)
    worker = int(born.stdout.readline())
    too_late = threading.Timer(WAIT_SECONDS, os.killpg, (worker, signal.SIGKILL))
    too_late.start()
    ended = int(born.stdout.readline())
    too_late.cancel()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(worker, signal.SIGKILL)  # what it had started
    assert mark.exists(), f"the worker ended before {at}:\n{log.read_text()}"
    assert mark.read_text() == str(worker) and ended == -signal.SIGKILL, log.read_text()
    return worker


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
