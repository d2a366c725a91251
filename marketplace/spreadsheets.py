"""Tables for people's spreadsheets: CSV that opens in the right letters and runs nothing."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-][0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?")


def safe_cell(text: str) -> str:
    """Text for a CSV cell that no spreadsheet takes for a formula: one that looks so gets an apostrophe in front.

    A number with its sign is none. Source: OWASP, CSV Injection.
    """
    return f"'{text}" if text.startswith(FORMULA_SIGNS) and not _NUMBER.fullmatch(text) else text


def csv_of(head: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A table as CSV, every cell made safe, with the mark by which spreadsheets know UTF-8."""
    text = io.StringIO(newline="")
    write = csv.writer(text).writerow
    for row in (head, *rows):
        write([safe_cell(cell) for cell in row])
    return text.getvalue().encode("utf-8-sig")


def csv_lines(rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """The same line by line, for a table of any length; the first row is its head."""
    yield b"\xef\xbb\xbf"
    for row in rows:
        text = io.StringIO(newline="")
        csv.writer(text).writerow([safe_cell(cell) for cell in row])
        yield text.getvalue().encode()
