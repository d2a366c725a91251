"""What programs send by mistake or on purpose: a clear 4xx with a code and a next step, nothing half-done, never 5xx.

Driven by the OpenAPI document: every operation that takes a body is sent every kind of wrong one, by somebody whose
role allows the act, so that nothing but the body stands in the way.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from marketplace.models import Event
from tests.tenancy.asking import ROWS, body_of, made_world, named, read, some, taken_back, traces, who_may
from tests.tenancy.rules import Row
from tests.tenancy.walk import filled
from tests.tenancy.world import World

pytestmark = pytest.mark.django_db

API_ROWS = [row for row in ROWS if row.route.startswith("/api/v1/")]
WITH_JSON = [row for row in API_ROWS if row.says is not None and row.content_type == "application/json"]
NOTICES = "/api/v1/gateways/<str:name>/notices"
TO_READ = [row for row in API_ROWS if row.is_safe and row.gives < 400 and not row.route.endswith(("/schema", "/docs"))]

SURROGATE = "\ud800"
NOT_JSON = {
    "half an object": b"{",
    "two objects": b"{}{}",
    "not UTF-8": b'\xff\xfe{"reason": "x"}',
    "UTF-16": '{"reason": "x"}'.encode("utf-16"),
    "NaN": b'{"reason": NaN, "amount_minor": Infinity}',
    "deep": b"[" * 60_000,
    "deep and closed": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
}
NOT_AN_OBJECT = {"an array": b"[1, 2]", "a text": b'"reason"', "a number": b"1e309", "null": b"null"}
CODINGS = ("x", "utf-7", "utf-16", "idna", "hex")
# For a field of each JSON type: values no field of this type may take.
NEVER = {
    "string": [[], {}, True, "a\x00b", SURROGATE, "x" * 600_000],
    "integer": [[], {}, "many", 10**40, 1.5, SURROGATE],
    "boolean": [[], {}, "perhaps", 10**40],
    "array": ["x", {}, 7, [[]], ["a\x00b"], [SURROGATE]],
    "object": [[], "x", 7],
}
# And values that some fields take: whatever the answer, it is no crash.
ODD = ["", " ", "💩", None, -1, 0, 2**63, -(2**63) - 1, "<script>", "=1+1", "٣", "../../etc/passwd", "1e400", [None]]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with django_db_blocker.unblock(), made_world(tmp_path_factory.mktemp("storage")) as made:
        yield made


@pytest.fixture(autouse=True)
def an_even_pace() -> None:
    """No rate limit stands in the way."""
    cache.clear()


class Case:
    """One row, asked by somebody who may, with something wrong; gathers what was answered wrongly."""

    def __init__(self, row: Row, world: World) -> None:
        self.row, self.world, self.wrong = row, world, []
        self.path = filled(row.route, row.at(world))
        self.client = world.client_of(who_may(row))
        self.client.raise_request_exception = False
        self.before = traces()

    def send(self, what: str, body: bytes, *, is_refused: bool, path: str = "", **headers: str) -> None:
        """Send this body; `is_refused` says that nothing but a 4xx will do."""
        row = self.row
        headers = {"Idempotency-Key": secrets.token_urlsafe(18), **row.headers(self.world), **headers}
        content_type = headers.pop("content_type", row.content_type)
        with taken_back():
            answer = self.client.generic(row.method, path or self.path, body, content_type, headers=headers)
            left = traces() - self.before
        self.judge(what, answer, is_refused=is_refused, left=left)

    def judge(self, what: str, answer: Any, *, is_refused: bool = False, left: int = 0) -> None:
        for mistake in mistakes(answer, is_refused=is_refused, left=left):
            self.wrong.append(f"{what}: {mistake}")

    def done(self) -> None:
        assert not self.wrong, "\n".join([named(self.row), *self.wrong])


def mistakes(answer: Any, *, is_refused: bool = False, left: int = 0) -> Iterator[str]:
    """What is wrong with an answer of the API, each as a sentence."""
    status, text = answer.status_code, read(answer)
    if status >= 500 and status != 503:
        error = getattr(answer, "exc_info", None)
        yield f"answered {status}: {error[1]!r}"[:300] if error else f"answered {status}: {text[:200]}"
    elif is_refused and status < 400:
        yield f"was taken ({status}): {text[:200]}"
    elif status >= 400:
        if left:
            yield f"answered {status}, yet left {left} rows"
        told = json.loads(text) if "json" in answer.headers["Content-Type"] else {}
        if not (told.get("code") and told.get("detail") and "next" in told):
            yield f"answered {status} without code, detail and next: {text[:200]}"


# --- bodies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", WITH_JSON, ids=named)
def test_a_body_that_is_no_json_object_is_refused(row: Row, world: World) -> None:
    case = Case(row, world)
    takes_nothing = not row.says(world) if row.says else True
    signed = row.route == NOTICES  # whatever the body, it is not the one that was signed
    for what, body in some([*NOT_JSON.items(), *NOT_AN_OBJECT.items()], WITH_JSON.index(row), width=2):
        case.send(what, body, is_refused=not takes_nothing or signed)
    case.send("nothing", b"", is_refused=not takes_nothing and not _may_be_empty(row))
    case.done()


@pytest.mark.parametrize("row", WITH_JSON, ids=named)
def test_a_body_of_another_kind_or_size_is_refused(row: Row, world: World) -> None:
    case = Case(row, world)
    said = row.says(world) if row.says else {}
    must = bool(said) or row.route == NOTICES
    right = json.dumps(said).encode()
    sent = [
        ("a form", b"reason=x&a=%ff%fe", must, "application/x-www-form-urlencoded"),
        ("half a multipart", b"--x\r\n", must, "multipart/form-data; boundary=x"),
        ("no boundary", b"--x\r\n", must, "multipart/form-data"),
        ("XML", b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", must, "text/xml"),
        ("3 MB", b'{"reason": "' + b"x" * 3_000_000 + b'"}', must, "application/json"),
        *((coding, right, False, f"application/json; charset={coding}") for coding in CODINGS),
    ]
    for what, body, is_refused, content_type in some(sent, WITH_JSON.index(row), width=2):
        case.send(what, body, is_refused=is_refused, content_type=content_type)
    case.done()


SCHEMA = SchemaGenerator().get_schema(public=True)


def operations() -> dict[tuple[str, str], dict[str, dict[str, Any]]]:
    """The declared fields of every JSON body, by method and address without the parameters' kinds."""
    found = {}
    for path, methods in SCHEMA["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                found[method.upper(), path] = _fields(content["application/json"]["schema"])
    return found


def _fields(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: _followed(field) for name, field in _followed(schema).get("properties", {}).items()}


def _followed(schema: dict[str, Any]) -> dict[str, Any]:
    while True:
        inner = schema.get("allOf", schema.get("oneOf", schema.get("anyOf")))
        if "$ref" in schema:
            schema = SCHEMA["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif inner:
            schema = inner[0]
        else:
            return schema


def _address(row: Row) -> tuple[str, str]:
    return row.method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", row.route)


def _may_be_empty(row: Row) -> bool:
    """Whether every field of the body may be left out."""
    path = _address(row)[1]
    content = SCHEMA["paths"].get(path, {}).get(row.method.lower(), {}).get("requestBody", {}).get("content", {})
    return not _followed(content.get("application/json", {}).get("schema", {})).get("required")


OPERATIONS = operations()


def test_every_operation_with_a_body_is_among_the_rows() -> None:
    assert len(OPERATIONS) > 25
    assert set(OPERATIONS) <= {_address(row) for row in WITH_JSON}


@pytest.mark.parametrize("row", [row for row in WITH_JSON if _address(row) in OPERATIONS], ids=named)
def test_every_declared_field_is_held_to_its_type(row: Row, world: World) -> None:
    """One field wrong, the others right: never a crash, and a value of another type is refused."""
    case = Case(row, world)
    for at, (name, field) in enumerate(OPERATIONS[_address(row)].items(), WITH_JSON.index(row)):
        kind = field.get("type", "string")
        kinds = [one for one in kind if one != "null"] if isinstance(kind, list) else [kind]
        for value in some(NEVER[kinds[0]], at, width=2):
            said = {**(row.says(world) if row.says else {}), name: value}
            case.send(f"{name}={value!r:.40}", json.dumps(said).encode(), is_refused=True)
        for value in some(ODD, at, width=2):
            said = {**(row.says(world) if row.says else {}), name: value}
            case.send(f"{name}={value!r:.40}", json.dumps(said).encode(), is_refused=False)
    said = {**(row.says(world) if row.says else {}), "nobody_asked": {"for": ["this"]}}
    case.send("a field of no meaning", json.dumps(said).encode(), is_refused=False)
    case.done()


# --- headers -------------------------------------------------------------------------------------------------------

BAD_KEYS = ["", " ", "x" * 201, "a\tb", "na\x85ive", "\x7f"]


@pytest.mark.parametrize("row", [row for row in WITH_JSON if row.method == "POST"], ids=named)
def test_every_post_needs_a_key(row: Row, world: World) -> None:
    """A request that is repeated without one would be done twice."""
    if row.route == NOTICES:
        return
    case = Case(row, world)
    body = json.dumps(row.says(world) if row.says else {}).encode()
    for key in ["", *some(BAD_KEYS[1:], WITH_JSON.index(row), width=2)]:
        case.send(f"key {key!r:.20}", body, is_refused=True, **{"Idempotency-Key": key})
    case.done()


@pytest.mark.parametrize("row", TO_READ, ids=named)
def test_strange_headers_are_answered_in_kind(row: Row, world: World) -> None:
    case = Case(row, world)
    headers = [
        ("Accept", "application/xml"),
        ("Accept", "garbage"),
        ("Accept-Language", "xx-" * 500 + ", *;q=nan, en;q=9999"),
        ("Authorization", "Bearer"),
        ("Authorization", "Bearer dbt_\xff\xfe"),
        ("Authorization", "Bearer dbt_" + "x" * 4000),
        ("Authorization", "Digest username=x"),
        ("Range", "bytes=9-1,-,x"),
        ("If-None-Match", '"'),
        ("If-Modified-Since", "never"),
        ("X-Forwarded-For", "not an address, ,"),
        ("Cookie", "sessionid=%00; csrftoken=; =;;"),
        ("Host", "testserver:99999999"),
    ]
    for name, value in some(headers, TO_READ.index(row), width=5):
        with taken_back():
            answer = case.client.get(case.path, headers={name: value, **row.headers(world)})
        if name == "Host":  # refused before the API, by Django itself
            assert answer.status_code < 500
        else:
            case.judge(f"{name}: {value[:30]!r}", answer)
    case.done()


@pytest.mark.parametrize("named_organisation", ["nobody", "x" * 5000, "%00", "\xff\xfe", "../..", "'; --", "0"])
def test_an_unknown_organisation_in_the_header_is_not_found(named_organisation: str, world: World) -> None:
    for row in API_ROWS:
        if not row.is_safe or row.rule.__class__.__name__ not in ("Own", "Member"):
            continue
        case = Case(row, world)
        headers = {"Organisation": named_organisation}
        answer = case.client.get(case.path, headers=headers)
        if not getattr(row.rule, "is_named", False):
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), named(row)
        case.judge("header", answer)
        case.done()


@pytest.mark.parametrize("length", ["262145", "9" * 30])
def test_a_notice_of_absurd_length_is_refused(length: str, world: World) -> None:
    client = Client(raise_request_exception=False)
    answer = client.post(
        "/api/v1/gateways/sandbox/notices", b"{}", content_type="application/json", headers={"Content-Length": length}
    )
    assert 400 <= answer.status_code < 500
    assert answer.json()["code"]


@pytest.mark.parametrize(
    "value", ["", "x", "bytes=", "bytes=-0", "bytes=5-2", "bytes=0-" + "9" * 400, "bytes=a-b", "Bytes=0-1"]
)
def test_a_strange_range_is_ignored_or_refused(value: str, world: World) -> None:
    path = f"/data/files/{world.link['token']}/{world.link['name']}"
    answer = Client(raise_request_exception=False).get(path, headers={"Range": value})
    assert answer.status_code in (200, 206, 416)
    if answer.status_code == 416:
        assert answer.json()["code"] == "range_not_satisfiable"
    assert read(answer)


@pytest.mark.parametrize("offset", ["", "-1", "1.0", "x", "9" * 40, "٣", " 0 0"])
def test_a_strange_offset_is_refused_and_nothing_arrives(offset: str, world: World) -> None:
    client = world.client_of("seller:owner")
    answer = client.patch(
        f"/api/v1/uploads/{world.upload.public_id}",
        b"12345",
        content_type="application/offset+octet-stream",
        headers={"Upload-Offset": offset},
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "offset_needed")
    world.upload.refresh_from_db()
    assert world.upload.received_bytes == 0


# --- addresses and queries -----------------------------------------------------------------------------------------

TEXTS = [
    "%00",
    "%FF%FE",
    "x" * 3000,
    "%F0%9F%92%A9",
    "..%2F..%2Fetc%2Fpasswd",
    "'%20OR%201=1",
    "%3Cscript%3E",
    "%0A",
    ".",
]
NUMBERS = ["0", "9" * 30, "00000000000000000000001"]


@pytest.mark.parametrize("row", [row for row in API_ROWS if "<" in row.route], ids=named)
def test_an_address_of_nothing_is_not_found(row: Row, world: World) -> None:
    """Each parameter of the address in turn is nonsense."""
    case = Case(row, world)
    kinds = dict(re.findall(r"<(?:(\w+):)?(\w+)>", row.route))
    given = {name: str(value) for name, value in row.at(world).items()}
    body = body_of(row, row.says(world) if row.says else {})
    for kind, name in re.findall(r"<(?:(\w+):)?(\w+)>", row.route):
        assert kinds
        for value in NUMBERS if kind == "int" else some(TEXTS, API_ROWS.index(row)):
            path = filled(row.route, {**given, name: value})
            if row.is_safe:
                case.judge(f"{name}={value:.20}", case.client.get(path), is_refused=value != NUMBERS[2])
            elif name == "path":
                case.send(f"{name}={value:.20}", body, is_refused=False, path=path)
            else:
                case.send(f"{name}={value:.20}", body, is_refused=value != NUMBERS[2], path=path)
    case.done()


@pytest.mark.parametrize("row", TO_READ, ids=named)
def test_a_strange_query_is_answered(row: Row, world: World) -> None:
    """Every declared parameter and those of every list."""
    case = Case(row, world)
    path = _address(row)[1]
    declared = SCHEMA["paths"].get(path, {}).get("get", {}).get("parameters", [])
    names = {one["name"] for one in declared if one["in"] == "query"} | {"cursor", "limit", "page", "format"}
    values = [*TEXTS, *NUMBERS, "", "-1", "cD1iYWQ%3D", "cD0xJm89OTk5OTk5OTk5", quote("💩=1")]
    for at, name in enumerate(sorted(names), TO_READ.index(row)):
        for value in some(values, at, width=4):
            if name in ("code",) and value:
                cache.clear()
            answer = case.client.get(f"{case.path}?{name}={value}&{name}=again")
            case.judge(f"?{name}={value:.20}", answer, is_refused=value == "%00")
    case.done()


# --- names of files ------------------------------------------------------------------------------------------------

TRICKS = [
    "../escape.csv", "/etc/passwd", "a/../../escape.csv", "..\\escape.csv", "C:\\escape.csv", "a\x00b.csv", ".", "..",
    "", " ", "a//b.csv", "a\nb.csv", "name\u202egpj.exe", "CON", "aux.csv", "x" * 400, "a/" * 30 + "b", "a:b",
    "SHA256SUMS", "end.", SURROGATE,
]  # fmt: skip


@pytest.mark.parametrize("name", TRICKS, ids=[f"{name[:20]!a}" for name in TRICKS])
def test_a_tricky_name_of_a_file_is_refused_on_every_way_in(name: str, world: World, settings: Any) -> None:
    client = world.client_of("seller:owner")
    release = f"/api/v1/listings/{world.fresh.public_id}/releases/{world.release.pk}"
    stored = sorted(settings.STORAGE_DIR.rglob("*"))
    before = traces()
    announced = client.post(
        f"{release}/uploads",
        json.dumps({"path": name, "size_bytes": 3}),
        content_type="application/json",
        headers={"Idempotency-Key": secrets.token_hex(8)},
    )
    assert 400 <= announced.status_code < 500
    assert announced.json()["code"] in ("wrong_path", "invalid", "parse_error")
    if name.strip() and name != SURROGATE:
        put = client.put(f"{release}/files/{quote(name, safe='')}", b"abc", content_type="application/octet-stream")
        assert 400 <= put.status_code < 500
        assert put.json()["code"]
    assert traces() == before
    assert sorted(settings.STORAGE_DIR.rglob("*")) == stored


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"kind": "passport"}, 400),
        ({"kind": ""}, 400),
        ({"issuer": " "}, 400),
        ({"issuer": "a\x00b"}, 400),
        ({"issuer": "x" * 201}, 400),
        ({"number": "x" * 101}, 400),
        ({"issued_on": "yesterday"}, 400),
        ({"issued_on": "9999-01-01"}, 422),
        ({"expires_on": "2001-01-01"}, 422),
        ({"file": "a text, no file"}, 400),
        ({"file": SimpleUploadedFile("empty.pdf", b"")}, 422),
        ({"file": SimpleUploadedFile("page.pdf", b"<html><script>alert(1)</script></html>")}, 422),
        ({"file": SimpleUploadedFile("many.pdf", b"%PDF-" + b"x" * (10 * 1024 * 1024))}, 413),
    ],
)
def test_a_paper_that_is_none_is_refused_and_leaves_no_file(
    changes: dict[str, Any], status: int, world: World, settings: Any
) -> None:
    file = SimpleUploadedFile("a.xml", b"<?xml version='1.0'?><a/>")
    said = {"kind": "licence", "issuer": "A registry", "file": file}
    client = world.client_of("seller:owner")
    events, files = Event.objects.count(), sorted(settings.STORAGE_DIR.rglob("*"))
    answer = client.post(
        f"/api/v1/organisations/{world.seller.public_id}/papers", said | changes, headers={"Idempotency-Key": "k" * 20}
    )
    assert answer.status_code == status, answer.content
    assert answer.json()["code"]
    assert Event.objects.count() == events
    assert sorted(settings.STORAGE_DIR.rglob("*")) == files
