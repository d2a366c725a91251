"""Review a submitted version by two different people, neither the submitter nor a member of the seller.

Every decision is kept as a row: who, when, why, by which version of the rules, and how the checklist was answered.

Locks go from the listing up: a command moves the review under its own lock and the version under the listing's,
which `listings.publishing` takes; every command here takes the review's lock first.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from compliance import checklists, clearance, exchange_rules, review_notices, review_questions, risk
from compliance.checklists import Answers
from compliance.models import Review, ReviewDecision
from compliance.reasons import SEND_BACK, require_reason
from compliance.states import REVIEW_MOVES, ReviewState
from compliance.verification import SamePerson
from listings import publishing
from listings.models import Listing, Version
from listings.states import VersionState
from marketplace import clock, joint_merchants, journal, roles, working_time
from marketplace.act_words import ACTS
from marketplace.errors import Refused, RoleNeeded, Text, WrongState, in_words
from marketplace.models import Organisation, User

A = ReviewDecision.Act


class ChecklistNotMet(Refused):
    """A required item of the checklist is not answered yes."""

    code = "checklist_not_met"
    status = 422
    says = _("A required item of the checklist is not answered yes.")
    next = _("Answer each required item, or ask for changes.")


class QuestionOpen(Refused):
    """A question to the seller waits for its answer."""

    code = "question_open"
    says = _("A question to the seller waits for its answer.")
    next = _("Wait for the answer, or withdraw the question.")


def left(version: Version) -> list[clearance.Reason]:
    """Everything for which `submit` would refuse this draft now, whoever hands it in; empty where it would not.

    Reasons about the manual name their `field`; those about the seller say what to do `next`.
    """
    return left_of([version], version.listing.seller)[version.pk]


def left_of(versions: list[Version], seller: Organisation) -> dict[int, list[clearance.Reason]]:
    """The same of several drafts of one seller, by their ids. A fixed number of statements."""
    about_seller = clearance.reasons_against_listing(seller) if versions else []
    about_manuals: Any = publishing.problems_of(versions)
    return {version.pk: [*about_seller, *about_manuals[version.pk]] for version in versions}


@transaction.atomic
def submit(version: Version, *, by: User) -> Review:
    """The seller hands a complete manual in for review; `left` tells beforehand what it would refuse.

    Raises RoleNeeded, NotCleared (the seller may not list, or a release is held), and what publishing.submit raises.
    """
    roles.require(by, version.listing.seller, "submit")
    clearance.require_listing(version.listing.seller)
    version = publishing.submit(version, by=by)
    now, hours = clock.now(), settings.REVIEW_TARGET_HOURS.get(version.classification, 0)
    review = Review.objects.create(
        version=version,
        submitted_by=by,
        opened_at=now,
        target_hours=hours,
        due_at=working_time.after(now, dt.timedelta(hours=hours)),
        **_weighed(version),
    )
    journal.record("review.opened", review, by=by, version=version.pk, listing=version.listing_id)
    return review


@transaction.atomic
def take(review: Review, *, by: User) -> Review:
    """One of the staff begins. Raises RoleNeeded, WrongState."""
    review = _locked(review, by)
    _require(review, "take")
    review.assignee = by
    for name, value in _weighed(review.version).items():  # offers may have changed since it was handed in
        setattr(review, name, value)
    publishing.take(review.version, by=by)
    return _move(review, "take", "review.taken", by, "assignee", "risk", "risk_points")


@transaction.atomic
def approve(review: Review, *, answers: Answers, by: User) -> Review:
    """The first approval waits for a second; the second approves the version, which is then registered.

    Each of the two answers the checklist. Raises RoleNeeded, WrongState, SamePerson, Invalid, ChecklistNotMet,
    QuestionOpen.
    """
    review = _locked(review, by)
    is_second = review.state == ReviewState.SECONDED
    if is_second and review.by_id == by.pk:
        raise SamePerson(_("You approved it already; a second person has to."))
    if not is_second:
        _require(review, "approve")
    if review.stands_still_since:
        raise QuestionOpen()
    items = checklist_of(review)
    kept = checklists.cleaned(items, answers)
    if unmet := checklists.unmet(items, kept):
        raise ChecklistNotMet(_("The checklist does not allow it yet: %(why)s"), reasons=unmet, why=unmet[0]["detail"])
    decision = _keep(review, A.APPROVE, by, kept)
    if not is_second:
        review.by, review.first_at = by, decision.decided_at
        return _move(review, "approve", "review.seconded", by, "by", "first_at")
    review.second_by, review.decided_at = by, decision.decided_at
    review = _move(review, "approve_second", "review.approved", by, "second_by", "decided_at")
    publishing.approve(review.version, by=by)
    review_notices.tell_of_decision(review)
    return review


def request_changes(
    review: Review, *, reason_code: str, reason: str, answers: Answers | None = None, by: User
) -> Review:
    """Send it back, in words the seller sees; the seller answers with a new draft.

    Raises RoleNeeded, WrongState, Invalid.
    """
    return _send_back(review, A.REQUEST_CHANGES, reason_code, reason, answers or {}, by)


def refuse(review: Review, *, reason_code: str, reason: str, answers: Answers | None = None, by: User) -> Review:
    """Refuse it, in words the seller sees. Raises RoleNeeded, WrongState, Invalid."""
    return _send_back(review, A.REFUSE, reason_code, reason, answers or {}, by)


@transaction.atomic
def _send_back(review: Review, act: str, reason_code: str, reason: str, answers: Answers, by: User) -> Review:
    review = _locked(review, by)
    _require(review, act)
    review.reason = require_reason(SEND_BACK[act], reason_code, reason)
    review.reason_code = reason_code
    kept = checklists.cleaned(checklist_of(review), answers)
    review_questions.close_open(review, by=by)
    review.decided_at = _keep(review, act, by, kept, reason_code=reason_code, reason=review.reason).decided_at
    if review.by_id is None:
        review.by = by
    elif review.by_id != by.pk:
        review.second_by = by
    event = "review.changes_requested" if act == A.REQUEST_CHANGES else "review.refused"
    review = _move(review, act, event, by, "by", "second_by", "decided_at", "reason", "reason_code")
    (publishing.request_changes if act == A.REQUEST_CHANGES else publishing.refuse)(review.version, by=by)
    review_notices.tell_of_decision(review)
    return review


@transaction.atomic
def take_back(review: Review, *, by: User) -> Review:
    """The seller takes the version out of review before it is decided; a new draft may follow.

    Raises RoleNeeded, WrongState.
    """
    roles.require(by, review.version.listing.seller, "submit")
    review = _select(review)
    _require(review, "take_back")
    return _take_back(review, by)


@transaction.atomic
def close_withdrawn(listing: Listing, *, by: User) -> Review | None:
    """The seller's `by` withdrew the product: its review that is not decided leaves the queue, for that reason.

    Safe to call twice. Answers None where there is none.
    """
    undecided = [state for state, acts in REVIEW_MOVES.items() if "take_back" in acts]
    waiting = Review.objects.filter(version__listing=listing, state__in=undecided).first()
    review = _select(waiting) if waiting else None
    if review is None or review.state not in undecided:
        return None
    return _take_back(review, by, reason_code="product_withdrawn", reason=listing.reason)


def _take_back(review: Review, by: User, **reason: str) -> Review:
    review_questions.close_open(review, by=by)
    review.decided_at = _keep(review, A.TAKE_BACK, by, [], **reason).decided_at
    for name, value in reason.items():
        setattr(review, name, value)
    review = _move(review, "take_back", "review.taken_back", by, "decided_at", *reason)
    publishing.take_back(review.version, by=by)
    return review


def checklist_of(review: Review) -> list[checklists.Item]:
    """What is to be checked of its version. One statement."""
    version = review.version
    before = version.listing.versions.filter(state=VersionState.APPROVED, number__lt=version.number)
    return checklists.items_for(version, has_approved_before=before.exists())


def _weighed(version: Version) -> dict[str, Any]:
    """The columns of a review that say how much care it needs."""
    reasons = risk.weigh(risk.facts_of(version))
    return {"risk": reasons, "risk_points": risk.points(reasons)}


def _keep(review: Review, act: str, by: User, answers: list[dict[str, Any]], **reason: str) -> ReviewDecision:
    """The row that says who decided what, when, why and by which rules."""
    return ReviewDecision.objects.create(
        review=review,
        act=act,
        by=by,
        decided_at=clock.now(),
        rules_version=exchange_rules.CURRENT_VERSION,
        checklist_version=checklists.CURRENT_VERSION,
        answers=answers,
        **reason,
    )


def possible_acts(review: Review, by: User) -> list[str]:
    """What this person can do with it now: take, approve, request_changes, refuse."""
    if not roles.staff_may(by, "review") or _why_not_impartial(review, by):
        return []
    acts = [act for act in REVIEW_MOVES[review.state] if act not in ("approve_second", "take_back")]
    if review.state == ReviewState.SECONDED and review.by_id != by.pk:
        acts.insert(0, "approve")
    return acts


def is_impartial(review: Review, by: User) -> bool:
    """Whether this person neither submitted the version nor belongs or belonged to its seller."""
    return _why_not_impartial(review, by) is None


def _locked(review: Review, by: User) -> Review:
    """The review, locked, for one of the staff who is impartial."""
    roles.require_staff(by, "review")
    review = _select(review)
    if why := _why_not_impartial(review, by):
        raise RoleNeeded(why[1], code=why[0], next=_("Let a colleague review it."))
    return review


def _select(review: Review) -> Review:
    parts = ("version__listing__seller", "version__release__profile")
    return Review.objects.select_for_update(of=("self",)).select_related(*parts).get(pk=review.pk)


def _why_not_impartial(review: Review, by: User) -> tuple[str, Text] | None:
    if review.submitted_by_id == by.pk:
        return "own_submission", _("Nobody reviews what they submitted.")
    if joint_merchants.has_interest(by, review.version.listing.seller_id):
        return "own_organisation", _("Nobody reviews a product of an organisation they belong or belonged to.")
    return None


def _require(review: Review, act: str) -> None:
    if act not in REVIEW_MOVES[review.state]:
        raise WrongState(
            _("This review is “%(state)s”; “%(act)s” is not possible now."),
            state=in_words(ReviewState(review.state).label),
            act=ACTS[act],
        )


def _move(review: Review, act: str, event: str, by: User, *changed: str) -> Review:
    review.state = REVIEW_MOVES[review.state][act]
    review.save(update_fields=["state", *changed])
    journal.record(event, review, by=by, version=review.version_id, reason_code=review.reason_code)
    return review
