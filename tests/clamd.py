"""A real clamd with a database of one signature of our own: what it finds is as harmless as it looks."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

SIGNED = b"DATABOURSE-TEST-SIGNATURE-7c1f"
FOUND_AS = "Databourse.Test.Signature.UNOFFICIAL"
STREAM_BYTES = 4 * 1024**2


@functools.cache
def address() -> str:
    """Where the clamd of this process listens. Skips where the machine has none, unless CLAMD_NEEDED is set."""
    program = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin")
    if program is None:
        if os.environ.get("CLAMD_NEEDED"):
            pytest.fail("no clamd is installed: apt-get install clamav-daemon")
        pytest.skip("no clamd on this machine; apt-get install clamav-daemon")
    folder = Path(tempfile.mkdtemp(prefix="clamd"))
    signatures = folder / "signatures"
    signatures.mkdir()
    (signatures / "own.ndb").write_text(f"Databourse.Test.Signature:0:*:{SIGNED.hex()}\n")
    folder.chmod(0o755)
    settings = {
        "LocalSocket": folder / "socket",
        "DatabaseDirectory": signatures,
        "Foreground": "yes",
        "StreamMaxLength": STREAM_BYTES,
        "MaxScanSize": 4 * STREAM_BYTES,
        "MaxFileSize": 4 * STREAM_BYTES,
        "LogFile": folder / "log",
        "User": "root" if os.getuid() == 0 else os.environ.get("USER", ""),
    }
    said = folder / "clamd.conf"
    said.write_text("".join(f"{name} {value}\n" for name, value in settings.items() if value))
    process = subprocess.Popen([program, f"--config-file={said}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    atexit.register(lambda: (process.terminate(), process.wait(20), shutil.rmtree(folder, ignore_errors=True)))
    until = time.monotonic() + 60
    while True:
        with socket.socket(socket.AF_UNIX) as line:
            if line.connect_ex(str(folder / "socket")) == 0:
                return f"unix://{folder / 'socket'}"
        assert process.poll() is None and time.monotonic() < until, (folder / "log").read_text()
        time.sleep(0.1)
