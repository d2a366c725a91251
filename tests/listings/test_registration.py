"""From approval to the register: one entry, one certificate, whatever happens to the worker."""

from __future__ import annotations

import threading

import pytest
from django.db import DatabaseError, connection, connections, transaction

from compliance import reviews
from listings import publishing, registration
from listings.models import Listing, Registration
from listings.states import ListingState
from marketplace import documents, journal, numbers
from marketplace.errors import Invalid, WrongState
from marketplace.models import Event, Paper
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def approved():
    return factories.make_approved(factories.make_draft(factories.make_verified("雲圖數據有限公司")))


def test_an_approved_version_is_registered_and_its_product_listed(approved):
    entry = registration.register_next()
    listing = approved.listing
    listing.refresh_from_db()
    assert (listing.state, listing.current_version) == (ListingState.LISTED, approved)
    assert listing.listed_at is not None
    assert numbers.kind_of(entry.number) == "product"
    assert (entry.version, entry.holder, entry.release_digest) == (approved, listing.seller, approved.release.digest)
    assert (entry.rights, entry.source_statement) == (approved.rights, approved.source_statement)
    assert [event.kind for event in journal.of(listing)] == ["listing.created", "listing.published"]
    assert "version.registered" in [event.kind for event in journal.of(approved)]
    assert registration.register_next() is None


def test_the_certificate_states_holder_rights_source_digest_and_date(approved):
    entry = registration.register_next()
    paper = Paper.objects.get(kind="registration_certificate")
    assert list(paper.readers.all()) == [approved.listing.seller]
    stated = {key: paper.record[key] for key in ("register_number", "rights", "source_statement", "release_digest")}
    assert stated == {
        "register_number": entry.number,
        "rights": approved.rights,
        "source_statement": approved.source_statement,
        "release_digest": approved.release.digest,
    }
    assert paper.record["holder"]["name"] == "雲圖數據有限公司"
    assert paper.record["registered_at"].startswith(str(entry.registered_at.year))
    assert documents.pdf(paper, language="zh-hant").startswith(b"%PDF")


def test_a_failure_halfway_leaves_nothing_and_the_next_run_does_all_of_it(approved, monkeypatch):
    def breaks(*args, **kwargs):
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr(publishing, "publish", breaks)
        assert registration.register_due() == 0
    listing = Listing.objects.get()
    assert (listing.state, listing.current_version) == (ListingState.UNLISTED, None)
    assert (Registration.objects.count(), Paper.objects.count()) == (0, 0)
    assert not Event.objects.filter(kind="version.registered").exists()
    assert registration.register_due() == 1
    assert (Registration.objects.count(), Paper.objects.count()) == (1, 2)


def test_one_that_fails_does_not_hold_up_the_others(approved, monkeypatch):
    second = factories.make_approved(factories.make_draft(factories.make_verified()))
    issue = documents.issue

    def breaks_for_the_first(kind, subject, **facts):
        if subject.version_id == approved.pk:
            raise ConnectionResetError
        return issue(kind, subject, **facts)

    monkeypatch.setattr(documents, "issue", breaks_for_the_first)
    assert registration.register_due() == 1
    assert [entry.version for entry in Registration.objects.all()] == [second]


def test_a_product_on_sale_has_a_listing_certificate_for_each_registered_version():
    listing = factories.make_listed_product()
    entry = listing.current_version.registration
    listed = Paper.objects.get(kind="listing_certificate", subject_kind="registration", subject_id=entry.pk)
    registered = Paper.objects.get(kind="registration_certificate", subject_id=entry.pk)
    assert listed.record | {
        "register_number": entry.number,
        "certificate_number": registered.number,
        "holder": documents.party(listing.seller),
        "listed_at": listing.listed_at.isoformat(timespec="seconds"),
        "plans": {
            "prices": ["fixed"],
            "audiences": ["everyone"],
            "channels": ["files"],
            "territory": {"en": "the whole world", "zh-hans": "全球", "zh-hant": "全球"},
        },
    } == (listed.record)
    assert list(listed.readers.all()) == [listing.seller]
    by = factories.owner_of(listing.seller)
    arrivals = {"titles": {"en": "Arrivals"}, "summaries": {"en": "Every arrival."}}
    second = publishing.edit(publishing.draft(listing, by=by), by=by, **arrivals)
    factories.make_approved(second)
    registration.register_due()
    again = Paper.objects.filter(kind="listing_certificate").latest("pk")
    assert (again.record["version"], again.subject_id) == (2, second.registration.pk)


def test_a_new_version_replaces_the_one_on_sale_without_a_pause():
    listing = factories.make_listed_product()
    first, listed_at = listing.current_version, listing.listed_at
    by = factories.owner_of(listing.seller)
    second = publishing.draft(listing, by=by)
    publishing.edit(second, by=by, titles={"en": "Arrivals"}, summaries={"en": "Every arrival."})
    listing.refresh_from_db()
    assert (listing.current_version, listing.state) == (first, ListingState.LISTED)
    factories.make_approved(second)
    registration.register_due()
    listing.refresh_from_db()
    assert (listing.current_version, listing.state, listing.listed_at) == (second, ListingState.LISTED, listed_at)
    assert Registration.objects.count() == 2


def test_a_suspended_product_stays_suspended_when_its_next_version_is_registered():
    listing = factories.make_listed_product()
    staff = factories.make_staff("review")
    publishing.suspend(listing, reason="Complaint 7.", by=staff)
    second = factories.make_approved(publishing.draft(listing, by=factories.owner_of(listing.seller)))
    registration.register_due()
    listing.refresh_from_db()
    assert (listing.state, listing.reason, listing.current_version) == (ListingState.SUSPENDED, "Complaint 7.", second)
    assert publishing.resume(listing, by=staff).state == ListingState.LISTED


def test_a_withdrawn_product_is_not_registered(approved):
    publishing.withdraw(approved.listing, reason="Sold the company.", by=factories.owner_of(approved.listing.seller))
    assert registration.register_due() == 0
    with pytest.raises(WrongState):
        publishing.register(approved)
    assert not Registration.objects.exists()


def test_a_withdrawn_product_cannot_be_approved():
    version = factories.make_draft(factories.make_verified())
    review = reviews.submit(version, by=factories.owner_of(version.listing.seller))
    first, second = factories.make_staff("review"), factories.make_staff("review")
    reviews.take(review, by=first)
    factories.approve(review, by=first)
    publishing.withdraw(version.listing, reason="No more.", by=factories.owner_of(version.listing.seller))
    with pytest.raises(WrongState):
        factories.approve(review, by=second)
    version.refresh_from_db()
    assert version.state == "in_review"


def test_only_an_approved_version_is_registered():
    version = factories.make_draft(factories.make_verified())
    with pytest.raises(WrongState):
        publishing.register(version)
    with pytest.raises(WrongState):
        publishing.publish(version.listing)
    assert registration.register_due() == 0


@pytest.mark.parametrize("reason", ["", "  ", None, "NUL \0", "x" * 2001])
def test_suspending_needs_a_reason_in_words(reason):
    listing = factories.make_listed_product()
    with pytest.raises(Invalid) as refusal:
        publishing.suspend(listing, reason=reason, by=factories.make_staff("review"))
    assert refusal.value.code == "reason_needed"
    listing.refresh_from_db()
    assert listing.state == ListingState.LISTED


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE listings_registration SET number = 'PR-0000-0000-0000'",
        "DELETE FROM listings_registration",
        "TRUNCATE listings_registration CASCADE",
        "INSERT INTO listings_registration (version_id, number, holder_id, rights, source_statement, release_digest, "
        "registered_at) SELECT version_id, 'PR-again', holder_id, rights, '', '', now() FROM listings_registration",
        "UPDATE listings_listing SET current_version_id = NULL",
        "UPDATE listings_listing SET state = 'unlisted'",
        "UPDATE listings_listing SET state = 'registered'",
    ],
)
def test_the_database_keeps_the_register_and_the_listing_right(statement):
    factories.make_listed_product()
    before = list(Registration.objects.values()), list(Listing.objects.values())
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert (list(Registration.objects.values()), list(Listing.objects.values())) == before


@pytest.mark.django_db(transaction=True)
def test_of_four_workers_one_registers_a_version():
    factories.make_approved(factories.make_draft(factories.make_verified()))
    gate, counts = threading.Barrier(4), []

    def work() -> None:
        gate.wait()
        try:
            counts.append(registration.register_due())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [0, 0, 0, 1]
    assert (Registration.objects.count(), Paper.objects.count()) == (1, 2)
    assert Listing.objects.get().state == ListingState.LISTED
