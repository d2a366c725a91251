"""The public register: anyone finds every registration with its history, and nothing that is not public."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from listings import objections, publishing, registration
from marketplace.models import Paper
from tests import factories

pytestmark = pytest.mark.django_db
EACH = pytest.mark.parametrize(
    ("language", "heading"), [("en", "Public register"), ("zh-hans", "公开登记簿"), ("zh-hant", "公開登記冊")]
)


@pytest.fixture
def listing():
    return factories.make_listed_product(factories.make_verified("Harbour Data"))


def numbers(client: Client, query: str) -> list[str]:
    return [one["number"] for one in client.get("/api/v1/register", {"q": query}).json()["results"]]


@EACH
def test_anyone_looks_the_register_up_in_three_languages(listing, language, heading):
    entry = listing.current_version.registration
    client = Client(headers={"accept-language": language})
    page = client.get("/register/")
    assert page.status_code == 200
    assert heading in page.content.decode() and entry.number in page.content.decode()
    one = client.get(f"/register/{entry.number}/").content.decode()
    assert "Harbour Data" in one and entry.release_digest in one
    for paper in Paper.objects.filter(subject_kind="registration"):
        assert f"/verify/{paper.number}/" in one
        assert paper.check_code not in one
    assert "Collection record 12" not in one  # the evidence of a right


def test_a_registration_is_found_by_number_holder_title_and_words(listing):
    other = factories.make_listed_product(
        factories.make_verified("Another House"), titles={"en": "Weather"}, summaries={"en": "Rain of each day."}
    )
    entry, client = listing.current_version.registration, Client()
    for query in [entry.number, entry.number.lower().replace("-", " "), "harbour", "Departures", "紐約航班", "flying"]:
        assert numbers(client, query) == [entry.number], query
    assert numbers(client, "nothing like it") == []
    assert numbers(client, "") == [other.current_version.registration.number, entry.number]
    typed = entry.number.lower()
    assert client.get(f"/register/{typed}/").headers["Location"] == f"/register/{entry.number}/"
    assert client.get("/register/PR-0000-0000-0000/").status_code == 404
    assert client.get("/api/v1/register/PR-0000-0000-0000").status_code == 404


def test_the_history_tells_registrations_changes_suspension_and_withdrawal(listing):
    first, by = listing.current_version.registration, factories.owner_of(listing.seller)
    changes = {"titles": {"en": "Arrivals"}, "summaries": {"en": "Every arrival."}}
    factories.make_approved(publishing.edit(publishing.draft(listing, by=by), by=by, **changes))
    second = registration.register_next()
    staff = factories.make_staff("review")
    publishing.suspend(listing, reason="A secret reason.", by=staff)
    publishing.resume(listing, by=staff)
    publishing.withdraw(listing, reason="Another secret.", by=by)
    told = Client().get(f"/api/v1/register/{first.number}").json()
    assert [(one["what"], one["number"]) for one in told["history"]] == [
        ("first_registration", first.number),
        ("published", ""),
        ("change", second.number),
        ("suspended", ""),
        ("resumed", ""),
        ("withdrawn", ""),
    ]
    assert told["standing"] == "superseded"
    assert Client().get(f"/api/v1/register/{second.number}").json()["standing"] == "withdrawn"
    assert "secret" not in Client().get(f"/register/{first.number}/").content.decode()
    assert told["rights_held"] == ["holding", "use", "operation"]
    assert [one["kind"] for one in told["certificates"]] == ["registration_certificate", "listing_certificate"]
    listed = Paper.objects.get(kind="listing_certificate", subject_id=second.pk)
    assert list(listed.annotations.values_list("code", flat=True)) == ["suspended", "resumed", "withdrawn"]
    shown = Client().get(f"/verify/{listed.number}/").content.decode()
    assert "The product was withdrawn" in shown and "is listed on this exchange" in shown


def test_a_draft_and_a_version_under_review_are_not_in_the_register():
    factories.make_approved(factories.make_draft(factories.make_verified()))
    assert Client().get("/api/v1/register").json()["count"] == 0


def test_an_objection_is_filed_on_the_page_and_its_words_are_for_its_parties_alone(settings):
    settings.PUBLICITY_DAYS = 20
    factories.make_approved(factories.make_draft(factories.make_verified()))
    entry = registration.register_next()
    by, stranger = Client(), Client()
    by.force_login(factories.make_user())
    stranger.force_login(factories.make_user())
    url = f"/register/{entry.number}/"
    assert "Sign in to object" in Client().get(url).content.decode()
    page = by.get(url)
    assert "File the objection" in page.content.decode()
    said = {"reason": "Those rows are ours.", "evidence": "Contract 7.", "key": page.context["key"]}
    assert by.post(url + "objections/", {**said, "reason": ""}).status_code == 422
    assert by.post(url + "objections/", said).status_code == 302
    assert by.post(url + "objections/", said).status_code == 302  # the same form again files nothing
    assert objections.Objection.objects.count() == 1
    assert "Those rows are ours." in by.get(url).content.decode()
    for other in (stranger, Client()):
        text = other.get(url).content.decode()
        assert "Objection filed" in text and "Objection under examination" in text
        assert "Those rows are ours." not in text and "Contract 7" not in text
    holder = Client()
    holder.force_login(factories.owner_of(entry.holder))
    assert "Those rows are ours." in holder.get(url).content.decode()
    assert Client().post(url + "objections/", said).status_code == 302  # to the sign-in page
    assert objections.Objection.objects.count() == 1
    assert Client().get(f"/products/{entry.version.listing.public_id}/").status_code == 404


def test_a_longer_register_takes_as_many_statements(listing):
    client = Client()

    def counted(url: str) -> int:
        with CaptureQueriesContext(connection) as statements:
            assert client.get(url).status_code == 200
        return len(statements)

    entry = listing.current_version.registration
    before = [counted(url) for url in ("/register/", "/api/v1/register", f"/register/{entry.number}/")]
    for number in range(3):
        factories.make_listed_product(titles={"en": f"N {number}"}, summaries={"en": "Words."})
    assert [counted(url) for url in ("/register/", "/api/v1/register", f"/register/{entry.number}/")] == before
