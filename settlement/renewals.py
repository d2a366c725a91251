"""Standing orders: a buyer lets a licence be bought again before it ends, until it says otherwise.

A buyer of a free trial lets it go on with its paid offer in the same way, once, at the moment it ends.

The renewal is a trade of its own on the usual road, at the offer's price; offers never change, so price and terms
hold for as long as the offer is on sale. Nothing is charged by itself: the buyer pays it as any other, or it lapses.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from marketplace import clock, journal, roles
from marketplace.errors import Invalid, NotCleared, Refused, WrongState
from marketplace.models import User
from settlement import extensions, trades
from settlement.models import Grant, Renewal, Trade
from settlement.states import RenewalState


@transaction.atomic
def keep(trade: Trade, *, by: User) -> Renewal:
    """Let the licence of this trade be renewed until further notice.

    Raises RoleNeeded, NotRenewable, WrongState where it is so already, Invalid `not_on_sale`.
    """
    trade = trades.locked(trade)
    roles.require(by, trade.buyer, "propose")
    offer = extensions.extending(trade.offer)
    extensions.require_renewable(trade, offer=offer, buyer=trade.buyer)
    if offer.closed_at is not None or offer.has_lapsed:
        raise Invalid(_("The offer is not on sale any more."), code="not_on_sale", next=_("See the other offers."))
    return extensions.keep(trade, by=by)


@transaction.atomic
def stop(trade: Trade, *, by: User) -> Renewal:
    """The licence is not renewed again; it lasts until its end. Raises RoleNeeded, WrongState."""
    trade = trades.locked(trade)
    roles.require(by, trade.buyer, "propose")
    order = _locked(trade)
    return _stop(order, by=by, because="")


def _locked(trade: Trade) -> Renewal:
    order = Renewal.objects.select_for_update(no_key=True).filter(trade=trade, state=RenewalState.STANDING).first()
    if order is None:
        raise WrongState(_("The licence is not renewed automatically."))
    return order


def _stop(order: Renewal, *, by: User | None, because: str) -> Renewal:
    extensions.move(order, "stop", stopped_by=by, stopped_at=clock.now(), stopped_because=because)
    journal.record("renewal.stopped", order, by=by, trade=order.trade_id, because=because)
    return order


def due() -> QuerySet[Renewal]:
    """Licences that end within RENEW_BEFORE_DAYS, and trials that end now, that are to be renewed, unless somebody
    renewed them by hand."""
    now = clock.now()
    until = now + dt.timedelta(days=settings.RENEW_BEFORE_DAYS)
    renewed = extensions.standing_renewals(OuterRef("trade"))
    return Renewal.objects.filter(
        ~Exists(renewed),
        ~Exists(extensions.standing_upgrades(OuterRef("trade"))),
        Q(trade__is_trial=False) | Q(trade__grant__ends_at__lte=now),
        state=RenewalState.STANDING,
        trade__grant__state__in=extensions.LIVE,
        trade__grant__is_close_due=False,
        trade__grant__ends_at__lte=until,
    )


def renews_on(grant: Grant) -> dt.date | None:
    """The day on which a standing order buys this licence again, by the exchange's clock; None where there is none."""
    order = getattr(grant.trade, "renewal", None)
    is_live = grant.state in extensions.LIVE and not grant.is_close_due
    if order is None or order.state != RenewalState.STANDING or grant.ends_at is None or not is_live:
        return None
    before = 0 if grant.trade.is_trial else settings.RENEW_BEFORE_DAYS
    at = max(grant.ends_at - dt.timedelta(days=before), clock.now())
    return at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def possible_acts(trade: Trade) -> list[str]:
    """Whether its buyer may let this licence be renewed, or stop that. Three statements for a licence with a term."""
    grant = getattr(trade, "grant", None)
    if (
        grant is None
        or trade.is_metered
        or grant.ends_at is None
        or grant.state not in extensions.LIVE
        or grant.is_close_due
    ):
        return []
    order = getattr(trade, "renewal", None)
    if order is not None and order.state == RenewalState.STANDING:
        return ["stop_converting" if trade.is_trial else "stop_renewing"]
    offer = extensions.extending(trade.offer)
    is_on_sale = offer.closed_at is None and not offer.has_lapsed
    is_replaced = extensions.standing_renewals(trade).exists() or extensions.standing_upgrades(trade).exists()
    is_free = is_on_sale and not offer.instalments and not extensions.is_over(grant) and not is_replaced
    return ["convert" if trade.is_trial else "keep_renewed"] if is_free else []


def claim_next() -> Renewal | None:
    """The next licence to renew."""
    return Renewal.claim_next(due())


@transaction.atomic
def renew(order: Renewal) -> Trade | None:
    """Propose the trade that extends the licence, for the person who gave the order.

    What would be refused tomorrow too ends the order, and the buyer is told; while a hold lies on a party or product
    it is tried again. None where nothing was proposed. Raises NotCleared.
    """
    trade = trades.locked(Trade(pk=order.trade_id))
    order = _locked(trade)
    try:
        with transaction.atomic():
            return trades.propose(
                extensions.extending(trade.offer),
                buyer=trade.buyer,
                quantity=trade.quantity,
                purpose=trade.purpose,
                purchase_order=trade.purchase_order,
                renews=trade,
                by=order.set_by,
            )
    except NotCleared:
        raise
    except Refused as refusal:
        _stop(order, by=None, because=refusal.code)
        return None
