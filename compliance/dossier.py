"""What an organisation tells of itself to be vetted: saved section by section, and once it is verified asked to change.

Before it applies, and where it was asked for more, an owner saves sections as they like. What the exchange has verified
stays as it is until the staff confirm the change (`compliance.fact_changes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from compliance import declaration_text, dossier_facts
from compliance.dossier_models import Section
from compliance.models import Declaration, DossierSection, FactChange, Verification
from compliance.states import VerificationState
from marketplace import clock, journal, organisation_facts, participants, roles
from marketplace.errors import Invalid, Refused, WrongState
from marketplace.models import Organisation, User

MAY_WRITE = (None, VerificationState.MORE_REQUESTED, VerificationState.REFUSED)
MAY_ASK = (VerificationState.VERIFIED, VerificationState.SUSPENDED)
LONGEST_RELATED_CHARACTERS = 2000


def facts_of(organisation: Organisation) -> dict[str, dict[str, Any]]:
    """All sections as they stand, identity first; a section nobody wrote is empty. One statement."""
    saved = dict(DossierSection.objects.filter(organisation=organisation).values_list("section", "facts"))
    told = {section: dossier_facts.EMPTY[section] | saved.get(section, {}) for section in dossier_facts.EMPTY}
    return {Section.IDENTITY.value: _identity(organisation)} | {str(section): facts for section, facts in told.items()}


def _identity(organisation: Organisation) -> dict[str, Any]:
    return {field: getattr(organisation, field) for field in organisation_facts.FIELDS}


def missing(organisation: Organisation) -> list[dict[str, str]]:
    """What must be told before the organisation can apply, each with its section. Three statements at most."""
    facts = facts_of(organisation)
    colon = pgettext("after a word, before what is said of it", ": ")
    found = [
        {
            "code": "missing",
            "field": f"{section}.{field}",
            "detail": f"{Section(section).label}{colon}{dossier_facts.LABELS[field]}",
            "next": gettext("Fill it in on the page “Apply”."),
        }
        for section in dossier_facts.EMPTY
        for field in dossier_facts.lacks(section, facts[section])
    ]
    if not _is_declared(organisation):
        found.append(
            {
                "code": "missing",
                "field": "declaration",
                "detail": gettext("The declaration on sanctions and related parties"),
                "next": gettext("Read it and declare it on the page “Apply”."),
            }
        )
    return found


def _is_declared(organisation: Organisation) -> bool:
    current = declaration_text.CURRENT_VERSION
    return Declaration.objects.filter(organisation=organisation, text_version=current).exists()


def require_complete(organisation: Organisation) -> None:
    """Raises Invalid `application_incomplete` with everything that is missing."""
    if reasons := missing(organisation):
        raise Invalid(
            _("%(reasons_given)s things are missing before the organisation can apply."),
            code="application_incomplete",
            next=_("Fill in what is named, then apply."),
            reasons=reasons,
            reasons_given=len(reasons),
        )


@transaction.atomic
def tell(organisation: Organisation, section: str, facts: Mapping[str, Any], *, by: User) -> FactChange | None:
    """Save a section; where the exchange has verified it, ask for the change instead and give what was asked.

    Raises RoleNeeded, Invalid, WrongState `facts_are_vetted`, Refused `change_pending`.
    """
    organisation = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    roles.require(by, organisation, "apply")
    state = Verification.objects.filter(organisation=organisation).values_list("state", flat=True).first()
    if state in MAY_WRITE:
        _write(organisation, section, facts, by)
        return None
    if state not in MAY_ASK:
        raise WrongState(
            _("These facts are being vetted as they are."),
            code="facts_are_vetted",
            next=_("Wait for the exchange's answer; then the facts can be changed again."),
        )
    return _ask(organisation, section, facts, by)


def _write(organisation: Organisation, section: str, facts: Mapping[str, Any], by: User) -> None:
    if section == Section.IDENTITY:
        participants.correct(organisation, by=by, **_whole_identity(facts))
        return
    kept = dossier_facts.checked(section, facts)
    row = DossierSection.objects.filter(organisation=organisation, section=section).first()
    if row is not None and row.facts == kept:
        return
    DossierSection.objects.update_or_create(
        organisation=organisation,
        section=section,
        defaults={"facts": kept, "saved_by": by, "saved_at": clock.now()},
    )
    journal.record("organisation.described", organisation, by=by, section=section)


def _whole_identity(facts: Mapping[str, Any]) -> dict[str, Any]:
    absent = [field for field in organisation_facts.FIELDS if field not in facts]
    if absent:
        needed = gettext("This is needed.")
        reasons = [{"code": "required", "field": field, "detail": needed, "next": ""} for field in absent]
        raise Invalid(_("Some facts about the organisation are missing."), reasons=reasons)
    return {field: facts[field] for field in organisation_facts.FIELDS}


def _ask(organisation: Organisation, section: str, facts: Mapping[str, Any], by: User) -> FactChange:
    if section == Section.IDENTITY:
        after = organisation_facts.checked(**_whole_identity(facts))
        organisation_facts.require_same_jointness(organisation, facts["kinds"])
        before: dict[str, Any] = _identity(organisation)
    else:
        after = dossier_facts.checked(section, facts)
        before = facts_of(organisation)[section]
    if after == before:
        raise Invalid(_("Nothing in it differs from what the exchange verified."), code="nothing_changed")
    try:
        with transaction.atomic():
            change = FactChange.objects.create(
                organisation=organisation, section=section, before=before, after=after, asked_by=by
            )
    except IntegrityError as clash:
        if "one_open_change_per_section" not in str(clash):
            raise
        raise Refused(
            _("A change of these facts waits for the exchange already."),
            code="change_pending",
            next=_("Withdraw it first, or wait for the answer."),
        ) from clash
    journal.record("facts.change_asked", organisation, by=by, change=change.pk, section=section)
    return change


@transaction.atomic
def declare(
    organisation: Organisation, *, text_version: str, is_restricted: bool, related_parties: str, by: User
) -> Declaration:
    """Declare for the organisation on sanctions and related parties; a later declaration replaces an earlier.

    Raises RoleNeeded, Invalid `declaration_outdated`.
    """
    roles.require(by, organisation, "apply")
    if text_version != declaration_text.CURRENT_VERSION:
        raise Invalid(
            _("The declaration in force is version %(current_version)s."),
            code="declaration_outdated",
            next=_("Read that text and declare it."),
            current_version=declaration_text.CURRENT_VERSION,
        )
    related_parties = related_parties.strip()
    if len(related_parties) > LONGEST_RELATED_CHARACTERS or "\0" in related_parties:
        raise Invalid(
            _("Name related parties in at most %(longest_related_characters)s characters."),
            longest_related_characters=LONGEST_RELATED_CHARACTERS,
        )
    declaration = Declaration.objects.create(
        organisation=organisation,
        text_version=text_version,
        text_digest=declaration_text.digest(text_version),
        is_restricted=is_restricted,
        related_parties=related_parties,
        by=by,
    )
    journal.record(
        "organisation.declared", organisation, by=by, declaration=declaration.pk, text_version=text_version,
        text_digest=declaration.text_digest,
    )  # fmt: skip
    return declaration
