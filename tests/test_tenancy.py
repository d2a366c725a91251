"""Who may do what, for every route of the URL configuration: nobody, stranger, each role of each side, and staff.

The tables in tests/tenancy/ name for each route and method the act it is; who may do the act is read from roles.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from marketplace import tokens
from marketplace.models import Event, Organisation, User
from marketplace.roles import DESKS, MEMBER_ACTS, SEES_EVERY_DESK, STAFF_ACTS, StaffRole
from marketplace.scopes import SignedInWithScope
from marketplace.tokens import SCOPES
from settlement.models import Trade
from tests.tenancy.asking import ROWS, ask, brief, made_world, named, read, some, taken_back, who_may
from tests.tenancy.rules import Answer, Anyone, Row, SignedIn, Staff
from tests.tenancy.walk import GROUPS, METHODS, Route, routes
from tests.tenancy.world import World

pytestmark = pytest.mark.django_db

STRANGERS = ("nobody", "stranger", "former", "newcomer:")
# What a browser posts without a token of ours: gateways, programs with a token of their own, and no route at all.
NEED_NO_CSRF_TOKEN = {"/api/v1/gateways/<str:name>/notices", "/api/v1/<path:rest>", "/searches/stop/<str:token>/"}

# Done at the command line, or not from a page of its own.
DONE_BY_COMMAND = {"manage_staff", "forget"}
# The sandbox's bank is played by whoever trades; what leaves the exchange, by its staff, with the same scope.
SANDBOX_ACTS = {"POST /api/v1/sandbox/orders/<str:reference>/acts": "trade"}
SOME_RECORDS = [User, Organisation, Event, Trade]
ADMIN_REFUSES = {"nobody": 302, "stranger": 404, "seller:owner": 404}


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with django_db_blocker.unblock(), made_world(tmp_path_factory.mktemp("storage")) as made:
        yield made


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_each_is_answered_as_their_role_says(row: Row, world: World) -> None:
    """Every one of the people, each in a transaction that is taken back. A refusal changes nothing."""
    wrong, before = [], Event.objects.count()
    for who in row.asked():
        client = world.client_of(who)
        with taken_back():
            answer = ask(client, row, world)
            recorded = Event.objects.count() - before
        wrong += [f"{who}: {mistake}" for mistake in mistakes(row, who, answer, recorded, world)]
    assert not wrong, "\n".join([named(row), *wrong])


def mistakes(row: Row, who: str, answer: Any, recorded: int, world: World) -> list[str]:
    """What is wrong with this answer, each as a sentence."""
    expected, text = row.expected(who), read(answer)
    is_led_to_sign_in = who == "nobody" and expected.status == 302
    found = []
    if answer.status_code != expected.status:
        found.append(f"answered {answer.status_code}, not {expected.status}: {brief(text)}")
    if expected.code and expected.code not in text:
        found.append(f"is not told {expected.code!r}: {brief(text)}")
    if is_led_to_sign_in and not answer.headers.get("Location", "").startswith("/accounts/login/"):
        found.append(f"led to {answer.headers.get('Location')}, not to the sign-in")
    is_done = expected == Answer(row.gives) and not is_led_to_sign_in
    if recorded and (row.is_safe or not is_done):
        found.append(f"{recorded} events were recorded")
    if row.records and is_done and not row.is_safe and not recorded:
        found.append("nothing was recorded")
    if who.startswith(STRANGERS):
        # What they say themselves is no secret.
        known = f"{row.at(world)} {row.says(world) if row.says else ''} {row.tells(world)}"
        found += [f"reads {secret!r}" for secret in world.secrets_from(who) if secret in text and secret not in known]
    return found


# --- the tables are whole ------------------------------------------------------------------------------------------


def test_every_route_and_method_has_a_row() -> None:
    """Whoever adds a route says in tests/tenancy/ who may see it."""
    told = {(row.route, row.method) for row in ROWS}
    missing = []
    for route in routes():
        if route.group:
            continue
        methods = {method for path, method in told if path == route.path}
        missing += [f"{method} {route.path}" for method in route.methods - methods]
        if not route.methods and not methods:
            missing.append(f"{route.path} ({route.view.__module__})")
    assert not missing, "nobody said who may: " + ", ".join(sorted(missing))


def test_no_row_is_about_a_route_that_is_gone() -> None:
    known = {route.path for route in routes()}
    assert {row.route for row in ROWS} - known == set()


def test_every_group_has_routes() -> None:
    assert {route.group for route in routes()} - {""} == set(GROUPS)


def test_every_act_and_desk_of_the_roles_is_some_row() -> None:
    """An act that no route asks for guards nothing."""
    rules = [row.rule for row in ROWS]
    member_acts = {act for rule in rules if (act := getattr(rule, "act", ""))}
    staff_acts = {act for rule in rules for act in getattr(rule, "acts", ())}
    assert member_acts == set(MEMBER_ACTS)
    assert set(STAFF_ACTS) - staff_acts == DONE_BY_COMMAND
    assert {rule.desk for rule in rules if isinstance(rule, Staff) and rule.desk} == set(DESKS)


def test_acts_of_the_staff_ask_for_the_scope_of_the_staff() -> None:
    """A key of one of the staff that was made without the scope “staff” decides nothing."""
    acts = [row for row in ROWS if isinstance(row.rule, Staff) and not row.is_safe and not row.is_page]
    scopes = {named(row): getattr(CLASSES[row.route], "scope", "manage") for row in acts}
    assert len(scopes) > 15
    assert {act: scope for act, scope in scopes.items() if scope != "staff"} == SANDBOX_ACTS


# What everybody signed in may do as a person, about nobody's affairs but their own or in public.
OWN_AFFAIRS = (SignedIn, Anyone)
AS_A_PERSON = {"POST /tokens/", "POST /apply/"}  # a key of their own, which does no more; a house of their own


def test_an_auditor_sees_every_desk_and_changes_nothing() -> None:
    """The walk above asks all of these as `staff:audit`; here that none of the tables lets them decide anything."""
    rows = [row for row in ROWS if not isinstance(row.rule, OWN_AFFAIRS)]
    changes = [named(row) for row in rows if not row.is_safe and row.expected("staff:audit") == Answer(row.gives)]
    assert set(changes) == AS_A_PERSON
    desks = [row for row in rows if isinstance(row.rule, Staff) and row.is_safe]
    assert len(desks) > 20
    assert [named(row) for row in desks if row.expected("staff:audit") != Answer(row.gives)] == []
    assert not any(StaffRole.AUDIT in allowed for act, allowed in STAFF_ACTS.items() if act != "look_everywhere")


# --- keys of scripts -----------------------------------------------------------------------------------------------

CLASSES = {route.path: route.api_class for route in routes()}
GUARDED = [
    row
    for row in ROWS
    if SignedInWithScope in getattr(CLASSES[row.route], "permission_classes", [])
    and row.is_open_to_somebody
    and not isinstance(row.rule, Anyone)
]

# What a key never does: where money goes is changed by a person who proved anew who they are.
NOT_BY_KEY = {"POST /api/v1/payout-accounts": 403, "POST /api/v1/listings/<slug:public_id>/splits": 403}
LOOKS_THAT_ARE_ACTS = {"GET /api/v1/trades/<str:trade_id>/access": "trade"}  # its links are the delivery


@pytest.mark.parametrize("row", GUARDED, ids=named)
def test_a_key_does_what_its_scopes_allow_and_nothing_else(row: Row, world: World) -> None:
    """With the one scope that is needed the act is done as by the person; with all others but that one it is not."""
    person = world.person(who_may(row))
    needed = "read" if row.is_safe else getattr(CLASSES[row.route], "scope", "manage")
    needed = LOOKS_THAT_ARE_ACTS.get(named(row), needed)
    others = [scope for scope in SCOPES if scope != needed and (scope != "staff" or person.is_staff)]
    enough = [needed, "read"]  # making a key, one cannot give it more than one has
    with taken_back():
        assert ask(_script(person, enough), row, world).status_code == NOT_BY_KEY.get(named(row), row.gives)
    with taken_back():
        client = _script(person, others)
        before = Event.objects.count()
        answer = ask(client, row, world)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_needed")
        assert Event.objects.count() == before


def _script(person: User, scopes: list[str]) -> Client:
    _token, secret = tokens.create_token(
        user=person, organisation=None, name="script", scopes=scopes, lapses_at=None, by=person
    )
    return Client(headers={"Authorization": f"Bearer {secret}"})


# --- methods -------------------------------------------------------------------------------------------------------


WALKED = [route for route in routes() if not route.group]


@pytest.mark.parametrize("route", WALKED, ids=lambda route: route.path)
def test_a_method_that_is_not_in_the_table_is_not_allowed(route: Route, world: World) -> None:
    """Asked by somebody who may use the others: 405, and nothing happens."""
    rows = [row for row in ROWS if row.route == route.path]
    if any(row.gives == 404 for row in rows):
        return
    allowed = {row.method for row in rows}
    wrong, before = [], Event.objects.count()
    row = next(row for row in rows if row.is_open_to_somebody)
    who = who_may(row)
    others = [one for one in [*METHODS, "OPTIONS"] if one not in allowed and not (one == "OPTIONS" and route.api_class)]
    for method in some(others, WALKED.index(route), width=2):
        with taken_back():
            answer = ask(world.client_of(who), row, world, method=method)
            if answer.status_code != 405 or Event.objects.count() != before:
                wrong.append(f"{method} by {who}: {answer.status_code}")
    assert not wrong, f"{route.path}: {', '.join(wrong)}"


@pytest.mark.parametrize("row", [row for row in ROWS if not row.is_safe], ids=named)
def test_a_session_changes_nothing_without_its_csrf_token(row: Row, world: World) -> None:
    """What another site lets a browser send is refused, whoever sits before it."""
    if row.route in NEED_NO_CSRF_TOKEN:
        return
    who = who_may(row)
    client = Client(enforce_csrf_checks=True)
    client.cookies["sessionid"] = world.sessions[who]
    before = Event.objects.count()
    assert ask(client, row, world).status_code == 403
    assert Event.objects.count() == before


# --- the admin's records -------------------------------------------------------------------------------------------


def test_the_admins_records_are_looked_at_by_those_who_look_everywhere_and_changed_by_nobody(world: World) -> None:
    """Each kind of record: its list, one of it, its history, and the pages that would change it."""
    may_look = {f"staff:{role.value}" for role in SEES_EVERY_DESK | {StaffRole.SUPPORT}} | {"staff:all"}
    wrong = []
    before = Event.objects.count()
    for who in ("nobody", "stranger", "seller:owner", *(f"staff:{role.value}" for role in StaffRole), "staff:all"):
        client = world.client_of(who)
        for model in admin.site._registry if who == "staff:audit" else SOME_RECORDS:
            for method, path, when_looking in _record_pages(model):
                answer = getattr(client, method)(path)
                expected = when_looking if who in may_look else ADMIN_REFUSES.get(who, 403)
                if answer.status_code != expected:
                    wrong.append(f"{who}: {method} {path} answered {answer.status_code}, not {expected}")
    assert not wrong, "\n".join(wrong)
    assert Event.objects.count() == before


def _record_pages(model: Any) -> list[tuple[str, str, int]]:
    """Method, address, and what somebody who may look is answered."""
    base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    pages = [("get", reverse(f"{base}_changelist"), 200), ("get", reverse(f"{base}_add"), 403)]
    row = model._default_manager.order_by("-pk").first()
    if row is None:
        return pages
    one = reverse(f"{base}_change", args=[row.pk])
    return [
        *pages,
        ("get", one, 200),
        ("post", one, 403),
        ("post", reverse(f"{base}_delete", args=[row.pk]), 403),
        ("post", reverse(f"{base}_add"), 403),
    ]


def test_a_member_in_the_admin_finds_nothing_and_is_not_sent_in_circles(world: World) -> None:
    client = world.client_of("seller:owner")
    for path in ("/admin/marketplace/user/", "/admin/marketplace/", "/admin/nowhere/", "/admin/login/"):
        assert client.get(path).status_code == 404, path
    answer = Client().get("/admin/marketplace/user/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/?next=/admin/marketplace/user/")
