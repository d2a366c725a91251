"""Papers: issued once with the digest of their record, read by those they name, revoked by two people."""

from __future__ import annotations

import threading

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from marketplace import documents, journal
from marketplace.canonical import NotCanonical, digest_of
from marketplace.documents import Sheet
from marketplace.errors import Invalid, RoleNeeded, WrongState
from marketplace.models import Event, Organisation, Paper, Revocation, User
from marketplace.numbers import is_valid, kind_of
from marketplace.roles import StaffRole
from marketplace.typesetting import SCHEMA
from tests.pdf_text import text_of

pytestmark = pytest.mark.django_db
DIGEST = "sha256:" + "9f86d081" * 8


def organisation(name: str) -> Organisation:
    person, _is_new = User.objects.get_or_create(email="founder@example.com")
    return Organisation.objects.create(
        kinds=["supplier"],
        name=name,
        latin_name=name,
        country="HK",
        region="hong_kong",
        number_kind="other",
        registration_number=name,
        created_by=person,
    )


def staff(email: str, *roles: str) -> User:
    return User.objects.create_user(email, is_staff=True, staff_roles=list(roles))


def record_of(holder: Organisation) -> dict[str, object]:
    return {
        "register_number": "PR-4K7Q-X9M2-HDPW",
        "holder": documents.party(holder),
        "titles": {"en": "Airports", "zh-hans": "机场"},
        "product_type": "dataset",
        "version": 1,
        "rights": {"holding": {"held": True}, "use": {"held": True}, "operation": {"held": False}},
        "source_statement": "Surveyed.",
        "classification": "general_1",
        "has_personal_data": False,
        "release_digest": DIGEST,
        "registered_at": "2026-11-20T23:30:00+00:00",
    }


@pytest.fixture
def holder() -> Organisation:
    return organisation("Harbour Data")


def issued(holder: Organisation, **changes: object) -> Paper:
    given = {"title": "Airports", "record": record_of(holder), "readers": [holder]} | changes
    return documents.issue("registration_certificate", holder, **given)  # type: ignore[arg-type]


def test_a_paper_keeps_its_record_with_number_issuer_time_and_digest(holder):
    paper = Paper.objects.get(pk=issued(holder).pk)
    assert is_valid(paper.number) and kind_of(paper.number) == "registration_certificate"
    assert paper.record == record_of(holder) | {
        "schema": SCHEMA,
        "number": paper.number,
        "issuer": "Databourse",
        "issued_at": paper.issued_at.isoformat(),
    }
    assert paper.digest == digest_of(paper.record)
    assert (paper.subject_kind, paper.subject_id, paper.title) == ("organisation", holder.pk, "Airports")
    assert list(paper.readers.all()) == [holder]
    assert [event.facts for event in journal.of(paper)] == [
        {"number": paper.number, "kind": "registration_certificate", "digest": paper.digest}
    ]


def test_issuing_twice_gives_the_first_paper_and_records_once(holder):
    first = issued(holder)
    again = issued(holder, title="Another", readers=[organisation("Stranger")])
    assert again == first
    assert again.title == "Airports"
    assert list(first.readers.all()) == [holder]
    assert Event.objects.filter(kind="paper.issued").count() == 1


def test_many_papers_take_as_many_statements_as_one(holder):
    others = [organisation(f"Member {number}") for number in range(30)]

    def sheet(subject: Organisation) -> Sheet:
        return Sheet("registration_certificate", subject, subject.name, record_of(subject), [subject, holder])

    with CaptureQueriesContext(connection) as one:
        documents.issue_many([sheet(others[0])])
    with CaptureQueriesContext(connection) as many:
        papers = documents.issue_many([sheet(other) for other in others])
    assert len(many) == len(one) <= 7  # five, and the savepoint of this test's own transaction
    assert [paper.subject_id for paper in papers] == [other.pk for other in others]
    assert Paper.objects.count() == 30
    assert holder.papers.count() == 30
    assert Event.objects.filter(kind="paper.issued").count() == 30


def test_a_batch_that_names_a_subject_twice_issues_one_paper(holder):
    sheet = Sheet("registration_certificate", holder, "Airports", record_of(holder), [holder, holder])
    first, second = documents.issue_many([sheet, sheet])
    assert first == second
    assert Paper.objects.count() == 1
    assert first.readers.count() == 1


@pytest.mark.django_db(transaction=True)
def test_six_at_once_issue_one_paper(holder):
    numbers, start = [], threading.Barrier(6)

    def work() -> None:
        start.wait()
        try:
            numbers.append(issued(holder).number)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(numbers) == 6 and len(set(numbers)) == 1
    assert Paper.objects.count() == 1
    assert Event.objects.filter(kind="paper.issued").count() == 1


def test_a_record_that_is_not_canonical_leaves_nothing(holder):
    with pytest.raises(NotCanonical):
        issued(holder, record=record_of(holder) | {"quality": 0.5})
    assert not Paper.objects.exists() and not Event.objects.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE marketplace_paper SET record = '{}'",
        "UPDATE marketplace_paper SET is_sandbox = true",
        "DELETE FROM marketplace_paper_readers; DELETE FROM marketplace_paper",
        "SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE marketplace_paper CASCADE",
    ],
)
def test_the_database_refuses_to_change_a_paper(holder, statement):
    paper = issued(holder)
    with pytest.raises((ProgrammingError, IntegrityError)), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Paper.objects.get().digest == paper.digest


def test_the_pdf_carries_number_digest_and_the_address_with_the_check_code(holder, settings):
    settings.BASE_URL = "https://exchange.example"
    paper = issued(holder)
    text = text_of(documents.pdf(paper, language="zh-hans"))
    assert paper.number in text
    assert paper.digest in text
    assert f"https://exchange.example/verify/{paper.number}/?code={paper.check_code}" in text
    assert "机场" in text
    assert "沙盒" not in text
    other = organisation("Other")
    sandboxed = documents.issue(
        "registration_certificate", other, title="A", record=record_of(other), readers=[], is_sandbox=True
    )
    assert "No money moved" in text_of(documents.pdf(sandboxed, language="en"))


def test_two_of_the_staff_revoke_a_paper(holder):
    paper, first = issued(holder), staff("review@example.com", StaffRole.REVIEW)
    second = staff("clearing@example.com", StaffRole.CLEARING)
    asked = documents.ask_revocation(paper, reason="  The source was not the holder's. ", by=first)
    assert documents.revocation_of(paper) is None
    confirmed = documents.confirm_revocation(asked, by=second)
    assert documents.revocation_of(paper) == confirmed
    assert (confirmed.reason, confirmed.by, confirmed.second_by) == ("The source was not the holder's.", first, second)
    assert [event.kind for event in journal.of(paper)] == ["paper.issued", "paper.revocation_asked", "paper.revoked"]
    with pytest.raises(WrongState):
        documents.confirm_revocation(asked, by=second)


def test_one_person_cannot_revoke_a_paper(holder):
    paper, person = issued(holder), staff("review@example.com", StaffRole.REVIEW)
    asked = documents.ask_revocation(paper, reason="Wrong holder", by=person)
    with pytest.raises(documents.SecondPersonNeeded):
        documents.confirm_revocation(asked, by=person)
    with pytest.raises(WrongState) as refusal:
        documents.ask_revocation(paper, reason="Again", by=person)
    assert refusal.value.code == "revocation_asked"
    assert documents.revocation_of(paper) is None
    with pytest.raises(IntegrityError), transaction.atomic():
        Revocation.objects.filter(pk=asked.pk).update(second_by=person, revoked_at="2026-11-21T00:00Z")
    with pytest.raises(IntegrityError), transaction.atomic():
        Revocation.objects.filter(pk=asked.pk).update(revoked_at="2026-11-21T00:00Z")


def test_only_staff_with_the_role_revoke_and_only_for_a_reason(holder):
    paper = issued(holder)
    for person in (holder.created_by, staff("vetting@example.com", StaffRole.VETTING)):
        with pytest.raises(RoleNeeded):
            documents.ask_revocation(paper, reason="Because", by=person)
    reviewer = staff("review@example.com", StaffRole.REVIEW)
    with pytest.raises(Invalid):
        documents.ask_revocation(paper, reason="  ", by=reviewer)
    assert not Revocation.objects.exists()
    asked = documents.ask_revocation(paper, reason="Wrong", by=reviewer)
    with pytest.raises(RoleNeeded):
        documents.confirm_revocation(asked, by=staff("audit@example.com", StaffRole.AUDIT))
    assert documents.revocation_of(paper) is None
