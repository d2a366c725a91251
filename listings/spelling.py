"""Which Latin words the catalogue holds, and which of them a misspelt one means."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import connection

from listings import synonyms
from listings.search_words import folded, without_han

LONGEST = 40
SHORTEST_MENDED = 4  # letters; a shorter word is as near to many others
_WORD = re.compile(r"[^\W\d_]{3,40}")
# What PostgreSQL's own measure puts nearest; the fewest slips of the hand decide among them.
_NEAR = 20


@dataclass(frozen=True)
class Known:
    """What the catalogue knows of an asked word: whether it was written, or words that begin so; else the nearest."""

    is_written: bool
    is_beginning: bool
    nearest: str = ""


def note(texts: Iterable[str]) -> None:
    """Remember the Latin words of these texts, in the caller's transaction."""
    words = sorted({word for text in texts for word in _WORD.findall(without_han(text).lower())})
    if not words:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO listings_catalogueword (word, stem)
            SELECT word, coalesce((ts_lexize('english_stem', word))[1], word) FROM unnest(%s::text[]) AS word
            ON CONFLICT DO NOTHING
            """,
            [words],
        )


def known(words: Collection[str]) -> dict[str, Known]:
    """What the catalogue knows of these words (lower case, letters only), in one statement."""
    if not words:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT word, is_written, is_beginning, CASE WHEN NOT is_written THEN ARRAY(
                SELECT near.word FROM listings_catalogueword near
                WHERE near.word %% asked.word OR near.word = ANY(%s)
                ORDER BY similarity(near.word, asked.word) DESC, near.word LIMIT %s
            ) END
            FROM (
                SELECT word,
                    EXISTS (
                        SELECT FROM listings_catalogueword
                        WHERE stem = coalesce((ts_lexize('english_stem', given.word))[1], given.word)
                    ) OR EXISTS (SELECT FROM listings_catalogueword written WHERE written.word = given.word)
                        AS is_written,
                    EXISTS (SELECT FROM listings_catalogueword longer WHERE longer.word LIKE given.word || '%%')
                        AS is_beginning
                FROM unnest(%s::text[]) AS given (word)
            ) AS asked
            """,
            [[swapped for word in words for swapped in _swapped(word)], _NEAR, list(words)],
        )
        rows = cursor.fetchall()
    return {
        word: Known(is_written or synonyms.has(word), is_beginning, _nearest(word, near or []))
        for word, is_written, is_beginning, near in rows
    }


def _swapped(word: str) -> list[str]:
    """The word with two neighbours exchanged: in a short word that leaves few of the trigrams PostgreSQL compares."""
    return [word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)]


def _nearest(word: str, near: list[str]) -> str:
    if len(word) < SHORTEST_MENDED:
        return ""
    most = 1 if len(word) < 6 else 2
    slips = {other: _slips(folded(word), other) for other in near}
    best = min(near, key=lambda other: (slips[other], near.index(other)), default="")
    return best if best and slips[best] <= most else ""


def _slips(one: str, other: str) -> int:
    """How many letters are missing, too many, wrong or exchanged with their neighbour (optimal string alignment)."""
    before, row = [0] * (len(other) + 1), list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, counterpart in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != counterpart))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == counterpart:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]
