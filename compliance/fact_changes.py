"""Changes of verified facts, decided by the staff: one person, or two where they concern who the organisation is."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from compliance.dossier_models import Section
from compliance.models import DossierSection, FactChange, Verification
from compliance.reasons import require_sentence
from compliance.verification import SamePerson, claim_number
from listings import shelf
from marketplace import clock, joint_merchants, journal, participants, roles
from marketplace.errors import RoleNeeded, WrongState
from marketplace.models import Organisation, User


@transaction.atomic
def confirm(change: FactChange, *, by: User) -> FactChange:
    """Confirm a change; where it takes two, the first word waits for the second. Then the facts become the new ones.

    Raises RoleNeeded, SamePerson, NumberTaken, WrongState.
    """
    change = _locked(change, by)
    if change.takes_two and change.by_id is None:
        change.by, change.first_at = by, clock.now()
        change.save(update_fields=["by", "first_at"])
        journal.record("facts.change_seconded", change.organisation, by=by, change=change.pk, section=change.section)
        return change
    if change.by_id == by.pk:
        raise SamePerson()
    now = clock.now()
    if change.takes_two:
        change.second_by = by
    else:
        change.by, change.first_at = by, now
    change.decided_at, change.outcome = now, FactChange.Outcome.CONFIRMED
    change.save(update_fields=["by", "first_at", "second_by", "decided_at", "outcome"])
    _apply(change, by)
    journal.record("facts.changed", change.organisation, by=by, change=change.pk, section=change.section)
    return change


@transaction.atomic
def refuse(change: FactChange, *, reason: str, by: User) -> FactChange:
    """Refuse a change with a reason its owner reads; the facts stand. Raises RoleNeeded, Invalid, WrongState."""
    reason = require_sentence(reason)
    change = _locked(change, by)
    if change.by_id is None:
        change.by, change.first_at = by, clock.now()
    elif change.by_id != by.pk:
        change.second_by = by
    change.decided_at, change.outcome, change.reason = clock.now(), FactChange.Outcome.REFUSED, reason
    change.save(update_fields=["by", "first_at", "second_by", "decided_at", "outcome", "reason"])
    journal.record("facts.change_refused", change.organisation, by=by, change=change.pk, section=change.section)
    return change


@transaction.atomic
def withdraw(change: FactChange, *, by: User) -> FactChange:
    """An owner takes the asked change back. Raises RoleNeeded, WrongState."""
    roles.require(by, change.organisation, "apply")
    change = _open(change)
    change.decided_at, change.outcome = clock.now(), FactChange.Outcome.WITHDRAWN
    change.save(update_fields=["decided_at", "outcome"])
    journal.record("facts.change_withdrawn", change.organisation, by=by, change=change.pk, section=change.section)
    return change


def _apply(change: FactChange, by: User) -> None:
    """The facts become what was confirmed; the database compares them with the change."""
    if change.section == Section.IDENTITY:
        claim_number(participants.write_facts(change.organisation, change.after, by=by))
        shelf.put_all_of(change.organisation)
        return
    DossierSection.objects.update_or_create(
        organisation=change.organisation,
        section=change.section,
        defaults={"facts": change.after, "saved_by": change.asked_by, "saved_at": clock.now()},
    )


def _locked(change: FactChange, by: User) -> FactChange:
    """The open change with its organisation and standing locked, for one of the staff who may decide on it."""
    roles.require_staff(by, "vet")
    if joint_merchants.has_interest(by, change.organisation_id):
        raise RoleNeeded(
            _("Nobody decides on an organisation they belong or belonged to."),
            code="own_organisation",
            next=_("Let a colleague who does not decide."),
        )
    Organisation.objects.select_for_update(no_key=True).get(pk=change.organisation_id)
    Verification.objects.select_for_update().filter(organisation=change.organisation_id).first()
    return _open(change)


def _open(change: FactChange) -> FactChange:
    change = (
        FactChange.objects.select_for_update(of=("self",)).select_related("organisation", "asked_by").get(pk=change.pk)
    )
    if change.outcome:
        raise WrongState(_("This change was decided on or withdrawn already."))
    return change
