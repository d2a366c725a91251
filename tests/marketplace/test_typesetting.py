"""Papers: the same bytes from the same record, everything it holds on the page, and members' text only ever shown."""

import copy
import hashlib
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import segno

from marketplace.canonical import digest_of
from marketplace.typesetting import LANGUAGES, PAPERS, SCHEMA, CannotTypeset, _qr_code, typeset
from tests.pdf_text import pages, text_of

ADDRESS = "https://exchange.example/verify/TC-7M2N-W8Q4-KXTB?code=7K3M-9QWX-2HDP-A4TZ"
DIGEST = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
SELLER = {
    "name": "上海远洋数据科技有限公司",
    "latin_name": "Shanghai Ocean Data Technology Co., Ltd.",
    "number_kind": "uscc",
    "registration_number": "91110000600037341L",
}
BUYER = {
    "name": "香港灣區航運研究有限公司",
    "latin_name": "Hong Kong Bay Shipping Research Limited",
    "number_kind": "hk_br",
    "registration_number": "12345678",
    "seat": {"en": "Hong Kong", "zh-hans": "香港", "zh-hant": "香港"},
}
PRODUCT = {
    "titles": {"en": "Flights of 2013", "zh-hans": "2013年航班数据", "zh-hant": "2013年航班數據"},
    "product_type": "dataset",
    "version": 3,
    "register_number": "PR-4K7Q-X9M2-HDPW",
}
LICENCE = {
    language: {
        "may": [{"code": "a", "text": may, "kept": "contractual"}],
        "may_not": [{"code": "b", "text": may_not, "kept": "contractual"}],
        "must": [{"code": "c", "text": must, "kept": "enforced"}],
    }
    for language, may, may_not, must in [
        ("en", "Use it for research", "Pass it on", "Sign in first"),
        ("zh-hans", "用于科研", "转交他人", "先行登录"),
        ("zh-hant", "用於科研", "轉交他人", "先行登入"),
    ]
}
COMMON = {"schema": 1, "issuer": "Databourse", "issued_at": "2026-11-21T08:05:00Z"}
TRADE = {**PRODUCT, "trade_number": "TR-4K7Q-X9M2-HDPW", "seller": SELLER, "buyer": BUYER, "licence": LICENCE}

RECORDS: dict[str, dict[str, Any]] = {
    "registration_certificate": {
        **COMMON,
        **PRODUCT,
        "number": "RC-7M2N-W8Q4-KXTB",
        "holder": SELLER,
        "rights": {
            "holding": {"held": True, "basis": "Own systems"},
            "use": {"held": False},
            "operation": {"held": True},
        },
        "source_statement": "Records of departures published by the airports.",
        "lawful_basis": "open",
        "classification": "general_1",
        "has_personal_data": False,
        "release_digest": DIGEST,
        "registered_at": "2026-11-20T23:30:00+00:00",
    },
    "listing_certificate": {
        **COMMON,
        **PRODUCT,
        "number": "LC-7M2N-W8Q4-KXTB",
        "certificate_number": "RC-7M2N-W8Q4-KXTB",
        "holder": SELLER,
        "classification": "general_1",
        "listed_at": "2026-11-20T23:31:00+00:00",
        "plans": {
            "prices": ["free", "fixed"],
            "audiences": ["everyone", "on_request"],
            "channels": ["files", "carrier_pigeon"],
            "territory": {"en": "worldwide", "zh-hans": "全球", "zh-hant": "全球"},
        },
    },
    "delivery_record": {
        **COMMON,
        **PRODUCT,
        "number": "DR-7M2N-W8Q4-KXTB",
        "trade_number": "TR-4K7Q-X9M2-HDPW",
        "contract_number": "CN-7M2N-W8Q4-KXTB",
        "seller": SELLER,
        "buyer": BUYER,
        "channel": "files",
        "delivery_digest": DIGEST,
        "files": [
            {"path": "2013/flights.csv", "size_bytes": 31_053_850, "sha256": DIGEST.removeprefix("sha256:")},
            {"path": "说明/字段说明.pdf", "size_bytes": 12_345, "sha256": "ab" * 32},
        ],
        "total_bytes": 31_066_195,
        "funded_at": "2026-11-20T06:11:00Z",
        "delivered_at": "2026-11-20T06:12:00Z",
        "access_ends_at": "2027-11-20T06:12:00Z",
        "inspect_ends_at": "2026-11-27T06:12:00Z",
        "crossborder_digest": DIGEST,
    },
    "acceptance": {
        **COMMON,
        **PRODUCT,
        "number": "AC-7M2N-W8Q4-KXTB",
        "trade_number": "TR-4K7Q-X9M2-HDPW",
        "contract_number": "CN-7M2N-W8Q4-KXTB",
        "delivery_number": "DR-7M2N-W8Q4-KXTB",
        "seller": SELLER,
        "buyer": BUYER,
        "delivery_digest": DIGEST,
        "delivered_at": "2026-11-20T06:12:00Z",
        "inspection_days": 7,
        "inspect_ends_at": "2026-11-27T06:12:00Z",
        "accepted_at": "2026-11-20T09:00:00Z",
        "how": "buyer",
        "accepted_by": {"person": "陳大文", "role": "owner"},
    },
    "trade_contract": {
        **COMMON,
        **TRADE,
        "number": "CN-7M2N-W8Q4-KXTB",
        "release_digest": DIGEST,
        "price_minor": 123_456_700,
        "currency": "CNY",
        "inspection_days": 7,
        "governing_law": "Law of the Hong Kong Special Administrative Region",
        "agreements": [
            {"organisation": BUYER["name"], "agreed_at": "2026-11-20T03:00:00Z"},
            {"organisation": SELLER["name"], "agreed_at": "2026-11-20T05:30:00Z"},
        ],
        "rules_digest": DIGEST,
        "agreement_digest": DIGEST,
    },
    "quote": {
        **COMMON,
        **PRODUCT,
        "schema": 2,
        "number": "QT-7M2N-W8Q4-KXTB",
        "seller": SELLER,
        "buyer": BUYER,
        "plan": "Internal use, one year",
        "currency": "CNY",
        "price_minor": 123_456_700,
        "gross_minor": 123_456_700,
        "net_minor": 116_468_585,
        "taxes": [{"tax": "vat_charged", "percent": "6", "amount_minor": 6_988_115}],
        "licence": LICENCE,
        "inspection_days": 7,
        "pay_within_days": 7,
        "quoted_by": "Chan Tai Man",
        "valid_until_at": "2026-12-05T08:05:00Z",
    },
    "settlement_statement": {
        **COMMON,
        "number": "ST-7M2N-W8Q4-KXTB",
        "member": SELLER,
        "cycle": "CY-000017",
        "cleared_at": "2026-11-21T08:00:00Z",
        "currency": "CNY",
        "lines": [
            {
                "trade_number": "TR-4K7Q-X9M2-HDPW",
                "titles": PRODUCT["titles"],
                "gross_minor": 123_456_700,
                "fee_minor": 3_086_418,
                "net_minor": 120_370_282,
            },
            {
                "trade_number": "TR-4K7Q-X9M2-HDPA",
                "titles": {"zh-hans": "全球机场"},
                "gross_minor": 50_000,
                "fee_minor": 1_250,
                "net_minor": 48_750,
            },
        ],
        "totals": {"gross_minor": 123_506_700, "fee_minor": 3_087_668, "net_minor": 120_419_032},
        "payout_reference": "PO-20261121-17",
    },
    "trade_certificate": {
        **COMMON,
        **TRADE,
        "number": "TC-7M2N-W8Q4-KXTB",
        "contract_number": "CN-7M2N-W8Q4-KXTB",
        "price_minor": 123_456_700,
        "currency": "CNY",
        "delivery_digest": DIGEST,
        "proposed_at": "2026-11-20T03:00:00Z",
        "agreed_at": "2026-11-20T05:30:00Z",
        "registered_at": "2026-11-20T05:31:00Z",
        "funded_at": "2026-11-20T06:11:00Z",
        "delivered_at": "2026-11-20T06:12:00Z",
        "accepted_at": "2026-11-20T09:00:00Z",
        "cleared_at": "2026-11-20T10:00:00Z",
        "settled_at": "2026-11-21T01:30:00Z",
        "journal": {"position": 1234, "size": 1240, "root": DIGEST.removeprefix("sha256:")},
    },
}
EVERY_PAPER = [(kind, language) for kind in RECORDS for language in LANGUAGES]


def paper(kind: str, language: str = "en", *, sandbox: bool = False, **changes: Any) -> bytes:
    return typeset(kind, {**RECORDS[kind], **changes}, language=language, verify_url=ADDRESS, sandbox=sandbox)


@pytest.mark.parametrize(("kind", "language"), EVERY_PAPER)
def test_the_same_record_gives_the_same_bytes_on_one_page(kind, language):
    first = paper(kind, language)
    assert (
        first
        == paper(kind, language)
        == typeset(kind, copy.deepcopy(RECORDS[kind]), language=language, verify_url=ADDRESS, sandbox=False)
    )
    assert first.startswith(b"%PDF-")
    assert len(pages(first)) == 1


def test_another_process_with_another_hash_seed_and_clock_zone_gives_the_same_bytes():
    program = (
        "import sys; from tests.marketplace.test_typesetting import paper; "
        "sys.stdout.buffer.write(paper('trade_certificate', 'zh-hant'))"
    )
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "1",
        "TZ": "America/New_York",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    elsewhere = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, env=environment, cwd=PAPERS.parent.parent
    )
    assert elsewhere.stdout == paper("trade_certificate", "zh-hant")


def test_threads_do_not_disturb_each_other():
    expected = {kind: paper(kind) for kind in RECORDS}
    with ThreadPoolExecutor(4) as threads:
        for kind, pdf in threads.map(lambda kind: (kind, paper(kind)), list(RECORDS) * 5):
            assert pdf == expected[kind]


@pytest.mark.parametrize(("kind", "language"), EVERY_PAPER)
def test_every_paper_prints_its_number_digest_address_and_time(kind, language):
    text = text_of(paper(kind, language))
    assert RECORDS[kind]["number"] in text
    assert digest_of(RECORDS[kind]) in text
    assert ADDRESS in text
    assert ("21 November 2026, 16:05" if language == "en" else "2026年11月21日 16:05") in text
    assert "\ufffd" not in text


@pytest.mark.parametrize(
    ("kind", "english", "simplified", "traditional"),
    [
        ("registration_certificate", "Registration Certificate", "数据产品登记证书", "數據產品登記證書"),
        ("listing_certificate", "Listing Certificate", "数据产品挂牌证书", "數據產品掛牌證書"),
        ("delivery_record", "Delivery Record", "数据交付记录", "數據交付紀錄"),
        ("acceptance", "Acceptance", "验收单", "驗收單"),
        ("trade_contract", "Trade Contract", "数据交易合同", "數據交易合約"),
        ("settlement_statement", "Settlement Statement", "结算单", "結算單"),
        ("trade_certificate", "Trade Certificate", "数据交易凭证", "數據交易憑證"),
    ],
)
def test_the_title_is_in_the_chosen_language_with_english_beneath(kind, english, simplified, traditional):
    assert text_of(paper(kind)).count(english) == 1
    for language, title in [("zh-hans", simplified), ("zh-hant", traditional)]:
        assert f"{title}\n{english}\n" in text_of(paper(kind, language))


def test_a_registration_certificate_states_holder_rights_source_and_release():
    lines = text_of(paper("registration_certificate")).split("\n")
    for said in [
        "PR-4K7Q-X9M2-HDPW",
        "Flights of 2013",
        "Dataset",
        "Version 3",
        "上海远洋数据科技有限公司",
        "Shanghai Ocean Data Technology Co., Ltd.",
        "91110000600037341L",
        "Right to hold the data resource",
        "Own systems",
        "Records of departures published by the airports.",
        "Openly licensed",
        "General data, grade 1, no personal information",
        DIGEST,
        "21 November 2026, 07:30",
    ]:
        assert said in lines
    assert lines[lines.index("Right to process and use the data") + 1] == "not claimed"
    assert lines[lines.index("Right to operate the data product") + 1] != "not claimed"
    hong_kong = text_of(paper("registration_certificate", "zh-hant", has_personal_data=True))
    assert "載有個人資料" in hong_kong
    assert "個人信息" not in hong_kong


def test_a_registration_certificate_states_what_the_product_covers():
    covered = {
        "coverage_area": {"en": "Shanghai", "zh-hans": "上海", "zh-hant": "上海"},
        "covers_from_on": "2025-07-01",
    }
    closed = text_of(paper("registration_certificate", **covered, covers_until_on="2025-09-30"))
    assert "Shanghai" in closed and "1 July 2025 – 30 September 2025" in closed
    assert "since 1 July 2025" in text_of(paper("registration_certificate", **covered, covers_until_on=None))
    assert "2025年7月1日起" in text_of(paper("registration_certificate", "zh-hans", **covered, covers_until_on=None))


def test_a_contract_states_parties_price_licence_and_who_agreed_when():
    text = text_of(paper("trade_contract", "zh-hans"))
    for said in [
        "CNY 1,234,567.00",
        "自交付之日起7日内",
        "用于科研",
        "转交他人",
        "先行登录",
    ]:
        assert said in text
    assert "上海远洋数据科技有限公司\n2026年11月20日 13:30" in text
    assert "香港灣區航運研究有限公司\n2026年11月20日 11:00" in text
    assert "Law of the Hong Kong Special Administrative Region" in text
    assert "Use it for research" not in text
    assert [dot for dot in text if dot in "●○"] == ["●", "○", "○", "○", "●"]  # the legend, then may, may not, must


def test_a_free_contract_names_no_price_and_no_payment():
    text = text_of(paper("trade_contract", price_minor=0))
    assert "Free of charge" in text
    assert "escrow" not in text
    assert "CNY" not in text
    assert "Paid into escrow" in text_of(paper("trade_contract"))


def test_a_statement_shows_every_line_and_its_sums():
    text = text_of(paper("settlement_statement"))
    assert "TR-4K7Q-X9M2-HDPW\nFlights of 2013\n1,234,567.00\n30,864.18\n1,203,702.82\n" in text
    assert "TR-4K7Q-X9M2-HDPA\n全球机场\n500.00\n12.50\n487.50\n" in text
    assert "Total\n1,235,067.00\n30,876.68\n1,204,190.32\n" in text
    assert "PO-20261121-17" in text
    assert "Nothing to pay out" in text_of(paper("settlement_statement", payout_reference=None))


def test_a_statement_shows_what_was_set_against_a_debt_and_what_is_left():
    assert "owes" not in text_of(paper("settlement_statement"))
    text = text_of(paper("settlement_statement", recovered_minor=20_419_032, payable_minor=100_000_000))
    assert "Set against what the member owes\n−204,190.32\nTo be paid out\n1,000,000.00\n" in text
    with pytest.raises(CannotTypeset):
        paper("settlement_statement", recovered_minor=20_419_032, payable_minor=100_000_001)


def test_a_statement_in_yen_has_no_decimals():
    line = {**RECORDS["settlement_statement"]["lines"][0], "gross_minor": 1_000, "fee_minor": 25, "net_minor": 975}
    totals = {"gross_minor": 1_000, "fee_minor": 25, "net_minor": 975}
    text = text_of(paper("settlement_statement", currency="JPY", lines=[line], totals=totals))
    assert "Total\n1,000\n25\n975\n" in text


def test_a_long_statement_repeats_its_head_and_counts_its_pages():
    line = RECORDS["settlement_statement"]["lines"][1]
    totals = {"gross_minor": 50_000 * 120, "fee_minor": 1_250 * 120, "net_minor": 48_750 * 120}
    sheets = pages(paper("settlement_statement", lines=[line] * 120, totals=totals))
    assert len(sheets) > 2
    for number, sheet in enumerate(sheets, start=1):
        assert "Trade\nData product\nGross\nService fee\nNet\n" in sheet
        assert f"{number} / {len(sheets)}" in sheet
    assert [("Total" in sheet) for sheet in sheets] == [False] * (len(sheets) - 1) + [True]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"totals": {"gross_minor": 123_506_700, "fee_minor": 3_087_668, "net_minor": 120_419_033}},
            "net_minor do not",
        ),
        ({"totals": {"gross_minor": 1, "fee_minor": 3_087_668, "net_minor": 120_419_032}}, "gross_minor do not"),
        ({"lines": []}, "gross_minor do not"),
        (
            {"lines": [{**RECORDS["settlement_statement"]["lines"][0], "net_minor": 1}]},
            "TR-4K7Q-X9M2-HDPW the net is not the gross less the fee",
        ),
    ],
)
def test_a_statement_that_does_not_add_up_is_never_printed(changes, complaint):
    with pytest.raises(CannotTypeset, match=complaint):
        paper("settlement_statement", **changes)


def test_a_trade_certificate_tells_the_course_of_the_trade_and_its_place_in_the_log():
    text = text_of(paper("trade_certificate"))
    for said in [
        "TR-4K7Q-X9M2-HDPW",
        "PR-4K7Q-X9M2-HDPW",
        "CN-7M2N-W8Q4-KXTB",
        "CNY 1,234,567.00",
        "Use it for research",
        "Proposed\n20 November 2026, 11:00\nAgreed\n20 November 2026, 13:30\nRegistered\n",
        "Settled\n21 November 2026, 09:30\n",
        "entry 1234, in a tree of 1240",
        "Tree root \n9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        DIGEST,
    ]:
        assert said in text
    assert "Pass it on" not in text


def test_a_price_may_be_withheld_and_a_free_trade_was_never_funded():
    withheld = {key: value for key, value in RECORDS["trade_certificate"].items() if key != "currency"}
    withheld["price_minor"] = None
    text = text_of(typeset("trade_certificate", withheld, language="zh-hant", verify_url=ADDRESS, sandbox=False))
    assert "應雙方要求不予公開" in text
    assert "CNY" not in text
    free = text_of(paper("trade_certificate", price_minor=0, funded_at=None))
    assert "Free of charge" in free
    assert "Funded" not in free


@pytest.mark.parametrize("kind", ["trade_contract", "settlement_statement", "trade_certificate"])
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", r"No money move(d|s)"),
        ("zh-hans", "(没有|不)发生真实的资金往来"),
        ("zh-hant", "(並無|不涉及)實際款項往來"),
    ],
)
def test_a_paper_paid_by_the_sandbox_says_that_no_money_moved(kind, language, words):
    assert re.search(words, text_of(paper(kind, language, sandbox=True)))
    assert not re.search(words, text_of(paper(kind, language, sandbox=False)))


def test_a_title_is_shown_in_the_nearest_language_there_is():
    for titles, language, shown in [
        ({"zh-hans": "航班"}, "zh-hant", "航班"),
        ({"en": "Flights", "zh-hant": "航班數據"}, "zh-hans", "航班數據"),
        ({"zh-hans": "航班"}, "en", "航班"),
        ({"en": "Flights", "zh-hans": ""}, "zh-hans", "Flights"),
    ]:
        assert f"\n{shown}\n" in text_of(paper("registration_certificate", language, titles=titles))


HOSTILE = (
    '#panic("read") #read("/etc/passwd") $x_1$ *b* `r` <label> @ref \\ ] [ } { " // /* =1+1 <script>alert(1)</script> '
    "#sys.inputs \\u{41} ~ -- ... https://evil.example/"
)


@pytest.mark.parametrize("kind", RECORDS)
def test_what_members_write_is_shown_as_written_and_never_read_as_typst(kind):
    organisation = {"name": HOSTILE, "latin_name": HOSTILE, "number_kind": "other", "registration_number": "#x$ 1"}
    hostile: dict[str, Any] = {"titles": {"en": HOSTILE}, "issuer": "#eval"}
    parties = {"holder", "seller", "buyer", "member"} & RECORDS[kind].keys()
    hostile |= dict.fromkeys(parties, organisation)
    if kind == "settlement_statement":
        hostile["lines"] = [{**line, "titles": {"en": HOSTILE}} for line in RECORDS[kind]["lines"]]
    shown = re.sub(r"\s", "", text_of(paper(kind, **hostile)))
    assert shown.count(re.sub(r"\s", "", HOSTILE)) >= 2
    assert "#x$1" in shown


def test_signs_that_hide_or_turn_text_are_left_out():
    titles = {"en": "good\u202edlog\u2066 \x00\x07evil\u200f\x1b[1m"}
    text = text_of(paper("registration_certificate", titles=titles))
    assert "\ngooddlog evil[1m\n" in text


def test_a_paper_is_made_even_when_no_font_has_a_sign():
    pdf = paper("registration_certificate", titles={"en": "Ships 🚢 ไทย العربية"})
    assert pdf == paper("registration_certificate", titles={"en": "Ships 🚢 ไทย العربية"})
    assert "Ships" in text_of(pdf)


def test_long_texts_break_and_flow_onto_more_pages():
    words = "word " * 2_000
    sheets = pages(paper("registration_certificate", titles={"en": "W" * 300}, source_statement=words + "end."))
    assert len(sheets) > 1
    assert sum(sheet.count("word") for sheet in sheets) == 2_000
    assert "end." in sheets[-1]
    assert "".join(sheets).count("W") == 300 + RECORDS["registration_certificate"]["number"].count("W") * len(
        sheets
    ) + "PR-4K7Q-X9M2-HDPW".count("W") + ADDRESS.count("W") * len(sheets)


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_that_lacks_something_is_refused_by_its_name(kind):
    optional = {
        "registration_certificate": {"lawful_basis"},
        "delivery_record": {"crossborder_digest"},
        "trade_contract": {"rules_digest", "agreement_digest"},
        "trade_certificate": {"registered_at", "funded_at", "contract_number"},
    }
    for key in RECORDS[kind].keys() - optional.get(kind, set()):
        if key == "schema":
            continue  # the first schema then
        record = {name: value for name, value in RECORDS[kind].items() if name != key}
        with pytest.raises(CannotTypeset, match=key):
            typeset(kind, record, language="en", verify_url=ADDRESS, sandbox=False)


@pytest.mark.parametrize(
    ("kind", "language", "changes", "complaint"),
    [
        ("receipt", "en", {}, "no paper of the kind 'receipt'"),
        ("../words", "en", {}, "no paper of the kind"),
        ("trade_contract", "fr", {}, "not in 'fr'"),
        ("trade_contract", "en", {"issued_at": "yesterday"}, "issued_at is 'yesterday'"),
        ("trade_contract", "en", {"issued_at": "2026-11-21T08:05:00"}, "offset from UTC"),
        ("trade_certificate", "en", {"settled_at": ""}, "settled_at is ''"),
        ("trade_certificate", "en", {"currency": None}, "price_minor but no currency"),
        ("registration_certificate", "en", {"classification": "secret"}, "could not be typeset"),
    ],
)
def test_what_cannot_be_typeset_is_refused_with_the_reason(kind, language, changes, complaint):
    record = {**RECORDS.get(kind, COMMON), **changes}
    with pytest.raises(CannotTypeset, match=re.escape(complaint)):
        typeset(kind, record, language=language, verify_url=ADDRESS, sandbox=False)


# Words of codes: what a module may name without the papers knowing it.
NAMED_BY_CODE = "title|opening|sandbox|type|number|right|basis|class|course|price|audience|channel|role|accepted_by"


def test_every_word_of_the_papers_is_written_in_three_languages_and_used():
    words = json.loads((PAPERS / str(SCHEMA) / "words.json").read_text())
    source = "".join(path.read_text() for path in (PAPERS / str(SCHEMA)).glob("*.typ"))
    for key, texts in words.items():
        assert list(texts) == list(LANGUAGES), key
        assert all(texts.values()), key
        prefix = re.match(
            r"(title|opening|sandbox|type|number|right|basis|class|course|price|audience|channel|role|accepted_by"
            r"|supplied|tax|movement|share|payout)_",
            key,
        )
        assert f'"{key}"' in source or f"words.{key}" in source or (prefix and f'"{prefix[0]}"' in source), (
            f"no paper says {key}"
        )
    assert "eval(" not in source


def test_papers_of_the_first_schema_are_set_by_its_templates_for_ever():
    """A paper is its record; were these files to change once it is issued, it would come out otherwise."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted((PAPERS / "1").iterdir()))).hexdigest()
    assert digest == "9f48d422acf89cc14098413f04b35f06a0c7bc367a3ad07a7191cf2a65c57290"
    with pytest.raises(CannotTypeset, match="no templates for schema 3"):
        paper("trade_certificate", schema=3)


@pytest.mark.parametrize("language", LANGUAGES)
def test_contract_and_statement_name_the_purchase_order_from_the_second_schema_on(language):
    lines = RECORDS["settlement_statement"]["lines"]
    ordered = [lines[0] | {"purchase_order": "PO-8842-K"}, lines[1]]
    ordering = {"trade_contract": {"purchase_order": "PO-8842-K"}, "settlement_statement": {"lines": ordered}}
    for kind, changes in ordering.items():
        record = RECORDS[kind] | {"schema": 2} | changes
        text = text_of(typeset(kind, record, language=language, verify_url=ADDRESS, sandbox=False))
        assert text.count("PO-8842-K") == 1
        bare = typeset(kind, RECORDS[kind] | {"schema": 2}, language=language, verify_url=ADDRESS, sandbox=False)
        assert "PO-8842-K" not in text_of(bare)


def test_a_delivery_record_names_every_file_over_as_many_pages_as_it_takes():
    files = [
        {
            "path": f"a folder with a long name/part-{number:04}-" + "x" * 80 + ".csv",
            "size_bytes": 1,
            "sha256": "0" * 64,
        }
        for number in range(120)
    ]
    sheets = pages(paper("delivery_record", "zh-hans", files=files, total_bytes=120, files_left_out=3))
    assert len(sheets) > 3
    whole = re.sub(r"\s", "", "".join(sheets))
    assert all(f"part-{number:04}-" in whole for number in range(120))
    assert "共123个文件，120字节" in whole and "另有3个文件未在此列出" in whole
    for number, sheet in enumerate(sheets, start=1):
        assert f"{number} / {len(sheets)}" in sheet
        assert "SHA-256" in sheet


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ["Accepted by the buyer.", "陳大文", "Owner"]),
        ({"how": "silence", "accepted_by": None}, ["Deemed accepted: the inspection ended without an objection."]),
        (
            {"how": "decision", "accepted_by": None, "refund_minor": 5_000, "currency": "HKD"},
            ["Accepted by the exchange's decision of a dispute.", "Given back to the buyer", "HKD 50.00"],
        ),
    ],
)
def test_an_acceptance_says_how_and_by_whom(changes, said):
    text = text_of(paper("acceptance", **changes))
    assert all(one in text for one in [*said, "20 November 2026, 17:00", "27 November 2026, 14:12", DIGEST])
    assert ("For the buyer" in text) == (changes.get("how", "buyer") == "buyer")


def test_a_listing_certificate_says_on_what_kind_of_plans():
    text = text_of(paper("listing_certificate", "zh-hant"))
    for said in [
        "免費，固定價格",
        "所有已核驗會員，按申請",
        "檔案下載，",
        "carrier_pigeon",
        "全球",
        "2026年11月21日 07:31",
    ]:
        assert said in text
    assert "none yet" in text_of(paper("listing_certificate", plans=None))


def test_signatures_never_stand_alone_and_the_providers_comes_first():
    """However long the contract, the page with the signatures holds its last article."""
    articles = [{"head": f"Head {number}", "clauses": ["A clause of the contract."] * 3} for number in range(1, 17)]
    agreements = [
        {"side": "buyer", "organisation": "Second Ltd", "agreed_at": "2026-11-20T03:00:00Z"},
        {"side": "seller", "organisation": "First Ltd", "agreed_at": "2026-11-20T05:30:00Z"},
    ]
    for extra in range(12):
        longer = [{"head": "Longer", "clauses": ["One more."] * (1 + extra)}, *articles]
        last = pages(paper("trade_contract", articles={"en": longer}, text_digest=DIGEST, agreements=agreements))[-1]
        assert "Head 16" in last and last.index("First Ltd") < last.index("Second Ltd")


def test_the_code_has_four_modules_of_white_around_it():
    """ISO/IEC 18004: a reader needs the quiet zone to find the code."""
    drawn = _qr_code(ADDRESS)
    side = int(re.search(r'width="(\d+)"', drawn)[1])
    assert side == segno.make(ADDRESS, error="m", micro=False).symbol_size(border=4)[0]


def test_the_articles_of_a_contract_are_numbered_and_flow_over_pages():
    articles = {"en": [{"head": f"Head {one}", "clauses": ["Sentence. " * 60, "Short."]} for one in range(1, 17)]}
    changes = {"articles": articles, "text_digest": DIGEST, "forum": {"en": "People's court"}}
    agreements = [
        {"organisation": "A", "side": "buyer", "person": "Ann", "role": "trader", "agreed_at": "2026-11-20T03:00:00Z"},
        {"organisation": "B", "side": "seller", "person": "Bob", "role": "", "agreed_at": "2026-11-20T05:30:00Z"},
    ]
    sheets = pages(paper("trade_contract", agreements=agreements, **changes))
    assert len(sheets) > 3
    text = "\n".join(sheets)
    assert "Article 16" in text and "16.2" in text and "People's court" in text
    assert "Buyer\nA\nAnn \nTrader\n20 November 2026, 11:00" in text
    assert f"1 / {len(sheets)}" in sheets[0]
