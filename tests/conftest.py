"""What every test may use."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Iterator
from typing import Any

import pgtrigger
import pytest
from django.apps import apps
from django.core.cache import cache
from django.core.management.commands import flush
from django.db import connections, transaction
from django.utils import translation
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests import kept

# How long a loaded machine takes over an example says nothing of what is tested.
hypothesis_settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("house")

# A run makes millions of objects that are in no cycle: looking for some of them again and again took a tenth of it.
gc.set_threshold(50_000, 20, 50)


def _empty_the_test_database(self: flush.Command, **options: Any) -> None:
    """The one place where the guards are set aside; what migrations laid is laid again.

    Few of the eighty tables hold a row after a test. TRUNCATE would make the files of every table and index anew, and
    the types and permissions of every model would be written again: that takes longer than most tests.
    """
    connection = connections[options["database"]]
    with pgtrigger.ignore(), transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        kept.as_rows_alone(cursor)  # nothing is left that could refer to what goes
        for name in kept.filled(cursor):
            cursor.execute(f"DELETE FROM {name}")  # noqa: S608
    importlib.import_module("settlement.migrations.0002_first_fee_schedule").open_with_a_schedule(apps, None)
    importlib.import_module("compliance.migrations.0003_first_tiers").begin_with_tiers(apps, None)


flush.Command.handle = _empty_the_test_database


@pytest.fixture(autouse=True)
def fresh_cache(request: pytest.FixtureRequest, settings: Any) -> Iterator[None]:
    """No test inherits another's rate limits or language, every count is of now, and a password costs no second."""
    translation.activate(settings.LANGUAGE_CODE)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CATALOGUE_COUNTS_SECONDS = 0
    if request.node.get_closest_marker("django_db") or {"db", "transactional_db"} & set(request.fixturenames):
        cache.clear()  # before the test: after it, its settings may name a Redis that is away
    yield
