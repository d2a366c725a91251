"""Where the bytes of releases lie: one file per name under `settings.STORAGE_DIR/releases`.

A name is 14 or so random characters, made by us; nothing a seller types becomes part of a path here. A file grows in
place and is made read-only when it is whole, so that no step between "arriving" and "arrived" can be lost.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from marketplace.errors import Refused

CHUNK_BYTES = 256 * 1024
# Left free for everything else on the disk.
RESERVE_BYTES = 256 * 1024**2


class StorageFull(Refused):
    """The exchange has no room for this file now."""

    code = "storage_full"
    status = 507
    next = "Try again later; the exchange's operators see this too."


class Busy(Refused):
    """Another connection is sending this upload."""

    code = "upload_busy"
    next = "Wait until it ends, ask for the offset, and go on from there."


def path_of(stored_as: str) -> Path:
    """The file of that name, whether or not it exists yet."""
    return Path(settings.STORAGE_DIR) / "releases" / stored_as[:2] / stored_as


def require_room(size_bytes: int) -> None:
    """Raises StorageFull unless a file of that size fits."""
    folder = Path(settings.STORAGE_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < size_bytes + RESERVE_BYTES:
        raise StorageFull()


def size_of(stored_as: str) -> int:
    """How many bytes there are, 0 for no file."""
    try:
        return path_of(stored_as).stat().st_size
    except FileNotFoundError:
        return 0


@contextmanager
def growing(stored_as: str) -> Iterator[BinaryIO]:
    """The file, open to be written at any place, by this process only. Raises Busy while another has it."""
    path = path_of(stored_as)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError:  # it is whole and read-only: another connection sent the last bytes
        raise Busy() from None
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy() from None
        yield file


def sha256_of(stored_as: str) -> str:
    """The SHA-256 of what lies there, read in small parts; lower-case hex."""
    digest = sha256()
    with path_of(stored_as).open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def make_lasting(stored_as: str) -> None:
    """Write the file and its name through to the disk and make it read-only; safe to repeat."""
    path = path_of(stored_as)
    with path.open("rb") as file:
        os.fsync(file.fileno())
    path.chmod(0o440)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def remove(stored_as: str) -> None:
    """Take the file away; safe to repeat."""
    path_of(stored_as).unlink(missing_ok=True)


def untouched_for(seconds: float) -> Iterator[str]:
    """The names of all files nobody has written to for so long."""
    before = time.time() - seconds
    for path in (Path(settings.STORAGE_DIR) / "releases").glob("??/*"):
        try:
            if path.stat().st_mtime < before:
                yield path.name
        except FileNotFoundError:
            continue
