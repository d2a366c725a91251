"""Downloads of samples and field dictionaries, and the seller's switch for its sample."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from listings import catalogue, daily_counts, samples
from listings.catalogue import Product
from listings.studio import own_listing
from marketplace.participants import acting_or_none
from marketplace.signed_in import person


def _product(request: HttpRequest, public_id: str) -> Product:
    found = catalogue.product(public_id, reader=acting_or_none(request))
    if found is None:
        raise Http404
    return found


@require_safe
@never_cache
def sample(request: HttpRequest, public_id: str, number: int) -> HttpResponse:
    """One table of the sample as CSV; each download by a person is counted, the seller's own apart."""
    product = _product(request, public_id)
    table = next((one for one in product.sample if one.number == number), None)
    if table is None:
        raise Http404
    daily_counts.count(request, [product.listing], "sampled")
    return _csv(samples.as_csv(table), f"{public_id}-sample-{number}.csv")


@require_safe
def dictionary(request: HttpRequest, public_id: str) -> HttpResponse:
    """The field dictionary as CSV."""
    version = _product(request, public_id).version
    if not version.fields:
        raise Http404
    return _csv(samples.dictionary_as_csv(version), f"{public_id}-dictionary.csv")


def _csv(content: bytes, name: str) -> HttpResponse:
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=disposition)


@login_required
@require_POST
def publication(request: HttpRequest, public_id: str) -> HttpResponse:
    """Give the sample away."""
    samples.publish(own_listing(request, public_id), by=person(request))
    messages.success(request, _("Anybody may download the sample now. Each download is counted."))
    return redirect("studio_product", public_id)


@login_required
@require_POST
def withdrawal(request: HttpRequest, public_id: str) -> HttpResponse:
    """Take the sample back."""
    samples.withdraw(own_listing(request, public_id), by=person(request))
    messages.success(request, _("The sample is no longer offered."))
    return redirect("studio_product", public_id)
