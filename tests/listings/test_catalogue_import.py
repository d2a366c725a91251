"""Other exchanges' catalogues become entries: read as they come, once, kept in step, and never for sale."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from listings import catalogue, catalogue_columns, catalogue_entries, catalogue_files
from listings.catalogue_files import Problem, Unreadable
from listings.filters import Filters
from listings.models import CatalogueEntry, CatalogueReading, Offer
from marketplace.errors import Invalid, RoleNeeded, WrongState
from marketplace.models import Event
from tests import factories

pytestmark = pytest.mark.django_db

AS_COLLECTED = """url,title,description,category,type,offer_type,price,company_name,detail
https://east.example/#/market/detail?id=11,港口吞吐量月报,沿海各港的吞吐量,交通/出行,数据集,平台内交付,2元/次,海图数据有限公司,"第一段

第二段
"
https://east.example/#/market/detail?id=12,企业用电信息,查询企业用电,电力、热力、燃气及水生产和供应业,API数据,平台外交付,面议,明灯电力有限公司,
https://east.example/#/market/detail?id=13,气象观测,逐小时气温,气象/环境,数据报告,平台外交付,,晴空气象有限公司,
"""
NORMALISED = """title,provider,description,url,category,platform,currency,price_mode,price,update_frequency
航空旅客报告,飞友科技,机场旅客,https://south.example/spec?id=7,综合,South Data Exchange,RMB,negotiation,0.0,yearly
票价指数,飞友科技,国内票价,https://south.example/spec?id=8,金融,South Data Exchange,RMB,usage-based,754.3000000000001,
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def written(text: str | bytes, name: str = "catalogue.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return written


def take(path: Path, **more: Any) -> tuple[catalogue_entries.Told, list[Problem]]:
    problems: list[Problem] = []
    files = [catalogue_files.look(one) for one in catalogue_files.files_in(path)]
    return catalogue_entries.read(files, report=problems.append, **more), problems


def counted(told: catalogue_entries.Told) -> dict[str, int]:
    return {name: count for name, count in told.counts.items() if count}


def test_a_row_becomes_an_entry_that_says_where_it_comes_from(write):
    told, problems = take(write(AS_COLLECTED), exchange="East Exchange")
    assert (counted(told), problems) == ({"rows": 3, "created": 3}, [])
    entry = CatalogueEntry.objects.get(identifier="11")
    said = {name: getattr(entry, name) for name in catalogue_entries.COLUMNS if name != "digest"}
    assert said == {
        "source": "east.example",
        "exchange": "East Exchange",
        "identifier": "11",
        "address": "https://east.example/#/market/detail?id=11",
        "title": "港口吞吐量月报",
        "summary": "沿海各港的吞吐量",
        "details": "第一段\n\n第二段",
        "merchant": "海图数据有限公司",
        "category": "交通/出行",
        "kind": "数据集",
        "product_type": "dataset",
        "sector": "transport",
        "price": "2元/次",
        "coverage": "",
        "update_frequency": "",
        "keywords": "",
    }
    assert entry.first_reading == entry.last_reading == CatalogueReading.objects.get()
    assert dict(CatalogueEntry.objects.values_list("identifier", "product_type")) == {
        "11": "dataset",
        "12": "api",
        "13": "report",
    }
    assert dict(CatalogueEntry.objects.values_list("identifier", "sector"))["12"] == "energy"


def test_prices_are_kept_as_given(write):
    take(write(NORMALISED))
    prices = dict(CatalogueEntry.objects.values_list("identifier", "price"))
    assert prices == {"7": "negotiation", "8": "754.3 RMB (usage-based)"}


def test_reading_again_changes_nothing_and_a_changed_row_is_written_anew(write):
    take(write(AS_COLLECTED))
    before = list(CatalogueEntry.objects.order_by("pk").values_list("pk", "public_id", "digest"))
    told, _ = take(write(AS_COLLECTED))
    assert counted(told) == {"rows": 3, "unchanged": 3}
    assert list(CatalogueEntry.objects.order_by("pk").values_list("pk", "public_id", "digest")) == before
    told, _ = take(write(AS_COLLECTED.replace("逐小时气温", "逐分钟气温")))
    assert counted(told) == {"rows": 3, "unchanged": 2, "changed": 1}
    changed = CatalogueEntry.objects.get(identifier="13")
    assert (changed.pk, changed.public_id) == before[2][:2]
    assert catalogue.browse("逐分钟")[:9] == [changed]
    assert catalogue.browse("逐小时")[:9] == []


def test_what_disappears_is_marked_with_a_date_and_what_returns_is_not(write):
    take(write(AS_COLLECTED))
    take(write(NORMALISED, "other.csv"))
    shorter = "\n".join(AS_COLLECTED.splitlines()[:-1]) + "\n"
    take(write(shorter), is_partial=True)
    assert not CatalogueEntry.objects.filter(gone_at__isnull=False).exists()
    told, _ = take(write(shorter))
    assert counted(told) == {"rows": 2, "unchanged": 2, "gone": 1}
    (gone,) = CatalogueEntry.objects.filter(gone_at__isnull=False)
    assert (gone.identifier, gone.gone_at) == ("13", CatalogueReading.objects.latest("pk").read_at)
    told, _ = take(write(AS_COLLECTED))
    assert counted(told) == {"rows": 3, "unchanged": 2, "returned": 1}
    assert not CatalogueEntry.objects.filter(gone_at__isnull=False).exists()


def test_nothing_is_gone_while_parts_cannot_be_read(write):
    take(write(AS_COLLECTED))
    rows = AS_COLLECTED.splitlines()
    told, problems = take(write("\n".join([*rows[:-1], "too,few"]) + "\n"))
    assert (told.is_whole, [problem.code for problem in problems]) == (False, ["wrong_columns"])
    assert not CatalogueEntry.objects.filter(gone_at__isnull=False).exists()


def test_a_row_that_lost_its_title_is_refused_and_its_entry_not_gone(write):
    take(write(AS_COLLECTED))
    told, problems = take(write(AS_COLLECTED.replace("气象观测", "")))
    assert counted(told) == {"rows": 3, "unchanged": 2, "refused": 1}
    assert [(one.line, one.code) for one in problems] == [(7, "missing_title")]
    kept = CatalogueEntry.objects.get(identifier="13")
    assert (kept.title, kept.gone_at) == ("气象观测", None)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("marked.csv", AS_COLLECTED.encode("utf-8-sig")),
        ("chinese.csv", AS_COLLECTED.encode("gb18030")),
        ("wide.csv", AS_COLLECTED.encode("utf-16")),
        ("windows.csv", AS_COLLECTED.replace("\n", "\r\n").encode()),
        ("tabs.tsv", AS_COLLECTED.replace(",", "\t").encode()),
        ("list.json", json.dumps(list(csv.DictReader(io.StringIO(AS_COLLECTED))), ensure_ascii=False).encode()),
        ("lines.jsonl", "\n".join(map(json.dumps, csv.DictReader(io.StringIO(AS_COLLECTED)))).encode()),
    ],
)
def test_every_form_of_a_catalogue_gives_the_same_entries(write, name, content):
    take(write(AS_COLLECTED))
    told, problems = take(write(content, name).rename(write(b"", "x").with_name("only-" + name)))
    assert (counted(told), problems) == ({"rows": 3, "unchanged": 3}, [])


def test_columns_are_known_by_chinese_names_in_either_script_and_by_a_mapping(write):
    take(write("產品編號,產品名稱,數商,交易場所,備註\nA-1,航班,雲圖,某交易所,其他\n"), mapping={"summary": "備註"})
    entry = CatalogueEntry.objects.get()
    assert (entry.identifier, entry.title, entry.merchant) == ("A-1", "航班", "雲圖")
    assert (entry.source, entry.exchange, entry.summary, entry.address) == ("某交易所", "某交易所", "其他", "")


REFUSED = [
    ("title,url\n,https://a.example/1\n", "missing_title", 2),
    ("title,url\nA,\n", "missing_identifier", 2),
    ("title,id\nA,1\n", "missing_exchange", 2),
    ("title,url\nA,javascript:alert(1)\n", "wrong_address", 2),
    ("title,url\nA,https://[broken\n", "wrong_address", 2),
    ("title,url\nA\0,https://a.example/1\n", "nul_character", 2),
    (f"title,url\n{'A' * 501},https://a.example/1\n", "too_long", 2),
    ("title,url\nA,https://a.example/1,more\n", "wrong_columns", 2),
    ('title,url\n"A"B,https://a.example/1\n', "broken_csv", 2),
    ("title,url\nA,https://a.example/1\nB,https://a.example/1\n", "repeated", 3),
    ("heading,url\nA,https://a.example/1\n", "no_title_column", 0),
    ("", "empty_file", 0),
]


@pytest.mark.parametrize(("text", "code", "line"), REFUSED, ids=[code for _text, code, _line in REFUSED])
def test_what_cannot_be_read_is_told_by_line_and_code(write, text, code, line):
    told, problems = take(write(text))
    assert [(one.file, one.code, one.line) for one in problems] == [("catalogue.csv", code, line)]
    assert dict(told.reasons) == {code: 1}
    assert CatalogueEntry.objects.count() == (code == "repeated")


def test_reading_goes_on_after_a_line_nobody_can_hold(write, monkeypatch):
    monkeypatch.setattr(catalogue_files, "LONGEST_LINE", 200)
    good = "title,url\nA,https://a.example/1\n{}\nB,https://a.example/2\n"
    _told, problems = take(write(good.format("x" * 1000)))
    assert [(one.line, one.code) for one in problems] == [(3, "line_too_long")]
    assert set(CatalogueEntry.objects.values_list("title", flat=True)) == {"A", "B"}


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [("a.xlsx", b"PK", "unknown_format"), ("a.csv", b"\xff\x00\xff\xff", "unknown_encoding")],
)
def test_a_file_that_is_no_catalogue_is_refused_whole(write, name, content, code):
    with pytest.raises(Unreadable) as refusal:
        catalogue_files.look(write(content, name))
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("content", "code"),
    [('{"title": "A"}', "not_a_list"), ('[{"title": "A"', "broken_json"), ("[1]", "not_an_object")],
)
def test_broken_json_is_told(write, content, code):
    _told, problems = take(write(content, "a.json"))
    assert [one.code for one in problems] == [code]
    assert not CatalogueEntry.objects.exists()


def test_memory_stays_bounded_however_long_the_catalogue(write):
    rows = "".join(f"标题{number},https://a.example/{number},{'描述' * 200}\n" for number in range(6000))
    path = write("title,url,description\n" + rows)
    files = [catalogue_files.look(path)]
    tracemalloc.start()
    assert sum(1 for _row in catalogue_files.rows(files[0], tell=lambda *_: None, advance=lambda _: None)) == 6000
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert path.stat().st_size > 7_000_000
    assert peak < 1_000_000


def test_a_reading_is_one_event_with_its_counts_and_the_digest_of_the_files(write):
    take(write(AS_COLLECTED))
    (event,) = Event.objects.all()
    reading = CatalogueReading.objects.get()
    assert (event.kind, event.subject_id) == ("catalogue.read", reading.pk)
    assert event.facts == {"digest": reading.digest, "counts": {"rows": 3, "created": 3, "gone": 0, "unchanged": 0}}


def test_a_reading_that_is_cut_off_has_changed_nothing(write):
    path = write(AS_COLLECTED)

    def die(_bytes: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take(path, advance=die)
    assert not CatalogueEntry.objects.exists() and not CatalogueReading.objects.exists() and not Event.objects.exists()


# --- the command ---------------------------------------------------------------------------------------------------


def run(path: Path, *more: str) -> str:
    said = io.StringIO()
    call_command("import_catalogue", str(path), *more, stdout=said, stderr=said)
    return said.getvalue()


def test_the_command_reads_a_folder_and_says_what_came_of_it(write, tmp_path):
    write(AS_COLLECTED, "a.csv"), write(NORMALISED, "b.csv"), write("notes", "README.md")
    said = run(tmp_path)
    assert "rows 5, created 5, changed 0, returned 0, unchanged 0, gone 0, refused 0" in said
    assert "title ← title" in said
    assert "100 % of" in said
    assert "rows 5, created 0, changed 0, returned 0, unchanged 5, gone 0, refused 0" in run(tmp_path)


def test_a_dry_run_keeps_nothing(write):
    assert "A dry run: nothing was kept." in run(write(AS_COLLECTED), "--dry-run")
    assert not CatalogueEntry.objects.exists() and not Event.objects.exists()


def test_the_report_names_every_problem(write, tmp_path):
    path = write("title,url\nA,https://a.example/1\n,https://a.example/2\n")
    run(path, "--report", str(tmp_path / "report.csv"))
    rows = list(csv.reader((tmp_path / "report.csv").read_text().splitlines()))
    assert rows == [["file", "line", "code", "detail"], ["catalogue.csv", "3", "missing_title", "It has no title."]]
    run(path, "--report", str(tmp_path / "report.json"))
    report = json.loads((tmp_path / "report.json").read_text())
    assert [one["code"] for one in report["problems"]] == ["missing_title"]
    assert report["counts"] == {"rows": 2, "unchanged": 1, "refused": 1, "gone": 0}
    run(write(AS_COLLECTED), "--report", str(tmp_path / "report.json"))
    assert json.loads((tmp_path / "report.json").read_text())["problems"] == []


def test_the_command_fails_only_where_nothing_could_be_read(write, tmp_path):
    with pytest.raises(CommandError, match="Nothing could be read"):
        run(write("title,url\n,x\n"))
    with pytest.raises(CommandError, match="no_file"):
        run(tmp_path / "nowhere.csv")
    with pytest.raises(CommandError, match="--map"):
        run(write(AS_COLLECTED), "--map", "colour=title")
    assert not CatalogueEntry.objects.exists()
    write(b"\xff\x00\xff\xff", "broken.csv")
    assert "broken.csv: unknown_encoding" in run(write(AS_COLLECTED).parent)
    assert CatalogueEntry.objects.count() == 3


# --- in the catalogue ----------------------------------------------------------------------------------------------


@pytest.fixture
def shelf(write):
    take(write(AS_COLLECTED), exchange="East Exchange")
    return factories.make_listed_product()


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        ("吞吐量", ["港口吞吐量月报"]),
        ("港口 吞吐量", ["港口吞吐量月报"]),
        ("氣象觀測", ["气象观测"]),
        ("用電", ["企业用电信息"]),
        ("海图数据", ["港口吞吐量月报"]),
        ("第二段", ["港口吞吐量月报"]),
        ("航班", []),
    ],
)
def test_entries_are_found_by_chinese_words_in_either_script(shelf, words, titles):
    assert [entry.title for entry in catalogue.browse(words, filters=Filters(show="entries"))[:100]] == titles


def test_products_come_first_and_filters_of_products_leave_no_entry(shelf):
    found = catalogue.browse()
    page = catalogue.page_of(found, "1")
    assert [type(one).__name__ for one in page] == ["Listing", *["CatalogueEntry"] * 3]
    assert (found.product_count, found.entry_count, found.count()) == (1, 3, 4)
    assert catalogue.browse(filters=Filters(show="entries")).count() == 3
    assert catalogue.browse(filters=Filters(show="products")).count() == 1
    assert catalogue.browse(filters=Filters(sector=("energy",))).entry_count == 1
    assert catalogue.browse(filters=Filters(product_type=("report",))).entry_count == 1
    assert catalogue.browse(filters=Filters(price=("paid",))).entry_count == 0
    assert catalogue.browse(filters=Filters(classification=("general_2",))).entry_count == 0
    with pytest.raises(Invalid):
        Filters(show="nothing")


def test_pages_run_from_products_into_entries_without_a_gap(shelf, monkeypatch):
    monkeypatch.setattr(catalogue, "ON_A_PAGE", 2)
    factories.make_listed_product()
    factories.make_listed_product()
    shown = [one for number in ("1", "2", "3") for one in catalogue.page_of(catalogue.browse(), number)]
    assert [type(one).__name__ for one in shown] == [*["Listing"] * 3, *["CatalogueEntry"] * 3]
    assert len({(type(one), one.pk) for one in shown}) == 6


def test_a_page_of_both_costs_the_same_however_many_it_shows(write, shelf):
    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert Client().get("/catalogue/").status_code == 200
        return len(queries)

    few = statements()
    take(write("title,url\n" + "".join(f"T{number},https://a.example/{number}\n" for number in range(15))))
    assert statements() == few


def test_the_catalogue_marks_entries_and_counts_them(shelf):
    page = Client().get("/catalogue/").content.decode()
    assert page.count("at East Exchange, not sold here") == 3
    assert '<span class="count">3</span>' in page
    page = Client().get("/catalogue/", {"show": "entries"}).content.decode()
    assert page.count('<article class="card product">') == 3


def test_the_page_of_an_entry_says_it_cannot_be_bought_and_where_to_ask(shelf):
    entry = CatalogueEntry.objects.get(identifier="11")
    page = Client().get(entry.get_absolute_url()).content.decode()
    assert "This cannot be bought here" in page
    assert 'href="https://east.example/#/market/detail?id=11" rel="external nofollow noopener noreferrer"' in page
    assert "海图数据有限公司" in page and "East Exchange" in page
    assert "/buy/" not in page and "Buy this licence" not in page and "<form" not in page.split("<main")[1]


def test_the_api_types_what_it_lists(shelf):
    answer = Client().get("/api/v1/catalogue").json()
    assert [one["type"] for one in answer["results"]] == ["product", *["catalogue_entry"] * 3]
    assert (answer["count"], answer["products"], answer["entries"]) == (4, 1, 3)
    entry = answer["results"][-1]
    assert "offers" not in entry and entry["exchange"] == "East Exchange"
    one = Client().get(f"/api/v1/catalogue/entries/{entry['public_id']}").json()
    assert (one["identifier"], one["details"]) == ("11", "第一段\n\n第二段")
    assert Client().get(f"/api/v1/products/{entry['public_id']}").status_code == 404


def test_nothing_can_refer_to_an_entry_so_nothing_can_sell_one(shelf):
    assert [one.name for one in CatalogueEntry._meta.related_objects] == []
    entry = CatalogueEntry.objects.last()
    (offer,) = Offer.objects.all()
    free = max(entry.pk, offer.listing_id) + 1000
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "INSERT INTO listings_offer (public_id, listing_id, name, price_minor, currency, terms, channel,"
            " inspection_days, audience, created_at, created_by_id) SELECT 'x', %s, name, price_minor, currency, terms,"
            " channel, inspection_days, audience, created_at, created_by_id FROM listings_offer",
            [free],
        )
    assert Offer.objects.count() == 1


# --- withdrawing ---------------------------------------------------------------------------------------------------


def test_staff_withdraw_an_entry_for_good_and_say_why(write, shelf):
    entry, staff = CatalogueEntry.objects.get(identifier="11"), factories.make_staff("review")
    catalogue_entries.withdraw(entry, reason="The merchant asked.", by=staff)
    entry.refresh_from_db()
    assert (entry.withdrawn_by, entry.withdrawal_reason) == (staff, "The merchant asked.")
    assert Event.objects.latest("pk").kind == "catalogue_entry.withdrawn"
    take(write(AS_COLLECTED.replace("沿海各港", "所有港口")), exchange="East Exchange")
    assert catalogue.browse("吞吐量").entry_count == 0
    assert Client().get(entry.get_absolute_url()).status_code == 404
    assert Client().get(f"/api/v1/catalogue/entries/{entry.public_id}").status_code == 404
    with pytest.raises(WrongState):
        catalogue_entries.withdraw(entry, reason="Again.", by=staff)


def test_only_staff_of_reviews_withdraw_and_only_with_a_reason(shelf):
    entry = CatalogueEntry.objects.get(identifier="11")
    with pytest.raises(RoleNeeded):
        catalogue_entries.withdraw(entry, reason="So.", by=factories.make_staff("vetting"))
    with pytest.raises(Invalid):
        catalogue_entries.withdraw(entry, reason=" ", by=factories.make_staff("review"))
    entry.refresh_from_db()
    assert entry.withdrawn_at is None
    assert not Event.objects.filter(kind="catalogue_entry.withdrawn").exists()


@pytest.mark.parametrize(
    "change",
    [
        "source = 'other'",
        "identifier = 'other'",
        "public_id = 'other'",
        "title = ''",
        "address = 'javascript:alert(1)'",
        "withdrawn_at = now()",
        "withdrawal_reason = 'because'",
    ],
)
def test_the_database_refuses_what_an_entry_must_not_become(shelf, change):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE listings_catalogueentry SET {change} WHERE identifier = '11'")  # noqa: S608


def test_the_database_keeps_entries_and_withdrawals(shelf):
    entry = CatalogueEntry.objects.get(identifier="11")
    catalogue_entries.withdraw(entry, reason="The merchant asked.", by=factories.make_staff("review"))
    for statement in (
        "DELETE FROM listings_catalogueentry",
        "UPDATE listings_catalogueentry SET withdrawn_at = NULL, withdrawn_by_id = NULL, withdrawal_reason = ''"
        " WHERE identifier = '11'",
        "DELETE FROM listings_cataloguereading",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.mark.parametrize(
    ("category", "sector"),
    [
        ("金融,综合,航运交通", "finance"),
        ("批发和零售业", "commerce"),
        ("公共管理、社会保障和社会组织", "city"),
        ("交通運輸、倉儲和郵政業", "transport"),
        ("Healthcare & Life Sciences Data", "health"),
        ("综合", ""),
        ("", ""),
    ],
)
def test_a_category_is_put_under_our_sectors_by_its_first_words(category, sector):
    assert catalogue_columns.sector_of(category) == sector
