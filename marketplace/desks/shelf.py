"""The catalogue and the page of a product, with what the exchange knows of the seller."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from compliance import signs, trust
from listings import catalogue, catalogue_page, daily_counts, product_page, question_page, related
from listings.models import Listing
from marketplace.desks import compare
from marketplace.participants import acting_or_none
from settlement import licensee_notices

SHOWN_NOTICES = 5


@require_safe
def browse(request: HttpRequest) -> HttpResponse:
    """What is on sale: searched by words, narrowed by filters, a bounded number of cards a page.

    A script that asks for the part that changes, by the header `X-Part`, gets that part alone.
    """
    context = catalogue_page.context(request.GET, reader=acting_or_none(request))
    daily_counts.count(request, [one for one in context["page"] if isinstance(one, Listing)], "seen")
    context |= {"cards": signs.signed(context["cards"])} | compare.tray(request)
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
    alike, others = related.of(found, reader=reader)
    verified = signs.verified_among({found.listing.seller_id, *(one.seller_id for one in alike)})
    cards = [product_page.card(one) | {"seller_is_verified": one.seller_id in verified} for one in (*alike, *others)]
    context = product_page.context(found, is_own=is_own) | question_page.beside_product(found.listing, request)
    context |= compare.tray(request) | {
        "trust": trust.of(found.listing, found.version, found.registration),
        "related": cards[: len(alike)],
        "sellers_others": cards[len(alike) :],
        "notices": licensee_notices.of(found.listing, reader)[:SHOWN_NOTICES],
        "seller_is_verified": found.listing.seller_id in verified,
    }
    return render(request, "listings/product.html", context)
