"""Rules across the cells of a row that a file states by its own header: what starts comes before what ends.

A rule is made where two columns bear the same name but for one word of PAIRS and hold the same sort of value, dates or
numbers. A row keeps a rule if either cell is missing or does not parse.
"""

from __future__ import annotations

import re

from .columns import Column
from .tables import DATE, INTEGER, NUMBER, TIMESTAMP

PAIRS = (
    *(("start", "end"), ("begin", "end"), ("started", "ended"), ("from", "to"), ("from", "until"), ("since", "until")),
    *(
        ("first", "last"),
        ("min", "max"),
        ("minimum", "maximum"),
        ("low", "high"),
        ("lower", "upper"),
        ("open", "close"),
    ),
    *(("开始", "结束"), ("起始", "终止"), ("起始", "截止"), ("开始", "截止"), ("最小", "最大"), ("最低", "最高")),
)
ONLY_DATES = {"from", "to", "until", "since", "first", "last", "open", "close"}
DATES, NUMBERS = {DATE, TIMESTAMP}, {INTEGER, NUMBER}


def rules(columns: list[Column]) -> list[tuple[int, int]]:
    """The pairs of column numbers of which the first must not exceed the second."""
    places = {column.name.casefold(): place for place, column in enumerate(columns)}
    found = set()
    for name, place in places.items():
        for first, second in PAIRS:
            partner = places.get(_with_word(name, first, second))
            if partner is None or partner == place:
                continue
            kinds = {columns[place].kind, columns[partner].kind}
            if kinds <= DATES or (kinds <= NUMBERS and first not in ONLY_DATES):
                found.add((place, partner))
    return sorted(found)


def _with_word(name: str, first: str, second: str) -> str:
    """The name with one word for another; Latin words must stand alone (start_date, date start), Chinese need not."""
    pattern = rf"(?<![a-z]){first}(?![a-z])" if first.isascii() else first
    return re.sub(pattern, second, name, count=1)


def broken(columns: list[Column], pairs: list[tuple[int, int]]) -> str:
    """SQL: whether a row, parsed by `Rows.parsed`, breaks a rule."""
    parts = []
    for low, high in pairs:
        value = "m" if columns[low].kind in DATES else "n"
        parts.append(f"coalesce({value}{low} > {value}{high}, false)")
    return " OR ".join(parts)
