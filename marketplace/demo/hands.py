"""The hands that carry the demo before workers run: their own tasks, called in this process, by its own clock."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from listings import arrivals, profiling, registration
from marketplace import journal
from settlement import payments, tasks
from settlement.gateways import sandbox_bank


def check() -> None:
    """Check every file that has arrived and waits for it, where the exchange scans files."""
    while arrivals.check_next():
        pass


def measure() -> None:
    """Measure every release that waits for it, one a processor: each is read in a process of its own."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        for done in [threads.submit(_measure_on) for _ in range(os.cpu_count() or 1)]:
            done.result()


def _measure_on() -> None:
    try:
        while profiling.profile_next():
            pass
    finally:
        connection.close()


def register() -> None:
    """Enter what was approved in the product register, and put it on sale."""
    registration.register_due()


def work() -> None:
    """All that is due to a trade that goes forward, once round."""
    tasks.register_trades()
    tasks.start_payments()
    hear()
    tasks.open_grants()


def hear() -> None:
    """Let the sandbox's bank say what it has to say, and act on it.

    Its notices are signed and dated by the clock of this process, which the web server does not share: they are handed
    to the inbox itself instead of being posted to it.
    """
    if sandbox_bank.post_due_notices(lambda body, headers: payments.note("sandbox", body, headers)):
        tasks.read_notices()


def tidy() -> None:
    """What a day ends with: deadlines, clearing, money that leaves, and the papers of what was sealed."""
    tasks.expire_trades()
    tasks.deem_accepted()
    tasks.stop_payments()
    tasks.close_grants()
    tasks.clear_cycles()
    tasks.pay_members()
    tasks.pay_refunds()
    hear()
    seal()
    tasks.issue_certificates()
    tasks.issue_statements()


def seal() -> None:
    """Seal the journal, and let its followers read on."""
    while journal.seal():
        pass
    journal.follow()
