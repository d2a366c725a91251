"""The demo's discounts: one that is over, and those that run when a visitor comes."""

from __future__ import annotations

import datetime as dt

from listings import discounts
from listings.models import Discount, Listing
from marketplace import clock


def by(percent: int, listing: Listing | None, *, days: int, place: int = 0) -> None:
    """So many per cent less for one of a product's offers, in the order they were made; once."""
    if listing is None or not Listing.objects.on_sale().filter(pk=listing.pk).exists():
        return
    offer = listing.offers.order_by("pk")[place]
    if Discount.objects.filter(offer=offer).exists():
        return
    until = clock.now() + dt.timedelta(days=days)
    discounts.set_discount(offer, percent=percent, valid_until=until, by=listing.seller.created_by)
