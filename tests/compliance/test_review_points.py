"""Pure parts of the review desk: working time, risk, differences, the checklist and the sentences to begin with."""

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest

from compliance import checklists, markings, reason_templates, risk
from compliance.markings import Part
from compliance.reasons import REASONS, SEND_BACK
from listings.models import Classification, ProductType
from marketplace import working_time
from marketplace.errors import Invalid
from marketplace.money import Money

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(day: str, hour: int = 9, minute: int = 0) -> dt.datetime:
    return dt.datetime.combine(dt.date.fromisoformat(day), dt.time(hour, minute), SHANGHAI)


HOUR = dt.timedelta(hours=1)


# --- working time --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("year", [2025, 2026])
def test_working_days_are_those_the_state_council_announced(year):
    day = dt.date(year, 1, 1)
    while day.year == year:
        assert working_time.is_working(day) == chinese_calendar.is_workday(day), day
        day += dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        (at("2026-11-23", 9), at("2026-11-23", 12), 3),  # a Monday
        (at("2026-11-23", 6), at("2026-11-23", 23), 8),
        (at("2026-11-20", 16), at("2026-11-23", 10), 2),  # over a weekend
        (at("2026-09-30", 16), at("2026-10-08", 10), 2),  # over the National Day holiday
        (at("2026-10-10", 9), at("2026-10-10", 17), 8),  # a Saturday that is worked
        (at("2026-11-23", 12), at("2026-11-23", 9), 0),
    ],
)
def test_only_the_hours_of_working_days_count(since, until, hours):
    assert working_time.worked(since, until) == hours * HOUR


@pytest.mark.parametrize(
    ("since", "hours", "until"),
    [
        (at("2026-11-23", 9), 8, at("2026-11-23", 17)),
        (at("2026-11-23", 9), 9, at("2026-11-24", 10)),
        (at("2026-11-20", 18), 16, at("2026-11-24", 17)),  # handed in on a Friday evening
        (at("2026-09-30", 13), 8, at("2026-10-08", 13)),
    ],
)
def test_a_target_falls_into_working_hours(since, hours, until):
    assert working_time.after(since, hours * HOUR) == until
    assert working_time.worked(since, until) == hours * HOUR


# --- risk ----------------------------------------------------------------------------------------------------------

CALM = risk.Facts(
    classification="general_1",
    has_personal_data=False,
    has_sensitive_data=False,
    leaves_mainland=False,
    seller_country="CN",
    quality=0.97,
    declared_columns=["carrier"],
    measured_columns=["carrier"],
    coverage_from=dt.date(2013, 1, 1),
    coverage_until=dt.date(2013, 12, 31),
    newest_date="2013-12-31",
    prices=[Money(125_000, "HKD")],
    is_first_product=False,
    was_sent_back=False,
)


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({}, []),
        ({"classification": "important"}, ["important_data"]),
        ({"classification": "general_4"}, ["grade_4"]),
        ({"classification": "general_3"}, ["grade_3"]),
        ({"has_personal_data": True}, ["personal_information"]),
        ({"has_personal_data": True, "has_sensitive_data": True}, ["sensitive_information"]),
        ({"leaves_mainland": True}, ["cross_border"]),
        ({"leaves_mainland": True, "seller_country": "HK"}, []),
        ({"quality": 0.5999}, ["quality_low"]),
        ({"quality": 0.6}, ["quality_fair"]),
        ({"quality": 0.8}, []),
        ({"quality": None}, []),
        ({"declared_columns": ["carrier", "delay"]}, ["columns_missing"]),
        ({"measured_columns": ["carrier", "delay"]}, ["columns_undeclared"]),
        ({"measured_columns": []}, []),  # a model has no columns
        ({"newest_date": "2014-01-02"}, ["period_differs"]),
        ({"newest_date": "2014-01-01T04:00:00"}, []),  # still the last day of 2013 in New York
        ({"newest_date": "2012-12-30"}, ["period_differs"]),
        ({"newest_date": "2026-01-01", "coverage_until": None}, []),
        ({"newest_date": "2026-01-01", "coverage_from": None, "coverage_until": None}, []),
        ({"prices": [Money(9_999_999, "CNY")]}, []),
        ({"prices": [Money(10_000_000, "CNY")]}, ["price_high"]),
        ({"prices": [Money(2_000_000, "JPY")]}, ["price_high"]),  # no decimals
        ({"prices": [Money(1_999_999, "JPY"), Money(3_999_999, "KWD")]}, []),
        ({"prices": [Money(4_000_000, "KWD")]}, ["price_high"]),  # three of them
        ({"prices": [Money(1_400_000, "AUD")]}, ["price_high"]),
        ({"is_first_product": True}, ["first_product"]),
        ({"was_sent_back": True}, ["sent_back_before"]),
    ],
)
def test_each_reason_for_care_is_counted_and_named(changes, reasons):
    found = risk.weigh(replace(CALM, **changes))
    assert [one["code"] for one in found] == reasons
    assert risk.points(found) == sum(risk.POINTS[code] for code in reasons)


def test_the_heaviest_reason_is_told_first_and_all_in_words():
    found = risk.weigh(replace(CALM, classification="important", is_first_product=True, quality=0.4))
    assert [one["text"] for one in risk.words(found)] == [
        "It is important data.",
        "The measured quality is low: 40.0 %.",
        "It is the seller’s first product.",
    ]
    assert (risk.points(found), risk.level(risk.points(found))) == (70, "high")
    assert [risk.level(points) for points in (0, 24, 25, 49, 50)] == ["low", "low", "raised", "raised", "high"]


def test_every_reason_has_its_points_and_words():
    assert set(risk.POINTS) == set(risk.WORDS)


# --- differences ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "now", "parts"),
    [
        ("New York", "New York", [("same", "New York")]),
        ("New York", "New York and Newark", [("same", "New York"), ("added", " and Newark")]),
        ("纽约航班数据", "纽约列车数据", [("same", "纽约"), ("removed", "航班"), ("added", "列车"), ("same", "数据")]),
        ("", "Newark", [("added", "Newark")]),
        ("Newark", "", [("removed", "Newark")]),
        ("", "", []),
    ],
)
def test_words_that_differ_are_marked(before, now, parts):
    found = markings.of_texts(before, now)
    assert found == [Part(*part) for part in parts]
    assert "".join(part.text for part in markings.of_now(found)) == now
    assert "".join(part.text for part in markings.of_before(found)) == before


def test_entries_are_told_apart_by_their_name():
    before = [{"name": "a", "unit": "m"}, {"name": "b", "unit": ""}, {"name": "c", "unit": ""}]
    now = [{"name": "d", "unit": ""}, {"name": "a", "unit": "km"}, {"name": "b", "unit": ""}]
    pairs = markings.of_entries(before, now, key="name")
    assert [(pair.kind, (pair.now or pair.before)["name"]) for pair in pairs] == [
        ("added", "d"),
        ("changed", "a"),
        ("same", "b"),
        ("removed", "c"),
    ]


# --- the checklist and the sentences -------------------------------------------------------------------------------


def test_the_checklist_speaks_three_languages_and_names_what_there_is():
    items = checklists.every_item()
    assert len({item.id for item in items}) == len(items)
    for item in items:
        assert set(item.asks) == {"en", "zh-hans", "zh-hant"} and all(item.asks.values())
        assert item.asks["zh-hans"] != item.asks["zh-hant"]
        assert set(item.product_types) <= set(ProductType.values)
        assert set(item.classifications) <= set(Classification.values)
        assert set(item.when) <= {*checklists._CONDITIONS, "has_approved_before"}


def test_every_way_of_sending_back_has_sentences_in_three_languages():
    for act, table in SEND_BACK.items():
        templates = reason_templates.for_act(act)
        assert {template.reason_code for template in templates} == set(REASONS[table])
        for template in templates:
            assert set(template.texts) == set(reason_templates.LANGUAGES) and all(template.texts.values())


ITEMS = [item for item in checklists.every_item() if item.id in ("rights", "source", "words")]


@pytest.mark.parametrize(
    ("answers", "unmet"),
    [
        ({"rights": "yes", "source": "yes"}, []),
        ({"rights": "yes", "source": "yes", "words": "no"}, []),  # not required
        ({"rights": "yes"}, [("checklist_unanswered", "source")]),
        ({"rights": "no", "source": "yes"}, [("checklist_not_met", "rights")]),
        ({"rights": "not_applicable", "source": "yes"}, [("checklist_not_met", "rights")]),
        ({}, [("checklist_unanswered", "rights"), ("checklist_unanswered", "source")]),
    ],
)
def test_each_required_item_is_to_be_met(answers, unmet):
    kept = checklists.cleaned(ITEMS, {item: {"answer": answer, "note": ""} for item, answer in answers.items()})
    assert [(reason["code"], reason["field"]) for reason in checklists.unmet(ITEMS, kept)] == unmet


def test_not_applicable_is_met_by_a_note_that_says_why():
    said = {"answer": "not_applicable", "note": " Public domain. "}
    kept = checklists.cleaned(ITEMS, {"rights": said, "source": {"answer": "yes", "note": ""}})
    assert kept[0] == {"item": "rights", "answer": "not_applicable", "note": "Public domain."}
    assert checklists.unmet(ITEMS, kept) == []


@pytest.mark.parametrize(
    "answers",
    [
        {"weather": {"answer": "yes", "note": ""}},
        {"rights": {"answer": "perhaps", "note": ""}},
        {"rights": {"answer": "yes", "note": "x" * 1001}},
        {"rights": {"answer": "yes", "note": "\0"}},
    ],
)
def test_an_answer_the_checklist_does_not_know_is_refused(answers):
    with pytest.raises(Invalid) as refusal:
        checklists.cleaned(ITEMS, answers)
    assert refusal.value.code == "wrong_answer"
