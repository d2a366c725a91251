"""Discounts: a seller asks less for an offer for a time, and may end that early.

What was agreed on stays: a trade names the discount it was proposed under, and keeps its price.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from listings import pricing, shelf
from listings.discount_models import MOST_PERCENT
from listings.models import Discount, Offer
from marketplace import clock, journal, roles
from marketplace.errors import Invalid, WrongState
from marketplace.models import User

LONGEST_DAYS = 366
MOST_AT_A_TIME = 12  # in force or to come, of one offer


@transaction.atomic
def set_discount(
    offer: Offer, *, percent: int, valid_until: dt.datetime, valid_from: dt.datetime | None = None, by: User
) -> Discount:
    """Ask `percent` per cent less for an offer, from `valid_from` (now by default) until before `valid_until`.

    Raises RoleNeeded, WrongState for a closed offer, and Invalid `wrong_discount` with every reason at once.
    """
    offer = (
        Offer.objects.select_for_update(no_key=True, of=("self",)).select_related("listing__seller").get(pk=offer.pk)
    )
    roles.require(by, offer.listing.seller, "offer")
    if offer.closed_at is not None or offer.has_lapsed:
        raise WrongState(_("This offer is closed already."))
    now = clock.now()
    begins = max(now, valid_from or now)
    reasons = [*_wrong_percent(offer, percent), *_wrong_time(begins, valid_until, now)]
    if not reasons:
        reasons += _not_free(offer, begins, valid_until)
    if reasons:
        raise Invalid(
            _("The discount was not set: %(why)s"), code="wrong_discount", reasons=reasons, why=reasons[0]["detail"]
        )
    discount = Discount.objects.create(
        offer=offer, percent=percent, valid_from=begins, valid_until=valid_until, created_at=now, created_by=by
    )
    shelf.put(offer.listing)
    journal.record(
        "discount.set",
        discount,
        by=by,
        offer=offer.pk,
        listing=offer.listing_id,
        percent=percent,
        valid_from=begins.isoformat(),
        valid_until=valid_until.isoformat(),
    )
    return discount


@transaction.atomic
def end_discount(discount: Discount, *, by: User) -> Discount:
    """End a discount early, or take back one that has yet to begin. Trades made under it keep their price.

    Whoever buys at this moment comes first or pays the list price (see `held`). Raises RoleNeeded, WrongState.
    """
    discount = (
        Discount.objects.select_for_update(no_key=True, of=("self",))
        .select_related("offer__listing__seller")
        .get(pk=discount.pk)
    )
    listing = discount.offer.listing
    roles.require(by, listing.seller, "offer")
    if discount.is_over:
        raise WrongState(_("This discount is over already."))
    discount.ended_at, discount.ended_by = clock.now(), by
    discount.save(update_fields=["ended_at", "ended_by"])
    shelf.put(listing)
    journal.record("discount.ended", discount, by=by, offer=discount.offer_id, listing=listing.pk)
    return discount


def held(offer: Offer, at: dt.datetime) -> Discount | None:
    """The discount in force at `at`, which nobody ends before the caller's transaction is over.

    FOR SHARE: buyers do not wait for each other, only for the seller who ends it and the seller for them.
    """
    found = Discount.objects.raw(
        "SELECT * FROM listings_discount WHERE offer_id = %(offer)s AND valid_from <= %(at)s AND valid_until > %(at)s"
        " AND (ended_at IS NULL OR ended_at > %(at)s) FOR SHARE",
        {"offer": offer.pk, "at": at},
    )
    return next(iter(found), None)


def _reason(field: str, detail: str) -> dict[str, str]:
    return {"code": f"wrong_{field}", "detail": detail, "field": field}


def _wrong_percent(offer: Offer, percent: Any) -> list[dict[str, str]]:
    if not isinstance(percent, int) or isinstance(percent, bool) or not 1 <= percent <= MOST_PERCENT:
        detail = gettext("A discount is a whole number of per cent from 1 to %(most)s.") % {"most": MOST_PERCENT}
        return [_reason("percent", detail)]
    if not offer.price_minor:
        return [_reason("percent", gettext("What is free takes no discount."))]
    if not pricing.is_felt(offer, percent):
        return [_reason("percent", gettext("The price is so small that this discount would not lower it."))]
    return []


def _wrong_time(begins: dt.datetime, ends: dt.datetime, now: dt.datetime) -> list[dict[str, str]]:
    furthest = now + dt.timedelta(days=LONGEST_DAYS)
    if begins > furthest:
        detail = gettext("A discount begins within %(longest_days)s days.") % {"longest_days": LONGEST_DAYS}
        return [_reason("valid_from", detail)]
    if not begins < ends <= furthest:
        detail = gettext("A discount ends after it begins, within %(longest_days)s days from now.") % {
            "longest_days": LONGEST_DAYS
        }
        return [_reason("valid_until", detail)]
    return []


def _not_free(offer: Offer, begins: dt.datetime, ends: dt.datetime) -> list[dict[str, str]]:
    """Why the time is taken: an offer has one discount at a time. The offer is locked."""
    standing = list(offer.discounts.not_over())
    if len(standing) >= MOST_AT_A_TIME:
        detail = gettext("An offer has at most %(most)s discounts that run or are to come; end one first.") % {
            "most": MOST_AT_A_TIME
        }
        return [_reason("valid_from", detail)]
    if any(one.valid_from < ends and begins < one.valid_until for one in standing):
        detail = gettext("Another discount of this offer is in force in that time; end it first, or choose another.")
        return [_reason("valid_from", detail)]
    return []
