"""How what a person typed becomes a question to PostgreSQL.

Every word must be found, each in one of its forms: as it was written, or (less) as a synonym or, of the last Latin
word, as a beginning. A run of Chinese is asked by its words or by all its pairs. Where nothing holds every word, what
holds some is asked for instead. A Latin word nobody wrote is read as its nearest, unless the reader insists.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import rjieba

from listings import spelling, synonyms
from listings.search_words import HAN, folded, pairs

LONGEST = 200
MOST_WORDS = 24
_PIECE = re.compile(f"({HAN.pattern})|([^\\s{HAN.pattern[1:-2]}]+)")
_LETTERS = re.compile(r"[^\W\d_]+")
_BEGINNING = re.compile(r"\w{2,40}")
Part = tuple[str, list[Any]]  # SQL of a tsquery, with placeholders only, and its parameters


@dataclass
class Word:
    """One thing asked for. `own` is how it was written, `others` are its synonyms, `beginning` what it may begin."""

    own: str
    others: list[str] = field(default_factory=list)
    beginning: str = ""
    run: str = ""  # the Chinese run it is part of

    @property
    def is_han(self) -> bool:
        return bool(HAN.fullmatch(self.own))


@dataclass
class Question:
    """What somebody looks for; false when it holds no word."""

    words: list[Word] = field(default_factory=list)
    text: str = ""  # as it was understood
    mended: dict[str, str] = field(default_factory=dict)  # {as typed: as understood}

    def __bool__(self) -> bool:
        return bool(self.words)

    def strict(self) -> Part:
        """The tsquery of the words as they were written."""
        return self._every(is_wide=False)

    def wide(self) -> Part:
        """The tsquery with synonyms and beginnings."""
        return self._every(is_wide=True)

    def some(self) -> Part:
        """The tsquery of what holds any of the words."""
        longer = [one for one in self.words if len(one.own) > 1]
        return _joined(" || ", [_word(one, is_wide=True) for one in longer or self.words])

    def _every(self, *, is_wide: bool) -> Part:
        parts = [_word(one, is_wide=is_wide) for one in self.words if not one.run]
        for run in dict.fromkeys(one.run for one in self.words if one.run):
            words = [one for one in self.words if one.run == run]
            cut = _joined(" && ", [_word(one, is_wide=is_wide) for one in words])
            is_one_word = [one.own for one in words] == [run]
            parts.append(cut if is_one_word else _joined(" || ", [cut, _han(run)]))
        return _joined(" && ", parts)


def read(text: str, *, is_as_typed: bool = False) -> Question:
    """What a person typed, cut as the catalogue was. One statement, where there is a Latin word.

    `is_as_typed` leaves misspelt words as they are.
    """
    text = " ".join(folded(text)[:LONGEST].split())
    pieces = [(found[1] or "", found[2] or "") for found in _PIECE.finditer(text)][:MOST_WORDS]
    asked = [other.strip("'\"“”‘’.,;:!?()[]<>{}").lower() for _run, other in pieces]
    known = spelling.known({word for word in asked if _LETTERS.fullmatch(word) and word not in synonyms.SMALL})
    question = Question(text=text)
    for place, ((run, _other), word) in enumerate(zip(pieces, asked, strict=True)):
        if run:
            question.words += _of_run(run)
        elif re.search(r"\w", word):
            is_last, knows = place == len(pieces) - 1, known.get(word)
            is_wrong = knows and not knows.is_written and not (is_last and knows.is_beginning)
            if knows and is_wrong and knows.nearest and not is_as_typed:
                question.mended[word] = knows.nearest
                word = knows.nearest
            begins = word if is_last and _BEGINNING.fullmatch(word) and word.isascii() else ""
            question.words.append(Word(word, synonyms.of(word), begins))
    _join_names(question.words)
    question.words = _without_small(question.words)
    for typed, understood in question.mended.items():
        question.text = re.sub(re.escape(typed), understood, question.text, flags=re.IGNORECASE)
    return question


def _of_run(run: str) -> list[Word]:
    cut = list(dict.fromkeys(part for word in rjieba.cut(run) for part in _parts(word)))
    telling = [word for word in cut if word not in synonyms.SMALL and word not in synonyms.PLAIN] or cut
    return [Word(word, synonyms.of(word), run=run) for word in telling]


def _parts(word: str) -> list[str]:
    """A long word that no group names is asked by its parts: 证券行情 by 证券 and 行情, which may stand apart."""
    if len(word) < 4 or synonyms.of(word):
        return [word]
    known, parts, place = set(rjieba.cut_for_search(word)) - {word}, [], 0
    while place < len(word):
        ends = [end for end in range(len(word), place + 1, -1) if word[place:end] in known]
        if not ends:
            return [word]
        parts.append(word[place : ends[0]])
        place = ends[0]
    return parts


def _join_names(words: list[Word]) -> None:
    """Latin names of several words, such as air quality, have synonyms as one: the first of them carries these."""
    for length in range(synonyms.LONGEST, 1, -1):
        for start in range(len(words) - length + 1):
            part = words[start : start + length]
            others = [] if any(one.is_han for one in part) else synonyms.of(" ".join(one.own for one in part))
            if others:
                words[start : start + length] = [Word(" ".join(one.own for one in part), others)]
                return


def _without_small(words: list[Word]) -> list[Word]:
    telling = [one for one in words if one.own not in synonyms.SMALL and one.own not in synonyms.PLAIN]
    return telling or words


def _word(word: Word, *, is_wide: bool) -> Part:
    parts = [_han(word.own) if word.is_han else _latin(word.own)]
    if is_wide:
        parts += [_han(other) if HAN.fullmatch(other) else _latin(other) for other in word.others]
        if word.beginning:
            parts.append(("to_tsquery('simple', %s)", [f"{word.beginning}:*"]))
    return _joined(" || ", parts)


def _latin(text: str) -> Part:
    to_query = "phraseto_tsquery" if " " in text else "plainto_tsquery"
    return f"({to_query}('english', %s) || {to_query}('simple', %s))", [text, text]


def _han(text: str) -> Part:
    """A Chinese word by itself, or by all its pairs; one character as the beginning of a word."""
    if len(text) == 1:
        return "%s::tsquery", [f"'{text}':*"]
    if len(text) == 2:
        return "%s::tsquery", [f"'{text}'"]
    by_pairs = " & ".join(f"'{pair}'" for pair in dict.fromkeys(pairs(text)))
    return "%s::tsquery", [f"'{text}' | ({by_pairs})"]


def _joined(sign: str, parts: Sequence[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]
    return f"({sign.join(sql for sql, _values in parts)})", [value for _sql, values in parts for value in values]
