"""The language of a column of text, by its script and by characters and words that only one language uses.

Simplified and traditional Chinese are told apart by the characters that only one of their character sets has: GB 2312
was made for the one, Big5 for the other; what both have (中, 文, 人) says nothing. Kana make a text Japanese. Latin
text is English if its small words are: a column of names or codes has no language.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable

SIMPLIFIED, TRADITIONAL, ENGLISH, JAPANESE, OTHER, NONE = "zh-Hans", "zh-Hant", "en", "ja", "other", ""

LEAST_LETTERS = 20  # in all cells together, to say anything
LEAST_WORDS = 3  # small words, likewise
SMALL_WORDS = 0.15  # of all words are small in sentences; in names (La Paz, Bank of China) there are fewer
WORDS = re.compile(r"[^\W\d_]+")
ENGLISH_WORDS = frozenset(
    WORDS.findall(
        "the of and to in is for with on at from by this that was were are be been has have had not it as an or "
        "which will would can their its our we you they he she his her there "
    )
)
# Small words of the languages whose letters English shares; those that English has too ("die", "on") are left out.
FOREIGN_WORDS = frozenset(
    WORDS.findall(
        "de la le les des et un une que qui du est dans pour pas sur avec el los las del una por con para se der "
        "und das ist von mit den dem ein eine nicht auf zu il di che della per gli het een van niet zijn voor och "
        "att som det ar ja na nie do sie jest yang dan untuk dengan ini da os uma nao "
    )
)


def language_of(cells: Iterable[tuple[str, int]]) -> str:
    """The language of these cells, given how often each occurs; NONE where they say too little, OTHER if unknown."""
    letters: Counter[str] = Counter()
    words: Counter[str] = Counter()
    for cell, count in cells:
        for character in cell:
            if character.isalpha():
                letters[_script(character)] += count
        if not cell.isspace() and " " in cell:
            for word in map(str.casefold, WORDS.findall(cell)):
                words["all"] += count
                words["en"] += count * (word in ENGLISH_WORDS)
                words["foreign"] += count * (word in FOREIGN_WORDS)
    total = letters.total()
    if total < LEAST_LETTERS:
        return NONE
    chinese = letters["han"] + letters[SIMPLIFIED] + letters[TRADITIONAL]
    if letters["kana"] > 0.1 * (chinese + letters["kana"]):
        return JAPANESE
    if chinese > 0.3 * total and chinese >= letters["other"]:  # a Chinese character says as much as a Latin word
        return _written_in(letters[SIMPLIFIED], letters[TRADITIONAL])
    if letters["other"] > 0.5 * total:
        return OTHER
    small = max(words["en"], words["foreign"])
    if small < LEAST_WORDS or small < SMALL_WORDS * words["all"]:
        return NONE
    return ENGLISH if words["en"] == small else OTHER


def _written_in(simplified: int, traditional: int) -> str:
    """Which of the two, if the characters of one are four times those of the other: a few names do not turn a text."""
    if simplified > 4 * traditional:
        return SIMPLIFIED
    if traditional > 4 * simplified:
        return TRADITIONAL
    return OTHER if simplified or traditional else NONE


@functools.lru_cache(maxsize=50_000)
def _script(character: str) -> str:
    if character.isascii() or "\u00c0" <= character <= "\u024f":
        return "latin"
    if "\u3040" <= character <= "\u30ff":
        return "kana"
    if not ("\u3400" <= character <= "\u9fff" or "\U00020000" <= character <= "\U0003ffff"):
        return "other"
    in_gb, in_big5 = _has("gb2312", character), _has("big5", character)
    return "han" if in_gb == in_big5 else SIMPLIFIED if in_gb else TRADITIONAL


def _has(character_set: str, character: str) -> bool:
    try:
        character.encode(character_set)
    except UnicodeEncodeError:
        return False
    return True
