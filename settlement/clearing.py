"""What a clearing cycle is, and how what it comes to is booked; `positions` makes the sums, `trades` carries it out.

The exchange calculates and pays; it does not step between buyer and seller (no novation).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils.translation import gettext_lazy as _

from compliance import holds
from marketplace import clock, journal, roles, working_time
from marketplace.errors import WrongState, in_words
from marketplace.models import User
from settlement import ledger, positions, reserves
from settlement.models import ClearingCycle, Statement, Trade, TradeShare
from settlement.positions import Line
from settlement.states import CYCLE_MOVES, CycleState, TradeState


def next_cut_off(after: dt.datetime) -> dt.datetime:
    """The next cut-off: CLEARING_CUT_OFF_HOUR of a working day of the exchange, or CLEARING_EVERY_SECONDS on.

    A moment that is the cut-off itself belongs to the cycle that it opens.
    """
    if settings.CLEARING_EVERY_SECONDS:
        return after + dt.timedelta(seconds=settings.CLEARING_EVERY_SECONDS)
    day = _date_of(after)
    while True:
        cut_off = cut_off_on(day)
        if cut_off > after and working_time.is_working(day):
            return cut_off
        day += dt.timedelta(days=1)


def opened() -> QuerySet[ClearingCycle]:
    """The open cycles: one of a currency at most."""
    return ClearingCycle.objects.filter(state=CycleState.OPEN)


@transaction.atomic
def open_cycle(currency: str) -> ClearingCycle:
    """The open cycle of this currency; a new one, numbered on over all currencies, when there is none."""
    with connection.cursor() as cursor:  # one at a time: a number and a currency can each be taken meanwhile
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('clearing cycles', 0))")
    found = opened().filter(currency=currency).first()
    if found is not None:
        return found
    now = clock.now()
    number = (ClearingCycle.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    return ClearingCycle.objects.create(number=number, currency=currency, opened_at=now, cut_off_at=next_cut_off(now))


def open_cycles() -> None:
    """Open a cycle of every currency that ever had one, or in which something waits, and that has none open."""
    known = set(ClearingCycle.objects.exclude(currency="").order_by().values_list("currency", flat=True).distinct())
    accepted = Trade.objects.filter(state=TradeState.ACCEPTED, cycle=None).exclude(currency__in=known)
    known.update(accepted.order_by().values_list("currency", flat=True).distinct())
    known.update(row.currency for row in reserves.due(clock.today()))
    for currency in sorted(known.difference(opened().values_list("currency", flat=True))):
        open_cycle(currency)


def cut_offs() -> Callable[[str], dt.datetime]:
    """Tells of a currency when its books are closed next. One statement."""
    known = dict(opened().values_list("currency", "cut_off_at"))
    return lambda currency: known.get(currency) or next_cut_off(clock.now())


def settlement_day(accepted_at: dt.datetime, *, is_abroad: bool) -> dt.date:
    """From which day on a trade with a price is cleared and paid, by the exchange's clock.

    So many working days after its acceptance, T: T+1 within a country and T+5 across a border, by settings.
    """
    return working_time.days_after(_date_of(accepted_at), _days_to_settle(is_abroad=is_abroad))


def _days_to_settle(*, is_abroad: bool) -> int:
    if settings.CLEARING_EVERY_SECONDS:
        return 0
    return int(settings.SETTLE_ABROAD_AFTER_DAYS if is_abroad else settings.SETTLE_AFTER_DAYS)


def settlement_days(trades: Collection[Trade]) -> dict[int, dt.date]:
    """The settlement day of each of these accepted trades by id; without those that settle when they are accepted.

    One statement at most.
    """
    if not (_days_to_settle(is_abroad=False) or _days_to_settle(is_abroad=True)):
        return {}
    rows = Trade.objects.filter(pk__in=[trade.pk for trade in trades], price_minor__gt=0)
    columns = rows.values_list("pk", "accepted_at", "buyer__country", "seller__country")
    return {
        pk: settlement_day(accepted_at, is_abroad=buyers != sellers)
        for pk, accepted_at, buyers, sellers in columns
        if accepted_at is not None
    }


def cut_off_on(day: dt.date) -> dt.datetime:
    """The cut-off of this working day."""
    return dt.datetime.combine(day, dt.time(settings.CLEARING_CUT_OFF_HOUR), ZoneInfo(settings.TIME_ZONE))


def ripe(moment: dt.datetime) -> QuerySet[Trade]:
    """Accepted trades that are in no cycle yet and whose settlement day has come; free ones at once."""
    waiting = Trade.objects.filter(state=TradeState.ACCEPTED, cycle=None)
    within, abroad = (_accepted_in_time(moment, is_abroad=is_abroad) for is_abroad in (False, True))
    if within is None and abroad is None:
        return waiting
    is_within = Q(buyer__country=F("seller__country"))
    return waiting.filter(
        Q(price_minor=0)
        | is_within & (Q() if within is None else Q(accepted_at__lt=within))
        | ~is_within & (Q() if abroad is None else Q(accepted_at__lt=abroad))
    )


def _accepted_in_time(moment: dt.datetime, *, is_abroad: bool) -> dt.datetime | None:
    """Before when a trade was accepted whose settlement day has come at this moment; None for any time."""
    days = _days_to_settle(is_abroad=is_abroad)
    if not days:
        return None
    day = last = _date_of(moment)
    while working_time.days_after(last, days) > day:
        last -= dt.timedelta(days=1)
    return dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), ZoneInfo(settings.TIME_ZONE))


def _date_of(moment: dt.datetime) -> dt.date:
    return moment.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


@transaction.atomic
def close(cycle: ClearingCycle, *, by: User | None = None) -> ClearingCycle:
    """The cut-off: every accepted trade of its currency whose settlement day has come and that is in no cycle yet is in
    this one. Where there is none without a hold, and no reserve to release, the cycle stays open until the next
    cut-off. Staff may close it before time.

    Raises WrongState, with the code `nothing_to_clear` where staff would close it empty; RoleNeeded.
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
    # The conditions that others change are the query's own, so that PostgreSQL asks them again of a row it waited for.
    unclaimed = Trade.objects.filter(state=TradeState.ACCEPTED, cycle=None, is_frozen=False, currency=cycle.currency)
    taken = unclaimed.filter(pk__in=ripe(now).values("pk"))
    positions.lock_each(taken)
    trades = taken.update(cycle=cycle)
    if _is_all_held(cycle):
        Trade.objects.filter(cycle=cycle).update(cycle=None)
        trades = 0
    if not trades and not reserves.due(clock.today(), cycle.currency):
        if by is not None:
            raise WrongState(
                _("Nothing in %(currency)s is to be cleared today."),
                code="nothing_to_clear",
                next=_("The cycle closes by itself once something is."),
                currency=cycle.currency,
            )
        cycle.cut_off_at = next_cut_off(now)
        cycle.save(update_fields=["cut_off_at"])
        return cycle
    cycle.cut_off_at = min(cycle.cut_off_at, now)
    move(cycle, "close", closed_at=now, cut_off_at=cycle.cut_off_at)
    journal.record("cycle.closed", cycle, by=by, trades=trades)
    return cycle


def _is_all_held(cycle: ClearingCycle) -> bool:
    """Whether a hold lies on each of its trades: then releasing it would clear nothing."""
    trades, last = Trade.objects.filter(cycle=cycle).order_by("pk"), 0
    while part := list(trades.filter(pk__gt=last).only("listing", "buyer", "seller")[: positions.AT_ONCE]):
        if len(holds.held_trade_ids(part)) < len(part):
            return False
        last = part[-1].pk
    return True


def needs_two_people(cycle: ClearingCycle) -> bool:
    """Whether the day's sum in the currency of the cycle is above what the exchange releases by itself.

    The day's, by the exchange's clock, up to and with this cycle: closing early must not split a sum that takes two.
    """
    if cycle.closed_at is None:
        return False
    of_the_day = ClearingCycle.objects.filter(
        closed_at__gte=_day_of(cycle.closed_at), closed_at__lte=cycle.closed_at, pk__lte=cycle.pk
    )
    return _is_above_limit(Trade.objects.filter(cycle__in=of_the_day, currency=cycle.currency))


def would_need_two_people(currency: str) -> bool:
    """Whether two people release the cycle of this currency that closes now."""
    now = clock.now()
    of_the_day = ClearingCycle.objects.filter(closed_at__gte=_day_of(now))
    moved = Trade.objects.filter(currency=currency)
    return _is_above_limit(moved.filter(Q(cycle__in=of_the_day) | Q(pk__in=ripe(now).values("pk"))))


def _day_of(moment: dt.datetime) -> dt.datetime:
    """When the day of this moment began, by the exchange's clock."""
    return moment.astimezone(ZoneInfo(settings.TIME_ZONE)).replace(hour=0, minute=0, second=0, microsecond=0)


def _is_above_limit(moved: QuerySet[Trade]) -> bool:
    return (moved.aggregate(moves=moves())["moves"] or 0) > settings.CLEARING_LIMIT_MINOR


def moves() -> Sum:
    """What trades move at clearing: their prices and their buyers' fees, before what decisions gave back."""
    return Sum(F("price_minor") + F("buyer_fee_minor"))


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


def paid_by(cycle: ClearingCycle) -> set[positions.Member]:
    """Who is paid by the cycle's trades, seller or of a share, by (organisation id, currency)."""
    paid = Trade.objects.filter(cycle=cycle, state=TradeState.ACCEPTED, accounts__kind=ledger.Kind.ESCROW).order_by()
    shared = TradeShare.objects.filter(trade__cycle=cycle, trade__state=TradeState.ACCEPTED).order_by()
    return {
        *paid.values_list("seller_id", "currency").distinct(),
        *shared.values_list("share__payee_id", "trade__currency").distinct(),
    }


def book_lines(
    lines: Sequence[Line], passed: Sequence[positions.Passed], payables: Mapping[positions.Member, int]
) -> None:
    """Escrow becomes both sides' fees and payable, shares pass from payable to payable: one statement for these lines.

    The caller holds the locks of all sides.
    """
    fees = {currency: ledger.fees(currency).pk for currency in {line.currency for line in lines}}
    parts = [(f"fee-{line.trade_id}", line.escrow_id, fees[line.currency], line.fee_minor) for line in lines]
    parts += [
        (f"buyer-fee-{line.trade_id}", line.escrow_id, fees[line.currency], line.buyer_fee_minor) for line in lines
    ]
    parts += [
        (f"net-{line.trade_id}", line.escrow_id, payables[line.seller_id, line.currency], line.net_minor)
        for line in lines
    ]
    parts += [
        (
            f"share-{one.trade_id}-{one.share_id}",
            payables[one.payer_id, one.currency],
            payables[one.payee_id, one.currency],
            one.amount_minor,
        )
        for one in passed
    ]
    ledger.book([part for part in parts if part[3]])


def book_positions(
    cycle: ClearingCycle,
    found: positions.Positions,
    payables: Mapping[positions.Member, int],
    reserved: list[ledger.Move],
) -> None:
    """What is owed is set off, reserves are kept back and released, statements are made; once all lines are booked.

    `reserved` are the transfers into and out of reserves, from `reserves.book`; all that moves here is one insert.
    """
    receivables = ledger.receivables_of({organisation_id for organisation_id, _currency in found})
    ledger.book(
        reserved
        + [
            (
                f"recovered-{cycle.pk}-{organisation_id}-{currency}",
                payables[organisation_id, currency],
                receivables[organisation_id, currency],
                position.recovered_minor,
            )
            for (organisation_id, currency), position in found.items()
            if position.recovered_minor
        ]
    )
    openings = _closings({key: payables[key] for key in found})
    closings = ledger.standings(found)
    last_transfer = ledger.last_id()
    Statement.objects.bulk_create(
        Statement(
            cycle=cycle,
            organisation_id=key[0],
            currency=key[1],
            gross_minor=position.gross_minor,
            fee_minor=position.fee_minor,
            shares_received_minor=position.received_minor,
            shares_given_minor=position.given_minor,
            recovered_minor=position.recovered_minor,
            reserved_minor=position.reserved_minor,
            released_minor=position.released_minor,
            net_minor=position.net_minor,
            opening_minor=openings[key],
            other_minor=closings[key][0] - openings[key] - position.cleared_minor,
            closing_minor=closings[key][0],
            reserve_minor=closings[key][1],
            last_transfer=last_transfer,
        )
        for key, position in found.items()
    )


def _closings(payables: Mapping[positions.Member, int]) -> dict[positions.Member, int]:
    """At what the last statement of each of these members closed, in minor units; nothing before the first."""
    same = Statement.objects.filter(organisation=OuterRef("organisation"), currency=OuterRef("currency"))
    last = Subquery(same.order_by("-pk").values("closing_minor")[:1])
    rows = ledger.Account.objects.filter(pk__in=payables.values()).annotate(closing=last)
    return {
        (int(owner or 0), currency): closing or 0
        for owner, currency, closing in rows.values_list("organisation", "currency", "closing")
    }
