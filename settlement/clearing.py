"""What a clearing cycle is, and what it makes each member owe and be owed. Pure sums; `trades` applies them.

The exchange calculates and pays; it does not step between buyer and seller (no novation).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from marketplace import clock, journal, roles
from marketplace.errors import WrongState, in_words
from marketplace.models import Organisation, User
from settlement import ledger
from settlement.models import Account, ClearingCycle, Payout, Statement, Trade, Transfer
from settlement.states import CYCLE_MOVES, CycleState, TradeState


@dataclass(frozen=True)
class Line:
    """One trade in a cycle, in minor units: what escrow holds, the fee, what the seller gets."""

    trade_id: int
    seller_id: int
    currency: str
    gross_minor: int
    fee_minor: int

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.fee_minor


@dataclass
class Position:
    """What a cycle means for one member in one currency, in minor units."""

    gross_minor: int = 0
    fee_minor: int = 0
    recovered_minor: int = 0
    trade_ids: list[int] = field(default_factory=list)

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.fee_minor - self.recovered_minor


@dataclass(frozen=True)
class Sums:
    """A cycle computed: its lines, and each member's position by (organisation id, currency)."""

    lines: list[Line]
    positions: dict[tuple[int, str], Position]


def compute(held: Iterable[tuple[int, int, str, int, int]], owed: dict[tuple[int, str], int]) -> Sums:
    """What the trades of a cycle mean for each member.

    `held` are (trade id, seller id, currency, minor units in escrow, the fee of them); `owed` is what a member
    owes the exchange by (organisation id, currency), which is set against what it gets.
    """
    lines = []
    positions: dict[tuple[int, str], Position] = defaultdict(Position)
    for trade_id, seller_id, currency, gross_minor, fee_minor in held:
        line = Line(trade_id, seller_id, currency, gross_minor, fee_minor)
        lines.append(line)
        position = positions[seller_id, currency]
        position.gross_minor += line.gross_minor
        position.fee_minor += line.fee_minor
        position.trade_ids.append(trade_id)
    for key, position in positions.items():
        position.recovered_minor = min(owed.get(key, 0), position.net_minor)
    return Sums(lines, dict(positions))


def next_cut_off(after: dt.datetime) -> dt.datetime:
    """The next daily cut-off, at CLEARING_CUT_OFF_HOUR of the exchange's clock, or CLEARING_EVERY_SECONDS on."""
    if settings.CLEARING_EVERY_SECONDS:
        return after + dt.timedelta(seconds=settings.CLEARING_EVERY_SECONDS)
    local = after.astimezone(ZoneInfo(settings.TIME_ZONE))
    cut_off = local.replace(hour=settings.CLEARING_CUT_OFF_HOUR, minute=0, second=0, microsecond=0)
    return cut_off if cut_off > local else cut_off + dt.timedelta(days=1)


def open_cycle() -> ClearingCycle:
    """The open cycle; a new one, numbered on, when there is none. The unique index holds one open cycle."""
    found = ClearingCycle.objects.filter(state=CycleState.OPEN).first()
    if found is not None:
        return found
    now = clock.now()
    number = (ClearingCycle.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    try:
        with transaction.atomic():
            return ClearingCycle.objects.create(number=number, opened_at=now, cut_off_at=next_cut_off(now))
    except IntegrityError:  # another worker opened it meanwhile
        return ClearingCycle.objects.get(state=CycleState.OPEN)


@transaction.atomic
def close(cycle: ClearingCycle, *, by: User | None = None) -> ClearingCycle:
    """The cut-off: every accepted trade that is in no cycle yet is in this one. Staff may do it before time.

    Raises WrongState, RoleNeeded.
    """
    if by is not None:
        roles.require_staff(by, "release_clearing")
    cycle = _locked(cycle, CycleState.OPEN)
    now = clock.now()
    if by is None and cycle.cut_off_at > now:
        raise WrongState(
            _("Cycle %(cycle)s has its cut-off at %(cut_off_at)s."),
            cycle=cycle,
            cut_off_at=f"{cycle.cut_off_at:%Y-%m-%d %H:%M %Z}",
        )
    trades = Trade.objects.filter(state=TradeState.ACCEPTED, cycle=None, is_frozen=False).update(cycle=cycle)
    cycle.cut_off_at = min(cycle.cut_off_at, now)
    move(cycle, "close", closed_at=now, cut_off_at=cycle.cut_off_at)
    journal.record("cycle.closed", cycle, by=by, trades=trades)
    return cycle


def needs_two_people(cycle: ClearingCycle) -> bool:
    """Whether the day's sum of a currency that the cycle moves is above what the exchange releases by itself.

    The day's, by the exchange's clock, up to and with this cycle: closing early must not split a sum that takes two.
    """
    if cycle.closed_at is None:
        return False
    of_the_day = ClearingCycle.objects.filter(
        closed_at__gte=_day_of(cycle.closed_at), closed_at__lte=cycle.closed_at, pk__lte=cycle.pk
    )
    return _is_above_limit(Trade.objects.filter(cycle__in=of_the_day, currency__in=cycle.trades.values("currency")))


def would_need_two_people(waiting: QuerySet[Trade]) -> bool:
    """Whether two people release the cycle that closes with these trades now."""
    of_the_day = ClearingCycle.objects.filter(closed_at__gte=_day_of(clock.now()))
    moved = Trade.objects.filter(Q(cycle__in=of_the_day) | Q(pk__in=waiting.values("pk")))
    return _is_above_limit(moved.filter(currency__in=waiting.values("currency")))


def _day_of(moment: dt.datetime) -> dt.datetime:
    """When the day of this moment began, by the exchange's clock."""
    return moment.astimezone(ZoneInfo(settings.TIME_ZONE)).replace(hour=0, minute=0, second=0, microsecond=0)


def _is_above_limit(moved: QuerySet[Trade]) -> bool:
    largest = moved.values("currency").annotate(total=Sum("price_minor")).order_by("-total").first()
    return largest is not None and largest["total"] > settings.CLEARING_LIMIT_MINOR


def move(cycle: ClearingCycle, act: str, **changes: object) -> ClearingCycle:
    """Move a locked cycle; called by this module and by `trades.clear`."""
    cycle.state = CYCLE_MOVES[cycle.state][act]
    for name, value in changes.items():
        setattr(cycle, name, value)
    cycle.save(update_fields=["state", *changes])
    return cycle


def _locked(cycle: ClearingCycle, state: CycleState) -> ClearingCycle:
    # No key of it changes, so a trade that points at the cycle may end meanwhile: we wait for it, not it for us too.
    cycle = ClearingCycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
    if cycle.state != state:
        raise WrongState(
            _("Cycle %(cycle)s is %(state)s, not %(wanted)s."),
            cycle=cycle,
            state=in_words(CycleState(cycle.state).label),
            wanted=in_words(state.label),
        )
    return cycle


def locked_closed(cycle: ClearingCycle) -> ClearingCycle:
    """The cycle, locked, if it is closed and not released. Raises WrongState."""
    return _locked(cycle, CycleState.CLOSED)


def post(
    cycle: ClearingCycle,
    sums: Sums,
    escrows: dict[int | None, Account],
    sellers: dict[int, Organisation],
) -> None:
    """Book a computed cycle: escrow becomes fee and payable, what is owed is set off, statements and payouts fall due.

    One statement each for transfers, statements and payouts; the escrow accounts are locked by the caller.
    """
    currencies = {line.currency for line in sums.lines}
    fees = {currency: ledger.fees(currency) for currency in currencies}
    payables = {key: ledger.payable(sellers[key[0]], key[1]) for key in sums.positions}
    transfers = []
    for line in sums.lines:
        if line.fee_minor:
            transfers.append(
                Transfer(
                    key=f"fee-{line.trade_id}",
                    debit=escrows[line.trade_id],
                    credit=fees[line.currency],
                    amount_minor=line.fee_minor,
                )
            )
        if line.net_minor:
            transfers.append(
                Transfer(
                    key=f"net-{line.trade_id}",
                    debit=escrows[line.trade_id],
                    credit=payables[line.seller_id, line.currency],
                    amount_minor=line.net_minor,
                )
            )
    for (organisation_id, currency), position in sums.positions.items():
        if position.recovered_minor:
            transfers.append(
                Transfer(
                    key=f"recovered-{cycle.pk}-{organisation_id}-{currency}",
                    debit=payables[organisation_id, currency],
                    credit=ledger.receivable(sellers[organisation_id], currency),
                    amount_minor=position.recovered_minor,
                )
            )
    Transfer.objects.bulk_create(transfers)
    Statement.objects.bulk_create(
        Statement(
            cycle=cycle,
            organisation_id=organisation_id,
            currency=currency,
            gross_minor=position.gross_minor,
            fee_minor=position.fee_minor,
            recovered_minor=position.recovered_minor,
            net_minor=position.net_minor,
        )
        for (organisation_id, currency), position in sums.positions.items()
    )
    due = Payout.objects.bulk_create(
        Payout(
            cycle=cycle,
            organisation_id=organisation_id,
            key=f"payout-{cycle.number}-{organisation_id}-{currency}",
            amount_minor=position.net_minor,
            currency=currency,
        )
        for (organisation_id, currency), position in sums.positions.items()
        if position.net_minor > 0
    )
    journal.record_many(
        (("payout.due", payout, {"amount_minor": payout.amount_minor, "cycle": cycle.number}) for payout in due),
        by=None,
    )
