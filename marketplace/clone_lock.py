"""One holder per file, whatever happens to the holder: a lock that ends with the last process that has it open.

The servers inherit the lock, so after a `kill -9` it stays held until the last of them is gone, and nobody can
start a second server on the same data or take over a living server's socket.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path


class Held(Exception):
    """Another process has the lock; `pid` is the one that took it, 0 if it is not known."""

    def __init__(self, path: Path, pid: int) -> None:
        super().__init__(f"{path} is held by process {pid}")
        self.pid = pid


class CloneLock:
    """An exclusive lock on `path`; the file holds the taker's process id and goes when the lock is released."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = -1

    def take(self) -> None:
        """Take the lock now. Raises Held."""
        while True:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pid = os.read(descriptor, 20).strip()
                os.close(descriptor)
                raise Held(self.path, int(pid) if pid.isdigit() else 0) from None
            if self._is_still_there(descriptor):
                break
            os.close(descriptor)  # the former holder removed the file between our open and our lock
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self.descriptor = descriptor

    def take_within(self, seconds: float, on_waiting: Callable[[], None] = lambda: None) -> None:
        """Take the lock; wait as long as its taker is dead and only what it left behind still holds it. Raises Held."""
        deadline = time.monotonic() + seconds
        is_waiting = False
        while True:
            try:
                return self.take()
            except Held as held:
                if is_alive(held.pid) or time.monotonic() > deadline:
                    raise
            if not is_waiting:
                on_waiting()
            is_waiting = True
            time.sleep(0.1)

    def release(self) -> None:
        if self.descriptor < 0:
            return
        if self._is_still_there(self.descriptor):
            self.path.unlink()
        os.close(self.descriptor)
        self.descriptor = -1

    def _is_still_there(self, descriptor: int) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return os.fstat(descriptor).st_ino == self.path.stat().st_ino
        return False


def is_alive(pid: int) -> bool:
    """Whether a process with this id runs; a dead one that nobody has reaped yet does not."""
    if pid <= 0:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self/stat").exists():
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
