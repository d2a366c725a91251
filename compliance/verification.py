"""Vet an organisation: it applies; the staff ask for more, approve, refuse, suspend, reinstate, expel.

Approving and expelling take two different people, neither of whom has ever belonged to the organisation. Each
command locks the verification first.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from compliance import dossier, exchange_rules, joint_members
from compliance.models import TWO_PERSON_ACTS, Decision, RulesAcceptance, Verification
from compliance.reasons import require_reason
from compliance.states import VERIFICATION_MOVES, VerificationState
from marketplace import clock, joint_merchants, journal, participants, roles
from marketplace.act_words import ACTS
from marketplace.errors import Invalid, Refused, RoleNeeded, WrongState, in_words
from marketplace.models import Organisation, User

PROPOSED = {"approve": "organisation.approval_proposed", "expel": "organisation.expulsion_proposed"}
DECIDED = {
    "request_more": "organisation.more_requested",
    "approve": "organisation.verified",
    "refuse": "organisation.refused",
    "suspend": "organisation.suspended",
    "reinstate": "organisation.reinstated",
    "expel": "organisation.expelled",
}
MAY_CORRECT = (None, VerificationState.MORE_REQUESTED, VerificationState.REFUSED)


class SamePerson(Refused):
    """This takes two different people."""

    code = "same_person"
    status = 403
    says = _("This takes two different people.")
    next = _("Ask a colleague to confirm it.")


class NumberTaken(Refused):
    """Another member was verified under this registration number."""

    code = "number_taken"
    says = _("Another member was verified under this registration number.")
    next = _("Ask one of its owners to invite you; if you know none, write to the exchange.")


# --- the organisation's side ---------------------------------------------------------------------------------------


@transaction.atomic
def apply(organisation: Organisation, *, rules_version: str, by: User) -> Verification:
    """An owner applies, or applies again, and accepts the exchange's rules for the organisation.

    Raises RoleNeeded, Invalid `rules_outdated` or `application_incomplete`, NumberTaken, WrongState.
    """
    organisation = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    roles.require(by, organisation, "apply")
    if rules_version != exchange_rules.CURRENT_VERSION:
        raise Invalid(
            _("The rules in force are version %(current_version)s."),
            code="rules_outdated",
            next=_("Read them and accept that version."),
            current_version=exchange_rules.CURRENT_VERSION,
        )
    verification = Verification.objects.select_for_update().filter(organisation=organisation).first()
    if verification is not None:
        _require_possible(verification, "apply")
    dossier.require_complete(organisation)
    _require_number_free(organisation)
    if verification is None:
        verification = Verification.objects.create(organisation=organisation)
    else:
        verification.applied_at = clock.now()
        _move(verification, "apply", verification.applied_at)
    digest = exchange_rules.digest(rules_version)
    RulesAcceptance.objects.create(organisation=organisation, by=by, rules_version=rules_version, rules_digest=digest)
    journal.record("organisation.applied", organisation, by=by, rules_version=rules_version, rules_digest=digest)
    return verification


@transaction.atomic
def correct(organisation: Organisation, *, by: User, **facts: Any) -> Organisation:
    """Correct what the organisation says of itself, before it applies or where it was asked to.

    `facts` are those of participants.register_organisation. Raises RoleNeeded, Invalid, WrongState.
    """
    verification = Verification.objects.select_for_update().filter(organisation=organisation).first()
    state = verification.state if verification else None
    if state not in MAY_CORRECT:
        roles.require(by, organisation, "apply")
        raise WrongState(
            _("These facts are being vetted, or were verified, as they are."),
            code="facts_are_vetted",
            next=_("Write to the exchange; it asks you for the correction and vets it."),
        )
    return participants.correct(organisation, by=by, **facts)


# --- the staff's side: one person ----------------------------------------------------------------------------------


def request_more(verification: Verification, *, reason_code: str, reason: str, by: User) -> Verification:
    """Ask the applicant for more; it answers by applying again. Raises RoleNeeded, WrongState, Invalid."""
    return _decide_alone(verification, "request_more", reason_code, reason, by)


def refuse(verification: Verification, *, reason_code: str, reason: str, by: User) -> Verification:
    """Refuse the applicant; it may apply again. Raises RoleNeeded, WrongState, Invalid."""
    return _decide_alone(verification, "refuse", reason_code, reason, by)


def suspend(verification: Verification, *, reason_code: str, reason: str, by: User) -> Verification:
    """Suspend a member: from now on it counts as held. Raises RoleNeeded, WrongState, Invalid."""
    return _decide_alone(verification, "suspend", reason_code, reason, by)


def reinstate(verification: Verification, *, reason_code: str, reason: str, by: User) -> Verification:
    """End a suspension. Raises RoleNeeded, WrongState, Invalid, MembersNotReady."""
    return _decide_alone(verification, "reinstate", reason_code, reason, by)


@transaction.atomic
def _decide_alone(verification: Verification, act: str, reason_code: str, reason: str, by: User) -> Verification:
    verification = _locked(verification, act, by)
    reason = require_reason(act, reason_code, reason)
    if act == "reinstate":
        joint_members.require_ready(verification.organisation)
    _drop_pending(verification)
    now = clock.now()
    decision = Decision.objects.create(
        verification=verification,
        act=act,
        reason_code=reason_code,
        reason=reason,
        by=by,
        proposed_at=now,
        decided_at=now,
    )
    _move(verification, act, now)
    journal.record(DECIDED[act], verification.organisation, by=by, decision=decision.pk, reason_code=reason_code)
    return verification


# --- the staff's side: two persons ---------------------------------------------------------------------------------


@transaction.atomic
def propose(verification: Verification, act: str, *, reason_code: str, reason: str, by: User) -> Decision:
    """The first of two says `approve` or `expel`; nothing moves until another confirms.

    Raises RoleNeeded, WrongState, Invalid, NumberTaken, MembersNotReady, Refused `decision_pending`.
    """
    if act not in TWO_PERSON_ACTS:
        raise Invalid(_("Two persons decide on: %(known)s."), code="no_such_act", known=", ".join(TWO_PERSON_ACTS))
    verification = _locked(verification, act, by)
    reason = require_reason(act, reason_code, reason)
    if act == "approve":
        _require_number_free(verification.organisation)
        joint_members.require_ready(verification.organisation)
    if _pending(verification).exists():
        raise Refused(
            _("A decision on this organisation waits for its second person."),
            code="decision_pending",
            next=_("Confirm it or drop it first."),
        )
    decision = Decision.objects.create(
        verification=verification, act=act, reason_code=reason_code, reason=reason, by=by
    )
    journal.record(PROPOSED[act], verification.organisation, by=by, decision=decision.pk, reason_code=reason_code)
    return decision


@transaction.atomic
def confirm(decision: Decision, *, by: User) -> Decision:
    """The second of two confirms: the organisation is verified, or expelled.

    Raises RoleNeeded, SamePerson, NumberTaken, MembersNotReady, WrongState.
    """
    verification = _locked(decision.verification, decision.act, by)
    decision = _require_pending(decision)
    if decision.by_id == by.pk:
        raise SamePerson()
    decision.verification = verification
    now = clock.now()
    decision.second_by, decision.decided_at = by, now
    decision.save(update_fields=["second_by", "decided_at"])
    if decision.act == "approve":
        joint_members.require_ready(verification.organisation)
        claim_number(verification.organisation)
    _move(verification, decision.act, now)
    journal.record(
        DECIDED[decision.act],
        verification.organisation,
        by=by,
        decision=decision.pk,
        reason_code=decision.reason_code,
        first_by=decision.by_id,
    )
    return decision


@transaction.atomic
def drop(decision: Decision, *, by: User) -> Decision:
    """One of the staff drops a decision that waits for its second person. Raises RoleNeeded, WrongState."""
    roles.require_staff(by, "vet")
    verification = (
        Verification.objects.select_for_update().select_related("organisation").get(pk=decision.verification_id)
    )
    decision = _require_pending(decision)
    decision.dropped_at = clock.now()
    decision.save(update_fields=["dropped_at"])
    journal.record("decision.dropped", verification.organisation, by=by, decision=decision.pk, act=decision.act)
    return decision


def possible_acts(verification: Verification) -> list[str]:
    """What the staff can do with it now, by the map of moves; the applicant's own act left out."""
    return [act for act in VERIFICATION_MOVES[verification.state] if act != "apply"]


def pending_decision(verification: Verification) -> Decision | None:
    """The decision that waits for its second person."""
    return _pending(verification).select_related("by").first()


# --- the registration number ---------------------------------------------------------------------------------------


def others_with_number(organisation: Organisation) -> QuerySet[Organisation]:
    """Others that entered the same registration number, whoever it belongs to."""
    same = Organisation.objects.filter(
        number_kind=organisation.number_kind, registration_number=organisation.registration_number
    )
    return same.exclude(pk=organisation.pk).select_related("verification").order_by("pk")


def claim_number(organisation: Organisation) -> None:
    """From now on no other is verified under this organisation's number. Raises NumberTaken."""
    try:
        with transaction.atomic():
            Verification.objects.filter(organisation=organisation).update(number_claim=_claim(organisation))
    except IntegrityError as clash:
        if "one_member_per_registration_number" not in str(clash):
            raise
        raise NumberTaken() from clash


def _claim(organisation: Organisation) -> str:
    return f"{organisation.number_kind} {organisation.registration_number}"


def _require_number_free(organisation: Organisation) -> None:
    taken = Verification.objects.filter(number_claim=_claim(organisation)).exclude(organisation=organisation)
    if taken.exists():
        raise NumberTaken()


# --- what they share -----------------------------------------------------------------------------------------------


def _locked(verification: Verification, act: str, by: User) -> Verification:
    """The verification, locked, for one of the staff who may decide on it now."""
    roles.require_staff(by, "vet")
    verification = (
        Verification.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=verification.pk)
    )
    if joint_merchants.has_interest(by, verification.organisation_id):
        raise RoleNeeded(
            _("Nobody decides on an organisation they belong or belonged to."),
            code="own_organisation",
            next=_("Let a colleague who does not decide."),
        )
    _require_possible(verification, act)
    return verification


def _require_possible(verification: Verification, act: str) -> None:
    if act not in VERIFICATION_MOVES[verification.state]:
        raise WrongState(
            _("This organisation is %(state)s; “%(act)s” is not possible now."),
            state=in_words(VerificationState(verification.state).label),
            act=ACTS[act],
        )


def _move(verification: Verification, act: str, at: dt.datetime) -> None:
    """`at` is when it was decided; the database compares it with the decision of two persons."""
    verification.state = VERIFICATION_MOVES[verification.state][act]
    verification.changed_at = at
    verification.save(update_fields=["state", "changed_at", "applied_at"])


def _pending(verification: Verification) -> QuerySet[Decision]:
    return Decision.objects.filter(verification=verification, decided_at=None, dropped_at=None)


def _require_pending(decision: Decision) -> Decision:
    decision = Decision.objects.get(pk=decision.pk)
    if decision.decided_at or decision.dropped_at:
        raise WrongState(_("This decision was confirmed or dropped already."))
    return decision


def _drop_pending(verification: Verification) -> None:
    """Another decision overtakes the one that waited."""
    _pending(verification).update(dropped_at=clock.now())
