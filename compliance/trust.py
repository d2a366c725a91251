"""Why one may trust a product: its review, its certificates, and everything that happened to it, told to outsiders.

Reasons the staff wrote, and who did what, are not told: they are for those they concern.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from compliance.models import Hold, ReviewDecision
from listings import register
from listings.models import Listing, Registration, Version
from listings.register import Happened
from marketplace import paper_words

MOST_SHOWN = 30
# Entries of a history that are no good news, by their code.
TROUBLES = {"objection", "objection_upheld", "suspended", "withdrawn", "held"}


@dataclass(frozen=True)
class Trust:
    """What stands in a product's block of trust; the newest of its history first."""

    approval: Any  # None, or {decided_at, rules_version, checklist_version}
    papers: list[dict[str, Any]]
    history: list[dict[str, Any]]

    @property
    def troubles(self) -> int:
        """How many entries of the history are no good news."""
        return sum(one["is_trouble"] for one in self.history)


def of(listing: Listing, version: Version, registration: Registration | None) -> Trust:
    """Seven statements, however long the history is. Expects the registration's version and its listing."""
    approvals = ReviewDecision.objects.filter(review__version=version, act=ReviewDecision.Act.APPROVE)
    approval = approvals.order_by("-pk").values("decided_at", "rules_version", "checklist_version").first()
    if registration is None:
        return Trust(approval, [], [])
    said = paper_words.words(paper_words.language_of(get_language()))
    papers = [{"paper": paper, "kind": said[f"title_{paper.kind}"]} for paper in register.certificates(registration)]
    return Trust(approval, papers, history(listing, registration))


def history(listing: Listing, registration: Registration) -> list[dict[str, Any]]:
    """What happened to the product, the newest first, at most MOST_SHOWN entries."""
    happened = [*register.history(registration), *_releases(listing), *_holds(listing)]
    newest = sorted(happened, key=lambda one: one.at, reverse=True)[:MOST_SHOWN]
    return [
        {"at": one.at, "label": one.label, "note": one.number, "is_trouble": one.code in TROUBLES} for one in newest
    ]


def _releases(listing: Listing) -> list[Happened]:
    """Approved versions that brought another release than the version before them."""
    approved = Version.objects.filter(listing=listing, approved_at__isnull=False).order_by("number")
    told, before = [], None
    for release, label, approved_at in approved.values_list("release", "release__label", "approved_at"):
        if release != before and approved_at is not None:
            told.append(Happened(approved_at, "release", _("A release passed its review"), label or ""))
        before = release
    return told[-MOST_SHOWN:]


def _holds(listing: Listing) -> list[Happened]:
    """When the exchange stopped trades of this product to look into something, and when it let them go on."""
    holds = Hold.objects.filter(subject_kind=Hold.Subject.LISTING, subject_id=listing.pk).order_by("-pk")[:MOST_SHOWN]
    told = []
    for hold in holds:
        told.append(Happened(hold.placed_at, "held", _("The exchange stopped trades to examine something"), ""))
        if hold.lifted_at is not None:
            told.append(Happened(hold.lifted_at, "released", _("Trades go on after the examination"), ""))
    return told
