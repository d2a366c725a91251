"""What the staff do with entries of other exchanges' catalogues."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from listings import catalogue_entries
from listings.forms import ReasonForm
from listings.models import CatalogueEntry
from marketplace import roles
from marketplace.desk_pages import acted, desk, parsed
from marketplace.signed_in import person


@desk("reviews")
@require_POST
def entry_withdrawal(request: HttpRequest, public_id: str) -> HttpResponse:
    """Take an entry off the catalogue."""
    roles.require_staff(person(request), "withdraw_entry")
    entry = get_object_or_404(CatalogueEntry.objects.shown(), public_id=public_id)
    reason = parsed(ReasonForm(request.POST))["reason"]
    return acted(
        request,
        lambda: catalogue_entries.withdraw(entry, reason=reason, by=person(request)),
        done=_("The entry is withdrawn."),
        back=reverse("catalogue"),
    )
