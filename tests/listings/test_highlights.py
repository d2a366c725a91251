"""What was asked for is marked in titles and summaries, in either script and in every form of a word."""

from __future__ import annotations

import pytest

from listings import search_question, spelling
from listings.highlights import Hits

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("asked", "text", "shown"),
    [
        ("flights", "Delayed flight data", "Delayed [flight] data"),
        ("delay", "Delays and delayed Flights", "[Delays] and [delayed] Flights"),
        ("weath", "Weather of ports", "[Weather] of ports"),
        ("weather", "长三角气象观测", "长三角[气象]观测"),
        ("氣象", "气象 and weather", "[气象] and [weather]"),
        ("气象", "香港氣象觀測", "香港[氣象]觀測"),
        ("港口吞吐量", "港口的货物吞吐量", "[港口]的货物[吞吐量]"),
        ("气象观测", "气象观测", "[气象观测]"),
        ("<b>", "a <b>bold</b> claim", "a <[b]>bold</[b]> claim"),
        ("ＡＩＳ", "船舶AIS数据", "船舶[AIS]数据"),
        ("air quality", "空气质量 and the quality of air", "[空气质量] and the [quality] of [air]"),
        ("zeppelin", "No hit here", "No hit here"),
        ("weather", "", ""),
    ],
)
def test_hits_are_marked_and_nothing_is_lost(asked, text, shown):
    segments = Hits(search_question.read(asked), [text]).marked(text)
    assert "".join(f"[{one.text}]" if one.is_hit else one.text for one in segments) == shown
    assert "".join(one.text for one in segments) == text


def test_a_misspelt_word_marks_what_it_was_read_as():
    spelling.note(["weather"])
    segments = Hits(search_question.read("wether"), ["Weather"]).marked("Weather")
    assert [(one.text, one.is_hit) for one in segments] == [("Weather", True)]
