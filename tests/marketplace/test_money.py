"""Money is exact: nothing is lost, invented or mixed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.money import (
    EXPONENTS,
    LARGEST_MINOR,
    CurrencyMismatch,
    Money,
    NotAnAmount,
    UnknownCurrency,
    exponent,
    format_minor,
    parse,
    share,
    split,
)

amounts = st.integers(-(10**12), 10**12)


def test_money_of_one_currency_adds_subtracts_negates_and_compares():
    assert Money(150, "CNY") + Money(50, "CNY") == Money(200, "CNY")
    assert Money(150, "CNY") - Money(200, "CNY") == Money(-50, "CNY")
    assert -Money(7, "HKD") == Money(-7, "HKD")
    assert Money(1, "CNY") < Money(2, "CNY") <= Money(2, "CNY")
    assert max(Money(3, "CNY"), Money(9, "CNY")) == Money(9, "CNY")
    assert not Money.zero("CNY")
    assert sum([Money(1, "CNY"), Money(2, "CNY")], Money.zero("CNY")) == Money(3, "CNY")


@pytest.mark.parametrize(
    "mix",
    [
        lambda one, other: one + other,
        lambda one, other: one - other,
        lambda one, other: one < other,
        lambda one, other: one >= other,
    ],
)
def test_two_currencies_are_never_mixed(mix):
    with pytest.raises(CurrencyMismatch, match=r"CNY 1\.00 and HKD 1\.00"):
        mix(Money(100, "CNY"), Money(100, "HKD"))


def test_equal_minor_units_of_two_currencies_are_different_money():
    assert Money(100, "CNY") != Money(100, "HKD")


def test_money_and_plain_numbers_do_not_add():
    with pytest.raises(TypeError):
        Money(1, "CNY") + 1


@pytest.mark.parametrize("minor", [1.0, "1", True, None, LARGEST_MINOR + 1, -LARGEST_MINOR - 1])
def test_money_is_only_made_of_whole_minor_units_that_can_be_written_exactly(minor):
    with pytest.raises(NotAnAmount):
        Money(minor, "CNY")


@pytest.mark.parametrize("currency", ["cny", "RMB", "", "XXX", None])
def test_money_is_only_in_currencies_of_iso_4217(currency):
    with pytest.raises(UnknownCurrency):
        Money(1, currency)


def test_money_cannot_be_changed():
    with pytest.raises(AttributeError):
        Money(1, "CNY").minor = 2


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [("CNY", 2), ("HKD", 2), ("MOP", 2), ("USD", 2), ("EUR", 2), ("SGD", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3)],
)
def test_exponents_are_those_of_iso_4217(currency, decimals):
    assert exponent(currency) == decimals


def test_every_currency_code_has_three_capital_letters():
    assert len(EXPONENTS) > 150
    assert all(len(code) == 3 and code.isalpha() and code.isupper() for code in EXPONENTS)


@pytest.mark.parametrize(
    ("minor", "basis_points", "expected"),
    [
        (10_000_000, 250, 250_000),  # 2.5 % of 100,000.00 is 2,500.00
        (100, 50, 1),  # half a unit goes up
        (99, 50, 0),
        (101, 50, 1),
        (300, 50, 2),  # 1.5 goes up to 2, not to the even neighbour only
        (500, 50, 3),  # 2.5 goes up to 3
        (-100, 50, -1),  # and away from zero for a reversal
        (1, 10_000, 1),
        (0, 250, 0),
        (12_345, 0, 0),
    ],
)
def test_a_share_is_rounded_half_up(minor, basis_points, expected):
    assert share(minor, basis_points) == expected


@given(amounts, st.integers(0, 10_000))
def test_a_share_is_never_more_than_half_a_unit_off_and_mirrors_its_reversal(minor, basis_points):
    assert abs(2 * (share(minor, basis_points) * 10_000 - minor * basis_points)) <= 10_000
    assert share(-minor, basis_points) == -share(minor, basis_points)


def test_a_negative_share_is_refused():
    with pytest.raises(ValueError, match="negative"):
        share(100, -1)


@pytest.mark.parametrize(
    ("minor", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (10, [1, 1, 1, 1], [3, 3, 2, 2]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (100, [70, 30], [70, 30]),
        (5, [0, 1], [0, 5]),
        (0, [3, 4], [0, 0]),
        (1, [1, 2], [0, 1]),
    ],
)
def test_a_split_gives_what_is_left_over_to_the_largest_remainder(minor, weights, parts):
    assert split(minor, weights) == parts


@given(amounts, st.lists(st.integers(0, 10_000), min_size=1, max_size=20).filter(any))
def test_a_split_sums_to_the_whole_and_no_part_is_a_unit_off(minor, weights):
    parts = split(minor, weights)
    assert sum(parts) == minor
    assert all(
        abs(part * sum(weights) - minor * weight) < sum(weights) for part, weight in zip(parts, weights, strict=True)
    )


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1, 1], [0.5, 0.5]])
def test_a_split_by_no_weight_a_negative_one_or_a_fraction_is_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        split(100, weights)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (123_450, "CNY", "CNY 1,234.50"),
        (5, "HKD", "HKD 0.05"),
        (-123_456_789, "USD", "USD -1,234,567.89"),
        (1_234, "JPY", "JPY 1,234"),
        (1_234_500, "KWD", "KWD 1,234.500"),
        (0, "CNY", "CNY 0.00"),
    ],
)
def test_money_prints_with_its_currency_groups_and_decimals(minor, currency, text):
    assert str(Money(minor, currency)) == text
    assert f"{currency} {format_minor(minor, currency)}" == text


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1,234.50", "CNY", 123_450),
        ("1234.5", "CNY", 123_450),
        (" 88 ", "HKD", 8_800),
        ("-0.01", "USD", -1),
        ("1,000", "JPY", 1_000),
        ("1.234", "KWD", 1_234),
        ("１，２３４．５０", "CNY", 123_450),
        ("0", "CNY", 0),
    ],
)
def test_an_amount_is_read_as_people_write_it(text, currency, minor):
    assert parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency", "reason"),
    [
        ("", "CNY", "Enter an amount"),
        ("   ", "CNY", "Enter an amount"),
        ("1.234,50", "CNY", "not an amount"),
        ("12,34", "CNY", "not an amount"),
        ("1,2345", "CNY", "not an amount"),
        ("1.005", "CNY", "CNY has at most 2 decimals"),
        ("1.0", "JPY", "JPY has no decimals"),
        ("1e9", "CNY", "not an amount"),
        ("NaN", "CNY", "not an amount"),
        ("٣", "CNY", "not an amount"),
        (".5", "CNY", "not an amount"),
        ("5.", "CNY", "not an amount"),
        ("¥5", "CNY", "not an amount"),
        ("9" * 17, "CNY", "larger than"),
        ("9" * 5_000, "CNY", "not an amount"),
    ],
)
def test_what_is_not_plainly_an_amount_is_refused_with_its_reason(text, currency, reason):
    with pytest.raises(NotAnAmount, match=reason):
        parse(text, currency)


@given(st.integers(-LARGEST_MINOR, LARGEST_MINOR), st.sampled_from(["CNY", "JPY", "KWD"]))
def test_what_we_print_we_read_back(minor, currency):
    assert parse(format_minor(minor, currency), currency) == Money(minor, currency)
