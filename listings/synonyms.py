"""The field's synonyms, read from synonyms.toml: 气象 finds what says 天气 or weather."""

from __future__ import annotations

import tomllib
from pathlib import Path

_FILE = Path(__file__).with_name("synonyms.toml")
_READ = tomllib.loads(_FILE.read_text(encoding="utf-8"))

DATED = _READ["dated"]
GROUPS: list[list[str]] = _READ["groups"]
# What narrows nothing when it is asked beside other words.
PLAIN = frozenset(_READ["plain"])
SMALL = frozenset(_READ["small"])
_GROUPS_OF: dict[str, list[int]] = {}
for _place, _group in enumerate(GROUPS):
    for _word in _group:
        _GROUPS_OF.setdefault(_word, []).append(_place)
# How many Latin words the longest name has.
LONGEST = max(len(word.split()) for word in _GROUPS_OF)


def of(word: str) -> list[str]:
    """The other words of its groups; of a Latin one in the plural, those of its singular. Empty where it has none."""
    for form in (word, *_singulars(word)):
        if form in _GROUPS_OF:
            others = [other for place in _GROUPS_OF[form] for other in GROUPS[place] if other != form]
            return list(dict.fromkeys(others))
    return []


def has(word: str) -> bool:
    """Whether it is one of the field's words, so no misspelling."""
    return any(form in _GROUPS_OF for form in (word, *_singulars(word)))


def _singulars(word: str) -> list[str]:
    if not word.isascii() or not word.endswith("s"):
        return []
    return [word[:-1], *([f"{word[:-3]}y"] if word.endswith("ies") else [word[:-2]] if word.endswith("es") else [])]
