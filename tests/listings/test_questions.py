"""Questions to the seller: asked for an organisation, answered in public, never changed, hidden for a reason."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from listings import listing_reports, publishing, questions
from listings.models import Answer, Question
from marketplace import clock
from marketplace.errors import Invalid, Refused, RoleNeeded, WrongState
from marketplace.models import Event, Letter
from tests import factories
from tests.races import together

pytestmark = pytest.mark.django_db


@pytest.fixture
def listing():
    return factories.make_listed_product()


@pytest.fixture
def asking():
    return factories.make_organisation("Curious Limited")


def ask(listing, asking, text="Are nights covered?", by=None):
    return questions.ask(listing, asked_for=asking, text=text, by=by or factories.owner_of(asking))


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def page_of(listing, client=None) -> str:
    return (client or Client()).get(f"/products/{listing.public_id}/questions/").content.decode()


def letters_to(person) -> list[tuple[str, str]]:
    return list(Letter.objects.filter(to=person.email).order_by("pk").values_list("subject", "body"))


def test_a_question_is_seen_by_its_two_sides_alone_until_it_is_answered(listing, asking):
    question = ask(listing, asking)
    seller, asker = factories.owner_of(listing.seller), factories.owner_of(asking)
    stranger = factories.owner_of(factories.make_organisation())
    assert question.text not in page_of(listing) + page_of(listing, signed_in(stranger))
    assert question.text in page_of(listing, signed_in(seller))
    assert question.text in page_of(listing, signed_in(asker))
    questions.answer(question, text="They are, since 2019.", by=seller)
    shown = page_of(listing)
    assert question.text in shown and "They are, since 2019." in shown
    assert "Curious Limited" not in shown and asker.email not in shown
    product = Client().get(listing.get_absolute_url()).content.decode()
    assert question.text in product and "They are, since 2019." in product
    assert [event.kind for event in Event.objects.filter(kind__startswith="question.").order_by("pk")] == [
        "question.asked",
        "question.answered",
    ]


def test_the_seller_reads_a_letter_without_the_askers_name_and_the_asker_reads_the_answer(listing, asking):
    seller, asker = factories.owner_of(listing.seller), factories.owner_of(asking)
    trader = factories.make_member(listing.seller, "trader")
    viewer = factories.make_member(listing.seller, "viewer")
    trader.language = "zh-hans"
    trader.save()
    before = len(letters_to(seller))
    question = ask(listing, asking)
    [(subject, body)] = letters_to(seller)[before:]
    assert subject == f"A question about “{listing.current_version.titles['en']}”"
    assert question.text in body and f"/products/{listing.public_id}/questions/#question-{question.pk}" in body
    assert "Curious" not in body and asker.email not in body
    [(subject, _body)] = letters_to(trader)
    assert listing.current_version.titles["zh-hans"] in subject
    assert letters_to(viewer) == letters_to(asker) == []
    questions.answer(question, text="They are.", by=trader)
    [(subject, body)] = letters_to(asker)
    assert "answered your question" in subject and question.text in body and "They are." in body


def test_what_waits_for_the_seller_stands_on_its_home_since_when_until_it_is_answered(listing, asking):
    question = ask(listing, asking)
    seller = factories.owner_of(listing.seller)
    home = signed_in(seller).get("/").content.decode()
    assert f"/products/{listing.public_id}/questions/#question-{question.pk}" in home
    assert "Answer a question about a product" in home
    assert f'<span class="todo-until">since <time datetime="{timezone.localtime(question.asked_at):%Y-%m-%d}' in home
    assert (
        "Answer a question" not in signed_in(factories.make_member(listing.seller, "viewer")).get("/").content.decode()
    )
    questions.answer(question, text="They are.", by=seller)
    assert "Answer a question" not in signed_in(seller).get("/").content.decode()


def test_an_answer_is_added_to_and_never_changed(listing, asking):
    seller = factories.owner_of(listing.seller)
    question = ask(listing, asking)
    questions.answer(question, text="They are.", by=seller)
    first = Question.objects.get().answered_at
    for number in range(questions.MOST_ANSWERS - 1):
        questions.answer(question, text=f"Also {number}.", by=seller)
    assert Question.objects.get().answered_at == first
    with pytest.raises(questions.TooManyAnswers):
        questions.answer(question, text="Once more.", by=seller)
    assert Answer.objects.count() == questions.MOST_ANSWERS


def test_of_the_answered_the_newest_answer_comes_first(listing, asking):
    seller = factories.owner_of(listing.seller)
    first, second = ask(listing, asking, "First question?"), ask(listing, asking, "Second question?")
    questions.answer(second, text="Yes.", by=seller)
    questions.answer(first, text="Yes.", by=seller)
    results = Client().get(f"/api/v1/products/{listing.public_id}/questions").json()["results"]
    assert [one["id"] for one in results] == [first.pk, second.pk]
    assert set(results[0]) == {"id", "text", "asked_at", "answered_at", "answers", "hidden_at", "hidden_reason"}


@pytest.mark.parametrize("text", ["", "  ", "x" * (questions.LONGEST_QUESTION + 1), "a\x00b"])
def test_a_question_is_a_bounded_text(listing, asking, text):
    with pytest.raises(Invalid):
        ask(listing, asking, text)
    assert not Question.objects.exists()


def test_only_another_organisation_asks_about_what_is_on_sale(listing, asking):
    before = Event.objects.filter(kind="question.asked").count()
    with pytest.raises(Refused) as refusal:
        ask(listing, listing.seller)
    assert refusal.value.code == "own_product"
    with pytest.raises(RoleNeeded):
        ask(listing, asking, by=factories.make_user())
    publishing.suspend(listing, reason="Looked into.", by=factories.make_staff("review"))
    with pytest.raises(questions.TakesNoQuestions):
        ask(listing, asking)
    assert Question.objects.count() == 0
    assert Event.objects.filter(kind="question.asked").count() == before


def test_an_organisation_has_three_open_questions_about_a_product_whoever_asks(listing, asking):
    for number in range(questions.MOST_OPEN):
        asked = ask(listing, asking, f"Question {number}?")
    with pytest.raises(questions.TooManyQuestions):
        ask(listing, asking, by=factories.make_member(asking, "viewer"))
    ask(listing, factories.make_organisation())
    questions.answer(asked, text="Yes.", by=factories.owner_of(listing.seller))
    ask(listing, asking, "One more?")
    assert Question.objects.open().filter(asked_for=asking).count() == questions.MOST_OPEN


def test_a_person_asks_twenty_questions_a_day(listing, asking, monkeypatch):
    by, seller = factories.owner_of(asking), factories.owner_of(listing.seller)
    for number in range(questions.MOST_A_DAY):
        questions.answer(ask(listing, asking, f"Question {number}?"), text="Yes.", by=seller)
    with pytest.raises(questions.TooManyQuestions):
        ask(listing, asking, by=by)
    assert Question.objects.count() == questions.MOST_A_DAY
    with clock.moved_to(clock.now() + dt.timedelta(days=1, minutes=1)):
        ask(listing, asking, by=by)


@pytest.mark.django_db(transaction=True)
def test_of_two_questions_at_once_only_one_is_the_last_allowed(listing, asking):
    by = [factories.make_member(asking, "trader") for _number in range(questions.MOST_OPEN + 2)]
    answers = together([lambda by=one: ask(listing, asking, by=by) for one in by])
    assert sorted(answers) == ["done"] * questions.MOST_OPEN + ["too_many_questions"] * 2
    assert Question.objects.count() == questions.MOST_OPEN


@pytest.mark.django_db(transaction=True)
def test_an_answer_and_a_hiding_at_once_leave_a_question_hidden_with_at_most_one_letter_of_each(listing, asking):
    question = ask(listing, asking)
    seller, staff = factories.owner_of(listing.seller), factories.make_staff("review")
    answers = together(
        [
            lambda: questions.answer(question, text="Yes.", by=seller),
            lambda: questions.hide(question, reason="Spam.", by=staff),
        ]
    )
    assert sorted(answers) in (["done", "done"], ["done", "wrong_state"])
    assert Question.objects.get().hidden_at is not None
    assert Answer.objects.count() == answers.count("done") - 1


@pytest.mark.parametrize("role", ["viewer", "finance", "compliance"])
def test_who_may_not_edit_the_product_does_not_answer(listing, asking, role):
    question = ask(listing, asking)
    for by in (factories.make_member(listing.seller, role), factories.owner_of(asking)):
        with pytest.raises(RoleNeeded):
            questions.answer(question, text="Yes.", by=by)
    assert Answer.objects.count() == 0
    assert Question.objects.get().answered_at is None


def test_the_review_desk_hides_a_question_for_a_reason_both_sides_read(listing, asking):
    seller, asker = factories.owner_of(listing.seller), factories.owner_of(asking)
    question = ask(listing, asking, "Is it Mr Chan's data?")
    questions.answer(question, text="Yes, his.", by=seller)
    staff = factories.make_staff("review")
    assert "Hide" in page_of(listing, signed_in(staff))
    key = "k" * 20
    answer = signed_in(staff).post(
        f"/admin/desks/questions/{question.pk}/hiding/", {"key": key, "reason": "It names a person."}
    )
    assert answer.status_code == 302
    assert question.text not in page_of(listing) and "Yes, his." not in page_of(listing)
    for side in (seller, asker):
        assert "It names a person." in page_of(listing, signed_in(side))
        assert "It names a person." in letters_to(side)[-1][1]
    assert Event.objects.filter(kind="question.hidden", subject_id=question.pk).count() == 1
    for refused in (
        lambda: questions.answer(question, text="More.", by=seller),
        lambda: questions.hide(question, reason="Again.", by=staff),
    ):
        with pytest.raises(WrongState):
            refused()
    assert Answer.objects.count() == 1


def test_the_desk_of_questions_shows_each_role_what_waits_and_what_it_may_do(listing, asking):
    waiting, answered = ask(listing, asking), ask(listing, asking, "Whose sensors?")
    questions.answer(answered, text="Ours.", by=factories.owner_of(listing.seller))
    pages = {}
    for role in ("review", "support"):
        desk = signed_in(factories.make_staff(role))
        for show in ("unanswered", "answered", "reported", "hidden"):
            page = desk.get("/admin/desks/questions/", {"show": show}).content.decode()
            pages[role, show] = ("Are nights covered?" in page, "Ours." in page, 'value="hide"' in page)
    nothing = (False, False, False)
    assert pages == {
        ("review", "unanswered"): (True, False, True), ("review", "answered"): (False, True, True),
        ("review", "reported"): nothing, ("review", "hidden"): nothing,
        ("support", "unanswered"): (True, False, False), ("support", "answered"): (False, True, False),
        ("support", "reported"): nothing, ("support", "hidden"): nothing,
    }  # fmt: skip
    listing_reports.report(listing, category="rights", text="They are mine.", by=factories.make_user())
    page = desk.get("/admin/desks/questions/", {"show": "reported"}).content.decode()
    assert waiting.text in page and "The product is reported" in page
    assert f"/products/{listing.public_id}/questions/#question-{waiting.pk}" in page
    publishing.suspend(listing, reason="Under inquiry.", by=factories.make_staff("review"))
    page = desk.get("/admin/desks/questions/").content.decode()
    what_its_seller_has = f"/admin/desks/participants/{listing.seller.public_id}/products/"
    assert listing.public_id not in page and what_its_seller_has in page and "Suspended" in page
    assert desk.get(what_its_seller_has).status_code == 200
    assert signed_in(factories.make_staff("payments")).get("/admin/desks/questions/").status_code == 403


def test_only_the_review_desk_without_an_interest_hides_and_says_why(listing, asking):
    question = ask(listing, asking)
    partial = factories.make_staff("review")
    factories.participants.Membership.objects.create(user=partial, organisation=asking, role="viewer")
    for by, reason, error in [
        (factories.make_user(), "Spam.", RoleNeeded),
        (factories.make_staff("payments"), "Spam.", RoleNeeded),
        (partial, "Spam.", RoleNeeded),
        (factories.make_staff("review"), " ", Invalid),
    ]:
        with pytest.raises(error):
            questions.hide(question, reason=reason, by=by)
    assert Question.objects.get().hidden_at is None


def test_the_database_refuses_to_change_or_lose_what_was_said(listing, asking):
    question = ask(listing, asking)
    with pytest.raises(IntegrityError, match="is answered once"), transaction.atomic():
        Question.objects.update(answered_at=clock.now())
    questions.answer(question, text="Yes.", by=factories.owner_of(listing.seller))
    for change in ({"text": "Other?"}, {"asked_for": listing.seller}, {"asked_at": clock.now()}):
        with pytest.raises(ProgrammingError), transaction.atomic():
            Question.objects.update(**change)
    with pytest.raises(IntegrityError, match="is answered once"), transaction.atomic():
        Question.objects.update(answered_at=None)
    with pytest.raises(IntegrityError, match="hidden_question_says"), transaction.atomic():
        Question.objects.update(hidden_at=clock.now())
    with pytest.raises(ProgrammingError), transaction.atomic():
        Answer.objects.update(text="No.")
    for rows in (Answer.objects.all(), Question.objects.all()):
        with pytest.raises(ProgrammingError), transaction.atomic():
            rows._raw_delete(rows.db)
    for wrong in ({"asked_for": listing.seller}, {"listing": factories.make_draft().listing}):
        facts = {"listing": listing, "asked_for": asking, "text": "Hm?", "by": question.by} | wrong
        with pytest.raises(IntegrityError, match="takes no such question"), transaction.atomic():
            Question.objects.create(**facts)
    questions.hide(question, reason="Spam.", by=factories.make_staff("review"))
    with pytest.raises(IntegrityError, match="is hidden"), transaction.atomic():
        Answer.objects.create(question=question, text="More.", by=question.by)
    with pytest.raises(ProgrammingError), transaction.atomic():
        Question.objects.update(hidden_at=None, hidden_by=None, hidden_reason="")


def test_a_member_asks_and_the_seller_answers_by_pages_once_for_each_form(listing, asking):
    asker, seller = signed_in(factories.owner_of(asking)), signed_in(factories.owner_of(listing.seller))
    here = f"/products/{listing.public_id}/questions/"
    assert f'action="{here}new/"' in asker.get(listing.get_absolute_url()).content.decode()
    assert f'action="{here}new/"' not in seller.get(listing.get_absolute_url()).content.decode()
    for _sent in range(2):
        answer = asker.post(f"{here}new/", {"key": "a" * 20, "text": "Are nights covered?"})
    question = Question.objects.get()
    assert answer.headers["Location"] == f"{here}#question-{question.pk}"
    assert f'action="{here}{question.pk}/answers/"' in seller.get(here).content.decode()
    for _sent in range(2):
        seller.post(f"{here}{question.pk}/answers/", {"key": "b" * 20, "text": "They are."})
    assert Answer.objects.get().text == "They are."


def test_a_member_asks_and_the_seller_answers_by_api(listing, asking):
    asker, seller = signed_in(factories.owner_of(asking)), signed_in(factories.owner_of(listing.seller))
    here = f"/api/v1/products/{listing.public_id}/questions"

    def post(client, path, text):
        sent = {"data": {"text": text}, "content_type": "application/json", "headers": {"Idempotency-Key": text}}
        return client.post(path, **sent)

    asked = post(asker, here, "Are nights covered?")
    assert asked.status_code == 201 and asked.json()["answers"] == []
    assert Client().get(here).json()["count"] == 0
    assert seller.get(here).json()["count"] == 1
    assert post(seller, f"{here}/{asked.json()['id']}/answers", "They are.").status_code == 201
    assert post(asker, f"{here}/{asked.json()['id']}/answers", "Are they?").status_code == 404
    [shown] = Client().get(here).json()["results"]
    assert [one["text"] for one in shown["answers"]] == ["They are."]


def test_a_page_of_questions_costs_the_same_however_many_there_are(listing):
    seller = factories.owner_of(listing.seller)
    client = signed_in(seller)

    def cost(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        return len(queries)

    def costs() -> list[int]:
        return [cost(path) for path in (f"/products/{listing.public_id}/questions/", listing.get_absolute_url(), "/")]

    def one_more() -> None:
        asking = factories.make_organisation()
        questions.answer(ask(listing, asking, "A?"), text="Yes.", by=seller)
        ask(listing, asking, "B?")

    one_more()
    before = costs()
    for _number in range(6):
        one_more()
    after = costs()
    assert all(now <= then for now, then in zip(after, before, strict=True))
    assert max(after) <= 25
