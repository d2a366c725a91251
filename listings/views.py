"""The pages anybody may see: the catalogue, and one product."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from listings import catalogue, catalogue_page, daily_counts, entry_page, licence_contract, product_page, question_page
from listings.models import Listing, Offer
from marketplace.participants import acting_or_none


@require_safe
def browse(request: HttpRequest) -> HttpResponse:
    """What is on sale: searched by words, narrowed by filters, a bounded number of cards a page.

    A script that asks for the part that changes, by the header `X-Part`, gets that part alone.
    """
    context = catalogue_page.context(request.GET, reader=acting_or_none(request))
    daily_counts.count(request, [one for one in context["page"] if isinstance(one, Listing)], "seen")
    is_part = request.headers.get("X-Part") == "found"
    template = "listings/_found.html" if is_part else "listings/catalogue.html"
    response = render(request, template, context, status=422 if context["refusal"] else 200)
    patch_vary_headers(response, ["X-Part"])
    return response


@require_safe
def product(request: HttpRequest, public_id: str) -> HttpResponse:
    """One product: what the seller says, what the exchange measured, and what may be bought."""
    reader = acting_or_none(request)
    found = catalogue.product(public_id, reader=reader)
    if found is None:
        raise Http404
    daily_counts.count(request, [found.listing], "opened")
    is_own = reader is not None and reader.pk == found.listing.seller_id
    context = product_page.context(found, is_own=is_own) | question_page.beside_product(found.listing, request)
    return render(request, "listings/product.html", context)


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
    context = {"offer": offer, "version": version, "contract": licence_contract.shown(offer, version)}
    return render(request, "listings/contract.html", context)
