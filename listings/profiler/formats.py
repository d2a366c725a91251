"""Which table format or packing of one a file is, by its bytes first and its name second; anything else is `other`."""

from __future__ import annotations

import json
import re
from pathlib import PurePath

from .failures import Unreadable, _
from .first_reading import FirstReading
from .packed import READABLE

CSV, JSON_LINES, JSON_ARRAY, PARQUET, XLSX, OTHER = "csv", "jsonl", "json", "parquet", "xlsx", "other"
GZIPPED, ZIPPED = "gzip", "zip"
ZIP, GZIP, OLE = b"PK\x03\x04", b"\x1f\x8b", bytes.fromhex("d0cf11e0a1b11ae1")
BEGINS_AN_ARRAY = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[\s*\{")
ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")


def format_of(name: str, reading: FirstReading) -> str:
    """The format. Raises Unreadable if the name promises a table format that the bytes cannot be."""
    ending = PurePath(name).suffix.lower()
    if reading.size_bytes == 0:
        raise Unreadable("empty", _("The file is empty."))
    if reading.head.startswith(b"PARE") and reading.tail.endswith(b"PARE"):
        raise Unreadable("encrypted", _("The Parquet file is encrypted; upload it without encryption."))
    if reading.head.startswith(b"PAR1") and reading.tail.endswith(b"PAR1"):
        return PARQUET
    if reading.head.startswith(ZIP) and ending in (".xlsx", ".xlsm"):
        return XLSX
    if ending == ".gz" and PurePath(PurePath(name).stem).suffix.lower() in READABLE:
        if not reading.head.startswith(GZIP):
            raise Unreadable(
                "broken_file", _("The name says gzip, but the file is none; give it the name of what it is.")
            )
        return GZIPPED
    if ending == ".zip" and reading.head.startswith(ZIP):
        return ZIPPED
    if ending == ".parquet":
        raise Unreadable(
            "broken_file", _("The name says Parquet, but the file does not begin and end as Parquet does.")
        )
    if ending in (".xlsx", ".xlsm"):
        if reading.head.startswith(OLE) and ENCRYPTED_PACKAGE in reading.head:
            raise Unreadable("encrypted", _("The workbook is protected by a password; upload it without one."))
        raise Unreadable("broken_file", _("The name says XLSX, but the file is no XLSX workbook."))
    if ending in (".jsonl", ".ndjson") or (ending == ".json" and _begins_with_an_object_per_line(reading.head)):
        return JSON_LINES
    if ending == ".json" and BEGINS_AN_ARRAY.match(reading.head):
        return JSON_ARRAY
    if ending in (".csv", ".tsv", ".tab", ".psv"):
        return CSV
    return OTHER


def _begins_with_an_object_per_line(head: bytes) -> bool:
    first_line = head.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0]
    try:
        return isinstance(json.loads(first_line), dict)
    except (ValueError, RecursionError):
        return False
