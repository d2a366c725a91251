"""What changed between two releases, from their reports alone."""

from __future__ import annotations

import pytest

from listings import differences
from listings.differences import Drift, between
from tests import factories

pytestmark = pytest.mark.django_db


def report(columns: dict[str, dict], *, path: str = "a.csv", rows: int = 100, quality: float | None = 0.9) -> dict:
    whole = {"type": "integer", "missing_share": 0.0, "distinct": 50, "min": 0, "max": 9, "mean": 5.0, "deviation": 2.0}
    described = [{"name": name, **whole, **changes} for name, changes in columns.items()]
    return {"files": [{"path": path, "rows": rows, "columns": described}], "rows": rows, "quality": quality}


def test_the_same_report_differs_in_nothing():
    same = report({"id": {}})
    found = between(same, same)
    assert (found.added, found.removed, found.retyped, found.drifts, found.breaks_schema) == ([], [], [], [], False)


def test_columns_added_removed_and_retyped_are_told():
    found = between(
        report({"id": {}, "old": {}, "when": {"type": "date"}}), report({"id": {}, "new": {}, "when": {"type": "text"}})
    )
    assert found.added == [("a.csv", "new")]
    assert found.removed == [("a.csv", "old")]
    assert found.retyped == [("a.csv", "when", "date", "text")]
    assert found.breaks_schema


def test_a_column_that_only_came_breaks_nothing():
    assert not between(report({"id": {}}), report({"id": {}, "new": {}})).breaks_schema


@pytest.mark.parametrize(
    ("changes", "drift"),
    [
        ({"missing_share": 0.01}, Drift("a.csv", "id", "missing", 0.0, 0.01)),
        ({"missing_share": 0.009}, None),
        ({"mean": 5.5}, Drift("a.csv", "id", "mean", 5.0, 5.5)),
        ({"mean": 5.4}, None),
        ({"max": 10}, Drift("a.csv", "id", "range", (0, 9), (0, 10))),
        ({"min": 1}, None),
        ({"distinct": 40}, Drift("a.csv", "id", "distinct", 50, 40)),
        ({"distinct": 41}, None),
        ({"mean": None, "min": None, "max": None}, None),
    ],
)
def test_figures_drift_beyond_a_stated_measure(changes, drift):
    found = between(report({"id": {}}), report({"id": changes}))
    assert found.drifts == ([drift] if drift else [])


def test_more_rows_bring_more_values_and_that_is_no_drift():
    found = between(report({"id": {}}, rows=100), report({"id": {"distinct": 100}}, rows=200))
    assert (found.rows_before, found.rows_after, found.drifts) == (100, 200, [])


def test_single_tables_are_compared_whatever_their_names():
    found = between(report({"id": {}}, path="2025.csv"), report({"id": {}, "b": {}}, path="2026.csv"))
    assert (found.added, found.tables_added, found.tables_removed) == ([("2026.csv", "b")], [], [])


def test_tables_that_came_and_went_are_told():
    first, second = report({"id": {}}), report({"id": {}}, path="b.csv")
    both = {**first, "files": first["files"] + second["files"]}
    assert between(first, both).tables_added == ["b.csv"]
    found = between(both, first)
    assert (found.tables_removed, found.breaks_schema) == (["b.csv"], True)


def test_a_release_that_is_no_table_can_be_compared():
    bare = {"files": [{"path": "model.bin", "format": "other"}], "rows": None, "quality": None}
    found = between(bare, bare)
    assert (found.rows_before, found.quality_after, found.tables_added) == (None, None, [])


def test_pages_tell_what_changed_since_the_measured_release_before():
    version = factories.make_draft()
    assert differences.shown(version.release) is None
    later = factories.make_release(version.listing, files={"b.csv": b"carrier,extra\nAA,1\n"}, label="later")
    told = differences.shown(later)
    assert told["label"] == version.release.label
    assert ("Column added", "extra") in [(line["sort"], line["name"]) for line in told["lines"]]
    assert told["facts"][0]["note"].startswith("−")


def test_strangers_are_told_only_of_releases_that_were_reviewed():
    version = factories.make_draft()
    later = factories.make_release(version.listing, files={"b.csv": b"carrier,extra\nAA,1\n"}, label="later")
    assert differences.shown(later, only_approved=True) is None
