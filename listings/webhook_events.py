"""What members' webhooks are told of their products: ids, states and where to read more."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from listings.models import Listing, Offer, Version
from marketplace import webhook_kinds
from marketplace.models import Event
from marketplace.webhook_kinds import Told

LISTINGS: dict[str, Promise] = {
    "listing.published": _("A product is listed"),
    "listing.suspended": _("A product is suspended"),
    "listing.resumed": _("A product is on sale again"),
    "listing.withdrawn": _("A product is withdrawn"),
}
VERSIONS: dict[str, Promise] = {
    "version.approved": _("A version passed its review"),
    "version.changes_requested": _("The reviewers ask for changes of a version"),
    "version.refused": _("A version was refused"),
    "version.registered": _("A version is registered"),
}
OFFERS: dict[str, Promise] = {"offer.lapsed": _("An offer ended by itself")}


def register() -> None:
    """Make the kinds known; called once, when Django has loaded the app."""
    webhook_kinds.register(LISTINGS, _of_listing)
    webhook_kinds.register(VERSIONS, _of_version)
    webhook_kinds.register(OFFERS, _of_offer)


def _about(listing: Listing) -> dict[str, Any]:
    return {
        "product": listing.public_id,
        "url": str(settings.BASE_URL) + reverse("api_listing", args=[listing.public_id]),
    }


def _of_listing(event: Event) -> Told:
    """The seller."""
    listing = Listing.objects.get(pk=event.subject_id)
    yield listing.seller_id, {**_about(listing), "state": event.kind.partition(".")[2]}


def _of_version(event: Event) -> Told:
    """The seller."""
    version = Version.objects.select_related("listing").get(pk=event.subject_id)
    state = event.kind.partition(".")[2]
    yield version.listing.seller_id, {**_about(version.listing), "version": version.number, "state": state}


def _of_offer(event: Event) -> Told:
    """The seller and, of an offer to named buyers, those it names."""
    offer = Offer.objects.select_related("listing").get(pk=event.subject_id)
    data = {**_about(offer.listing), "offer": offer.public_id, "state": "lapsed"}
    yield offer.listing.seller_id, {**data, "role": "seller"}
    for buyer in offer.buyers.order_by("pk").values_list("pk", flat=True):
        yield buyer, {**data, "role": "buyer"}
