"""A real browser for the journeys that only a browser shows; skipped where none is found."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Chromium without a window."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # the browser's loop runs in the test's own thread
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page_of(browser: Any, live_server: Any) -> Iterator[Callable[..., Any]]:
    """A page in which this person is signed in. Whatever the browser complains of fails the test at its end."""
    complaints: list[str] = []
    contexts: list[Any] = []

    def open_page(person: Any, *, width: int = 1280, language: str = "en") -> Any:
        client = Client()
        client.force_login(person)
        context = browser.new_context(
            base_url=live_server.url, viewport={"width": width, "height": 900}, locale=language
        )
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_page
    for context in contexts:  # before the server stops, which waits for the browser's connections
        context.close()
    assert not complaints, complaints
