"""How the terms of an offer differ from the exchange's standard terms, sentence by sentence, in the reader's language.

The standard terms are those a new offer starts from: `terms.default_terms`. Sentences are held against each other by
their codes; two of one family, such as where the data may be used, say the same thing differently.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from listings import terms
from listings.terms import Item, Terms

Part = Literal["may", "may_not", "must"]
PARTS: tuple[Part, ...] = ("may", "may_not", "must")
# Purposes are each their own: one more is an addition, not another wording of the first.
EACH_ITS_OWN = "purpose"


@dataclass(frozen=True)
class Apart:
    """One sentence that differs: `sort` is added, removed or changed; '' where a side says nothing."""

    part: Part
    sort: Literal["added", "removed", "changed"]
    standard: str
    offered: str


def from_standard(offered: Terms, language: str) -> list[Apart]:
    """Every difference, in the order of the licence; empty where the terms are the standard ones."""
    return list(between(terms.default_terms(), offered, language))


def between(before: Terms, after: Terms, language: str) -> Iterator[Apart]:
    """What the second terms say otherwise than the first. Expects terms without problems."""
    said, says = terms.plain_words(before, language), terms.plain_words(after, language)
    for part in PARTS:
        old = {_family(item): item["text"] for item in said[part]}
        new = {_family(item): item["text"] for item in says[part]}
        for family in dict.fromkeys([*new, *old]):
            standard, offered = old.get(family, ""), new.get(family, "")
            if standard != offered:
                yield Apart(
                    part, "changed" if standard and offered else "added" if offered else "removed", standard, offered
                )


def _family(item: Item) -> str:
    name = item["code"]
    return name if name.startswith(EACH_ITS_OWN) else name.partition("_")[0]
