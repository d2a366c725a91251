"""Charts that are tables: a line for each part with its bar, drawn by templates/settlement/_bars.html."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """One line: its words, its number, the length of its bar of plots.LINE, and its further cells, each '' for none or
    None for what is withheld."""

    label: str
    number: int
    length: int
    cells: Sequence[str | None]
