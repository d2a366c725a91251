"""POST to an address a member named, without becoming their way into our own network (SSRF).

The name is resolved once, when the connection is made; every address it has must be public, and the one that was
judged is the one connected to, so a name that changes its address in between (DNS rebinding) gains nothing. HTTPS only,
ports from a list, no redirects, no proxy of the environment, no cookies; the whole call has one deadline and the answer
is read up to a bound.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx
from django.conf import settings

TIMEOUT_SECONDS = 15
MOST_BYTES = 2048
LONGEST_URL = 500
# Where an IPv4 address hides in an IPv6 one, and what a table of "global" addresses leaves in.
NEVER = [
    ipaddress.ip_network(one)
    for one in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
        "::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32",
        "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
]  # fmt: skip


class NotReached(Exception):
    """There was no answer; the text says why, in words the endpoint's owners may read."""


class AddressRefused(NotReached):
    """The address is none the exchange may call."""


@dataclass(frozen=True)
class Answer:
    """What came back: the status and the beginning of the body."""

    status: int
    excerpt: str


def is_public(address: str) -> bool:
    """Whether this IP address lies in the public Internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return ip.is_global and not any(ip in network for network in NEVER if network.version == ip.version)


def reason_against(url: str) -> str:
    """Why this address cannot be called, before any name is resolved; '' for none."""
    try:
        parsed = httpx.URL(url)
        host, port = parsed.raw_host.decode(), parsed.port
    except (httpx.InvalidURL, UnicodeError, ValueError):
        return "not_an_address"
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or not host:
        return "not_an_address"
    if parsed.userinfo or parsed.fragment:
        return "holds_a_password" if parsed.userinfo else "not_an_address"
    if _is_loopback_allowed(host):
        return "" if parsed.scheme in ("http", "https") else "not_https"
    if parsed.scheme != "https":
        return "not_https"
    if (port or 443) not in settings.WEBHOOK_PORTS:
        return "port_refused"
    try:
        literal = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return "not_public" if "." not in host or host.endswith((".local", ".internal", ".localhost")) else ""
    return "" if is_public(str(literal)) else "not_public"


def post(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Send it; no transaction is open. Raises NotReached, AddressRefused."""
    if why := reason_against(url):
        raise AddressRefused(why)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), TIMEOUT_SECONDS)
    context = ssl.create_default_context()
    try:
        with (
            httpcore.ConnectionPool(
                ssl_context=context, network_backend=Guarded(deadline), retries=0, http2=False
            ) as pool,
            pool.stream(
                "POST",
                url,
                headers=_headers(url, headers),
                content=body,
                extensions={"timeout": timeouts},
            ) as response,
        ):
            return Answer(response.status, _excerpt(response.iter_stream(), deadline))
    except AddressRefused:
        raise
    except (httpcore.TimeoutException, TimeoutError):
        raise NotReached("timeout") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError, ssl.SSLError) as error:
        raise NotReached(type(error).__name__) from None


def _headers(url: str, headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    own = {"Host": httpx.URL(url).netloc.decode(), "Connection": "close", "Accept-Encoding": "identity"}
    return [(name.encode(), value.encode()) for name, value in (own | headers).items()]


def _excerpt(stream: Iterable[bytes], deadline: float) -> str:
    """The first MOST_BYTES of the body as text; the rest is never read."""
    read = b""
    for part in stream:
        read += part
        if len(read) >= MOST_BYTES or time.monotonic() > deadline:
            break
    return read[:MOST_BYTES].decode("utf-8", "replace").replace("\x00", "�")


def _is_loopback_allowed(host: str) -> bool:
    return bool(settings.WEBHOOK_LOOPBACK) and host.strip("[]") in ("127.0.0.1", "::1", "localhost")


class Guarded(httpcore.NetworkBackend):
    """Connects to public addresses alone, and ends every wait at the deadline of the whole call."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        """Connect to the address that was judged."""
        address = self._judged(host, port)
        return Hurried(self.plain.connect_tcp(address, port, self._left(timeout)), self.deadline)

    def _judged(self, host: str, port: int) -> str:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError):
            raise NotReached("no_such_host") from None
        addresses = [str(one[4][0]) for one in found]
        if not _is_loopback_allowed(host) and not all(map(is_public, addresses)):
            raise AddressRefused("not_public")
        return addresses[0]

    def _left(self, timeout: float | None) -> float:
        return max(0.01, min(timeout or TIMEOUT_SECONDS, self.deadline - time.monotonic()))


class Hurried(httpcore.NetworkStream):
    """A connection none of whose waits lasts beyond the deadline: one that answers a byte a second is cut off too."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self.stream, self.deadline = stream, deadline

    def _left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the call took too long")
        return left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.stream.read(max_bytes, self._left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, self._left())

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return Hurried(self.stream.start_tls(ssl_context, server_hostname, self._left()), self.deadline)

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)
