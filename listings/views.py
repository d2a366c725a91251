"""Pages anybody may see: what another exchange lists, and the contract of an offer."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from listings import catalogue, entry_page, licence_contract, pricing
from listings.models import Listing, Offer
from marketplace.participants import acting_or_none


@require_safe
def entry(request: HttpRequest, public_id: str) -> HttpResponse:
    """What another exchange lists: what its catalogue says, since when, and where to ask."""
    found = catalogue.entry(public_id)
    if found is None:
        raise Http404
    return render(request, "listings/entry.html", entry_page.context(found, reader=request.user))


@require_safe
def offer_contract(request: HttpRequest, public_id: str) -> HttpResponse:
    """The licence contract as it would be made under this offer today, to be read before anybody commits."""
    reader = acting_or_none(request)
    visible = Offer.objects.visible_to(reader).filter(listing__in=Listing.objects.visible_to(reader))
    offer = get_object_or_404(
        visible.select_related("listing__seller", "listing__current_version__release"), public_id=public_id
    )
    version = offer.listing.current_version
    if version is None or not offer.contract_version:
        raise Http404
    contract = licence_contract.shown(offer, version, pricing.discount_of(offer))
    context = {"offer": offer, "version": version, "contract": contract}
    return render(request, "listings/contract.html", context)
