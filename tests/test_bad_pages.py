"""What people, and scripts that play at people, send to pages: no 5xx, nothing half-done, and every text stays text."""

from __future__ import annotations

import csv
import io
import json
import re
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from marketplace.spreadsheets import safe_cell
from settlement import statements
from settlement.models import Statement
from settlement.states import TradeState
from tests import trading
from tests.tenancy.asking import ROWS, made_world, named, read, some, taken_back, traces, who_may
from tests.tenancy.rules import Row
from tests.tenancy.walk import filled
from tests.tenancy.world import World

pytestmark = pytest.mark.django_db

MARK = "'\"><script>alert(1)</script>"
PAGES = [row for row in ROWS if row.is_page and row.gives < 400 and row.is_open_to_somebody]
LOOKS = [row for row in PAGES if row.is_safe]
FORMS = [row for row in PAGES if not row.is_safe]

VALUES = [
    "",
    " ",
    "\x00",
    "a\x00b",
    "x" * 20_000,
    "💩",
    "-1",
    "0",
    "9" * 30,
    "1e400",
    "NaN",
    "∞",
    "٣",
    "0x10",
    MARK,
    "=1+1",
]
QUERIES = [
    "%00",
    "%FF%FE",
    "x" * 3000,
    "%F0%9F%92%A9",
    "-1",
    "0",
    "9" * 30,
    "1e400",
    "%3Cscript%3E",
    "..%2F..",
    "%0A",
    "",
]
ASKED = ["q", "page", "show", "number", "code", "kind", "state", "price", "sector", "product_type", "new", "next"]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One in which everybody calls everything by a name that is HTML."""
    with django_db_blocker.unblock(), made_world(tmp_path_factory.mktemp("storage"), mark=MARK) as made:
        yield made


@pytest.fixture(autouse=True)
def an_even_pace() -> None:
    """No rate limit stands in the way."""
    cache.clear()


def browser(world: World, row: Row) -> Client:
    client = world.client_of(who_may(row))
    client.raise_request_exception = False
    return client


def crash(answer: Any) -> str:
    """What went wrong on our side; '' when nothing did."""
    if answer.status_code < 500 or answer.status_code == 503:
        return ""
    error = getattr(answer, "exc_info", None)
    return f"answered {answer.status_code}: {error[1]!r}"[:300] if error else f"answered {answer.status_code}"


# --- names that are HTML -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", LOOKS, ids=named)
def test_html_in_a_name_stays_text(row: Row, world: World) -> None:
    """Wherever a member's or an officer's words are shown, they are shown as they were written."""
    path = filled(row.route, row.at(world))
    query = "&".join(f"{name}={value}" for name, value in row.asks(world).items())
    answer = browser(world, row).get(f"{path}?{query}")
    assert answer.status_code == row.gives, crash(answer)
    if not answer.headers["Content-Type"].startswith("text/html"):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        return
    page = read(answer)
    assert "<script>alert" not in page


def test_the_names_that_are_html_are_shown_at_all(world: World) -> None:
    """Else the test above would prove nothing."""
    shown = 0
    for row in LOOKS:
        answer = browser(world, row).get(filled(row.route, row.at(world)))
        shown += answer.headers["Content-Type"].startswith("text/html") and "&lt;script&gt;alert(1)" in read(answer)
    assert shown >= 25, shown


def test_html_in_a_name_stays_text_in_the_admins_records(world: World) -> None:
    client = world.client_of("staff:audit")
    for path in ("marketplace/organisation/", "listings/listing/", "settlement/trade/", "compliance/hold/"):
        page = read(client.get(f"/admin/{path}"))
        assert "<script>alert" not in page, path
        assert "&lt;script&gt;alert(1)" in page, path


# --- forms and queries ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", FORMS, ids=named)
def test_a_form_filled_with_nonsense_crashes_nothing(row: Row, world: World) -> None:
    """All fields wrong, each wrong in turn with the others right, forms that are none. A refusal leaves nothing."""
    said, at = row.says(world) if row.says else {}, FORMS.index(row)
    path, wrong, before = filled(row.route, row.at(world)), [], traces()
    sent = [
        (f"all={value!r:.30}", {name: said[name] if name == "files" else value for name in said})
        for value in some(VALUES, at, width=4)
    ]
    in_turn = [(name, value) for place, name in enumerate([*said, "key"]) for value in some(VALUES, at + place, 2)]
    sent += [(f"{name}={value!r:.30}", {**said, name: value}) for name, value in in_turn]
    sent += [("nothing", {}), ("many fields", {f"field{number}": "x" for number in range(1100)})]
    for what, form in sent:
        if "files" in form and not form["files"]:
            continue
        fields = {"key": secrets.token_urlsafe(18), **form} if what != "nothing" else form
        if hasattr(fields.get("files"), "seek"):
            fields["files"].seek(0)
        wrong += [f"{what}: {mistake}" for mistake in _sent(world, row, path, before, data=fields)]
    bodies = [
        ("JSON", json.dumps({"a": 1}).encode(), "application/json"),
        ("half a multipart", b"--x\r\nContent-Disposition: form-data", "multipart/form-data; boundary=x"),
        ("no boundary", b"x", "multipart/form-data"),
        ("not UTF-8", b"reason=%ff%fe&act=%ff&key=%ff", "application/x-www-form-urlencoded"),
        ("a strange coding", b"reason=x", "application/x-www-form-urlencoded; charset=utf-7"),
        ("3 MB", b"reason=" + b"x" * 3_000_000, "application/x-www-form-urlencoded"),
    ]
    for what, body, content_type in some(bodies, at):
        wrong += [
            f"{what}: {mistake}" for mistake in _sent(world, row, path, before, data=body, content_type=content_type)
        ]
    assert not wrong, "\n".join([named(row), *wrong])


def _sent(world: World, row: Row, path: str, before: int, **how: Any) -> list[str]:
    with taken_back():
        answer = browser(world, row).post(path, **how)
        left = traces() - before
    mistakes = [crash(answer)] if crash(answer) else []
    if answer.status_code >= 400 and left:
        mistakes.append(f"answered {answer.status_code}, yet left {left} rows")
    return mistakes


@pytest.mark.parametrize("row", LOOKS, ids=named)
def test_a_strange_query_is_answered(row: Row, world: World) -> None:
    path, client, wrong = filled(row.route, row.at(world)), browser(world, row), []
    for value in ["%00", *some(QUERIES[1:], LOOKS.index(row))]:
        answer = client.get(f"{path}?{'&'.join(f'{name}={value}' for name in ASKED)}")
        if crash(answer):
            wrong.append(f"{value:.20}: {crash(answer)}")
        if value == "%00" and answer.status_code != 400:
            wrong.append(f"%00: answered {answer.status_code}")
    assert not wrong, "\n".join([named(row), *wrong])


@pytest.mark.parametrize("row", [row for row in PAGES if "<" in row.route], ids=named)
def test_an_address_of_nothing_is_not_found(row: Row, world: World) -> None:
    client, wrong = browser(world, row), []
    given = {name: str(value) for name, value in row.at(world).items()}
    said = row.says(world) if row.says else {}
    for kind, name in re.findall(r"<(?:(\w+):)?(\w+)>", row.route):
        for value in ["0", "9" * 30] if kind == "int" else some(QUERIES[:-1], PAGES.index(row)):
            address = filled(row.route, {**given, name: value})
            with taken_back():
                answer = client.get(address) if row.is_safe else client.post(address, {"key": "k" * 20, **said})
            if crash(answer) or answer.status_code < 400:
                wrong.append(f"{name}={value:.20}: {crash(answer) or answer.status_code}")
    assert not wrong, "\n".join([named(row), *wrong])


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("address", ["/products/none/", "/no/page/at/all/"])
def test_what_is_not_found_is_told_by_our_own_page(address: str, debug: bool, settings: Any) -> None:
    settings.DEBUG = debug
    answer = Client().get(address)
    assert answer.status_code == 404 and "There is nothing here" in answer.content.decode()
    assert Client().get("/api/v1/no/such/thing").json()["code"] == "not_found"


@pytest.mark.parametrize("language", ["xx", "../../etc/passwd", "en\x00", "x" * 5000, "zh-hans;q=nan", ""])
def test_a_strange_language_is_answered_in_ours(language: str, world: World) -> None:
    client = Client()
    assert client.get("/", headers={"Accept-Language": language}).status_code == 200
    client.cookies["django_language"] = language.replace("\x00", "")
    assert client.get("/").status_code == 200
    assert client.post("/i18n/setlang/", {"language": language, "next": "//elsewhere.example"}).status_code == 302
    number = world.certificate.number
    answer = world.client_of("seller:owner").get(f"/api/v1/papers/{number}/pdf", {"language": language or "-"})
    assert (answer.status_code, answer.json()["code"]) in ((404, "not_found"), (400, "invalid"))


@pytest.mark.parametrize(
    "next_url", ["//elsewhere.example", "https://elsewhere.example/", "javascript:alert(1)", "\\\\x"]
)
def test_nobody_is_sent_elsewhere(next_url: str, world: World) -> None:
    """Pages that lead on lead within the exchange."""
    client = world.client_of("seller:owner")
    asked = {"organisation": world.seller.public_id, "next": next_url}
    assert client.post("/act-for/", asked).headers["Location"] == "/"
    answer = client.post("/i18n/setlang/", {"language": "en", "next": next_url})
    assert answer.headers["Location"] == "/"


# --- spreadsheets --------------------------------------------------------------------------------------------------

FORMULAS = ["=1+1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", "＝1+1"]


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_in_a_text_is_no_formula_in_a_cell(formula: str) -> None:
    assert safe_cell(formula) == f"'{formula}"
    assert safe_cell(f"Departures {formula}") == f"Departures {formula}"


@pytest.mark.parametrize("number", ["-1", "+1", "-1250.50"])
def test_a_number_with_its_sign_stays_one(number: str) -> None:
    assert safe_cell(number) == number


def test_a_title_that_is_a_formula_leaves_the_exchange_as_text(tmp_path: Any, settings: Any) -> None:
    """From the manual to the statement a member opens in a spreadsheet, by page and by API."""
    settings.STORAGE_DIR = tmp_path
    title = '=HYPERLINK("http://elsewhere.example","Pay")'
    listing = trading.make_listed(titles=dict.fromkeys(("en", "zh-hans", "zh-hant"), title))
    deal = trading.propose(trading.make_offer(listing))
    for step, walk in trading.ROAD.items():
        if step not in (TradeState.PROPOSED, TradeState.AGREED):
            walk(deal)
    statement = Statement.objects.get(organisation=deal.trade.seller)
    statements.issue([statement])
    client = Client()
    client.force_login(deal.seller)
    for path in (f"/money/statements/{statement.pk}.csv", f"/api/v1/statements/{statement.pk}/lines"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.headers["Content-Disposition"].startswith("attachment")
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        cells = [cell for row in rows for cell in row]
        assert f"'{title}" in cells
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "\t", "\r"))]
        assert all(re.fullmatch(r"-\d+(\.\d+)?", cell) for cell in cells if cell.startswith("-"))
