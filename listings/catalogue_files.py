"""Reads catalogues as they come: CSV, JSON and JSON lines, in UTF-8, UTF-16 or GB18030, a row at a time.

Whatever cannot be read is told with its line and a stable code, and reading goes on after it. Nothing is held in memory
but one row, however long a file, a line or a field is.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

FORMATS = {".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl"}
# Tried in this order where no byte order mark says it. GB18030 holds GBK and GB2312.
ENCODINGS = ("utf-8", "gb18030")
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
DELIMITERS = ",\t;|"
LONGEST_LINE = 1024 * 1024  # characters
FIRST_ROWS = 100  # whose names are a JSON file's columns
LONGEST_ROW = 4 * LONGEST_LINE
_CHUNK = 1024 * 1024


class Unreadable(Exception):
    """A file no row can be read from; `code` says why."""

    def __init__(self, code: str, detail: str) -> None:
        self.code, self.detail = code, detail
        super().__init__(detail)


@dataclass(frozen=True)
class Problem:
    """What could not be read: at which line of which file, a stable code, and words about it."""

    file: str
    line: int  # 0 for the whole file
    code: str
    detail: str


@dataclass(frozen=True)
class Row:
    """One row as it stands in the file, by the names of its columns."""

    line: int
    values: dict[str, str]


@dataclass(frozen=True)
class Looked:
    """A file looked through once: how it is to be read, and its SHA-256."""

    path: Path
    format: str
    encoding: str
    size_bytes: int
    sha256: str


Tell = Callable[[int, str, str], None]
Advance = Callable[[int], None]


def files_in(path: Path) -> list[Path]:
    """The file itself, or the catalogues of a folder by name. Raises Unreadable where there is none."""
    if path.is_dir():
        found = sorted(one for one in path.iterdir() if one.is_file() and one.suffix.lower() in FORMATS)
        if not found:
            raise Unreadable("no_catalogue", f"There is no file of {', '.join(FORMATS)} in {path}.")
        return found
    if not path.is_file():
        raise Unreadable("no_file", f"There is no file or folder {path}.")
    return [path]


def look(path: Path) -> Looked:
    """Read the file through once for its encoding and its digest. Raises Unreadable."""
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise Unreadable("unknown_format", f"{path.suffix or 'No ending'} is none of {', '.join(FORMATS)}.")
    try:
        with path.open("rb") as file:
            start = file.read(4)
            marked = next((name for mark, name in MARKS if start.startswith(mark)), "")
            decoders = {name: codecs.getincrementaldecoder(name)() for name in ([marked] if marked else ENCODINGS)}
            digest, size = hashlib.sha256(), 0
            file.seek(0)
            while True:
                chunk = file.read(_CHUNK)
                digest.update(chunk)
                size += len(chunk)
                for name, decoder in list(decoders.items()):
                    try:
                        decoder.decode(chunk, final=not chunk)
                    except UnicodeDecodeError:
                        del decoders[name]
                if not chunk:
                    break
    except OSError as reason:
        raise Unreadable("unreadable_file", str(reason.strerror)) from None
    if not decoders:
        raise Unreadable("unknown_encoding", "It is neither UTF-8, nor UTF-16 with its mark, nor GB18030.")
    return Looked(path, kind, next(iter(decoders)), size, digest.hexdigest())


def rows(looked: Looked, *, tell: Tell, advance: Advance) -> Iterator[Row]:
    """Every row that can be read. `tell` hears line, code and words of the others, `advance` the bytes read since."""
    with looked.path.open("rb") as raw, io.TextIOWrapper(raw, looked.encoding, newline="") as file:
        read = {"csv": _csv_rows, "json": _json_rows, "jsonl": _json_lines}[looked.format]
        place = 0
        for row in read(file, tell):
            yield row
            if raw.tell() != place:
                advance(raw.tell() - place)
                place = raw.tell()


def header(looked: Looked) -> list[str]:
    """The names of a CSV's columns; of JSON those of its first rows."""
    with looked.path.open("rb") as raw, io.TextIOWrapper(raw, looked.encoding, newline="") as file:
        if looked.format == "csv":
            return next(iter(_records(file, _ignore)), (1, []))[1]
        read = {"json": _json_rows, "jsonl": _json_lines}[looked.format]
        return list(dict.fromkeys(name for row in islice(read(file, _ignore), FIRST_ROWS) for name in row.values))


def _ignore(_line: int, _code: str, _detail: str) -> None:
    """Problems are told when the rows are read."""


# --- CSV -----------------------------------------------------------------------------------------------------------


def _csv_rows(file: TextIO, tell: Tell) -> Iterator[Row]:
    names: list[str] | None = None
    for line, cells in _records(file, tell):
        if names is None:
            names = cells
        elif not any(cell.strip() for cell in cells):
            continue
        elif len(cells) != len(names):
            tell(line, "wrong_columns", f"{len(cells)} columns, the header has {len(names)}.")
        else:
            yield Row(line, dict(zip(names, cells, strict=True)))


def _records(file: TextIO, tell: Tell) -> Iterator[tuple[int, list[str]]]:
    """The records of a CSV with the line each begins at."""
    lines = _Lines(file, tell)
    first = lines.peek()
    delimiter = max(DELIMITERS, key=lambda one: len(next(csv.reader([first], delimiter=one), [])))
    csv.field_size_limit(LONGEST_LINE)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        begins = lines.number + 1
        try:
            yield begins, next(reader)
        except StopIteration:
            return
        except csv.Error as reason:
            tell(begins, "broken_csv", f"{reason}.")


class _Lines:
    """The lines of a file, none of them longer than can be held."""

    def __init__(self, file: TextIO, tell: Tell) -> None:
        self.file, self.tell = file, tell
        self.number = 0
        self._next: str | None = None

    def peek(self) -> str:
        """The first line, kept for who reads on."""
        self._next = self._read()
        self.number = max(0, self.number - 1)
        return self._next or ""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._next is not None:
            line, self._next = self._next, None
            self.number += 1
        else:
            line = self._read()
        if not line:
            raise StopIteration
        return line

    def _read(self) -> str:
        while True:
            line = self.file.readline(LONGEST_LINE)
            self.number += bool(line)
            if len(line) < LONGEST_LINE or line.endswith("\n"):
                return line
            while line and not line.endswith("\n"):
                line = self.file.readline(LONGEST_LINE)
            self.tell(self.number, "line_too_long", f"It is longer than {LONGEST_LINE} characters.")


# --- JSON ----------------------------------------------------------------------------------------------------------


def _json_lines(file: TextIO, tell: Tell) -> Iterator[Row]:
    lines = _Lines(file, tell)
    for line in lines:
        if line.strip():
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as reason:
                tell(lines.number, "broken_json", f"{reason}.")
                continue
            yield from _row(lines.number, value, tell)


def _json_rows(file: TextIO, tell: Tell) -> Iterator[Row]:
    """The objects of one list; the line is the object's place in it."""
    decoder, held, place = json.JSONDecoder(), "", 0
    held = _more(file, held).lstrip()
    if not held.startswith("["):
        tell(0, "not_a_list", "A JSON catalogue is one list of objects.")
        return
    held = held[1:]
    while True:
        held = held.lstrip().removeprefix(",").lstrip()
        if held.startswith("]"):
            return
        try:
            value, end = decoder.raw_decode(held)
        except (ValueError, RecursionError) as reason:
            longer = _more(file, held)
            if longer == held or len(held) > LONGEST_ROW:
                tell(place + 1, "broken_json", f"{reason}." if longer == held else "An object never ends.")
                return
            held = longer
            continue
        held, place = held[end:], place + 1
        yield from _row(place, value, tell)


def _more(file: TextIO, held: str) -> str:
    return held + file.read(max(_CHUNK // 16, len(held)))


def _row(line: int, value: Any, tell: Tell) -> Iterator[Row]:
    if isinstance(value, dict):
        yield Row(line, {str(name): _plain(one) for name, one in value.items()})
    else:
        tell(line, "not_an_object", "A row is an object of names and values.")


def _plain(value: Any) -> str:
    """A value of JSON as a cell of CSV would have it."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "、".join(_plain(one) for one in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else str(value)
