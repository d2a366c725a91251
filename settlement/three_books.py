"""What three books say of each cause of money: the ledger, a gateway's own list, the records of trades and payments.

A cause is what money moved for: the key of a payment, refund or payout, `chargeback ` and the key of the payment it
takes back, or, for money nobody knows, the gateway's reference. Each book's word on a cause is all it ever said of it,
however many days lie between its lines; a day only chooses the causes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection

from marketplace import clock

FETCHED_AT_ONCE = 1_000

# A transfer of an outside account, whose key the commands of money in and out write; any other is a cause by itself.
_CAUSE_OF_A_TRANSFER = r"""
    CASE
        WHEN u.id IS NOT NULL THEN coalesce(up.key, u.event_id)
        WHEN c.id IS NOT NULL THEN 'chargeback ' || cp.key
        WHEN t.key LIKE 'paid-%%' THEN substr(t.key, 6)
        ELSE regexp_replace(t.key, '-(sent|bounced)$', '')
    END
"""
_ORIGIN_OF_A_TRANSFER = r"""
    LEFT JOIN settlement_unmatched u ON u.gateway = %(gateway)s AND t.key LIKE 'suspense-%%'
        AND u.event_id = substr(t.key, length('suspense-' || %(gateway)s || '-') + 1)
    LEFT JOIN settlement_payment up ON up.id = u.payment_id
    LEFT JOIN settlement_chargeback c ON c.id = substring(t.key FROM '^chargeback-([0-9]+)-')::bigint
    LEFT JOIN settlement_payment cp ON cp.id = c.payment_id
"""
_DAY = "({} AT TIME ZONE %(zone)s)::date"

# The keys of every transfer that a cause may have left.
_KEYS = """
    SELECT cause, 'paid-' || cause AS key FROM touched
    UNION SELECT cause, cause || '-sent' FROM touched
    UNION SELECT cause, cause || '-bounced' FROM touched
    UNION SELECT cause, cause FROM touched
    UNION SELECT x.cause, 'suspense-' || u.gateway || '-' || u.event_id
        FROM touched x JOIN settlement_payment p ON p.key = x.cause JOIN settlement_unmatched u ON u.payment_id = p.id
    UNION SELECT x.cause, 'suspense-' || u.gateway || '-' || u.event_id
        FROM touched x JOIN settlement_unmatched u
        ON u.gateway = %(gateway)s AND u.event_id = x.cause AND u.payment_id IS NULL
    UNION SELECT x.cause, 'chargeback-' || c.id || part
        FROM touched x JOIN settlement_payment p ON x.cause = 'chargeback ' || p.key
        JOIN settlement_chargeback c ON c.payment_id = p.id, unnest(ARRAY[
            '-escrow', '-fee', '-owed', '-owed-reserve', '-owed-by-payer', '-owed-by-payer-reserve'
        ]) part
    UNION SELECT x.cause, 'chargeback-' || c.id || '-suspense-' || u.id
        FROM touched x JOIN settlement_payment p ON x.cause = 'chargeback ' || p.key
        JOIN settlement_chargeback c ON c.payment_id = p.id JOIN settlement_unmatched u ON u.payment_id = p.id
"""

# What the records of money in and out say moved, and when.
_RECORDS = """
    SELECT p.key AS cause, p.amount_minor AS minor, p.paid_at AS at FROM settlement_payment p
        WHERE p.gateway = %(gateway)s AND p.currency = %(currency)s AND p.state = 'paid'
    UNION ALL SELECT coalesce(p.key, u.event_id), u.amount_minor, u.arrived_at
        FROM settlement_unmatched u LEFT JOIN settlement_payment p ON p.id = u.payment_id
        WHERE u.gateway = %(gateway)s AND u.currency = %(currency)s
    UNION ALL SELECT r.key, -r.amount_minor, r.sent_at FROM settlement_refund r
        WHERE r.gateway = %(gateway)s AND r.currency = %(currency)s AND r.state IN ('sent', 'paid')
    UNION ALL SELECT o.key, -o.amount_minor, o.sent_at FROM settlement_payout o
        WHERE o.gateway = %(gateway)s AND o.currency = %(currency)s AND o.state IN ('sent', 'paid')
    UNION ALL SELECT 'chargeback ' || p.key, -c.amount_minor, c.closed_at
        FROM settlement_chargeback c JOIN settlement_payment p ON p.id = c.payment_id
        WHERE p.gateway = %(gateway)s AND c.currency = %(currency)s AND c.state = 'lost'
"""

# What a gateway charged the exchange has no record but the gateway's own word, once it is booked.
_CHARGES = """
    SELECT m.cause, m.amount_minor, m.heard_at
        FROM touched x JOIN settlement_gatewaymovement m
        ON m.gateway = %(gateway)s AND m.currency = %(currency)s AND m.cause = x.cause AND m.kind = 'fee'
        JOIN settlement_transfer t ON t.key = m.cause
"""

_CAUSES = f"""
    WITH account AS (SELECT id FROM settlement_account WHERE name = %(account)s),
    told AS NOT MATERIALIZED ({_RECORDS}),
    touched AS (
        SELECT {_CAUSE_OF_A_TRANSFER} AS cause FROM settlement_transfer t {_ORIGIN_OF_A_TRANSFER}
            WHERE t.at >= %(begins)s AND t.at < %(ends)s
            AND (t.debit_id IN (SELECT id FROM account) OR t.credit_id IN (SELECT id FROM account))
        UNION SELECT cause FROM settlement_gatewaymovement
            WHERE gateway = %(gateway)s AND currency = %(currency)s AND booked_on BETWEEN %(first)s AND %(last)s
        UNION SELECT cause FROM told WHERE at >= %(begins)s AND at < %(ends)s
        UNION SELECT cause FROM settlement_break
            WHERE gateway = %(gateway)s AND currency = %(currency)s AND ended_at IS NULL AND gateway_minor IS NOT NULL
    ),
    keys AS ({_KEYS}),
    ledger AS (
        SELECT k.cause, sum(CASE WHEN t.debit_id = a.id THEN t.amount_minor ELSE -t.amount_minor END) AS minor,
            count(DISTINCT coalesce(substring(t.key FROM '^chargeback-[0-9]+'), t.key)) AS lines,
            {_DAY.format("max(t.at)")} AS day
        FROM keys k JOIN settlement_transfer t ON t.key = k.key JOIN account a ON a.id IN (t.debit_id, t.credit_id)
        GROUP BY k.cause
    ),
    gateway AS (
        SELECT x.cause, sum(m.amount_minor) AS minor, count(*) AS lines,
            count(*) FILTER (WHERE m.amount_minor < 0) AS sent, max(m.booked_on) AS day
        FROM touched x JOIN settlement_gatewaymovement m
        ON m.gateway = %(gateway)s AND m.currency = %(currency)s AND m.cause = x.cause GROUP BY x.cause
    ),
    records AS (
        SELECT cause, sum(minor) AS minor, {_DAY.format("max(at)")} AS day FROM (
            SELECT cause, minor, at FROM told WHERE cause IN (SELECT cause FROM touched)
            UNION ALL {_CHARGES}
        ) told_or_charged GROUP BY cause
    )
    SELECT x.cause, coalesce(l.minor, 0), coalesce(l.lines, 0), coalesce(g.minor, 0), coalesce(g.lines, 0),
        coalesce(g.sent, 0), coalesce(r.minor, 0), greatest(l.day, g.day, r.day)
    FROM touched x LEFT JOIN ledger l USING (cause) LEFT JOIN gateway g USING (cause) LEFT JOIN records r USING (cause)
    ORDER BY x.cause COLLATE "C"
"""  # noqa: S608  no value of anybody's

# A trade that is funded had its price and its buyer's fee put into escrow; one that is not had its paid instalments, or
# nothing. A trade is asked of the gateway its last payment went through.
_TRADES = f"""
    WITH touched AS (
        SELECT id FROM settlement_trade
            WHERE currency = %(currency)s AND price_minor > 0 AND funded_at >= %(begins)s AND funded_at < %(ends)s
        UNION SELECT a.trade_id FROM settlement_transfer x JOIN settlement_account a ON a.id = x.credit_id
            WHERE x.at >= %(begins)s AND x.at < %(ends)s AND a.kind = 'escrow' AND a.currency = %(currency)s
        UNION SELECT trade_id FROM settlement_break
            WHERE gateway = %(gateway)s AND currency = %(currency)s AND ended_at IS NULL AND gateway_minor IS NULL
    )
    SELECT t.public_id, coalesce(sum(x.amount_minor), 0), count(x.id),
        CASE WHEN t.funded_at IS NULL THEN coalesce(i.minor, 0) ELSE t.price_minor + t.buyer_fee_minor END,
        {_DAY.format("greatest(t.funded_at, i.paid_at)")}
    FROM touched JOIN settlement_trade t USING (id)
    LEFT JOIN LATERAL (
        SELECT sum(amount_minor) AS minor, max(paid_at) AS paid_at FROM settlement_instalment
        WHERE trade_id = t.id AND paid_at IS NOT NULL
    ) i ON true
    LEFT JOIN settlement_account a ON a.trade_id = t.id AND a.kind = 'escrow'
    LEFT JOIN settlement_transfer x ON x.credit_id = a.id AND (x.key LIKE 'paid-%%' OR x.key LIKE 'applied-%%')
    WHERE (SELECT p.gateway FROM settlement_payment p WHERE p.trade_id = t.id ORDER BY p.id DESC LIMIT 1) = %(gateway)s
    GROUP BY t.id, i.minor, i.paid_at ORDER BY t.public_id COLLATE "C"
"""  # noqa: S608  no value of anybody's

_TOTALS = f"""
    WITH account AS (SELECT id FROM settlement_account WHERE name = %(account)s),
    ledger AS (
        SELECT CASE WHEN t.debit_id = a.id THEN t.amount_minor ELSE -t.amount_minor END AS minor
        FROM settlement_transfer t JOIN account a ON a.id IN (t.debit_id, t.credit_id)
        WHERE t.at >= %(begins)s AND t.at < %(ends)s
    ),
    gateway AS (
        SELECT amount_minor AS minor FROM settlement_gatewaymovement
        WHERE gateway = %(gateway)s AND currency = %(currency)s AND booked_on = %(last)s
    ),
    told AS NOT MATERIALIZED ({_RECORDS}),
    records AS (SELECT minor FROM told WHERE at >= %(begins)s AND at < %(ends)s)
    SELECT * FROM (SELECT coalesce(sum(minor), 0)::bigint, count(*) FROM ledger) l,
        (SELECT coalesce(sum(minor), 0)::bigint, count(*) FROM gateway) g,
        (SELECT coalesce(sum(minor), 0)::bigint, count(*) FROM records) r
"""  # noqa: S608  no value of anybody's


@dataclass(frozen=True)
class Said:
    """What the three books say of one cause, in minor units, and on which day any of them said something last.

    `gateway_minor` is None of a trade, of which a gateway knows nothing. `sent_lines` are the gateway's of money that
    left.
    """

    cause: str
    ledger_minor: int
    ledger_lines: int
    gateway_minor: int | None
    gateway_lines: int
    sent_lines: int
    records_minor: int
    last_on: dt.date | None

    @property
    def agrees(self) -> bool:
        return self.ledger_minor == self.records_minor and self.gateway_minor in (None, self.ledger_minor)

    @property
    def line(self) -> bytes:
        """The comparison as its digest takes it."""
        gateway = "-" if self.gateway_minor is None else f"{self.gateway_minor} {self.gateway_lines}"
        return f"{self.cause}\t{self.ledger_minor} {self.ledger_lines}\t{gateway}\t{self.records_minor}\n".encode()


@dataclass(frozen=True)
class Totals:
    """What each book moved on one day, in minor units and lines."""

    ledger_minor: int
    ledger_lines: int
    gateway_minor: int
    gateway_lines: int
    records_minor: int
    records_lines: int


def _asked(gateway: str, currency: str, first: dt.date, last: dt.date) -> dict[str, Any]:
    return {
        "account": f"outside:{gateway}:{currency}",
        "gateway": gateway,
        "currency": currency,
        "first": first,
        "last": last,
        "begins": clock.day_of(first)[0],
        "ends": clock.day_of(last)[1],
        "zone": settings.TIME_ZONE,
    }


def said(gateway: str, currency: str, first: dt.date, last: dt.date) -> Iterator[Said]:
    """Every cause that a book names from `first` to `last`, and those of open breaks; then every trade. In key order.

    Reads as it goes: called, and read to its end, within a transaction. Two statements.
    """
    asked = _asked(gateway, currency, first, last)
    for statement, read in ((_CAUSES, _of_money), (_TRADES, _of_a_trade)):
        with connection.chunked_cursor() as cursor:
            cursor.execute(statement, asked)
            while rows := cursor.fetchmany(FETCHED_AT_ONCE):
                yield from map(read, rows)


def _of_money(row: tuple[Any, ...]) -> Said:
    cause, *sums, last_on = row
    ledger_minor, ledger_lines, gateway_minor, gateway_lines, sent_lines, records_minor = map(int, sums)
    return Said(cause, ledger_minor, ledger_lines, gateway_minor, gateway_lines, sent_lines, records_minor, last_on)


def _of_a_trade(row: tuple[Any, ...]) -> Said:
    cause, ledger_minor, ledger_lines, records_minor, last_on = row
    return Said(cause, int(ledger_minor), int(ledger_lines), None, 0, 0, int(records_minor), last_on)


def totals(gateway: str, currency: str, day: dt.date) -> Totals:
    """What each book moved on this day. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS, _asked(gateway, currency, day, day))
        return Totals(*cursor.fetchone())
