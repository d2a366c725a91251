"""The evidence of one trade as a zip that anybody verifies offline: its papers, its journal entries and their proofs.

The same trade gives the same bytes until something more is written about it. The pack is written part by part, and no
proof reads the whole journal.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from django.db.models import Q, QuerySet

from marketplace import documents, journal, journal_proofs, merkle, paper_checks
from marketplace.canonical import canonical
from marketplace.models import Event, Organisation, Paper, Seal, TreeHead, User
from settlement.models import Trade

FIXED = Path(__file__).parent / "evidence_pack"
# Kinds of entries that tell what the exchange takes of the seller: a buyer's pack proves that they are there.
SELLERS_ALONE = ("trade.cleared",)
_BEGAN = (1980, 1, 1, 0, 0, 0)  # a zip's earliest moment: when a pack is made says nothing


def readable(by: User, organisation: Organisation | None) -> QuerySet[Trade]:
    """The trades whose evidence this person takes: those of their organisation; for staff who see every paper, all."""
    return Trade.objects.all() if paper_checks.sees_every_paper(by) else Trade.objects.visible_to(organisation)


class _Sink(io.RawIOBase):
    """Where the zip is written to: what was written is taken away after each file."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.parts.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        taken, self.parts = b"".join(self.parts), []
        return taken


def pack(trade: Trade, *, language: str, withheld: Collection[str] = ()) -> Iterator[bytes]:
    """The zip, part by part; its PDFs are in one of `typesetting.LANGUAGES`.

    Of entries of the kinds `withheld` it holds the leaf and no word.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as whole:  # type: ignore[arg-type]
        for name, content in _files(trade, language, withheld):
            whole.writestr(zipfile.ZipInfo(name, _BEGAN), content, zipfile.ZIP_DEFLATED)
            yield sink.taken()
    yield sink.taken()


def _files(trade: Trade, language: str, withheld: Collection[str]) -> Iterator[tuple[str, bytes]]:
    for name in ("README.md", "verify.py"):
        yield name, (FIXED / name).read_bytes()
    papers = Paper.objects.filter(subject_kind="trade", subject_id=trade.pk).order_by("pk")
    sealed = _entries(trade, list(papers.values_list("pk", flat=True)))
    told = {seal.event.subject_id for seal in sealed if seal.event.kind == "paper.issued"}
    certified = []
    for paper in papers.filter(pk__in=told).iterator(chunk_size=1):
        yield f"papers/{paper.number}.json", canonical(paper.record)
        yield f"papers/{paper.number}-{language}.pdf", documents.pdf(paper, language=language)
        if "journal" in paper.record:
            certified.append((paper.number, int(paper.record["journal"]["size"])))
    yield "journal.json", json.dumps(_proven(sealed, certified, withheld), ensure_ascii=False, indent=1).encode()


def _entries(trade: Trade, papers: list[int]) -> list[Seal]:
    """The seals of what happened to the trade and to what belongs to it alone, by position."""
    parts = {
        "trade": [trade.pk],
        "paper": papers,
        "payment": list(trade.payments.values_list("pk", flat=True)),
        "refund": list(trade.refunds.values_list("pk", flat=True)),
        "chargeback": list(trade.chargebacks.values_list("pk", flat=True)),
        "grant": [trade.grant.pk] if hasattr(trade, "grant") else [],
    }
    about = Q(pk__in=[])
    for kind, ids in parts.items():
        about |= Q(subject_kind=kind, subject_id__in=ids)
    events = list(Event.objects.filter(about).values_list("pk", flat=True))
    return list(Seal.objects.filter(event__in=events).select_related("event__salt").order_by("position"))


def _proven(sealed: list[Seal], certified: list[tuple[str, int]], withheld: Collection[str]) -> dict[str, Any]:
    """The entries with their proofs in the first tree that holds them all, and that tree's older heads with theirs."""
    last = max([seal.position for seal in sealed], default=-1)
    head = TreeHead.objects.filter(size__gt=last).order_by("size").first()
    if head is None:
        return {"tree": {"size": 0, "root": merkle.EMPTY_ROOT.hex()}, "entries": [], "heads": []}
    ranges = {seal.position: merkle.inclusion_ranges(seal.position, head.size) for seal in sealed}
    grown = {number: merkle.consistency_ranges(size, head.size) for number, size in certified}
    roots = journal_proofs.roots({one for path in (*ranges.values(), *grown.values()) for one in path})
    return {
        "tree": {"size": head.size, "root": bytes(head.root).hex()},
        "entries": [
            {
                "position": seal.position,
                **_words(seal.event, withheld),
                "leaf": bytes(seal.leaf_hash).hex(),
                "proof": [roots[one].hex() for one in ranges[seal.position]],
            }
            for seal in sealed
        ],
        "heads": [
            {"paper": number, "proof": [roots[one].hex() for one in grown[number]]} for number, _size in certified
        ],
    }


def _words(event: Event, withheld: Collection[str]) -> dict[str, str | None]:
    """The text a leaf commits to and its salt; nothing of what was forgotten or is withheld."""
    if event.facts is None or event.kind in withheld:
        return {"salt": None, "entry": None}
    return {"salt": bytes(event.salt.value).hex(), "entry": journal.entry_of(event).decode()}
