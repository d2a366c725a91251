"""The HTML beside a letter's plain text: made from that text, so that both say the same and the text lacks nothing.

A paragraph that is one address of this exchange becomes the button (the first) or a link; one whose lines all begin
with `> ` is somebody's words; the exchange's name at the end becomes the foot. Addresses elsewhere stay plain text:
what a stranger wrote never becomes something to press. No image, no tracking, nothing fetched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import get_language

QUOTED = "> "
TAGS = {"zh-hans": "zh-Hans", "zh-hant": "zh-Hant-HK"}


@dataclass(frozen=True)
class Block:
    """A part of a letter: `kind` is text, quote, button or link."""

    kind: str
    text: str


def quoted(text: str) -> str:
    """Somebody's words as letters quote them."""
    return "\n".join(QUOTED + line for line in text.strip().splitlines())


def drawn(subject: str, body: str) -> str:
    """The letter as HTML, in the language in use."""
    parts = blocks(body)
    context = {
        "subject": subject,
        "blocks": parts,
        "preview": next((one.text for one in parts if one.kind == "text"), ""),
        "exchange_name": settings.EXCHANGE_NAME,
        "base_url": settings.BASE_URL,
        "language_tag": TAGS.get(get_language() or "", get_language() or "en"),
    }
    return render_to_string("marketplace/letter.html", context)


def blocks(body: str) -> list[Block]:
    """A letter's plain text, part by part; without the exchange's name and address at its end."""
    found: list[Block] = []
    for paragraph in re.split(r"\n\s*\n", body.strip()):
        lines = [line.strip() for line in paragraph.strip().splitlines()]
        if not lines or set(lines) <= {settings.EXCHANGE_NAME, settings.BASE_URL}:
            continue
        if all(line.startswith(QUOTED.strip()) for line in lines):
            found.append(Block("quote", "\n".join(line.removeprefix(">").strip() for line in lines)))
        elif len(lines) == 1 and _is_ours(lines[0]):
            is_first = all(one.kind != "button" for one in found)
            found.append(Block("button" if is_first else "link", lines[0]))
        else:
            found.append(Block("text", "\n".join(lines)))
    return found


def _is_ours(line: str) -> bool:
    return line.startswith(settings.BASE_URL + "/") and " " not in line
