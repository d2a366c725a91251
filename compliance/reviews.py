"""Review a submitted version by two different people, neither the submitter nor a member of the seller.

Locks go from the listing up: a command moves the review under its own lock and the version under the listing's,
which `listings.publishing` takes; every command here takes the review's lock first.
"""

from __future__ import annotations

from django.db import transaction

from compliance import clearance
from compliance.models import Review
from compliance.reasons import require_reason
from compliance.states import REVIEW_MOVES, ReviewState
from compliance.verification import SamePerson
from listings import publishing
from listings.models import Version
from marketplace import clock, journal, roles
from marketplace.errors import RoleNeeded, WrongState
from marketplace.models import Membership, User

IN_HAND = (ReviewState.TAKEN, ReviewState.SECONDED)


@transaction.atomic
def submit(version: Version, *, by: User) -> Review:
    """The seller hands a complete manual in for review.

    Raises RoleNeeded, NotCleared (the seller may not list, or a release is held), and what publishing.submit raises.
    """
    roles.require(by, version.listing.seller, "submit")
    clearance.require_listing(version.listing.seller)
    version = publishing.submit(version, by=by)
    review = Review.objects.create(version=version, submitted_by=by)
    journal.record("review.opened", review, by=by, version=version.pk, listing=version.listing_id)
    return review


@transaction.atomic
def take(review: Review, *, by: User) -> Review:
    """One of the staff begins. Raises RoleNeeded, WrongState."""
    review = _locked(review, by)
    _require(review, "take")
    review.assignee = by
    publishing.take(review.version, by=by)
    return _move(review, "take", "review.taken", by, "assignee")


@transaction.atomic
def approve(review: Review, *, by: User) -> Review:
    """The first approval waits for a second; the second approves the version, which is then registered.

    Raises RoleNeeded, WrongState, SamePerson.
    """
    review = _locked(review, by)
    if review.state == ReviewState.SECONDED:
        if review.by_id == by.pk:
            raise SamePerson("You approved it already; a second person has to.")
        review.second_by, review.decided_at = by, clock.now()
        review = _move(review, "approve_second", "review.approved", by, "second_by", "decided_at")
        publishing.approve(review.version, by=by)
        return review
    _require(review, "approve")
    review.by, review.first_at = by, clock.now()
    return _move(review, "approve", "review.seconded", by, "by", "first_at")


def request_changes(review: Review, *, reason_code: str, reason: str, by: User) -> Review:
    """Send it back, in words the seller sees; the seller answers with a new draft.

    Raises RoleNeeded, WrongState, Invalid.
    """
    return _send_back(review, "request_changes", "request_changes", reason_code, reason, by)


def refuse(review: Review, *, reason_code: str, reason: str, by: User) -> Review:
    """Refuse it, in words the seller sees. Raises RoleNeeded, WrongState, Invalid."""
    return _send_back(review, "refuse", "refuse_version", reason_code, reason, by)


@transaction.atomic
def _send_back(review: Review, act: str, reasons: str, reason_code: str, reason: str, by: User) -> Review:
    review = _locked(review, by)
    _require(review, act)
    review.reason = require_reason(reasons, reason_code, reason)
    review.reason_code = reason_code
    review.decided_at = clock.now()
    if review.by_id is None:
        review.by = by
    elif review.by_id != by.pk:
        review.second_by = by
    event = "review.changes_requested" if act == "request_changes" else "review.refused"
    review = _move(review, act, event, by, "by", "second_by", "decided_at", "reason", "reason_code")
    (publishing.request_changes if act == "request_changes" else publishing.refuse)(review.version, by=by)
    return review


def possible_acts(review: Review, by: User) -> list[str]:
    """What this person can do with it now: take, approve, request_changes, refuse."""
    if not roles.staff_may(by, "review") or _why_not_impartial(review, by):
        return []
    acts = [act for act in REVIEW_MOVES[review.state] if act != "approve_second"]
    if review.state == ReviewState.SECONDED and review.by_id != by.pk:
        acts.insert(0, "approve")
    return acts


def _locked(review: Review, by: User) -> Review:
    """The review, locked, for one of the staff who is impartial."""
    roles.require_staff(by, "review")
    review = Review.objects.select_for_update(of=("self",)).select_related("version__listing__seller").get(pk=review.pk)
    if why := _why_not_impartial(review, by):
        raise RoleNeeded(why[1], code=why[0], next="Let a colleague review it.")
    return review


def _why_not_impartial(review: Review, by: User) -> tuple[str, str] | None:
    if review.submitted_by_id == by.pk:
        return "own_submission", "Nobody reviews what they submitted."
    if Membership.objects.filter(user=by, organisation=review.version.listing.seller_id).exists():
        return "own_organisation", "Nobody reviews a product of an organisation they belong or belonged to."
    return None


def _require(review: Review, act: str) -> None:
    if act not in REVIEW_MOVES[review.state]:
        state = review.get_state_display().lower()
        raise WrongState(f"This review is “{state}”; “{act.replace('_', ' ')}” is not possible now.")


def _move(review: Review, act: str, event: str, by: User, *changed: str) -> Review:
    review.state = REVIEW_MOVES[review.state][act]
    review.save(update_fields=["state", *changed])
    journal.record(event, review, by=by, version=review.version_id, reason_code=review.reason_code)
    return review
