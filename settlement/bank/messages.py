"""ISO 20022 messages as they are read: a piece at a time, with nothing in them that XML could do to the reader.

A document type is refused, so there are no entities to expand or fetch; depth, length and number are bounded. No
schema is packaged here: what a message must hold is checked by those who read its pieces.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat  # noqa: S407 - a document type is refused, and with it every entity

from django.utils.translation import gettext_lazy as _

from marketplace.errors import Invalid

DEEPEST, LONGEST_TEXT, MOST_PARTS = 24, 4_000, 4_000
_CHUNK = 64 * 1024


class Unreadable(Invalid):
    """This is no message that can be read."""

    code = "message_unreadable"
    says = _("This is no message that can be read.")
    next = _("Save the file from the bank again, and send it as it came.")


class Unsafe(Invalid):
    """The message holds a document type, or is built to exhaust its reader."""

    code = "message_unsafe"
    says = _("The message holds a document type, or is built to exhaust its reader.")
    next = _("Ask the bank for the plain message: ISO 20022 knows no document types.")


@dataclass
class Piece:
    """An element with its text, its attributes and what stands in it."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    parts: list[Piece] = field(default_factory=list)

    def all(self, path: str) -> list[Piece]:
        """Every element on this path of names, such as `NtryDtls/TxDtls`."""
        found = [self]
        for name in path.split("/"):
            found = [part for one in found for part in one.parts if part.name == name]
        return found

    def one(self, path: str) -> Piece | None:
        """The first element on this path."""
        return next(iter(self.all(path)), None)

    def said(self, path: str) -> str:
        """The text of the first element on this path, or ''."""
        found = self.one(path)
        return found.text.strip() if found is not None else ""


def pieces(body: bytes, *, message: str, below: tuple[str, ...]) -> Iterator[tuple[int, Piece]]:
    """The elements directly below this path of a message such as `camt.053`, one by one as they end.

    With each comes the number of the element of the path it stands in, from 1. Raises Unreadable, Unsafe.
    """
    reader = _Reader(message, below)
    for start in range(0, len(body), _CHUNK):
        yield from reader.fed(body[start : start + _CHUNK])
    yield from reader.fed(b"", is_last=True)


class _Reader:
    """Keeps only what stands directly below the path, until it is asked for."""

    def __init__(self, message: str, below: tuple[str, ...]) -> None:
        self.namespace = f"urn:iso:std:iso:20022:tech:xsd:{message}."
        self.message, self.below = message, below
        self.path: list[str] = []
        self.open: list[Piece] = []
        self.done: list[tuple[int, Piece]] = []
        self.number = self.parts = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def fed(self, chunk: bytes, *, is_last: bool = False) -> list[tuple[int, Piece]]:
        try:
            self.parser.Parse(chunk, is_last)
        except (expat.ExpatError, UnicodeError, ValueError, LookupError) as error:
            raise Unreadable(_("The message is not well-formed: %(error)s."), error=str(error)[:120]) from None
        done, self.done = self.done, []
        return done

    def _refuse(self, *_told: object) -> None:
        raise Unsafe()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _space, local = name.rpartition(" ")
        if not self.path and (local != "Document" or not namespace.startswith(self.namespace)):
            raise Unreadable(_("This is no message %(message)s."), message=self.message)
        self.path.append(local)
        if len(self.path) > DEEPEST:
            raise Unsafe()
        if tuple(self.path) == self.below:
            self.number += 1
        if self.open or tuple(self.path[:-1]) == self.below:
            piece = Piece(local, dict(attributes))
            if self.open:
                self.open[-1].parts.append(piece)
            self.open.append(piece)
            self.parts = self.parts + 1 if len(self.open) > 1 else 1
            if self.parts > MOST_PARTS:
                raise Unsafe()

    def _end(self, _name: str) -> None:
        self.path.pop()
        if self.open:
            piece = self.open.pop()
            if not self.open:
                self.done.append((self.number, piece))

    def _text(self, text: str) -> None:
        if self.open:
            piece = self.open[-1]
            piece.text += text
            if len(piece.text) > LONGEST_TEXT:
                raise Unsafe()
