"""Calls that are billed afterwards: how many are counted, billed and paid, and what that lets a buyer do.

The licence is a trade at no price with a price for each call. Its calls are numbered, and its bills are trades of their
own, each of the calls that follow those of the bill before it: what was not paid in time is billed anew, no call twice.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Max, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from listings.models import Listing, Offer
from marketplace import clock
from marketplace.errors import Invalid, Refused
from marketplace.models import Organisation
from marketplace.money import Money
from settlement.gateways import amounts
from settlement.models import Call, FeeSchedule, Grant, Trade
from settlement.states import GrantState, TradeState

WAITING = (TradeState.PROPOSED, TradeState.AGREED, TradeState.REGISTERED)
NOT_PAID_IN_TIME = Q(state=TradeState.EXPIRED, registered_at__isnull=False)  # unregistered, nobody was asked
NEVER_BEGAN = (TradeState.DECLINED, TradeState.CANCELLED, TradeState.EXPIRED, TradeState.REFUNDED)


class UsageLimit(Refused):
    """As many calls are unpaid as the licence allows."""

    code = "usage_limit"
    status = 403
    says = _("As many calls are unpaid as the licence allows.")
    next = _("Pay the open bill, or ask for one on the order's page.")


class UsageUnpaid(Refused):
    """A bill of this access is overdue."""

    code = "usage_unpaid"
    status = 403
    says = _("A bill of this access is overdue.")
    next = _("Ask for the bill again on the order's page and pay it; access then goes on.")


class UsageTaken(Refused):
    """Your organisation has calls of this product billed monthly already."""

    code = "usage_taken"
    says = _("Your organisation has calls of this product billed monthly already.")
    next = _("Go on with that order; or end it, pay its bills, and take the offer again.")


@dataclass(frozen=True)
class Usage:
    """The calls of a licence: all that were counted, those on bills that stand, those paid, and of this month."""

    counted: int
    billed: int
    paid: int
    this_month: int
    limit: int
    unit_price: Money
    is_overdue: bool
    waiting: Trade | None

    @property
    def unbilled(self) -> int:
        return self.counted - self.billed

    @property
    def unpaid(self) -> int:
        return self.counted - self.paid

    @property
    def left(self) -> int:
        """How many calls may be made before something is paid."""
        return 0 if self.is_overdue else max(0, self.limit - self.unpaid)

    @property
    def unbilled_price(self) -> Money:
        return Money(self.unbilled * self.unit_price.minor, self.unit_price.currency)


def bills(trade: Trade) -> QuerySet[Trade]:
    """The trades that bill the calls of this one, oldest first."""
    return Trade.objects.filter(bills=trade).order_by("pk")


def _sum(rows: QuerySet[Trade]) -> int:
    return rows.aggregate(sum=Sum("quantity"))["sum"] or 0


def billed(trade: Trade) -> int:
    """How many calls stand on bills, paid or still to be paid."""
    return _sum(bills(trade).exclude(state=TradeState.EXPIRED))


def paid(trade: Trade) -> int:
    """How many calls are paid."""
    return _sum(bills(trade).exclude(state__in=[*WAITING, TradeState.EXPIRED]))


def is_overdue(trade: Trade) -> bool:
    """Whether a bill was not paid in time, and its calls are not paid since."""
    return bills(trade).filter(NOT_PAID_IN_TIME, first_call__gt=paid(trade)).exists()


def counted(grant: Grant, *, until: dt.datetime | None = None) -> int:
    """How many calls were counted, all or before a moment."""
    rows = Call.objects.filter(grant=grant)
    return (rows if until is None else rows.filter(at__lt=until)).aggregate(last=Max("number"))["last"] or 0


def of(trade: Trade) -> Usage | None:
    """What both sides see of the calls of a delivered licence; None where no calls are billed afterwards."""
    if not trade.is_metered or trade.unit_price is None or (grant := getattr(trade, "grant", None)) is None:
        return None
    so_far = counted(grant)
    return Usage(
        counted=so_far,
        billed=billed(trade),
        paid=paid(trade),
        this_month=so_far - counted(grant, until=month_start()),
        limit=trade.offer.most_quantity or 0,
        unit_price=trade.unit_price,
        is_overdue=is_overdue(trade),
        waiting=bills(trade).filter(state__in=WAITING).first(),
    )


def month_start() -> dt.datetime:
    """When the present month began in the exchange's own time zone."""
    return clock.day_of(clock.today().replace(day=1))[0]


def require_room(grant: Grant, used: int) -> None:
    """Whether one more call may be counted; asked with the access locked. Raises UsageLimit, UsageUnpaid."""
    if grant.state != GrantState.OPEN:
        raise UsageUnpaid()
    if used - paid(grant.trade) >= (grant.trade.offer.most_quantity or 0):
        raise UsageLimit()


# --- before it is taken --------------------------------------------------------------------------------------------


def most_payable(calls: int, unit_minor: int, currency: str, schedule: FeeSchedule) -> int:
    """`amounts.most_calls`, less those that would make a bill too large with the buyer's fee of it."""
    fits = amounts.most_calls(calls, unit_minor, currency)
    while fits:
        price_minor = fits * unit_minor
        over = amounts.above_most(price_minor + schedule.buyer_fee_minor(price_minor, currency), currency)
        if not over:
            break
        less = max(1, over // (2 * unit_minor))  # with its fee, which is at most its price, a call costs no more
        fits = amounts.most_calls(fits - less, unit_minor, currency)
    return fits


def require_payable(offer: Offer, unit_price_minor: int, schedule: FeeSchedule) -> None:
    """At its limit there is a bill that can be paid, else access would rest for ever.

    Raises NoGateway, Invalid as `amounts.require_taken` does.
    """
    if not most_payable(offer.most_quantity or 0, unit_price_minor, offer.currency, schedule):
        amounts.require_taken((offer.most_quantity or 0) * unit_price_minor, offer.currency)
        raise Invalid(
            _("The payment provider takes no bill of these calls."),
            code="amount_not_taken",
            next=_("Ask the seller for an offer with another price."),
        )


def taken(listing: Listing, buyer: Organisation) -> bool:
    """Whether this buyer has such a licence of the product that is not over, or has not paid one."""
    rows = Trade.objects.filter(buyer=buyer, listing=listing, quantity=None, unit_price_minor__isnull=False)
    return any(_is_live(trade) or is_overdue(trade) for trade in rows.exclude(state__in=NEVER_BEGAN))


def _is_live(trade: Trade) -> bool:
    grant = getattr(trade, "grant", None)
    return grant is None or grant.state != GrantState.CLOSED and not grant.is_close_due


def require_first(offer: Offer, *, buyer: Organisation) -> None:
    """One licence of a product at a time, or its limit would be none. Of two at once the second waits for the first.

    Raises UsageTaken.
    """
    Organisation.objects.select_for_update(no_key=True).get(pk=buyer.pk)
    if taken(offer.listing, buyer):
        raise UsageTaken()
