"""The studio's first page: what waits for the seller, what it sells, and a form to begin another product."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from listings import publishing
from listings.forms import ProductForm
from listings.models import Listing, Version
from marketplace import posted, roles
from marketplace.desks import studio_todo
from marketplace.participants import acting_organisation
from marketplace.signed_in import person


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def studio(request: HttpRequest) -> HttpResponse:
    """What the organisation has to do, what it sells, and a form to begin another product."""
    seller = acting_organisation(request)
    form = ProductForm(request.POST or None)
    if request.method == "POST" and form.is_valid():

        def begin() -> str:
            listing = publishing.create_listing(seller=seller, by=person(request), **form.cleaned_data)
            publishing.draft(listing, by=person(request))
            return listing.public_id

        return redirect("studio_product", posted.posted_once(request, seller, begin))
    own = Listing.objects.sold_by(seller).select_related("current_version").prefetch_related("versions")
    tasks = studio_todo.of(seller, person(request).role_in(seller))
    context = {
        "seller": seller,
        "tasks": tasks,
        "shown_of_a_kind": studio_todo.SHOWN,
        "has_more": any(task.is_last for task in tasks),
        "products": [{"listing": listing, "newest": _newest(listing)} for listing in own.order_by("-pk")[:200]],
        "form": form,
        "key": posted.new_key(),
        "may_edit": roles.may(person(request), seller, "edit_listing"),
    }
    return render(request, "listings/studio.html", context, status=422 if form.errors else 200)


def _newest(listing: Listing) -> Version | None:
    return next(iter(sorted(listing.versions.all(), key=lambda version: -version.number)), None)
