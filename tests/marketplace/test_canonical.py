"""Canonical JSON: the same record gives the same bytes everywhere, and what would not is refused."""

import datetime
import decimal
import enum
import json
from hashlib import sha256

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from marketplace.canonical import NotCanonical, canonical, digest_of

exact_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


def test_keys_are_sorted_and_nothing_is_spaced():
    assert canonical({"b": [1, True, None], "a": {"d": "", "c": -1}}) == b'{"a":{"c":-1,"d":""},"b":[1,true,null]}'


def test_keys_are_sorted_by_utf_16_as_in_rfc_8785_section_3_2_3():
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\x80", "\xf6"]
    written = canonical(dict.fromkeys(keys, 0)).decode()
    assert list(json.loads(written)) == ["\r", "1", "\x80", "\xf6", "\u20ac", "\U0001f600", "\ufb33"]


def test_text_is_utf_8_and_only_what_must_be_is_escaped():
    assert canonical("数據 €$\x0f\nA'B\"\\/\u2028") == '"数據 €$\\u000f\\nA\'B\\"\\\\/\u2028"'.encode()


def test_the_digest_names_its_algorithm_and_ignores_the_order_of_keys():
    assert digest_of({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    assert digest_of({"a": 1}) == "sha256:" + sha256(b'{"a":1}').hexdigest()


def test_a_choice_of_an_enumeration_is_written_as_its_text():
    class State(enum.StrEnum):
        AGREED = "agreed"

    assert canonical({"state": State.AGREED}) == b'{"state":"agreed"}'


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (1.5, "the value is a fraction"),
        ({"rate": 1.0}, r"\['rate'\] is a fraction"),
        ([0, float("nan")], r"\[1\] is a fraction"),
        ({"at": datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)}, r"\['at'\] is a datetime"),
        ({"price": decimal.Decimal(1)}, r"\['price'\] is a Decimal"),
        ({1: "one"}, "key 1, which is not text"),
        ({"n": 2**53}, r"\['n'\] is an integer beyond"),
        ({"blob": b"x"}, r"\['blob'\] is a bytes"),
        ({"set": {1}}, r"\['set'\] is a set"),
        ("\ud800", "canonical JSON"),
    ],
)
def test_what_json_cannot_carry_exactly_is_refused_with_its_place(value, place):
    with pytest.raises(NotCanonical, match=place):
        canonical(value)


@given(exact_values)
def test_every_exact_value_comes_back_and_is_written_the_same_again(value):
    written = canonical(value)
    assert written == rfc8785.dumps(value)  # whichever encoder wrote it
    assert json.loads(written) == value
    assert canonical(json.loads(written)) == written
