"""Runs inside the jail: one page of a stranger's paper as a picture, drawn anew from what is seen of it.

Answers a line of JSON, then a PNG. Nothing of the file itself is passed on: no metadata, no script, no font, no link.
"""

from __future__ import annotations

import io
import json
import sys
from typing import Any

LONGEST_SIDE_PIXELS = 1600
MOST_PIXELS = 60_000_000  # of a picture as it is sent
MOST_PAGES = 20


class NotDrawn(Exception):
    """The paper cannot be drawn; `code` is stable."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def main(path: str) -> None:
    request = json.loads(sys.stdin.buffer.read())
    try:
        pages, picture = draw(path, request["media_type"], request["page"])
    except NotDrawn as failure:
        sys.stdout.buffer.write(json.dumps({"failed": failure.code}).encode() + b"\n")
        return
    sys.stdout.buffer.write(json.dumps({"pages": pages}).encode() + b"\n" + picture)


def draw(path: str, media_type: str, page: int) -> tuple[int, bytes]:
    """How many pages there are, and the picture of this one, counted from 0. Raises NotDrawn."""
    return _pdf(path, page) if media_type == "application/pdf" else (1, _image(path))


def _pdf(path: str, page: int) -> tuple[int, bytes]:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        raise NotDrawn("encrypted" if "assword" in str(error) else "broken_file") from error
    count = len(document)
    if not 1 <= count <= MOST_PAGES:
        raise NotDrawn("too_many_pages")
    try:
        found = document[page]
        width, height = found.get_size()
        scale = min(2.0, LONGEST_SIDE_PIXELS / max(width, height, 1))
        return count, _as_png(found.render(scale=scale).to_pil())
    except (pypdfium2.PdfiumError, ValueError) as error:
        raise NotDrawn("broken_file") from error


def _image(path: str) -> bytes:
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # judged by ourselves, before a pixel is read
    try:
        with Image.open(path, formats=["PNG", "JPEG"]) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise NotDrawn("too_large")
            picture.draft("RGB", (LONGEST_SIDE_PIXELS, LONGEST_SIDE_PIXELS))
            return _as_png(picture)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise NotDrawn("broken_file") from error


def _as_png(picture: Any) -> bytes:
    from PIL import Image

    shown = picture.convert("RGB")
    shown.thumbnail((LONGEST_SIDE_PIXELS, LONGEST_SIDE_PIXELS))
    anew = Image.new("RGB", shown.size, "white")
    anew.paste(shown)
    out = io.BytesIO()
    anew.save(out, "PNG")
    if out.tell() > 7_000_000:  # the jail passes on 8 MB: noise, which no paper is
        anew = anew.resize((anew.width // 2, anew.height // 2))
        out = io.BytesIO()
        anew.save(out, "PNG")
    return out.getvalue()
