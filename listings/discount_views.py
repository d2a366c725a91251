"""The seller's page of one offer's discounts: set one, see those there are, end one."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from listings import discounts, pricing, product_page, studio
from listings.discount_models import MOST_PERCENT
from listings.models import Discount, Offer
from marketplace import posted, roles
from marketplace.errors import Refused
from marketplace.forms import add_refusal
from marketplace.signed_in import person


class DiscountForm(forms.Form):
    """How much less, and for how long: whole days at the exchange."""

    percent = forms.IntegerField(
        label=_("Discount in per cent"), min_value=1, max_value=MOST_PERCENT, widget=forms.NumberInput
    )
    valid_from = forms.DateField(
        label=_("First day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Empty: from now on."),
    )
    valid_until = forms.DateField(
        label=_("Last day"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("It is in force until this day ends."),
    )

    def facts(self) -> dict[str, Any]:
        """The discount as `discounts.set_discount` takes it."""
        said = self.cleaned_data
        first: dt.date | None = said["valid_from"]
        return {
            "percent": said["percent"],
            "valid_from": _midnight(first) if first else None,
            "valid_until": _midnight(said["valid_until"], days=1),
        }


def _midnight(day: dt.date, *, days: int = 0) -> dt.datetime:
    """When that day begins at the exchange; a day far off is for the command to refuse."""
    near = min(max(day, dt.date(1970, 1, 1)), dt.date(9000, 1, 1)) + dt.timedelta(days=days)
    return dt.datetime.combine(near, dt.time(), ZoneInfo(settings.TIME_ZONE))


def _own_offer(request: HttpRequest, public_id: str, offer_id: str) -> Offer:
    own = Offer.objects.filter(listing=studio.own_listing(request, public_id)).select_related("listing__seller")
    return get_object_or_404(own, public_id=offer_id)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def discounts_page(request: HttpRequest, public_id: str, offer_id: str) -> HttpResponse:
    """Every discount of an offer; POST sets one."""
    offer = _own_offer(request, public_id, offer_id)
    may = studio.may_do(request, offer.listing)["offer"]
    if request.method == "POST":
        roles.require(person(request), offer.listing.seller, "offer")
    form = DiscountForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _set(request, offer, form):
        return redirect("studio_discounts", public_id, offer_id)
    context = {
        "listing": offer.listing,
        "offer": offer,
        "title": product_page.title_of(offer.listing),
        "form": form,
        "key": posted.new_key(),
        "may": may,
        "may_set": may and offer.price_minor and offer.closed_at is None and not offer.has_lapsed,
        "rows": [_row(offer, one) for one in offer.discounts.select_related("created_by", "ended_by")],
    }
    return render(request, "listings/studio_discounts.html", context, status=422 if form.errors else 200)


def _row(offer: Offer, discount: Discount) -> dict[str, Any]:
    least = pricing.priced(offer, offer.least_quantity if offer.sells_blocks else None, discount)
    if discount.is_over:
        state, label, tone = "over", gettext("Ended early") if discount.ended_at else gettext("Over"), "quiet"
    elif discount.is_coming:
        state, label, tone = "coming", gettext("To come"), "wait"
    else:
        state, label, tone = "in_force", pgettext("a discount", "In force"), "good"
    unit = least.unit_price if offer.steps else None
    return {"discount": discount, "price": unit or least.price, "state": state, "label": label, "tone": tone}


def _set(request: HttpRequest, offer: Offer, form: DiscountForm) -> bool:
    facts = form.facts()
    try:
        posted.posted_once(
            request,
            offer.listing.seller,
            lambda: discounts.set_discount(offer, by=person(request), **facts).pk,
        )
    except Refused as refusal:
        add_refusal(form, refusal)
        return False
    messages.success(request, gettext("The discount was set."))
    return True


@login_required
@require_POST
def ending(request: HttpRequest, public_id: str, offer_id: str, discount_id: str) -> HttpResponse:
    """End a discount early."""
    offer = _own_offer(request, public_id, offer_id)
    discounts.end_discount(get_object_or_404(offer.discounts, public_id=discount_id), by=person(request))
    messages.success(request, gettext("The discount was ended. Trades made under it keep their price."))
    return redirect("studio_discounts", public_id, offer_id)
