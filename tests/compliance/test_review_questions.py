"""Targets that stand still while the seller is asked, kept decisions, notes, and versions taken back."""

import datetime as dt
from contextlib import ExitStack
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, connection, transaction

from compliance import checklists, exchange_rules, review_history, review_questions, review_targets, reviews
from compliance.models import Review, ReviewDecision, ReviewNote, ReviewQuestion
from listings import publishing
from listings.models import Version
from marketplace import clock, journal
from marketplace.errors import Invalid, RoleNeeded, WrongState
from marketplace.models import Letter
from tests.factories import (
    approve,
    make_draft,
    make_listed_product,
    make_member,
    make_offer,
    make_staff,
    make_verified,
    owner_of,
)
from tests.races import together

pytestmark = pytest.mark.django_db

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = dt.datetime(2026, 11, 23, 10, tzinfo=SHANGHAI)
HOUR = dt.timedelta(hours=1)
UNCLEAR = {"reason_code": "manual_unclear", "reason": "Say which airports."}


@pytest.fixture
def clock_at():
    """Move the exchange's clock to so many hours after MONDAY; it goes on from there."""
    with ExitStack() as moves:
        yield lambda hours: moves.enter_context(clock.moved_to(MONDAY + hours * HOUR))


def taken(**manual) -> tuple[Review, object]:
    version = make_draft(make_verified(), **manual)
    review = reviews.submit(version, by=owner_of(version.listing.seller))
    reviewer = make_staff("review")
    return reviews.take(review, by=reviewer), reviewer


def seller_of(review: Review):
    return owner_of(review.version.listing.seller)


def ask(review: Review, by, field: str = "coverage_from") -> ReviewQuestion:
    return review_questions.ask(review, field=field, question="Since when?", by=by)


def kinds_recorded(subject) -> list[str]:
    return list(journal.of(subject).order_by("pk").values_list("kind", flat=True))


def state_of(review: Review) -> str:
    return Review.objects.get(pk=review.pk).state


# --- questions -----------------------------------------------------------------------------------------------------


def test_a_question_is_answered_in_place_and_the_version_stays_as_it_is():
    review, reviewer = taken()
    question = ask(review, reviewer)
    review.refresh_from_db()
    assert review.stands_still_since == question.asked_at
    answered = review_questions.answer(question, answer=" Since 2013. ", by=seller_of(review))
    assert (answered.answer, answered.answered_by) == ("Since 2013.", seller_of(review))
    review.refresh_from_db()
    assert (review.stands_still_since, review.state) == (None, "taken")
    assert Version.objects.get(pk=review.version_id).state == "in_review"
    assert kinds_recorded(review)[-2:] == ["review.question_asked", "review.question_answered"]
    facts = journal.of(review).order_by("pk").last().facts
    assert "Since" not in str(facts)


def hours_after_monday(moment: dt.datetime) -> int:
    return round((moment - MONDAY) / HOUR)


def test_those_who_may_answer_get_a_letter_in_their_language():
    review, reviewer = taken()
    seller = review.version.listing.seller
    trader, viewer = make_member(seller, "trader"), make_member(seller, "viewer")
    trader.language = "zh-hant"
    trader.save()
    question = ask(review, reviewer)
    letters = {letter.to: letter for letter in Letter.objects.filter(body__contains=f"#question-{question.pk}")}
    assert set(letters) == {seller_of(review).email, trader.email} and viewer.email not in letters
    assert letters[seller_of(review).email].subject == "The reviewers ask about “Departures of New York”"
    assert letters[trader.email].subject == "審核人就「紐約航班離港數據」提問"
    assert all("Since when?" in letter.body for letter in letters.values())


def test_the_target_stands_still_in_working_time_while_a_question_waits(clock_at):
    clock_at(0)
    review, reviewer = taken()
    assert (review.target_hours, hours_after_monday(review.due_at)) == (16, 48)
    clock_at(4)
    first, second = ask(review, reviewer), ask(review, reviewer, "rights")
    clock_at(24)  # four working hours later
    review_questions.answer(first, answer="Yes.", by=seller_of(review))
    review.refresh_from_db()
    age = review_targets.age_of(review)
    assert (age.state, round(age.passed_hours)) == ("stands_still", 4)
    clock_at(48)  # twelve working hours after it was asked
    review_questions.withdraw(second, by=reviewer)
    review.refresh_from_db()
    age = review_targets.age_of(review)
    assert (hours_after_monday(review.due_at), age.state, round(age.passed_hours)) == (76, "in_time", 4)
    clock_at(78)
    age = review_targets.age_of(review)
    assert (age.state, round(age.over_hours)) == ("overdue", 2)
    assert Review.objects.filter(review_targets.overdue()).get() == review


def test_nobody_approves_while_a_question_waits_but_it_may_be_sent_back():
    review, reviewer = taken()
    question = ask(review, reviewer)
    with pytest.raises(reviews.QuestionOpen):
        approve(review, by=reviewer)
    assert not ReviewDecision.objects.filter(review=review).exists()
    reviews.request_changes(review, **UNCLEAR, by=reviewer)
    question.refresh_from_db()
    assert (question.is_open, question.withdrawn_by) == (False, reviewer)
    with pytest.raises(WrongState):
        review_questions.answer(question, answer="Too late.", by=seller_of(review))
    question.refresh_from_db()
    assert question.answer == ""


def test_one_asks_only_about_a_field_of_a_review_in_hand():
    version = make_draft(make_verified())
    review = reviews.submit(version, by=owner_of(version.listing.seller))
    reviewer = make_staff("review")
    with pytest.raises(WrongState):
        ask(review, reviewer)
    reviews.take(review, by=reviewer)
    for wrong in ({"field": "weather", "question": "?"}, {"field": "rights", "question": " "}):
        with pytest.raises(Invalid):
            review_questions.ask(review, **wrong, by=reviewer)
    assert not ReviewQuestion.objects.exists()


def test_members_of_the_seller_and_other_staff_neither_ask_nor_note():
    review, _reviewer = taken()
    member = make_member(review.version.listing.seller, "viewer")
    member.is_staff, member.staff_roles = True, ["review"]
    member.save()
    for person in (member, make_staff("vetting"), make_staff("audit")):
        with pytest.raises(RoleNeeded):
            ask(review, person)
        with pytest.raises(RoleNeeded):
            review_questions.note(review, text="Mine.", by=person)
    assert not ReviewQuestion.objects.exists() and not ReviewNote.objects.exists()


def test_only_the_seller_answers():
    review, reviewer = taken()
    question = ask(review, reviewer)
    viewer = make_member(review.version.listing.seller, "viewer")
    for person in (reviewer, viewer, owner_of(make_verified())):
        with pytest.raises(RoleNeeded):
            review_questions.answer(question, answer="Mine.", by=person)
    question.refresh_from_db()
    assert question.is_open


# --- decisions that are kept ---------------------------------------------------------------------------------------


def test_every_decision_keeps_who_when_why_and_by_which_rules():
    review, first = taken()
    second = make_staff("review")
    answers = checklists.all_yes(reviews.checklist_of(review))
    answers["words"] = {"answer": "no", "note": "The unit of air_time is unclear."}
    reviews.approve(review, answers=answers, by=first)
    reviews.refuse(review, reason_code="misleading", reason="It is not what it says.", by=second)
    kept = list(ReviewDecision.objects.filter(review=review))
    versions = (exchange_rules.CURRENT_VERSION, checklists.CURRENT_VERSION)
    assert [(one.act, one.by, one.reason_code) for one in kept] == [
        ("approve", first, ""),
        ("refuse", second, "misleading"),
    ]
    assert {(one.rules_version, one.checklist_version) for one in kept} == {versions}
    assert {one["item"]: one["answer"] for one in kept[0].answers} == {
        "rights": "yes",
        "source": "yes",
        "classification": "yes",
        "truth": "yes",
        "words": "no",
    }
    titles = [entry.title for entry in review_history.thread(review.version.listing, with_notes=True)]
    assert titles == ["Refused", "Approved", "Handed in"]


def test_an_approval_without_its_checklist_is_refused_and_changes_nothing():
    review, reviewer = taken()
    answers = checklists.all_yes(reviews.checklist_of(review)) | {"rights": {"answer": "no", "note": ""}}
    with pytest.raises(reviews.ChecklistNotMet) as refusal:
        reviews.approve(review, answers=answers, by=reviewer)
    assert [reason["field"] for reason in refusal.value.reasons] == ["rights"]
    assert (state_of(review), ReviewDecision.objects.count()) == ("taken", 0)


@pytest.mark.parametrize(
    ("manual", "items"),
    [
        ({}, {"rights", "source", "classification", "truth", "words"}),
        ({"product_type": "model"}, {"rights", "source", "classification", "content", "training_data", "words"}),
        (
            {"lawful_basis": "authorised"},
            {"rights", "source", "classification", "truth", "words", "authorisation"},
        ),
    ],
)
def test_the_checklist_fits_the_product(manual, items):
    version = make_draft(make_verified(), **manual)
    assert {item.id for item in checklists.items_for(version, has_approved_before=False)} == items
    assert {item.id for item in checklists.items_for(version, has_approved_before=True)} == items | {"changes"}


def test_a_review_carries_its_risk_and_a_price_that_rose_since_counts_when_it_is_taken():
    version = make_draft(make_verified())
    review = reviews.submit(version, by=owner_of(version.listing.seller))
    before = {one["code"] for one in review.risk}
    assert "first_product" in before and "price_high" not in before
    make_offer(version.listing, price_minor=10_000_000)
    review = reviews.take(review, by=make_staff("review"))
    assert {one["code"] for one in review.risk} == before | {"price_high"}
    assert review.risk_points == sum(one["points"] for one in review.risk)


# --- taken back ----------------------------------------------------------------------------------------------------


def test_the_seller_takes_a_version_back_and_hands_in_the_next():
    review, reviewer = taken()
    question = ask(review, reviewer)
    owner = seller_of(review)
    reviews.take_back(review, by=owner)
    review.refresh_from_db()
    assert (review.state, review.version.state, review.stands_still_since) == ("withdrawn", "withdrawn", None)
    question.refresh_from_db()
    assert not question.is_open
    with pytest.raises(WrongState):
        approve(review, by=reviewer)
    again = reviews.submit(publishing.draft(review.version.listing, by=owner), by=owner)
    assert (again.version.number, again.state) == (2, "open")
    titles = [entry.title for entry in review_history.thread(review.version.listing, with_notes=True)]
    assert titles[:3] == ["Handed in", "Taken back by the seller", "Question withdrawn"]


def test_what_was_decided_is_not_taken_back_and_traders_take_nothing_back():
    review, reviewer = taken()
    with pytest.raises(RoleNeeded):
        reviews.take_back(review, by=make_member(review.version.listing.seller, "trader"))
    with pytest.raises(RoleNeeded):
        reviews.take_back(review, by=reviewer)
    reviews.refuse(review, reason_code="misleading", reason="No.", by=reviewer)
    with pytest.raises(WrongState):
        reviews.take_back(review, by=seller_of(review))
    assert state_of(review) == "refused"


# --- suspension ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["suspend", "resume", "withdraw"])
def test_no_officer_suspends_resumes_or_withdraws_a_product_of_their_own_house(command):
    listing = make_listed_product()
    if command == "resume":
        listing = publishing.suspend(listing, reason="Looked into.", by=make_staff("review"))
    member = make_member(listing.seller, "viewer")
    member.is_staff, member.staff_roles = True, ["review"]
    member.save()
    said = {} if command == "resume" else {"reason": "Mine."}
    with pytest.raises(RoleNeeded):
        getattr(publishing, command)(listing, by=member, **said)
    before = listing.state
    listing.refresh_from_db()
    assert listing.state == before


# --- what the database refuses -------------------------------------------------------------------------------------


def refused(statement: str, *parameters: object) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement, parameters)


DECIDE = """
    INSERT INTO compliance_reviewdecision
        (review_id, act, by_id, decided_at, reason_code, reason, rules_version, checklist_version, answers)
    VALUES (%s, %s, %s, now(), %s, %s, '', '', '[]')
"""
ASK = """
    INSERT INTO compliance_reviewquestion (review_id, field, question, asked_by_id, asked_at, answer)
    VALUES (%s, 'rights', %s, %s, now(), '')
"""


def test_database_refuses_decisions_of_the_wrong_people_and_moves_without_them():
    review, reviewer = taken()
    owner, member = seller_of(review), make_member(review.version.listing.seller, "viewer")
    for person in (owner, member):
        refused(DECIDE, review.pk, "approve", person.pk, "", "")
    refused(DECIDE, review.pk, "take_back", reviewer.pk, "", "")
    refused(DECIDE, review.pk, "refuse", reviewer.pk, "", "")
    refused("UPDATE compliance_review SET state = 'seconded', by_id = %s WHERE id = %s", reviewer.pk, review.pk)
    refused("UPDATE compliance_review SET state = 'withdrawn' WHERE id = %s", review.pk)
    approve(review, by=reviewer)
    refused(DECIDE, review.pk, "approve", reviewer.pk, "", "")
    second = make_staff("review")
    refused("UPDATE compliance_review SET state = 'approved', second_by_id = %s WHERE id = %s", second.pk, review.pk)
    refused("UPDATE compliance_reviewdecision SET rules_version = 'x'")
    refused("DELETE FROM compliance_reviewdecision")
    refused("TRUNCATE compliance_reviewdecision CASCADE")
    assert (state_of(review), ReviewDecision.objects.count()) == ("seconded", 1)


def test_database_refuses_questions_and_notes_of_the_wrong_people_and_changed_ones():
    review, reviewer = taken()
    member = make_member(review.version.listing.seller, "viewer")
    question = ask(review, reviewer)
    review_questions.note(review, text="Call them.", by=reviewer)
    refused(ASK, review.pk, "Mine?", member.pk)
    refused(ASK, review.pk, "", reviewer.pk)
    answer = "UPDATE compliance_reviewquestion SET answer = %s, answered_by_id = %s, answered_at = now() WHERE id = %s"
    refused(answer, "Mine.", reviewer.pk, question.pk)
    refused(answer, "Mine.", make_staff("review").pk, question.pk)
    refused(answer, "", member.pk, question.pk)
    refused("UPDATE compliance_reviewquestion SET question = 'Another?'")
    refused("UPDATE compliance_reviewquestion SET answered_at = now()")
    review_questions.answer(question, answer="Yes.", by=seller_of(review))
    refused("UPDATE compliance_reviewquestion SET answer = 'No.'")
    refused("DELETE FROM compliance_reviewquestion")
    refused(
        "INSERT INTO compliance_reviewnote (review_id, by_id, at, text) VALUES (%s, %s, now(), 'x')",
        review.pk,
        member.pk,
    )
    refused("UPDATE compliance_reviewnote SET text = 'Another.'")
    refused("DELETE FROM compliance_reviewnote")
    reviews.refuse(review, reason_code="misleading", reason="No.", by=reviewer)
    refused(ASK, review.pk, "Still?", reviewer.pk)
    refused("UPDATE compliance_review SET stands_still_since = now()")


def test_database_refuses_an_approval_while_a_question_waits():
    review, reviewer = taken()
    approve(review, by=reviewer)
    ask(review, reviewer)
    second = make_staff("review")
    approved = """
        UPDATE compliance_review
        SET state = 'approved', second_by_id = %s, decided_at = now(), stands_still_since = NULL WHERE id = %s
    """
    waits = pytest.raises(DatabaseError, match="while a question waits")
    with waits, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(DECIDE, [review.pk, "approve", second.pk, "", ""])
        cursor.execute(approved, [second.pk, review.pk])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert (state_of(review), ReviewDecision.objects.count()) == ("seconded", 1)


# --- at the same instant -------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_an_answer_and_a_refusal_at_once_leave_one_story():
    review, reviewer = taken()
    question, owner = ask(review, reviewer), seller_of(review)
    answers = together(
        [
            partial(review_questions.answer, question, answer="Since 2013.", by=owner),
            partial(reviews.refuse, review, reason_code="misleading", reason="No.", by=reviewer),
        ]
    )
    question.refresh_from_db()
    review.refresh_from_db()
    assert (review.state, review.stands_still_since) == ("refused", None)
    assert sorted(answers) == (["done", "done"] if question.answered_at else ["done", "wrong_state"])
    assert bool(question.answered_at) != bool(question.withdrawn_at)


@pytest.mark.django_db(transaction=True)
def test_two_answers_at_once_leave_one():
    review, reviewer = taken()
    question = ask(review, reviewer)
    steward = make_member(review.version.listing.seller, "data_steward")
    answers = together(
        [
            partial(review_questions.answer, question, answer=str(person), by=person)
            for person in (seller_of(review), steward)
        ]
    )
    assert sorted(answers) == ["done", "wrong_state"]
    assert kinds_recorded(review).count("review.question_answered") == 1


@pytest.mark.django_db(transaction=True)
def test_a_question_and_an_approval_at_once_never_approve_over_a_question():
    review, reviewer = taken()
    approve(review, by=reviewer)
    second = make_staff("review")
    answers = together([partial(ask, review, reviewer), partial(approve, review, by=second)])
    review.refresh_from_db()
    if review.state == "approved":
        assert sorted(answers) == ["done", "wrong_state"] and not ReviewQuestion.objects.exists()
    else:
        assert sorted(answers) == ["done", "question_open"] and ReviewQuestion.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_taking_back_and_the_second_approval_at_once_leave_one_outcome():
    review, reviewer = taken()
    approve(review, by=reviewer)
    answers = together(
        [partial(reviews.take_back, review, by=seller_of(review)), partial(approve, review, by=make_staff("review"))]
    )
    assert sorted(answers) == ["done", "wrong_state"]
    review.refresh_from_db()
    assert (review.state, review.version.state) in (("approved", "approved"), ("withdrawn", "withdrawn"))
