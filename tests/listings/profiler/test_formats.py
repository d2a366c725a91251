"""The same table in each format, and encodings and dialects of text."""

from __future__ import annotations

import datetime
import gzip
import hashlib
import io
import json

import pyarrow as pa
import pyarrow.parquet
import pytest

from listings.profiler.failures import Unreadable
from tests.listings.profiler.workbooks import archive, workbook

NAMES = ["id", "城市", "price", "on", "active"]
ROWS = [(n, ["上海", "深圳", "香港"][n % 3], n + 0.5, f"2025-01-{1 + n % 28:02}", n % 2 == 0) for n in range(60)]
KINDS = ["integer", "text", "number", "date", "boolean"]


def as_csv(delimiter: str = ",", newline: str = "\n") -> str:
    rows = [[str(n), city, str(price), on, str(active).lower()] for n, city, price, on, active in ROWS]
    return newline.join(delimiter.join(row) for row in [NAMES, *rows]) + newline


def as_json_lines() -> str:
    return "".join(json.dumps(dict(zip(NAMES, row, strict=True)), ensure_ascii=False) + "\n" for row in ROWS)


def as_parquet() -> bytes:
    columns = [list(column) for column in zip(*ROWS, strict=True)]
    columns[3] = [datetime.date.fromisoformat(on) for on in columns[3]]
    buffer = io.BytesIO()
    pa.parquet.write_table(pa.table(dict(zip(NAMES, columns, strict=True))), buffer)
    return buffer.getvalue()


def as_workbook() -> bytes:
    return workbook({"Cover": [], "Prices": [list(NAMES), *map(list, ROWS)], "Notes": [["x"]]})


CONTENTS = {
    "data.csv": lambda: as_csv().encode(),
    "data.jsonl": lambda: as_json_lines().encode(),
    "data.parquet": as_parquet,
    "data.xlsx": as_workbook,
}


@pytest.mark.parametrize("name", CONTENTS)
def test_the_same_table_is_described_alike_in_every_format(described, name):
    content = CONTENTS[name]()
    report = described(content, name)
    assert report["format"] == name.removeprefix("data.")
    assert (report["size_bytes"], report["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert (report["rows"], report["uneven_rows"], report["newest_date"]) == (60, 0, "2025-01-28")
    assert [column["name"] for column in report["columns"]] == NAMES
    assert [column["type"] for column in report["columns"]] == KINDS
    assert [column["distinct"] for column in report["columns"]] == [60, 3, 60, 28, 2]
    assert (report["columns"][0]["min"], report["columns"][0]["max"], report["columns"][0]["mean"]) == (0, 59, 29.5)
    assert report["preview"][0] == ["0", "上海", "0.5", "2025-01-01", "true"]
    assert (len(report["preview"]), report["quality"]["score"]) == (20, 1.0)


@pytest.mark.parametrize("name", CONTENTS)
def test_the_disposable_process_gives_the_same_report(described, profiled, name):
    content = CONTENTS[name]()
    report = profiled(content, name)
    assert report.pop("isolation")["memory"] is True
    assert report == json.loads(json.dumps(described(content, name)))


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("gb18030", "gb18030"),
        ("gbk", "gb18030"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
    ],
)
def test_chinese_text_is_read_in_any_common_encoding(described, encoding, found):
    report = described(as_csv().encode(encoding))
    assert (report["encoding"], report["rows"]) == (found, 60)
    assert [column["name"] for column in report["columns"]] == NAMES
    assert report["preview"][1][1] == "深圳"


def test_a_few_characters_again_and_again_are_still_chinese(described):
    rows = "".join(f"{n},{('上海', '深圳', '香港', '臺灣鐵路')[n % 4]},{n}\n" for n in range(4000))
    for content in (rows, rows.replace("臺灣鐵路", "London")):
        report = described(("id,city,n\n" + content).encode("gb18030"))
        assert report["columns"][1]["examples"][:3] == ["上海", "深圳", "香港"]


TEXTS = {
    "gb18030": "上海市浦东新区世纪大道；数据交易所在这里登记、挂牌、交易",
    "big5hkscs": "香港特別行政區中環的數據交易所在這裡登記、掛牌、買賣，我們是會員",
    "shift_jis": "東京都のデータはここで売買されています。私たちは会員です",
    "euc_kr": "서울특별시에서 데이터를 사고 팝니다. 우리는 회원입니다",
    "cp1252": "Données ouvertes à Genève, vélos en libre-service près du marché, été à Zürich, Straße",
}


@pytest.mark.parametrize("encoding", TEXTS)
def test_text_of_other_scripts_is_not_taken_for_chinese(described, encoding):
    rows = "".join(f"{n};{TEXTS[encoding]}\n" for n in range(40))
    report = described(("id;text\n" + rows).encode(encoding))
    assert report["columns"][1]["examples"] == [TEXTS[encoding]]


def test_letters_beyond_ascii_may_first_appear_after_megabytes(described):
    content = "id,name\n" + "".join(f"{n},plain\n" for n in range(200_000)) + "7,深圳\n"
    assert described(content.encode("gb18030"))["encoding"] == "gb18030"
    assert described(content)["encoding"] == "utf-8"


def test_a_letter_cut_by_the_end_of_a_chunk_is_still_utf_8(described):
    filler = "x" * (1024 * 1024 - len("id,name\n1,") - 1)
    report = described(f"id,name\n1,{filler}深圳\n")
    assert (report["encoding"], report["rows"]) == ("utf-8", 1)


def test_a_damaged_byte_in_utf_8_is_named_and_not_guessed_away(described):
    content = as_csv().encode() + b"61,\xff,1,2025-01-01,true\n"
    with pytest.raises(Unreadable, match=f"not_utf8: .* byte {len(as_csv().encode()) + 3},"):
        described(content)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends_are_found(described, delimiter, newline):
    report = described(as_csv(delimiter, newline))
    assert (report["delimiter"], report["rows"], report["uneven_rows"]) == (delimiter, 60, 0)


def test_quoted_cells_may_hold_delimiters_quotes_and_line_ends(described):
    report = described('id,text\n1,"a,b"\n2,"say ""hi"""\n3,"two\nlines"\n')
    assert [row[1] for row in report["preview"]] == ["a,b", 'say "hi"', "two\nlines"]


def test_one_column_is_a_table_too(described):
    report = described("name\nanna\nbert\n")
    assert [column["name"] for column in report["columns"]] == ["name"]
    assert report["rows"] == 2


def test_json_lines_may_differ_in_their_keys_and_nest(described):
    lines = [
        '{"a": 1, "b": {"x": [1]}}',
        "",
        '{"a": null, "c": "NA", "b": {}}',
        "[1]",
        '{"a": true',
        '{"a": "\\ud800"}',
    ]
    report = described("\n".join(lines), "data.ndjson")
    assert [(column["name"], column["type"], column["missing"]) for column in report["columns"]] == [
        ("a", "text", 1),
        ("b.x[]", "nested", 2),
        ("c", "empty", 3),
        ("b", "nested", 2),
    ]
    assert (report["rows"], report["uneven_rows"]) == (5, 2)
    assert report["quality"]["parts"]["consistency"]["score"] == 0.6


def test_a_json_file_is_a_table_if_it_has_an_object_per_line_or_is_an_array_of_objects(described):
    assert described('{"a": 1}\n{"a": 2}\n', "data.json")["rows"] == 2
    assert described('[{"a": 1}, {"a": 2}]', "data.json")["rows"] == 2
    assert described("[1, 2]", "data.json")["format"] == "other"
    assert described('{\n"a": 1\n}', "data.json")["format"] == "other"


def test_parquet_types_are_taken_from_the_file(described):
    moments = [datetime.datetime(2025, 1, 1), datetime.datetime(2025, 1, 2)]
    table = pa.table(
        {
            "code": pa.array(["1", "2"]),
            "midnight": pa.array(moments, pa.timestamp("us", tz="UTC")),
            "list": pa.array([[1], [2]]),
            "bytes": pa.array([b"\x00\xff", b"x"]),
            'quoted "name"': pa.array([1.0, 2.0]),
            "nothing": pa.array([None, None], pa.int32()),
        }
    )
    buffer = io.BytesIO()
    pa.parquet.write_table(table, buffer)
    report = described(buffer.getvalue(), "x.parquet")
    kinds = ["integer", "timestamp", "nested", "binary", "number", "empty"]
    assert [column["type"] for column in report["columns"]] == kinds
    assert report["columns"][4]["name"] == 'quoted "name"'
    assert [column["examples"] for column in report["columns"][2:4]] == [[], []]
    assert report["newest_date"] == "2025-01-02"


def test_each_visible_sheet_of_a_workbook_that_holds_anything_is_a_table(described):
    report = described(
        workbook(
            {"Secret": [["x"], [1]], "Empty": [], "Data": [["id", "name"], [1, "a"]], "More": [["y"], [5], [6]]},
            hidden=("Secret",),
        ),
        "book.xlsx",
    )
    assert (report["sheet"], report["sheets_not_described"]) == ("Data", ["Secret", "Empty"])
    assert report["preview"] == [["1", "a"]]
    (more,) = report["more_tables"]
    assert (more["sheet"], more["rows"], more["columns"][0]["name"], more["quality"]["grade"]) == ("More", 2, "y", "A")


NESTED = {
    "id": 1,
    "address": {"city": "深圳", "geo": {"lat": 22.5}},
    "tags": ["a"],
    "items": [{"price": 1.5}, {"n": 2}],
}


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_objects_within_objects_become_columns_and_lists_tell_the_types_of_their_elements(described, name):
    line = json.dumps(NESTED, ensure_ascii=False)
    content = f"{line}\n{line}\n" if name == "a.jsonl" else json.dumps([NESTED, NESTED], indent=2)
    report = described(content, name)
    assert [(column["name"], column["type"]) for column in report["columns"]] == [
        ("id", "integer"),
        ("address.city", "text"),
        ("address.geo.lat", "number"),
        ("tags[]", "nested"),
        ("items[]", "nested"),
    ]
    assert {one["path"]: one["types"] for one in report["paths"]} == {
        "id": ["integer"],
        "address.city": ["text"],
        "address.geo.lat": ["number"],
        "tags[]": ["text"],
        "items[].price": ["number"],
        "items[].n": ["integer"],
    }


def test_a_large_array_on_one_line_is_read_element_by_element(described):
    content = "[" + ",".join(json.dumps({"n": n, "text": "x" * 100}) for n in range(90_000)) + "]"
    assert len(content) > 10 * 1024**2
    assert described(content, "a.json")["rows"] == 90_000
    with pytest.raises(Unreadable, match="broken_file"):
        described(content[:-60], "a.json")


def test_nested_parquet_of_thousands_of_row_groups_is_flattened(described):
    numbers = list(range(6000))
    table = pa.table({"id": numbers, "s": [{"a": n, "b": {"c": str(n)}} for n in numbers], "l": [[n] for n in numbers]})
    buffer = io.BytesIO()
    pa.parquet.write_table(table, buffer, row_group_size=2)
    report = described(buffer.getvalue(), "a.parquet")
    assert pyarrow.parquet.ParquetFile(io.BytesIO(buffer.getvalue())).num_row_groups == 3000
    assert (report["rows"], [column["name"] for column in report["columns"]]) == (6000, ["id", "s.a", "s.b.c", "l[]"])
    assert [column["type"] for column in report["columns"]] == ["integer", "integer", "integer", "nested"]
    assert report["paths"][3] == {"path": "l[]", "types": ["BIGINT[]"]}


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_packed_table_is_described_as_the_plain_one_is(described, encoding):
    content = as_csv().encode(encoding)
    plain, packed = described(content, "a.csv"), described(gzip.compress(content), "a.csv.gz")
    assert (packed.pop("format"), packed.pop("sha256") != plain["sha256"]) == ("gzip", True)
    assert {**plain, **packed} == {**plain, "size_bytes": packed["size_bytes"]}


def test_each_table_in_a_zip_is_described_and_the_rest_is_named(described):
    parts = {"x/a.csv": as_csv().encode(), "b.jsonl": as_json_lines().encode(), "read.pdf": b"%PDF-1.7"}
    report = described(archive(parts), "a.zip")
    assert (report["format"], report["entry"], report["rows"]) == ("zip", "x/a.csv", 60)
    assert [(table["entry"], table["rows"]) for table in report["more_tables"]] == [("b.jsonl", 60)]
    assert report["entries_not_described"] == ["read.pdf"]
    assert described(archive({"read.pdf": b"%PDF-1.7"}), "a.zip").get("columns") is None


@pytest.mark.parametrize(
    "name", ["photo.jpg", "model.onnx", "notes.txt", "program.py", "data", "archive.zip", "old.xls"]
)
def test_any_other_file_is_a_release_too_with_size_and_digest(described, name):
    content = b"import os; os.abort()\nPK\x03\x04"
    assert described(content, name) == {
        "format": "other",
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
