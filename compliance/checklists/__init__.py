"""What a reviewer checks, as dated data in three languages; which items a version needs, and what its answers lack.

A published checklist never changes: a correction is a new file and a new CURRENT_VERSION.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from listings import plain_text
from listings.models import Version
from marketplace.errors import Invalid

CURRENT_VERSION = "2026-11"
YES, NO, NOT_APPLICABLE = ANSWERS = ("yes", "no", "not_applicable")
LONGEST_NOTE = 1000
MAINLAND = "CN"
_FOLDER = Path(__file__).parent

Answers = Mapping[str, Mapping[str, str]]  # {item: {answer, note}}


@dataclass(frozen=True)
class Item:
    """One thing to check. A required one blocks approval unless it is met: yes, or not applicable with a note."""

    id: str
    is_required: bool
    asks: Mapping[str, str]
    product_types: Sequence[str] = ()
    classifications: Sequence[str] = ()
    when: Sequence[str] = ()

    @property
    def text(self) -> str:
        """What it asks, in the reader's language."""
        return self.asks.get(get_language() or "en", self.asks["en"])

    def concerns(self, version: Version, *, has_approved_before: bool) -> bool:
        """Whether it is to be asked of this version: each condition it names holds."""
        if self.product_types and version.listing.product_type not in self.product_types:
            return False
        if self.classifications and version.classification not in self.classifications:
            return False
        return all(has_approved_before if name == _BEFORE else _CONDITIONS[name](version) for name in self.when)


_BEFORE = "has_approved_before"
_CONDITIONS: dict[str, Callable[[Version], bool]] = {
    "has_personal_data": lambda version: version.has_personal_data,
    "has_sensitive_data": lambda version: version.has_sensitive_data,
    "leaves_the_mainland": lambda version: version.leaves_mainland and version.listing.seller.country == MAINLAND,
    "is_authorised_public_data": lambda version: version.lawful_basis == Version.Basis.AUTHORISED,
}


@functools.cache
def every_item(checklist_version: str = CURRENT_VERSION) -> tuple[Item, ...]:
    """The whole checklist in its order. Raises FileNotFoundError for a version there never was."""
    told = json.loads((_FOLDER / f"{checklist_version}.json").read_text(encoding="utf-8"))
    return tuple(Item(**item) for item in told["items"])


def items_for(version: Version, *, has_approved_before: bool) -> list[Item]:
    """What is to be checked of this version, by its type, its classification and what it says of itself."""
    return [item for item in every_item() if item.concerns(version, has_approved_before=has_approved_before)]


def cleaned(items: Sequence[Item], answers: Answers) -> list[dict[str, Any]]:
    """The answers as they are kept, in the checklist's order. Raises Invalid `wrong_answer`."""
    unknown = set(answers) - {item.id for item in items}
    if unknown:
        raise Invalid(_("This checklist does not ask “%(item)s”."), code="wrong_answer", item=min(unknown)[:40])
    kept = []
    for item in items:
        said = answers.get(item.id)
        if said is None or not said.get("answer"):
            continue
        answer = said["answer"]
        if answer not in ANSWERS:
            raise Invalid(
                _("“%(id)s” is answered %(known)s."), code="wrong_answer", id=item.id, known=", ".join(ANSWERS)
            )
        try:
            note = plain_text.cleaned(said.get("note", ""), LONGEST_NOTE)
        except plain_text.NotPlain as wrong:
            raise Invalid(_("The note on “%(id)s”: %(wrong)s"), code="wrong_answer", id=item.id, wrong=wrong) from None
        kept.append({"item": item.id, "answer": answer, "note": note})
    return kept


def unmet(items: Sequence[Item], kept: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """One reason for each required item that is not answered yes, nor not applicable with a note why."""
    said = {answer["item"]: answer for answer in kept}
    return [
        {
            "code": "checklist_" + ("unanswered" if item.id not in said else "not_met"),
            "field": item.id,
            "detail": item.text,
            "next": gettext("Answer yes, or not applicable with a note; else ask for changes or refuse."),
        }
        for item in items
        if item.is_required and not _is_met(said.get(item.id))
    ]


def _is_met(answer: Mapping[str, Any] | None) -> bool:
    if answer is None:
        return False
    return answer["answer"] == YES or (answer["answer"] == NOT_APPLICABLE and bool(answer["note"]))


def all_yes(items: Sequence[Item]) -> dict[str, dict[str, str]]:
    """Every item answered yes: what a reviewer of a clean case sends."""
    return {item.id: {"answer": YES, "note": ""} for item in items}
