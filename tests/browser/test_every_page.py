"""Every page that the URL configuration names, in the browser: usable by all, at any width, in English or Chinese.

Nothing listens: what the browser asks for is answered by Django in this process, within the transaction in which the
world was made. So each page costs a second, not the start of a server.
"""

from __future__ import annotations

import contextvars
import mimetypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.staticfiles import finders
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import translation

from tests.browser.conftest import WAIT_SECONDS
from tests.tenancy.asking import ROWS, made_world, named, some, taken_back, who_may
from tests.tenancy.rules import Row
from tests.tenancy.walk import filled, routes
from tests.tenancy.world import World

pytestmark = pytest.mark.django_db

ADDRESS = "https://exchange.test"
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
LANGUAGES = ("en", "zh-hant")  # dealt out over the pages; the journeys are walked in 简体 too, as wide as 繁體
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
ACCOUNT_PAGES = [one.path for one in routes() if one.group == "/accounts/" and not set("<^") & set(one.path)]
# The admin's records share Django's templates: one model for each shape of list, filter and value.
KINDS_OF_RECORDS = [
    apps.get_model(label)
    for label in (
        "compliance.ReviewDecision", "listings.CatalogueEntry", "listings.Version", "marketplace.Announcement",
        "marketplace.Event", "marketplace.Organisation", "marketplace.Seal", "marketplace.User",
        "settlement.PayoutAccount", "settlement.Trade",
    )
]  # fmt: skip
LOOKS = [row for row in ROWS if row.is_page and row.is_safe and row.is_open_to_somebody and row.gives == 200]


class Reader:
    """A browser's page whose every request is answered by a client of ours."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.client = Client()
        self.language = "en"
        self.is_page = True
        self.context = contextvars.copy_context()
        self.complaints: list[str] = []
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.route("**/*", self._answer)

    def _answer(self, route: Any) -> None:
        path = route.request.url.removeprefix(ADDRESS)
        if path.startswith("/static/"):
            found = finders.find(path.partition("?")[0].removeprefix("/static/"))
            assert isinstance(found, str), path
            kind = mimetypes.guess_type(found)[0]
            route.fulfill(status=200, body=Path(found).read_bytes(), headers={"Content-Type": str(kind)})
            return
        # Playwright calls from a greenlet of its own, which would have a connection of its own to the database.
        answer, body = self.context.run(self._asked, path)
        if route.request.is_navigation_request():
            self.is_page = answer.headers["Content-Type"].startswith("text/html")
            if not self.is_page:  # a file, which a browser would save or show by a program of its own
                route.fulfill(status=204)
                return
        route.fulfill(status=answer.status_code, body=body, headers=dict(answer.headers))

    def _asked(self, path: str) -> tuple[Any, bytes]:
        """The answer and the whole of what it says: what streams reads the database as it is read."""
        answer = self.client.get(path, headers={"Accept-Language": self.language}, secure=True)
        return answer, b"".join(answer.streaming_content) if answer.streaming else answer.content

    def opens(self, path: str, language: str, size: dict[str, int]) -> bool:
        """Go there; False where a file is, no page."""
        self.language, self.context = language, contextvars.copy_context()
        self.page.set_viewport_size(size)
        from playwright.sync_api import Error

        try:
            self.page.goto(ADDRESS + path)
        except Error:
            if self.is_page:
                raise
        return self.is_page

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def violations(self, only: list[str] | None = None) -> list[str]:
        """What axe finds, each with the first places."""
        from axe_playwright_python.base import AXE_SCRIPT

        # Preloading, axe would itself write style sheets into the page, which our policy forbids.
        options = {
            "preload": False,
            "resultTypes": ["violations"],
            "runOnly": {"type": "rule", "values": only} if only else RULES,
        }
        self.page.evaluate("script => { if (!window.axe) (0, eval)(script); }", AXE_SCRIPT)
        found = self.page.evaluate("options => axe.run(document, options)", options)["violations"]
        return [
            f"{one['id']}: {one['help']}: " + " | ".join(node["html"][:160] for node in one["nodes"][:3])
            for one in found
        ]


@pytest.fixture(scope="module")
def reader(browser: Any) -> Iterator[Reader]:
    # Still, so that no colour is measured on its way to another.
    context = browser.new_context(viewport=DESKTOP, reduced_motion="reduce")
    context.set_default_timeout(1000 * WAIT_SECONDS)
    yield Reader(context.new_page())
    context.close()


@pytest.fixture(scope="module")
def world(django_db_setup: Any, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[World]:
    with django_db_blocker.unblock(), made_world(tmp_path_factory.mktemp("storage")) as made:
        yield made


@pytest.fixture(autouse=True)
def as_before(reader: Reader, settings: Any) -> Iterator[None]:
    cache.clear()
    settings.ALLOWED_HOSTS = ["*"]
    with translation.override("en"), taken_back():
        yield
    reader.complaints.clear()


def look_at(reader: Reader, path: str, language: str) -> list[str]:
    """What is wrong with this page, at both widths, light and dark."""
    if not reader.opens(path, language, PHONE):
        return []
    wrong = [f"{language} on a phone: {over} px too wide" for over in [reader.overflow()] if over > 0]
    reader.page.set_viewport_size(DESKTOP)
    wrong += [f"{language}: {over} px too wide" for over in [reader.overflow()] if over > 0]
    wrong += [f"light: {one}" for one in reader.violations()]
    reader.page.emulate_media(color_scheme="dark")
    wrong += [f"dark: {one}" for one in reader.violations(only=["color-contrast"])]
    reader.page.emulate_media(color_scheme="light")
    return wrong + reader.complaints


@pytest.mark.parametrize("row", LOOKS, ids=named)
def test_a_page_is_usable_by_everybody(row: Row, reader: Reader, world: World) -> None:
    query = "&".join(f"{name}={value}" for name, value in row.asks(world).items())
    reader.client = world.client_of(who_may(row))
    [language] = some(list(LANGUAGES), LOOKS.index(row), width=1)
    wrong = look_at(reader, f"{filled(row.route, row.at(world))}?{query}", language)
    assert not wrong, "\n".join([named(row), *wrong])


@pytest.mark.parametrize("path", ACCOUNT_PAGES)
def test_an_accounts_page_is_usable_by_everybody(path: str, reader: Reader, world: World) -> None:
    """Where nobody is answered at the first visit, there is only a step on the way between two pages."""
    visitors = [Client(), world.client_of("seller:owner")]
    for reader.client in [one for one in visitors if one.get(path, secure=True).status_code == 200][:1]:
        [language] = some(list(LANGUAGES), ACCOUNT_PAGES.index(path), width=1)
        wrong = look_at(reader, path, language)
        assert not wrong, "\n".join([path, *wrong])


@pytest.mark.parametrize("model", KINDS_OF_RECORDS, ids=lambda model: model._meta.label_lower)
def test_the_admins_records_are_usable_by_everybody(model: Any, reader: Reader, world: World) -> None:
    """The list, and one of it, as the auditor sees them."""
    reader.client = world.client_of("staff:audit")
    at = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    paths = [reverse(f"{at}_changelist")]
    if (found := model._default_manager.order_by("pk").first()) is not None:
        paths.append(reverse(f"{at}_change", args=[found.pk]))
    wrong = [f"{path}: {one}" for path in paths for one in look_at(reader, path, "zh-hans")]
    reader.opens(paths[0], "zh-hans", PHONE)
    cut = reader.page.evaluate(
        "[...document.querySelectorAll('.results')].map(list => list.scrollWidth - list.clientWidth)"
    )
    wrong += [f"{paths[0]}: {over} px of the list are cut on a phone" for over in cut if over]
    assert not wrong, "\n".join(wrong)
