"""The roots of parts of the journal's tree, from as few of its rows as can be.

A tree head keeps the roots of the perfect subtrees its tree is made of. So a left child stands in every head that was
written between its own end and that of its sibling; a right child is put together of its own two children. What no
head tells is read leaf by leaf. A proof takes some heads and a few hundred leaves, however long the journal is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db import connection

from marketplace import merkle
from marketplace.merkle import Range

LEAVES_AT_ONCE = 5_000  # in memory
SMALL = 256  # a subtree of so many leaves is read leaf by leaf


def roots(wanted: Collection[Range]) -> dict[Range, bytes]:
    """The roots of these subtrees of the sealed journal, all of which a tree head covers."""
    known: dict[Range, bytes] = {}
    small: set[Range] = set()
    asked = set(wanted)
    while asked:
        of_heads: set[Range] = set()
        for one in asked:
            of_heads |= _left_children(one, small)
        told = _kept_in_heads(of_heads - known.keys())
        known |= told
        asked = {half for one in of_heads - known.keys() for half in merkle.children(one)}
    known |= _from_leaves(sorted(small))
    return {one: _root(one, known) for one in wanted}


def _left_children(one: Range, small: set[Range]) -> set[Range]:
    """The subtrees this one is made of that a head may tell; those that are `small` are added to them."""
    found: set[Range] = set()
    rest = [one]
    while rest:
        start, end = part = rest.pop()
        size = end - start
        if size <= SMALL:
            small.add(part)
        elif size & (size - 1) == 0 and not start & size:
            found.add(part)
        else:
            rest += merkle.children(part)
    return found


KEPT = """
    SELECT one.first, one.last, head.root
    FROM unnest(%s::bigint[], %s::bigint[], %s::int[]) AS one (first, last, level), LATERAL (
        SELECT frontier->>(bit_count((size >> one.level)::bit(64)) - 1)::int AS root FROM marketplace_treehead
        WHERE size >= one.last AND size < 2 * one.last - one.first ORDER BY size LIMIT 1
    ) AS head
"""


def _kept_in_heads(wanted: Iterable[Range]) -> dict[Range, bytes]:
    """The roots of those of these left children that a tree head tells. One statement.

    A frontier lists its subtrees from the largest: a subtree of 2^n leaves is preceded by one for each higher bit set
    in the size.
    """
    ordered = sorted(wanted)
    if not ordered:
        return {}
    starts, ends = [start for start, _end in ordered], [end for _start, end in ordered]
    levels = [(end - start).bit_length() - 1 for start, end in ordered]
    with connection.cursor() as cursor:
        cursor.execute(KEPT, [starts, ends, levels])
        return {(start, end): bytes.fromhex(root) for start, end, root in cursor.fetchall()}


LEAVES = """
    SELECT one.place, seal.leaf_hash FROM unnest(%s::bigint[], %s::bigint[]) WITH ORDINALITY AS one (first, last, place)
    JOIN marketplace_seal AS seal ON seal.position >= one.first AND seal.position < one.last
    ORDER BY one.place, seal.position
"""


def _from_leaves(small: list[Range]) -> dict[Range, bytes]:
    """The roots of small subtrees from their leaves, several subtrees with one statement."""
    found: dict[Range, bytes] = {}
    step = LEAVES_AT_ONCE // SMALL
    for first in range(0, len(small), step):
        part = small[first : first + step]
        frontiers = [merkle.Frontier() for _one in part]
        with connection.cursor() as cursor:
            cursor.execute(LEAVES, [[start for start, _end in part], [end for _start, end in part]])
            for place, leaf in cursor.fetchall():
                frontiers[place - 1].append(bytes(leaf))
        found |= {one: frontier.root() for one, frontier in zip(part, frontiers, strict=True)}
    return found


def _root(one: Range, known: dict[Range, bytes]) -> bytes:
    if one not in known:
        left, right = merkle.children(one)
        known[one] = merkle.node_hash(_root(left, known), _root(right, known))
    return known[one]
