"""The text of a PDF that our papers are made of, read the way a viewer copies it: glyphs back to characters."""

from __future__ import annotations

import re
import zlib

# A string may hold parentheses in pairs, one within the other.
_LITERAL = rb"(?:[^()\\]|\\.)*"
for _depth in range(6):
    _LITERAL = rb"(?:[^()\\]|\\.|\(" + _LITERAL + rb"\))*"
_OBJECT = re.compile(rb"(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj", re.S)
_SHOWN = re.compile(
    rb"/(?P<font>f\d+) [\d.]+ Tf"
    rb"|\((?P<literal>" + _LITERAL + rb")\)"
    rb"|(?<![<t])<(?P<hex>[0-9A-Fa-f]+)>"  # not a dictionary, nor its ActualText
    rb"|(?P<end>\bET\b)",
    re.S,
)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def pages(pdf: bytes) -> list[str]:
    """The text of each page, one line for each run of glyphs."""
    objects = {number: body for number, body in _OBJECT.findall(pdf)}
    return [_page(body, objects) for body in objects.values() if re.search(rb"/Type/Page[^s]", body)]


def text_of(pdf: bytes) -> str:
    """The text of all pages."""
    return "\n".join(pages(pdf))


def _page(page: bytes, objects: dict[bytes, bytes]) -> str:
    resources = objects[_reference(page, b"Resources")]
    fonts = dict(re.findall(rb"/(f\d+) (\d+) 0 R", resources))
    maps = {
        name: _characters(_stream(objects[_reference(objects[font], b"ToUnicode")])) for name, font in fonts.items()
    }
    text, current = [], {}
    for found in _SHOWN.finditer(_stream(objects[_reference(page, b"Contents")])):
        if found["font"]:
            current = maps[found["font"]]
        elif found["end"]:
            text.append("\n")
        else:
            literal = re.sub(rb"\\([0-7]{1,3}|.)", _unescaped, found["literal"] or b"", flags=re.S)
            glyphs = bytes.fromhex(found["hex"].decode()) if found["hex"] else literal
            text += [current.get(glyphs[at : at + 2], "\ufffd") for at in range(0, len(glyphs), 2)]
    return "".join(text)


def _reference(body: bytes, name: bytes) -> bytes:
    found = re.search(rb"/" + name + rb" (\d+) 0 R", body)
    assert found, f"no {name!r} in {body[:80]!r}"
    return found[1]


def _stream(body: bytes) -> bytes:
    return zlib.decompressobj().decompress(body.partition(b"stream\n")[2])


def _characters(cmap: bytes) -> dict[bytes, str]:
    pairs = re.findall(rb"<([0-9a-fA-F]{4})> <([0-9a-fA-F]+)>", cmap)
    return {bytes.fromhex(glyph.decode()): bytes.fromhex(text.decode()).decode("utf-16-be") for glyph, text in pairs}


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    return bytes([int(code, 8)]) if code.isdigit() else _ESCAPES.get(code, code)
