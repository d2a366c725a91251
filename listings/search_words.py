"""How Chinese and English text becomes what PostgreSQL can find.

PostgreSQL's parsers do not know where a Chinese word ends. Each run of Chinese characters is therefore cut by rjieba
into words, in the script it is written in, and also into pairs of neighbours: what rjieba cuts differently in a title
and in a question (長三角 inside 長三角逐小時) is still found by its pairs. All else is left to PostgreSQL, which stems
English and, in the `simple` configuration, keeps names and codes as they are.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import rjieba

LONGEST_QUERY = 200
# Unified ideographs with extensions A to I, compatibility ideographs, and the iteration mark.
_HAN = re.compile("[\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]+")
_WORD = re.compile(r"\w")
# PostgreSQL keeps no position beyond this one and no lexeme of more than 2046 bytes.
_LAST_POSITION = 16_383


@dataclass(frozen=True)
class Question:
    """What somebody looks for: Chinese terms as a tsquery, the rest as plain text; both must be found."""

    han: str
    rest: str

    def __bool__(self) -> bool:
        return bool(self.han or self.rest)


def han_vector(text: str, weight: str) -> str:
    """The Chinese words and pairs of a text as a tsvector literal, such as `'氣象':1A '觀測':2A`."""
    places: dict[str, int] = {}
    position = 0
    for run in _HAN.findall(_folded(text)):
        for term in [*rjieba.cut_for_search(run), *_pairs(run)]:
            position += 1
            places.setdefault(term, min(position, _LAST_POSITION))
    return " ".join(f"'{term}':{place}{weight}" for term, place in places.items())


def without_han(text: str) -> str:
    """The rest of a text, its Chinese taken out."""
    return _HAN.sub(" ", _folded(text))


def question(text: str) -> Question:
    """What a person typed, cut as the catalogue was; false when it holds no word."""
    text = _folded(text)[:LONGEST_QUERY]
    runs = []
    for run in _HAN.findall(text):
        words = " & ".join(f"'{word}'" for word in dict.fromkeys(rjieba.cut(run)))
        pairs = " & ".join(f"'{pair}'" for pair in dict.fromkeys(_pairs(run)))
        runs.append(f"(({words}) | ({pairs}))" if pairs else f"'{run}':*")
    rest = without_han(text)
    return Question(" & ".join(runs), rest.strip() if _WORD.search(rest) else "")


def _folded(text: str) -> str:
    """Full-width letters made plain, NUL left out."""
    return unicodedata.normalize("NFKC", text).replace("\0", "")


def _pairs(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(len(run) - 1)]
