"""Every page and refusal, walked in 简体 and 繁體: no English sentence is left but what somebody wrote as data."""

from __future__ import annotations

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

from tests.source import APPS
from tests.tenancy.asking import ROWS, ask, made_world, named, read, taken_back, who_may
from tests.tenancy.rules import Answer, Row
from tests.tenancy.walk import filled
from tests.tenancy.world import World

pytestmark = pytest.mark.django_db

LANGUAGES = ("zh-hans", "zh-hant")
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


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("row", LOOKS, ids=named)
def test_a_page_in_chinese_holds_no_english_sentence(row: Row, language: str, world: World) -> None:
    path = filled(row.route, row.at(world))
    query = "&".join(f"{name}={value}" for name, value in row.asks(world).items())
    answer = world.client_of(who_may(row)).get(f"{path}?{query}", headers={"Accept-Language": language})
    assert answer.status_code == row.gives
    if answer.headers["Content-Type"].startswith("text/html"):
        assert _left(read(answer), language) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("row", REFUSED, ids=named)
def test_a_refusal_in_chinese_holds_no_english_sentence(row: Row, language: str, world: World) -> None:
    """Asked by somebody who may not, and with a form that says nothing."""
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
