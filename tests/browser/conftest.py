"""A real browser for what only a browser shows. Needs Playwright and a Chromium.

Without either these tests are skipped and say so; with BROWSER_NEEDED set they fail. `page_of` opens pages of a server
in this process; `start_exchange` starts the real web server, with settings of its own.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connections
from django.test import Client

from marketplace.models import User
from tests import web_server

WAIT_SECONDS = 90
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

# Playwright drives its browser from a loop of its own in this thread; Django would take that for asynchronous code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture(scope="session")
def browser(django_db_setup: Any) -> Iterator[Any]:
    """Chromium without a window, one for all tests; each makes its own context, as if it were another person's.

    While it lives, a loop runs in this thread, and Django keeps another connection to the database than before and
    after: each is closed when its time ends, or the test database could not be dropped.
    """
    lacking = "" if CHROMIUM else "no Chromium on this machine; apt-get install chromium"
    if not importlib.util.find_spec("playwright"):
        lacking = "playwright is not installed"
    if lacking and os.environ.get("BROWSER_NEEDED"):
        pytest.fail(lacking)
    if lacking:
        pytest.skip(lacking)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=1000 * WAIT_SECONDS)
    connections.close_all()
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        try:
            yield chromium
        finally:
            chromium.close()
            connections.close_all()


@pytest.fixture
def page_of(browser: Any, live_server: Any) -> Iterator[Callable[..., Any]]:
    """A page in which this person is signed in. Whatever the browser complains of fails the test at its end."""
    complaints: list[str] = []
    contexts: list[Any] = []

    def open_page(person: Any, *, width: int = 1280, language: str = "en") -> Any:
        context = signed_in(browser, live_server.url, person, viewport={"width": width, "height": 900}, locale=language)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_page
    for context in contexts:  # before the server stops, which waits for the browser's connections
        context.close()
    assert not complaints, complaints


@pytest.fixture
def start_exchange(transactional_db, settings, tmp_path) -> Iterator[Callable[..., str]]:
    """Starts a web server like that of `up`, with these variables besides; its address."""
    settings.STORAGE_DIR = tmp_path / "storage"
    with contextlib.ExitStack() as running:

        def start(**variables: str) -> str:
            settings.BASE_URL = running.enter_context(web_server.running(tmp_path / "web.log", **variables))
            return settings.BASE_URL

        yield start


@pytest.fixture
def exchange(start_exchange: Callable[..., str]) -> str:
    """The address of a web server as it is by default."""
    return start_exchange()


def signed_in(browser: Any, url: str, person: User, **options: Any) -> Any:
    """A fresh browser context in which this person is signed in."""
    client = Client()
    client.force_login(person)
    name = django_settings.SESSION_COOKIE_NAME
    context = browser.new_context(base_url=url, **options)
    context.set_default_timeout(1000 * WAIT_SECONDS)
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])
    return context


def until(holds: Callable[[], Any], what: str, page: Any) -> Any:
    """What `holds` gives as soon as it is true; the page lives on meanwhile."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not (answer := holds()):
        assert time.monotonic() < deadline, f"waited too long for {what}"
        page.wait_for_timeout(100)
    return answer


def file_of(folder: Path, name: str, content: bytes) -> Path:
    """A file to be chosen."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
