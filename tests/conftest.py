"""What every test may use."""

from __future__ import annotations

from collections.abc import Iterator

import pgtrigger
import pytest
from django.core.cache import cache
from django.core.management.commands import flush


@pytest.fixture(autouse=True)
def cleaning_may_truncate(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Emptying the test database is the one place where the guards are set aside."""
    handle = flush.Command.handle

    def unguarded(self: flush.Command, **options: object) -> None:
        with pgtrigger.ignore():
            handle(self, **options)

    monkeypatch.setattr(flush.Command, "handle", unguarded)
    yield


@pytest.fixture(autouse=True)
def fresh_cache(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test inherits another's rate limits."""
    yield
    if {"db", "transactional_db"} & set(request.fixturenames):
        cache.clear()
