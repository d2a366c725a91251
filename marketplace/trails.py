"""Which request or task a log line belongs to: an id that follows a request into the tasks it rings for.

Nothing of a person but the number of their account is ever kept here.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject

HEADER = "X-Request-Id"
# What a proxy or a script may call its request; anything else gets an id of our own, so that no line can be forged.
_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")


@dataclass
class Trail:
    """What is being done: the request's id, handed on to tasks; the task's name; the request itself while it lasts."""

    request_id: str = ""
    task: str = ""
    request: HttpRequest | None = field(default=None, repr=False, compare=False)
    organisation: int | None = None

    def facts(self) -> dict[str, Any]:
        """What a log line says of it: only numbers and names of ours, and only what is known without asking."""
        said = {"request_id": self.request_id, "task": self.task, "organisation": self.organisation}
        if self.request is not None:
            said["user"] = _user_of(self.request)
        return {name: value for name, value in said.items() if value}


_trail: ContextVar[Trail | None] = ContextVar("trail", default=None)


def current() -> Trail:
    """The trail of this thread."""
    return _trail.get() or Trail()


def act_for(organisation_id: int) -> None:
    """From now on the lines of this trail name the organisation that is acted for."""
    current().organisation = organisation_id


@contextmanager
def follow(trail: Trail) -> Iterator[Trail]:
    """Let every log line of the block belong to `trail`."""
    token = _trail.set(trail)
    try:
        yield trail
    finally:
        _trail.reset(token)


def id_for(asked: str) -> str:
    """The id that was asked for, if it is a sane one, else a new one."""
    return asked if _SANE.fullmatch(asked) else uuid.uuid4().hex


class Trails:
    """Middleware, the outermost: every request has an id, which the answer repeats."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with follow(Trail(id_for(request.headers.get(HEADER, "")), request=request)) as trail:
            response = self.get_response(request)
        response.headers[HEADER] = trail.request_id
        return response


def _user_of(request: HttpRequest) -> int | None:
    """Who asks, if that is known already: a log line must not ask the database."""
    user = getattr(request, "_cached_user", None) or request.__dict__.get("user")
    return None if user is None or isinstance(user, SimpleLazyObject) else user.pk
