"""Where bytes lie that do not belong in the database: a folder of this machine or a bucket of an S3 store.

`settings.STORAGE_URL` chooses. A name is made by us, such as `releases/ab/ab12…`; nothing a person types becomes part
of one. What lies under a name is there whole or not at all, and never changes afterwards.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from marketplace.errors import TooLarge

if TYPE_CHECKING:
    from marketplace.object_store import Bucket

CHUNK_BYTES = 256 * 1024


class StorageAway(OSError):
    """The store does not answer, or refuses us; what lies in it may well be whole."""


class NoSuchParts(FileNotFoundError):
    """The store knows no such upload in parts: it was finished or taken away."""


@dataclass(frozen=True)
class Stored:
    """What was put: its size and its SHA-256 in lower-case hex, counted and hashed as it was written."""

    size_bytes: int
    sha256: str


class Reading(Protocol):
    """The bytes under a name from some place on; a context manager."""

    def read(self, size: int = -1, /) -> bytes: ...

    def close(self) -> None: ...


class Store(Protocol):
    """What every store can do. Each call raises StorageAway, or another OSError, when the store cannot do it now."""

    is_on_this_machine: bool

    def put(self, name: str, chunks: Iterable[bytes], *, most_bytes: int) -> Stored:
        """Write `chunks` under a new name, a few in memory at a time. Raises TooLarge, keeping nothing."""

    def adopt(self, name: str, path: Path) -> None:
        """Keep a whole file of this machine under a name; safe to repeat. A folder takes the file itself."""

    def open(self, name: str, *, first: int = 0) -> contextlib.AbstractContextManager[Reading]:
        """Read from byte `first` on. Raises FileNotFoundError."""

    def size(self, name: str) -> int | None:
        """How many bytes there are; None when there is nothing."""

    def delete(self, name: str) -> None:
        """Take it away; safe to repeat."""

    def untouched_for(self, area: str, seconds: float) -> Iterator[str]:
        """The names under `area/` that nobody has written to for so long."""

    def link(self, name: str, *, save_as: str, seconds: int) -> str:
        """An address the bytes can be fetched from without us, for so long; '' where there is none."""

    def health(self) -> str:
        """'' when the store can be written to, else what is wrong."""


def store() -> Store:
    """The store of this exchange."""
    if not settings.STORAGE_URL:
        return Folder(Path(settings.STORAGE_DIR))
    return _bucket(settings.STORAGE_URL)


def bucket() -> Bucket | None:
    """The store, where it is a bucket that takes parts directly."""
    return _bucket(settings.STORAGE_URL) if settings.STORAGE_URL else None


@cache
def _bucket(url: str) -> Bucket:
    from marketplace.object_store import Bucket  # boto3 is slow to load, and a folder needs none

    return Bucket(url)


def chunks_of(reading: Reading) -> Iterator[bytes]:
    """What is still to be read, in small parts."""
    return iter(lambda: reading.read(CHUNK_BYTES), b"")


class Counted:
    """Passes chunks on, counting and hashing them. Raises TooLarge at the first byte beyond `most_bytes`."""

    def __init__(self, chunks: Iterable[bytes], most_bytes: int) -> None:
        self._chunks, self._most_bytes = chunks, most_bytes
        self._digest = sha256()
        self.size_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.size_bytes += len(chunk)
            if self.size_bytes > self._most_bytes:
                raise TooLarge(_("At most %(most_bytes)s bytes are accepted here."), most_bytes=f"{self._most_bytes:,}")
            self._digest.update(chunk)
            yield chunk

    @property
    def stored(self) -> Stored:
        return Stored(self.size_bytes, self._digest.hexdigest())


class Folder:
    """A folder that web and worker share."""

    is_on_this_machine = True

    def __init__(self, root: Path) -> None:
        self._root = root

    def path_of(self, name: str) -> Path:
        """Where the file of that name lies, whether or not it exists yet."""
        return self._root / name

    def put(self, name: str, chunks: Iterable[bytes], *, most_bytes: int) -> Stored:
        path = self.path_of(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        counted = Counted(chunks, most_bytes)
        # Backups leave out what ends in .part; should we die, `untouched_for` shows it by its age.
        unfinished = path.with_name(f"{path.name}.part")
        try:
            with unfinished.open("wb") as file:
                for chunk in counted:
                    file.write(chunk)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        self.adopt(name, path)
        return counted.stored

    def adopt(self, name: str, path: Path) -> None:
        kept = self.path_of(name)
        if path != kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            path.replace(kept)
        with kept.open("rb") as file:
            os.fsync(file.fileno())
        kept.chmod(0o440)
        folder = os.open(kept.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def open(self, name: str, *, first: int = 0) -> BinaryIO:
        file = self.path_of(name).open("rb", buffering=0)
        file.seek(first)
        return file

    def size(self, name: str) -> int | None:
        try:
            return self.path_of(name).stat().st_size
        except FileNotFoundError:
            return None

    def delete(self, name: str) -> None:
        self.path_of(name).unlink(missing_ok=True)

    def untouched_for(self, area: str, seconds: float) -> Iterator[str]:
        before = time.time() - seconds
        for path in (self._root / area).rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                if path.is_file() and path.stat().st_mtime < before:
                    yield path.relative_to(self._root).as_posix()

    def link(self, name: str, *, save_as: str, seconds: int) -> str:
        return ""

    def health(self) -> str:
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._root) as trial:
                trial.write(b"well")
        except OSError as error:
            return f"The storage of files does not answer: {error.strerror or type(error).__name__}."
        return ""
