"""Where the files of releases lie: arriving, in a folder of this machine; whole, in the store of the exchange.

A name is 14 or so random characters, made by us; nothing a seller types becomes part of a path here. A file grows in
place under `settings.STORAGE_DIR/releases`. Where that folder is the store too it stays there and is made read-only, so
that no step between "arriving" and "arrived" can be lost; else it is copied to the store when it is whole.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from marketplace.errors import Refused
from marketplace.storage import Folder, Reading, chunks_of, store

AREA = "releases"
# Left free for everything else on the disk.
RESERVE_BYTES = 256 * 1024**2


class StorageFull(Refused):
    """The exchange has no room for this file now."""

    code = "storage_full"
    status = 507
    says = _("The exchange has no room for this file now.")
    next = _("Try again later; the exchange's operators see this too.")


class Busy(Refused):
    """Another connection is sending this upload."""

    code = "upload_busy"
    says = _("Another connection is sending this upload.")
    next = _("Wait until it ends, ask for the offset, and go on from there.")


def name_of(stored_as: str) -> str:
    """Its name in the store."""
    return f"{AREA}/{stored_as[:2]}/{stored_as}"


def path_of(stored_as: str) -> Path:
    """Where the file of that name grows, whether or not it exists yet."""
    return _grounds().path_of(name_of(stored_as))


def _grounds() -> Folder:
    return Folder(Path(settings.STORAGE_DIR))


def require_room(size_bytes: int) -> None:
    """Raises StorageFull unless a file of that size fits."""
    folder = Path(settings.STORAGE_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < size_bytes + RESERVE_BYTES:
        raise StorageFull()


def arrived_bytes(stored_as: str) -> int:
    """How many bytes of a growing file there are, 0 for no file."""
    return _grounds().size(name_of(stored_as)) or 0


def size_of(stored_as: str) -> int:
    """How many bytes the store has, 0 for no file. Raises OSError when it does not answer."""
    return store().size(name_of(stored_as)) or 0


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
    """The SHA-256 of a file that has grown here, read in small parts; lower-case hex."""
    digest = sha256()
    with path_of(stored_as).open("rb") as file:
        for chunk in chunks_of(file):
            digest.update(chunk)
    return digest.hexdigest()


def make_lasting(stored_as: str) -> None:
    """Hand a whole file to the store; safe to repeat. Raises OSError when the store does not take it now."""
    store().adopt(name_of(stored_as), path_of(stored_as))


def clear_the_grounds(stored_as: str) -> None:
    """Take away what grew here of a file that lies in a store elsewhere; safe to repeat."""
    if not store().is_on_this_machine:
        path_of(stored_as).unlink(missing_ok=True)


def opened(stored_as: str, *, first: int = 0) -> AbstractContextManager[Reading]:
    """A kept file, to be read from byte `first` on. Raises OSError."""
    return store().open(name_of(stored_as), first=first)


@contextmanager
def at_hand(stored_as: str) -> Iterator[Path]:
    """A kept file as a file of this machine, fetched for as long as the block lasts where it lies elsewhere."""
    if store().is_on_this_machine:
        yield path_of(stored_as)
        return
    folder = Path(settings.STORAGE_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".part") as fetched, opened(stored_as) as reading:
        for chunk in chunks_of(reading):
            fetched.write(chunk)
        fetched.flush()
        yield Path(fetched.name)


def remove(stored_as: str) -> None:
    """Take the file away, arriving or kept; safe to repeat."""
    path_of(stored_as).unlink(missing_ok=True)
    if not store().is_on_this_machine:
        store().delete(name_of(stored_as))


def untouched_for(seconds: float) -> Iterator[str]:
    """The names of all files, arriving and kept, that nobody has written to for so long; some twice."""
    for place in (_grounds(), store()):
        for name in place.untouched_for(AREA, seconds):
            yield name.rpartition("/")[2]
        if store().is_on_this_machine:
            return
