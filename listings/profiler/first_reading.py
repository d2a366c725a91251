"""One pass over the bytes: size, digest, and what later steps must know before they dare to parse."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .packed import Packed

CHUNK_BYTES = 1024 * 1024
LONGEST_LINE_BYTES = 8 * 1024 * 1024
TAIL_BYTES = 66_000  # more than the last record of a zip with the longest comment
ENOUGH_LETTERS = 8  # beyond ASCII that read as UTF-8: another encoding does not do that by chance


@dataclass
class FirstReading:
    """Facts about the bytes of a file."""

    size_bytes: int = 0
    sha256: str = ""
    head: bytes = b""  # the first megabyte
    tail: bytes = b""  # the last TAIL_BYTES
    lines: int = 0  # line feeds or carriage returns, whichever is more; in quotes too, so at least the rows
    longest_line_bytes: int = 0  # exact above one megabyte
    has_nul: bool = False
    not_utf8_at: int | None = None  # byte offset of the first sequence that is not UTF-8
    utf8_letters: int = 0  # characters beyond ASCII read before that offset, counted no further than ENOUGH_LETTERS


def read_through(path: Path | Packed, on_bytes: Callable[[int], None] = lambda read: None) -> FirstReading:
    """Read every byte of `path` once, a megabyte at a time; `on_bytes` hears how many were read so far."""
    reading, digest, decoder = FirstReading(), hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    line_feeds = carriage_returns = since_break = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            if reading.size_bytes == 0:
                reading.head = chunk
            digest.update(chunk)
            if reading.not_utf8_at is None:
                _decode(reading, decoder, chunk)
            reading.has_nul = reading.has_nul or b"\0" in chunk
            line_feeds += chunk.count(b"\n")
            carriage_returns += chunk.count(b"\r")
            first, last = _first_and_last_break(chunk)
            reading.longest_line_bytes = max(reading.longest_line_bytes, since_break + first)
            since_break = since_break + first if last < 0 else len(chunk) - last - 1
            reading.size_bytes += len(chunk)
            reading.tail = (reading.tail + chunk)[-TAIL_BYTES:]
            on_bytes(reading.size_bytes)
    if reading.not_utf8_at is None:
        _decode(reading, decoder, b"", final=True)
    reading.lines = max(line_feeds, carriage_returns) + 1
    reading.longest_line_bytes = max(reading.longest_line_bytes, since_break)
    reading.sha256 = digest.hexdigest()
    return reading


def _decode(reading: FirstReading, decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool = False) -> None:
    pending = len(decoder.getstate()[0])
    try:
        text = decoder.decode(chunk, final)
    except UnicodeDecodeError as error:
        reading.not_utf8_at = reading.size_bytes - pending + error.start
        text = error.object[: error.start].decode()
    if reading.utf8_letters < ENOUGH_LETTERS and not text.isascii():
        reading.utf8_letters += sum(not character.isascii() for character in text)


def _first_and_last_break(chunk: bytes) -> tuple[int, int]:
    """How many bytes come before the first line break, and where the last one is (-1 if there is none)."""
    places = [place for place in (chunk.find(b"\n"), chunk.find(b"\r")) if place >= 0]
    return min(places, default=len(chunk)), max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
