"""Which processes belong to a folder: they work in it, name it on their command line, or in their environment."""

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from marketplace.clone_lock import is_alive

of_our_redis = pytest.mark.skipif(
    "DATABOURSE_REDIS_SERVER" in os.environ, reason="about the program that comes with the packages"
)


def processes_of(folder: Path) -> dict[int, str]:
    """Process id → command line, this process left out."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid() or not is_alive(int(entry.name)):
            continue
        try:
            words = (entry / "cmdline").read_bytes()
            known = [words, (entry / "environ").read_bytes(), os.fsencode(os.readlink(entry / "cwd"))]
        except OSError:
            continue
        if any(os.fsencode(folder) in text for text in known):
            found[int(entry.name)] = words.replace(b"\0", b" ").decode(errors="replace")
    return found


def children_of(parent: int) -> dict[int, str]:
    """The same, for the living children of one process."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                state, ppid = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                if int(ppid) == parent and state not in "ZX":
                    words = (entry / "cmdline").read_bytes()
                    found[int(entry.name)] = words.replace(b"\0", b" ").decode(errors="replace")
    return found


def eventually(condition: Callable[[], object], seconds: float = 120) -> None:
    """Wait until it holds. The limit is only there so that a broken thing fails; slow machines get their time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"this never came true: {condition}"
        time.sleep(0.05)
