"""One way to write a record as bytes, so that its digest can be recomputed anywhere: canonical JSON of RFC 8785.

A record holds objects with text keys, lists, text, whole numbers, booleans and null. Fractions are refused: money
is counted in minor units and rates in basis points, and no two languages print every fraction alike. Moments,
dates, identifiers and digests are given as text.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import rfc8785

LARGEST_INTEGER = 2**53 - 1


class NotCanonical(ValueError):
    """The value has no canonical form; the sentence says where in the value and why."""


def canonical(value: Any) -> bytes:
    """The canonical JSON of `value`, in UTF-8. Raises NotCanonical."""
    try:
        if _is_plain(value):
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    except (UnicodeEncodeError, RecursionError):
        pass  # the way below says what is wrong
    _require_exact(value, "the value")
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise NotCanonical(f"This value cannot be written as canonical JSON: {error}") from error


def digest_of(value: Any) -> str:
    """The digest of a record: `sha256:` and the SHA-256 of its canonical JSON, lower-case hex. Raises NotCanonical."""
    return "sha256:" + sha256(canonical(value)).hexdigest()


def _is_plain(value: Any) -> bool:
    """Whether Python's own, faster, encoder writes it as RFC 8785 asks: exact values under keys of ASCII.

    Other keys are sorted by UTF-16 code units there, by code points here.
    """
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return abs(value) <= LARGEST_INTEGER
    if kind is dict:
        return all(type(key) is str and key.isascii() and _is_plain(item) for key, item in value.items())
    return kind in (list, tuple) and all(map(_is_plain, value))


def _require_exact(value: Any, place: str) -> None:
    """Refuse what would not come back the same: fractions, huge integers, keys that are not text, other types."""
    if value is None or isinstance(value, (str, bool)):
        return
    if isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            raise NotCanonical(f"{place} is an integer beyond 2^53 - 1, which JSON cannot carry exactly")
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise NotCanonical(f"{place} has the key {key!r}, which is not text")
            _require_exact(item, f"{place}[{key!r}]")
    elif isinstance(value, (list, tuple)):
        for position, item in enumerate(value):
            _require_exact(item, f"{place}[{position}]")
    elif isinstance(value, float):
        raise NotCanonical(f"{place} is a fraction; write whole minor units, basis points or text")
    else:
        raise NotCanonical(f"{place} is a {type(value).__name__}; write it as text")
