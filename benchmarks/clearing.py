"""One clearing of many trades, with its statements and their digests, beside a raw INSERT … SELECT of as many rows.

    python -m benchmarks.clearing [--trades 100000] [--members 1000]

The trades are carried to acceptance by set-based SQL that passes every constraint and trigger, copied from one that the
real commands carried: they name one product, at a hundred prices, and every member sells and buys. Then the real
commands preview, close and release the cycle, and the task writes every statement's record and digest. The PDFs are not
rendered, and the workers stand still. The baseline, on the same server in the same run, inserts as many rows of a
transfer's shape into a table with a primary key and nothing else.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from benchmarks import exchange

if TYPE_CHECKING:
    from django.db.models import Model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trades", type=int, default=100_000)
    parser.add_argument("--members", type=int, default=1_000)
    told = parser.parse_args()
    with exchange.running(), exchange.paused("celery"):
        made_seconds = _timed(lambda: _make(told.trades, told.members))
        before = _written()
        with exchange.PeakMemory("benchmarks.clearing") as ours, exchange.PeakMemory("postgres") as servers:
            seconds = _clear()
        rows = _written() - before
        _require_right(told.trades)
        baseline_seconds = _timed(lambda: _baseline(rows))
    total = sum(seconds.values()) - seconds["preview"]
    print(f"trades            {told.trades} of {told.members} members, made in {made_seconds:.0f} s")
    for name, took in seconds.items():
        print(f"{name:<17} {took:.1f} s")
    print(f"rows written      {rows}, and {2 * told.trades} moves of trades; {total:.1f} s without the preview")
    print(f"baseline          {rows} rows by one INSERT … SELECT: {baseline_seconds:.2f} s")
    print(f"ratio             {total / baseline_seconds:.1f} times the baseline")
    print(f"peak memory       {ours.peak_mb:.0f} MB where it is cleared, {servers.peak_mb:.0f} MB the database server")


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


# --- the trades ----------------------------------------------------------------------------------------------------

# What a statement names in braces is filled with the columns of its table.
PRICES = 100
OFFERS = """
    INSERT INTO listings_offer ({columns})
    SELECT {values} FROM listings_offer o, generate_series(0, %(prices)s - 1) AS i WHERE o.id = %(offer)s
"""
OWN_OF_OFFER = {"public_id": "'b' || i", "name": "'Bench'", "price_minor": "100000 + i * 49937"}
# Each member is the buyer of the next.
MEMBERS = """
    INSERT INTO marketplace_organisation (public_id, kinds, name, latin_name, country, region, number_kind,
        registration_number, created_at, created_by_id)
    SELECT 'bench-' || i, kinds, 'Member ' || i, 'Member ' || i, country, region, 'other', 'B ' || i, created_at,
        created_by_id
    FROM marketplace_organisation, generate_series(1, %(members)s) AS i WHERE id = %(seller)s
"""
TRADES = """
    INSERT INTO settlement_trade ({columns})
    SELECT {values} FROM settlement_trade t, generate_series(1, %(trades)s) AS i,
        LATERAL (SELECT i %% %(members)s AS s, (i + 1) %% %(members)s AS b) AS n,
        LATERAL (SELECT (SELECT min(id) FROM marketplace_organisation WHERE public_id LIKE 'bench-%%') AS first) AS f,
        LATERAL (SELECT (SELECT min(id) FROM listings_offer WHERE name = 'Bench') + i %% %(prices)s AS id) AS p
        JOIN listings_offer o ON o.id = p.id
    WHERE t.id = %(trade)s
"""
OWN = {
    "public_id": "'b' || i",
    "state": "'proposed'",
    "seller_id": "f.first + n.s",
    "buyer_id": "f.first + n.b",
    "offer_id": "o.id",
    "price_minor": "o.price_minor",
} | dict.fromkeys(
    ("register_number", "agreed_at", "registered_at", "fund_until", "funded_at", "delivered_at", "inspect_until",
     "accepted_at", "cycle_id", "cleared_at", "settled_at", "certificate_id"),
    "NULL",
)  # fmt: skip
CARRIED = [
    """INSERT INTO settlement_agreement (trade_id, terms, digest, buyer_by_id, seller_by_id, agreed_at, text_digest,
        buyer_agreed_at, seller_agreed_at)
    SELECT t.id, t.terms, a.digest, a.buyer_by_id, a.seller_by_id, a.agreed_at, a.text_digest, a.buyer_agreed_at,
        a.seller_agreed_at
    FROM settlement_trade t, settlement_agreement a WHERE t.state = 'proposed' AND a.trade_id = %(trade)s""",
    "UPDATE settlement_trade SET state = 'agreed', agreed_at = proposed_at WHERE state = 'proposed'",
    """UPDATE settlement_trade SET state = 'registered', register_number = 'B-' || id, registered_at = agreed_at
    WHERE state = 'agreed'""",
    """INSERT INTO settlement_account (name, kind, currency, trade_id, has_floor, balance_minor)
    SELECT 'escrow:' || id, 'escrow', currency, id, true, 0 FROM settlement_trade WHERE state = 'registered'""",
    """INSERT INTO settlement_transfer (key, debit_id, credit_id, amount_minor, at)
    SELECT 'paid-b-' || t.id, o.id, e.id, t.price_minor, t.registered_at
    FROM settlement_trade t JOIN settlement_account e ON e.trade_id = t.id AND e.kind = 'escrow',
        settlement_account o WHERE o.name = 'outside:sandbox:' || t.currency AND t.state = 'registered'""",
    "UPDATE settlement_trade SET state = 'funded', funded_at = registered_at WHERE state = 'registered'",
    "UPDATE settlement_trade SET state = 'delivered', delivered_at = funded_at WHERE state = 'funded'",
    "UPDATE settlement_trade SET state = 'accepted', accepted_at = delivered_at WHERE state = 'delivered'",
]


def _make(trades: int, members: int) -> None:
    """Accepted and paid trades, as many of each member, in a few statements; then what autovacuum does in time."""
    from django.db import connection, transaction

    from listings.models import Offer
    from settlement.models import Trade
    from tests import trading

    model = trading.make_trade("accepted").trade
    trading.clear_now()
    told = {"trade": model.pk, "seller": model.seller_id, "trades": trades, "members": members}
    told |= {"offer": model.offer_id, "prices": PRICES}
    with connection.cursor() as cursor:
        with transaction.atomic():
            cursor.execute(MEMBERS, told)
            cursor.execute(OFFERS.format(**_filled(Offer, "o", OWN_OF_OFFER)), told)
            cursor.execute(TRADES.format(**_filled(Trade, "t", OWN)), told)
            for statement in CARRIED:
                cursor.execute(statement, told)
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def _filled(table: type[Model], row: str, own: dict[str, str]) -> dict[str, str]:
    """All columns of a table but its key, and for each its own value or that of the row copied."""
    names = [field.column for field in table._meta.concrete_fields if field.column != "id"]
    return {"columns": ", ".join(names), "values": ", ".join(own.get(name, f"{row}.{name}") for name in names)}


# --- the clearing --------------------------------------------------------------------------------------------------


def _clear() -> dict[str, float]:
    """Preview, close, release and write the statements; how many seconds each took."""
    from settlement import clearing, clearing_preview, tasks, trades
    from settlement.models import Statement
    from tests import factories

    first, second = (factories.make_staff("clearing") for _person in range(2))
    cycle = clearing.open_cycle("HKD")
    seconds = {}
    seconds["preview"] = _timed(lambda: clearing_preview.of_next("HKD", left_out_shown=25))
    seconds["close"] = _timed(lambda: clearing.close(cycle, by=first))
    trades.release(cycle, by=first)
    seconds["release"] = _timed(lambda: trades.release(cycle, by=second))

    def write() -> None:
        while Statement.objects.filter(paper=None).exists():
            tasks.issue_statements()

    seconds["digests"] = _timed(write)
    return seconds


def _written() -> int:
    """How many rows there are of all that a clearing writes."""
    from marketplace.models import Event, Paper, Salt, Unsealed
    from settlement.models import Payout, Statement, Transfer

    return sum(model.objects.count() for model in (Transfer, Statement, Payout, Event, Salt, Unsealed, Paper))


def _require_right(trades: int) -> None:
    """Every trade is cleared, every statement has its paper, and the books sum to nothing."""
    from settlement import ledger
    from settlement.models import Statement, Trade

    if Trade.objects.filter(state="cleared").count() != trades or Statement.objects.filter(paper=None).exists():
        raise SystemExit("not everything was cleared")
    if ledger.reconcile() or any(sum(kinds.values()) for kinds in ledger.totals().values()):
        raise SystemExit("the books are not right")


def _baseline(rows: int) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE baseline (id bigserial PRIMARY KEY, key text, debit bigint, credit bigint, amount bigint,"
            " at timestamptz)"
        )
        cursor.execute(
            "INSERT INTO baseline (key, debit, credit, amount, at)"
            " SELECT 'net-' || i, i, i + 1, 100000 + i, now() FROM generate_series(1, %s) AS i",
            [rows],
        )


if __name__ == "__main__":
    main()
