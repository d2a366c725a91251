"""Broken and hostile files: a readable failure or an honest answer, in time, from the disposable process."""

from __future__ import annotations

import gzip
import io
import json
import random
import struct
import time
import zipfile

import pyarrow as pa
import pyarrow.parquet
import pytest

from listings.isolation import ProfileFailed
from listings.profiler.failures import Unreadable
from tests.listings.profiler.workbooks import archive, workbook

MEGABYTE = 1024 * 1024


def some_parquet() -> bytes:
    buffer = io.BytesIO()
    pa.parquet.write_table(pa.table({"id": list(range(5000)), "name": [f"name {n}" for n in range(5000)]}), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"\n\n\n", "empty"),
        ("a.csv", b"\xef\xbb\xbf", "empty"),
        ("a.jsonl", b"\n", "empty"),
        ("a.csv", bytes(1000), "broken_file"),
        ("a.csv", b"id,name\n1,\x00\x00\x00\n" * 50, "broken_file"),
        ("a.csv", random.Random(1).randbytes(5000), "broken_file"),
        ("a.csv", b"\x89PNG\r\n\x1a\n" + bytes(500), "broken_file"),
        ("a.csv", b"\xff\xfe" + "id,name\n".encode("utf-16-le") + b"\x00\xd8", "unknown_encoding"),
        ("a.csv", b'id,name\n1,"' + b"never closed\n" * 2 * MEGABYTE, "broken_file"),
        ("a.csv", ("a,b\n" + "1,2,3\n" * 50 + '4,"x\n').encode(), None),
        ("a.csv", b"a,b,c\n1,2\n3,4\n", "broken_file"),
        ("a.csv", ",".join(map(str, range(10_000))).encode() + b"\n", "too_many_columns"),
        ("a.csv", b"x" * 20 * MEGABYTE, "line_too_long"),
        ("a.jsonl", b'{"a": "' + b"x" * 20 * MEGABYTE, "line_too_long"),
        ("a.jsonl", b"a,b\n1,2\n", "broken_file"),
        ("a.jsonl", b"[" * 200_000 + b"\n", "broken_file"),
        ("a.jsonl", json.dumps({str(n): n for n in range(10_000)}).encode(), "too_many_columns"),
        ("a.jsonl", '{"a": "深圳"}\n'.encode("gb18030"), "not_utf8"),
        ("a.jsonl", b'{"a": "\x00"}\n', "not_utf8"),
        ("a.parquet", b"id,name\n", "broken_file"),
        ("a.parquet", b"PAR1" + bytes(100) + b"PAR1", "broken_file"),
        ("a.parquet", b"PAR1" + b"\xff" * 100 + struct.pack("<I", 2**31) + b"PAR1", "broken_file"),
        ("a.parquet", b"PARE" + bytes(100) + b"PARE", "encrypted"),
        ("a.xlsx", b"id,name\n", "broken_file"),
        ("a.xlsx", b"PK\x03\x04" + bytes(500), "broken_file"),
        ("a.xlsx", archive({"hello.txt": b"hello"}), "broken_file"),
        ("a.xlsx", workbook({"Empty": []}), "empty"),
        ("a.xlsx", workbook({"Data": [["id"]]}).replace(b"<", b"\xff"), "broken_file"),
        ("a.xlsx", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(500), "broken_file"),
        ("a.csv", b"a,b\n1,2\n" + "深圳,广州\n".encode() * 9 + "深圳,广州\n".encode("gb18030"), "not_utf8"),
        ("a.json", b'[{"a": 1}, {"a":', "broken_file"),
        ("a.json", b'[{"a": ' * 50_000, "broken_file"),
        ("a.jsonl", b'{"a": ' * 50_000 + b"1" + b"}" * 50_000 + b"\n", "broken_file"),
        ("a.pdf", b"%PDF-1.7\n" + archive({"a.csv": b"a\n1\n"}), "polyglot"),
        ("a.png", b"\x89PNG\r\n\x1a\n" + archive({"a.csv": b"a\n1\n"}), "polyglot"),
        ("a.csv", b"%PDF-1.7\n" + archive({"a.csv": b"a\n1\n"}), "polyglot"),
        ("a.xlsm", archive({"xl/vbaProject.bin": b"x"}), "has_macros"),
        ("a.docm", archive({"word/vbaProject.bin": b"x"}), "has_macros"),
        ("a.xls", bytes.fromhex("d0cf11e0a1b11ae1") + "_VBA_PROJECT".encode("utf-16-le"), "has_macros"),
        ("a.svg", b"<svg><script>alert(1)</script></svg>", "active_content"),
        ("a.svg", b"<svg>" + b" " * 3 * MEGABYTE + b'<g onload="x()"/></svg>', "active_content"),
        ("picture", b'<svg><a href="javascript:x()"/></svg>', "active_content"),
        ("a.zip", archive({"inner.zip": archive({"a.csv": b"a\n1\n"})}), "nested_archive"),
        ("a.zip", archive({"a.csv": bytes(200 * MEGABYTE)}), "too_large"),
        ("a.csv.gz", gzip.compress(b"1,2\n" * 40 * MEGABYTE, mtime=0), "too_large"),
        ("a.csv.gz", gzip.compress(b"a,b\n1,2\n" * 1000, mtime=0)[:50], "broken_file"),
        ("a.csv.gz", b"a,b\n1,2\n", "broken_file"),
        (
            "a.xlsx",
            bytes.fromhex("d0cf11e0a1b11ae1") + "EncryptedPackage".encode("utf-16-le") + bytes(500),
            "encrypted",
        ),
    ],
)
def test_a_broken_file_fails_readably(profiled, name, content, code):
    started_at = time.monotonic()
    if code is None:
        assert profiled(content, name)["format"] == "csv"
        return
    with pytest.raises(ProfileFailed) as failure:
        profiled(content, name)
    assert failure.value.code == code
    assert failure.value.sentence.endswith(".") and len(failure.value.sentence) >= 18
    assert time.monotonic() - started_at < 20


def test_a_gigabyte_in_one_line_is_refused_after_one_look(profiled, tmp_path):
    path = tmp_path / "line"
    with path.open("wb") as file:
        file.truncate(1024 * MEGABYTE)  # a hole: NUL bytes that take no room on the disk
    with pytest.raises(ProfileFailed, match="broken_file"):
        profiled(path, "a.csv")


def test_a_parquet_file_damaged_anywhere_fails_readably_or_is_described(profiled):
    whole, dice = some_parquet(), random.Random(3)
    for _ in range(6):
        damaged = bytearray(whole)
        for place in dice.sample(range(4, len(whole) - 4), 40):
            damaged[place] = dice.randrange(256)
        try:
            assert profiled(bytes(damaged), "a.parquet")["format"] == "parquet"
        except ProfileFailed as failure:
            assert failure.code in ("broken_file", "out_of_memory", "took_too_long")


def test_a_truncated_parquet_file_fails_readably(profiled):
    whole = some_parquet()
    with pytest.raises(ProfileFailed, match="broken_file"):
        profiled(whole[: len(whole) // 2], "a.parquet")


def test_a_parquet_file_that_unpacks_to_gigabytes_is_described_within_its_memory(profiled, tmp_path):
    path = tmp_path / "wide.parquet"
    text = pa.array(["x" * 1_000_000]).dictionary_encode()
    chunk = pa.table({"text": pa.DictionaryArray.from_arrays(pa.array([0] * 2000, pa.int32()), text.dictionary)})
    pa.parquet.write_table(chunk, path, compression="zstd")
    assert path.stat().st_size < MEGABYTE
    try:
        assert profiled(path, "a.parquet", memory_bytes=1024**3)["rows"] == 2000
    except ProfileFailed as failure:
        assert failure.code == "out_of_memory"


def bomb(unpacked_bytes: int) -> bytes:
    return workbook({"Data": [["id"]]}, rows_xml="<row><c><v>1</v></c></row>" * (unpacked_bytes // 26))


def test_a_workbook_that_unpacks_to_too_much_is_refused(profiled):
    content = bomb(600 * MEGABYTE)
    assert len(content) < 5 * MEGABYTE
    with pytest.raises(ProfileFailed) as failure:
        profiled(content, "a.xlsx", memory_bytes=1024 * MEGABYTE)
    assert failure.value.code == "too_large"
    assert failure.value.sentence == "The workbook unpacks to more than 512 MB; upload it as CSV or Parquet."


def test_a_workbook_that_lies_about_its_size_is_found_out(described):
    content = bytearray(bomb(100 * MEGABYTE))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):  # every uncompressed size, here and there
        place = content.find(signature)
        while place >= 0:
            content[place + offset : place + offset + 4] = struct.pack("<I", 100)
            place = content.find(signature, place + 1)
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as file:
        assert sum(entry.file_size for entry in file.infolist()) <= 500
    with pytest.raises(Unreadable, match="too_large"):
        described(bytes(content), "a.xlsx", memory_bytes=100 * MEGABYTE)


def test_a_workbook_with_a_cell_at_the_far_end_of_the_sheet_fails_readably(profiled):
    rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    with pytest.raises(ProfileFailed) as failure:
        profiled(workbook({"Data": []}, rows_xml=rows), "a.xlsx")
    assert failure.value.code in ("out_of_memory", "too_many_columns", "took_too_long", "broken_file")


def test_four_hundred_columns_are_described_in_time(profiled):
    header = ",".join(f"c{number}" for number in range(400))
    report = profiled(header + "\n" + ("\n".join([",".join(["7"] * 400)] * 50)) + "\n")
    assert (len(report["columns"]), report["rows"], len(report["preview"][0])) == (400, 50, 100)


def test_a_hundred_thousand_quotes_and_brackets_do_not_hang(profiled):
    assert profiled("a,b\n" + '"' * 100_000 + "," + "((" * 50_000 + "\n")["format"] == "csv"


def test_a_cell_made_to_exhaust_patterns_is_searched_in_time(profiled):
    cells = ["a@" * 5000, "1 " * 5000, "138-" * 2500, "a." * 2500 + "@" + "b." * 2500, "9" * 10_000]
    started_at = time.monotonic()
    profiled("n\tvalue\n" + "".join(f"{n}\t{cell}\n" for n, cell in enumerate(cells * 20)), "a.tsv")
    assert time.monotonic() - started_at < 20


def test_too_little_time_is_said_so(profiled, tmp_path):
    path = tmp_path / "large.csv"
    path.write_text("id,name\n" + "".join(f"{n},name {n}\n" for n in range(2_000_000)))
    with pytest.raises(ProfileFailed, match="took_too_long: Reading the file took more than 1 seconds."):
        profiled(path, timeout_seconds=1)


def test_nul_characters_and_lone_surrogates_never_reach_the_database(profiled):
    report = profiled('{"a\\u0000b": "x\\u0000y \\ud83d"}\n', "a.jsonl")
    text = json.dumps(report)
    assert "\\u0000" not in text and "\\ud83d" not in text
    assert report["columns"][0]["name"] == "a\N{REPLACEMENT CHARACTER}b"


@pytest.mark.parametrize(
    "name", ["payload.py", "payload.csv", "payload.jsonl", "sitecustomize.py", "duckdb.py", "__main__.py"]
)
def test_a_sellers_file_is_never_executed_or_imported(profiled, tmp_path, name):
    mark = tmp_path / "executed"
    path = tmp_path / name
    path.write_text(f'#!/bin/sh\nimport pathlib; pathlib.Path("{mark}").touch()\n')
    path.chmod(0o700)
    try:
        report = profiled(path, name)
        assert report["format"] == ("csv" if name.endswith(".csv") else "other")
    except ProfileFailed as failure:
        assert (name, failure.code) == ("payload.jsonl", "broken_file")
    assert not mark.exists()


def test_a_workbook_that_laughs_a_billion_times_is_refused(profiled):
    laughs = b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><worksheet>&b;</worksheet>'
    with zipfile.ZipFile(io.BytesIO(workbook({"Data": [["id"], [1]]}))) as whole:
        parts = {name: laughs if "sheet1" in name else whole.read(name) for name in whole.namelist()}
    with pytest.raises(ProfileFailed, match="entities"):
        profiled(archive(parts), "a.xlsx")


def test_a_drawing_without_programs_is_a_file_like_any_other(described):
    assert described(b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="1"/></svg>', "a.svg")["format"] == "other"


def test_a_parquet_file_whose_footer_lies_about_its_rows_fails_readably(profiled):
    whole = some_parquet()
    footer_bytes = struct.unpack("<I", whole[-8:-4])[0]
    start = len(whole) - 8 - footer_bytes
    five_thousand, more = b"\x90\x4e", b"\xfe\x7f"  # zigzag varints
    assert five_thousand in whole[start:-8]
    lying = whole[:start] + whole[start:-8].replace(five_thousand, more) + whole[-8:]
    with pytest.raises(ProfileFailed, match="broken_file"):
        profiled(lying, "a.parquet")
