"""What moved a member's balance between two of its statements, and what was kept back and released."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from settlement import gateway_charges
from settlement.models import Account, Chargeback, Reserve, RevenueShare, Statement, Trade

# Each statement reaches from the last transfer of the one before to its own. What came from escrow are its lines; what
# went between the member's own two accounts changes no balance; what went between two members is a share. Rows are
# compared whole, so that only the index of an account serves: right after a clearing the statistics are those of before
# it, and the range of ids alone would seem short.
MOVED_SINCE = """
    SELECT s.id, a.kind, t.key, t.at, CASE WHEN t.credit_id = a.id THEN t.amount_minor ELSE -t.amount_minor END
    FROM settlement_statement s
    CROSS JOIN LATERAL (SELECT coalesce((
        SELECT b.last_transfer FROM settlement_statement b
        WHERE b.organisation_id = s.organisation_id AND b.currency = s.currency AND b.id < s.id
        ORDER BY b.id DESC LIMIT 1
    ), 0) AS last_transfer) AS stated
    JOIN settlement_account a
        ON a.organisation_id = s.organisation_id AND a.currency = s.currency
        AND a.kind IN ('payable', 'receivable', 'reserve')
    CROSS JOIN LATERAL (
        SELECT d.* FROM settlement_transfer d
        WHERE (d.debit_id, d.id) > (a.id, stated.last_transfer) AND (d.debit_id, d.id) <= (a.id, s.last_transfer)
        UNION ALL
        SELECT c.* FROM settlement_transfer c
        WHERE (c.credit_id, c.id) > (a.id, stated.last_transfer) AND (c.credit_id, c.id) <= (a.id, s.last_transfer)
    ) AS t
    JOIN settlement_account o ON o.id = CASE WHEN t.credit_id = a.id THEN t.debit_id ELSE t.credit_id END
    WHERE s.id = ANY(%s) AND o.kind <> 'escrow' AND o.organisation_id IS DISTINCT FROM a.organisation_id
    ORDER BY t.id
"""


@dataclass(frozen=True)
class Movement:
    """What moved a member's balance besides the trades of a cycle; in minor units, below zero what it got or owes."""

    kind: str  # one of MOVEMENTS
    reference: str  # the payout's key; of what was taken back the trade's number
    moved_at: dt.datetime
    amount_minor: int

    @property
    def label(self) -> str:
        return str(MOVEMENTS[self.kind])


MOVEMENTS = {
    "payout": _("Payout sent"),
    "payout_returned": _("Payout that came back"),
    "debt": _("Taken back by the payer’s bank"),
    "debt_paid": _("Debt paid"),
    "gateway_charge": _("Charge of the payment gateway"),
    "reserve_drawn": _("Taken back by the payer’s bank, out of reserve"),
}


@dataclass(frozen=True)
class Shared:
    """A share of a trade's revenue in a statement; in minor units, below zero what the member passed on.

    `titles` are of the product whose split names it, which for a share upstream is not the one that was sold.
    """

    kind: str
    trade_number: str
    titles: dict[str, str]
    amount_minor: int

    @property
    def label(self) -> str:
        return str(RevenueShare.Kind(self.kind).label)


@dataclass
class Moved:
    """What moved a member's balance since the statement before besides its own trades, in order of time."""

    movements: list[Movement] = field(default_factory=list)
    shares: list[Shared] = field(default_factory=list)


def moved_since(stated: Sequence[Statement]) -> dict[int, Moved]:
    """What moved since the statement before, by each statement's id. At most five SQL statements."""
    with connection.cursor() as cursor:
        cursor.execute(MOVED_SINCE, [[one.pk for one in stated]])
        rows = cursor.fetchall()
    keys = [key for _pk, _kind, key, _at, _minor in rows]
    numbers = _taken_back_of(keys) | gateway_charges.trade_numbers(keys)
    shares = _shares(keys)
    found = {one.pk: Moved() for one in stated}
    for pk, account, key, at, minor in rows:
        if key in shares:
            found[pk].shares.append(Shared(*shares[key], int(minor)))
            continue
        if account == Account.Kind.PAYABLE:
            kind, reference = ("payout" if minor < 0 else "payout_returned"), key.rpartition("-")[0]
        elif account == Account.Kind.RESERVE:
            kind, reference = "reserve_drawn", numbers.get(key, key)
        elif key.startswith(gateway_charges.PASSED):
            kind, reference = "gateway_charge", numbers.get(key, key)
        else:
            kind, reference = ("debt" if minor < 0 else "debt_paid"), numbers.get(key, key)
        found[pk].movements.append(Movement(kind, reference, at, int(minor)))
    return found


@dataclass
class Reserves:
    """What a cycle kept back of a member's proceeds in one currency, and what it released of earlier ones."""

    kept: Reserve | None = None
    released: list[Reserve] = field(default_factory=list)


def reserves_of(stated: Sequence[Statement]) -> dict[int, Reserves]:
    """What was kept back and released with each of these statements, by its id. One statement."""
    cycles = {one.cycle_id for one in stated}
    rows = Reserve.objects.filter(organisation__in={one.organisation_id for one in stated})
    rows = rows.filter(Q(cycle__in=cycles) | Q(released_in__in=cycles)).select_related("cycle").order_by("pk")
    found = {(one.cycle_id, one.organisation_id, one.currency): Reserves() for one in stated}
    for row in rows:
        if kept := found.get((row.cycle_id, row.organisation_id, row.currency)):
            kept.kept = row
        if released := found.get((row.released_in_id or 0, row.organisation_id, row.currency)):
            released.released.append(row)
    return {one.pk: found[one.cycle_id, one.organisation_id, one.currency] for one in stated}


def _shares(keys: Iterable[str]) -> dict[str, tuple[str, str, dict[str, str]]]:
    """Of the transfers of shares among these, by their keys: the share's kind, the trade's number, the titles."""
    named = {key: tuple(map(int, match.groups())) for key in keys if (match := re.fullmatch(r"share-(\d+)-(\d+)", key))}
    if not named:
        return {}
    trades = {trade_id for trade_id, _share_id in named.values()}
    numbers = dict(Trade.objects.filter(pk__in=trades).values_list("pk", "register_number"))
    rows = RevenueShare.objects.filter(pk__in={share_id for _trade_id, share_id in named.values()})
    said = {
        pk: (kind, titles or {})
        for pk, kind, titles in rows.values_list("pk", "kind", "split__listing__current_version__titles")
    }
    return {
        key: (said[share_id][0], numbers[trade_id] or "", said[share_id][1])
        for key, (trade_id, share_id) in named.items()
    }


def _taken_back_of(keys: Iterable[str]) -> dict[str, str]:
    """The register numbers of the trades whose money the bank took back, by the keys of those transfers."""
    named = {key: int(match[1]) for key in keys if (match := re.match(r"chargeback-(\d+)-", key))}
    if not named:
        return {}
    rows = Chargeback.objects.filter(pk__in=named.values()).values_list("pk", "trade__register_number")
    numbers = {pk: number or "" for pk, number in rows}
    return {key: numbers[pk] for key, pk in named.items()}
