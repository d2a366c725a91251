"""Vetting: reasons, two persons, and what neither commands nor the database let pass."""

from functools import partial

import pytest
from django.db import DatabaseError, connection, transaction

from compliance import clearance, exchange_rules, verification
from compliance.models import Decision, RulesAcceptance, Verification
from marketplace import journal, participants
from marketplace.errors import Invalid, NotCleared, Refused, RoleNeeded, WrongState
from marketplace.models import Membership, Organisation
from tests import factories
from tests.factories import make_applied, make_member, make_organisation, make_staff, make_verified, owner_of, tell_all
from tests.races import together

pytestmark = pytest.mark.django_db

WHY = {"reason_code": "checks_passed", "reason": "Checked the register."}
SUSPENDED = {"reason_code": "under_investigation", "reason": "A complaint is being looked into."}
EXPELLED = {"reason_code": "rules_broken", "reason": "Sold data it had no right to."}


def state_of(organisation) -> str:
    return Verification.objects.get(organisation=organisation).state


def kinds_recorded(subject) -> list[str]:
    return list(journal.of(subject).values_list("kind", flat=True))


def test_applying_keeps_who_accepted_which_rules_and_their_digest():
    organisation = tell_all(make_organisation("Lakeside Research"))
    owner = owner_of(organisation)
    verification.apply(organisation, rules_version="2026-11", by=owner)
    kept = RulesAcceptance.objects.get()
    assert (kept.organisation, kept.by, kept.rules_version) == (organisation, owner, "2026-11")
    assert kept.rules_digest == exchange_rules.digest("2026-11")
    assert kept.rules_digest.startswith("sha256:")
    assert kinds_recorded(organisation)[0] == "organisation.registered"
    assert kinds_recorded(organisation)[-1] == "organisation.applied"


def test_only_an_owner_applies_and_only_for_the_rules_in_force():
    organisation = make_organisation()
    trader = make_member(organisation, "trader")
    with pytest.raises(RoleNeeded):
        verification.apply(organisation, rules_version=exchange_rules.CURRENT_VERSION, by=trader)
    with pytest.raises(Invalid, match="2026-11") as refusal:
        verification.apply(organisation, rules_version="1999-01", by=owner_of(organisation))
    assert refusal.value.code == "rules_outdated"
    assert not Verification.objects.exists()
    assert not RulesAcceptance.objects.exists()


def test_two_people_verify_and_both_stand_in_the_decision():
    organisation = make_applied()
    first, second = make_staff("vetting"), make_staff("vetting")
    decision = verification.propose(organisation.verification, "approve", **WHY, by=first)
    assert state_of(organisation) == "applied"
    verification.confirm(decision, by=second)
    decision.refresh_from_db()
    assert state_of(organisation) == "verified"
    assert (decision.by, decision.second_by) == (first, second)
    assert kinds_recorded(organisation)[-2:] == ["organisation.approval_proposed", "organisation.verified"]


def test_nobody_confirms_what_they_proposed():
    organisation = make_applied()
    first = make_staff("vetting")
    decision = verification.propose(organisation.verification, "approve", **WHY, by=first)
    with pytest.raises(verification.SamePerson):
        verification.confirm(decision, by=first)
    decision.refresh_from_db()
    assert (decision.second_by, decision.decided_at) == (None, None)
    assert state_of(organisation) == "applied"
    assert kinds_recorded(organisation)[-1] == "organisation.approval_proposed"


@pytest.mark.parametrize("when", ["now", "formerly"])
def test_nobody_decides_on_an_organisation_they_belong_to_or_belonged_to(when):
    organisation = make_applied()
    member = make_member(organisation, "trader")
    member.is_staff, member.staff_roles = True, ["vetting"]
    member.save()
    if when == "formerly":
        participants.end_membership(factories.membership_of(member, organisation), by=owner_of(organisation))
    with pytest.raises(RoleNeeded) as refusal:
        verification.propose(organisation.verification, "approve", **WHY, by=member)
    assert refusal.value.code == "own_organisation"
    decision = verification.propose(organisation.verification, "approve", **WHY, by=make_staff("vetting"))
    with pytest.raises(RoleNeeded):
        verification.confirm(decision, by=member)
    with pytest.raises(RoleNeeded):
        verification.refuse(organisation.verification, reason_code="no_answer", reason="No answer.", by=member)
    assert state_of(organisation) == "applied"
    assert Decision.objects.count() == 1


@pytest.mark.parametrize("staff_role", ["review", "payments", "audit", "administrator", "support"])
def test_only_the_vetting_staff_decide(staff_role):
    organisation = make_applied()
    with pytest.raises(RoleNeeded):
        verification.propose(organisation.verification, "approve", **WHY, by=make_staff(staff_role))
    assert not Decision.objects.exists()


def test_a_reason_has_a_known_code_and_a_sentence():
    organisation = make_applied()
    vetter = make_staff("vetting")
    with pytest.raises(Invalid) as refusal:
        verification.refuse(organisation.verification, reason_code="because", reason="No.", by=vetter)
    assert refusal.value.code == "no_such_reason"
    with pytest.raises(Invalid) as refusal:
        verification.refuse(organisation.verification, reason_code="no_answer", reason="  ", by=vetter)
    assert refusal.value.code == "reason_needed"
    assert state_of(organisation) == "applied"
    assert not Decision.objects.exists()


def test_asked_for_more_the_applicant_corrects_and_applies_again():
    organisation = make_applied("Lakeside Research")
    owner = owner_of(organisation)
    facts = {
        field: getattr(organisation, field)
        for field in ("kinds", "name", "latin_name", "country", "region", "number_kind", "registration_number")
    }
    with pytest.raises(WrongState) as refusal:
        verification.correct(organisation, by=owner, **facts)
    assert refusal.value.code == "facts_are_vetted"
    verification.request_more(
        organisation.verification,
        reason_code="facts_differ",
        reason="The register says Limited.",
        by=make_staff("vetting"),
    )
    verification.correct(organisation, by=owner, **{**facts, "name": "Lakeside Research Limited"})
    verification.apply(organisation, rules_version=exchange_rules.CURRENT_VERSION, by=owner)
    organisation.refresh_from_db()
    assert organisation.name == "Lakeside Research Limited"
    assert state_of(organisation) == "applied"
    assert RulesAcceptance.objects.count() == 2


def test_a_refusal_drops_the_approval_that_waited():
    organisation = make_applied()
    decision = verification.propose(organisation.verification, "approve", **WHY, by=make_staff("vetting"))
    verification.refuse(
        organisation.verification, reason_code="restricted_party", reason="On a list.", by=make_staff("vetting")
    )
    decision.refresh_from_db()
    assert decision.dropped_at is not None
    with pytest.raises(WrongState):
        verification.confirm(decision, by=make_staff("vetting"))
    assert state_of(organisation) == "refused"


def test_one_suspends_and_reinstates_and_two_expel():
    organisation = make_verified()
    one, two = make_staff("vetting"), make_staff("vetting")
    verification.suspend(organisation.verification, **SUSPENDED, by=one)
    assert state_of(organisation) == "suspended"
    verification.reinstate(organisation.verification, reason_code="cleared", reason="Nothing was found.", by=one)
    assert state_of(organisation) == "verified"
    decision = verification.propose(organisation.verification, "expel", **EXPELLED, by=one)
    assert state_of(organisation) == "verified"
    verification.confirm(decision, by=two)
    assert state_of(organisation) == "expelled"
    with pytest.raises(WrongState):
        verification.apply(organisation, rules_version=exchange_rules.CURRENT_VERSION, by=owner_of(organisation))


def test_a_second_proposal_waits_for_the_first_to_be_confirmed_or_dropped():
    organisation = make_applied()
    one, two = make_staff("vetting"), make_staff("vetting")
    decision = verification.propose(organisation.verification, "approve", **WHY, by=one)
    with pytest.raises(Refused) as refusal:
        verification.propose(organisation.verification, "approve", **WHY, by=two)
    assert refusal.value.code == "decision_pending"
    verification.drop(decision, by=two)
    again = verification.propose(organisation.verification, "approve", **WHY, by=two)
    verification.confirm(again, by=one)
    assert state_of(organisation) == "verified"


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("", "has not applied"),
        ("applied", "is being vetted"),
        ("more_requested", "was asked for more"),
        ("refused", "was refused"),
        ("suspended", "is suspended"),
        ("expelled", "was expelled"),
    ],
)
def test_who_is_not_verified_may_not_list_and_is_told_why_and_what_next(state, told):
    organisation = in_state(state) if state else make_organisation()
    assert not clearance.is_verified(organisation)
    with pytest.raises(NotCleared) as refusal:
        clearance.require_listing(organisation)
    [reason] = refusal.value.reasons
    assert reason["code"] == "organisation_not_verified"
    assert told in reason["detail"]
    assert reason["next"]


def in_state(state: str) -> Organisation:
    """An organisation brought into this state by commands."""
    vetter = make_staff("vetting")
    organisation = make_verified() if state in ("suspended", "expelled") else make_applied()
    if state == "more_requested":
        verification.request_more(
            organisation.verification, reason_code="document_missing", reason="The licence.", by=vetter
        )
    elif state == "refused":
        verification.refuse(organisation.verification, reason_code="no_answer", reason="No answer.", by=vetter)
    elif state == "suspended":
        verification.suspend(organisation.verification, **SUSPENDED, by=vetter)
    elif state == "expelled":
        decision = verification.propose(organisation.verification, "expel", **EXPELLED, by=vetter)
        verification.confirm(decision, by=make_staff("vetting"))
    assert state_of(organisation) == state
    return organisation


# --- what the database refuses -------------------------------------------------------------------------------------


def refused(statement: str, *parameters: object) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement, parameters)


INSERT_DECISION = """
    INSERT INTO compliance_decision
        (verification_id, act, reason_code, reason, by_id, proposed_at, second_by_id, decided_at)
    VALUES (%s, %s, 'checks_passed', 'x', %s, now(), %s, now())
"""


def test_database_refuses_to_verify_or_expel_without_two_persons():
    applied, verified = make_applied(), make_verified()
    for organisation, state in ((applied, "verified"), (verified, "expelled")):
        refused(
            "UPDATE compliance_verification SET state = %s, changed_at = now() WHERE organisation_id = %s",
            state,
            organisation.pk,
        )
    assert [state_of(applied), state_of(verified)] == ["applied", "verified"]


def test_database_refuses_one_person_in_both_places():
    organisation, vetter = make_applied(), make_staff("vetting")
    pk = organisation.verification.pk
    refused(INSERT_DECISION, pk, "approve", vetter.pk, vetter.pk)
    refused(INSERT_DECISION, pk, "approve", vetter.pk, None)
    decision = verification.propose(organisation.verification, "approve", **WHY, by=vetter)
    refused(
        "UPDATE compliance_decision SET second_by_id = %s, decided_at = now() WHERE id = %s", vetter.pk, decision.pk
    )
    refused("UPDATE compliance_decision SET decided_at = now() WHERE id = %s", decision.pk)
    assert Decision.objects.filter(decided_at=None).count() == 1


@pytest.mark.parametrize("place", ["first", "second"])
def test_database_refuses_a_member_in_either_place(place):
    organisation, vetter = make_applied(), make_staff("vetting")
    member = make_member(organisation, "viewer")
    people = (member.pk, vetter.pk) if place == "first" else (vetter.pk, member.pk)
    refused(INSERT_DECISION, organisation.verification.pk, "approve", *people)
    assert not Decision.objects.exists()


def test_database_keeps_decisions_and_acceptances_as_they_were():
    organisation = make_verified()
    decision = Decision.objects.get()
    refused("UPDATE compliance_decision SET reason = 'other' WHERE id = %s", decision.pk)
    refused("UPDATE compliance_decision SET second_by_id = NULL WHERE id = %s", decision.pk)
    refused("DELETE FROM compliance_decision")
    refused("TRUNCATE compliance_decision CASCADE")
    refused("UPDATE compliance_rulesacceptance SET rules_digest = 'x'")
    refused("DELETE FROM compliance_rulesacceptance")
    refused("DELETE FROM compliance_verification")
    refused(
        "INSERT INTO compliance_verification (organisation_id, state, applied_at, changed_at) "
        "VALUES (%s, 'verified', now(), now())",
        make_organisation().pk,
    )
    assert state_of(organisation) == "verified"


# --- at the same instant -------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_who_confirm_at_once_one_does():
    organisation = make_applied()
    decision = verification.propose(organisation.verification, "approve", **WHY, by=make_staff("vetting"))
    answers = together([partial(verification.confirm, decision, by=make_staff("vetting")) for _ in range(2)])
    assert sorted(answers) == ["done", "wrong_state"]
    assert state_of(organisation) == "verified"
    assert kinds_recorded(organisation).count("organisation.verified") == 1


@pytest.mark.django_db(transaction=True)
def test_an_application_sent_twice_at_once_is_one():
    organisation = tell_all(make_organisation())
    owner = owner_of(organisation)
    version = exchange_rules.CURRENT_VERSION
    answers = together([partial(verification.apply, organisation, rules_version=version, by=owner)] * 2)
    assert sorted(answers) == ["done", "wrong_state"]
    assert Verification.objects.count() == 1
    assert RulesAcceptance.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_last_owners_who_leave_at_once_one_stays():
    organisation = make_organisation()
    owners = [owner_of(organisation), make_member(organisation, "owner")]
    rows = [factories.membership_of(owner, organisation) for owner in owners]
    answers = together([partial(participants.end_membership, row, by=row.user) for row in rows])
    assert sorted(answers) == ["done", "last_owner"]
    assert Membership.objects.filter(organisation=organisation, role="owner", ended_at=None).count() == 1
