"""Which bytes a request asks for (RFC 9110 §14), as a pure function."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.channels.files.ranges import NotSatisfiable, Part, asked_part, failed_precondition, may_be_partial


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", Part(0, 1)),
        ("bytes=0-9", Part(0, 10)),
        ("bytes=90-", Part(90, 10)),
        ("bytes=90-5000", Part(90, 10)),
        ("bytes=99-99", Part(99, 1)),
        ("bytes=-1", Part(99, 1)),
        ("bytes=-10", Part(90, 10)),
        ("bytes=-100", Part(0, 100)),
        ("bytes=-5000", Part(0, 100)),
        ("BYTES=5-6", Part(5, 2)),
        (" bytes=5-6 ", Part(5, 2)),
    ],
)
def test_a_satisfiable_range_is_exactly_that_part(header: str, part: Part) -> None:
    assert asked_part(header, 100) == part


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=5000-", "bytes=-0"])
def test_a_range_outside_the_file_cannot_be_satisfied(header: str) -> None:
    with pytest.raises(NotSatisfiable):
        asked_part(header, 100)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=9-5",
        "bytes=a-b",
        "bytes=1-2-3",
        "bytes=+1-2",
        "bytes=-1-2",
        "bytes=1.5-2",
        "bytes=0x1-0x2",
        "bytes=１-２",
        "bytes= 1-2",
        "bytes=0-1,5-6",
        "bytes=0-1,",
        "items=0-5",
        "0-5",
        "bytes=" + "9" * 5000 + "-",
    ],
)
def test_what_is_malformed_or_several_ranges_means_the_whole(header: str) -> None:
    assert asked_part(header, 100) is None


def test_an_empty_file_has_no_part() -> None:
    assert asked_part("bytes=-5", 0) is None
    with pytest.raises(NotSatisfiable):
        asked_part("bytes=0-", 0)


@given(st.text(max_size=30) | st.from_regex(r"bytes=[0-9]{0,4}-[0-9]{0,4}", fullmatch=True), st.integers(0, 2000))
def test_whatever_is_asked_a_part_lies_within_the_file(header: str, whole_bytes: int) -> None:
    try:
        part = asked_part(header, whole_bytes)
    except NotSatisfiable:
        return
    if part is not None:
        assert part.size_bytes > 0
        assert 0 <= part.first < part.first + part.size_bytes <= whole_bytes
        assert part.content_range(whole_bytes).startswith(f"bytes {part.first}-")


def test_if_range_takes_only_the_strong_tag_itself() -> None:
    assert may_be_partial("", '"a"')
    assert may_be_partial('"a"', '"a"')
    assert not may_be_partial('W/"a"', '"a"')
    assert not may_be_partial('"b"', '"a"')
    assert not may_be_partial("Wed, 21 Oct 2015 07:28:00 GMT", '"a"')


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "status"),
    [
        ("", "", None),
        ('"a"', "", None),
        ('"b", "a"', "", None),
        ("*", "", None),
        ('"b"', "", 412),
        ('W/"a"', "", 412),
        ("", '"a"', 304),
        ("", 'W/"a"', 304),
        ("", "*", 304),
        ("", '"b"', None),
        ('"b"', '"a"', 412),
    ],
)
def test_preconditions_are_judged_in_order(if_match: str, if_none_match: str, status: int | None) -> None:
    assert failed_precondition('"a"', if_match=if_match, if_none_match=if_none_match) == status
