"""How Chinese and English text becomes what PostgreSQL can find.

PostgreSQL's parsers do not know where a Chinese word ends. Each run of Chinese characters is therefore cut by rjieba
into words, and also into pairs of neighbours: what rjieba cuts differently in a title and in a question (长三角 inside
长三角逐小时) is still found by its pairs. Traditional characters are made simplified first, in texts and in
questions, so that 氣象 and 气象 find the same. All else is left to PostgreSQL, which stems English and, in the
`simple` configuration, keeps names and codes as they are. How a question is read is in listings.search_question.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import rjieba

# Unified ideographs with extensions A to I, compatibility ideographs, and the iteration mark.
HAN = re.compile("[\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]+")
# PostgreSQL keeps no position beyond this one and no lexeme of more than 2046 bytes.
_LAST_POSITION = 16_383
# How much of a text is searched: a tsvector holds at most 1 MiB.
LONGEST_INDEXED = 20_000

# OpenCC's table of characters, as its package carries it: of several simplified ones, the first.
_PAIRS_OF_SCRIPTS = files("opencc") / "dictionary" / "TSCharacters.txt"
_SIMPLIFIED = {
    ord(traditional): choices.split()[0]
    for traditional, _tab, choices in (
        line.partition("\t") for line in _PAIRS_OF_SCRIPTS.read_text(encoding="utf-8").splitlines()
    )
    if len(traditional) == 1 and choices
}
_VECTOR = "setweight(to_tsvector('english', %s), %s) || setweight(to_tsvector('simple', %s), %s) || %s::tsvector"


def vector(texts: Sequence[tuple[str, str]]) -> tuple[str, list[Any]]:
    """SQL, with its parameters, of the tsvector of these (weight, text)."""
    values: list[Any] = []
    for weight, text in texts:
        text = text[:LONGEST_INDEXED]
        rest = without_han(text)
        values += [rest, weight, rest, weight, han_vector(text, weight)]
    return " || ".join([_VECTOR] * len(texts)), values


def script_of(text: str) -> str:
    """The HTML language of a text by its characters: `zh-Hant`, `zh-Hans`, or '' where it has no Chinese."""
    if not HAN.search(text):
        return ""
    return "zh-Hans" if simplified(text) == text else "zh-Hant"


def simplified(text: str) -> str:
    """The text with its traditional characters made simplified."""
    return text.translate(_SIMPLIFIED)


def twins(text: str) -> tuple[str, str]:
    """The traditional characters that read as one of the text's simplified ones, and beside each that one: what
    PostgreSQL's translate() takes, to find a simplified text in a column of either script.
    """
    found = [(chr(one), plain) for one, plain in _SIMPLIFIED.items() if len(plain) == 1 and plain in text]
    return "".join(traditional for traditional, _plain in found), "".join(plain for _traditional, plain in found)


def han_vector(text: str, weight: str) -> str:
    """The Chinese words and pairs of a text as a tsvector literal, such as `'氣象':1A '觀測':2A`."""
    places: dict[str, int] = {}
    position = 0
    for run in HAN.findall(folded(text)):
        for term in [*rjieba.cut_for_search(run), *pairs(run)]:
            position += 1
            places.setdefault(term, min(position, _LAST_POSITION))
    return " ".join(f"'{term}':{place}{weight}" for term, place in places.items())


def without_han(text: str) -> str:
    """The rest of a text, its Chinese taken out."""
    return HAN.sub(" ", folded(text))


def folded(text: str) -> str:
    """Full-width letters made plain, one script, NUL left out."""
    return simplified(unicodedata.normalize("NFKC", text)).replace("\0", "")


def pairs(run: str) -> list[str]:
    """Each two neighbours of a run of Chinese characters."""
    return [run[place : place + 2] for place in range(len(run) - 1)]
