"""The line to Stripe: its own SDK, at one version of its API, over a connection that keeps to the house's rules.

Public addresses alone, no proxy of the environment, no redirects, one deadline for a call, answers up to a bound, and
no tries of its own: who claimed the work tries again. Nothing that is raised or logged here names a key.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpcore
import stripe
from django.conf import settings

from marketplace.outgoing import Guarded, NotReached
from settlement.gateways import TryLater

API_VERSION = "2026-10-28.endive"
CALL_SECONDS = 20
MOST_BYTES = 8 * 1024 * 1024  # a hundred lines of its books with what each is about
AT_ONCE = 100

stripe.enable_telemetry = False  # how long our calls take is nobody else's


class Declined(Exception):
    """Stripe said no, and will say no again: nothing happened. `code` is Stripe's own, or ours."""

    def __init__(self, code: str, reason: str, *, was_replayed: bool = False) -> None:
        super().__init__(reason)
        self.code, self.reason, self.was_replayed = code, reason, was_replayed


class Line(stripe.HTTPClient):
    """One call over one connection."""

    name = "databourse"

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        deadline = time.monotonic() + CALL_SECONDS
        content = post_data.encode() if isinstance(post_data, str) else post_data
        asked = {"Host": httpcore.URL(url).host.decode(), "Accept-Encoding": "identity", "Connection": "close"}
        try:
            with (
                httpcore.ConnectionPool(ssl_context=_trusted(), network_backend=Guarded(deadline), retries=0) as pool,
                pool.stream(method.upper(), url, headers=_written(asked | dict(headers or {})), content=content) as got,
            ):
                body = _read(got.iter_stream())
                answered = {name.decode().lower(): value.decode("latin-1") for name, value in got.headers}
                return body.decode("utf-8", "replace"), got.status, answered
        except (NotReached, httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise stripe.APIConnectionError(type(error).__name__, should_retry=False) from None

    def close(self) -> None:
        """Every call closed its own."""


def _written(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), str(value).encode()) for name, value in headers.items()]


def _read(parts: Iterator[bytes]) -> bytes:
    read = bytearray()
    for part in parts:
        read += part
        if len(read) > MOST_BYTES:
            raise NotReached("too_long")
    return bytes(read)


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


def services() -> Any:
    """Stripe's services, for the account whose key is set."""
    return stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        stripe_version=API_VERSION,
        base_addresses={"api": settings.STRIPE_ADDRESS},
        http_client=Line(),
        max_network_retries=0,
    ).v1


@contextmanager
def asking() -> Iterator[None]:
    """Stripe's errors in our words. Raises Declined for what it refuses for good, TryLater for all else."""
    try:
        yield
    except stripe.StripeError as error:
        raise _meaning(error) from None


def _meaning(error: Any) -> Exception:
    """What an error of the SDK means. Its text is told on only where it cannot quote a key."""
    code = str(error.code or "")
    if isinstance(error, (stripe.InvalidRequestError, stripe.CardError)) and error.http_status in (400, 402, 404):
        replayed = str((error.headers or {}).get("idempotent-replayed", "")).lower() == "true"
        return Declined(code, str(error.user_message or code)[:300], was_replayed=replayed)
    return TryLater(f"Stripe: {type(error).__name__} {code}".strip())


def listed(service: Callable[..., Any], params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every object of a list, page by page, as plain values. Raises Declined, TryLater."""
    with asking():
        for one in service({**params, "limit": AT_ONCE}).auto_paging_iter():
            yield one.to_dict()
