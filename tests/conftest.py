"""What every test may use."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pgtrigger
import pytest
from django.apps import apps
from django.core.cache import cache
from django.core.management.commands import flush

_flush = flush.Command.handle


def _empty_the_test_database(self: flush.Command, **options: object) -> None:
    """The one place where the guards are set aside; what migrations laid is laid again."""
    with pgtrigger.ignore():
        _flush(self, **options)
    importlib.import_module("settlement.migrations.0002_first_fee_schedule").open_with_a_schedule(apps, None)
    importlib.import_module("compliance.migrations.0003_first_tiers").begin_with_tiers(apps, None)


flush.Command.handle = _empty_the_test_database


@pytest.fixture(autouse=True)
def fresh_cache(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test inherits another's rate limits."""
    yield
    if request.node.get_closest_marker("django_db") or {"db", "transactional_db"} & set(request.fixturenames):
        cache.clear()
