"""Review by two people who have no part in the product; what is sent back says why."""

from functools import partial

import pytest
from django.db import DatabaseError, connection, transaction

from compliance import reviews, verification
from compliance.models import Review
from compliance.verification import SamePerson
from listings import publishing
from listings.models import Version
from marketplace import journal
from marketplace.errors import Invalid, NotCleared, RoleNeeded, WrongState
from tests.factories import approve, make_draft, make_member, make_organisation, make_staff, make_verified, owner_of
from tests.races import together

pytestmark = pytest.mark.django_db

UNCLEAR = {"reason_code": "manual_unclear", "reason": "Say which airports."}


def submitted(seller=None) -> Review:
    version = make_draft(seller or make_verified())
    return reviews.submit(version, by=owner_of(version.listing.seller))


def states(review: Review) -> tuple[str, str]:
    return Review.objects.get(pk=review.pk).state, Version.objects.get(pk=review.version_id).state


def kinds_recorded(subject) -> list[str]:
    return list(journal.of(subject).values_list("kind", flat=True))


def test_a_verified_seller_hands_a_whole_manual_in():
    review = submitted()
    assert states(review) == ("open", "submitted")
    assert kinds_recorded(review) == ["review.opened"]


def test_who_is_not_verified_hands_nothing_in_and_is_told_why():
    version = make_draft(make_organisation())
    with pytest.raises(NotCleared) as refusal:
        reviews.submit(version, by=owner_of(version.listing.seller))
    assert [reason["code"] for reason in refusal.value.reasons] == ["organisation_not_verified"]
    version.refresh_from_db()
    assert version.state == "draft"
    assert not Review.objects.exists()


def test_a_manual_that_lacks_something_is_not_handed_in():
    version = make_draft(make_verified(), source_statement="")
    with pytest.raises(Invalid) as refusal:
        reviews.submit(version, by=owner_of(version.listing.seller))
    assert refusal.value.code == "manual_incomplete"
    assert "source_statement" in {reason["field"] for reason in refusal.value.reasons}
    assert not Review.objects.exists()


@pytest.mark.parametrize("role", ["trader", "finance", "compliance", "viewer"])
def test_only_owners_and_data_stewards_hand_in(role):
    version = make_draft(make_verified())
    with pytest.raises(RoleNeeded):
        reviews.submit(version, by=make_member(version.listing.seller, role))
    assert not Review.objects.exists()


def test_two_people_approve():
    review = submitted()
    first, second = make_staff("review"), make_staff("review")
    reviews.take(review, by=first)
    assert states(review) == ("taken", "in_review")
    approve(review, by=first)
    assert states(review) == ("seconded", "in_review")
    approve(review, by=second)
    assert states(review) == ("approved", "approved")
    review.refresh_from_db()
    assert (review.assignee, review.by, review.second_by) == (first, first, second)
    assert kinds_recorded(review) == ["review.opened", "review.taken", "review.seconded", "review.approved"]


def test_nobody_approves_twice():
    review = submitted()
    first = make_staff("review")
    reviews.take(review, by=first)
    approve(review, by=first)
    with pytest.raises(SamePerson):
        approve(review, by=first)
    assert states(review) == ("seconded", "in_review")
    assert kinds_recorded(review)[-1] == "review.seconded"


def test_neither_the_submitter_nor_a_member_of_the_seller_reviews():
    seller = make_verified()
    review = submitted(seller)
    for person, code in ((owner_of(seller), "own_submission"), (make_member(seller, "viewer"), "own_organisation")):
        person.is_staff, person.staff_roles = True, ["review"]
        person.save()
        for command in (reviews.take, approve, partial(reviews.refuse, reason_code="misleading", reason="x")):
            with pytest.raises(RoleNeeded) as refusal:
                command(review, by=person)
            assert refusal.value.code == code
        assert reviews.possible_acts(review, person) == []
    assert states(review) == ("open", "submitted")


@pytest.mark.parametrize("staff_role", ["vetting", "audit", "administrator", "support"])
def test_only_reviewers_review(staff_role):
    review = submitted()
    with pytest.raises(RoleNeeded):
        reviews.take(review, by=make_staff(staff_role))
    assert states(review) == ("open", "submitted")


@pytest.mark.parametrize("after_first_approval", [False, True])
def test_what_is_sent_back_says_why_and_is_answered_by_a_new_draft(after_first_approval):
    review = submitted()
    first, second = make_staff("review"), make_staff("review")
    reviews.take(review, by=first)
    if after_first_approval:
        approve(review, by=first)
    reviews.request_changes(review, **UNCLEAR, by=second)
    assert states(review) == ("changes_requested", "changes_requested")
    review.refresh_from_db()
    assert (review.reason_code, review.reason) == ("manual_unclear", "Say which airports.")
    draft = publishing.draft(review.version.listing, by=review.submitted_by)
    again = reviews.submit(draft, by=review.submitted_by)
    assert (again.version.number, states(again)) == (2, ("open", "submitted"))


def test_a_refusal_needs_a_known_code_and_a_sentence():
    review = submitted()
    reviewer = make_staff("review")
    reviews.take(review, by=reviewer)
    for wrong in ({"reason_code": "manual_unclear", "reason": "x"}, {"reason_code": "misleading", "reason": ""}):
        with pytest.raises(Invalid):
            reviews.refuse(review, **wrong, by=reviewer)
    assert states(review) == ("taken", "in_review")
    reviews.refuse(review, reason_code="misleading", reason="It is not what it says.", by=reviewer)
    assert states(review) == ("refused", "refused")
    with pytest.raises(WrongState):
        approve(review, by=make_staff("review"))


def test_a_seller_suspended_since_is_not_handed_in_again():
    seller = make_verified()
    version = make_draft(seller)
    verification.suspend(
        seller.verification, reason_code="rules_broken", reason="A rule was broken.", by=make_staff("vetting")
    )
    with pytest.raises(NotCleared):
        reviews.submit(version, by=owner_of(seller))
    assert not Review.objects.exists()


# --- what the database refuses -------------------------------------------------------------------------------------


def refused(statement: str, *parameters: object) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement, parameters)


def test_database_refuses_self_approval_one_person_twice_and_members():
    seller = make_verified()
    review = submitted(seller)
    member, reviewer = make_member(seller, "viewer"), make_staff("review")
    reviews.take(review, by=reviewer)
    approve(review, by=reviewer)
    second_approval = (
        "UPDATE compliance_review SET state = 'approved', second_by_id = %s, decided_at = now() WHERE id = %s"
    )
    for second in (reviewer.pk, owner_of(seller).pk, member.pk, None):
        refused(second_approval, second, review.pk)
    refused("UPDATE compliance_review SET by_id = %s WHERE id = %s", member.pk, review.pk)
    refused("UPDATE compliance_review SET by_id = %s WHERE id = %s", owner_of(seller).pk, review.pk)
    assert states(review) == ("seconded", "in_review")


def test_database_refuses_an_approved_version_without_two_approvals():
    review = submitted()
    reviews.take(review, by=make_staff("review"))
    refused("UPDATE listings_version SET state = 'approved' WHERE id = %s", review.version_id)
    refused("UPDATE compliance_review SET state = 'changes_requested' WHERE id = %s", review.pk)
    refused("DELETE FROM compliance_review")
    refused("TRUNCATE compliance_review CASCADE")
    refused("UPDATE compliance_review SET submitted_by_id = %s", make_staff("review").pk)
    assert states(review) == ("taken", "in_review")


# --- at the same instant -------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_reviewers_who_approve_at_once_are_first_and_second():
    review = submitted()
    first, second = make_staff("review"), make_staff("review")
    reviews.take(review, by=first)
    answers = together([partial(approve, review, by=person) for person in (first, second)])
    assert answers == ["done", "done"]
    review.refresh_from_db()
    assert states(review) == ("approved", "approved")
    assert {review.by, review.second_by} == {first, second}
    assert kinds_recorded(review).count("review.approved") == 1
    assert kinds_recorded(review.version).count("version.approved") == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_second_approvals_at_once_one_counts():
    review = submitted()
    first = make_staff("review")
    reviews.take(review, by=first)
    approve(review, by=first)
    others = [make_staff("review"), make_staff("review")]
    answers = together([partial(approve, review, by=person) for person in others])
    assert sorted(answers) == ["done", "wrong_state"]
    assert states(review) == ("approved", "approved")


@pytest.mark.django_db(transaction=True)
def test_one_person_who_clicks_twice_at_once_approves_once():
    review = submitted()
    first = make_staff("review")
    reviews.take(review, by=first)
    assert sorted(together([partial(approve, review, by=first)] * 2)) == ["done", "same_person"]
    assert states(review) == ("seconded", "in_review")


@pytest.mark.django_db(transaction=True)
def test_approval_and_refusal_at_once_leave_one_outcome():
    review = submitted()
    first = make_staff("review")
    reviews.take(review, by=first)
    approve(review, by=first)
    answers = together(
        [
            partial(approve, review, by=make_staff("review")),
            partial(reviews.refuse, review, reason_code="misleading", reason="No.", by=make_staff("review")),
        ]
    )
    assert sorted(answers) == ["done", "wrong_state"]
    assert states(review) in (("approved", "approved"), ("refused", "refused"))


@pytest.mark.django_db(transaction=True)
def test_a_version_handed_in_twice_at_once_is_reviewed_once():
    version = make_draft(make_verified())
    by = owner_of(version.listing.seller)
    assert sorted(together([partial(reviews.submit, version, by=by)] * 2)) == ["done", "wrong_state"]
    assert Review.objects.count() == 1
