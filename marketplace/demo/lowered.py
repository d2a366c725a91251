"""The demo's discounts: one that is over, and those that run when a visitor comes; and a quote under one of them."""

from __future__ import annotations

import datetime as dt

from listings import discounts
from listings.models import Discount, Listing
from marketplace import clock
from marketplace.models import Organisation
from settlement import quotes
from settlement.models import Quote

USE = "Planning of stations next to hubs. 枢纽周边站点规划。"


def by(percent: int, listing: Listing | None, *, days: int, place: int = 0) -> None:
    """So many per cent less for one of a product's offers, in the order they were made; once."""
    if listing is None or not Listing.objects.on_sale().filter(pk=listing.pk).exists():
        return
    offer = listing.offers.order_by("pk")[place]
    if Discount.objects.filter(offer=offer).exists():
        return
    until = clock.now() + dt.timedelta(days=days)
    discounts.set_discount(offer, percent=percent, valid_until=until, by=listing.seller.created_by)


def quoted(listing: Listing | None, buyer: Organisation) -> None:
    """A quote of a product's first offer; once."""
    if listing is None or not Listing.objects.on_sale().filter(pk=listing.pk).exists():
        return
    offer = listing.offers.order_by("pk")[0]
    if not Quote.objects.filter(offer=offer, buyer=buyer).exists():
        quotes.make(offer, buyer=buyer, purpose=USE, by=buyer.created_by)
