"""Tables in gzip or zip: read as a stream each time, never unpacked anywhere, and only within bounds."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO, Any

from .failures import Unreadable, _

MOST_RATIO = 200  # text packs ten to one; what packs better than this is a bomb
ALWAYS_FINE_BYTES = 64 * 1024**2
MOST_ENTRIES = 10_000
MOST_TABLES = 20  # of one archive or workbook; the others are named only
READABLE = (".csv", ".tsv", ".tab", ".psv", ".jsonl", ".ndjson", ".json")
ARCHIVES = (".zip", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz", ".tar", ".zst")


@dataclass(frozen=True)
class Packed:
    """One file inside another: opens as a path does. `entry` is its name in a zip; empty for gzip."""

    path: Path
    entry: str = ""

    @property
    def name(self) -> str:
        return PurePath(self.entry or self.path.name).name

    def open(self, mode: str = "rb", encoding: str | None = None, newline: str | None = None) -> IO[Any]:
        """A stream of what is inside. It raises Unreadable where it breaks or unpacks to too much."""
        stream = io.BufferedReader(_Bounded(self), 256 * 1024)
        return stream if "b" in mode else io.TextIOWrapper(stream, encoding=encoding, newline=newline)


class _Bounded(io.RawIOBase):
    """Counts what comes out of the packing."""

    def __init__(self, packed: Packed) -> None:
        size_bytes = packed.path.stat().st_size
        self.left = max(ALWAYS_FINE_BYTES, MOST_RATIO * size_bytes)
        self.archive = zipfile.ZipFile(packed.path) if packed.entry else None
        self.inside = self.archive.open(packed.entry) if self.archive else gzip.GzipFile(packed.path)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            chunk = self.inside.read(len(buffer))
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            raise Unreadable(
                "broken_file", _("The archive is damaged and cannot be unpacked; pack it again.")
            ) from error
        self.left -= len(chunk)
        if self.left < 0:
            raise Unreadable(
                "too_large",
                _("The archive unpacks to more than %(times)s times its size; send the file unpacked."),
                times=MOST_RATIO,
            )
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        self.inside.close()
        if self.archive:
            self.archive.close()
        super().close()


def entries_of(path: Path) -> tuple[list[Packed], list[str]]:
    """The text tables in a zip archive, and the names of the entries that are not described. Raises Unreadable."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeError) as error:
        raise Unreadable("broken_file", _("The archive is damaged: it is no readable zip.")) from error
    if len(entries) > MOST_ENTRIES:
        raise Unreadable(
            "too_large",
            _("The archive holds more than %(files)s files; send them unpacked."),
            files=f"{MOST_ENTRIES:,}",
        )
    if any(entry.flag_bits & 1 for entry in entries):
        raise Unreadable("encrypted", _("The archive is protected by a password; send it without one."))
    names = [entry.filename for entry in entries]
    if any(name.lower().endswith(ARCHIVES) for name in names):
        raise Unreadable("nested_archive", _("The archive holds another archive; send the files of both unpacked."))
    tables = [Packed(path, name) for name in names if name.lower().endswith(READABLE)]
    described = {table.entry for table in tables[:MOST_TABLES]}
    return tables[:MOST_TABLES], [name for name in names if name not in described][:100]
