"""The hands that carry the demo before workers run: their own tasks, called in this process, by its own clock."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.core.signals import request_finished
from django.db import close_old_connections, connection
from django.http import HttpRequest
from django.urls import resolve

from listings import arrivals, profiling, registration
from listings.models import Profile
from listings.states import ProfileState
from marketplace import clock, journal
from marketplace.models import Follower, Seal, User
from settlement import payments, tasks
from settlement.channels.files import links as files
from settlement.gateways import sandbox_bank
from settlement.models import Trade

LOOKS_SECONDS = 0.2  # at a release somebody waits for
LOOKS_AGAIN_SECONDS = 3.0  # where nothing came
CLAIM_SECONDS = 400 * 24 * 3600  # of a clock that passes a day in less than a second


def check() -> None:
    """Check every file that has arrived and waits for it, where the exchange scans files."""
    while arrivals.check_next():
        pass


@contextmanager
def measuring() -> Iterator[None]:
    """Measure what waits or comes in the block, beside what else happens: each file in a process of its own."""
    Profile.objects.filter(state=ProfileState.DUE).update(claimed_until=None)  # by an opening that was killed
    is_all_there = threading.Event()
    count = os.cpu_count() or 1
    with ThreadPoolExecutor(count) as threads:
        _measurers[:] = [threads.submit(_measure_until, is_all_there) for _ in range(count)]
        try:
            yield
        finally:
            is_all_there.set()
            wake_measurers()
    for measurer in _measurers:
        measurer.result()


_measurers: list[Future[None]] = []
_awake = threading.Condition()


def wake_measurers() -> None:
    """Let those who measure look at once whether something came."""
    with _awake:
        _awake.notify_all()


def await_measured(release_id: int | None) -> None:
    """Wait until the release is measured, or nobody is left who would do it."""
    waits = Profile.objects.filter(release=release_id, state=ProfileState.DUE)
    while waits.exists() and not all(measurer.done() for measurer in _measurers):
        time.sleep(LOOKS_SECONDS)


def _measure_until(is_all_there: threading.Event) -> None:
    try:
        while True:
            was_last_look = is_all_there.is_set()
            if profiling.profile_next(claim_seconds=CLAIM_SECONDS) is None:
                if was_last_look:
                    return
                with _awake:
                    _awake.wait(LOOKS_AGAIN_SECONDS)
    finally:
        connection.close()


def register() -> None:
    """Enter what was approved in the product register, and put it on sale."""
    registration.register_due()


def work() -> None:
    """All that is due to a trade that goes forward, once round."""
    tasks.renew_licences()
    tasks.register_trades()
    tasks.start_payments()
    hear()
    tasks.open_grants()


def bill() -> None:
    """Bill the calls of every month that ended."""
    tasks.bill_calls()


def hear() -> None:
    """Let the sandbox's bank say what it has to say, and act on it.

    Its notices are signed and dated by the clock of this process, which the web server does not share: they are handed
    to the inbox itself instead of being posted to it.
    """
    if sandbox_bank.post_due_notices(lambda body, headers: payments.note("sandbox", body, headers)):
        tasks.read_notices()


def tidy(*, is_told: bool = True) -> None:
    """What a day ends with: deadlines, clearing, money that leaves, and the papers of what was sealed."""
    tasks.expire_trades()
    tasks.deem_accepted()
    tasks.stop_payments()
    tasks.close_grants()
    tasks.clear_cycles()
    tasks.pay_members()
    tasks.pay_refunds()
    hear()
    tasks.issue_invoices()
    seal(is_told=is_told)
    tasks.issue_certificates()
    tasks.issue_statements()
    tasks.issue_invoices()


def seal(*, is_told: bool = True) -> None:
    """Seal the journal, and let its followers read on; unless `is_told`, nobody gets notification or letter of it."""
    while journal.seal():
        pass
    if not is_told and (last := Seal.objects.order_by("-position").first()):
        Follower.objects.update_or_create(name="notifications", defaults={"position": last.position})
    journal.follow()


def follow_from_now() -> None:
    """The followers that migrations began have waited since today, which is the demo's future."""
    Follower.objects.filter(next_try_at__gt=clock.now()).update(next_try_at=clock.now())


class CannotDownload(Exception):
    """What a buyer was granted did not arrive as it was described."""


def download(trade: Trade, *, by: User) -> None:
    """Fetch a file of the trade by its signed link, as a browser would, and compare it with its checksum."""
    link = files.links(trade.grant, by=by)[0]
    view, given, named = resolve(urlsplit(link["url"]).path)
    request = HttpRequest()
    request.method, request.user = "GET", by
    digest = hashlib.sha256()
    answer = view(request, *given, **named)
    request_finished.disconnect(close_old_connections)  # else our connection, and what is set on it, ends with it
    try:
        for chunk in answer if answer.streaming else ():
            digest.update(chunk)
    finally:
        answer.close()
        request_finished.connect(close_old_connections)
    arrived = answer.streaming and answer.status_code == 200 and digest.hexdigest() == link["sha256"]
    if not arrived and answer.status_code != 302:  # a store elsewhere sends its files itself
        raise CannotDownload(f"{trade}: {link['path']} was answered with {answer.status_code}")
