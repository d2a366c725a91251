"""The page on which somebody reports a product."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from listings import listing_reports
from listings.models import Listing, ReportCategory
from marketplace import posted
from marketplace.participants import acting_or_none
from marketplace.signed_in import person


class ReportForm(forms.Form):
    """What is wrong with a product."""

    category = forms.ChoiceField(label=gettext_lazy("What it is about"), choices=ReportCategory.choices)
    text = forms.CharField(
        label=gettext_lazy("What is wrong with this product"),
        max_length=listing_reports.LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("Only the exchange reads this. You are told by letter what it decides."),
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, public_id: str) -> HttpResponse:
    """Report a product to the exchange."""
    visible = Listing.objects.visible_to(acting_or_none(request)).filter(current_version__isnull=False)
    listing = visible.select_related("current_version").filter(public_id=public_id).first()
    if listing is None:
        raise Http404
    form = ReportForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        posted.posted_once(request, None, lambda: listing_reports.report(listing, by=person(request), **said).pk)
        messages.success(request, _("The exchange has your report. You are told by letter what it decides."))
        return redirect(listing)
    context = {"listing": listing, "version": listing.current_version, "form": form, "key": posted.new_key()}
    return render(request, "listings/report.html", context, status=422 if form.errors else 200)
