"""Who may list and trade: everything that stands in the way is said at once, cheaply, and nothing changes."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from compliance import clearance, holds, verification
from compliance.models import Decision, Hold
from listings import terms
from listings.models import Offer, Profile
from marketplace.errors import Invalid, NotCleared, Refused, RoleNeeded, WrongState
from marketplace.models import Event
from tests.factories import (
    make_applied,
    make_listed_product,
    make_member,
    make_organisation,
    make_staff,
    make_verified,
    owner_of,
)
from tests.races import together

pytestmark = pytest.mark.django_db

WHY = {"reason_code": "complaint", "reason": "A complaint is being looked into."}
SUSPENDED = {"reason_code": "under_investigation", "reason": "An investigation."}


@pytest.fixture
def offer() -> Offer:
    """An open offer of a listed product of a Hong Kong seller."""
    listing = make_listed_product()
    return Offer.objects.select_related("listing__seller", "listing__current_version").get(listing=listing)


def codes(buyer, offer) -> list[str]:
    return [reason["code"] for reason in clearance.reasons_against_trade(buyer, offer)]


def hold(kind: str, pk: int) -> Hold:
    return holds.place(kind, pk, **WHY, by=make_staff("vetting"))


def test_two_verified_members_may_trade(offer):
    buyer = make_verified()
    decision = clearance.require_trade(buyer, offer)
    assert (decision.is_allowed, decision.path, decision.rulebook) == (True, "not_exported", "interim-2026-11")
    assert codes(buyer, offer) == []


def test_clearing_a_trade_takes_three_statements(offer):
    buyer = make_verified()
    with CaptureQueriesContext(connection) as asked:
        clearance.require_trade(buyer, offer)
    assert len(asked) == 3
    with CaptureQueriesContext(connection) as asked:
        clearance.require_not_held(listing=offer.listing, buyer=buyer, seller=offer.listing.seller, trade_id=1)
    assert len(asked) == 1


def test_everything_that_stands_in_the_way_is_said_at_once(offer):
    buyer = make_applied()
    hold("organisation", buyer.pk)
    hold("listing", offer.listing_id)
    verification.suspend(offer.listing.seller.verification, **SUSPENDED, by=make_staff("vetting"))
    with pytest.raises(NotCleared) as refusal:
        clearance.require_trade(buyer, offer)
    assert [reason["code"] for reason in refusal.value.reasons] == [
        "buyer_not_verified",
        "seller_not_verified",
        "listing_held",
        "organisation_held",
    ]
    assert all(reason["next"] for reason in refusal.value.reasons)
    assert refusal.value.as_json()["code"] == "not_cleared"


@pytest.mark.parametrize("act", ["suspend", "expel"])
def test_suspended_and_expelled_members_count_as_held(offer, act):
    buyer, vetter = make_verified(), make_staff("vetting")
    seller = offer.listing.seller
    if act == "suspend":
        verification.suspend(buyer.verification, **SUSPENDED, by=vetter)
    else:
        decision = verification.propose(
            buyer.verification, "expel", reason_code="dissolved", reason="It no longer exists.", by=vetter
        )
        verification.confirm(decision, by=make_staff("vetting"))
    assert clearance.is_held(buyer)
    assert clearance.are_held(listing=offer.listing, buyer=buyer, seller=seller)
    with pytest.raises(NotCleared):
        clearance.require_not_held(listing=offer.listing, buyer=buyer, seller=seller, trade_id=1)
    assert codes(buyer, offer) == ["buyer_not_verified"]
    if act == "suspend":
        verification.reinstate(buyer.verification, reason_code="cleared", reason="Nothing found.", by=vetter)
        assert not clearance.is_held(buyer)
        assert codes(buyer, offer) == []


@pytest.mark.parametrize("subject", ["organisation", "listing", "trade"])
def test_a_hold_stops_until_it_is_lifted(offer, subject):
    buyer, seller = make_verified(), offer.listing.seller
    pk = {"organisation": seller.pk, "listing": offer.listing_id, "trade": 7}[subject]
    placed = hold(subject, pk)
    facts = {"listing": offer.listing, "buyer": buyer, "seller": seller, "trade_id": 7}
    with pytest.raises(NotCleared) as refusal:
        clearance.require_not_held(**facts)
    assert [reason["code"] for reason in refusal.value.reasons] == [f"{subject}_held"]
    assert codes(buyer, offer) == ([] if subject == "trade" else [f"{subject}_held"])
    holds.lift(placed, reason="Cleared up.", by=make_staff("review"))
    clearance.require_not_held(**facts)
    assert list(Event.objects.filter(kind__startswith="hold.").values_list("kind", flat=True)) == [
        "hold.placed",
        "hold.lifted",
    ]


def test_a_hold_has_a_reason_a_subject_and_somebody_who_may():
    organisation = make_verified()
    vetter = make_staff("vetting")
    with pytest.raises(RoleNeeded):
        holds.place("organisation", organisation.pk, **WHY, by=make_staff("payments"))
    with pytest.raises(RoleNeeded):
        holds.place("organisation", organisation.pk, **WHY, by=owner_of(organisation))
    with pytest.raises(Invalid):
        holds.place("organisation", organisation.pk, reason_code="dislike", reason="x", by=vetter)
    with pytest.raises(Invalid):
        holds.place("organisation", 0, **WHY, by=vetter)
    with pytest.raises(Invalid):
        holds.place("person", organisation.pk, **WHY, by=vetter)
    assert not Hold.objects.exists()


def test_staff_neither_hold_nor_release_their_own_organisation():
    organisation = make_verified()
    member = make_member(organisation, "viewer")
    member.is_staff, member.staff_roles = True, ["vetting"]
    member.save()
    with pytest.raises(RoleNeeded):
        holds.place("organisation", organisation.pk, **WHY, by=member)
    placed = hold("organisation", organisation.pk)
    with pytest.raises(RoleNeeded):
        holds.lift(placed, reason="It is us.", by=member)
    placed.refresh_from_db()
    assert placed.lifted_at is None


def test_a_hold_is_placed_and_lifted_once():
    organisation = make_verified()
    placed = hold("organisation", organisation.pk)
    with pytest.raises(Refused) as refusal:
        hold("organisation", organisation.pk)
    assert refusal.value.code == "already_held"
    holds.lift(placed, reason="Cleared up.", by=make_staff("vetting"))
    with pytest.raises(WrongState):
        holds.lift(placed, reason="Again.", by=make_staff("vetting"))
    assert Hold.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_hold_at_once_one_does():
    organisation = make_verified()
    assert sorted(together([lambda: hold("organisation", organisation.pk)] * 2)) == ["already_held", "done"]
    assert Hold.objects.count() == 1


def test_held_trades_are_found_together(offer):
    class Trade:
        def __init__(self, pk: int, buyer) -> None:
            self.pk, self.buyer_id = pk, buyer.pk
            self.seller_id, self.listing_id = offer.listing.seller_id, offer.listing_id

    one, two = make_verified(), make_verified()
    trades = [Trade(1, one), Trade(2, two), Trade(3, one)]
    assert holds.held_trade_ids(trades) == set()
    hold("trade", 3)
    verification.suspend(two.verification, **SUSPENDED, by=make_staff("vetting"))
    with CaptureQueriesContext(connection) as asked:
        assert holds.held_trade_ids(trades) == {2, 3}
    assert len(asked) == 1
    hold("listing", offer.listing_id)
    assert holds.held_trade_ids(trades) == {1, 2, 3}


# --- for how long --------------------------------------------------------------------------------------------------


def at(hours: float) -> dt.datetime:
    return timezone.now().replace(microsecond=0) - dt.timedelta(hours=100 - hours)


def held(kind: str, pk: int, since: float, until: float | None) -> None:
    """A hold of the past: rows, because commands write the present."""
    staff = make_staff("vetting")
    lifted = {"lifted_at": at(until), "lifted_by": staff, "lift_reason": "x"} if until is not None else {}
    Hold.objects.create(
        subject_kind=kind,
        subject_id=pk,
        reason_code="complaint",
        reason="x",
        placed_by=staff,
        placed_at=at(since),
        **lifted,
    )


def hours(time: dt.timedelta) -> float:
    return round(time.total_seconds() / 3600, 2)


def test_held_time_is_the_union_of_all_that_was_held():
    subjects = [("trade", 1), ("listing", 2), ("organisation", 3)]
    held("trade", 1, 10, 20)
    held("listing", 2, 15, 25)
    held("organisation", 3, 30, 31)
    held("trade", 1, 30.5, 40)
    held("trade", 9, 0, 50)  # another's
    assert hours(holds.held_time(subjects, at(0), at(50))) == 25
    assert hours(holds.held_time(subjects, at(12), at(18))) == 6
    assert hours(holds.held_time(subjects, at(26), at(29))) == 0
    assert holds.held_time([], at(0), at(50)) == dt.timedelta()


def test_an_open_hold_counts_until_now_and_not_into_the_future():
    held("trade", 1, 90, None)
    time = holds.held_time([("trade", 1)], at(0), timezone.now() + dt.timedelta(days=30))
    assert hours(time) == 10


def test_a_suspension_counts_as_held_time():
    organisation = make_verified()
    for act, when in (("suspend", 10), ("reinstate", 14), ("suspend", 20)):
        Decision.objects.create(
            verification=organisation.verification,
            act=act,
            reason_code="x",
            reason="x",
            by=make_staff("vetting"),
            proposed_at=at(when),
            decided_at=at(when),
        )
    held("trade", 1, 13, 15)
    subjects = [("trade", 1), ("organisation", organisation.pk)]
    assert hours(holds.held_time(subjects, at(0), at(22))) == 5 + 2


def test_questions_change_nothing(offer):
    stranger = make_organisation()
    before = Event.objects.count()
    assert codes(stranger, offer) == ["buyer_not_verified"]
    assert clearance.reasons_against_listing(stranger)
    assert Event.objects.count() == before
    assert not Hold.objects.exists()


def found(offer, *kinds: str) -> None:
    """The release on sale turns out to hold personal columns of these kinds."""
    profile = Profile.objects.get(release=offer.listing.current_version.release)
    columns = [{"path": "a.csv", "column": kind, "kinds": [kind]} for kind in kinds]
    Profile.objects.filter(pk=profile.pk).update(report=profile.report | {"personal_columns": columns})


def test_personal_data_that_the_manual_denies_stops_the_trade(offer):
    found(offer, "mobile", "email")
    buyer = make_verified()
    assert codes(buyer, offer) == ["personal_data_found"]
    with pytest.raises(NotCleared) as refused:
        clearance.require_trade(buyer, offer)
    assert refused.value.reasons[0]["detail"].startswith("Personal information was found in mobile, email")


def test_sensitive_data_needs_to_be_declared_as_such():
    declared = {"has_personal_data": True, "persons_count": 10, "coverage_population": "Buyers"}
    said = {"terms": terms.default_terms() | {"personal_data": "personal", "territory": ["*"]}}
    listing = make_listed_product(offer=said, classification="general_2", **declared)
    offer = Offer.objects.select_related("listing__seller", "listing__current_version").get(listing=listing)
    found(offer, "mobile")
    assert codes(make_verified(), offer) == []
    found(offer, "bank_card")
    assert codes(make_verified(), offer) == ["sensitive_data_found"]


def test_measured_personal_data_counts_when_data_would_leave_the_mainland():
    listing = make_listed_product(seller=make_verified(country="CN"))
    offer = Offer.objects.select_related("listing__seller", "listing__current_version").get(listing=listing)
    buyer = make_verified(country="HK")
    assert codes(buyer, offer) == []
    found(offer, "mobile")
    assert codes(buyer, offer) == ["personal_data_found", "crossborder_interim"]
