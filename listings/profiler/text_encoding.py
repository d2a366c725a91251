"""In which encoding a text file was written. Chosen by strict decoding of the whole file, not by its head alone."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import IO

from .failures import Unreadable, _
from .first_reading import CHUNK_BYTES, ENOUGH_LETTERS, FirstReading
from .packed import Packed

# UTF-32 first: its little-endian mark begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
CANDIDATES = ["gb18030", "big5hkscs", "shift_jis", "euc_jp", "euc_kr", "cp1252", "cp1251"]
SAMPLE_BYTES = 64 * 1024


def encoding_of(path: Path | Packed, reading: FirstReading) -> str:
    """The Python name of the encoding. Raises Unreadable if none fits every byte."""
    for mark, encoding in MARKS:
        if reading.head.startswith(mark):
            return _proved(path, encoding)
    if reading.has_nul:
        return _proved(path, _wide_encoding(reading.head))
    if reading.not_utf8_at is None:
        return "utf-8"
    if reading.utf8_letters >= ENOUGH_LETTERS:
        raise Unreadable(
            "not_utf8", _("The text is UTF-8 up to byte %(place)s, which is damaged."), place=reading.not_utf8_at
        )
    for encoding in _likely(path, reading.not_utf8_at):
        if _decodes(path, encoding):
            return encoding
    raise Unreadable("unknown_encoding", _("The text is in no encoding we know; save it as UTF-8 or GB18030."))


def _wide_encoding(head: bytes) -> str:
    """UTF-16 without a mark: Western letters and separators leave every other byte zero."""
    zeros_at_even, zeros_at_odd = head[0::2].count(0), head[1::2].count(0)
    if max(zeros_at_even, zeros_at_odd) < len(head) / 20 or min(zeros_at_even, zeros_at_odd) > len(head) / 50:
        raise Unreadable("broken_file", _("The name says text, but the file holds NUL bytes."))
    return "utf-16-le" if zeros_at_odd > zeros_at_even else "utf-16-be"


def _proved(path: Path | Packed, encoding: str) -> str:
    if not _decodes(path, encoding):
        raise Unreadable(
            "unknown_encoding", _("The text looks like %(encoding)s but is damaged."), encoding=encoding.upper()
        )
    return encoding


def _decodes(path: Path | Packed, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _likely(path: Path | Packed, first_odd_byte: int) -> list[str]:
    """The candidates, those first that make sense of the text around the first byte that is not ASCII."""
    with path.open("rb") as file:
        _skip(file, max(0, first_odd_byte - 1024))
        lines = file.read(SAMPLE_BYTES).split(b"\n")
    sample = b"\n".join(lines[1:-1]) if len(lines) > 8 else b"\n".join(lines)
    if _reads_as_chinese(sample):
        return ["gb18030", *CANDIDATES]
    from charset_normalizer import from_bytes  # a quarter of a start; most files are UTF-8

    matches = from_bytes(sample, cp_isolation=CANDIDATES, threshold=0.5)
    return [match.encoding for match in matches] + CANDIDATES


def _skip(file: IO[bytes], count: int) -> None:
    """Go on so many bytes from the beginning; a stream that is being unpacked can only be read."""
    if file.seekable():
        file.seek(count)
        return
    while count > 0 and (chunk := file.read(min(count, CHUNK_BYTES))):
        count -= len(chunk)


def _reads_as_chinese(sample: bytes) -> bool:
    """Read as GB18030, the characters beyond ASCII lie where GB 2312 keeps what Chinese text is made of.

    Rows 1 and 3 are signs, rows 16 to 55 (lead bytes B0 to D7, in the order of pinyin) the 3,755 common characters,
    rows 56 to 87 the others; every byte is at least A1. Text of another encoding scatters; only Korean fills B0 to C8,
    but never the last third of the alphabet. Of a few characters it is enough that all are of GB 2312.
    """
    characters = [character for character in sample.decode("gb18030", "ignore") if not character.isascii()]
    encoded = [character.encode("gb18030") for character in characters]
    leads = [code[0] for code in encoded if len(code) == 2 and code[1] >= 0xA1]
    known = sum(lead in (0xA1, 0xA3) or 0xB0 <= lead <= 0xF7 for lead in leads)
    common = sum(lead in (0xA1, 0xA3) or 0xB0 <= lead <= 0xD7 for lead in leads)
    late = sum(0xC9 <= lead <= 0xD7 for lead in leads)
    if len(encoded) < 20:
        return 0 < known == len(encoded)
    return known >= 0.95 * len(encoded) and common >= 0.5 * len(encoded) and late >= 0.1 * len(encoded)
