"""Reactions of compliance to what happened below it: a product its seller withdrew leaves the queue of reviews."""

from __future__ import annotations

from compliance import reviews
from listings.models import Listing
from marketplace import joint_merchants
from marketplace.models import Event


def follow(event: Event) -> None:
    """Act on one event; safe to call twice. What the staff withdrew stays with the reviewers, who decide on it."""
    if event.kind == "listing.withdrawn" and event.by is not None:
        listing = Listing.objects.get(pk=event.subject_id)
        if joint_merchants.has_interest(event.by, listing.seller_id):
            reviews.close_withdrawn(listing, by=event.by)
