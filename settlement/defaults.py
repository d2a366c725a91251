"""What happens to those who let a trade wait: they are reminded, then it expires, and who never pays buys no more.

The ladder has a date for every rung: REMIND_BEFORE_DAYS before a deadline a reminder, once; at the deadline the trade
expires, or the silence accepts; and a buyer who let UNPAID_LIMIT registered trades expire within UNPAID_DAYS takes no
further offer until the oldest of them is that long ago.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from marketplace import clock, journal, roles
from marketplace.errors import Refused, WrongState
from marketplace.models import Organisation, User
from settlement.models import Excuse, Reminder, Trade
from settlement.states import TradeState

AT_ONCE = 200
TOLD_DAYS = 1  # before a reminder, its party has known of the wait for at least so long
# By what waits: since when, and until when.
WAITS = {
    Reminder.Wait.ANSWER: ("proposed_at", "agree_until"),
    Reminder.Wait.PAYMENT: ("registered_at", "fund_until"),
    Reminder.Wait.INSPECTION: ("delivered_at", "inspect_until"),
}


class TooManyUnpaid(Refused):
    """Your organisation let too many registered trades expire unpaid."""

    code = "too_many_unpaid"
    status = 403
    says = _("Your organisation let too many registered trades expire unpaid.")
    next = _("Take free offers until then, or write to the exchange why they were not paid; it may excuse them.")


def due(wait: Reminder.Wait) -> QuerySet[Trade]:
    """Trades whose party is to be reminded now."""
    now = clock.now()
    since, until = WAITS[wait]
    rows = Trade.objects.filter(
        ~Exists(Reminder.objects.filter(trade=OuterRef("pk"), wait=wait, until=OuterRef(until))),
        state=wait.value,
        is_frozen=False,
        **{
            f"{until}__lte": now + dt.timedelta(days=settings.REMIND_BEFORE_DAYS),
            f"{until}__gt": now,
            f"{since}__lte": now - dt.timedelta(days=TOLD_DAYS),
        },
    )
    return rows.order_by(until, "pk")


@transaction.atomic
def remind(wait: Reminder.Wait) -> int:
    """Leave a reminder and an event for the next trades that wait so, once each. How many."""
    rows = due(wait).select_for_update(of=("self",), no_key=True, skip_locked=True)
    found = list(rows[:AT_ONCE])
    Reminder.objects.bulk_create(
        Reminder(trade=trade, wait=wait, until=getattr(trade, WAITS[wait][1])) for trade in found
    )
    journal.record_many((("trade.reminded", trade, {"wait": wait.value}) for trade in found), by=None)
    return len(found)


def unpaid(buyer: Organisation) -> QuerySet[Trade]:
    """The registered trades this buyer let expire within UNPAID_DAYS, but for renewals, which may lapse, and those
    the exchange excused."""
    since = clock.now() - dt.timedelta(days=settings.UNPAID_DAYS)
    return Trade.objects.filter(
        buyer=buyer, state=TradeState.EXPIRED, renews=None, registered_at__isnull=False, ended_at__gt=since, excuse=None
    )


def is_excusable(trade: Trade) -> bool:
    """Whether this trade is held against its buyer, and may be excused."""
    return unpaid(trade.buyer).filter(pk=trade.pk).exists()


@transaction.atomic
def excuse(trade: Trade, *, reason: str, by: User) -> Excuse:
    """Hold an expired trade no longer against its buyer, who may take offers again if no others bar it.

    Raises RoleNeeded, and WrongState for a trade that bars nobody or was excused.
    """
    roles.require_staff(by, "excuse_default")
    trade = Trade.objects.select_for_update(no_key=True, of=("self",)).select_related("buyer").get(pk=trade.pk)
    if not is_excusable(trade):
        raise WrongState(_("This trade is not held against its buyer."))
    excused = Excuse.objects.create(trade=trade, reason=reason, by=by)
    journal.record("trade.excused", trade, by=by, reason=reason)
    return excused


def barred_until(buyer: Organisation) -> dt.datetime | None:
    """Until when this buyer takes no offer for what it left unpaid; None where it may."""
    if not settings.UNPAID_LIMIT:
        return None
    latest = unpaid(buyer).order_by(F("ended_at").desc()).values_list("ended_at", flat=True)
    ended = list(latest[: settings.UNPAID_LIMIT])
    if len(ended) < settings.UNPAID_LIMIT or ended[-1] is None:
        return None
    return ended[-1] + dt.timedelta(days=settings.UNPAID_DAYS)


def require_not_barred(buyer: Organisation) -> None:
    """Raises TooManyUnpaid."""
    if until := barred_until(buyer):
        raise TooManyUnpaid(
            _(
                "Your organisation let %(number)s registered trades expire unpaid; it takes offers with a price again"
                " from %(until)s."
            ),
            number=settings.UNPAID_LIMIT,
            until=until,
        )
