"""Personal data is found by its check digits, told from chance, and never shown."""

from __future__ import annotations

import json
import random

import pytest

from listings.profiler.personal import find, masked

# Published examples: GB 11643-1999's own number, companies' codes from their web sites, card networks' test numbers.
ID_CARDS = ["11010519491231002X", "11010519491231002x"]
USCCS = ["9144030071526726XG", "914403001922038216", "91330100799655058B"]
BANK_CARDS = ["4111111111111111", "5555555555554444", "378282246310005", "6200000000000005", "6200 0000 0000 0005"]
MOBILES = ["13800138000", "+86 138 0013 8000", "86-19912345678", "0086 15500001111", "138-0013-8000"]
EMAILS = ["a.b+c@example.com", "wang_3@mail.example.com.cn"]


def kinds(cell: str) -> list[str]:
    return [kind for _, _, kind in find(cell)[0]]


@pytest.mark.parametrize("cell", ID_CARDS)
def test_id_cards_are_found(cell):
    assert kinds(cell) == ["id_card"]


@pytest.mark.parametrize("cell", USCCS)
def test_organisations_codes_are_found(cell):
    assert kinds(cell) == ["uscc"]


@pytest.mark.parametrize("cell", BANK_CARDS)
def test_bank_cards_are_found(cell):
    assert kinds(cell) == ["bank_card"]


@pytest.mark.parametrize("cell", MOBILES)
def test_mobile_numbers_are_found(cell):
    assert kinds(cell) == ["mobile"]


@pytest.mark.parametrize("cell", EMAILS)
def test_email_addresses_are_found(cell):
    assert kinds(cell) == ["email"]


@pytest.mark.parametrize(
    "cell",
    [
        "110105194912310021",  # wrong check digit
        "110105194913310023",  # no month 13
        "990105194912310020",  # no such province
        "914403001922038217",  # wrong check character
        "4111111111111112",  # wrong check digit
        "9999999999999995",  # Luhn holds, no issuer
        "12800138000",  # no such range
        "138001380001",  # twelve digits
        "0.13800138000",  # a fraction
        "1577836800000",  # milliseconds since 1970
        "2025-01-01 10:00:00",
        "someone@localhost",
        "@example.com",
    ],
)
def test_what_only_resembles_personal_data_is_not_found(cell):
    assert kinds(cell) == []


def test_finds_stand_in_chinese_text_and_in_full_width_digits():
    text = "联系人王先生电话13800138000，邮箱wang@example.com。证号：１１０１０５１９４９１２３１００２Ｘ止"
    assert sorted(kinds(text)) == ["email", "id_card", "mobile"]
    assert masked(text) == "联系人王先生电话•••，邮箱•••。证号：•••止"


def column_of(described, cells: list[str], **wishes) -> dict:
    return described("n\tvalue\n" + "".join(f"{n}\t{cell}\n" for n, cell in enumerate(cells)), "data.tsv", **wishes)


@pytest.mark.parametrize(
    ("hits", "verdict"),
    [(1000, "personal"), (200, "personal"), (199, "contains"), (10, "contains"), (9, "traces"), (0, "none")],
)
def test_the_verdict_on_a_column_goes_by_the_rate(described, hits, verdict):
    cells = [f"call 138{n:08}" if n < hits else f"text {n}" for n in range(1000)]
    report = column_of(described, cells)
    personal = report["columns"][1]["personal"]
    assert (personal["verdict"], personal["cells"], personal["rate"]) == (verdict, hits, hits / 1000)
    assert personal["kinds"] == ({"mobile": hits / 1000} if hits else {})
    assert report["personal_data"]["columns"] == (["value"] if hits else [])


def test_missing_cells_do_not_dilute_the_rate(described):
    report = column_of(described, ["a@example.com"] * 3 + [""] * 97)
    assert report["columns"][1]["personal"]["rate"] == 1.0


@pytest.mark.parametrize("digits", [11, 15, 16, 18, 19])
def test_random_numbers_are_not_personal(described, digits):
    dice = random.Random(digits)
    report = column_of(described, [str(dice.randrange(10 ** (digits - 1), 10**digits)) for _ in range(5000)])
    assert report["columns"][1]["personal"]["verdict"] == "none"


def test_random_codes_of_eighteen_characters_are_not_personal(described):
    dice = random.Random(5)
    codes = [
        "91" + f"{dice.randrange(10**6):06}" + "".join(dice.choices("0123456789ABCDEFGH", k=10)) for _ in range(5000)
    ]
    assert column_of(described, codes)["columns"][1]["personal"]["verdict"] == "none"


def secrets_of(kind: str) -> list[str]:
    return {"id_card": ID_CARDS[:1], "uscc": USCCS, "bank_card": BANK_CARDS, "mobile": MOBILES, "email": EMAILS}[
        kind
    ] * 30


@pytest.mark.parametrize("kind", ["id_card", "uscc", "bank_card", "mobile", "email"])
def test_nothing_of_a_personal_column_is_shown(described, kind):
    report = column_of(described, secrets_of(kind))
    column = report["columns"][1]
    assert column["personal"]["verdict"] == "personal"
    assert list(column["personal"]["kinds"]) == [kind]
    assert [column[fact] for fact in ("min", "max", "mean", "deviation", "quartiles", "examples")] == [
        *[None] * 4,
        [],
        [],
    ]
    assert {row[1] for row in report["preview"]} == {"•••"}
    for secret in secrets_of(kind):
        assert secret not in json.dumps(report, ensure_ascii=False)


def test_a_rare_find_in_free_text_is_masked_wherever_it_could_be_shown(described):
    cells = ["0 first: wang@example.com", *[f"5 plain {n}" for n in range(2000)], "9 last: 13800138000"]
    report = column_of(described, cells)
    assert report["columns"][1]["personal"]["verdict"] == "traces"
    assert report["preview"][0] == ["0", "0 first: •••"]
    assert (report["columns"][1]["min"], report["columns"][1]["max"]) == ("0 first: •••", "9 last: •••")
    text = json.dumps(report, ensure_ascii=False)
    assert "wang@" not in text and "13800138000" not in text


def test_mixed_kinds_in_one_column_are_told_apart(described):
    report = column_of(described, ["13800138000", "a@example.com", "nobody", "13800138000 a@example.com"] * 25)
    personal = report["columns"][1]["personal"]
    assert (personal["rate"], personal["kinds"]) == (0.75, {"email": 0.5, "mobile": 0.5})


def test_a_large_file_is_searched_in_a_sample_and_says_so(described, monkeypatch):
    monkeypatch.setattr("listings.profiler.sampling.SAMPLE_ROWS", 1000)
    report = column_of(described, [f"138{n:08}" for n in range(10_000)])
    assert 800 < report["personal_data"]["searched_rows"] < 1300
    assert report["columns"][1]["personal"]["verdict"] == "personal"
    assert report["columns"][1]["personal"]["rate"] == 1.0
    assert len(report["preview"]) == 20
