"""Misspelt Latin words are read as the nearest word somebody wrote."""

from __future__ import annotations

import pytest

from listings import search_question, spelling

pytestmark = pytest.mark.django_db

WRITTEN = ["Hourly weather of ports", "Flights, airports and flighty Departures", "electricity 用电 Temperatures"]


@pytest.fixture(autouse=True)
def written():
    spelling.note(WRITTEN)


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("wether", "weather"),
        ("wheather", "weather"),
        ("fligths", "flights"),
        ("Departrues", "departures"),
        ("electrcity 用电", "electricity 用电"),
        ("weather of prots", "weather of ports"),
        ("temprature of airports", "temperatures of airports"),
    ],
)
def test_a_word_nobody_wrote_is_read_as_its_nearest(typed, understood):
    assert search_question.read(typed).text == understood
    assert search_question.read(typed, is_as_typed=True).mended == {}


@pytest.mark.parametrize(
    "typed",
    ["weather", "flight", "departing", "airp", "elec", "zeppelin", "meteorology", "cab", "wea", "X7-22", "气象"],
)
def test_what_was_written_begins_a_word_or_is_far_from_all_stays(typed):
    question = search_question.read(typed)
    assert (question.text, question.mended) == (typed, {})


def test_words_are_noted_once():
    spelling.note(WRITTEN)
    assert set(spelling.known(["weather"])) == {"weather"}
