"""Usage terms: sound ones are said in three languages, unsound ones are refused with every reason."""

import itertools
import re
from typing import Any

import pytest

from listings.terms import (
    DERIVED_WORKS,
    PERSONAL_DATA,
    REDISTRIBUTION,
    Terms,
    default_terms,
    differences,
    plain_words,
    plain_words_in_every_language,
    problems,
)
from listings.terms_words import LANGUAGES, PURPOSES, TERRITORIES, WORDS


def terms_with(**changes: Any) -> Terms:
    return {**default_terms(), **changes}  # type: ignore[typeddict-item]


def codes(terms: object) -> list[str]:
    return [problem["code"] for problem in problems(terms)]


def sound_terms() -> list[Terms]:
    """Every sound combination of the choices, with a few territories, terms and seats."""
    combinations = itertools.product(
        [["internal_analysis"], ["research", "model_training"], list(PURPOSES)],
        [["CN"], ["CN", "HK", "MO"], ["*"]],
        [None, 1, 12, 18],
        DERIVED_WORKS,
        REDISTRIBUTION,
        [None, 1, 5],
        PERSONAL_DATA,
    )
    return [
        terms
        for values in combinations
        if not problems(terms := dict(zip(default_terms(), values, strict=True)))  # type: ignore[assignment]
    ]


def test_what_a_new_offer_starts_from_is_sound():
    assert problems(default_terms()) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"purposes": []}, "wrong_purposes"),
        ({"purposes": "research"}, "wrong_purposes"),
        ({"purposes": ["resale"]}, "wrong_purposes"),
        ({"purposes": [{}]}, "wrong_purposes"),
        ({"purposes": ["research", "research"]}, "wrong_purposes"),
        ({"territory": []}, "wrong_territory"),
        ({"territory": ["CN", "*"]}, "wrong_territory"),
        ({"territory": ["ZZ"]}, "wrong_territory"),
        ({"term_months": 0}, "wrong_term_months"),
        ({"term_months": 601}, "wrong_term_months"),
        ({"term_months": 1.5}, "wrong_term_months"),
        ({"term_months": True}, "wrong_term_months"),
        ({"term_months": "12"}, "wrong_term_months"),
        ({"derived_works": "some"}, "wrong_derived_works"),
        ({"derived_works": ["none"]}, "wrong_derived_works"),
        ({"redistribution": None}, "wrong_redistribution"),
        ({"seats": 0}, "wrong_seats"),
        ({"seats": -5}, "wrong_seats"),
        ({"personal_data": "maybe"}, "wrong_personal_data"),
        ({"price": 5}, "unknown_field"),
        ({"purposes": ["model_training"], "derived_works": "none"}, "purpose_needs_derived_works"),
        ({"purposes": ["publication"]}, "purpose_needs_free_derived_works"),
        ({"personal_data": "personal", "redistribution": "same_terms"}, "personal_data_passed_on"),
        (
            {"personal_data": "personal", "purposes": ["publication"], "derived_works": "free"},
            "personal_data_published",
        ),
        ({"seats": 5, "redistribution": "same_terms"}, "seats_without_meaning"),
    ],
)
def test_unsound_terms_are_refused_with_the_reason(changes, code):
    found = problems(terms_with(**changes))
    assert [problem["code"] for problem in found] == [code]
    assert found[0]["detail"].endswith(".")


def test_every_reason_is_given_at_once():
    assert codes({"purposes": [], "seats": 0, "more": 1}) == [
        "missing_field",
        "missing_field",
        "missing_field",
        "missing_field",
        "missing_field",
        "unknown_field",
        "wrong_purposes",
        "wrong_seats",
    ]


@pytest.mark.parametrize("value", [None, [], "terms", 7, {1: 2}])
def test_what_is_not_terms_at_all_is_refused_not_raised(value):
    assert problems(value)


def test_every_language_has_every_word():
    assert set(WORDS) == set(LANGUAGES)
    for language in LANGUAGES:
        assert set(WORDS[language]) == set(WORDS["en"])
        for code, text in WORDS[language].items():
            assert set(re.findall(r"{(\w+)", text)) == set(re.findall(r"{(\w+)", WORDS["en"][code])), code
    for names in [*PURPOSES.values(), *TERRITORIES.values()]:
        assert len(names) == len(LANGUAGES)
        assert all(names)


def test_the_three_languages_keep_to_their_own_characters():
    traditional_only, simplified_only = "數據內體與個會機產務發應讓轉區錄實關", "数据内体与个会机产务发应让转区录实关"
    assert not set(simplified_only) & set("".join(WORDS["zh-hant"].values()))
    assert not set(traditional_only) & set("".join(WORDS["zh-hans"].values()))
    assert "個人資料" in WORDS["zh-hant"]["personal_none"]
    assert "个人信息" in WORDS["zh-hans"]["personal_none"]
    assert all(character.isascii() for character in "".join(WORDS["en"].values()))


def test_every_word_is_said_by_some_sound_terms_and_no_placeholder_is_left():
    said = set()
    for terms in sound_terms():
        for language, words in plain_words_in_every_language(terms).items():
            for part in ("may", "may_not", "must"):
                items = words[part]
                assert items, (terms, language, part)
                said |= {item["code"] for item in items}
                assert len({item["code"] for item in items}) == len(items)
                assert all(item["text"].endswith("." if language == "en" else "。") for item in items)
                assert not any("{" in item["text"] for item in items)
    units = {"one_days", "many_days", "one_months", "many_months", "one_years", "many_years"}
    assert said == set(WORDS["en"]) - units - {"everywhere"}  # a contract alone names the place where there is no limit


def test_only_what_the_exchange_itself_does_is_called_enforced():
    for terms in sound_terms():
        words = plain_words(terms, "en")
        enforced = {item["code"] for part in words.values() for item in part if item["kept"] == "enforced"}
        assert enforced == {"access_signed_in"} | ({"term_counted"} if terms["term_months"] else set())


def test_a_licence_reads_as_it_should_in_each_language():
    terms = terms_with(
        purposes=["research", "internal_analysis"],
        territory=["HK", "CN", "SG"],
        term_months=24,
        seats=1_500,
        redistribution="group",
        personal_data="deidentified",
    )
    said = {
        language: {part: [item["text"] for item in items] for part, items in plain_words(terms, language).items()}
        for language in LANGUAGES
    }
    assert said["en"]["may"] == [
        "Use the data for analysis and decisions inside your organisation.",
        "Use the data for scientific research and statistics.",
        "Make new data and results from it, for your own use.",
        "Share the data with companies of your group.",
        "Let up to 1,500 people in your organisation use it.",
        "Download and use it for 2 years from delivery; access through the exchange then closes by itself.",
        "Use it in the Chinese mainland, Hong Kong and Singapore.",
    ]
    assert said["zh-hans"]["may_not"] == [
        "将数据用于上述以外的任何目的。",
        "在中国内地、中国香港和新加坡以外使用、存储或访问数据。",
        "将衍生数据或成果提供给本单位以外的任何人。",
        "向集团以外的任何人提供、出售或展示数据。",
        "试图识别数据记录所指的个人。",
    ]
    assert said["zh-hant"]["must"] == [
        "以機構成員身分登入後下載；每次下載均有紀錄。",
        "按數據的分類分級要求保護數據。",
        "令共用數據的各方遵守本條款，並為其行為負責。",
        "期滿時刪除所有副本；已完成的成果可以保留。",
        "與可識別個人的其他資料分開存放；如有外洩須立即報告。",
    ]


def test_an_unknown_language_is_a_mistake_of_the_caller():
    with pytest.raises(KeyError):
        plain_words(default_terms(), "fr")


def test_differences_name_each_field_that_changed_and_ignore_the_order_of_a_list():
    before = terms_with(territory=["CN", "HK"])
    assert differences(before, terms_with(territory=["HK", "CN"])) == []
    assert differences(before, terms_with(territory=["CN"], seats=5, term_months=None)) == [
        {"field": "territory", "before": ["CN", "HK"], "after": ["CN"]},
        {"field": "term_months", "before": 12, "after": None},
        {"field": "seats", "before": None, "after": 5},
    ]
