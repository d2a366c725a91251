"""Who is told that a product is listed, suspended, resumed or withdrawn by others: those who may edit it."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from listings.models import Listing
from marketplace import notifications, telling
from marketplace.models import Event


def register() -> None:
    """Follow the products; called once, when Django has loaded the app."""
    kinds = ("listing.published", "listing.suspended", "listing.resumed", "listing.withdrawn")
    telling.register(dict.fromkeys(kinds, _tell))


def _tell(event: Event) -> None:
    listing = Listing.objects.select_related("current_version").get(pk=event.subject_id)
    version = listing.current_version or listing.versions.order_by("-number").first()
    facts: dict[str, Any] = {"title": version.titles if version else str(listing)}
    if event.kind in ("listing.suspended", "listing.withdrawn"):
        facts["quote"] = listing.reason
    path = reverse("studio_product", args=[listing.public_id])
    notifications.tell(event.kind, organisation=listing.seller_id, path=path, facts=facts, by=event.by)
