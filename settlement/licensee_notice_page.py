"""The seller's page of a product's notices: what may be worth telling, what was told, and the form."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from listings import product_page, studio
from listings.models import Listing, Release
from marketplace import clock, posted, roles
from marketplace.errors import Refused
from marketplace.forms import add_refusal
from marketplace.signed_in import person
from settlement import licensee_notices
from settlement.models import LicenseeNotice

ON_A_PAGE = 20


class NoticeForm(forms.Form):
    """What the licensees are told, about what, and from when."""

    kind = forms.ChoiceField(label=gettext_lazy("About"), choices=LicenseeNotice.Kind.choices)
    release = forms.ModelChoiceField(
        label=gettext_lazy("Release"),
        queryset=Release.objects.none(),
        required=False,
        empty_label="–",
        help_text=gettext_lazy("For a new release or a change of the schema."),
    )
    effective_on = forms.DateField(
        label=gettext_lazy("From which day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    language = forms.ChoiceField(label=gettext_lazy("Language of the words"), choices=settings.LANGUAGES)
    text = forms.CharField(
        label=gettext_lazy("Words"),
        max_length=licensee_notices.LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("They never change. A delay is read by licensees alone, all else by everybody."),
    )

    def __init__(self, listing: Listing, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen: Any = self.fields["release"]
        chosen.queryset = listing.releases.exclude(sealed_at=None)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def notices(request: HttpRequest, public_id: str) -> HttpResponse:
    """The notices of a product, and giving another."""
    listing = studio.own_listing(request, public_id)
    if request.method == "POST":
        roles.require(person(request), listing.seller, "edit_listing")
    found = licensee_notices.proposals(listing)
    form = NoticeForm(listing, request.POST or None, initial=_begun(request, found))
    if request.method == "POST" and form.is_valid() and _given(request, listing, form):
        return redirect("studio_notices", public_id)
    page = Paginator(licensee_notices.of(listing, listing.seller), ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "listing": listing,
        "title": product_page.title_of(listing),
        "proposals": found,
        "page": page,
        "licensees": len(licensee_notices.licensees(listing)),
        "form": form if listing.listed_at and roles.may(person(request), listing.seller, "edit_listing") else None,
        "key": posted.new_key(),
    }
    return render(request, "settlement/studio_notices.html", context, status=422 if form.errors else 200)


def _begun(request: HttpRequest, found: list[licensee_notices.Proposal]) -> dict[str, Any]:
    """The form as the first proposal fills it."""
    begun: dict[str, Any] = {"effective_on": clock.today(), "language": get_language()}
    return begun | ({"kind": found[0].kind, "release": found[0].release} if found else {})


def _given(request: HttpRequest, listing: Listing, form: NoticeForm) -> bool:
    try:
        posted.posted_once(
            request,
            listing.seller,
            lambda: licensee_notices.give(listing, by=person(request), **form.cleaned_data).pk,
        )
    except Refused as refusal:
        add_refusal(form, refusal)
        return False
    messages.success(request, _("The notice was given to the licensees."))
    return True
