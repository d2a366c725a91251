"""Refuses zip bombs: an XLSX is a zip, and what it unpacks to is counted before anything parses it."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path

from .failures import Unreadable, _

MOST_ENTRIES = 10_000
LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, ..., length of the name, length of the extra field
CHUNK_BYTES = 256 * 1024
DEFINITIONS = (b"<!DOCTYPE", b"<!ENTITY")  # XML that can make much out of little ("billion laughs")


def require_modest(path: Path, most_bytes: int) -> None:
    """Raise Unreadable if the archive unpacks, or says it unpacks, to more than `most_bytes`, or is no sound archive.

    The compressed streams are unpacked here too, without being kept, because a header may lie about its size.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeError) as error:
        raise Unreadable("broken_file", _("The workbook is damaged: it is no readable zip archive.")) from error
    too_large = Unreadable(
        "too_large",
        _("The workbook unpacks to more than %(megabytes)s MB; upload it as CSV or Parquet."),
        megabytes=most_bytes // 1024**2,
    )
    if len(entries) > MOST_ENTRIES or sum(entry.file_size for entry in entries) > most_bytes:
        raise too_large
    if any(entry.flag_bits & 1 for entry in entries):
        raise Unreadable("encrypted", _("The workbook is encrypted; upload it without a password."))
    left = most_bytes
    for entry in entries:
        left -= _unpacked_bytes(path, entry, left)
        if left < 0:
            raise too_large


def _unpacked_bytes(path: Path, entry: zipfile.ZipInfo, most_bytes: int) -> int:
    """What one entry really unpacks to, counting no further than just above `most_bytes`."""
    if entry.compress_type == zipfile.ZIP_STORED:
        return entry.compress_size
    if entry.compress_type != zipfile.ZIP_DEFLATED:
        raise Unreadable("broken_file", _("The workbook is packed in a way that XLSX does not use."))
    unpacked, left, inflate = 0, entry.compress_size, zlib.decompressobj(-zlib.MAX_WBITS)
    with path.open("rb") as file:
        file.seek(entry.header_offset)
        header = file.read(LOCAL_HEADER.size)
        if len(header) < LOCAL_HEADER.size or not header.startswith(b"PK\x03\x04"):
            raise Unreadable("broken_file", _("The workbook is damaged: an entry does not begin where it should."))
        file.seek(sum(LOCAL_HEADER.unpack(header)[1:]), 1)
        try:
            while left > 0 and not inflate.eof and (chunk := file.read(min(CHUNK_BYTES, left))):
                left -= len(chunk)
                while chunk and not inflate.eof:
                    part = inflate.decompress(chunk, CHUNK_BYTES)
                    if unpacked == 0 and any(mark in part for mark in DEFINITIONS):
                        raise Unreadable(
                            "entities",
                            _("The workbook defines entities, as no spreadsheet does; save it anew."),
                        )
                    unpacked += len(part)
                    chunk = inflate.unconsumed_tail
                    if unpacked > most_bytes:
                        return unpacked
        except zlib.error as error:
            raise Unreadable("broken_file", _("The workbook is damaged: an entry cannot be unpacked.")) from error
    return unpacked
