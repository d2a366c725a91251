"""A licence that is extended by another trade: when its new term begins, and how long one waits for the money.

The trade that renews a licence goes the usual road. Its term begins where the old one ends; while its money is on its
way the old access stays open, RENEW_GRACE_DAYS at most; and of an offer whose licences are counted it takes over the
one the old trade holds. A free trial is extended by its paid offer, at its end and not before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from listings import offers
from listings.models import Offer
from marketplace import clock, journal
from marketplace.errors import Refused, WrongState
from marketplace.models import Organisation, User
from settlement.models import Grant, Renewal, Trade
from settlement.states import RENEWAL_MOVES, GrantState, RenewalState, TradeState

LIVE = (GrantState.OPEN, GrantState.SUSPENDED)
UNDER_WAY = (TradeState.AGREED, TradeState.REGISTERED, TradeState.FUNDED)
INSPECTED = (TradeState.DELIVERED, TradeState.DISPUTED)
FAILED = (TradeState.DECLINED, TradeState.CANCELLED, TradeState.EXPIRED, TradeState.REFUNDED)


class NotRenewable(Refused):
    """This licence cannot be renewed."""

    code = "not_renewable"
    says = _("This licence cannot be renewed.")
    next = _("Buy it anew: the product's page shows the offers there are.")


def extending(offer: Offer) -> Offer:
    """The offer that extends a licence of this one: itself, or the paid one of a trial."""
    return offer.converts_to or offer


def require_renewable(old: Trade, *, offer: Offer, buyer: Organisation) -> Grant:
    """The access of `old`, locked after its trade until the transaction ends, if a trade of `offer` may extend it.

    Whoever renews or closes it meanwhile waits for these locks. Raises NotRenewable.
    """
    Trade.objects.select_for_update(no_key=True).get(pk=old.pk)
    grant = Grant.objects.select_for_update(no_key=True).filter(trade=old).first()
    if old.is_metered:
        raise NotRenewable(
            _("Calls that are billed monthly are not renewed."),
            code="not_renewable",
            next=_("Take the offer again once the access has ended."),
        )
    if old.buyer_id != buyer.pk or (old.offer.converts_to_id or old.offer_id) != offer.pk:
        raise NotRenewable(_("A licence is renewed by its holder, on its own offer."))
    if offer.instalments:
        raise NotRenewable(_("A licence that was paid in instalments is bought anew."), code="paid_in_instalments")
    if grant is None or grant.state not in LIVE or grant.is_close_due or is_over(grant):
        raise NotRenewable(_("The licence is not in force."))
    if grant.ends_at is None:
        raise NotRenewable(_("The licence has no end."))
    if standing_renewals(old).exists():
        raise NotRenewable(_("The licence is renewed already."), code="renewed_already", next=_("See your orders."))
    if standing_upgrades(old).exists():
        raise NotRenewable(_("An upgrade of this licence is under way."), code="upgraded_already")
    return grant


def standing_renewals(old: Trade | OuterRef) -> QuerySet[Trade]:
    """The trade that renews this one, or that of an outer query, unless it failed."""
    return Trade.objects.filter(renews=old).exclude(state__in=FAILED)


def standing_upgrades(old: Trade | OuterRef) -> QuerySet[Trade]:
    """The trade that upgrades this one, or that of an outer query, unless it failed."""
    return Trade.objects.filter(upgrades=old).exclude(state__in=FAILED)


def over() -> Q:
    """Which accesses have outlived their term, and the grace of a renewal that waits for its money."""
    now = clock.now()
    waits = Trade.objects.filter(renews=OuterRef("trade"), state__in=UNDER_WAY)
    goes_on = Renewal.objects.filter(trade=OuterRef("trade"), state=RenewalState.STANDING, trade__is_trial=True)
    is_in_grace = Q(ends_at__gt=now - _grace(), is_close_due=False)
    return Q(ends_at__lte=now) & ~(is_in_grace & (Q(Exists(waits)) | Q(Exists(goes_on))))


def is_over(grant: Grant) -> bool:
    """`over` for one access."""
    now = clock.now()
    if grant.ends_at is None or grant.ends_at > now:
        return False
    return not Grant.objects.filter(~over(), pk=grant.pk).exists()


def begins(trades: Sequence[Trade]) -> dict[int, dt.datetime]:
    """When the terms of those of these trades begin that extend a licence still in force, by their ids."""
    by_old = {trade.renews_id: trade.pk for trade in trades if trade.renews_id}
    if not by_old:
        return {}
    ends = Grant.objects.filter(trade__in=by_old, state__in=LIVE, is_close_due=False, ends_at__isnull=False)
    return {by_old[old]: end for old, end in ends.values_list("trade", "ends_at") if end is not None}


def began_at(grant: Grant) -> dt.datetime:
    """When the term of this access began or begins: where that ends which its trade extends, if it was open then."""
    opened = grant.opened_at or clock.now()
    before = Grant.objects.filter(trade=grant.trade.renews_id).first() if grant.trade.renews_id else None
    if before is None or before.ends_at is None or before.closed_at is not None and before.closed_at <= opened:
        return opened
    return max(opened, before.ends_at)


def graces(trades: Sequence[Trade]) -> dict[int, dt.datetime]:
    """Until when one waits for the money of those of these trades that extend a licence in force, by their ids."""
    return {pk: begin + _grace() for pk, begin in begins(trades).items()}


def _grace() -> dt.timedelta:
    return dt.timedelta(days=settings.RENEW_GRACE_DAYS)


def take_licence(trade: Trade) -> None:
    """Take a licence of the trade's offer, or take over that of the trade it renews. Raises SoldOut."""
    of_the_same = Trade.objects.filter(offer=trade.offer_id, holds_licence=True)
    old = of_the_same.filter(pk=trade.renews_id) if trade.renews_id else None
    if old is None or not old.update(holds_licence=False):
        offers.take_licence(trade.offer)


def lock_renewed(trade: Trade) -> None:
    """Lock the trade that this one renews, before itself: `give_back_licence` may write to both, in key order."""
    if trade.renews_id:
        Trade.objects.select_for_update(no_key=True).get(pk=trade.renews_id)


def give_back_licence(trade: Trade) -> None:
    """Return the licence the trade holds, once: to the trade it would have extended, else to the offer. Both trades are
    locked."""
    if not trade.holds_licence:
        return
    trade.holds_licence = False
    trade.save(update_fields=["holds_licence"])
    if trade.renews_id:
        old = Trade.objects.get(pk=trade.renews_id)
        if old.offer_id == trade.offer_id and Grant.objects.filter(trade=old).exclude(state=GrantState.CLOSED).exists():
            old.holds_licence = True
            old.save(update_fields=["holds_licence"])
            return
    offers.give_back_licence(trade.offer)


def keep(trade: Trade, *, by: User) -> Renewal:
    """Give the standing order, in the caller's transaction. Raises WrongState where there is one already."""
    order = Renewal.objects.select_for_update(no_key=True).filter(trade=trade).first()
    if order is None:
        order = Renewal.objects.create(trade=trade, set_by=by)
    elif order.state == RenewalState.STANDING:
        raise WrongState(_("The licence is renewed automatically already."))
    else:
        nobody: dict[str, object] = {"stopped_by": None, "stopped_at": None, "stopped_because": ""}
        move(order, "keep", set_by=by, set_at=clock.now(), **nobody)
    journal.record("renewal.kept", order, by=by, trade=trade.pk)
    return order


def move(order: Renewal, act: str, **changes: object) -> Renewal:
    """Move a locked standing order; nobody holds it any more, and it may be tried at once."""
    order.state = RENEWAL_MOVES[order.state][act]
    for name, value in {"claimed_until": None, "error": "", "tries": 0, "next_try_at": clock.now(), **changes}.items():
        setattr(order, name, value)
    order.save()
    return order


def hand_on_standing_order(new: Trade) -> None:
    """Whoever let the old licence be renewed until further notice wants that of the new one too."""
    standing = Renewal.objects.select_for_update(no_key=True).filter(trade=new.renews_id, state=RenewalState.STANDING)
    if (order := standing.first()) is not None:
        move(order, "renew")
        if not order.trade.is_trial:  # a trial goes on once; whether the paid licence is renewed is another question
            Renewal.objects.create(trade=new, set_by=order.set_by, set_at=order.set_at)
