"""Owners are told of a hold on their organisation, sellers of one on a product: that it lies, what that means, and the
sentence written for them; that it is lifted. The code, who placed it and why it was lifted stay with the exchange.
"""

from __future__ import annotations

from django.urls import reverse

from compliance.models import Hold
from listings.models import Listing
from marketplace import notifications, telling
from marketplace.models import Event, Organisation

ACTS = {"hold.placed": "held", "hold.lifted": "released"}


def register() -> None:
    """Follow the holds; called once, when Django has loaded the app."""
    telling.register(dict.fromkeys(ACTS, _tell))


def sentence(event: Event) -> dict[str, str]:
    """What those a hold concerns read of its reason: the sentence, and nothing once it is lifted."""
    if event.kind != "hold.placed":
        return {}
    return {"quote": Hold.objects.values_list("reason", flat=True).get(pk=event.subject_id)}


def _tell(event: Event) -> None:
    kind, subject = (event.facts or {})["subject_kind"], (event.facts or {})["subject_id"]
    code = f"{kind}.{ACTS[event.kind]}"
    if kind == Hold.Subject.ORGANISATION:
        organisation = Organisation.objects.get(pk=subject)
        facts = {"organisation": organisation, **sentence(event)}
        notifications.tell(code, organisation=subject, path=reverse("organisation"), facts=facts, by=event.by)
    elif kind == Hold.Subject.LISTING:
        listing = Listing.objects.select_related("current_version").get(pk=subject)
        title = listing.current_version.titles if listing.current_version else str(listing)
        path = reverse("studio_product", args=[listing.public_id])
        notifications.tell(
            code, organisation=listing.seller_id, path=path, facts={"title": title, **sentence(event)}, by=event.by
        )
