"""The data plane through the web server that `up` starts: slow readers, broken lines, memory."""

from __future__ import annotations

import contextlib
import hashlib
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
import pytest
from django.db import connection

from settlement.channels.files import links
from settlement.models import Receipt
from tests import rows

CONTENT = os.urandom(1024 * 1024) * 64
AT_ONCE = 3


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def peak_kib(pid: int) -> int:
    """The most memory this process and its children have held."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
            if pid in (int(fields["Pid"]), int(fields["PPid"])):
                total += int(fields.get("VmHWM", "0 kB").split()[0])
    return total


@pytest.fixture
def storage_folder(settings, tmp_path) -> Path:
    settings.STORAGE_DIR = tmp_path / "storage"
    return settings.STORAGE_DIR


@pytest.fixture
def web(transactional_db, storage_folder, settings, tmp_path) -> Iterator[tuple[str, int, Path]]:
    """A web server like that of `up`, on the test's database: its address, process and log."""
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path="/" + connection.settings_dict["NAME"]).geturl()
    url = settings.BASE_URL = f"http://127.0.0.1:{free_port()}"
    chosen = {
        "DATABASE_URL": database,
        "BASE_URL": url,
        "STORAGE_DIR": str(storage_folder),
        "DOWNLOADS_AT_ONCE_PER_PERSON": str(AT_ONCE),
    }
    served = ["--interface", "wsgi", "--workers", "1", "--blocking-threads", "8", "--no-ws"]
    listens = ["--host", "127.0.0.1", "--port", str(urlsplit(url).port)]
    log = tmp_path / "web.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "granian", *served, *listens, "marketplace.wsgi:application"],
            env=os.environ | chosen,
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{url}/data/files/x/y", timeout=30).status_code == 403:
                    break
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield url, process.pid, log
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def test_slow_readers_block_nobody_and_what_they_held_is_given_back(web):
    url, pid, log = web
    grant = rows.opened(rows.a_grant(rows.a_trade(rows.an_offer({"big.bin": CONTENT})), "files"))
    target = links.links(grant, by=grant.trade.buyer.created_by)[0]["url"]
    head = httpx.head(target)
    assert (head.status_code, head.headers["Content-Length"], head.content) == (200, str(len(CONTENT)), b"")
    before_kib = peak_kib(pid)
    readers = []
    with contextlib.ExitStack() as lines:
        for _ in range(AT_ONCE):
            line = lines.enter_context(socket.create_connection(("127.0.0.1", urlsplit(url).port)))
            line.sendall(f"GET {urlsplit(target).path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            assert b"200 OK" in line.recv(64)
            readers.append(line)
        refused = httpx.get(target)
        assert (refused.status_code, refused.json()["code"]) == (503, "too_many_downloads")
        assert httpx.get(f"{url}/data/files/x/y", timeout=5).status_code == 403, "others are still served"
    assert Receipt.objects.count() == AT_ONCE
    deadline = time.monotonic() + 20
    while (answer := httpx.get(target)).status_code == 503:
        assert time.monotonic() < deadline, "a broken line gives its place back"
        time.sleep(0.1)
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(CONTENT).digest()
    assert peak_kib(pid) - before_kib < len(CONTENT) // 1024 // 2, "never a whole file in memory"
    token = urlsplit(target).path.split("/")[3]
    assert token not in log.read_text()
    assert "/data/files/…/big.bin" in log.read_text()
