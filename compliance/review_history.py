"""What happened to a product at its reviews, as one thread; and what is known of its seller."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Max, Q
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from compliance import checklists, reasons
from compliance.manual_shown import FIELD_LABELS
from compliance.models import Hold, Review, ReviewDecision, ReviewNote, ReviewQuestion, Verification
from compliance.states import ReviewState
from listings.models import Listing
from listings.states import ListingState
from marketplace.models import Organisation

MOST_ENTRIES = 200


@dataclass(frozen=True)
class Entry:
    """One thing that happened; what `is_internal` the seller never sees."""

    kind: str
    at: dt.datetime
    by: str
    title: str
    version: int
    text: str = ""
    code: str = ""
    facts: str = ""
    answers: list[dict[str, Any]] = field(default_factory=list)
    is_internal: bool = False


def thread(listing: Listing, *, with_notes: bool) -> list[Entry]:
    """Submissions, decisions, questions and answers of every version, the newest first. Four statements."""
    reviews = Review.objects.filter(version__listing=listing).select_related("submitted_by", "version")
    entries = [
        Entry("submitted", one.opened_at, str(one.submitted_by), pgettext("event", "Handed in"), one.version.number)
        for one in reviews.only("opened_at", "submitted_by", "version__number").order_by("-pk")[:MOST_ENTRIES]
    ]
    of_listing = {"review__version__listing": listing}
    for decision in _newest(ReviewDecision.objects.filter(**of_listing), "by"):
        entries.append(_of_decision(decision))
    for question in _newest(ReviewQuestion.objects.filter(**of_listing), "asked_by", "answered_by", "withdrawn_by"):
        entries += _of_question(question)
    if with_notes:
        for note in _newest(ReviewNote.objects.filter(**of_listing), "by"):
            number = note.review.version.number
            entries.append(Entry("note", note.at, str(note.by), _("Note"), number, note.text, is_internal=True))
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:MOST_ENTRIES]


def _newest(rows: Any, *people: str) -> Any:
    rows = rows.select_related("review__version", *people).only(
        *(name.name for name in rows.model._meta.concrete_fields), "review__version__number", *people
    )
    return rows.order_by("-pk")[:MOST_ENTRIES]


def _of_decision(decision: ReviewDecision) -> Entry:
    versions = [decision.rules_version, decision.checklist_version]
    said = {"rules": versions[0], "checklist": versions[1]}
    facts = _("rules %(rules)s · checklist %(checklist)s") % said if all(versions) else ""
    return Entry(
        decision.act,
        decision.decided_at,
        str(decision.by),
        decision.get_act_display(),
        decision.review.version.number,
        decision.reason,
        reasons.label(decision.act, decision.reason_code),
        facts,
        answered(decision),
    )


def answered(decision: ReviewDecision) -> list[dict[str, Any]]:
    """The checklist as it was answered, each item in the words of its version."""
    if not decision.answers:
        return []
    asks = {item.id: item.text for item in checklists.every_item(decision.checklist_version)}
    return [one | {"text": asks.get(one["item"], one["item"])} for one in decision.answers]


def _of_question(question: ReviewQuestion) -> list[Entry]:
    number, about = question.review.version.number, str(FIELD_LABELS.get(question.field, question.field))
    asked = Entry(
        "question", question.asked_at, str(question.asked_by), _("Question"), number, question.question, about
    )
    if question.answered_at:
        by = str(question.answered_by)
        return [asked, Entry("answer", question.answered_at, by, _("Answer"), number, question.answer, about)]
    if question.withdrawn_at:
        by = str(question.withdrawn_by)
        return [asked, Entry("withdrawn", question.withdrawn_at, by, _("Question withdrawn"), number, "", about)]
    return [asked]


@dataclass(frozen=True)
class Standing:
    """What the exchange knows of a seller: where it stands, what it lists, how its versions fared, and its holds."""

    verification: Verification | None
    is_held: bool
    listed: int
    suspended: int
    approved: int
    sent_back: int
    refused: int
    holds: int
    last_decided_at: dt.datetime | None


def standing(seller: Organisation) -> Standing:
    """Four statements, whatever the seller's size."""
    listings = Listing.objects.filter(seller=seller).aggregate(
        listed=Count("pk", filter=Q(state=ListingState.LISTED)),
        suspended=Count("pk", filter=Q(state=ListingState.SUSPENDED)),
    )
    fared = Review.objects.filter(version__listing__seller=seller).aggregate(
        approved=Count("pk", filter=Q(state=ReviewState.APPROVED)),
        sent_back=Count("pk", filter=Q(state=ReviewState.CHANGES_REQUESTED)),
        refused=Count("pk", filter=Q(state=ReviewState.REFUSED)),
        last_decided_at=Max("decided_at"),
    )
    on_seller = Q(subject_kind=Hold.Subject.ORGANISATION, subject_id=seller.pk)
    on_product = Q(subject_kind=Hold.Subject.LISTING, subject_id__in=Listing.objects.filter(seller=seller).values("pk"))
    holds = Hold.objects.filter(on_seller | on_product).aggregate(
        holds=Count("pk"), open=Count("pk", filter=on_seller & Q(lifted_at=None))
    )
    return Standing(
        verification=Verification.objects.filter(organisation=seller).first(),
        is_held=bool(holds["open"]),
        holds=holds["holds"],
        **listings,
        **fared,
    )
