"""One big file downloaded through the file channel, beside a plain copy of it over loopback.

    python -m benchmarks.download [--megabytes 512]

Prints MB a second of both, in the same run, their ratio, and how much memory the web server's processes took for it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO

from benchmarks import exchange

PART_BYTES = 1024 * 1024
ROUNDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=512)
    megabytes = parser.parse_args().megabytes
    with tempfile.TemporaryFile() as content, exchange.running(CLEARING_EVERY_SECONDS="1"):
        _fill(content, megabytes)
        url, cookies, sha256 = _delivered(content)
        _download(url, cookies)  # warm: the file is in the page cache for both
        before_mb = exchange.memory_of("granian")
        with exchange.PeakMemory("granian") as memory:
            began = time.monotonic()
            for _round in range(ROUNDS):
                if _download(url, cookies) != sha256:
                    raise SystemExit("the download differs from what was promised")
            seconds = (time.monotonic() - began) / ROUNDS
        plain_seconds = min(_plain_copy(content) for _round in range(ROUNDS))
    print(f"download          {megabytes / seconds:.0f} MB a second, digest checked")
    print(f"plain copy        {megabytes / plain_seconds:.0f} MB a second over loopback, digest checked")
    print(f"ratio             {plain_seconds / seconds:.2f} of the plain copy")
    print(f"web server        {before_mb:.0f} MB before, {memory.peak_mb:.0f} MB at its peak")


def _fill(content: BinaryIO, megabytes: int) -> None:
    for _number in range(megabytes):
        content.write(os.urandom(PART_BYTES))


def _delivered(content: BinaryIO) -> tuple[str, dict[str, str], str]:
    """Sell the file and have it delivered by the workers; its link, the buyer's session, its SHA-256."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from listings import publishing, uploads
    from listings.models import Listing, Profile
    from settlement import trades
    from settlement.channels.files.links import links
    from settlement.models import Trade
    from tests import factories, trading

    seller, buyer = trading.make_verified(), trading.make_verified()
    by = seller.created_by
    listing = publishing.create_listing(seller=seller, product_type="model", by=by)
    release = uploads.open_release(listing, label="1", by=by)
    content.seek(0)
    uploads.put_file(release, path="weights.bin", stream=content, by=by)
    release = uploads.seal_release(release, by=by)
    _wait(lambda: Profile.objects.filter(release=release, state="done").exists(), "the profile")
    version = publishing.draft(listing, by=by)
    version = publishing.edit(version, by=by, **factories.manual(release=release, fields=[]))
    trading.review(version)
    _wait(lambda: Listing.objects.filter(pk=listing.pk, state="listed").exists(), "the register")
    trade = trades.propose(trading.make_offer(listing, price_minor=0), buyer=buyer, by=buyer.created_by)
    _wait(lambda: Trade.objects.filter(pk=trade.pk, state="delivered").exists(), "the delivery")
    link = links(Trade.objects.get(pk=trade.pk).grant, by=buyer.created_by)[0]
    session = SessionStore()
    session[SESSION_KEY] = str(buyer.created_by.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = buyer.created_by.get_session_auth_hash()
    session.save()
    return link["url"], {settings.SESSION_COOKIE_NAME: str(session.session_key)}, link["sha256"]


def _wait(holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + 120
    while not holds():
        if time.monotonic() > until:
            raise SystemExit(f"waited too long for {what}")
        time.sleep(0.2)


def _download(url: str, cookies: dict[str, str]) -> str:
    import httpx

    digest = hashlib.sha256()
    with httpx.stream("GET", url, cookies=cookies, timeout=60, trust_env=False) as answer:
        answer.raise_for_status()
        for part in answer.iter_raw(PART_BYTES):
            digest.update(part)
    return digest.hexdigest()


def _plain_copy(content: BinaryIO) -> float:
    """The same bytes through a bare socket, digested at the other end; seconds."""
    listener = socket.create_server(("127.0.0.1", 0))
    content.seek(0)
    began = time.monotonic()

    def send() -> None:
        connection, _address = listener.accept()
        with connection:
            for part in _parts(content):
                connection.sendall(part)

    sender = threading.Thread(target=send)
    sender.start()
    digest = hashlib.sha256()
    with socket.create_connection(listener.getsockname()) as receiver:
        while part := receiver.recv(PART_BYTES):
            digest.update(part)
    sender.join()
    listener.close()
    return time.monotonic() - began


def _parts(content: BinaryIO) -> Iterator[bytes]:
    while part := content.read(PART_BYTES):
        yield part


if __name__ == "__main__":
    main()
