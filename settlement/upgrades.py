"""A licence in force that is replaced by a dearer one of the same product: what is unused of it is taken off the price.

The unused part is counted in whole days: a day that has begun counts as used, and what remains of a minor unit is
dropped, both in the seller's favour. It is frozen when the upgrade is proposed. As the new access opens the old one
ends, in the same transaction; should the upgrade be refunded before it is accepted, the old one comes back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from listings import pricing
from listings.models import Offer
from listings.states import ListingState
from marketplace import clock, journal
from marketplace.errors import Refused
from marketplace.models import Organisation
from marketplace.money import Money
from settlement import extensions
from settlement.models import Dispute, Grant, Renewal, Trade
from settlement.states import ChargebackState, GrantState, RenewalState, TradeState

DAY = dt.timedelta(days=1)
ACCEPTED = (TradeState.ACCEPTED, TradeState.CLEARED, TradeState.SETTLED)
UPGRADED = "upgraded"
UNPAID = (TradeState.PROPOSED, TradeState.AGREED, TradeState.REGISTERED)


class NotUpgradable(Refused):
    """This licence cannot be upgraded to this offer."""

    code = "not_upgradable"
    says = _("This licence cannot be upgraded to this offer.")
    next = _("Buy it anew: the product's page shows the offers there are.")


@dataclass(frozen=True)
class Credit:
    """What is unused of a licence, in minor units: of what it cost, less what was given back, so many of its days."""

    value_minor: int
    refunded_minor: int
    days_left: int
    days_in_all: int
    currency: str

    @property
    def minor(self) -> int:
        """Rounded down: never more than the licence cost."""
        return max(0, self.value_minor - self.refunded_minor) * self.days_left // self.days_in_all

    @property
    def amount(self) -> Money:
        return Money(self.minor, self.currency)

    @property
    def value(self) -> Money:
        return Money(self.value_minor, self.currency)

    @property
    def refunded(self) -> Money:
        return Money(self.refunded_minor, self.currency)


def credit_of(old: Trade, grant: Grant) -> Credit:
    """What is unused of this licence now; it has an end, and is not over."""
    assert grant.ends_at is not None  # noqa: S101 - asked before
    dispute = Dispute.objects.filter(trade=old).first()
    refunded = dispute.refund_minor or 0 if dispute else 0  # of the price; of a fee nothing is credited
    in_all = max(1, (grant.ends_at - extensions.began_at(grant)) // DAY)
    left = min(max(0, (grant.ends_at - clock.now()) // DAY), in_all)
    return Credit(old.price_minor + old.credit_minor, refunded, left, in_all, old.currency)


def lock(old: Trade) -> tuple[Trade, Grant | None]:
    """The trade whose licence is to be replaced and its access, locked until the transaction ends."""
    old = Trade.objects.select_for_update(no_key=True).get(pk=old.pk)
    return old, Grant.objects.select_for_update(no_key=True).filter(trade=old).first()


def require_upgradable(old: Trade, *, offer: Offer, buyer: Organisation, price_minor: int) -> Credit:
    """What is taken off `price_minor`, the price of `offer` now, if its trade may replace the licence of `old`.

    Trade and access are locked until the transaction ends. Raises NotUpgradable.
    """
    old, grant = lock(old)
    if old.buyer_id != buyer.pk or old.listing_id != offer.listing_id or old.seller_id != offer.listing.seller_id:
        raise NotUpgradable(_("A licence is upgraded by its holder, to an offer of the same product."))
    if offer.steps or offer.is_trial:
        raise NotUpgradable(_("A licence is upgraded to an offer with one price in the same currency."))
    if offer.instalments:
        raise NotUpgradable(_("An upgrade is paid at once."), code="paid_in_instalments")
    require_possible(old, price_minor=price_minor, currency=offer.currency)
    assert grant is not None  # noqa: S101 - else it was not possible
    return credit_of(old, grant)


def require_possible(old: Trade, *, price_minor: int, currency: str) -> None:
    """Whether this licence may be replaced by one at this price. Raises NotUpgradable."""
    if reason := _reason_against(old, getattr(old, "grant", None)):
        raise reason
    if currency != old.currency:
        raise NotUpgradable(_("A licence is upgraded to an offer with one price in the same currency."))
    if price_minor <= old.price_minor + old.credit_minor:
        raise NotUpgradable(_("An upgrade costs more than the licence it replaces."), code="not_dearer")


def _reason_against(old: Trade, grant: Grant | None) -> NotUpgradable | None:
    """Why this licence can be upgraded to nothing."""
    if old.state not in ACCEPTED or old.is_frozen or old.chargebacks.exclude(state=ChargebackState.WON).exists():
        return NotUpgradable(_("A licence is upgraded once it is accepted, and while nobody contests its payment."))
    if grant is None or grant.state != GrantState.OPEN or grant.is_close_due or extensions.is_over(grant):
        return NotUpgradable(_("The licence is not in force."))
    if grant.ends_at is None or grant.ends_at <= clock.now():
        return NotUpgradable(_("Only a licence whose end is to come can be upgraded."))
    if not old.price_minor or old.quantity is not None:
        return NotUpgradable(_("Only a licence at one price can be upgraded, no free one and no block of calls."))
    if extensions.standing_renewals(old).exists():
        return NotUpgradable(_("The licence is renewed already."), code="renewed_already", next=_("See your orders."))
    if extensions.standing_upgrades(old).exists():
        return NotUpgradable(
            _("An upgrade of this licence is under way."), code="upgraded_already", next=_("See your orders.")
        )
    return None


def possible(old: Trade) -> list[Offer]:
    """The offers its holder may upgrade this licence to, the cheapest first."""
    if _reason_against(old, getattr(old, "grant", None)) is not None:
        return []
    offers = Offer.objects.visible_to(old.buyer).filter(
        listing=old.listing_id,
        listing__state=ListingState.LISTED,
        steps=[],
        instalments=[],
        converts_to=None,
        currency=old.currency,
    )
    value = old.price_minor + old.credit_minor
    return [offer for offer in offers.exclude(pk=old.offer_id) if pricing.now(offer).price.minor > value]


# --- one access ends as the other opens ----------------------------------------------------------------------------


def replaced_by(opened: Sequence[Trade]) -> list[Trade]:
    """The trades whose licences these replace; locked in key order with them, and with those whose licences they
    extend: while a term is begun, the access before it is not taken back."""
    ids = [trade.upgrades_id for trade in opened if trade.upgrades_id]
    before = [*ids, *(trade.renews_id for trade in opened if trade.renews_id)]
    if not before:
        return []
    both = Trade.objects.filter(pk__in=[*before, *(trade.pk for trade in opened)]).order_by("pk")
    return [trade for trade in both.select_for_update(no_key=True) if trade.pk in ids]


def stop_renewing(old: Trade) -> None:
    """The buyer ordered that the old licence be renewed, at its price; whether the dearer one is, it says anew."""
    orders = Renewal.objects.select_for_update(no_key=True).filter(trade=old, state=RenewalState.STANDING)
    if (order := orders.first()) is not None:
        extensions.move(order, "stop", stopped_at=clock.now(), stopped_because=UPGRADED)
        journal.record("renewal.stopped", order, by=None, trade=old.pk, because=UPGRADED)


def give_back(upgrade: Trade) -> None:
    """The locked upgrade ends with a refund: the access it replaced comes back with its standing order, if its own
    trade stands and the upgrade was not accepted, from when on a worker closes it."""
    if upgrade.upgrades_id is None or upgrade.accepted_at is not None:
        return
    ended = Grant.objects.filter(trade=upgrade.upgrades_id, is_close_due=True, state__in=extensions.LIVE)
    grant = ended.select_for_update(no_key=True).first()
    # Asked once the access is locked: who ends the old trade ends its access first, or waits for this.
    if grant is not None and Trade.objects.filter(pk=grant.trade_id, state__in=ACCEPTED).exists():
        grant.is_close_due = False
        grant.save(update_fields=["is_close_due"])
        journal.record("grant.resumed", grant, by=None, trade=grant.trade_id)
        _renew_again(upgrade.upgrades_id)


def _renew_again(old_id: int) -> None:
    """The order to renew that the upgrade ended stands again, as its buyer gave it."""
    ended = Renewal.objects.filter(trade=old_id, state=RenewalState.STOPPED, stopped_because=UPGRADED)
    if (order := ended.select_for_update(no_key=True).first()) is not None:
        extensions.move(order, "keep", stopped_at=None, stopped_because="")
        journal.record("renewal.kept", order, by=None, trade=old_id)
