"""Shows where a text says what was asked: cut into segments, each marked or not; never HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from django.db import connection

from listings.search_question import Question
from listings.search_words import HAN, folded, pairs

_LATIN = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Segment:
    """A part of a text."""

    text: str
    is_hit: bool = False


class Hits:
    """What of these texts was asked for, in either script and in every form of an English word. One statement.

    PostgreSQL itself says which Latin words it finds, so that what is marked is what was matched.
    """

    def __init__(self, question: Question, texts: Iterable[str]) -> None:
        self._han = _han_terms(question)
        latin = [one for word in question.words for one in (word.own, *word.others) if not HAN.search(one)]
        begins = [word.beginning for word in question.words if word.beginning]
        self._latin = _found(texts, latin, begins) if latin else set()

    def marked(self, text: str) -> list[Segment]:
        """The text in segments; joined they are the text."""
        spans = sorted(self._spans(text))
        segments, place = [], 0
        for start, end in spans:
            if end <= place:
                continue
            start = max(start, place)
            if start > place:
                segments.append(Segment(text[place:start]))
            if segments and segments[-1].is_hit:
                segments[-1] = Segment(segments[-1].text + text[start:end], is_hit=True)
            else:
                segments.append(Segment(text[start:end], is_hit=True))
            place = end
        return [*segments, Segment(text[place:])] if place < len(text) else segments

    def _spans(self, text: str) -> Iterable[tuple[int, int]]:
        plain = "".join(map(_plain, text))
        for term in self._han:
            start = plain.find(term)
            while start >= 0:
                yield start, start + len(term)
                start = plain.find(term, start + 1)
        if self._latin:
            for word in _LATIN.finditer(HAN.sub(lambda run: " " * len(run[0]), plain)):
                if word[0].lower() in self._latin:
                    yield word.span()


@cache
def _plain(character: str) -> str:
    """The character as it is searched, where that is one character too: places stay what they are."""
    plain = folded(character)
    return plain if len(plain) == 1 else character


def _han_terms(question: Question) -> list[str]:
    words = [one for word in question.words for one in (word.own, *word.others) if HAN.fullmatch(one)]
    # A word of four or more characters may be said in two parts.
    return list(dict.fromkeys([*words, *(pair for word in words if len(word) > 3 for pair in pairs(word))]))


def _found(texts: Iterable[str], latin: list[str], begins: list[str]) -> set[str]:
    asked = sorted({part.lower() for one in latin for part in one.split()})
    # A stem begins as its word does: of the others PostgreSQL need not be asked.
    initials = {run[0] for one in (*asked, *begins) for run in _LATIN.findall(one)}
    words = sorted(
        {word for text in texts for word in _LATIN.findall(HAN.sub(" ", folded(text)).lower()) if word[0] in initials}
    )
    # One question of all that was asked, so that each word of the texts is cut and stemmed once.
    questions = " || ".join(["plainto_tsquery('english', %s) || plainto_tsquery('simple', %s)"] * len(asked))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT word FROM unnest(%s::text[]) AS word
            WHERE to_tsvector('english', word) || to_tsvector('simple', word) @@ ({questions})
                OR EXISTS (SELECT FROM unnest(%s::text[]) AS beginning WHERE starts_with(word, beginning))
            """,  # noqa: S608
            [words, *(one for part in asked for one in (part, part)), begins],
        )
        return {word for (word,) in cursor.fetchall()}
