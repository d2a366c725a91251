"""Recompute the journal: every leaf from its event and salt, every tree head from the leaves. Reads, never writes.

What was sealed once cannot be changed unnoticed, as long as one tree head is known that was not kept here: a trade
certificate states one, and an operator can note what `verify_journal` prints and ask for it again later.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection, transaction

from marketplace import clock
from marketplace.canonical import NotCanonical
from marketplace.journal import leaf_of
from marketplace.merkle import HASH_BYTES, Frontier
from marketplace.models import Event, Salt, Seal, TreeHead

AT_ONCE = 1000  # rows in memory
NAMED_AT_MOST = 20


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, and where. `code` is stable; `position` is where in the tree, `event` which event."""

    code: str
    sentence: str
    position: int | None = None
    event: int | None = None


@dataclass
class Audit:
    """One reading of the journal from its beginning; the counts are whole once `findings` has been read to its end.

    `known_heads` are roots kept elsewhere, by size of tree; `seal_within` is how long an event may wait for its seal.
    """

    seal_within: dt.timedelta = dt.timedelta(minutes=1)
    known_heads: Mapping[int, bytes] = field(default_factory=dict)
    size: int = 0
    root: bytes = b""
    forgotten: list[int] = field(default_factory=list)
    heads: int = 0
    _frontier: Frontier | None = field(default_factory=Frontier)
    _last_head: int = 0

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong, in the order of the tree, read row by row from one view of the database."""
        with _one_view_of_the_database():
            yield from self._sealed()
            yield from self._ends()
            yield from self._unsealed()
        self.root = self._frontier.root() if self._frontier else b""

    # --- the sealed events -------------------------------------------------------------------------------------------

    def _sealed(self) -> Iterator[Finding]:
        while seals := list(Seal.objects.filter(position__gte=self.size).order_by("position")[:AT_ONCE]):
            ids = [seal.event_id for seal in seals]
            events, salts = Event.objects.in_bulk(ids), Salt.objects.in_bulk(ids)
            sizes = (self.size + 1, seals[-1].position + 1)
            heads = {head.size: head for head in TreeHead.objects.filter(size__range=sizes)}
            for seal in seals:
                if seal.position > self.size:
                    yield self._gap(self.size, seal.position - 1)
                yield from self._leaf(seal, events.get(seal.event_id), salts.get(seal.event_id))
                self.size = seal.position + 1
                if self.size in heads:
                    yield from self._head(heads[self.size])
                if self.size in self.known_heads:
                    yield from self._known_head()

    def _gap(self, first: int, last: int) -> Finding:
        """Seals are missing: what follows can only be checked from the next tree head on."""
        self._frontier = None
        return Finding("gap", f"positions {first} to {last} are missing", position=first)

    def _leaf(self, seal: Seal, event: Event | None, salt: Salt | None) -> Iterator[Finding]:
        kept = bytes(seal.leaf_hash)
        if len(kept) != HASH_BYTES:
            self._frontier = None
        if self._frontier is not None:
            self._frontier.append(kept)
        at = {"position": seal.position, "event": seal.event_id}
        if event is None:
            yield Finding("event_missing", f"position {seal.position}: event {seal.event_id} is gone", **at)
        elif event.facts is None and salt is None:
            self.forgotten.append(seal.position)
        elif event.facts is None or salt is None:
            lost = "facts" if event.facts is None else "salt"
            sentence = f"position {seal.position}: event {event.pk} ({event.kind}) has lost its {lost} alone"
            yield Finding("half_forgotten", sentence, **at)
        elif _leaf_or_none(event, salt) != kept:
            about = f"{event.kind} of {event.subject_kind} {event.subject_id}"
            sentence = f"position {seal.position}: event {event.pk} ({about}) is not what was sealed"
            yield Finding("leaf_differs", sentence, **at)

    # --- the tree heads ----------------------------------------------------------------------------------------------

    def _head(self, head: TreeHead) -> Iterator[Finding]:
        self.heads += 1
        kept = bytes(head.root)
        if self._frontier is not None:
            if self._frontier.root() != kept:
                place = f"a leaf hash of positions {self._last_head} to {head.size - 1}"
                sentence = f"the root of size {head.size} differs: it was changed, or {place}"
                yield Finding("root_differs", sentence, position=head.size - 1)
            elif self._frontier.to_hex() != head.frontier:
                sentence = f"the frontier of size {head.size} was changed, though its root was not"
                yield Finding("frontier_differs", sentence, position=head.size - 1)
        self._last_head = head.size
        self._go_on_from(head)

    def _go_on_from(self, head: TreeHead) -> None:
        """After a fault, the head's own frontier lets what follows be checked by itself, if it fits its root."""
        try:
            frontier = Frontier.from_hex(head.size, head.frontier)
        except (ValueError, TypeError):
            return
        if frontier.root() == bytes(head.root):
            self._frontier = frontier

    def _known_head(self) -> Iterator[Finding]:
        wanted = self.known_heads[self.size]
        if self._frontier is None or self._frontier.root() != wanted:
            sentence = f"the root of size {self.size} is not {wanted.hex()}, as was known elsewhere"
            yield Finding("known_head_differs", sentence, position=self.size - 1)

    def _ends(self) -> Iterator[Finding]:
        """What tree heads promise beyond the last seal, and seals that no tree head covers."""
        newest = TreeHead.objects.order_by("-size").values_list("size", flat=True).first() or 0
        promised = max([newest, *self.known_heads])
        if promised > self.size:
            yield self._gap(self.size, promised - 1)
        elif newest < self.size:
            sentence = f"positions {newest} to {self.size - 1} are sealed, but no tree head covers them"
            yield Finding("head_missing", sentence, position=newest)

    # --- the others --------------------------------------------------------------------------------------------------

    def _unsealed(self) -> Iterator[Finding]:
        late = Event.objects.filter(seal=None, at__lt=clock.now() - self.seal_within)
        count = late.count()
        if count:
            ids = list(late.order_by("pk").values_list("pk", flat=True)[:NAMED_AT_MOST])
            named = ", ".join(map(str, ids)) + (", …" if count > NAMED_AT_MOST else "")
            seconds = int(self.seal_within.total_seconds())
            sentence = f"{count} events older than {seconds} s have no seal: {named}"
            yield Finding("unsealed", sentence, event=ids[0])


def _leaf_or_none(event: Event, salt: Salt) -> bytes | None:
    """The leaf of an event, or None when it now holds what no event can hold."""
    try:
        return leaf_of(event, bytes(salt.value))
    except NotCanonical:
        return None


@contextmanager
def _one_view_of_the_database() -> Iterator[None]:
    """All that is read is of one moment, however long the reading takes; inside a transaction, of that one."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
