"""The start page: what the exchange is, its newest products, and what whoever is signed in can do next."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from compliance import signs
from compliance.models import Verification
from compliance.states import VerificationState
from listings import catalogue
from listings.models import Listing
from listings.product_page import card
from listings.states import ListingState
from marketplace.desks import todo
from marketplace.participants import acting_or_none, memberships_of
from settlement.models import Trade
from settlement.states import TradeState

SHOWN_PRODUCTS = 6


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Answers 200 to anyone."""
    organisation = acting_or_none(request)
    listings = catalogue.newest(SHOWN_PRODUCTS, reader=organisation)
    context: dict[str, Any] = {"products": signs.signed([card(listing) for listing in listings]), "figures": _figures()}
    if request.user.is_authenticated:
        roles = {membership.organisation_id: membership.role for membership in memberships_of(request)}
        role = roles.get(organisation.pk) if organisation else None
        is_only_staff = request.user.is_staff and organisation is None
        context["todos"] = [] if is_only_staff else todo.of(organisation, role)
    return render(request, "home.html", context)


def _figures() -> dict[str, int]:
    return {
        "listed": Listing.objects.filter(state=ListingState.LISTED).count(),
        "verified": Verification.objects.filter(state=VerificationState.VERIFIED).count(),
        "settled": Trade.objects.filter(state=TradeState.SETTLED).count(),
    }
