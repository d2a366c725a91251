"""Redis emptied and PostgreSQL restarted under a trade that real workers carry: it goes on by itself, once."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from django.conf import settings

from marketplace.embedded import ADDRESSES
from tests.bootstrap.processes import eventually
from tests.bootstrap.test_up import OWN, Up
from tests.journeys.own_exchange import PASSWORD
from tests.journeys.visitor import Refusal, Visitor

WITHIN_SECONDS = 60


class Exchange:
    """A whole exchange with servers of its own, that no other test feels."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.up = Up(state, "--empty", "--admin-email", "ada@exchange.example",
                     ADMIN_PASSWORD="correct-horse-battery", CLEARING_EVERY_SECONDS="3")  # fmt: skip
        self.up.until_ready()
        self.addresses = json.loads((state / ADDRESSES).read_text())

    def inside(self, what: str) -> subprocess.CompletedProcess[str]:
        """What `own_exchange` does there."""
        surroundings = {name: value for name, value in os.environ.items() if name not in OWN}
        return subprocess.run(
            [sys.executable, "-m", "tests.journeys.own_exchange", what], capture_output=True, text=True, check=False,
            env=surroundings | self.addresses | {"STATE_DIR": str(self.state)}, cwd=settings.BASE_DIR,
        )  # fmt: skip

    def lose_redis(self) -> None:
        """Everything Redis knew is gone: bells, claims on them, caches."""
        with redis.from_url(self.addresses["REDIS_URL"]) as line:
            line.flushall()

    def restart_postgres(self) -> None:
        """PostgreSQL ends every connection and transaction, and `up` starts it again."""
        before = self.up.child("postgres")
        os.kill(before, signal.SIGINT)
        eventually(lambda: self.up.child("postgres") not in (0, before))


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    state = Path(tempfile.mkdtemp(prefix="lost", dir="/tmp"))
    state.chmod(0o755)
    exchange = None
    try:
        exchange = Exchange(state)
        yield exchange
    finally:
        if exchange:
            exchange.up.end()
        shutil.rmtree(state)


def soon(holds: Callable[[], Any], what: str) -> Any:
    """Ask until it holds, for a minute at most; an exchange that cannot answer just now is asked again."""
    deadline, said = time.monotonic() + WITHIN_SECONDS, ""
    while True:
        try:
            if answer := holds():
                return answer
        except (Refusal, httpx.HTTPError) as failure:
            assert not isinstance(failure, Refusal) or failure.status >= 500, failure
            said = str(failure)
        assert time.monotonic() < deadline, f"{what} did not come within {WITHIN_SECONDS} seconds; {said}"
        time.sleep(0.2)


def test_a_trade_outlives_the_loss_of_redis_and_the_restart_of_postgres_at_every_turn(exchange):
    opened = exchange.inside("open")
    assert opened.returncode == 0, opened.stderr
    facts = json.loads(opened.stdout)
    buyer = Visitor(exchange.addresses["BASE_URL"]).sign_in(facts["buyer"], PASSWORD)

    trade = buyer.post("trades", {"offer": facts["offer"]})["public_id"]
    exchange.lose_redis()
    exchange.restart_postgres()
    payment = soon(lambda: buyer.get(f"trades/{trade}")["payments"], "the payment")
    pay_at = soon(lambda: buyer.get(f"trades/{trade}")["payments"][0]["pay_at_url"], "where to pay")
    assert len(payment) == 1

    buyer.post(f"sandbox/orders/{pay_at.rstrip('/').rpartition('/')[2]}/acts", {"act": "pay"})
    exchange.lose_redis()
    exchange.restart_postgres()
    soon(lambda: buyer.get(f"trades/{trade}")["state"] == "delivered", "the delivery")

    buyer.post(f"trades/{trade}/acceptance")
    exchange.restart_postgres()
    exchange.lose_redis()
    soon(lambda: buyer.get(f"trades/{trade}")["certificate"], "the certificate")
    assert buyer.get(f"trades/{trade}")["state"] == "settled"
    buyer.close()

    deadline = time.monotonic() + WITHIN_SECONDS
    while (checked := exchange.inside("check")).returncode:
        assert time.monotonic() < deadline, checked.stderr
