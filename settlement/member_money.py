"""Where the money of a member's sales is: held, to be cleared, on its way or paid; and every line that was cleared.

A line is one trade: what escrow held for the seller is the gross, the exchange's fee is taken off, the rest is the net;
of it shares are passed on to others.
The exchange withholds no tax: the seller issues the invoice and bears its own taxes. What the member owed from before
is taken off a whole statement, not off a line.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import BigIntegerField, Case, F, Max, Min, QuerySet, Sum, When
from django.db.models.functions import Coalesce

from marketplace import clock
from marketplace.models import Organisation
from marketplace.money import Money
from settlement import clearing, ledger, papers, payouts, positions
from settlement.models import Account, Payout, Trade, TradeShare
from settlement.papers import plain_amount
from settlement.states import OutgoingState, TradeState

AT_ONCE = 500  # rows of a file that are in memory together
HELD = (TradeState.FUNDED, TradeState.DELIVERED, TradeState.DISPUTED)
UNCLEARED = (*HELD, TradeState.ACCEPTED)


@dataclass
class Standing:
    """One currency of a member, in minor units; what is held or to be cleared is before the exchange's fee."""

    currency: str
    held_minor: int = 0
    to_clear_minor: int = 0
    on_its_way_minor: int = 0
    paid_minor: int = 0
    last_paid_at: dt.datetime | None = None
    in_reserve_minor: int = 0  # cleared, kept back and released on its day
    owed_by_it_minor: int = 0  # what it owes the exchange, which the next clearings take off

    def amounts(self) -> dict[str, Money]:
        """The amounts by name: `held`, `to_clear`, `on_its_way`, `paid`, `in_reserve`, `owed_by_it`."""
        names = ("held", "to_clear", "on_its_way", "paid", "in_reserve", "owed_by_it")
        return {name: Money(getattr(self, f"{name}_minor"), self.currency) for name in names}


@dataclass(frozen=True)
class Line:
    """One trade's money in minor units, as the ledger moved it or, before clearing, as it will."""

    trade: Trade
    gross_minor: int
    fee_minor: int
    shares_minor: int  # passed on to others of the net

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.fee_minor

    def money(self) -> dict[str, Money]:
        """Gross, fee, tax withheld (none), net, the shares passed on of it, and what remains."""
        amounts = {
            "gross": self.gross_minor,
            "fee": self.fee_minor,
            "tax": 0,
            "net": self.net_minor,
            "shares": self.shares_minor,
            "remains": self.net_minor - self.shares_minor,
        }
        return {name: Money(minor, self.trade.currency) for name, minor in amounts.items()}


def next_clearing_at() -> dt.datetime:
    """When the books of the next clearing are closed, of whatever currency."""
    now = clock.now()
    coming = clearing.opened().filter(cut_off_at__gt=now).aggregate(first=Min("cut_off_at"))["first"]
    return coming or clearing.next_cut_off(now)


def standing(member: Organisation) -> list[Standing]:
    """Each currency the member ever sold in, by its code. Three statements."""
    found: dict[str, Standing] = {}

    def of(currency: str) -> Standing:
        return found.setdefault(currency, Standing(currency))

    escrow = _escrow(member).values_list("currency", "trade__state").annotate(total=Sum(OF_THE_PRICE))
    for currency, state, total in escrow.order_by():
        if state == TradeState.ACCEPTED:
            of(currency).to_clear_minor += total
        else:
            of(currency).held_minor += total
    outgoing = Payout.objects.filter(organisation=member).exclude(
        state=OutgoingState.BOUNCED, replaced_by__isnull=False
    )
    sums = outgoing.values_list("currency", "state").annotate(total=Sum("amount_minor"), last=Max("paid_at"))
    for currency, state, total, last in sums.order_by():
        if state == OutgoingState.PAID:
            of(currency).paid_minor, of(currency).last_paid_at = total, last
        else:
            of(currency).on_its_way_minor += total
    own = Account.objects.filter(organisation=member, kind__in=[ledger.Kind.RECEIVABLE, ledger.Kind.RESERVE])
    for account, minor in ledger.balances(own):
        if account.kind == ledger.Kind.RESERVE:
            of(account.currency).in_reserve_minor = minor
        else:
            of(account.currency).owed_by_it_minor = max(-minor, 0)
    return [found[currency] for currency in sorted(found)]


# What escrow holds of a price: the buyer's fee beside it is the exchange's, and a decision says what is left of both.
OF_THE_PRICE = Case(
    When(trade__state=TradeState.ACCEPTED, then=F("trade__price_minor") - Coalesce("trade__dispute__refund_minor", 0)),
    default=F("balance_minor") - F("trade__buyer_fee_minor"),
    output_field=BigIntegerField(),
)


def _escrow(member: Organisation) -> QuerySet[Account]:
    """The escrow accounts that hold money for the member."""
    rows = Account.objects.filter(kind=ledger.Kind.ESCROW, trade__seller=member, trade__state__in=UNCLEARED)
    return rows.filter(balance_minor__gt=0)


def uncleared(member: Organisation, most: int) -> list[Line]:
    """What escrow holds for the member, what is cleared next first, then the newest; with the fee as it will be."""
    rows = _escrow(member).annotate(of_the_price=OF_THE_PRICE)
    rows = rows.select_related("trade__version", "trade__buyer", "trade__fee_schedule")
    rows = rows.defer("trade__version__fields", "trade__version__rights").order_by("trade__state", "-trade__pk")[:most]
    held = [(row.trade, int(row.of_the_price)) for row in rows if row.trade is not None]
    return _with_shares([(trade, minor, trade.fee_schedule.fee_minor(minor)) for trade, minor in held])


def lines(trades: Sequence[Trade]) -> list[Line]:
    """These cleared trades as the ledger moved their money. Two statements."""
    moved = papers.moved_minor(trades)
    found = []
    for trade in trades:
        fee, net = moved.get(f"fee-{trade.pk}", 0), moved.get(f"net-{trade.pk}", 0)
        found.append((trade, fee + net, fee))
    return _with_shares(found)


def _with_shares(found: Sequence[tuple[Trade, int, int]]) -> list[Line]:
    """The lines of these trades, gross and fee in minor units, with what their seller passes on. One statement."""
    nets = {trade.pk: gross - fee for trade, gross, fee in found}
    own = TradeShare.objects.filter(trade__in=nets, share__split__listing=F("trade__listing"))
    passed: Counter[int] = Counter()
    for trade_id, basis_points in own.values_list("trade", "share__basis_points"):
        passed[trade_id] += positions.share_of(nets[trade_id], basis_points)
    return [Line(trade, gross, fee, passed[trade.pk]) for trade, gross, fee in found]


# --- for spreadsheets ----------------------------------------------------------------------------------------------

COLUMNS = [
    "cycle", "cleared_at", "trade", "register_number", "product", "buyer", "purchase_order", "currency", "gross", "fee",
    "tax", "net", "shares", "remains", "payout", "payout_state", "paid_at",
]  # fmt: skip


def cleared_rows(member: Organisation) -> Iterator[list[str]]:
    """Every trade that was ever cleared for the member with each deduction, the newest first."""
    yield COLUMNS
    rows = Trade.objects.sold_by(member).filter(cleared_at__isnull=False, price_minor__gt=0)
    rows = rows.select_related("version", "buyer", "cycle").defer("version__fields", "version__rights").order_by("-pk")
    last = None
    while part := list((rows if last is None else rows.filter(pk__lt=last))[:AT_ONCE]):
        paid_by = payouts.of_trades(part)
        for line in lines(part):
            trade, money = line.trade, line.money()
            payout, cycle = paid_by.get(trade.pk), trade.cycle
            yield [
                str(cycle.number) if cycle else "", _moment(trade.cleared_at), trade.public_id,
                trade.register_number or "", trade.version.title, trade.buyer.name, trade.purchase_order,
                trade.currency,
                *(plain_amount(amount.minor, trade.currency) for amount in money.values()),
                payout.key if payout else "", payout.state if payout else "", _moment(payout.paid_at) if payout else "",
            ]  # fmt: skip
        last = part[-1].pk


def _moment(at: dt.datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""
