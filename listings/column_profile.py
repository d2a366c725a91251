"""A measured column made ready to be read: its facts in words, its most frequent values, and a small plot.

Takes reports of any age: what an older one does not hold is left out. What a report withholds (the values of a personal
column) stays withheld, because nothing here looks at the data itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from marketplace import marks, plots

MOST_SHOWN = 60  # columns of one table
FIGURES = 4  # significant digits of a mean


@dataclass(frozen=True)
class ColumnShown:
    """One column; texts are in the reader's language."""

    name: str
    kind: str
    tags: list[str]
    missing: str
    missing_share: float
    facts: list[dict[str, str]]
    frequent: list[dict[str, Any]]
    bars: list[plots.Column]
    plot_words: str
    is_personal: bool


def profiles_of(columns: list[dict[str, Any]]) -> list[ColumnShown]:
    """The columns of one table, the first MOST_SHOWN of them."""
    return [_shown(column) for column in columns[:MOST_SHOWN]]


def kind_words(kind: str) -> str:
    return {
        "integer": _("Whole number"),
        "number": _("Decimal number"),
        "boolean": _("True or false"),
        "date": _("Date"),
        "timestamp": _("Date and time"),
        "text": _("Text"),
        "nested": _("Nested"),
        "binary": _("Binary"),
        "empty": _("Empty"),
    }.get(kind, kind)


def _shown(column: dict[str, Any]) -> ColumnShown:
    verdict = (column.get("personal") or {}).get("verdict", "none")
    is_personal = verdict in ("personal", "contains")
    share = column.get("missing_share") or 0.0
    counts = column.get("bars") or []
    return ColumnShown(
        name=column["name"],
        kind=kind_words(column["type"]),
        tags=[words for words in (_place(column.get("place", "")), _language(column.get("language", ""))) if words],
        missing=percent(share),
        missing_share=share,
        facts=_facts(column),
        frequent=[
            {"value": one["value"], "share": one["share"], "words": percent(one["share"])}
            for one in column.get("frequent") or []
        ],
        bars=plots.columns(counts),
        plot_words=_plot_words(column, counts),
        is_personal=is_personal,
    )


def _facts(column: dict[str, Any]) -> list[dict[str, str]]:
    about = "" if column.get("distinct_is_exact", True) else _("about %s")
    distinct = number_format(column["distinct"], force_grouping=True)
    facts = [{"label": _("Different values"), "value": about % distinct if about else distinct}]
    if column.get("min") is not None:
        facts.append({"label": _("Lowest"), "value": written(column["min"])})
        facts.append({"label": _("Highest"), "value": written(column["max"])})
    if column.get("mean") is not None:
        facts.append({"label": _("Mean"), "value": written(float(f"{column['mean']:.{FIGURES}g}"))})
    quartiles = [quartile for quartile in column.get("quartiles") or [] if quartile is not None]
    if len(quartiles) == 3:
        words = " · ".join(written(float(f"{quartile:.{FIGURES}g}")) for quartile in quartiles)
        facts.append({"label": _("Quartiles"), "value": words})
    return facts


def _plot_words(column: dict[str, Any], counts: list[int]) -> str:
    """The plot for those who do not see it: where most of the values lie."""
    total = sum(counts)
    if not total:
        return ""
    thirds = [
        sum(counts[start : start + len(counts) // 3]) / total for start in range(0, len(counts), len(counts) // 3)
    ]
    return _(
        "Distribution of %(name)s from %(low)s to %(high)s: %(first)s of the values lie in the lowest third of the "
        "range, %(second)s in the middle, %(third)s in the highest."
    ) % {
        "name": column["name"],
        "low": written(column["min"]),
        "high": written(column["max"]),
        "first": percent(thirds[0]),
        "second": percent(thirds[1]),
        "third": percent(sum(thirds[2:])),
    }


def percent(share: float) -> str:
    """Never rounded up to a hundred nor down to none: one row in a million is seen."""
    if 0 < share < 0.001:
        return marks.percent("< 0.1")
    return marks.percent(f"{int(share * 1000) / 10:.1f}")


def written(value: Any) -> str:
    """A number as the reader's language writes it; a text as it is."""
    if isinstance(value, int) and not isinstance(value, bool):
        return number_format(value, force_grouping=abs(value) >= 10_000)
    if isinstance(value, float):
        return number_format(f"{value:.12g}", force_grouping=False) if abs(value) < 1e15 else f"{value:g}"
    return str(value)


def _place(place: str) -> str:
    return {
        "": "",
        "latitude": _("Latitude"),
        "longitude": _("Longitude"),
        "wkt": _("Geometry (WKT)"),
        "geojson": _("Geometry (GeoJSON)"),
        "country": _("Country code (ISO 3166)"),
        "division": _("Administrative division (GB/T 2260)"),
        "iata": _("Airport code (IATA)"),
        "icao": _("Airport code (ICAO)"),
    }.get(place, "")


def _language(language: str) -> str:
    return {
        "": "",
        "zh-Hans": _("Simplified Chinese"),
        "zh-Hant": _("Traditional Chinese"),
        "en": _("English"),
        "ja": _("Japanese"),
        "other": _("Another or mixed language"),
    }.get(language, "")
