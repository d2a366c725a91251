"""What took long: each request is timed and counted, and a slow one, or a slow statement, leaves a line in the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponseBase

from marketplace import metrics

logger = logging.getLogger(__name__)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
STATEMENT_SHOWN = 600


class Timed:
    """Middleware: counts every request by route, never by address, so that no id becomes a label."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.monotonic()
        response = self.get_response(request)
        seconds = time.monotonic() - began
        route, method = route_of(request), request.method if request.method in METHODS else "OTHER"
        metrics.count_request(str(method), route, response.status_code, seconds)
        if 0 < settings.SLOW_REQUEST_SECONDS <= seconds:
            facts = {"route": route, "method": method, "status": response.status_code, "seconds": round(seconds, 3)}
            logger.warning(
                "%s %s answered %s after %.2f s", method, route, response.status_code, seconds, extra={"facts": facts}
            )
        return response


def route_of(request: HttpRequest) -> str:
    """The route's name, or its pattern where it has none; `none` for addresses that lead nowhere and static files."""
    found = request.resolver_match
    return (found.view_name if found.url_name else found.route) or "none" if found else "none"


def time_statement(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """A wrapper of Django's around each statement. Its parameters are never logged: they may be personal."""
    began = time.monotonic()
    try:
        return execute(sql, params, many, context)
    finally:
        seconds = time.monotonic() - began
        if 0 < settings.SLOW_QUERY_SECONDS <= seconds:
            logger.warning(
                "a statement took %.2f s: %s",
                seconds,
                " ".join(str(sql).split())[:STATEMENT_SHOWN],
                extra={"facts": {"seconds": round(seconds, 3)}},
            )


def _watch(connection: Any, **_signal: Any) -> None:
    if time_statement not in connection.execute_wrappers:
        # First in the list: Django's `execute_wrapper` takes the last one away again.
        connection.execute_wrappers.insert(0, time_statement)


def watch_statements() -> None:
    """From now on every connection's statements are timed; called once, when Django has loaded the app."""
    connection_created.connect(_watch, dispatch_uid="slowness")
