"""What an offer costs now, for templates."""

from __future__ import annotations

from django import template

from listings import pricing
from listings.models import Offer

register = template.Library()


@register.filter
def price_now(offer: Offer) -> pricing.PriceNow:
    """Its price beside its list price, and the discount between the two."""
    return pricing.now(offer)
