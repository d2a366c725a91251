"""Keys for scripts: shown once, kept as a digest, narrowed by scopes, ended at once."""

import datetime as dt

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from marketplace import tokens
from marketplace.errors import Invalid, Refused, RoleNeeded
from marketplace.models import AccessToken, KeyedCommand
from tests.factories import make_member, make_organisation, make_staff, make_user, owner_of

pytestmark = pytest.mark.django_db


def make_token(person, organisation=None, scopes=("read",), **facts):
    return tokens.create_token(
        user=person, organisation=organisation, name="script", scopes=scopes, lapses_at=None, by=person, **facts
    )


def me(secret: str, **headers: str):
    return Client().get("/api/v1/me", headers={"Authorization": f"Bearer {secret}", **headers})


def test_a_token_acts_as_its_person_and_only_its_digest_is_kept():
    organisation = make_organisation()
    owner = owner_of(organisation)
    token, secret = make_token(owner)
    assert secret.startswith("dbt_")
    assert len(secret) >= 47
    assert secret not in "".join(str(value) for value in AccessToken.objects.values_list().get())
    answer = me(secret)
    assert (answer.status_code, answer.json()["email"]) == (200, owner.email)
    token.refresh_from_db()
    assert timezone.now() - token.last_used_at < dt.timedelta(minutes=1)


@pytest.mark.parametrize("why", ["wrong", "revoked", "lapsed", "inactive person"])
def test_a_token_that_is_not_valid_is_answered_401(why):
    person = make_user()
    token, secret = make_token(person)
    if why == "wrong":
        secret = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    elif why == "revoked":
        tokens.revoke(token, by=person)
    elif why == "lapsed":
        AccessToken.objects.update(lapses_at=timezone.now())
    else:
        person.is_active = False
        person.save()
    answer = me(secret)
    assert answer.status_code == 401
    assert answer.json()["code"] == "token_invalid"
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_token_bound_to_an_organisation_sees_no_other():
    person = make_user()
    ours, other = make_organisation(owner=person), make_organisation(owner=person)
    _token, secret = make_token(person, other)
    assert me(secret).json()["acting"] == other.public_id
    assert [row["organisation"]["public_id"] for row in me(secret).json()["memberships"]] == [other.public_id]
    assert me(secret, Organisation=ours.public_id).status_code == 404


def test_a_personal_token_acts_for_the_organisation_it_names():
    person = make_user()
    first, second = make_organisation(owner=person), make_organisation(owner=person)
    _token, secret = make_token(person)
    assert me(secret).json()["acting"] == first.public_id
    assert me(secret, Organisation=second.public_id).json()["acting"] == second.public_id
    assert me(secret, Organisation=make_organisation().public_id).json()["code"] == "not_found"


def test_scopes_narrow_what_a_token_may():
    person = make_user()
    organisation = make_organisation(owner=person)
    _token, secret = make_token(person, scopes=["read"])
    answer = Client().post(
        f"/api/v1/organisations/{organisation.public_id}/invitations",
        {"email": "x@example.com", "role": "viewer"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": "k"},
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_needed")
    assert not organisation.invitations.exists()
    _token, without_read = make_token(person, scopes=["manage"])
    assert me(without_read).json()["code"] == "scope_needed"


def test_only_owners_make_tokens_of_the_organisation_and_nobody_for_another():
    organisation = make_organisation()
    trader = make_member(organisation, "trader")
    with pytest.raises(RoleNeeded):
        make_token(trader, organisation)
    with pytest.raises(RoleNeeded):
        tokens.create_token(
            user=owner_of(organisation), organisation=None, name="x", scopes=["read"], lapses_at=None, by=trader
        )
    with pytest.raises(RoleNeeded):
        make_token(trader, scopes=["staff"])
    with pytest.raises(RoleNeeded):
        make_token(make_staff("review"), organisation, scopes=["staff"])
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"scopes": []}, "no_such_scope"),
        ({"scopes": ["everything"]}, "no_such_scope"),
        ({"name": " "}, "name_needed"),
        ({"lapses_at": timezone.now() - dt.timedelta(days=1)}, "lapses_in_the_past"),
    ],
)
def test_a_token_that_makes_no_sense_is_not_made(wrong, code):
    person = make_user()
    said = {"name": "x", "scopes": ["read"], "lapses_at": None, **wrong}
    with pytest.raises(Invalid) as refusal:
        tokens.create_token(user=person, organisation=None, by=person, **said)
    assert refusal.value.code == code
    assert not AccessToken.objects.exists()


def test_owners_end_tokens_of_the_organisation_others_only_their_own():
    organisation = make_organisation()
    second = make_member(organisation, "owner")
    token, secret = make_token(second, organisation)
    personal, _secret = make_token(second)
    owner = owner_of(organisation)
    with pytest.raises(RoleNeeded):
        tokens.revoke(personal, by=owner)
    tokens.revoke(token, by=owner)
    assert me(secret).status_code == 401
    with pytest.raises(Refused) as refusal:
        tokens.revoke(token, by=owner)
    assert refusal.value.code == "token_revoked"
    personal.refresh_from_db()
    assert personal.revoked_at is None


def test_database_keeps_what_a_token_may():
    make_token(make_user())
    for statement in (
        "UPDATE marketplace_accesstoken SET scopes = '{manage}'",
        "UPDATE marketplace_accesstoken SET digest = 'sha256:x'",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert AccessToken.objects.get().scopes == ["read"]


# --- over the API --------------------------------------------------------------------------------------------------


def post(secret: str, path: str, body: dict, key: str):
    return Client().post(
        path,
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": key},
    )


def test_the_secret_is_answered_once_and_stored_nowhere():
    person = make_user()
    _token, secret = make_token(person, scopes=["manage", "read"])
    first = post(secret, "/api/v1/tokens", {"name": "second", "scopes": ["read"]}, "one")
    again = post(secret, "/api/v1/tokens", {"name": "second", "scopes": ["read"]}, "one")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["secret"].startswith("dbt_")
    assert "secret" not in again.json()
    assert first.json()["id"] == again.json()["id"]
    assert first.json()["secret"] not in str(KeyedCommand.objects.get().answer)
    assert AccessToken.objects.count() == 2


def test_a_token_makes_none_that_may_more_than_itself():
    person = make_user()
    organisation = make_organisation(owner=person)
    _token, secret = make_token(person, scopes=["manage", "read"])
    answer = post(secret, "/api/v1/tokens", {"name": "x", "scopes": ["trade"]}, "one")
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_needed")
    _bound, bound_secret = make_token(person, organisation, scopes=["manage", "read"])
    answer = post(bound_secret, "/api/v1/tokens", {"name": "x", "scopes": ["read"]}, "two")
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_needed")
    assert AccessToken.objects.count() == 2


def test_a_bound_token_neither_sees_nor_ends_personal_ones():
    person = make_user()
    organisation = make_organisation(owner=person)
    personal, _secret = make_token(person)
    bound, secret = make_token(person, organisation, scopes=["manage", "read"])
    listed = Client().get("/api/v1/tokens", headers={"Authorization": f"Bearer {secret}"}).json()["results"]
    assert [row["id"] for row in listed] == [bound.pk]
    assert post(secret, f"/api/v1/tokens/{personal.pk}/revocation", {}, "k").status_code == 404
    personal.refresh_from_db()
    assert personal.revoked_at is None


def test_the_page_shows_a_new_secret_once(client):
    person = make_user()
    make_organisation(owner=person)
    client.force_login(person)
    made = client.post("/tokens/", {"name": "mine", "scopes": ["read"], "days": "30", "is_for_organisation": "on"})
    assert made.status_code == 201
    secret = made.context["secret"]
    assert secret in made.content.decode()
    assert "no-store" in made.headers["Cache-Control"]
    assert secret not in client.get("/tokens/").content.decode()
    assert me(secret).status_code == 200
    token = AccessToken.objects.get()
    assert client.post(f"/tokens/{token.pk}/revocation/").status_code == 302
    assert me(secret).status_code == 401
