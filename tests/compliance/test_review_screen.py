"""The queue's order and filters, the screen's marks, and what of it the seller sees."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from compliance import review_questions, reviews
from compliance.models import Review, ReviewDecision
from compliance.review_forms import NO_SENTENCE
from listings import publishing
from marketplace import clock
from tests.factories import (
    make_draft,
    make_listed_product,
    make_offer,
    make_release,
    make_staff,
    make_verified,
    owner_of,
)

pytestmark = pytest.mark.django_db

QUEUE = "/admin/desks/reviews/"


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def submitted(title: str = "Departures", seller=None, **manual) -> Review:
    version = make_draft(seller or make_verified(), titles={"en": title}, summaries={"en": title}, **manual)
    return reviews.submit(version, by=owner_of(version.listing.seller))


def titles_in(client: Client, query: str = "") -> list[str]:
    answer = client.get(QUEUE + query)
    assert answer.status_code == 200
    return re.findall(r"data-row>([^<]+)</a>", answer.content.decode())


def test_the_queue_is_sorted_by_target_then_risk_and_what_waits_for_the_seller_is_last():
    officer = make_staff("review")
    with clock.moved_to(clock.now() - dt.timedelta(days=30)):
        old = submitted("Old")
        asked = submitted("Asked")
        reviews.take(asked, by=officer)
        review_questions.ask(asked, field="rights", question="Which?", by=officer)
    calm = submitted("Calm")
    risky = submitted("Risky", classification="general_3")
    Review.objects.filter(pk__in=[calm.pk, risky.pk]).update(due_at=clock.now() + dt.timedelta(days=1))
    client = signed_in(officer)
    assert titles_in(client) == ["Old", "Risky", "Calm", "Asked"]
    assert titles_in(client, "?sort=risk")[0] == "Risky"
    assert titles_in(client, "?target=overdue") == ["Old"]
    assert titles_in(client, "?target=stands_still") == ["Asked"]
    page = client.get(QUEUE).content.decode()
    assert "1 review is past its target" in page and "Overdue by" in page
    assert "It is general data of grade 3." in page
    reviews.take(old, by=make_staff("review"))
    assert titles_in(client, "?whose=mine") == ["Asked"]
    assert titles_in(client, "?whose=others") == ["Old"]
    assert set(titles_in(client, "?whose=nobodys")) == {"Calm", "Risky"}
    assert titles_in(client, "?classification=general_3") == ["Risky"]
    assert titles_in(client, "?risk=high") == []
    assert titles_in(client, "?q=risk") == ["Risky"]
    assert len(titles_in(client, "?whose=everybodys&sort=x&risk=9&page=zero")) == 4


def statements_for(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as counted:
        assert client.get(url).status_code == 200
    return len(counted)


def test_queue_and_screen_cost_the_same_however_much_there_is():
    officer = make_staff("review")
    client = signed_in(officer)
    review = submitted()
    reviews.take(review, by=officer)
    review_questions.ask(review, field="rights", question="Which?", by=officer)
    review_questions.note(review, text="One.", by=officer)
    make_offer(review.version.listing)
    screen = f"{QUEUE}{review.pk}/"
    before = statements_for(client, QUEUE), statements_for(client, screen)
    seller = review.version.listing.seller
    for number in range(4):
        submitted(f"Another {number}", seller)
        make_offer(review.version.listing, name=f"Plan {number}")
        review_questions.ask(review, field="fields", question=f"And {number}?", by=officer)
        review_questions.note(review, text=f"Note {number}.", by=make_staff("review"))
    assert (statements_for(client, QUEUE), statements_for(client, screen)) == before
    assert max(before) <= 40


def test_what_changed_is_marked_word_by_word_and_field_by_field():
    listing = make_listed_product()
    owner = owner_of(listing.seller)
    draft = publishing.draft(listing, by=owner)
    fields = [
        {"name": "carrier", "type": "text", "meaning": "Airline, two letters", "unit": ""},
        {"name": "air_time", "type": "integer", "meaning": "Time in the air", "unit": "hours"},
        {"name": "month", "type": "integer", "meaning": "Month", "unit": ""},
    ]
    release = make_release(listing, label="2026-12", files={"flights.csv": b"carrier,air_time\nUA,3\nAA,2\n"})
    said = {"use_scenarios": "Planning of rail routes and punctuality research.", "fields": fields, "release": release}
    publishing.edit(draft, by=owner, **said)
    make_offer(listing, name="A dearer plan", price_minor=20_000_000)
    review = reviews.submit(draft, by=owner)
    page = signed_in(make_staff("review")).get(f"{QUEUE}{review.pk}/").content.decode()
    assert "Planning of<ins> rail</ins> routes" in page
    assert "<del>minutes</del> <ins>hours</ins>" in page
    assert "<ins>month</ins>" in page and "1 added · 1 changed · 0 removed · 1 the same" in page
    assert 'id="differences"' in page and "since release 2026-11" in page
    assert "<ins>A dearer plan</ins>" in page and "new since" in page
    assert "The price is high: HKD 200,000.00." in page


def test_an_approval_that_lacks_answers_keeps_what_was_filled_in():
    officer = make_staff("review")
    review = submitted()
    reviews.take(review, by=officer)
    client = signed_in(officer)
    page = client.get(f"{QUEUE}{review.pk}/").content.decode()
    key = re.search(r'id="decision">.*?name="key" value="([^"]+)"', page, re.DOTALL)[1]
    said = {"act": "approve", "key": key, "answer_rights": "yes", "note_rights": "Seen the contract."}
    answer = client.post(f"{QUEUE}{review.pk}/act/", said)
    again = answer.content.decode()
    assert (answer.status_code, ReviewDecision.objects.count()) == (422, 0)
    assert "checklist_not_met" in again and "Seen the contract." in again
    assert re.search(r'name="answer_rights" value="yes"[^>]* checked', again)


def test_who_sends_back_without_a_sentence_is_shown_where_to_write_it():
    officer = make_staff("review")
    review = submitted()
    reviews.take(review, by=officer)
    client = signed_in(officer)
    key = re.search(
        r'id="decision">.*?name="key" value="([^"]+)"', client.get(f"{QUEUE}{review.pk}/").content.decode(), re.DOTALL
    )[1]
    said = {"act": "request_changes", "key": key, "request_changes_code": "quality", "request_changes_reason": " "}
    answer = client.post(f"{QUEUE}{review.pk}/act/", said)
    again = answer.content.decode()
    assert (answer.status_code, ReviewDecision.objects.count()) == (422, 0)
    assert re.search(r'name="request_changes_reason"[^>]* aria-invalid="true"', again)
    assert str(NO_SENTENCE) in again and again.count('aria-invalid="true"') == 1
    sent = client.post(f"{QUEUE}{review.pk}/act/", said | {"request_changes_reason": "Name the source."})
    assert (sent.status_code, ReviewDecision.objects.get().reason) == (302, "Name the source.")


def test_the_seller_sees_questions_at_their_field_and_never_a_note():
    officer = make_staff("review")
    review = submitted()
    reviews.take(review, by=officer)
    question = review_questions.ask(review, field="coverage_area", question="Which airports?", by=officer)
    review_questions.note(review, text="Their lawyer called.", by=officer)
    listing, owner = review.version.listing, owner_of(review.version.listing.seller)
    client = signed_in(owner)
    home = client.get("/").content.decode()
    assert "Answer the reviewers’ question" in home and f"#question-{question.pk}" in home
    version = f"/studio/{listing.public_id}/versions/1/"
    page = client.get(version).content.decode()
    assert "Which airports?" in page and "The reviewers wait for your answer" in page
    assert client.post(f"{version}questions/{question.pk}/answer/", {"answer": "All three."}).status_code == 302
    for path in (
        "/",
        version,
        f"/studio/{listing.public_id}/",
        f"/api/v1/listings/{listing.public_id}/versions/1/review",
    ):
        assert "lawyer" not in client.get(path).content.decode()
    assert "Answer the reviewers’ question" not in client.get("/").content.decode()
    desk = signed_in(officer).get(f"{QUEUE}{review.pk}/").content.decode()
    assert "All three." in desk and "Their lawyer called." in desk


def test_who_sees_the_desk_without_deciding_gets_no_form():
    review = submitted()
    reviews.take(review, by=make_staff("review"))
    page = signed_in(make_staff("audit")).get(f"{QUEUE}{review.pk}/").content.decode()
    assert 'id="decision"' not in page and "your roles decide nothing here" in page
    assert "Ask about" not in page


def test_a_person_without_an_organisation_is_led_to_apply():
    page = signed_in(make_staff("review")).get("/studio/").content.decode()
    assert "no_organisation" in page and 'href="/apply/"' in page
