"""The API's ground: one shape of errors, one run per key, one answer to strangers; and members by REST."""

import json

import pytest
from django.conf import settings as project_settings
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from marketplace import participants, tokens
from marketplace.models import Event, Invitation, KeyedCommand, Organisation
from marketplace.rates import RateOfUser
from tests.factories import make_member, make_organisation, make_user, membership_of, owner_of, registration_number
from tests.races import together

pytestmark = pytest.mark.django_db


class Script:
    """A program that calls the API with a person's token."""

    def __init__(self, person, scopes=("read", "manage", "trade", "sell")) -> None:
        _token, self.secret = tokens.create_token(
            user=person, organisation=None, name="script", scopes=scopes, lapses_at=None, by=person
        )

    def get(self, path: str, **headers: str):
        return Client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {self.secret}", **headers})

    def post(self, path: str, body: object = None, key: str = "key", **headers: str):
        headers = {"Authorization": f"Bearer {self.secret}", "Idempotency-Key": key, **headers}
        content = body if isinstance(body, bytes) else json.dumps(body or {})
        return Client().post(f"/api/v1{path}", content, content_type="application/json", headers=headers)


def facts(**changes: object) -> dict[str, object]:
    kind, number = registration_number("HK")
    return {
        "kinds": ["buyer"],
        "name": "湖畔研究",
        "latin_name": "Lakeside Research",
        "country": "HK",
        "region": "HK",
        "number_kind": kind,
        "registration_number": number,
        **changes,
    }


# --- errors --------------------------------------------------------------------------------------------------------


def test_every_error_has_a_code_a_sentence_and_a_next_step():
    person = make_user()
    organisation = make_organisation(owner=person)
    script = Script(person)
    people = f"/organisations/{organisation.public_id}"
    answers = [
        (Client().get("/api/v1/me"), 401, "not_authenticated"),
        (script.get("/nowhere"), 404, "not_found"),
        (script.get("/organisations/nobody"), 404, "not_found"),
        (script.get("/tokens/1/revocation"), 405, "method_not_allowed"),
        (script.post("/organisations", b"{", key="a"), 400, "parse_error"),
        (script.post("/organisations", b"[1, 2]", key="b"), 400, "invalid"),
        (script.post("/organisations", {}, key="c"), 400, "invalid"),
        (script.post("/organisations", facts(country="ZZ"), key="d"), 422, "invalid"),
        (script.post(f"{people}/invitations", {"email": "x", "role": "owner"}, key="e"), 400, "invalid"),
        (script.post("/invitations/acceptance", {"secret": "\x00"}, key="f"), 400, "invalid"),
        (script.post("/organisations", facts(), key=""), 400, "key_needed"),
        (script.post("/organisations", facts(), key="x" * 201), 400, "key_needed"),
        (
            Client().post("/api/v1/tokens", "a=b", content_type="application/x-www-form-urlencoded"),
            401,
            "not_authenticated",
        ),
    ]
    for answer, status, code in answers:
        told = answer.json()
        assert (answer.status_code, told["code"]) == (status, code), told
        assert told["detail"]
        assert "next" in told
        assert set(told) <= {"code", "detail", "next", "reasons"}
    assert Organisation.objects.count() == 1
    assert not KeyedCommand.objects.exists()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/organisations/%00", 400),
        ("/me?x=%00", 400),
        ("/tokens?cursor=nonsense", 404),
        ("/tokens?limit=nonsense", 200),
        ("/tokens?limit=999999999999999999999999", 200),
        ("/tokens?limit=-1", 200),
        ("/organisations/" + "x" * 5000, 404),
        ("/verifications?state=%F0%9F%92%A9", 403),
    ],
)
def test_a_strange_address_is_answered_in_kind(path, status):
    answer = Script(make_user()).get(path)
    assert answer.status_code == status, answer.content
    assert status == 200 or answer.json()["code"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 100_000, 400),
        (b'{"name": "' + b"x" * 3_000_000 + b'"}', 413),
        (b'{"name": NaN}', 400),
        (b'{"name": "\\ud800"}', 400),
        (b"\xff\xfe", 400),
        (b"", 400),
        (b'{"kinds": {"a": 1}, "name": [], "country": 7}', 400),
    ],
)
def test_a_strange_body_is_refused_and_nothing_is_done(body, status):
    answer = Script(make_user()).post("/organisations", body)
    assert answer.status_code == status, answer.content
    assert answer.json()["code"]
    assert not Organisation.objects.exists()


def test_an_unknown_number_is_not_found_however_large():
    person = make_user()
    organisation = make_organisation(owner=person)
    script = Script(person)
    for number in (0, 10**30):
        path = f"/organisations/{organisation.public_id}/members/{number}/role"
        assert script.post(path, {"role": "viewer"}, key=str(number)).status_code == 404


def test_a_foreign_organisation_in_the_header_is_refused_on_pages_too(client):
    person = make_user()
    make_organisation(owner=person)
    client.force_login(person)
    answer = client.get("/members/", headers={"Organisation": make_organisation().public_id})
    assert answer.status_code == 404
    assert "not_found" in answer.content.decode()


def test_a_wrong_body_names_every_wrong_field():
    script = Script(make_user())
    told = script.post("/organisations", facts(kinds=["pirate"], name="")).json()
    assert {reason["field"] for reason in told["reasons"]} == {"kinds.0", "name"}
    told = script.post("/organisations", facts(region="CN-SH", latin_name="湖")).json()
    assert {reason["field"] for reason in told["reasons"]} == {"region", "latin_name"}


def test_a_session_changes_nothing_without_its_csrf_token():
    person = make_user()
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    assert client.get("/api/v1/me").status_code == 200
    answer = client.post(
        "/api/v1/organisations", json.dumps(facts()), content_type="application/json", headers={"Idempotency-Key": "k"}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert not Organisation.objects.exists()


# --- keys ----------------------------------------------------------------------------------------------------------


def test_the_same_key_gives_the_same_answer_and_one_organisation():
    script = Script(make_user())
    said = facts()
    first, again = script.post("/organisations", said), script.post("/organisations", said)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert Organisation.objects.count() == 1
    assert Event.objects.filter(kind="organisation.registered").count() == 1


def test_the_same_key_with_another_request_is_refused():
    script = Script(make_user())
    assert script.post("/organisations", facts()).status_code == 201
    answer = script.post("/organisations", facts(name="Other"))
    assert (answer.status_code, answer.json()["code"]) == (422, "key_reused")
    assert Organisation.objects.count() == 1


def test_a_refusal_gives_the_key_back():
    script = Script(make_user())
    assert script.post("/organisations", facts(country="ZZ")).status_code == 422
    assert script.post("/organisations", facts()).status_code == 201


def test_a_key_belongs_to_its_person():
    said, other = facts(), facts()
    assert Script(make_user()).post("/organisations", said).status_code == 201
    assert Script(make_user()).post("/organisations", other).status_code == 201
    assert Organisation.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_six_identical_posts_at_once_register_one_organisation():
    script = Script(make_user())
    said, answers = facts(), []
    together([lambda: answers.append(script.post("/organisations", said))] * 6)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["public_id"] for answer in answers}) == 1
    assert Organisation.objects.count() == 1
    assert Event.objects.filter(kind="organisation.registered").count() == 1


# --- rates and pages of results ------------------------------------------------------------------------------------


def test_who_asks_too_often_is_told_how_long_to_wait(monkeypatch):
    monkeypatch.setattr(RateOfUser, "THROTTLE_RATES", {"user": "2/min"})
    script = Script(make_user())
    assert [script.get("/me").status_code for _ in range(2)] == [200, 200]
    answer = script.get("/me")
    assert (answer.status_code, answer.json()["code"]) == (429, "throttled")
    assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_a_lost_cache_does_not_close_the_api(monkeypatch, settings):
    lost = {"default": {**project_settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    settings.CACHES = lost
    assert Script(make_user()).get("/me").status_code == 200
    with pytest.raises(Exception, match="127.0.0.1:1"):
        cache.get("anything")


def test_lists_come_newest_first_and_lead_on():
    organisation = make_organisation()
    owner = owner_of(organisation)
    for _ in range(4):
        make_member(organisation, "viewer")
    script = Script(owner)
    first = script.get(f"/organisations/{organisation.public_id}/members?limit=2").json()
    ids = [row["id"] for row in first["results"]]
    assert ids == sorted(ids, reverse=True)
    assert first["previous"] is None
    second = script.get(first["next"].partition("/api/v1")[2]).json()
    third = script.get(second["next"].partition("/api/v1")[2]).json()
    seen = ids + [row["id"] for page in (second, third) for row in page["results"]]
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 5
    assert third["next"] is None


# --- members -------------------------------------------------------------------------------------------------------


def test_a_script_registers_invites_and_lets_in(mailoutbox, django_capture_on_commit_callbacks):
    owner, invited = make_user(), make_user()
    script = Script(owner)
    made = script.post("/organisations", facts(), key="1").json()
    path = f"/organisations/{made['public_id']}"
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):
            answer = script.post(f"{path}/invitations", {"email": invited.email, "role": "trader"}, key="2")
            assert answer.status_code == 201
    [letter] = mailoutbox
    secret = letter.body.partition("/join/")[2].partition("/")[0]
    assert secret not in KeyedCommand.objects.get(key="2").answer.values()
    joined = Script(invited).post("/invitations/acceptance", {"secret": secret})
    assert (joined.status_code, joined.json()["role"]) == (201, "trader")
    me = Script(invited).get("/me").json()
    assert me["acting"] == made["public_id"]
    assert "propose" in me["may"]
    assert "manage_members" not in me["may"]


def test_roles_and_departures_go_by_the_table():
    organisation = make_organisation()
    owner, trader = owner_of(organisation), make_member(organisation, "trader")
    row = membership_of(trader, organisation)
    path = f"/organisations/{organisation.public_id}/members/{row.pk}"
    refused = Script(trader).post(f"{path}/role", {"role": "owner"})
    assert (refused.status_code, refused.json()["code"]) == (403, "role_needed")
    assert Script(owner).post(f"{path}/role", {"role": "finance"}, key="1").json()["role"] == "finance"
    own = membership_of(owner, organisation)
    last = Script(owner).post(f"/organisations/{organisation.public_id}/members/{own.pk}/departure", key="2")
    assert (last.status_code, last.json()["code"]) == (409, "last_owner")
    assert Script(trader).post(f"{path}/departure", key="3").json()["ended_at"] is not None
    assert Script(trader).get(f"/organisations/{organisation.public_id}").status_code == 404


def test_a_stranger_finds_no_trace_of_an_organisation():
    organisation = make_organisation()
    person = make_user()
    invitation, _secret = participants.invite(
        organisation, email="x@example.com", role="viewer", by=owner_of(organisation)
    )
    row = membership_of(owner_of(organisation), organisation)
    make_organisation(owner=person)
    script = Script(person)
    path = f"/organisations/{organisation.public_id}"
    for answer in (
        script.get(path),
        script.get(f"{path}/members"),
        script.get(f"{path}/invitations"),
        script.get(f"{path}/application"),
        script.get("/me", Organisation=organisation.public_id),
        script.post(f"{path}/invitations", {"email": "y@example.com", "role": "owner"}),
        script.post(f"{path}/invitations/{invitation.pk}/withdrawal"),
        script.post(f"{path}/members/{row.pk}/role", {"role": "viewer"}),
        script.post(f"{path}/members/{row.pk}/departure"),
        script.post(f"{path}/application", {"rules_version": "2026-11"}),
        script.post(f"{path}/correction", facts()),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert Invitation.objects.get().withdrawn_at is None


# --- its description -----------------------------------------------------------------------------------------------


def test_the_description_is_openapi_3_1_and_names_every_route():
    document = Client().get("/api/v1/schema").json()
    assert document["openapi"].startswith("3.1")
    described = {path.split("{")[0] for path in document["paths"]}
    routes = {path for path in _api_routes(get_resolver()) if path not in ("/api/v1/schema", "/api/v1/docs")}
    assert len(routes) > 20
    assert {path for path in routes if path not in described} == set()
    post = document["paths"]["/api/v1/organisations"]["post"]
    assert "Idempotency-Key" in {parameter["name"] for parameter in post["parameters"]}
    assert post["responses"]["default"]["content"]["application/json"]["schema"]["$ref"].endswith("/Refusal")


def _api_routes(resolver: URLResolver, prefix: str = "/") -> list[str]:
    """The fixed beginnings of all DRF routes under /api/v1/."""
    found = []
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            found += _api_routes(entry, path)
        elif isinstance(entry, URLPattern) and path.startswith("/api/v1/") and hasattr(entry.callback, "cls"):
            found.append(path.split("<")[0])
    return found


def test_the_docs_list_every_operation_without_script_or_style_of_their_own():
    document = Client().get("/api/v1/schema").json()
    answer = Client().get("/api/v1/docs")
    page = answer.content.decode()
    for path, operations in document["paths"].items():
        for method in operations:
            assert f"{method.upper()} {path}" in page
    assert "<style" not in page
    assert page.count("<script") == page.count("<script src=")
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
