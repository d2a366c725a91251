"""An exchange of its own for a benchmark: `manage.py up` in a folder of its own, fsync on, and Django set up on it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from marketplace.embedded import find_running_servers

ROOT = Path(__file__).resolve().parent.parent


@contextlib.contextmanager
def running(kept: Path | None = None, **environment: str) -> Iterator[Path]:
    """The exchange, until the end of the block; its state folder: `kept`, with what an earlier run left there, or a
    new one."""
    with contextlib.ExitStack() as stack:
        folder = str(kept.absolute()) if kept else stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-"))
        Path(folder).mkdir(exist_ok=True)
        Path(folder).chmod(0o755)
        told = {**os.environ, **environment, "STATE_DIR": folder, "ADMIN_PASSWORD": "benchmarks-need-no-admin"}
        log = Path(folder, "said")
        with log.open("w") as output:
            up = subprocess.Popen(
                [
                    sys.executable,
                    "manage.py",
                    "up",
                    "--empty",
                    "--admin-email",
                    "admin@exchange.example",
                    "--port",
                    "0",
                ],
                cwd=ROOT,
                env=told,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            while "ready: " not in log.read_text():
                if up.poll() is not None:
                    raise SystemExit(f"the exchange did not start:\n{log.read_text()}")
                time.sleep(0.2)
            _set_up_django(Path(folder), log.read_text().split("ready: ")[1].split()[0])
            yield Path(folder)
        finally:
            up.send_signal(signal.SIGTERM)
            up.wait(60)


def _set_up_django(state: Path, base_url: str) -> None:
    os.environ["STATE_DIR"] = str(state)
    os.environ["BASE_URL"] = base_url
    os.environ["DJANGO_SETTINGS_MODULE"] = "marketplace.settings"
    find_running_servers(os.environ)
    import django

    django.setup()


@contextlib.contextmanager
def paused(name: str) -> Iterator[None]:
    """Every process of ours whose command names it stands still until the end of the block."""
    pids = [pid for pid in _family(os.getpid()) if name in _command_of(pid)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _command_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


class PeakMemory:
    """The most memory that our processes whose command names `name` (all by default) held together, in MB.

    Sampled ten times a second; what they share counts once.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.peak_mb = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            self.peak_mb = max(self.peak_mb, memory_of(self.name))


def memory_of(name: str) -> float:
    """What our processes whose command names `name` hold now, in MB."""
    return sum(_resident_kb(pid) for pid in _family(os.getpid()) if name in _command_of(pid)) / 1024


def _family(root: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                parents.setdefault(parent, []).append(int(folder.name))
    family, ahead = [], [root]
    while ahead:
        pid = ahead.pop()
        family.append(pid)
        ahead += parents.get(pid, [])
    return family


def _resident_kb(pid: int) -> int:
    """Proportional, so that memory shared between processes counts once."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
