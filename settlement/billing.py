"""Bills of calls that are billed monthly: made by a worker after each month and at the end, and by the buyer earlier.

The worker bills no access whose last bill is overdue: its buyer asks for that bill again. A licence is ended by its
buyer at any time, by its seller to the end of the following month.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping

from django.db import transaction
from django.db.models import (
    BigIntegerField,
    Case,
    Exists,
    F,
    Func,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Mod
from django.utils.translation import gettext_lazy as _

from marketplace import clock, journal, roles
from marketplace.errors import Invalid, WrongState
from marketplace.models import User
from settlement import deliveries, extensions, metering, trades
from settlement.gateways import Bounds, NoGateway, default_gateway, gateway
from settlement.models import Call, Grant, Trade
from settlement.states import GrantState, TradeState

AT_ONCE = 200
logger = logging.getLogger(__name__)
ENDED = Q(state=GrantState.CLOSED) | Q(is_close_due=True)


def due() -> QuerySet[Grant]:
    """Accesses with calls of an ended month, or that ended, which stand on no bill, can be paid, and owe nothing."""
    try:
        can = gateway(default_gateway()).capabilities()
    except NoGateway:
        return Grant.objects.none()
    month = metering.month_start()
    bills = Trade.objects.filter(bills=OuterRef("trade")).order_by()
    standing = bills.exclude(state=TradeState.EXPIRED)
    calls = Call.objects.filter(grant=OuterRef("pk")).order_by()
    rows = Grant.objects.filter(
        trade__quantity=None, trade__unit_price_minor__isnull=False, trade__next_try_at__lte=clock.now()
    )
    rows = rows.exclude(trade__state=TradeState.REFUNDED).annotate(
        paid=_one(standing.exclude(state__in=metering.WAITING), "bills", Sum("quantity")),
        billed=_one(standing, "bills", Sum("quantity")),
        counted=Case(
            When(ENDED, then=_one(calls, "grant", Max("number"))),
            default=_one(calls.filter(at__lt=month), "grant", Max("number")),
        ),
        group=_bound(can.bounds, "step_minor")
        / Func(F("trade__unit_price_minor"), _bound(can.bounds, "step_minor"), function="gcd"),
        least=_bound(can.bounds, "least_minor"),
        waits_since=Case(When(ENDED, then=Coalesce("closed_at", Value(clock.now()))), default=Value(month)),
    )
    rows = rows.annotate(fit=F("counted") - F("billed") - Mod(F("counted") - F("billed"), F("group")))
    rows = rows.annotate(sum_minor=F("fit") * F("trade__unit_price_minor"))
    return rows.filter(
        ~Exists(bills.filter(state__in=metering.WAITING)),
        ~Exists(bills.filter(metering.NOT_PAID_IN_TIME, first_call__gt=OuterRef("paid"))),
        ENDED | ~Exists(standing.filter(billed_until=month)),
        counted__gt=F("billed"),
        fit__gt=0,
        sum_minor__gte=F("least"),
        trade__currency__in=can.currencies,
    )


def _one(rows: QuerySet, by: str, figure: Sum | Max) -> Coalesce:  # type: ignore[type-arg]
    """One figure of a subquery's rows; 0 where there are none."""
    of_one = rows.values(by).annotate(figure=figure).values("figure")
    return Coalesce(Subquery(of_one), 0, output_field=BigIntegerField())


def _bound(bounds: Mapping[str, Bounds], name: str) -> Case:
    """A bound of the trade's currency; 1 where the gateway names none."""
    known = [When(trade__currency=code, then=Value(getattr(one, name))) for code, one in bounds.items()]
    return Case(*known, default=Value(1), output_field=BigIntegerField())


def bill_next() -> int:
    """Bill the accesses that are due; one that is refused backs off alone. How many were billed."""
    done = 0
    for grant in due().select_related("trade").order_by("pk")[:AT_ONCE]:
        is_over = grant.state == GrantState.CLOSED or grant.is_close_due
        try:
            done += trades.bill(grant.trade, until=clock.now() if is_over else metering.month_start()) is not None
        except WrongState:  # another worker, or the buyer, was faster
            continue
        except Exception as error:  # a fault of ours: it shows in the log and on the desk, and its neighbours go on
            logger.exception("the calls of trade %s are not billed", grant.trade)
            trades.postpone(grant.trade, error)
    return done


@transaction.atomic
def ask(trade: Trade, *, by: User) -> Trade:
    """The buyer asks for the bill of every call that stands on none, as of an overdue one or at the limit.

    Raises RoleNeeded, WrongState `bill_open`, Invalid `nothing_to_bill`, NoGateway.
    """
    roles.require(by, trade.buyer, "pay")
    _require_metered(trade)
    made = trades.bill(trade, until=clock.now(), by=by)
    if made is None:
        raise Invalid(
            _("There are no calls to bill, or too few for a payment."),
            code="nothing_to_bill",
            next=_("What is too little is carried over to the next bill."),
        )
    return made


@transaction.atomic
def end(trade: Trade, *, by: User) -> Trade:
    """The buyer ends the access now; what is open is billed. Raises RoleNeeded, WrongState where it has ended."""
    trade = trades.locked(trade)
    roles.require(by, trade.buyer, "propose")
    _locked_live(trade)
    deliveries.end(trade)
    journal.record("trade.metering_ended", trade, by=by, ends_at=clock.now().isoformat())
    return trade


@transaction.atomic
def give_notice(trade: Trade, *, by: User) -> Trade:
    """The seller ends the access to the end of the following month; what is open is billed then.

    Raises RoleNeeded, WrongState where it has ended, or ends by then.
    """
    trade = trades.locked(trade)
    roles.require(by, trade.seller, "agree")
    grant, ends_at = _locked_live(trade), seller_may_end_at()
    if grant.ends_at is not None and grant.ends_at <= ends_at:
        raise WrongState(_("This access ends by then already."))
    grant.ends_at = ends_at
    grant.save(update_fields=["ends_at"])
    journal.record("trade.metering_ended", trade, by=by, ends_at=ends_at.isoformat())
    return trade


def _locked_live(trade: Trade) -> Grant:
    _require_metered(trade)
    grant = Grant.objects.select_for_update(no_key=True).get(trade=trade)
    if not _is_live(grant):
        raise WrongState(_("This access has ended."))
    return grant


def _is_live(grant: Grant) -> bool:
    return grant.state in extensions.LIVE and not grant.is_close_due and not extensions.is_over(grant)


def seller_may_end_at() -> dt.datetime:
    """The end of the following month in the exchange's own time zone."""
    after = deliveries.months_after(metering.month_start(), 2)
    assert after is not None  # noqa: S101 - of a number of months
    return after


def _require_metered(trade: Trade) -> None:
    if not trade.is_metered or not hasattr(trade, "grant"):
        raise WrongState(_("No calls are billed under this order."), code="not_metered")


def possible_acts(trade: Trade, *, is_buyer: bool) -> list[str]:
    """Which of these acts the order offers a party now, roles left aside."""
    usage = metering.of(trade)
    if usage is None:
        return []
    grant = trade.grant
    if not is_buyer:
        is_later = grant.ends_at is None or grant.ends_at > seller_may_end_at()
        return ["give_notice"] if _is_live(grant) and is_later else []
    asks = ["ask_bill"] if usage.unbilled and not usage.waiting else []
    return [*asks, *(["end_metering"] if _is_live(grant) else [])]
