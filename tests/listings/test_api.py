"""The API of sellers and of the catalogue, over HTTP."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from typing import Any

import pytest
from django.test import Client
from rest_framework.response import Response

from listings import profiling, publishing, registration, terms
from listings.models import Listing, Offer, Release, ReleaseFile, Upload, Version
from marketplace import tokens
from marketplace.models import Organisation, User
from tests import factories

pytestmark = pytest.mark.django_db

CONTENT = os.urandom(50_000)
MISSING = "/api/v1/listings/nothingofthekind"


class Script:
    """A member's script, with a token of its own."""

    def __init__(self, user: User, *scopes: str, organisation: Organisation | None = None) -> None:
        _token, self.secret = tokens.create_token(
            user=user,
            organisation=None,
            name="script",
            scopes=list(scopes or ["read", "sell"]),
            lapses_at=None,
            by=user,
        )
        self.headers = {"Organisation": organisation.public_id} if organisation else {}
        self.client = Client(raise_request_exception=True)

    def send(self, method: str, path: str, body: Any = None, *, key: str = "", **headers: str) -> Response:
        extra = {"Authorization": f"Bearer {self.secret}", **self.headers, **headers}
        if method == "POST":
            extra["Idempotency-Key"] = key or str(uuid.uuid4())
        content_type = extra.pop("Content-Type", "application/json")
        data = body if isinstance(body, bytes) else json.dumps(body) if body is not None else ""
        return self.client.generic(method, f"/api/v1{path}", data, content_type=content_type, headers=extra)

    def get(self, path: str) -> Response:
        return self.send("GET", path)

    def post(self, path: str, body: Any = None, **options: str) -> Response:
        return self.send("POST", path, body if body is not None else {}, **options)


@pytest.fixture
def seller() -> Organisation:
    return factories.make_verified()


@pytest.fixture
def script(seller) -> Script:
    return Script(factories.owner_of(seller))


def begun(script: Script) -> tuple[str, int]:
    """A new product and an open release of it."""
    listing = script.post("/listings", {"product_type": "dataset"}).json()["public_id"]
    return listing, script.post(f"/listings/{listing}/releases", {"label": "2026-11"}).json()["id"]


def test_a_script_takes_a_product_from_nothing_to_the_catalogue(script, seller):
    listing, release = begun(script)
    put = script.send(
        "PUT",
        f"/listings/{listing}/releases/{release}/files/data/flights.csv",
        factories.FLIGHTS_CSV,
        **{"Content-Type": "text/csv"},
    )
    assert (put.status_code, put.json()["path"]) == (201, "data/flights.csv")
    assert put.json()["sha256"] == hashlib.sha256(factories.FLIGHTS_CSV).hexdigest()
    sealed = script.post(f"/listings/{listing}/releases/{release}/seal").json()
    assert sealed["digest"] == Release.objects.get().digest
    profiling.profile_next()
    profile = script.get(f"/listings/{listing}/releases/{release}/profile").json()
    assert (profile["state"], profile["report"]["rows"]) == ("done", 4)

    draft = script.post(f"/listings/{listing}/versions")
    assert (draft.status_code, draft.json()["number"]) == (201, 1)
    assert "title_missing" in [problem["code"] for problem in draft.json()["problems"]]
    edited = script.send("PATCH", f"/listings/{listing}/versions/1", factories.manual() | {"release": release})
    assert (edited.status_code, edited.json()["problems"], edited.json()["release"]) == (200, [], release)
    offer = script.post(f"/listings/{listing}/offers", an_offer())
    assert offer.status_code == 201
    assert offer.json()["licence"]["may"]

    factories.make_approved(Version.objects.get())
    registration.register_due()
    own = script.get(f"/listings/{listing}").json()
    assert (own["state"], own["current_version"], own["possible_acts"]) == ("listed", 1, ["suspend", "withdraw"])
    anyone = Client()
    for words in ("航班", "departures"):
        (entry,) = anyone.get("/api/v1/catalogue", {"q": words}).json()["results"]
        assert entry["public_id"] == listing
        price = {"price_minor": 125_000, "discount": None, "price_now_minor": 125_000, "currency": "HKD"}
        steps: dict[str, list[object]] = {"steps": [], "steps_now": [], "instalments": []}
        assert entry["offers"] == [{"public_id": offer.json()["public_id"], **price, **steps}]
    product = anyone.get(f"/api/v1/products/{listing}").json()
    assert product["registration"] == entry["registration"]
    assert product["manual"]["fields"][0]["name"] == "carrier"
    assert product["manual"]["rights"]["operation"] == {"held": True, "basis": "Own collection"}
    assert product["measured"]["report"]["rows"] == 4
    assert product["offers"][0]["terms"]["term_months"] == 12


def an_offer(**changes: Any) -> dict[str, Any]:
    whole = {"name": "One year", "price_minor": 125_000, "currency": "HKD", "terms": terms.default_terms()}
    return whole | changes


def test_a_file_is_announced_sent_in_parts_and_resumed(script):
    listing, release = begun(script)
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    announced = script.post(
        f"/listings/{listing}/releases/{release}/uploads",
        {"path": "data.bin", "size_bytes": len(CONTENT), "sha256": sha256},
    )
    assert announced.status_code == 201
    where = announced["Location"].removeprefix("/api/v1")
    first = patch(script, where, 0, CONTENT[:20_000])
    assert (first.status_code, first["Upload-Offset"], first.content) == (204, "20000", b"")
    head = script.send("HEAD", where)
    assert (head.status_code, head["Upload-Offset"], head["Upload-Length"]) == (200, "20000", "50000")
    wrong = patch(script, where, 10_000, CONTENT[10_000:])
    assert (wrong.status_code, wrong.json()["code"]) == (409, "wrong_offset")
    last = patch(script, where, 20_000, CONTENT[20_000:])
    assert (last.status_code, last["Upload-Offset"], last.json()["sha256"]) == (200, "50000", sha256)
    assert script.send("HEAD", where).status_code == 404
    assert script.get(f"/listings/{listing}/releases/{release}").json()["files"][0]["path"] == "data.bin"


def patch(script: Script, where: str, offset: object, body: bytes, **headers: str) -> Response:
    given = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset), **headers}
    return script.send("PATCH", where, body, **given)


def test_an_upload_is_cancelled_and_leaves_nothing(script):
    listing, release = begun(script)
    path = f"/listings/{listing}/releases/{release}/uploads"
    where = script.post(path, {"path": "data.bin", "size_bytes": 9})["Location"].removeprefix("/api/v1")
    patch(script, where, 0, b"1234")
    assert script.send("DELETE", where).status_code == 204
    assert script.send("HEAD", where).status_code == 404
    assert (Upload.objects.count(), ReleaseFile.objects.count()) == (0, 0)


@pytest.mark.parametrize("offset", ["", "-1", "x", "1.5", "٣", "9" * 30])
def test_a_part_without_a_plain_offset_is_refused(script, offset):
    listing, release = begun(script)
    path = f"/listings/{listing}/releases/{release}/uploads"
    where = script.post(path, {"path": "data.bin", "size_bytes": 9})["Location"].removeprefix("/api/v1")
    answer = patch(script, where, offset.encode().decode("latin-1"), b"1234")
    assert (answer.status_code, answer.json()["code"]) == (400, "offset_needed")
    assert Upload.objects.get().received_bytes == 0


def test_a_part_of_another_kind_is_refused(script):
    listing, release = begun(script)
    path = f"/listings/{listing}/releases/{release}/uploads"
    where = script.post(path, {"path": "data.bin", "size_bytes": 9})["Location"].removeprefix("/api/v1")
    assert patch(script, where, 0, b"1234", **{"Content-Type": "text/plain"}).status_code == 415


@pytest.mark.parametrize(
    ("path", "body", "query", "status", "code"),
    [
        ("a.csv", b"", "", 422, "wrong_size"),
        ("../a.csv", b"x", "", 422, "wrong_path"),
        ("%2e%2e/a.csv", b"x", "", 422, "wrong_path"),
        ("/etc/passwd", b"x", "", 422, "wrong_path"),
        ("con", b"x", "", 422, "wrong_path"),
        ("%ff%fe.csv", b"x", "", 201, None),
        ("a.csv", b"x", "?sha256=" + "0" * 64, 422, "wrong_checksum"),
        ("a.csv", b"x", "?sha256=zzz", 422, "wrong_sha256"),
        ("x" * 301, b"x", "", 422, "wrong_path"),
    ],
)
def test_a_hostile_put_is_a_clear_refusal(script, path, body, query, status, code):
    listing, release = begun(script)
    address = f"/listings/{listing}/releases/{release}/files/{path}{query}"
    answer = script.send("PUT", address, body, **{"Content-Type": "application/octet-stream"})
    assert answer.status_code == status
    if code:
        assert answer.json()["code"] == code
        assert ReleaseFile.objects.count() == 0
    assert Upload.objects.count() == 0


def test_a_file_beyond_the_limit_is_refused_before_it_comes(script, settings):
    settings.UPLOAD_MAX_BYTES = 10
    listing, release = begun(script)
    answer = script.send(
        "PUT", f"/listings/{listing}/releases/{release}/files/a.bin", b"x" * 11, **{"Content-Type": "text/csv"}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


BAD_BODIES: list[tuple[str, str, object]] = [
    ("POST", "/listings", None),
    ("POST", "/listings", []),
    ("POST", "/listings", "dataset"),
    ("POST", "/listings", {"product_type": "painting"}),
    ("POST", "/listings", {"product_type": {"a": 1}}),
    ("POST", "/listings", {"product_type": "half \ud800"}),
    ("POST", "/listings", b"[" * 200_000),
    ("POST", "/listings", b'{"a":' * 50_000),
    ("POST", "/listings", b"{not json"),
    ("POST", "/listings", b'{"product_type": "\xff"}'),
    ("POST", "{listing}/releases", {"label": ""}),
    ("POST", "{listing}/releases", {"label": "NUL \0"}),
    ("POST", "{listing}/releases", {"label": "half \ud800"}),
    ("POST", "{listing}/releases", {"label": ["a"]}),
    ("POST", "{listing}/releases/1/uploads", {"path": "a"}),
    ("POST", "{release}/uploads", {"path": "../a", "size_bytes": 1}),
    ("POST", "{release}/uploads", {"path": "a\0", "size_bytes": 1}),
    ("POST", "{release}/uploads", {"path": "a", "size_bytes": -1}),
    ("POST", "{release}/uploads", {"path": "a", "size_bytes": 10**30}),
    ("POST", "{release}/uploads", {"path": "a", "size_bytes": "many"}),
    ("POST", "{release}/seal", {}),
    ("GET", "{release}/profile", None),
    ("PATCH", "{listing}/versions/1", []),
    ("PATCH", "{listing}/versions/1", {"by": 1}),
    ("PATCH", "{listing}/versions/1", {"version": 1}),
    ("PATCH", "{listing}/versions/1", {"\ud800": 1}),
    ("PATCH", "{listing}/versions/1", {"titles": {"en": "\ud800"}}),
    ("PATCH", "{listing}/versions/1", {"release": 10**30}),
    ("PATCH", "{listing}/versions/1", {"release": "1"}),
    ("PATCH", "{listing}/versions/1", {"release": True}),
    ("PATCH", "{listing}/versions/1", {"state": "approved"}),
    ("PATCH", "{listing}/versions/1", {"persons_count": 10**40}),
    ("PATCH", "{listing}/versions/2", {}),
    ("PATCH", "{listing}/versions/" + "9" * 40, {}),
    ("POST", "{listing}/offers", {}),
    ("POST", "{listing}/offers", an_offer(price_minor=10**30)),
    ("POST", "{listing}/offers", an_offer(price_minor="12 dollars")),
    ("POST", "{listing}/offers", an_offer(terms={"purposes": {"a": []}})),
    ("POST", "{listing}/offers", an_offer(terms=[1])),
    ("POST", "{listing}/offers", an_offer(audience="named", buyers=["nobody"])),
    ("POST", "{listing}/offers", an_offer(audience="named", buyers=["x"] * 501)),
    ("POST", "{listing}/offers", an_offer(currency="\ud800\ud800\ud800")),
    ("POST", "{listing}/withdrawal", {"reason": " "}),
    ("POST", "/offers/nothing/closing", {}),
    ("GET", "/listings?state=\0", None),
    ("GET", "/listings?state=sold", None),
    ("GET", "/listings?cursor=x\0", None),
    ("GET", "/listings/%00", None),
    ("GET", "/listings/" + "x" * 300, None),
    ("GET", "/products/%00", None),
    ("GET", "/catalogue?sector=\0", None),
    ("GET", "/uploads/" + "9" * 40, None),
]


def test_bad_input_is_a_clear_refusal_and_leaves_no_trace(script):
    listing, release = begun(script)
    script.post(f"/listings/{listing}/versions")
    before = [list(model.objects.values()) for model in (Listing, Release, Version, Offer, Upload)]
    for method, place, body in BAD_BODIES:
        path = place.replace("{listing}", f"/listings/{listing}")
        path = path.replace("{release}", f"/listings/{listing}/releases/{release}")
        answer = script.send(method, path, body)
        assert 400 <= answer.status_code < 500, (method, place, body)
        assert {"code", "detail", "next"} <= set(answer.json()), (method, place, body)
        left = [list(model.objects.values()) for model in (Listing, Release, Version, Offer, Upload)]
        assert left == before, (method, place, body)


@pytest.mark.parametrize(
    "query", ["q=%ff", "q='%20OR%201=1", "page=-1", "page=x", "page=99999999999999999999", "q=" + "航" * 3000]
)
def test_odd_questions_to_the_catalogue_are_answered(query):
    assert Client().get(f"/api/v1/catalogue?{query}").status_code == 200


def routes(listing: Listing) -> list[tuple[str, str, object]]:
    """Every route of a seller, with a body that would be right."""
    here, release = f"/listings/{listing.public_id}", listing.releases.get().pk
    return [
        ("GET", here, None),
        ("POST", f"{here}/withdrawal", {"reason": "No more."}),
        ("GET", f"{here}/versions", None),
        ("POST", f"{here}/versions", {}),
        ("GET", f"{here}/versions/1", None),
        ("PATCH", f"{here}/versions/1", {}),
        ("GET", f"{here}/releases", None),
        ("POST", f"{here}/releases", {"label": "next"}),
        ("GET", f"{here}/releases/{release}", None),
        ("POST", f"{here}/releases/{release}/seal", {}),
        ("GET", f"{here}/releases/{release}/profile", None),
        ("POST", f"{here}/releases/{release}/uploads", {"path": "a", "size_bytes": 1}),
        ("PUT", f"{here}/releases/{release}/files/a.csv", b"x"),
        ("GET", f"{here}/offers", None),
        ("POST", f"{here}/offers", an_offer()),
        ("POST", f"/offers/{listing.offers.get().public_id}/closing", {}),
    ]


def test_a_stranger_gets_404_and_nobody_401_on_every_route_of_a_seller(seller):
    version = factories.make_draft(seller)
    factories.make_offer(version.listing)
    stranger = Script(factories.owner_of(factories.make_organisation()))
    before = list(Listing.objects.values()), Version.objects.count(), list(Offer.objects.values())
    for method, path, body in routes(version.listing):
        assert stranger.send(method, path, body).status_code == 404, (method, path)
        nobody = Client().generic(method, f"/api/v1{path}")
        assert (nobody.status_code, nobody.json()["code"]) == (401, "not_authenticated"), (method, path)
    assert (list(Listing.objects.values()), Version.objects.count(), list(Offer.objects.values())) == before


def test_a_viewer_of_the_seller_looks_and_changes_nothing(seller):
    version = factories.make_draft(seller)
    factories.make_offer(version.listing)
    viewer = Script(factories.make_member(seller, "viewer"))
    for method, path, body in routes(version.listing):
        answer = viewer.send(method, path, body)
        expected = 200 if method == "GET" else 403
        assert answer.status_code == expected, (method, path, answer.content)
        if expected == 403:
            assert answer.json()["code"] == "role_needed"


def test_a_token_that_may_only_read_changes_nothing(seller):
    version = factories.make_draft(seller)
    factories.make_offer(version.listing)
    reader = Script(factories.owner_of(seller), "read")
    for method, path, body in routes(version.listing):
        answer = reader.send(method, path, body)
        if method != "GET":
            assert (answer.status_code, answer.json()["code"]) == (403, "scope_needed"), (method, path)


def test_a_key_makes_one_product_however_often_it_is_sent(script):
    answers = [script.post("/listings", {"product_type": "dataset"}, key="k1").json() for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert Listing.objects.count() == 1
    other = script.post("/listings", {"product_type": "report"}, key="k1")
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    without = script.client.post(
        "/api/v1/listings",
        {"product_type": "api"},
        "application/json",
        headers={"Authorization": f"Bearer {script.secret}"},
    )
    assert (without.status_code, without.json()["code"]) == (400, "key_needed")


def test_only_the_staff_for_reviews_suspend_and_resume(script):
    listing = factories.make_listed_product()
    path = f"/listings/{listing.public_id}"
    staff = Script(factories.make_staff("review"), "read", "staff")
    vetting = Script(factories.make_staff("vetting"), "read", "staff")
    assert script.post(f"{path}/suspension", {"reason": "x"}).status_code == 403
    assert vetting.post(f"{path}/suspension", {"reason": "x"}).json()["code"] == "role_needed"
    suspended = staff.post(f"{path}/suspension", {"reason": "Complaint 7."}).json()
    assert (suspended["state"], suspended["reason"]) == ("suspended", "Complaint 7.")
    assert Client().get(f"/api/v1/products/{listing.public_id}").status_code == 404
    again = staff.post(f"{path}/suspension", {"reason": "Again."})
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    assert staff.post(f"{path}/resumption").json()["state"] == "listed"


def test_named_offers_are_shown_to_those_they_name():
    buyer = factories.make_organisation()
    listing = factories.make_listed_product()
    named = factories.make_offer(listing, name="For one", audience="named", buyers=[buyer])
    path = f"/products/{listing.public_id}"

    def seen(client_get) -> list[str]:
        return [offer["public_id"] for offer in client_get.json()["offers"]]

    assert named.public_id in seen(Script(factories.owner_of(buyer), "read").get(path))
    assert named.public_id not in seen(Client().get(f"/api/v1{path}"))
    own = Script(factories.owner_of(listing.seller)).get(f"/listings/{listing.public_id}/offers").json()["results"]
    assert [offer["buyers"] for offer in own if offer["public_id"] == named.public_id] == [[buyer.public_id]]


def test_the_seller_withdraws_by_script(script, seller):
    listing = factories.make_listed_product(seller)
    answer = script.post(f"/listings/{listing.public_id}/withdrawal", {"reason": "Sold."})
    assert (answer.json()["state"], answer.json()["possible_acts"]) == ("withdrawn", [])
    assert Offer.objects.get().closed_at is not None
    assert publishing.problems(Version.objects.get()) == []
