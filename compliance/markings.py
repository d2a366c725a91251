"""What differs between two texts or two lists, marked: pure functions for pages that show things side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

# A Chinese character is a word of its own; spaces and signs stay by themselves.
_WORDS = re.compile(r"[぀-ヿ㐀-鿿豈-﫿]|[^\W_]+|\s+|.", re.DOTALL)
MOST_WORDS = 1500  # above, whole lines are compared: comparing takes the square of the length

SAME, ADDED, REMOVED = "same", "added", "removed"


@dataclass(frozen=True)
class Part:
    """A piece of text and whether it is the same, was added, or was removed."""

    kind: str
    text: str


def of_texts(before: str, now: str) -> list[Part]:
    """The words of both texts in one line of reading, each piece marked."""
    if before == now:
        return [Part(SAME, now)] if now else []
    old, new = _WORDS.findall(before), _WORDS.findall(now)
    if len(old) > MOST_WORDS or len(new) > MOST_WORDS:
        old, new = before.splitlines(keepends=True), now.splitlines(keepends=True)
    parts = []
    for kind, old_from, old_to, new_from, new_to in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(Part(SAME, "".join(new[new_from:new_to])))
            continue
        if old_to > old_from:
            parts.append(Part(REMOVED, "".join(old[old_from:old_to])))
        if new_to > new_from:
            parts.append(Part(ADDED, "".join(new[new_from:new_to])))
    return parts


def of_now(parts: Sequence[Part]) -> list[Part]:
    """The side of what is said now."""
    return [part for part in parts if part.kind != REMOVED]


def of_before(parts: Sequence[Part]) -> list[Part]:
    """The side of what was said before."""
    return [part for part in parts if part.kind != ADDED]


@dataclass(frozen=True)
class Pair:
    """One entry of a list on both sides, None where it is missing: same, added, removed or changed."""

    kind: str
    before: Any
    now: Any


def of_entries(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]], *, key: str) -> list[Pair]:
    """Entries told apart by `key`: those of now in their order, then those that are gone."""
    old = {entry[key]: entry for entry in before}
    pairs = []
    for entry in now:
        earlier = old.pop(entry[key], None)
        kind = ADDED if earlier is None else SAME if earlier == entry else "changed"
        pairs.append(Pair(kind, earlier, entry))
    return [*pairs, *(Pair(REMOVED, entry, None) for entry in old.values())]
