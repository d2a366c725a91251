"""Refuses what no data file needs: programs inside it, and files that are two kinds at once.

Nothing is executed here either way; but a buyer opens what is delivered, and a reviewer must know what it is.
"""

from __future__ import annotations

import re
import struct
import zipfile
from pathlib import Path, PurePath

from .failures import Unreadable, _
from .first_reading import CHUNK_BYTES, FirstReading

ZIP, OLE = b"PK\x03\x04", bytes.fromhex("d0cf11e0a1b11ae1")
END_OF_ZIP = b"PK\x05\x06"
END_BYTES = 22  # of the record that ends a zip, before its comment
VBA_IN_OLE = "_VBA_PROJECT".encode("utf-16-le")
MACROS = "vbaproject.bin"
OTHER_KINDS = {b"%PDF-": "PDF", b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"\x7fELF": "ELF"}
ACTIVE_SVG = re.compile(rb"<\s*script|<\s*foreignobject|javascript\s*:|\son[a-z]{3,20}\s*=", re.IGNORECASE)


def require_harmless(path: Path, name: str, reading: FirstReading) -> None:
    """Raise Unreadable `polyglot`, `has_macros` or `active_content`, each with what to do instead."""
    kind = next((words for magic, words in OTHER_KINDS.items() if magic in reading.head[:1024][: _within(magic)]), "")
    if kind and _ends_as_zip(reading.tail):
        raise Unreadable(
            "polyglot", _("The file is %(kind)s and a zip archive at once; send each as a file of its own."), kind=kind
        )
    if reading.head.startswith(OLE) and VBA_IN_OLE in reading.head or _holds_macros(path, reading):
        raise Unreadable("has_macros", _("The file holds macros, which are programs; save it without them."))
    if (PurePath(name).suffix.lower() == ".svg" or b"<svg" in reading.head[:4096]) and _is_active(path):
        raise Unreadable("active_content", _("The picture holds a program or a link that runs; export it without."))


def _within(magic: bytes) -> int:
    """Readers of PDF look for its mark in the first kilobyte, all others at the very beginning."""
    return 1024 if magic == b"%PDF-" else len(magic)


def _ends_as_zip(tail: bytes) -> bool:
    """A zip's last record and its comment reach exactly to the end of the file."""
    place = tail.rfind(END_OF_ZIP)
    if place < 0 or len(tail) < place + END_BYTES:
        return False
    (comment,) = struct.unpack_from("<H", tail, place + END_BYTES - 2)
    return place + END_BYTES + int(comment) == len(tail)


def _holds_macros(path: Path, reading: FirstReading) -> bool:
    if not reading.head.startswith(ZIP):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(entry.lower().endswith(MACROS) for entry in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeError):
        return False  # whoever opens it says what is wrong with it


def _is_active(path: Path) -> bool:
    before = b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            if ACTIVE_SVG.search(before + chunk):
                return True
            before = chunk[-64:]
    return False
