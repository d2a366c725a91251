"""A pytest plugin: real PostgreSQL and Redis for the run, unless DATABASE_URL and REDIS_URL name others.

It must be loaded with `-p` (pyproject.toml does), not from a conftest.py: pytest-django reads the settings before the
root conftest. Under pytest-xdist only the controller starts servers; the workers inherit the addresses, and each
takes a Redis database of its own, as pytest-django gives each a PostgreSQL database of its own.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator

import pytest

from marketplace import embedded

_servers = contextlib.ExitStack()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if "STORAGE_DIR" not in os.environ:  # the files of tests never lie among those of the exchange; workers inherit it
        folder = tempfile.TemporaryDirectory(prefix="databourse-tests-", ignore_cleanup_errors=True)
        os.environ["STORAGE_DIR"] = _servers.enter_context(folder)
    if worker:
        if os.environ["REDIS_URL"].startswith("unix://"):
            os.environ["REDIS_URL"] += f"?db={int(worker.removeprefix('gw')) + 1}"
    elif "DATABASE_URL" not in os.environ or "REDIS_URL" not in os.environ:
        try:
            quarters = _servers.enter_context(embedded.throw_away_servers(embedded.state_folder(os.environ)))
        except (embedded.CannotServe, embedded.CannotHouse) as reason:
            raise pytest.UsageError(str(reason)) from reason
        os.environ.setdefault("DATABASE_URL", quarters.database_url)
        os.environ.setdefault("CONN_MAX_AGE", "0")  # a live server's thread must not keep the test database open
        os.environ.setdefault("REDIS_URL", quarters.redis_url)
    try:
        return (yield)
    except BaseException:
        _servers.close()
        raise


def pytest_unconfigure() -> None:
    _servers.close()
