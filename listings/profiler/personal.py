"""Finds personal data in text by check digit and shape: ID cards, organisations' codes, bank cards, mobiles, e-mail.

Sources: resident identity numbers, GB 11643-1999 (18 places: region, date of birth, order, ISO 7064 MOD 11-2);
unified social credit codes, GB 32100-2015 (check character modulo 31); bank cards, ISO/IEC 7812-1 (issuer prefix and
Luhn's check digit); mainland mobile numbers, 11 digits from 13 to 19.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Callable

ID_CARD, USCC, BANK_CARD, MOBILE, EMAIL = "id_card", "uscc", "bank_card", "mobile", "email"

# The classes are ASCII on purpose: for Python, \w also matches the Chinese characters that may adjoin.
ALONE = r"(?<![0-9])(?<![0-9]\.)"
SHAPES: dict[str, re.Pattern[str]] = {
    EMAIL: re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])"),
    ID_CARD: re.compile(ALONE + r"[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])"),
    USCC: re.compile(r"(?<![0-9A-Za-z])[0-9A-Z]{2}[0-9]{6}[0-9A-Z]{10}(?![0-9A-Za-z])"),
    BANK_CARD: re.compile(ALONE + r"[0-9](?:[ -]?[0-9]){14,18}(?![0-9])"),
    MOBILE: re.compile(ALONE + r"(?:(?:\+|00)?86[ -]?)?[0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}(?![0-9])"),
}
SHORTEST = {EMAIL: 6, ID_CARD: 18, USCC: 18, BANK_CARD: 15, MOBILE: 11}
# What a cell must contain to be worth the shapes above (RE2, for DuckDB).
WORTH_A_LOOK = r"@|[0-9](?:[ -]?[0-9]){10}|[0-9A-Za-z]{18}"
# How often random digits of the shape pass the check, rounded up; a column that does no better is not personal.
CHANCE = {EMAIL: 0.0, ID_CARD: 0.0001, USCC: 0.01, BANK_CARD: 0.03, MOBILE: 0.07}

PROVINCES = frozenset(
    [
        "11",
        "12",
        "13",
        "14",
        "15",
        "21",
        "22",
        "23",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "41",
        "42",
        "43",
        "44",
        "45",
        "46",
        "50",
        "51",
        "52",
        "53",
        "54",
        "61",
        "62",
        "63",
        "64",
        "65",
        "71",
        "81",
        "82",
        "83",
    ]
)
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_AUTHORITIES = frozenset("123456789ANY")
# Issuers by prefix, with the lengths they use: UnionPay; Visa, Mastercard, JCB, Discover; American Express; ICBC.
ISSUERS = (
    (re.compile("62|81"), (16, 17, 18, 19)),
    (re.compile("4|5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720|35|60|65"), (16,)),
    (re.compile("3[47]"), (15,)),
    (re.compile("9558"), (19,)),
)


def is_id_card(text: str) -> bool:
    """Province, a date of birth since 1900, and the check character."""
    if text[:2] not in PROVINCES or text[6:8] not in ("19", "20"):
        return False
    try:
        if datetime.date(int(text[6:10]), int(text[10:12]), int(text[12:14])) > datetime.date.today():
            return False
    except ValueError:
        return False
    weighted = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(text[:17]))
    return "10X98765432"[weighted % 11] == text[17].upper()


def is_uscc(text: str) -> bool:
    """Registering authority, region, and the check character."""
    if text[0] not in USCC_AUTHORITIES or text[2:4] not in PROVINCES | {"10"} or not set(text) <= set(USCC_ALPHABET):
        return False
    weighted = sum(USCC_ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(text[:17]))
    return USCC_ALPHABET[-weighted % 31] == text[17]


def is_bank_card(text: str) -> bool:
    """A known issuer's prefix at that issuer's length, and Luhn's check digit."""
    digits = re.sub("[ -]", "", text)
    if not any(prefix.match(digits) and len(digits) in lengths for prefix, lengths in ISSUERS):
        return False
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 * (number > 9) for number in doubled) % 10 == 0


def is_mobile(text: str) -> bool:
    """Eleven digits from 13 to 19, perhaps after the country's code."""
    return bool(re.fullmatch("1[3-9][0-9]{9}", re.sub("[^0-9]", "", text)[-11:]))


CHECKS: dict[str, Callable[[str], bool]] = {
    EMAIL: lambda text: True,
    ID_CARD: is_id_card,
    USCC: is_uscc,
    BANK_CARD: is_bank_card,
    MOBILE: is_mobile,
}


def find(cell: str) -> tuple[list[tuple[int, int, str]], set[str]]:
    """Where what kind was found, as (start, end, kind), and the kinds whose shape appeared, check passed or not.

    A place found as one kind is not looked at for the next: in the order of CHECKS.
    """
    text = cell if cell.isascii() else "".join(map(_narrow, cell))
    found: list[tuple[int, int, str]] = []
    shapes: set[str] = set()
    for kind, shape in SHAPES.items():
        if len(text) < SHORTEST[kind] or (kind == EMAIL and "@" not in text):
            continue
        for match in shape.finditer(text):
            shapes.add(kind)
            if CHECKS[kind](match.group()):
                found.append((*match.span(), kind))
        for start, end, _ in found:
            text = text[:start] + " " * (end - start) + text[end:]
    return found, shapes


def masked(cell: str, mask: str = "•••") -> str:
    """The cell with everything that `find` finds in it replaced."""
    for start, end, _ in sorted(find(cell)[0], reverse=True):
        cell = cell[:start] + mask + cell[end:]
    return cell


def _narrow(character: str) -> str:
    """Full-width digits and letters as ASCII, one for one so that places stay the same."""
    narrow = unicodedata.normalize("NFKC", character)
    return narrow if len(narrow) == 1 else character
