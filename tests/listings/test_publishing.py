"""A product from draft to withdrawal: what each command does, and that what it refuses leaves no trace."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from listings import publishing, uploads
from listings.models import MANUAL, Listing, Version
from listings.states import LISTING_MOVES, VERSION_MOVES, ListingState, VersionState
from marketplace import journal
from marketplace.errors import Invalid, RoleNeeded, WrongState
from marketplace.models import Event
from marketplace.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db


def kinds_recorded(subject: Listing | Version) -> list[str]:
    return [event.kind for event in journal.of(subject)]


def codes(problems: list[publishing.manual.Problem]) -> list[str]:
    return [problem["code"] for problem in problems]


def test_a_new_product_is_unlisted_and_belongs_to_its_seller():
    seller = factories.make_organisation()
    listing = publishing.create_listing(seller=seller, product_type="dataset", by=factories.owner_of(seller))
    assert (listing.state, listing.seller, listing.current_version) == (ListingState.UNLISTED, seller, None)
    assert kinds_recorded(listing) == ["listing.created"]


@pytest.mark.parametrize("product_type", ["painting", "", None, ["dataset"]])
def test_an_unknown_type_of_product_is_refused_and_leaves_no_trace(product_type):
    seller = factories.make_organisation()
    with pytest.raises(Invalid) as refusal:
        publishing.create_listing(seller=seller, product_type=product_type, by=factories.owner_of(seller))
    assert refusal.value.code == "wrong_product_type"
    assert not Listing.objects.exists()
    assert not Event.objects.filter(kind="listing.created").exists()


def test_only_those_who_may_edit_begin_a_product():
    seller = factories.make_organisation()
    for by in (factories.make_member(seller, Role.VIEWER), factories.make_user(), factories.make_staff()):
        with pytest.raises(RoleNeeded):
            publishing.create_listing(seller=seller, product_type="dataset", by=by)
    assert not Listing.objects.exists()


def test_there_is_one_draft_at_a_time_and_the_next_begins_as_its_copy(reviewed):
    seller = factories.make_organisation()
    version = factories.make_draft(seller)
    assert publishing.draft(version.listing, by=factories.owner_of(seller)) == version
    publishing.submit(version, by=factories.owner_of(seller))
    reviewed(version, "request_changes")
    second = publishing.draft(version.listing, by=factories.owner_of(seller))
    assert second.number == 2
    assert second.state == VersionState.DRAFT
    assert {field: getattr(second, field) for field in MANUAL} == {field: getattr(version, field) for field in MANUAL}


@pytest.fixture
def reviewed():
    """Moves a submitted version as compliance would."""

    def move(version: Version, act: str) -> Version:
        reviewer = factories.make_staff("review")
        publishing.take(version, by=reviewer)
        return getattr(publishing, act)(version, by=reviewer)

    return move


def test_a_whole_manual_has_no_problems_and_can_be_submitted():
    seller = factories.make_organisation()
    version = factories.make_draft(seller)
    assert publishing.problems(version) == []
    submitted = publishing.submit(version, by=factories.owner_of(seller))
    assert (submitted.state, submitted.submitted_by) == (VersionState.SUBMITTED, factories.owner_of(seller))
    assert submitted.submitted_at is not None
    assert kinds_recorded(submitted) == ["version.drafted", "version.submitted"]


def test_everything_missing_is_named_at_once_with_its_field():
    seller = factories.make_organisation()
    listing = publishing.create_listing(seller=seller, product_type="dataset", by=factories.owner_of(seller))
    found = publishing.problems(publishing.draft(listing, by=factories.owner_of(seller)))
    assert [(problem["code"], problem["field"]) for problem in found] == [
        ("title_missing", "titles"),
        ("sector_missing", "sector"),
        ("coverage_from_missing", "coverage_from"),
        ("coverage_area_missing", "coverage_area"),
        ("update_frequency_missing", "update_frequency"),
        ("use_scenarios_missing", "use_scenarios"),
        ("forbidden_uses_missing", "forbidden_uses"),
        ("source_statement_missing", "source_statement"),
        ("lawful_basis_missing", "lawful_basis"),
        ("support_contact_missing", "support_contact"),
        ("fields_missing", "fields"),
        ("right_missing", "rights"),
        ("right_missing", "rights"),
        ("right_missing", "rights"),
        ("classification_missing", "classification"),
        ("release_missing", "release"),
    ]
    assert all(problem["detail"].endswith(".") for problem in found)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"classification": "core"}, ["core_data"]),
        ({"titles": {"en": "Only English"}}, ["language_missing", "language_missing"]),
        ({"coverage_area": {"en": "New York"}}, ["language_missing", "language_missing"]),
        ({"coverage_until": "2012-12-31"}, ["period_ends_first"]),
        ({"has_sensitive_data": True}, ["personal_data_contradiction"]),
        ({"persons_count": 7}, ["personal_data_contradiction"]),
        (
            {"has_personal_data": True},
            ["persons_count_missing", "coverage_population_missing", "classification_too_low"],
        ),
        (
            {
                "has_personal_data": True,
                "has_sensitive_data": True,
                "persons_count": 9,
                "coverage_population": "Patients",
                "classification": "general_3",
            },
            ["classification_too_low"],
        ),
        ({"rights": factories.manual()["rights"] | {"operation": {"held": False}}}, ["operation_right_needed"]),
        ({"rights": factories.manual()["rights"] | {"use": {"held": True}}}, ["right_without_evidence"]),
        ({"fields": [{"name": "carrier"}]}, ["field_unexplained"]),
    ],
)
def test_what_contradicts_itself_is_a_problem_and_cannot_be_submitted(changes, expected):
    seller = factories.make_organisation()
    version = factories.make_draft(seller, **changes)
    assert codes(publishing.problems(version)) == expected
    with pytest.raises(Invalid) as refusal:
        publishing.submit(version, by=factories.owner_of(seller))
    assert refusal.value.code == "manual_incomplete"
    assert [reason["code"] for reason in refusal.value.reasons] == expected
    version.refresh_from_db()
    assert (version.state, version.submitted_by) == (VersionState.DRAFT, None)
    assert kinds_recorded(version) == ["version.drafted"]


def test_a_report_needs_no_field_dictionary():
    seller = factories.make_organisation()
    assert publishing.problems(factories.make_draft(seller, product_type="report", fields=[])) == []


def test_a_release_must_be_sealed_and_measured_before_its_manual_is_submitted():
    seller = factories.make_organisation()
    version = factories.make_draft(seller)
    by = factories.owner_of(seller)
    opened = uploads.open_release(version.listing, label="next", by=by)
    assert codes(publishing.problems(publishing.edit(version, release=opened, by=by))) == ["release_not_sealed"]
    unmeasured = factories.make_release(version.listing, label="later", is_profiled=False)
    assert codes(publishing.problems(publishing.edit(version, release=unmeasured, by=by))) == ["profile_not_ready"]


def test_personal_information_that_was_found_must_be_declared():
    seller = factories.make_organisation()
    people = "name,phone\n" + "".join(f"P{number},1380013{number:04}\n" for number in range(50))
    version = factories.make_draft(seller)
    release = factories.make_release(version.listing, files={"people.csv": people.encode()}, label="people")
    version = publishing.edit(version, release=release, by=factories.owner_of(seller))
    assert codes(publishing.problems(version)) == ["personal_data_found"]


def test_another_products_release_is_refused():
    seller = factories.make_organisation()
    version, other = factories.make_draft(seller), factories.make_draft(seller)
    before = version.release
    with pytest.raises(Invalid):
        publishing.edit(version, release=other.release, by=factories.owner_of(seller))
    version.refresh_from_db()
    assert version.release == before


WRONG_FIELDS = [
    ("titles", "just a text"),
    ("titles", {"fr": "Départs"}),
    ("titles", {"en": 7}),
    ("titles", {"en": "x" * 161}),
    ("titles", {"en": "NUL \0 inside"}),
    ("summaries", {"en": "half a pair \ud800"}),
    ("sector", "sports"),
    ("coverage_from", 2013),
    ("coverage_from", "2013"),
    ("coverage_until", "2013-02-30"),
    ("coverage_area", "New York"),
    ("coverage_area", {"en": "x" * 201}),
    ("update_frequency", ["daily"]),
    ("fields", {"name": "carrier"}),
    ("fields", [{"name": "a"}, {"name": "a"}]),
    ("fields", [{"name": "a", "colour": "red"}]),
    ("fields", [{"name": "a", "is_key": "yes"}]),
    ("fields", [{"name": str(number)} for number in range(2001)]),
    ("rights", {"ownership": {"held": True}}),
    ("rights", {"use": True}),
    ("rights", {"use": {"held": "yes"}}),
    ("classification", "secret"),
    ("has_personal_data", "false"),
    ("persons_count", -1),
    ("persons_count", True),
    ("persons_count", 10**12),
    ("release", 12),
    ("state", "approved"),
    ("colour", "red"),
]


def test_a_wrong_field_is_refused_by_its_name_and_nothing_is_changed():
    seller = factories.make_organisation()
    version = factories.make_draft(seller)
    before = Version.objects.values().get(pk=version.pk)
    by = factories.owner_of(seller)
    for field, value in WRONG_FIELDS:
        with pytest.raises(Invalid) as refusal:
            publishing.edit(version, by=by, **{"support_contact": "new@seller.example", field: value})
        assert refusal.value.code == "wrong_manual", field
        assert [reason["field"] for reason in refusal.value.reasons] == [field]
        assert Version.objects.values().get(pk=version.pk) == before, field


def test_html_and_formulas_in_a_manual_stay_the_text_they_are():
    seller = factories.make_organisation()
    hostile = '=HYPERLINK("http://x")<script>alert(1)</script>'
    version = factories.make_draft(seller, titles={"en": hostile}, summaries={"en": hostile})
    version.refresh_from_db()
    assert version.titles == {"en": hostile}


def test_a_submitted_manual_never_changes():
    seller = factories.make_organisation()
    version = publishing.submit(factories.make_draft(seller), by=factories.owner_of(seller))
    with pytest.raises(WrongState):
        publishing.edit(version, support_contact="new@seller.example", by=factories.owner_of(seller))
    with pytest.raises(DatabaseError), transaction.atomic():
        Version.objects.filter(pk=version.pk).update(support_contact="new@seller.example")
    version.refresh_from_db()
    assert version.support_contact == "data@seller.example"


def test_only_owner_and_steward_submit():
    seller = factories.make_organisation()
    version = factories.make_draft(seller)
    with pytest.raises(RoleNeeded):
        publishing.submit(version, by=factories.make_member(seller, Role.TRADER))
    version.refresh_from_db()
    assert version.state == VersionState.DRAFT
    publishing.submit(version, by=factories.make_member(seller, Role.DATA_STEWARD))


def test_one_version_is_under_review_at_a_time(reviewed):
    seller = factories.make_organisation()
    by = factories.owner_of(seller)
    first = publishing.submit(factories.make_draft(seller), by=by)
    second = publishing.draft(first.listing, by=by)
    with pytest.raises(WrongState) as refusal:
        publishing.submit(second, by=by)
    assert refusal.value.code == "already_in_review"
    reviewed(first, "refuse")
    assert publishing.submit(second, by=by).state == VersionState.SUBMITTED


def undeclared(moves, acts):
    return [(state, act) for state in moves for act in acts if act not in moves[state]]


@pytest.mark.parametrize(("state", "act"), undeclared(VERSION_MOVES, ["take", "approve", "request_changes", "refuse"]))
def test_a_version_moves_only_as_its_map_says(state, act, at_version_state):
    version = at_version_state(state)
    with pytest.raises(WrongState):
        getattr(publishing, act)(version, by=factories.make_staff())
    version.refresh_from_db()
    assert version.state == state


@pytest.fixture
def at_version_state(reviewed):
    def make(state: str) -> Version:
        if state == VersionState.APPROVED:
            return factories.make_approved(factories.make_draft(factories.make_verified()))
        seller = factories.make_organisation()
        version = factories.make_draft(seller)
        if state == VersionState.DRAFT:
            return version
        publishing.submit(version, by=factories.owner_of(seller))
        act = {"changes_requested": "request_changes", "refused": "refuse"}
        if state == VersionState.WITHDRAWN:
            publishing.take_back(version, by=factories.owner_of(seller))
        elif state == VersionState.IN_REVIEW:
            publishing.take(version, by=factories.make_staff())
        elif state != VersionState.SUBMITTED:
            reviewed(version, act[state])
        version.refresh_from_db()
        return version

    return make


def test_only_staff_for_reviews_suspend_a_product():
    seller = factories.make_organisation()
    listing = factories.make_draft(seller).listing
    with pytest.raises(RoleNeeded):
        publishing.suspend(listing, reason="We want to.", by=factories.owner_of(seller))
    with pytest.raises(WrongState):
        publishing.suspend(listing, reason="Complaint", by=factories.make_staff("review"))
    listing.refresh_from_db()
    assert (listing.state, listing.reason) == (ListingState.UNLISTED, "")


def test_a_withdrawn_product_takes_its_offers_with_it_and_nothing_new():
    seller = factories.make_organisation()
    by = factories.owner_of(seller)
    version = factories.make_draft(seller)
    offer = factories.make_offer(version.listing)
    with pytest.raises(Invalid):
        publishing.withdraw(version.listing, reason="  ", by=by)
    listing = publishing.withdraw(version.listing, reason="No longer kept.", by=by)
    offer.refresh_from_db()
    assert (listing.state, listing.reason) == (ListingState.WITHDRAWN, "No longer kept.")
    assert offer.closed_at is not None
    for command in (
        lambda: publishing.draft(listing, by=by),
        lambda: publishing.edit(version, support_contact="x", by=by),
        lambda: publishing.submit(version, by=by),
        lambda: uploads.open_release(listing, label="new", by=by),
        lambda: factories.make_offer(listing),
        lambda: publishing.withdraw(listing, reason="Again.", by=by),
    ):
        with pytest.raises(WrongState):
            command()
    assert kinds_recorded(listing) == ["listing.created", "listing.withdrawn"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (before, after)
        for before in LISTING_MOVES
        for after in LISTING_MOVES
        if before != after and after not in LISTING_MOVES[before].values() and before == ListingState.UNLISTED
    ],
)
def test_the_database_refuses_undeclared_moves_of_a_new_listing(before, after):
    listing = factories.make_draft(factories.make_organisation()).listing
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE listings_listing SET state = %s WHERE id = %s", [after, listing.pk])
    listing.refresh_from_db()
    assert listing.state == before
