"""Public numbers: readable, checkable, not enumerable."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.numbers import (
    ALPHABET,
    PREFIXES,
    NotANumber,
    check_code_matches,
    is_valid,
    kind_of,
    new_check_code,
    new_number,
    normalise,
)

SHAPE = r"[A-Z]{2}(-[0-9A-HJKMNP-TV-Z]{4}){3}"


@pytest.mark.parametrize("kind", PREFIXES)
def test_a_new_number_is_valid_readable_and_says_its_kind(kind):
    for _ in range(200):
        number = new_number(kind)
        assert re.fullmatch(SHAPE, number)
        assert is_valid(number)
        assert normalise(number) == number
        assert kind_of(number) == kind


def test_numbers_are_drawn_from_at_least_fifty_bits():
    assert len(ALPHABET) ** 11 * 32 // 36 > 2**50  # the redrawing of check characters leaves out 4 in 36
    drawn = [new_number("trade") for _ in range(2_000)]
    assert len(set(drawn)) == len(drawn)
    for position in [index for index in range(3, 16) if drawn[0][index] != "-"]:
        assert {number[position] for number in drawn} == set(ALPHABET)


def test_a_kind_that_is_not_registered_has_no_numbers():
    with pytest.raises(KeyError):
        new_number("nothing")


@given(st.integers(0, 11), st.sampled_from(ALPHABET))
def test_any_one_wrong_character_is_found(place, character):
    number = new_number("trade").replace("-", "")
    wrong = number[: place + 2] + character + number[place + 3 :]
    assert is_valid(wrong) == (wrong == number)


def test_nearly_every_exchange_of_two_neighbours_is_found():
    missed = tried = 0
    for _ in range(300):
        number = new_number("trade").replace("-", "")
        for place in range(2, 13):
            if number[place] != number[place + 1]:
                tried += 1
                missed += is_valid(number[:place] + number[place + 1] + number[place] + number[place + 2 :])
    assert tried > 2_000
    assert missed / tried < 0.02


def test_a_number_is_read_as_people_type_it():
    number = next(drawn for drawn in iter(lambda: new_number("trade"), None) if "0" in drawn and "1" in drawn)
    typed = number.replace("0", "o").replace("1", "l").lower().replace("-", " ")
    assert normalise(f"  {typed} ") == number
    full_width = "".join(chr(ord(character) + 0xFEE0) for character in number)
    assert normalise(full_width) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "TR",
        "TR-0000-0000",
        "XX-0000-0000-0000",
        "TR-0000-0000-000U",
        "TR-0000-0000-0000-0",
        "7",
        "'; --",
        "\x00" * 99,
    ],
)
def test_what_is_no_number_is_refused_with_an_example(text):
    assert not is_valid(text)
    with pytest.raises(NotANumber, match="like TR-4K7Q-X9M2-HDPW|check character"):
        normalise(text)


def test_the_example_in_the_refusal_is_itself_valid():
    assert normalise("TR-4K7Q-X9M2-HDPW") == "TR-4K7Q-X9M2-HDPW"


def test_a_check_code_is_eighty_random_bits_and_matches_only_itself():
    code = new_check_code()
    assert len(code.replace("-", "")) * 5 == 80
    assert set(code) <= set(ALPHABET) | {"-"}
    assert check_code_matches(code.lower().replace("-", " "), code)
    assert not check_code_matches(new_check_code(), code)
    assert not check_code_matches("", code)
    assert not check_code_matches("数据", code)
