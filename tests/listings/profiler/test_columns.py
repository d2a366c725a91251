"""What is said of a column: kind, counts, extremes."""

from __future__ import annotations

import pytest

from listings.profiler import engine


def column(report: dict, name: str) -> dict:
    return next(column for column in report["columns"] if column["name"] == name)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "-2", "+3"], "integer"),
        (["1", "2.5", "1e3"], "number"),
        (["true", "FALSE", "true"], "boolean"),
        (["是", "否", "是"], "boolean"),
        (["2025-01-31", "2025/2/1", "2025年3月1日"], "date"),
        (["2025-01-31T05:06:07Z", "2025-01-31 05:06"], "timestamp"),
        (["007", "12", "13"], "text"),  # a code, not an amount
        (["6222021234567890123", "12"], "text"),  # more digits than an amount has
        (["1_000", "2_000"], "text"),
        (["31/12/2025", "01/02/2025"], "text"),  # cannot be told from month first
        (["2025-02-30", "2025-13-01"], "text"),
        (["inf", "-inf"], "text"),
        (["1", "a", "b"], "text"),
        (["NA", "", "null"], "empty"),
    ],
)
def test_the_kind_of_a_column_is_what_most_of_its_cells_are(described, cells, kind):
    assert (
        column(described("n,value\n" + "".join(f"{n},{cell}\n" for n, cell in enumerate(cells))), "value")["type"]
        == kind
    )


def test_numbers_are_summarised(described):
    value = column(described("n,value\n" + "".join(f"{n},{n}\n" for n in range(101))), "value")
    assert (value["min"], value["max"], value["mean"], value["quartiles"]) == (0, 100, 50.0, [25.0, 50.0, 75.0])
    assert (value["distinct"], value["distinct_is_exact"]) == (101, True)
    assert value["examples"] == ["0", "1", "2", "3", "4"]


def test_whole_numbers_beyond_a_float_are_exact(described):
    value = column(described("n,value\n1,9007199254740993\n2,900719925474099267\n"), "value")
    assert (value["min"], value["max"]) == (9007199254740993, 900719925474099267)


def test_dates_have_a_first_and_a_last(described):
    value = column(described("n,value\n1,2025-03-01\n2,2024年2月29日\n3,2025/1/2\n"), "value")
    assert (value["min"], value["max"]) == ("2024-02-29", "2025-03-01")


def test_many_rows_and_columns_are_counted_exactly(described):
    header = ",".join(f"c{number}" for number in range(40))
    rows = "".join(",".join(str((row * column) % 97) for column in range(40)) + "\n" for row in range(2000))
    report = described(header + "\n" + rows)
    assert report["rows"] == 2000
    assert [column["distinct"] for column in report["columns"]] == [1] + [97] * 39


def test_a_file_too_large_to_keep_is_described_the_same_by_one_pass_per_question(described, monkeypatch):
    content = "id,when,note\n" + "".join(f"{n},2025-01-0{1 + n % 9},text {n % 7}\n" for n in range(5000)) + "1,2\n"
    kept = described(content)
    monkeypatch.setattr(engine, "KEPT_SHARE", 10**9)
    assert described(content) == kept
    assert (kept["rows"], kept["uneven_rows"]) == (5001, 1)


def test_names_of_columns_need_not_be_there_nor_differ(described):
    report = described("a,a,,b\n1,2,3,4\n")
    assert [column["name"] for column in report["columns"]] == ["a", "a (column 2)", "column 3", "b"]


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("1,2\n3,4\n", ["column 1", "column 2"]),
        ("country,2019,2020\nCN,1,2\n", ["country", "2019", "2020"]),
        ("when,2020-01-01\nx,1\n", ["column 1", "column 2"]),
        ('"","x","y"\n"1",5,6\n"2",7,8\n', ["column 1", "x", "y"]),
        ('"x","y"\n"r1",5,6\n"r2",7,8\n', ["column 1", "x", "y"]),  # as R writes row names
    ],
)
def test_a_header_is_recognised_by_what_it_holds(described, content, names):
    assert [column["name"] for column in described(content)["columns"]] == names


def test_cells_that_look_like_questions_to_the_engine_are_only_text(described):
    evil = "'; DROP TABLE kept; --"
    report = described(f'"{evil}",b\n"{evil}","\'\' || (SELECT 1)"\n')
    assert report["columns"][0]["name"] == evil
    assert report["preview"] == [[evil, "'' || (SELECT 1)"]]
