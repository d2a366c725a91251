"""Malware scanners: the protocol and the registry. What they may not see clean is kept from everybody.

`settings.SCANNERS` names them; none is an answer too. A scan reads a stream and may take minutes: it is called by
workers, with no transaction open.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext, gettext_noop

from marketplace import health
from marketplace.storage import Reading


class TryLater(Exception):
    """The scanner cannot judge now, but may later."""


class Scanner(Protocol):
    """What every scanner can do."""

    def scan(self, stream: Reading) -> str:
        """Read the stream to its end: '' when it is clean, else the name of what was found. Raises TryLater."""


@cache
def _scanner(path: str) -> Scanner:
    driver: Scanner = import_string(path)()
    return driver


def names() -> list[str]:
    """The scanners every file must pass, in order."""
    return list(settings.SCANNERS)


def found_in(opened: Callable[[], AbstractContextManager[Reading]]) -> str:
    """What the scanners find, the first that finds anything: '' when clean. Raises TryLater, OSError."""
    for path in settings.SCANNERS.values():
        with opened() as stream:
            if found := _scanner(path).scan(stream):
                return found
    return ""


def sign() -> health.Sign:
    """Whether files are scanned: none configured is a warning, not a fault."""
    detail = "" if names() else gettext("No scanner is configured.")
    return health.Sign(gettext_noop("malware scanners"), bool(names()), detail, False)
