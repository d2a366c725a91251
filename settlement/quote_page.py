"""Pages of quotes: make one from the buying page, see those of the organisation, order by one that is valid."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from listings.models import Offer
from marketplace import posted
from marketplace.errors import Invalid
from marketplace.participants import acting_organisation
from marketplace.signed_in import person
from settlement import quotes

ON_A_PAGE = 25
MOST_DIGITS = 12


@login_required
@require_safe
@never_cache
def quotes_page(request: HttpRequest) -> HttpResponse:
    """The quotes of the organisation acted for, the newest first, each with what it is good for now."""
    page = Paginator(quotes.of(acting_organisation(request)), ON_A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": quotes.shown(list(page)), "language": get_language()}
    return render(request, "settlement/quotes.html", context)


@login_required
@require_POST
def new_quote(request: HttpRequest, offer_id: str) -> HttpResponse:
    """Make a quote of an offer, once for each form that was shown."""
    organisation = acting_organisation(request)
    offer = get_object_or_404(Offer.objects.visible_to(organisation), public_id=offer_id)
    typed = request.POST.get("quantity", "").strip()
    if typed and not (typed.isdecimal() and len(typed) <= MOST_DIGITS):
        raise Invalid(_("Say how many calls you take."), code="quantity_needed", next=_("Type a whole number."))
    quantity = int(typed) if typed else None
    purpose = request.POST.get("purpose", "")
    posted.posted_once(
        request,
        organisation,
        lambda: quotes.make(offer, buyer=organisation, quantity=quantity, purpose=purpose, by=person(request)).pk,
    )
    messages.success(request, _("The quote was made."))
    return redirect("quotes")
