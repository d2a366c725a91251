"""What changed between two releases, from their reports alone: a pure function, and its words for pages.

Tables are compared by their path, or with each other where each release holds one. Columns are compared by name. A
column's figures have drifted when

    missing     its share of missing cells moved by MISSING_POINTS or more
    mean        its mean moved by MEAN_DEVIATIONS of the earlier standard deviation or more
    range       it reaches lower or higher than before
    distinct    its different values became fewer or more by DISTINCT_SHARE or more, while rows did not
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from listings.column_profile import kind_words, percent, written
from listings.models import Release
from listings.profiler.quality import grade_of
from listings.states import ProfileState

MISSING_POINTS, MEAN_DEVIATIONS, DISTINCT_SHARE = 0.01, 0.25, 0.2
MOST_LINES = 100  # of each sort


@dataclass(frozen=True)
class Drift:
    """One figure of a column that moved: `what` is missing, mean, range or distinct; values as measured."""

    table: str
    column: str
    what: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Differences:
    """What is different in the later release. Columns are named as (table, column)."""

    rows_before: int | None
    rows_after: int | None
    quality_before: float | None
    quality_after: float | None
    tables_added: list[str] = field(default_factory=list)
    tables_removed: list[str] = field(default_factory=list)
    added: list[tuple[str, str]] = field(default_factory=list)
    removed: list[tuple[str, str]] = field(default_factory=list)
    retyped: list[tuple[str, str, str, str]] = field(default_factory=list)  # with the kind before and after
    drifts: list[Drift] = field(default_factory=list)

    @property
    def breaks_schema(self) -> bool:
        """Whether a program that reads the earlier release may stumble over the later one."""
        return bool(self.tables_removed or self.removed or self.retyped)


def between(before: dict[str, Any], after: dict[str, Any]) -> Differences:
    """What changed from one release's report to a later one's."""
    old, new = _tables(before), _tables(after)
    if len(old) == len(new) == 1 and set(old) != set(new):
        old = {next(iter(new)): next(iter(old.values()))}
    found = Differences(before["rows"], after["rows"], before["quality"], after["quality"])
    found.tables_added.extend(path for path in new if path not in old)
    found.tables_removed.extend(path for path in old if path not in new)
    for path in new:
        if path in old:
            _compare(path, old[path], new[path], found)
    return found


def _tables(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["path"]: one for one in report["files"] if one.get("columns")}


def _compare(path: str, before: dict[str, Any], after: dict[str, Any], found: Differences) -> None:
    old = {column["name"]: column for column in before["columns"]}
    new = {column["name"]: column for column in after["columns"]}
    found.added.extend((path, name) for name in new if name not in old)
    found.removed.extend((path, name) for name in old if name not in new)
    same_rows = _moved(before["rows"], after["rows"]) < DISTINCT_SHARE
    for name in new:
        if name not in old:
            continue
        if old[name]["type"] != new[name]["type"]:
            found.retyped.append((path, name, old[name]["type"], new[name]["type"]))
        else:
            found.drifts.extend(_drifts(path, old[name], new[name], same_rows))


def _drifts(path: str, old: dict[str, Any], new: dict[str, Any], same_rows: bool) -> Iterator[Drift]:
    name = new["name"]
    missing = [column["missing_share"] or 0.0 for column in (old, new)]
    if abs(missing[1] - missing[0]) >= MISSING_POINTS:
        yield Drift(path, name, "missing", *missing)
    means: list[Any] = [column.get("mean") for column in (old, new)]
    if None not in means and abs(means[1] - means[0]) >= MEAN_DEVIATIONS * (old.get("deviation") or 0) > 0:
        yield Drift(path, name, "mean", *means)
    ends: list[Any] = [column.get(end) for column in (old, new) for end in ("min", "max")]
    if new["type"] != "text" and None not in ends and (ends[2] < ends[0] or ends[3] > ends[1]):
        yield Drift(path, name, "range", tuple(ends[:2]), tuple(ends[2:]))
    if same_rows and _moved(old["distinct"], new["distinct"]) >= DISTINCT_SHARE:
        yield Drift(path, name, "distinct", old["distinct"], new["distinct"])


def _moved(before: int, after: int) -> float:
    return abs(after - before) / before if before else float(bool(after))


# --- for pages -----------------------------------------------------------------------------------------------------


def shown(release: Release | None, *, only_approved: bool = False) -> dict[str, Any] | None:
    """What changed in a measured release since the measured one before it; None where there is no such pair.

    With `only_approved` the one before is the last that a reviewed version named: what strangers have seen.
    """
    if release is None or _report(release) is None:
        return None
    earlier = Release.objects.filter(listing=release.listing_id, pk__lt=release.pk, profile__state=ProfileState.DONE)
    if only_approved:
        earlier = earlier.filter(versions__approved_at__isnull=False)
    return told(earlier.select_related("profile").order_by("-pk").first(), release)


def told(previous: Release | None, release: Release | None) -> dict[str, Any] | None:
    """What templates/listings/_differences.html shows of two releases; None unless both are measured."""
    before, after = _report(previous), _report(release)
    if previous is None or before is None or after is None:
        return None
    found = between(before, after)
    return {
        "label": previous.label,
        "found": found,
        "facts": _figures(found),
        "lines": _schema_lines(found)[:MOST_LINES],
        "drifts": [_drift_words(drift) for drift in found.drifts[:MOST_LINES]],
    }


def _report(release: Release | None) -> dict[str, Any] | None:
    profile = getattr(release, "profile", None)
    return profile.report if profile is not None and profile.state == ProfileState.DONE else None


def _figures(found: Differences) -> list[dict[str, str]]:
    figures = []
    if found.rows_before is not None and found.rows_after is not None:
        change = found.rows_after - found.rows_before
        sign = "+" if change > 0 else "−" if change < 0 else "±"
        note = f"{sign}{number_format(abs(change), force_grouping=True)}"
        counts = (number_format(rows, force_grouping=True) for rows in (found.rows_before, found.rows_after))
        value = " → ".join(counts)
        figures.append({"label": _("Rows"), "value": value, "note": note})
    if found.quality_before is not None and found.quality_after is not None:
        value = f"{percent(found.quality_before)} → {percent(found.quality_after)}"
        note = f"{grade_of(found.quality_before)} → {grade_of(found.quality_after)}"
        figures.append({"label": _("Quality"), "value": value, "note": note})
    return figures


def _schema_lines(found: Differences) -> list[dict[str, str]]:
    """Every change of the schema: its sort, the table, the name, and a remark."""
    return [
        *({"sort": _("Table removed"), "table": path, "name": "", "note": ""} for path in found.tables_removed),
        *({"sort": _("Table added"), "table": path, "name": "", "note": ""} for path in found.tables_added),
        *({"sort": _("Column removed"), "table": path, "name": name, "note": ""} for path, name in found.removed),
        *(
            {
                "sort": _("Kind changed"),
                "table": path,
                "name": name,
                "note": f"{kind_words(old)} → {kind_words(new)}",
            }
            for path, name, old, new in found.retyped
        ),
        *({"sort": _("Column added"), "table": path, "name": name, "note": ""} for path, name in found.added),
    ]


def _drift_words(drift: Drift) -> dict[str, str]:
    what = {
        "missing": _("Missing"),
        "mean": _("Mean"),
        "range": _("From – to"),
        "distinct": _("Different values"),
    }[drift.what]
    if drift.what == "missing":
        values = f"{percent(drift.before)} → {percent(drift.after)}"
    elif drift.what == "range":
        values = " → ".join(" – ".join(map(written, ends)) for ends in (drift.before, drift.after))
    else:
        values = _pair(drift.before, drift.after)
    return {"table": drift.table, "column": drift.column, "what": what, "values": values}


def _pair(before: float, after: float) -> str:
    short = (value if isinstance(value, int) else float(f"{value:.4g}") for value in (before, after))
    return " → ".join(map(written, short))
