"""Products side by side: gathered from cards and product pages, shown at an address one can send on."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from compliance import signs
from listings import comparison
from listings.models import Listing
from marketplace.participants import acting_or_none

GATHERED = "compared"  # in the session: public ids
PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{1,20}")
SEE_OTHER = 303


@require_http_methods(["GET", "HEAD"])
def compare(request: HttpRequest) -> HttpResponse:
    """The products the address names, or those gathered. What the reader may not see is left out without a word."""
    asked = list(dict.fromkeys(request.GET.getlist("p")))
    compared = comparison.compare(asked or gathered(request), reader=acting_or_none(request))
    verified = signs.verified_among({product.listing.seller_id for product in compared.products})
    is_too_many = len(asked) > comparison.MOST
    context = {
        "heads": comparison.heads(compared),
        "sections": comparison.sections(compared, verified=verified) if compared.products else [],
        "count": len(compared.products),
        "most": comparison.MOST,
        "is_too_many": is_too_many,
        "is_gathered": not asked,
    }
    return render(request, "listings/compare.html", context, status=422 if is_too_many else 200)


@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """Take a product into the comparison (`p`), or out of it (`out`), and go back to where one was.

    A fifth is refused; one that cannot be seen is not there.
    """
    kept = gathered(request)
    if out := request.POST.get("out", ""):
        kept = [one for one in kept if one != out]
    elif (wanted := request.POST.get("p", "")) not in kept:
        visible = Listing.objects.visible_to(acting_or_none(request)).filter(current_version__isnull=False)
        if not PUBLIC_ID.fullmatch(wanted) or not visible.filter(public_id=wanted).exists():
            raise Http404
        if len(kept) >= comparison.MOST:
            messages.warning(request, too_many())
        else:
            kept = [*kept, wanted]
    request.session[GATHERED] = kept
    url = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    answer = HttpResponseRedirect(url if is_ours else reverse("compare"))
    answer.status_code = SEE_OTHER
    return answer


def too_many() -> str:
    return _("At most %(most)s products stand side by side. Take one out first.") % {"most": comparison.MOST}


def gathered(request: HttpRequest) -> list[str]:
    """The public ids this browser gathered."""
    return [one for one in request.session.get(GATHERED, []) if isinstance(one, str)][: comparison.MOST]


def tray(request: HttpRequest) -> dict[str, Any]:
    """What templates/listings/_compare_tray.html shows: what was gathered so far. One statement where there is any."""
    kept = gathered(request)
    if not kept:
        return {"gathered": [], "gathered_ids": [], "most_compared": comparison.MOST}
    visible = Listing.objects.visible_to(acting_or_none(request)).filter(
        public_id__in=kept, current_version__isnull=False
    )
    found = {one.public_id: one for one in visible.select_related("current_version")}
    shown = [found[one] for one in kept if one in found]
    address = "&".join(f"p={one.public_id}" for one in shown)
    return {
        "gathered": shown,
        "gathered_ids": [one.public_id for one in shown],
        "compare_url": f"{reverse('compare')}?{address}",
        "most_compared": comparison.MOST,
    }
