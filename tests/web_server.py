"""A web server like that of `up`, on the test's own database."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.db import connection

WAIT_SECONDS = 90


@contextlib.contextmanager
def running(log: Path, **variables: str) -> Iterator[str]:
    """Its address, while the block lasts. `variables` are its settings besides the test's database and storage."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{trial.getsockname()[1]}"
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    chosen = {"DATABASE_URL": database, "BASE_URL": url, "STORAGE_DIR": str(settings.STORAGE_DIR), **variables}
    served = ["--interface", "wsgi", "--workers", "1", "--blocking-threads", "16", "--no-ws"]
    listens = ["--host", "127.0.0.1", "--port", url.rpartition(":")[2]]
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "granian", *served, *listens, "marketplace.wsgi:application"],
            env=os.environ | chosen,
            stdout=said,
            stderr=said,
        )
    try:
        deadline = time.monotonic() + WAIT_SECONDS
        while not _answers(url):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{url}/healthz", timeout=30, trust_env=False).status_code == 200
    return False
