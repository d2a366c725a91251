"""How the values of a column are spread: its most frequent values, and the counts behind a small plot.

Both are of the sample. A value is told only if the column repeats itself and the value fills at least LEAST_OCCURRENCES
cells and one in a hundred: what occurs once or twice may point at one person or one deal, however harmless its column.
"""

from __future__ import annotations

from .columns import Column
from .tables import BOOLEAN, DATE, INTEGER, NUMBER, TEXT, TIMESTAMP

FREQUENT = 5
LEAST_OCCURRENCES = 5
BARS = 24
MOST_VALUES = 2_000  # different cells looked at for what a column is about
DETAILED_COLUMNS = 100  # of a wider table, the first ones are described in such detail: each costs three questions


def frequent(column: Column, values: list[tuple[str, int]], cells: int) -> list[tuple[str, float]]:
    """The most frequent values with their share of the `cells` that are present, those first that occur most."""
    if column.kind not in (TEXT, BOOLEAN, INTEGER) or 2 * column.distinct > column.present:
        return []
    return [(cell, count / cells) for cell, count in values[:FREQUENT] if count >= max(LEAST_OCCURRENCES, cells / 100)]


def has_plot(column: Column) -> bool:
    return column.kind in (INTEGER, NUMBER, DATE, TIMESTAMP) and column.lowest != column.highest
