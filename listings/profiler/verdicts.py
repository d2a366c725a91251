"""What the finds of a column amount to: personal, contains personal data, traces, or none.

The rate is the share of the looked-at, non-missing cells in which something was found: PERSONAL from 20 %, CONTAINS
from 1 %, TRACES below. A kind that is found no more than twice as often as random digits of its shape would pass is
left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from .personal import CHANCE, find

PERSONAL, CONTAINS, TRACES, NONE = "personal", "contains", "traces", "none"


@dataclass
class Verdict:
    """`rates` is the share of cells by kind of personal data; `rate` that of cells with any."""

    column: str = NONE
    rate: float = 0.0
    cells: int = 0  # in which something was found
    rates: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        return {"verdict": self.column, "rate": self.rate, "cells": self.cells, "kinds": self.rates}


def verdict_on(present: int, cells: Iterable[tuple[str, int]]) -> Verdict:
    """The verdict on a column of `present` non-missing cells, given those worth a look and how often each occurs."""
    found_together: Counter[frozenset[str]] = Counter()
    found: Counter[str] = Counter()
    shaped: Counter[str] = Counter()
    for cell, count in cells:
        places, shapes = find(cell)
        kinds = frozenset(kind for _, _, kind in places)
        found_together[kinds] += count
        found.update(dict.fromkeys(kinds, count))
        shaped.update(dict.fromkeys(shapes, count))
    meant = {kind for kind in found if found[kind] > 2 * CHANCE[kind] * shaped[kind]}
    number = sum(count for kinds, count in found_together.items() if kinds & meant)
    if not number:
        return Verdict()
    rate = number / present
    column = PERSONAL if rate >= 0.2 else CONTAINS if rate >= 0.01 else TRACES
    return Verdict(column, rate, number, {kind: found[kind] / present for kind in sorted(meant)})
