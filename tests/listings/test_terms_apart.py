"""Where an offer's terms leave the standard, sentence by sentence."""

from __future__ import annotations

import pytest

from listings import terms, terms_apart


def told(language: str = "en", **changes) -> list[tuple[str, str, str, str]]:
    offered = terms.default_terms() | changes
    assert terms.problems(offered) == []
    return [(one.part, one.sort, one.standard, one.offered) for one in terms_apart.from_standard(offered, language)]


def test_the_standard_terms_differ_in_nothing():
    assert told() == []


def test_one_more_purpose_is_added_and_a_missing_one_left_out():
    assert told(purposes=["research"]) == [
        ("may", "added", "", "Use the data for scientific research and statistics."),
        ("may", "removed", "Use the data for analysis and decisions inside your organisation.", ""),
    ]


def test_another_wording_of_the_same_matter_is_a_change():
    assert told(seats=1, term_months=24) == [
        ("may", "changed", "Let everyone in your organisation use it.", "Let one person in your organisation use it."),
        (
            "may",
            "changed",
            "Download and use it for 1 year from delivery; access through the exchange then closes by itself.",
            "Download and use it for 2 years from delivery; access through the exchange then closes by itself.",
        ),
    ]


def test_what_is_allowed_instead_of_forbidden_is_said_on_both_sides():
    assert [(part, sort) for part, sort, *_texts in told(redistribution="same_terms")] == [
        ("may", "added"),
        ("may_not", "removed"),
        ("must", "added"),
    ]
    assert told("zh-hant", territory=["*"])[1] == ("may_not", "removed", "在中國內地以外使用、儲存或存取數據。", "")


@pytest.mark.parametrize("language", terms.LANGUAGES)
def test_no_family_has_two_sentences_in_one_part(language):
    """Else one would hide the other."""
    for changes in (
        {},
        {"derived_works": "free", "redistribution": "same_terms", "territory": ["CN", "HK"]},
        {"derived_works": "none", "redistribution": "group", "seats": 3, "personal_data": "deidentified"},
        {"term_months": None, "personal_data": "personal", "territory": ["*"]},
    ):
        said = terms.plain_words(terms.default_terms() | changes, language)
        for part in terms_apart.PARTS:
            families = [terms_apart._family(item) for item in said[part]]
            assert len(families) == len(set(families)), (part, families)
