"""Small plots as figures for an SVG: bars that stand side by side, and bars that lie in the lines of a table. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 240, 48  # of a plot of columns, in its own units
LINE = 1000  # the length of the longest line


@dataclass(frozen=True)
class Column:
    """One bar of a plot, in its own units, from its upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Bar:
    """A line of a table with its bar: its words, its number, the bar's length of LINE, and its further cells by their
    headings, each '' for none or None for what is withheld. templates/settlement/_bars.html draws them."""

    label: str
    number: int
    length: int
    cells: Mapping[str, str | None]


def columns(counts: Sequence[int]) -> list[Column]:
    """A bar for each count, as wide as there is room for, the highest as high as the plot; what is not none is seen."""
    most = max(counts, default=0)
    if not most:
        return []
    step = WIDTH / len(counts)
    bars = []
    for place, count in enumerate(counts):
        height = round(max(count / most * HEIGHT, 1.0 if count else 0.0), 1)
        if height:
            bars.append(Column(round(place * step, 1), round(HEIGHT - height, 1), round(step - 1, 1), height))
    return bars


def length(count: int, among: Sequence[int]) -> int:
    """How long a line is, of LINE, where the longest stands for the most among all."""
    most = max(among, default=0)
    return LINE * count // most if most else 0
