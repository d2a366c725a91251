"""Joint merchants: members consent, all are verified first, and what holds one of them holds the joint merchant."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from compliance import clearance, exchange_rules, holds, joint_members, reviews, verification
from compliance.models import Decision, Verification
from listings import pricing
from listings.models import Offer
from marketplace import clock, joint_merchants, journal
from marketplace.errors import Invalid, NotCleared, Refused, RoleNeeded, WrongState
from marketplace.models import Event, JointMember, Membership, Organisation
from settlement import buying, deliveries
from settlement.states import GrantState, TradeState
from tests import trading
from tests.factories import (
    make_draft,
    make_joint,
    make_listed_product,
    make_member,
    make_staff,
    make_user,
    make_verified,
    owner_of,
    tell_all,
)
from tests.races import together

WHY = {"reason_code": "investigation", "reason": "An investigation."}
CHECKED = {"reason_code": "checks_passed", "reason": "Checked the register."}


def apply_for(organisation: Organisation) -> Verification:
    tell_all(organisation)
    return verification.apply(organisation, rules_version=exchange_rules.CURRENT_VERSION, by=owner_of(organisation))


def approve(organisation: Organisation) -> Organisation:
    standing = apply_for(organisation)
    decision = verification.propose(standing, "approve", by=make_staff("vetting"), **CHECKED)
    verification.confirm(decision, by=make_staff("vetting"))
    connection.check_constraints()
    return organisation


@pytest.fixture
def members() -> list[Organisation]:
    return [make_verified("Harbour Data Limited"), make_verified("Bridge Data Limited")]


@pytest.fixture
def joint(members: list[Organisation]) -> Organisation:
    return approve(make_joint("Harbour and Bridge", *members))


def suspend(organisation: Organisation) -> None:
    standing = Verification.objects.get(organisation=organisation)
    verification.suspend(
        standing, reason_code="under_investigation", reason="An investigation.", by=make_staff("vetting")
    )


def kinds(joint: Organisation) -> list[str]:
    return [event.kind for event in journal.of(joint).order_by("pk") if event.kind.startswith("joint_member.")]


# --- naming and consenting, over HTTP -------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_joint_merchant_is_made_over_http(members):
    joint = make_joint("Harbour and Bridge")
    founder = Client()
    founder.force_login(owner_of(joint))
    for member in members:
        assert founder.post(reverse("joint_members"), {"public_id": member.public_id}).status_code == 302
        partner = Client()
        partner.force_login(owner_of(member))
        assert "Harbour and Bridge" in partner.get("/").content.decode()  # to do
        row = JointMember.objects.get(joint=joint, member=member)
        assert row.consented_at is None
        assert partner.post(reverse("joint_consent", args=[row.pk])).status_code == 302
        row.refresh_from_db()
        assert row.consented_by == owner_of(member)
    page = founder.get(reverse("organisation")).content.decode()
    assert "Harbour Data Limited" in page
    assert "Bridge Data Limited" in page
    approve(joint)
    assert clearance.reasons_against_listing(joint) == []
    assert kinds(joint) == ["joint_member.named", "joint_member.consented"] * 2


@pytest.mark.django_db
def test_the_api_names_consents_and_reads(members):
    joint = make_joint("Harbour and Bridge")
    founder, partner = Client(), Client()
    founder.force_login(owner_of(joint))
    partner.force_login(owner_of(members[0]))

    def post(client: Client, path: str, **said: Any) -> Any:
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        return client.post(f"/api/v1/organisations/{path}", said, content_type="application/json", headers=headers)

    named = post(founder, f"{joint.public_id}/joint-members", member=members[0].public_id)
    assert (named.status_code, named.json()["consented_at"]) == (201, None)
    path = f"{members[0].public_id}/joint-members/{named.json()['id']}"
    assert post(founder, f"{joint.public_id}/joint-members/{named.json()['id']}/consent").status_code == 404
    assert post(partner, f"{path}/consent").status_code == 200
    again = post(partner, f"{path}/consent")
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    told = founder.get(f"/api/v1/organisations/{joint.public_id}/joint-members").json()
    assert [(one["member_name"], one["consented_at"] is not None) for one in told] == [("Harbour Data Limited", True)]


@pytest.mark.django_db
def test_what_cannot_be_named_changes_nothing(members):
    joint, plain = make_joint("", members[0]), members[1]
    other, owner = make_joint(), owner_of(joint)
    for organisation, public_id, by, code in [
        (plain, members[0].public_id, owner_of(plain), "not_joint"),
        (joint, "nobody-has-this", owner, "no_such_organisation"),
        (joint, other.public_id, owner, "joint_in_joint"),
        (joint, joint.public_id, owner, "joint_in_joint"),
        (joint, members[0].public_id, owner, "named_already"),
        (joint, plain.public_id, make_user(), "role_needed"),
        (joint, plain.public_id, make_member(joint, "trader"), "role_needed"),
    ]:
        with pytest.raises(Refused) as refused:
            joint_members.name(organisation, public_id, by=by)
        assert refused.value.code == code
    assert JointMember.objects.count() == 1
    assert kinds(joint) == ["joint_member.named", "joint_member.consented"]


@pytest.mark.django_db
def test_only_an_owner_of_the_member_consents_for_it(members):
    joint = make_joint()
    row = joint_members.name(joint, members[0].public_id, by=owner_of(joint))
    for by in (owner_of(joint), owner_of(members[1]), make_member(members[0], "trader")):
        with pytest.raises(RoleNeeded):
            joint_members.consent(row, by=by)
    row.refresh_from_db()
    assert row.consented_at is None
    assert kinds(joint) == ["joint_member.named"]


@pytest.mark.django_db
def test_jointness_is_for_life(members):
    joint = make_joint()
    facts = {name: getattr(joint, name) for name in ("name", "latin_name", "country", "region", "number_kind")}
    facts["registration_number"] = joint.registration_number
    with pytest.raises(Invalid) as refused:
        verification.correct(joint, kinds=["supplier"], by=owner_of(joint), **facts)
    assert refused.value.code == "joint_for_life"
    joint.refresh_from_db()
    assert joint.kinds == ["joint", "supplier"]
    for one, changed in [(joint, ["supplier"]), (members[0], ["joint"])]:
        with pytest.raises(IntegrityError, match="for life or never"), transaction.atomic():
            Organisation.objects.filter(pk=one.pk).update(kinds=changed)


# --- the exchange verifies ------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_approval_names_each_member_who_lacks_something(members):
    late = make_verified("Late Limited")
    suspend(members[1])
    joint = make_joint("", *members)
    joint_members.name(joint, late.public_id, by=owner_of(joint))
    standing = apply_for(joint)
    with pytest.raises(joint_members.MembersNotReady) as refused:
        verification.propose(standing, "approve", by=make_staff("vetting"), **CHECKED)
    assert refused.value.code == "joint_members_not_ready"
    assert [(reason["code"], reason["detail"]) for reason in refused.value.reasons] == [
        ("member_not_verified", "Bridge Data Limited is not verified."),
        ("member_not_consented", "Late Limited has not consented."),
    ]
    assert not Decision.objects.filter(verification=standing).exists()


@pytest.mark.django_db
def test_one_member_is_not_a_joint_merchant(members):
    standing = apply_for(make_joint("", members[0]))
    with pytest.raises(joint_members.MembersNotReady) as refused:
        verification.propose(standing, "approve", by=make_staff("vetting"), **CHECKED)
    assert [reason["code"] for reason in refused.value.reasons] == ["joint_needs_two"]
    standing.refresh_from_db()
    assert standing.state == "applied"


@pytest.mark.django_db
def test_a_member_suspended_between_the_two_persons_stops_the_approval(members):
    standing = apply_for(make_joint("", *members))
    decision = verification.propose(standing, "approve", by=make_staff("vetting"), **CHECKED)
    suspend(members[0])
    with pytest.raises(joint_members.MembersNotReady):
        verification.confirm(decision, by=make_staff("vetting"))
    standing.refresh_from_db()
    decision.refresh_from_db()
    assert (standing.state, standing.number_claim, decision.decided_at) == ("applied", "", None)


@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_a_joint_merchant_without_verified_members(members):
    joint = make_joint("", members[0])
    standing = apply_for(joint)
    first, second = make_staff("vetting"), make_staff("vetting")
    now = clock.now()
    with pytest.raises(IntegrityError, match="verified before its members"), transaction.atomic():
        Decision.objects.create(
            verification=standing, act="approve", by=first, second_by=second, decided_at=now, **CHECKED
        )
        claim = f"{joint.number_kind} {joint.registration_number}"
        Verification.objects.filter(pk=standing.pk).update(state="verified", changed_at=now, number_claim=claim)
    standing.refresh_from_db()
    assert standing.state == "applied"


@pytest.mark.django_db(transaction=True)
def test_the_database_keeps_the_members_of_a_verified_joint_merchant(joint, members):
    row, gone = JointMember.objects.get(member=members[0]), {"withdrawn_at": clock.now()}
    outsider = make_verified()
    with pytest.raises(IntegrityError, match="keeps two members"), transaction.atomic():
        JointMember.objects.filter(pk=row.pk).update(withdrawn_by=owner_of(joint), **gone)
    with pytest.raises(IntegrityError, match="keeps two members"), transaction.atomic():
        JointMember.objects.create(joint=joint, member=outsider, named_by=owner_of(joint))
    with pytest.raises(IntegrityError, match="none themselves"), transaction.atomic():
        JointMember.objects.create(joint=members[0], member=outsider, named_by=owner_of(joint))
    for change in ({"consented_at": clock.now()}, {"member": outsider}):
        with pytest.raises(DatabaseError), transaction.atomic():
            JointMember.objects.filter(pk=row.pk).update(**change)
    assert joint_merchants.members_of(joint) == members


# --- leaving --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_member_withdraws_only_before_the_exchange_verified(members):
    joint = make_joint("", *members)
    row = JointMember.objects.get(member=members[0])
    with pytest.raises(RoleNeeded):
        joint_members.withdraw(row, by=owner_of(members[1]))
    joint_members.withdraw(row, by=owner_of(members[0]))
    with pytest.raises(WrongState):
        joint_members.withdraw(row, by=owner_of(members[0]))
    again = joint_members.name(joint, members[0].public_id, by=owner_of(joint))
    joint_members.consent(again, by=owner_of(members[0]))
    approve(joint)
    with pytest.raises(WrongState) as refused:
        joint_members.withdraw(again, by=owner_of(members[0]))
    assert refused.value.code == "joint_is_verified"
    again.refresh_from_db()
    assert again.withdrawn_at is None


@pytest.mark.django_db
def test_the_staff_release_a_member_and_two_remain(members):
    third = make_verified("Third Limited")
    joint = approve(make_joint("", *members, third))
    officer = make_staff("vetting")
    client = Client()
    client.force_login(officer)
    page = client.get(reverse("desk_organisation", args=[joint.public_id])).content.decode()
    assert "Third Limited" in page
    suspend(third)
    assert clearance.is_held(joint)
    row = JointMember.objects.get(member=third)
    joint_members.release(row, reason="It left the alliance.", by=officer)
    assert not clearance.is_held(joint)
    left = JointMember.objects.get(member=members[0])
    with pytest.raises(Refused) as refused:
        joint_members.release(left, reason="It left the alliance.", by=officer)
    assert refused.value.code == "joint_needs_two"
    assert joint_merchants.members_of(joint) == members
    assert kinds(joint)[-1] == "joint_member.released"


# --- what lies on a member ------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["hold", "suspend"])
def test_what_lies_on_a_member_lies_on_the_joint_merchant(joint, members, how):
    listing = make_listed_product(joint)
    offer = Offer.objects.select_related("listing__seller", "listing__current_version").get(listing=listing)
    buyer = make_verified()
    assert clearance.reasons_against_trade(buyer, offer) == []
    if how == "hold":
        holds.place("organisation", members[1].pk, by=make_staff("vetting"), **WHY)
    else:
        suspend(members[1])
    assert [reason["code"] for reason in clearance.reasons_against_trade(buyer, offer)] == ["organisation_held"]
    with pytest.raises(NotCleared):
        clearance.require_not_held(listing=listing, buyer=buyer, seller=joint)
    assert not clearance.is_held(members[0])
    with CaptureQueriesContext(connection) as asked:
        holds.lying_on(organisations=[joint.pk, buyer.pk])
    assert len(asked) == 1


@pytest.mark.django_db
def test_the_time_a_member_was_held_counts_from_its_consent_on(joint, members):
    hold = holds.place("organisation", members[0].pk, by=make_staff("vetting"), **WHY)
    since, until = clock.now() - dt.timedelta(days=9), clock.now() + dt.timedelta(days=9)
    own = [("organisation", joint.pk)]
    holds.lift(hold, reason="It was cleared up.", by=make_staff("vetting"))
    hold.refresh_from_db()
    assert holds.held_time(own, since, until) == hold.lifted_at - hold.placed_at
    assert holds.held_time(own, hold.lifted_at, until) == dt.timedelta()


@pytest.mark.django_db
def test_trades_of_a_joint_merchant_are_held_with_a_member(joint, members):
    deal = trading.propose(trading.make_offer(trading.make_listed(joint)))
    other = trading.propose(trading.make_offer(trading.make_listed()))
    found = [deal.trade, other.trade]
    assert holds.held_trade_ids(found) == set()
    assert holds.ever_held_trade_ids(found) == set()
    hold = holds.place("organisation", members[0].pk, by=make_staff("vetting"), **WHY)
    assert holds.held_trade_ids(found) == {deal.trade.pk}
    holds.lift(hold, reason="It was cleared up.", by=make_staff("vetting"))
    assert holds.held_trade_ids(found) == set()
    assert holds.ever_held_trade_ids(found) == {deal.trade.pk}


@pytest.mark.django_db(transaction=True)
def test_what_a_joint_merchant_delivered_is_suspended_with_a_member_and_resumed_without_it(members, tmp_path, settings):
    settings.STORAGE_DIR = tmp_path
    third = make_verified("Third Limited")
    joint = approve(make_joint("", *members, third))
    trading.set_account(joint, "acct-joint", by=owner_of(joint))
    deal = trading.propose(trading.make_offer(trading.make_listed(joint), audience="on_request"))
    for step, walk in trading.ROAD.items():
        walk(deal)
        if step == TradeState.DELIVERED:
            break
    grant = deal.trade.grant
    deliveries.require_use(grant, by=deal.buyer)
    suspend(third)
    with pytest.raises(NotCleared):
        deliveries.require_use(grant, by=deal.buyer)
    follow()
    grant.refresh_from_db()
    assert grant.state == GrantState.SUSPENDED
    joint_members.release(JointMember.objects.get(member=third), reason="It left.", by=make_staff("vetting"))
    follow()
    grant.refresh_from_db()
    assert grant.state == GrantState.OPEN


def follow() -> None:
    journal.seal()
    journal.follow()


# --- one party ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_member_does_not_buy_from_its_own_joint_merchant(joint, members):
    listing = trading.make_listed(joint)
    offer = trading.make_offer(listing)
    before = Event.objects.count()
    with pytest.raises(Invalid) as refused:
        trading.propose(offer, buyer=members[0])
    assert refused.value.code == "own_product"
    assert Event.objects.count() == before
    reasons = buying.reasons_against_proposal(offer, members[0], pricing.priced(offer, None), by=owner_of(members[0]))
    assert [reason["code"] for reason in reasons] == ["own_product"]


@pytest.mark.django_db
def test_an_ordinary_seller_costs_no_statement_more(members):
    with CaptureQueriesContext(connection) as asked:
        assert not joint_merchants.are_one_party(*members)
        assert joint_merchants.members_of(members[0]) == []
    assert len(asked) == 0


@pytest.mark.django_db
def test_people_of_a_member_neither_review_nor_vet_the_joint_merchant(members):
    officer = make_staff("review", "vetting")
    joint = make_joint("", *members)
    Membership.objects.create(user=officer, organisation=members[0], role="viewer")
    standing = apply_for(joint)
    with pytest.raises(RoleNeeded) as refused:
        verification.propose(standing, "approve", by=officer, **CHECKED)
    assert refused.value.code == "own_organisation"
    decision = verification.propose(standing, "approve", by=make_staff("vetting"), **CHECKED)
    verification.confirm(decision, by=make_staff("vetting"))
    connection.check_constraints()
    review = reviews.submit(make_draft(joint), by=owner_of(joint))
    with pytest.raises(RoleNeeded) as refused:
        reviews.take(review, by=officer)
    assert refused.value.code == "own_organisation"
    review.refresh_from_db()
    assert (review.state, review.by) == ("open", None)


@pytest.mark.django_db
def test_the_product_page_names_the_members(joint, client):
    listing = make_listed_product(joint)
    page = client.get(reverse("product", args=[listing.public_id])).content.decode()
    assert "Offered jointly by" in page
    assert "Harbour Data Limited<br>Bridge Data Limited" in page


# --- races ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_owners_of_a_member_consent_at_once_and_one_does(members):
    joint = make_joint()
    row = joint_members.name(joint, members[0].public_id, by=owner_of(joint))
    owners = [owner_of(members[0]), make_member(members[0], "owner")]
    answers = together([lambda by=by: joint_members.consent(row, by=by) for by in owners])
    assert sorted(answers) == ["done", "wrong_state"]
    assert kinds(joint) == ["joint_member.named", "joint_member.consented"]


@pytest.mark.django_db(transaction=True)
def test_a_member_suspended_while_the_staff_approve_never_frees_the_joint_merchant(members):
    joint = make_joint("", *members)
    decision = verification.propose(apply_for(joint), "approve", by=make_staff("vetting"), **CHECKED)
    confirmer = make_staff("vetting")
    answers = together([lambda: verification.confirm(decision, by=confirmer), lambda: suspend(members[0])])
    assert sorted(answers) in (["done", "done"], ["done", "joint_members_not_ready"])
    assert Verification.objects.get(organisation=members[0]).state == "suspended"
    assert clearance.reasons_against_listing(joint) != []
