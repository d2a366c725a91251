"""Planted defects give exact scores."""

from __future__ import annotations

import datetime
import random

import pytest

from listings.profiler.quality import Part, grade_of, judged, timeliness


def csv(header: str, rows: list[str]) -> str:
    return "\n".join([header, *rows]) + "\n"


def scores(report: dict) -> dict[str, float | None]:
    return {name: part["score"] for name, part in report["quality"]["parts"].items()}


def test_a_flawless_file_scores_one_in_each_part_that_applies(described):
    report = described(csv("id,price", [f"{number},{number / 4}" for number in range(1000)]))
    assert scores(report) == {
        "completeness": 1.0,
        "uniqueness": 1.0,
        "validity": 1.0,
        "timeliness": None,
        "consistency": 1.0,
    }
    assert (report["quality"]["score"], report["quality"]["grade"]) == (1.0, "A")


def test_five_percent_duplicate_rows_give_uniqueness_of_exactly_0_95(described):
    rows = [f"{number},name {number}" for number in range(950)]
    report = described(csv("id,name", rows + random.Random(7).sample(rows, 50)))
    assert report["duplicates"]["rows"] == 50
    assert report["duplicates"]["is_exact"] is True
    assert scores(report)["uniqueness"] == 0.95
    assert report["quality"]["score"] == (1 + 0.95 + 1 + 1) / 4


def test_a_row_that_appears_three_times_counts_as_two_duplicates(described):
    assert described(csv("id,name", ["1,a", "1,a", "2,b", "1,a"]))["duplicates"]["rows"] == 2


def test_a_declared_key_makes_rows_with_the_same_key_duplicates(described):
    rows = csv("id,name", [f"{number % 80},name {number}" for number in range(100)])
    assert scores(described(rows))["uniqueness"] == 1.0
    report = described(rows, key_columns=["id", "absent"])
    assert scores(report)["uniqueness"] == 0.8
    assert report["duplicates"]["key_columns"] == ["id"]
    assert report["duplicates"]["unknown_key_columns"] == ["absent"]


@pytest.mark.parametrize("word", ["", "  ", "NA", "n/a", "NULL", "None", "NaN", "\\N", "\u3000"])
def test_a_tenth_of_the_cells_missing_gives_completeness_of_exactly_0_9(described, word):
    report = described(csv("id,name", [f"{number},{word if number % 5 == 0 else 'x'}" for number in range(100)]))
    assert [column["missing"] for column in report["columns"]] == [0, 20]
    assert report["columns"][1]["missing_share"] == 0.2
    assert scores(report)["completeness"] == 0.9


def test_cells_of_another_kind_than_their_column_lower_validity_exactly(described):
    report = described(csv("id,price", [f"{number},{'dear' if number % 10 == 0 else number}" for number in range(100)]))
    assert report["columns"][1]["type"] == "integer"
    assert scores(report)["validity"] == 190 / 200
    assert scores(report)["completeness"] == 1.0


def test_missing_cells_count_for_completeness_only(described):
    report = described(csv("id,price", [f"{number},{'' if number < 50 else number}" for number in range(100)]))
    assert scores(report)["completeness"] == 0.75
    assert scores(report)["validity"] == 1.0


def test_rows_with_another_number_of_cells_than_the_header_lower_consistency_only(described):
    rows = [f"{number},b" + (",surplus" if number % 20 == 0 else "") for number in range(100)]
    report = described(csv("id,name", rows))
    assert (report["rows"], report["uneven_rows"]) == (100, 5)
    assert scores(report) == {
        "completeness": 1.0,
        "uniqueness": 1.0,
        "validity": 1.0,
        "timeliness": None,
        "consistency": 0.95,
    }


def test_an_end_before_its_start_lowers_consistency_exactly(described):
    rows = [f"2025-01-{1 + number % 20:02},2025-01-{'01' if number == 7 else '28'}" for number in range(100)]
    report = described(csv("start_date,end_date", rows))
    assert scores(report)["consistency"] == 0.99
    assert report["quality"]["rules"] == ["start_date is not after end_date"]


def test_a_row_with_two_broken_rules_counts_once(described):
    report = described(csv("最低价,最高价,min_age,max_age", ["5,1,9,2", "1,5,2,9", "3,,2,9", "1,5,2,9"]))
    assert report["quality"]["rules"] == ["最低价 is not after 最高价", "min_age is not after max_age"]
    assert scores(report)["consistency"] == 0.75


@pytest.mark.parametrize(
    ("frequency", "newest", "score"),
    [
        ("daily", "2026-02-28", 1.0),
        ("daily", "2026-02-27", 1 / 2),
        ("weekly", "2026-02-22", 1.0),
        ("weekly", "2026-02-15", 7 / 14),
        ("monthly", "2025-12-28", 31 / 63),
        ("yearly", "2026-03-01", 1.0),
        ("historical", "1999-01-01", None),
        ("", "2026-03-01", None),
    ],
)
def test_timeliness_is_the_promised_interval_over_the_age(described, frequency, newest, score):
    report = described(csv("id,on", ["1,1990-05-05", f"2,{newest}"]), update_frequency=frequency)
    assert report["newest_date"] == newest
    assert scores(report)["timeliness"] == score


def test_dates_in_the_future_make_nothing_fresh(described):
    report = described(csv("id,valid_until", ["1,2099-12-31", "2,2026-02-15"]), update_frequency="weekly")
    assert report["newest_date"] == "2026-02-15"
    assert scores(report)["timeliness"] == 0.5


def test_timeliness_does_not_apply_without_a_date():
    assert timeliness(None, datetime.date(2026, 3, 1), "daily").score is None


@pytest.mark.parametrize(
    ("good", "grade"), [(100, "A"), (95, "A"), (94, "B"), (85, "B"), (84, "C"), (70, "C"), (69, "D"), (0, "D")]
)
def test_grades_have_stated_thresholds(good, grade):
    assert judged({"validity": Part(good, 100), "timeliness": Part(0, 0)})["grade"] == grade


def test_a_score_is_graded_as_it_is_kept_to_four_decimals():
    assert [grade_of(score) for score in (0.94996, 0.94994, None)] == ["A", "B", None]


def test_a_file_without_rows_has_no_score(described):
    report = described("id,name\n")
    assert (report["rows"], report["quality"]["score"], report["quality"]["grade"]) == (0, None, None)
    assert [column["type"] for column in report["columns"]] == ["empty", "empty"]


def test_five_defects_at_once_each_lower_only_their_own_part(described):
    rows = [f"{number},2026-02-{1 + number % 22:02},2026-02-25,{number}" for number in range(1000)]
    rows[10:60] = [f"{number},2026-02-05,2026-02-25," for number in range(10, 60)]  # 50 of 4,000 cells missing
    rows[100:120] = rows[200:220]  # 20 of 1,000 rows twice
    rows[300:340] = [f"{number},2026-02-05,2026-02-25,x" for number in range(300, 340)]  # 40 of 3,950 cells no number
    rows[400:425] = [
        f"{number},2026-02-28,2026-02-25,{number}" for number in range(400, 425)
    ]  # 25 of 1,000 rows reversed
    report = described(csv("id,from,to,price", rows), update_frequency="daily")
    assert scores(report) == {
        "completeness": 3950 / 4000,
        "uniqueness": 0.98,
        "validity": 3910 / 3950,
        "timeliness": 1.0,
        "consistency": 0.975,
    }
