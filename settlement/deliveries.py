"""Access to what was bought: grants, their opening and closing, and the receipts of their use."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from compliance import clearance
from marketplace import clock, journal
from marketplace.errors import NotReady, Refused, WrongState, in_words
from marketplace.models import User
from settlement import extensions, metering
from settlement.channels import USAGE, Access
from settlement.models import Call, Grant, Receipt, Trade
from settlement.states import GRANT_MOVES, GrantState, TradeState

AT_ONCE = 10
TOLD_AT_ONCE = 200
LIVE = extensions.LIVE


class GrantClosed(Refused):
    """This access is closed."""

    code = "grant_closed"
    status = 403
    says = _("This access is closed.")
    next = _("See the order for the reason; a new purchase opens a new access.")


class CallsUsedUp(Refused):
    """Every call that was bought is used."""

    code = "calls_used_up"
    status = 403
    says = _("Every call that was bought is used.")
    next = _("Buy another block: the order shows the offer.")


def _move(grant: Grant, act: str, **changes: object) -> Grant:
    if act not in GRANT_MOVES[grant.state]:
        raise WrongState(_("The access is %(state)s."), state=in_words(GrantState(grant.state).label))
    grant.state = GRANT_MOVES[grant.state][act]
    for name, value in changes.items():
        setattr(grant, name, value)
    grant.save(update_fields=["state", *changes])
    return grant


def grant(trades: Sequence[Trade]) -> None:
    """The buyers are due access; a worker opens it."""
    Grant.objects.bulk_create(
        Grant(trade=trade, channel=USAGE if trade.bills_id else trade.offer.channel) for trade in trades
    )


def due_to_open() -> QuerySet[Grant]:
    """Funded, and not frozen by a chargeback."""
    return Grant.objects.filter(
        state=GrantState.DUE, is_close_due=False, trade__state=TradeState.FUNDED, trade__is_frozen=False
    )


def claim_next_grants() -> list[Grant]:
    """The next grants to open; few, for a channel may take its time."""
    parts = due_to_open().select_related("trade__offer", "trade__release", "trade__version")
    return Grant.claim_several(parts.prefetch_related("trade__release__files"), most=AT_ONCE)


def record_open(opened: Sequence[tuple[Grant, Access]]) -> None:
    """The channel gave access; called with grants and trades locked. The licences' terms begin. Raises WrongState."""
    now = clock.now()
    begins = extensions.begins([grant.trade for grant, _access in opened])
    for grant, access in opened:
        if "open" not in GRANT_MOVES[grant.state]:
            raise WrongState(_("The access is %(state)s."), state=in_words(GrantState(grant.state).label))
        grant.state, grant.access, grant.opened_at = GRANT_MOVES[grant.state]["open"], access.facts, now
        if grant.trade.bills_id is None:
            grant.ends_at = end_of_term(begins.get(grant.trade_id, now), grant.trade.terms)
        grant.claimed_until, grant.error, grant.tries = None, "", 0
    Grant.objects.bulk_update(
        [grant for grant, _access in opened],
        ["state", "access", "opened_at", "ends_at", "claimed_until", "error", "tries"],
    )


def end_of_term(begin: dt.datetime, terms: dict[str, Any]) -> dt.datetime | None:
    """When a licence under these terms ends; None for one without end."""
    if days := terms.get("term_days"):
        return begin + dt.timedelta(days=days)
    return months_after(begin, terms.get("term_months"))


def months_after(moment: dt.datetime, months: int | None) -> dt.datetime | None:
    """The same day so many months later, or the last day of that month; None for a term without end."""
    if months is None:
        return None
    year, month = divmod(moment.month - 1 + months, 12)
    year, month = moment.year + year, month + 1
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))


def require_use(grant: Grant, *, by: User | None) -> None:
    """Whether the grant may be used right now: asked at every use. Raises GrantClosed, NotReady, NotCleared."""
    grant = Grant.objects.select_related("trade__listing", "trade__buyer", "trade__seller").get(pk=grant.pk)
    if grant.state == GrantState.DUE:
        raise NotReady(_("The access is not open yet."))
    if grant.state == GrantState.CLOSED or grant.is_close_due:
        raise GrantClosed()
    if extensions.is_over(grant):
        raise GrantClosed(_("The licence's term is over."), code="licence_ended")
    trade = grant.trade
    if trade.bills_id is not None:
        raise GrantClosed(
            _("A bill delivers its usage statement; the files are fetched under the order it bills."),
            code="bill_has_no_files",
        )
    clearance.require_not_held(listing=trade.listing, buyer=trade.buyer, seller=trade.seller, trade_id=trade.pk)
    if grant.state == GrantState.SUSPENDED and trade.is_metered and metering.is_overdue(trade):
        raise metering.UsageUnpaid()
    if grant.state == GrantState.SUSPENDED:
        raise NotReady(_("The access is suspended."), code="grant_suspended")


@transaction.atomic
def leave_receipt(
    grant: Grant, *, path: str, sha256: str, first_byte: int, size_bytes: int, by: User | None, call: str = ""
) -> Receipt:
    """One use of the grant, written before the bytes move: `size_bytes` is what will be sent at most.

    `call` says to which call the use belongs, of 64 characters at most; uses of one call count once, and "" is none.
    Raises CallsUsedUp where calls were bought and none is left, UsageLimit or UsageUnpaid where they are billed.
    """
    if call and (grant.trade.quantity is not None or grant.trade.is_metered):
        _count_call(grant, call)
    return Receipt.objects.create(
        grant=grant, path=path, sha256=sha256, first_byte=first_byte, size_bytes=size_bytes, by=by
    )


def _count_call(grant: Grant, key: str) -> None:
    """Of two who take the last call one waits for the other's, and is refused. Raises CallsUsedUp, UsageLimit,
    UsageUnpaid."""
    rows = Grant.objects.select_for_update(no_key=True, of=("self",)).select_related("trade__offer")
    grant = rows.get(pk=grant.pk)
    counted = Call.objects.filter(grant=grant)
    if counted.filter(key=key).exists():
        return
    used = used_calls(grant)
    if grant.trade.is_metered:
        metering.require_room(grant, used)
    elif used >= (grant.trade.quantity or 0):
        raise CallsUsedUp()
    Call.objects.create(grant=grant, number=used + 1, key=key)


def used_calls(grant: Grant) -> int:
    """How many of the calls that were bought are used."""
    return Call.objects.filter(grant=grant).aggregate(used=Max("number"))["used"] or 0


@transaction.atomic
def suspend(grant: Grant, *, why: str) -> Grant:
    """Stop access for a while; an access that is not open stays as it is."""
    grant = Grant.objects.select_for_update().get(pk=grant.pk)
    if grant.state == GrantState.OPEN:
        _move(grant, "suspend")
        journal.record("grant.suspended", grant, by=None, trade=grant.trade_id, why=why)
    return grant


@transaction.atomic
def resume(grant: Grant) -> Grant:
    """Access goes on; one that was not suspended, or whose bill is overdue, stays as it is."""
    grant = Grant.objects.select_for_update(of=("self",)).select_related("trade").get(pk=grant.pk)
    if grant.state == GrantState.SUSPENDED and not (grant.trade.is_metered and metering.is_overdue(grant.trade)):
        _move(grant, "resume")
        journal.record("grant.resumed", grant, by=None, trade=grant.trade_id)
    return grant


def end(trade: Trade) -> None:
    """The access of this trade ends now: the very next use is refused, a worker closes the channel."""
    Grant.objects.filter(trade=trade).exclude(state=GrantState.CLOSED).update(
        is_close_due=True, next_try_at=clock.now(), claimed_until=None, tries=0
    )


def take_back(trade: Trade) -> None:
    """`end`, because the money of the locked trade went back: its term is over now. The terms of those that extend its
    licence, and are open already, begin where it ended, so that who paid for one term has one."""
    end(trade)
    now = clock.now()
    held = Grant.objects.select_for_update(of=("self",), no_key=True).select_related("trade")
    grant = held.filter(trade=trade, ends_at__gt=now).first()
    end_at = max(now, extensions.began_at(grant)) if grant else None
    while grant is not None and grant.ends_at is not None and end_at is not None and end_at < grant.ends_at:
        grant.ends_at = end_at
        grant.save(update_fields=["ends_at"])
        if grant.trade_id != trade.pk:
            journal.record("grant.end_moved", grant, by=None, trade=grant.trade_id, ends_at=end_at.isoformat())
        grant = held.filter(trade__renews=grant.trade_id, state__in=LIVE, is_close_due=False).first()
        end_at = end_of_term(extensions.began_at(grant), grant.trade.terms) if grant else None


def ending() -> QuerySet[Grant]:
    """Accesses that end within GRANT_WARNING_DAYS, trials within TRIAL_WARNING_DAYS, whose buyers were not told yet."""
    now = clock.now()
    until = now + dt.timedelta(days=settings.GRANT_WARNING_DAYS)
    soon = now + dt.timedelta(days=settings.TRIAL_WARNING_DAYS)
    return Grant.objects.filter(
        Q(trade__is_trial=False) | Q(ends_at__lte=soon),
        state__in=LIVE,
        is_close_due=False,
        ends_at__gt=now,
        ends_at__lte=until,
        ending_told_at=None,
    )


@transaction.atomic
def tell_ending() -> int:
    """Leave an event for the next accesses that end soon, once each. How many."""
    found = list(ending().select_for_update(skip_locked=True, no_key=True).order_by("ends_at", "pk")[:TOLD_AT_ONCE])
    Grant.objects.filter(pk__in=[grant.pk for grant in found]).update(ending_told_at=clock.now())
    journal.record_many(
        (("grant.ending", grant, {"trade": grant.trade_id, "ends_at": str(grant.ends_at)}) for grant in found), by=None
    )
    return len(found)


def due_to_close() -> QuerySet[Grant]:
    """Ended by its trade, by its licence's term, or by an upgrade that is accepted and so cannot give it back."""
    inspected = Trade.objects.filter(upgrades=OuterRef("trade"), state__in=extensions.INSPECTED)
    ended = Q(is_close_due=True) & ~Q(state=GrantState.CLOSED) & ~Exists(inspected)
    return Grant.objects.filter(ended | Q(state__in=LIVE) & extensions.over())


def claim_next_close() -> Grant | None:
    """The next grant to close."""
    return Grant.claim_next(due_to_close().select_related("trade__offer"))


@transaction.atomic
def record_closed(grant: Grant) -> Grant:
    """The channel took access away. A licence whose term is over goes back to its offer."""
    extensions.lock_renewed(grant.trade)
    trade = Trade.objects.select_for_update(of=("self",)).select_related("offer").get(pk=grant.trade_id)
    grant = Grant.objects.select_for_update().get(pk=grant.pk)
    if grant.state == GrantState.CLOSED:
        return grant
    _move(grant, "close", closed_at=clock.now(), claimed_until=None, error="")
    extensions.give_back_licence(trade)
    journal.record("grant.closed", grant, by=None, trade=grant.trade_id)
    return grant
