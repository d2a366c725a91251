"""Whose registration number it is: anybody may enter one, only one is verified under it."""

from __future__ import annotations

from functools import partial

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from compliance import dossier, exchange_rules, fact_changes, verification
from compliance.models import Verification
from marketplace import participants
from marketplace.models import Organisation
from marketplace.organisation_facts import FIELDS
from tests.factories import make_applied, make_organisation, make_staff, make_user, make_verified, owner_of, tell_all
from tests.races import together

pytestmark = pytest.mark.django_db

WHY = {"reason_code": "checks_passed", "reason": "Checked the register."}


def applied_like(organisation: Organisation) -> Organisation:
    """Another that entered the same number and applied."""
    said = {field: getattr(organisation, field) for field in FIELDS} | {"name": "The Other Limited"}
    other = tell_all(participants.register_organisation(**said, by=make_user()))
    verification.apply(other, rules_version=exchange_rules.CURRENT_VERSION, by=owner_of(other))
    return other


def half_approved(organisation: Organisation):
    return verification.propose(organisation.verification, "approve", **WHY, by=make_staff("vetting"))


def state_of(organisation: Organisation) -> str:
    return Verification.objects.get(organisation=organisation).state


def test_a_squatter_keeps_nobody_out_and_the_staff_see_both():
    squatter = make_applied()
    rightful = applied_like(squatter)
    client = Client()
    client.force_login(make_staff("vetting"))
    page = client.get(f"/admin/desks/organisations/{rightful.public_id}/").content.decode()
    assert "Others entered the same registration number" in page
    assert squatter.name in page
    verification.confirm(half_approved(rightful), by=make_staff("vetting"))
    assert state_of(rightful) == "verified"
    with pytest.raises(verification.NumberTaken):
        half_approved(squatter)
    assert state_of(squatter) == "applied"


def test_nobody_applies_with_a_members_number():
    member = make_verified()
    said = {field: getattr(member, field) for field in FIELDS}
    other = tell_all(participants.register_organisation(**said, by=make_user()))
    with pytest.raises(verification.NumberTaken):
        verification.apply(other, rules_version=exchange_rules.CURRENT_VERSION, by=owner_of(other))
    assert not Verification.objects.filter(organisation=other).exists()


def test_a_member_takes_its_new_number_with_it_and_cannot_take_anothers():
    member, other = make_verified(), make_verified()
    said = {field: getattr(member, field) for field in FIELDS}
    change = dossier.tell(
        member, "identity", said | {"registration_number": other.registration_number}, by=owner_of(member)
    )
    fact_changes.confirm(change, by=make_staff("vetting"))
    with pytest.raises(verification.NumberTaken):
        fact_changes.confirm(change, by=make_staff("vetting"))
    member.refresh_from_db()
    assert member.registration_number == said["registration_number"]
    fact_changes.withdraw(change, by=owner_of(member))
    fresh = make_organisation().registration_number
    change = dossier.tell(member, "identity", said | {"registration_number": fresh}, by=owner_of(member))
    for officer in (make_staff("vetting"), make_staff("vetting")):
        fact_changes.confirm(change, by=officer)
    assert Verification.objects.get(organisation=member).number_claim == f"hk_br {fresh}"


def test_the_database_refuses_a_member_without_a_number_of_its_own():
    member, other = make_verified(), make_verified()
    for claim in ("", Verification.objects.get(organisation=other).number_claim, "hk_br 1"):
        with pytest.raises(DatabaseError), transaction.atomic():
            Verification.objects.filter(organisation=member).update(number_claim=claim)
            connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert Verification.objects.get(organisation=member).number_claim == f"hk_br {member.registration_number}"


@pytest.mark.django_db(transaction=True)
def test_of_two_with_one_number_approved_at_once_one_is_verified():
    one = make_applied()
    other = applied_like(one)
    decisions = [half_approved(one), half_approved(other)]
    answers = together([partial(verification.confirm, decision, by=make_staff("vetting")) for decision in decisions])
    assert sorted(answers) == ["done", "number_taken"]
    assert sorted([state_of(one), state_of(other)]) == ["applied", "verified"]
