"""Which bytes a request asks for: Range, If-Range and the preconditions of RFC 9110. Pure functions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.http import parse_etags

_ONE_RANGE = re.compile(r"bytes=(?P<first>[0-9]{0,18})-(?P<last>[0-9]{0,18})", re.IGNORECASE)


class NotSatisfiable(Exception):
    """The range lies outside the file: 416 (RFC 9110 §15.5.17)."""


@dataclass(frozen=True)
class Part:
    """So many bytes from `first` on."""

    first: int
    size_bytes: int

    def content_range(self, whole_bytes: int) -> str:
        return f"bytes {self.first}-{self.first + self.size_bytes - 1}/{whole_bytes}"


def asked_part(header: str, whole_bytes: int) -> Part | None:
    """The one part a Range header asks for, or None for the whole (RFC 9110 §14.1.2, §14.2).

    A header that is malformed, in other units or asks for several parts is ignored, as the RFC allows.
    Raises NotSatisfiable.
    """
    written = _ONE_RANGE.fullmatch(header.strip())
    if written is None or not (written["first"] or written["last"]):
        return None
    if not written["first"]:
        size_bytes = min(int(written["last"]), whole_bytes)
        if int(written["last"]) == 0:
            raise NotSatisfiable
        return Part(whole_bytes - size_bytes, size_bytes) if size_bytes else None
    first = int(written["first"])
    last = int(written["last"]) if written["last"] else max(first, whole_bytes - 1)
    if last < first:
        return None
    if first >= whole_bytes:
        raise NotSatisfiable
    return Part(first, min(last, whole_bytes - 1) - first + 1)


def may_be_partial(if_range: str, etag: str) -> bool:
    """Whether If-Range, where it stands, names exactly this content. A date or a weak tag never does (§13.1.5)."""
    return not if_range or if_range.strip() == etag


def failed_precondition(etag: str, *, if_match: str, if_none_match: str) -> int | None:
    """412 or 304 where a precondition says so, in the order of RFC 9110 §13.2.2; else None."""
    if if_match and not {"*", etag} & set(parse_etags(if_match)):
        return 412
    if if_none_match and {"*", etag} & {tag.removeprefix("W/") for tag in parse_etags(if_none_match)}:
        return 304
    return None
