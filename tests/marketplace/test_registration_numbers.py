"""Registration numbers: real ones pass in every way people write them, mistakes are named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.registration_numbers import NotARegistrationNumber, check

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def check_character(seventeen: str) -> str:
    """GB 32100-2015 §4.5, written out: weights are powers of 3 modulo 31."""
    total = sum(USCC_ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(seventeen))
    return USCC_ALPHABET[-total % 31]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("91110000600037341L", "91110000600037341L"),
        ("91330100799655058B", "91330100799655058B"),
        ("9144030071526726XG", "9144030071526726XG"),
        ("914403001922038216", "914403001922038216"),
        (" 9133 0100 7996 5505 8b ", "91330100799655058B"),
        ("９１３３０１００７９９６５５０５８Ｂ", "91330100799655058B"),
    ],
)
def test_real_unified_social_credit_codes_are_kept_in_one_form(typed, kept):
    assert check("uscc", typed) == kept


@given(
    st.sampled_from(USCC_ALPHABET),
    st.sampled_from(USCC_ALPHABET),
    st.integers(110_000, 820_000),
    st.text(USCC_ALPHABET, min_size=9, max_size=9),
    st.integers(0, 16),
    st.sampled_from(USCC_ALPHABET),
)
def test_the_check_character_is_that_of_the_standard_and_finds_any_one_mistake(
    register, category, region, body, place, wrong
):
    seventeen = f"{register}{category}{region}{body}"
    code = seventeen + check_character(seventeen)
    assert check("uscc", code) == code
    mistaken = code[:place] + wrong + code[place + 1 :]
    if mistaken != code:
        with pytest.raises(NotARegistrationNumber, match="mistake|digits for its region"):
            check("uscc", mistaken)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("91110000600037341M", "last character does not fit"),
        ("9111000060003734", "has 16"),
        ("", "has 0"),
        ("91A10000600037341L", "digits for its region"),
        ("9111000060003734IL", "without I, O, S, V and Z"),
        ("数据110000600037341L", "without I, O, S, V and Z"),
    ],
)
def test_a_mistaken_credit_code_is_refused_with_its_reason(number, reason):
    with pytest.raises(NotARegistrationNumber, match=reason):
        check("uscc", number)


@pytest.mark.parametrize(
    "typed", ["12345678", "1234 5678", "12345678-000-01-26-1", "12345678-000-12-25-A", "1234567800001261"]
)
def test_a_hong_kong_number_is_its_first_eight_digits_however_it_is_copied(typed):
    assert check("hk_br", typed) == "12345678"


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("1234567", "8 digits"),
        ("123456789", "8 digits"),
        ("C0012345", "8 digits"),
        ("12345678-000", "8 digits"),
        ("12345678-000-13-26-1", "13 is not a month"),
        ("00000000", "Eight zeros"),
        ("", "8 digits"),
    ],
)
def test_a_mistaken_hong_kong_number_is_refused_with_its_reason(number, reason):
    with pytest.raises(NotARegistrationNumber, match=reason):
        check("hk_br", number)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("213800KUD8LAJWSQ9D15", "213800KUD8LAJWSQ9D15"),
        ("2138-00KU-D8LA-JWSQ-9D15", "213800KUD8LAJWSQ9D15"),
        ("hwuPKR0MPOU8FGXBT394", "HWUPKR0MPOU8FGXBT394"),
    ],
)
def test_real_identifiers_of_legal_entities_are_kept_in_one_form(typed, kept):
    assert check("lei", typed) == kept


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("213800KUD8LXJWSQ9D15", "last two digits"),
        ("213800KUD8LAJWSQ9D51", "last two digits"),
        ("213800KUD8LAJWSQ9D1", "18 letters and digits"),
        ("213800KUD8LAJWSQ9DA5", "18 letters and digits"),
        ("", "18 letters and digits"),
    ],
)
def test_a_mistaken_identifier_is_refused_with_its_reason(number, reason):
    with pytest.raises(NotARegistrationNumber, match=reason):
        check("lei", number)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("so 12345", "SO 12345"), (" 京民证字第1234号 ", "京民证字第1234号"), ("UEN  201912345K", "UEN 201912345K")],
)
def test_a_number_of_another_register_is_only_tidied(typed, kept):
    assert check("other", typed) == kept


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("", "2 to 40"),
        ("1" * 41, "2 to 40"),
        ("1" * 5_000, "2 to 40"),
        ("<b>1</b>", "no others"),
        ("=1+2", "no others"),
        ("12\x0034", "no others"),
        ("none", "at least one digit"),
    ],
)
def test_what_no_register_would_write_is_refused(number, reason):
    with pytest.raises(NotARegistrationNumber, match=reason):
        check("other", number)


def test_a_kind_we_do_not_know_is_a_mistake_of_the_caller():
    with pytest.raises(KeyError):
        check("passport", "1")
