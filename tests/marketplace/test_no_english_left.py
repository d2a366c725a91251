"""Every page in 繁體, every refusal in 简体: no English sentence is left but what somebody wrote as data."""

from __future__ import annotations

import ast
import functools
import json
import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache
from django.utils import translation

from compliance.states import REVIEW_MOVES, VERIFICATION_MOVES
from listings.models import Profile
from listings.states import LISTING_MOVES, VERSION_MOVES
from marketplace import money, roles
from marketplace.act_words import ACTS
from marketplace.errors import Refused
from tests.source import APPS, ROOT, parsed, place, sources
from tests.tenancy.asking import ROWS, ask, made_world, named, read, taken_back, who_may
from tests.tenancy.rules import Answer, Row
from tests.tenancy.walk import filled
from tests.tenancy.world import World

pytestmark = pytest.mark.django_db

# A sentence that never went through gettext is left in either Chinese: pages are walked in one, refusals in the other.
OF_PAGES, OF_REFUSALS = "zh-hant", "zh-hans"
LANGUAGES = (OF_REFUSALS, OF_PAGES)
# Four words of Latin letters on end are a sentence; fewer may be a name.
SENTENCE = re.compile(r"[A-Za-z][A-Za-z’'-]*(?: [A-Za-z’'-]+){3,}")
# Shown as they are: to programmers, or by other people.
NOT_OURS = {
    "/design/": "the page of the design system, with samples in every language",
    "/admin/desks/stuck/": "names of work and errors, in the words of the log",
    "/api/v1/docs": "the API's documentation, for programmers, is in English",
}
# Commands, licences and names of standards.
ALLOWED = ("python manage.py", "Creative Commons", "Apache License")
LOOKS = [row for row in ROWS if row.is_page and row.is_safe and row.is_open_to_somebody and row.route not in NOT_OURS]
REFUSED = [row for row in ROWS if row.is_page and not row.is_safe]
VOID = {"meta", "link", "input", "img", "br", "hr", "source", "wbr", "use", "path", "circle", "rect", "line"}


class Words(HTMLParser):
    """The text of a page that is in its language: without code, and without what says it is in another."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self.language = language
        self.open: list[bool] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        said = dict(attributes)
        language = (said.get("lang") or self.language).lower()
        is_ours = tag not in ("code", "pre", "script", "style", "title") and language.startswith(self.language)
        for name in ("title", "aria-label", "placeholder", "alt", "value" if tag == "button" else ""):
            if is_ours and name and said.get(name):
                self.texts.append(str(said[name]))
        if tag not in VOID:
            self.open.append(is_ours)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self.open:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if all(self.open) and data.strip():
            self.texts.append(" ".join(data.split()))


def english_in(page: str, language: str) -> list[str]:
    words = Words(language)
    words.feed(page)
    return [found[0] for text in words.texts for found in SENTENCE.finditer(text)]


@functools.cache
def _written(_mark: str) -> str:
    """Everything somebody wrote: each text in the database."""
    texts: list[str] = []
    for label in APPS:
        for model in apps.get_app_config(label).get_models():
            names = [one.attname for one in model._meta.concrete_fields if one.get_internal_type() in KINDS]
            for row in model.objects.values_list(*names) if names else ():
                texts += [" ".join(text.split()) for value in row for text in _texts(value)]
    return "\n".join(texts)


KINDS = {"CharField", "TextField", "EmailField", "JSONField"}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        yield from _texts(json.dumps(value, ensure_ascii=False))
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


@pytest.fixture(scope="module")
def world(django_db_setup: Any, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("storage")
    with django_db_blocker.unblock(), made_world(folder) as made:
        _written.cache_clear()
        yield made


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    cache.clear()
    with translation.override("en"), taken_back():
        yield


def _left(page: str, language: str) -> list[str]:
    return _not_data(english_in(page, language))


def _not_data(found: Iterable[str]) -> list[str]:
    data = _written("") + "\n".join(ALLOWED)
    return [one for one in found if one not in data]


@pytest.mark.parametrize("row", LOOKS, ids=named)
def test_a_page_in_chinese_holds_no_english_sentence(row: Row, world: World) -> None:
    language = OF_PAGES
    path = filled(row.route, row.at(world))
    query = "&".join(f"{name}={value}" for name, value in row.asks(world).items())
    answer = world.client_of(who_may(row)).get(f"{path}?{query}", headers={"Accept-Language": language})
    assert answer.status_code == row.gives
    if answer.headers["Content-Type"].startswith("text/html"):
        assert _left(read(answer), language) == []


@pytest.mark.parametrize("row", REFUSED, ids=named)
def test_a_refusal_in_chinese_holds_no_english_sentence(row: Row, world: World) -> None:
    """Asked by somebody who may not, and with a form that says nothing."""
    language = OF_REFUSALS
    path = filled(row.route, row.at(world))
    refused = [who for who in row.asked() if row.expected(who).status == 403][:2]
    for who in [*refused, who_may(row)]:
        answer = world.client_of(who).post(path, {"key": "walked" * 4}, headers={"Accept-Language": language})
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            assert _left(read(answer), language) == [], who


def test_an_english_sentence_would_be_found() -> None:
    """Else the walks above would prove nothing."""
    page = '<html lang="zh-Hans"><p>该交易</p><p>This offer is not on sale.</p><code>a b c d e</code></html>'
    assert english_in(page, "zh") == ["This offer is not on sale"]
    assert english_in('<html lang="zh-Hans"><p lang="en">This offer is not on sale.</p></html>', "zh") == []
    assert english_in('<html lang="zh-Hans"><p title="Load it again and see">好</p></html>', "zh")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_api_refuses_in_the_language_that_is_asked_for(language: str, world: World) -> None:
    needed = Answer(403, "role_needed")
    asked = ((row, who) for row in ROWS if not row.is_page and row.method == "POST" for who in row.asked())
    row, who = next((row, who) for row, who in asked if row.expected(who) == needed and who.startswith("seller:"))
    in_english = ask(world.client_of(who), row, world).json()
    answer = (
        world.client_of(who)
        .post(
            filled(row.route, row.at(world)),
            json.dumps(row.says(world) if row.says else {}),
            content_type="application/json",
            headers={"Accept-Language": language, "Idempotency-Key": "another-key-of-its-own"},
        )
        .json()
    )
    assert answer["code"] == in_english["code"] == "role_needed"
    assert SENTENCE.search(in_english["detail"])
    left = [_not_data(SENTENCE.findall(answer[part])) for part in ("detail", "next")]
    assert left == [[], []]


# --- what no walk comes by -----------------------------------------------------------------------------------------


def _refusals(kind: type[Refused] = Refused) -> set[str]:
    return {kind.__name__}.union(*map(_refusals, kind.__subclasses__()))


def test_what_a_refusal_says_can_be_put_into_the_readers_language() -> None:
    """A plain text or f-string is English for everybody; it goes through gettext, its facts apart."""
    raised = {*_refusals(), "_refused", "_problem", "_Wrong", "NotPlain", "NotAnAmount", "Unreadable", "ProfileFailed"}
    raised -= {"CurrencyMismatch"}  # a mistake of ours
    strays = [
        f"{place(path, call)}: {ast.unparse(said)[:80]}"
        for path in sources(*APPS)
        for call in ast.walk(parsed(path))
        if isinstance(call, ast.Call) and getattr(call.func, "id", getattr(call.func, "attr", "")) in raised
        for said in [*call.args, *(one.value for one in call.keywords if one.arg in ("detail", "next", "says"))]
        if _is_plain_sentence(said) and place(path) not in FOR_PROGRAMMERS
    ]
    assert not strays, strays


# Read by operators on a command line or in a log, or put together from what was translated.
FOR_PROGRAMMERS = (
    "listings/catalogue_files.py", "listings/objections.py", "listings/questions.py", "listings/listing_reports.py",
    "settlement/channels/__init__.py",
    "settlement/channels/files/__init__.py", "marketplace/object_store.py",
)  # fmt: skip


def _is_plain_sentence(said: ast.expr) -> bool:
    if isinstance(said, ast.JoinedStr):
        said = ast.Constant("".join(str(one.value) for one in said.values if isinstance(one, ast.Constant)))
        return " " in said.value and not said.value.startswith("Money counts")
    return isinstance(said, ast.Constant) and isinstance(said.value, str) and " " in said.value


def test_every_act_has_a_word_in_every_language() -> None:
    moves = (REVIEW_MOVES, VERIFICATION_MOVES, LISTING_MOVES, VERSION_MOVES)
    acts = {*roles.MEMBER_ACTS, *roles.STAFF_ACTS, *(act for one in moves for after in one.values() for act in after)}
    assert acts == set(ACTS)
    for language in LANGUAGES:
        with translation.override(language):
            assert [act for act in acts if str(ACTS[act]).isascii()] == []


def test_why_a_release_was_not_measured_is_said_in_the_readers_language(db: None) -> None:
    says, facts = (
        "The table has %(columns)s columns; at most %(most)s can be described.",
        {"columns": 9000, "most": 2000},
    )
    profile = Profile(error="wide.csv: in English", failure={"path": "wide.csv", "says": says, "facts": facts})
    assert profile.why == "wide.csv: The table has 9000 columns; at most 2000 can be described."
    with translation.override("zh-hans"):
        assert profile.why == "wide.csv: 该表有 9000 列；最多只能测量 2000 列。"
    profile.failure = {"path": "x", "says": "100 % %(nothing)s %d", "facts": {"columns": 1}}  # what a jail may answer
    assert profile.why == "x: 100 % %(nothing)s %d"
    assert Profile(error="TryLater: x").why == "TryLater: x"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_of_the_profiler_is_translated(language: str) -> None:
    said = [
        call.args[0].value
        for path in [*sources("listings/profiler"), ROOT / "listings/isolation.py"]
        for call in ast.walk(parsed(path))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "_" and isinstance(call.args[0], ast.Constant)
    ]
    assert len(said) > 40
    with translation.override(language):
        assert [one for one in said if translation.gettext(one) == one] == []


@pytest.mark.parametrize(
    ("text", "currency", "said"),
    [
        ("", "CNY", "请输入金额，例如 1,234.50。"),
        ("1.0", "JPY", "JPY没有小数位。"),
        ("1.005", "CNY", "CNY最多有 2 位小数。"),
        ("zwölf", "CNY", "“zwölf”不是金额。请输入数字，小数前用点号：1,234.50。"),
    ],
)
def test_what_is_wrong_with_an_amount_is_said_in_the_readers_language(text: str, currency: str, said: str) -> None:
    with translation.override("zh-hans"), pytest.raises(money.NotAnAmount) as wrong:
        money.parse(text, currency)
    assert str(wrong.value) == said
