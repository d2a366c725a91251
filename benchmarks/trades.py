"""Trades carried end to end per second, by the worker processes that `up` starts, beside a bare baseline.

    python -m benchmarks.trades [--trades 300]

The driver proposes, pays and accepts as buyers would, by the same commands; everything else is done by the workers:
registration with its contract, payment, notices over HTTP, delivery, clearing, payout and the certificate. A trade
counts when its certificate is there. The PDFs are not rendered. The baseline, on the same server in the same run, is
ten one-row transactions a trade on four connections.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from benchmarks import exchange

CONNECTIONS = 4
BASELINE_TRANSACTIONS = 10
PATIENCE_SECONDS = 600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trades", type=int, default=300)
    count = parser.parse_args().trades
    with exchange.PeakMemory() as memory, exchange.running(CLEARING_EVERY_SECONDS="1"):
        offer, buyer = _world()
        _carry(offer, buyer, 10)  # warm: imports, connections, caches
        began = time.monotonic()
        _carry(offer, buyer, count)
        seconds = time.monotonic() - began
        baseline_seconds = _baseline(count)
        statements = _statements(offer, buyer)
    print(f"trades            {count} certified in {seconds:.1f} s: {count / seconds:.1f} a second")
    print(f"baseline          {count} x {BASELINE_TRANSACTIONS} transactions: {count / baseline_seconds:.1f} a second")
    print(f"ratio             {baseline_seconds / seconds:.3f} of the baseline")
    print(f"SQL statements    {statements:.1f} a trade, BEGIN and COMMIT included")
    print(f"peak memory       {memory.peak_mb:.0f} MB, all processes with their servers")


def _world() -> tuple[Any, Any]:
    from tests import trading

    listing = trading.make_listed()
    return trading.make_offer(listing), trading.make_verified()


def _carry(offer: Any, buyer: Any, count: int) -> None:
    """Buyers' acts on three threads: propose, pay, accept; until every trade has its certificate."""
    from settlement import trades
    from settlement.gateways import sandbox_bank
    from settlement.models import Payment, Trade

    before = set(Trade.objects.values_list("pk", flat=True))
    mine = Trade.objects.exclude(pk__in=before)
    by = buyer.created_by
    done = threading.Event()

    def propose() -> None:
        for _number in range(count):
            trades.propose(offer, buyer=buyer, purpose="Benchmark", by=by)

    def pay() -> None:
        paid: set[str] = set()
        while not done.is_set() and len(paid) < count:
            started = Payment.objects.filter(state="started", trade__in=mine).exclude(reference__in=paid)
            fresh = list(started.values_list("reference", flat=True))
            for reference in fresh:
                sandbox_bank.act(reference, "pay")
            paid.update(fresh)
            if not fresh:
                time.sleep(0.05)

    def accept() -> None:
        accepted = 0
        while not done.is_set() and accepted < count:
            delivered = list(mine.filter(state="delivered")[:50])
            for trade in delivered:
                trades.accept(trade, by=by)
            accepted += len(delivered)
            if not delivered:
                time.sleep(0.05)

    threads = [threading.Thread(target=_closing(work)) for work in (propose, pay, accept)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + PATIENCE_SECONDS
    try:
        while mine.filter(certificate__isnull=False).count() < count:
            if time.monotonic() > until:
                raise SystemExit(f"not done after {PATIENCE_SECONDS} s: {_states(mine)}")
            time.sleep(0.1)
    finally:
        done.set()
        for thread in threads:
            thread.join()


def _closing(work: Callable[[], None]) -> Callable[[], None]:
    from django.db import connection

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    return run


def _states(trades: Any) -> dict[str, int]:
    from django.db.models import Count

    return {row["state"]: row["n"] for row in trades.order_by().values("state").annotate(n=Count("pk"))}


def _baseline(count: int) -> float:
    """Ten one-row transactions a trade on four connections; how long it took."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS baseline (id bigserial PRIMARY KEY, note text, at timestamptz)")

    def write() -> None:
        with connection.cursor() as cursor:
            for number in range(count * BASELINE_TRANSACTIONS // CONNECTIONS):
                cursor.execute("INSERT INTO baseline (note, at) VALUES (%s, now())", [f"row {number}"])

    threads = [threading.Thread(target=_closing(write)) for _connection in range(CONNECTIONS)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - began


def _statements(offer: Any, buyer: Any, count: int = 50) -> float:
    """SQL statements a trade, counted where the same tasks run in this process while the workers stand still."""
    from django.db import connection, reset_queries
    from django.test.utils import CaptureQueriesContext

    from settlement import trades
    from settlement.gateways import sandbox_bank
    from settlement.models import Payment, Trade
    from tests import trading

    with exchange.paused("celery"), ExitStack() as counting:
        trading.work()  # what the workers left
        reset_queries()  # Django keeps so many and no more
        captured = counting.enter_context(CaptureQueriesContext(connection))
        made = [trades.propose(offer, buyer=buyer, by=buyer.created_by) for _number in range(count)]
        trading.work()
        for payment in Payment.objects.filter(trade__in=made):
            sandbox_bank.act(payment.reference, "pay")
        trading.work()
        for trade in made:
            trades.accept(trade, by=buyer.created_by)
        trading.clear_now()
    certified = Trade.objects.filter(pk__in=[trade.pk for trade in made], certificate__isnull=False).count()
    if certified != count:
        raise SystemExit(f"only {certified} of {count} trades were certified while statements were counted")
    return len(captured) / count


if __name__ == "__main__":
    main()
