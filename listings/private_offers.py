"""Offers that end by themselves, and offers to named buyers: they are told, and nobody else ever sees them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext

from listings import plain_text, pricing, shelf, trials
from listings.models import Listing, Offer
from listings.states import ListingState
from marketplace import clock, journal, notifications
from marketplace.models import Organisation

LONGEST_DAYS = 366
LONGEST_NOTE = 2_000
CLOSED_AT_ONCE = 100


def wrong_end(open_until: Any) -> list[dict[str, str]]:
    """Why an offer cannot be open until then; nothing for one without an end."""
    now = clock.now()
    if open_until is None or now < open_until <= now + dt.timedelta(days=LONGEST_DAYS):
        return []
    detail = gettext("An offer ends in the future, within %(longest_days)s days.") % {"longest_days": LONGEST_DAYS}
    return [{"code": "wrong_open_until", "detail": detail, "field": "open_until"}]


def wrong_note(note: Any, audience: Any) -> list[dict[str, str]]:
    """Why these words cannot go with the offer."""
    if note and audience != Offer.Audience.NAMED:
        detail = gettext("Only an offer to named buyers carries a note.")
        return [{"code": "wrong_note", "detail": detail, "field": "note"}]
    try:
        plain_text.cleaned(note, LONGEST_NOTE)
    except plain_text.NotPlain as wrong:
        detail = gettext("The note: %(wrong)s") % {"wrong": wrong}
        return [{"code": "wrong_note", "detail": detail, "field": "note"}]
    return []


def tell(offer: Offer, buyers: Iterable[Organisation]) -> None:
    """Tell those of each named buyer who may take it, as soon as the product is on sale to be taken."""
    version = offer.listing.current_version
    if version is None or offer.listing.state != ListingState.LISTED:
        return
    for buyer in buyers:
        notifications.tell(
            "offer.for_you",
            organisation=buyer.pk,
            path=f"{offer.listing.get_absolute_url()}#offer-{offer.public_id}",
            facts={
                "title": version.titles,
                "seller": offer.listing.seller,
                "price": pricing.now(offer).price,
                "quote": offer.note,
            },
            by=offer.created_by,
        )


def waiting_for(buyer: Organisation) -> QuerySet[Offer]:
    """Open offers of products on sale that name this buyer and that it has not taken, the one that ends first before
    others."""
    found = Offer.objects.for_named(buyer).filter(listing__state=ListingState.LISTED).exclude(trades__buyer=buyer)
    return found.select_related("listing__seller", "listing__current_version").order_by("open_until", "pk")


def lapsed() -> QuerySet[Offer]:
    """Offers whose time has run out and that wait to be closed."""
    return Offer.objects.filter(closed_at=None, open_until__lte=clock.now())


def close_lapsed() -> int:
    """Close what has lapsed, a bounded number at a time, and say how many; safe to run twice or in parallel.

    A lapsed offer takes no trade, closed or not: this puts its end into the journal and takes its price off the shelf.
    """
    closed = 0
    for pk in list(lapsed().order_by("open_until", "pk").values_list("pk", flat=True)[:CLOSED_AT_ONCE]):
        closed += _close_if_lapsed(pk)
    return closed


@transaction.atomic
def _close_if_lapsed(pk: int) -> bool:
    offer = lapsed().select_for_update(no_key=True, skip_locked=True).filter(pk=pk).first()
    if offer is None:
        return False
    for one in trials.with_trials(offer):
        one.closed_at = clock.now()
        one.save(update_fields=["closed_at"])
        journal.record("offer.lapsed", one, by=None, listing=one.listing_id)
    shelf.put(Listing.objects.get(pk=offer.listing_id))
    return True
