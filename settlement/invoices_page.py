"""The invoices a member issued and received, for its books; and the electronic invoice it made for one of its own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy, pgettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from marketplace import posted, roles
from marketplace.desk_pages import parsed
from marketplace.models import Organisation, User
from marketplace.participants import acting_organisation
from marketplace.signed_in import person
from settlement import invoices
from settlement.models import Invoice

ON_A_PAGE = 25
PARTS = ("issuer", "recipient", "corrects", "trade")


class ElectronicForm(forms.Form):
    """The number of an electronic invoice; the command judges it."""

    number = forms.CharField(label=gettext_lazy("Number of the electronic invoice (数电票), 20 digits"), max_length=40)


@login_required
@require_safe
def invoices_page(request: HttpRequest) -> HttpResponse:
    """What was issued and received, the newest first; `?show=` narrows it to one side."""
    organisation, by = acting_organisation(request), person(request)
    roles.require(by, organisation, "see_money")
    own = Invoice.objects.visible_to(organisation)
    sides = {"all": own, "issued": own.filter(issuer=organisation), "received": own.filter(recipient=organisation)}
    show = request.GET.get("show", "all")
    show = show if show in sides else "all"
    page = Paginator(sides[show].select_related(*PARTS), ON_A_PAGE).get_page(request.GET.get("page"))
    labels = {"all": _("All"), "issued": pgettext("invoices", "Issued"), "received": pgettext("invoices", "Received")}
    context = {
        "page": page,
        "rows": rows(page.object_list, organisation, by),
        "show": show,
        "tabs": [{"show": name, "label": labels[name]} for name in sides],
        "language": get_language(),
    }
    return render(request, "settlement/invoices.html", context)


def rows(shown: Any, organisation: Organisation, by: User) -> list[dict[str, Any]]:
    """Each invoice with its paper, and for who may the form of its electronic invoice."""
    may = roles.may(by, organisation, "manage_payout")
    told = []
    for row in invoices.shown(shown):
        acts = []
        if may and row["invoice"].issuer_id == organisation.pk:
            label = _("Correct the number") if row["electronic"] else _("Give its electronic invoice")
            form = ElectronicForm(auto_id=f"electronic_{row['invoice'].pk}_%s")
            url = reverse("invoice_electronic", args=[row["invoice"].pk])
            acts = [{"label": label, "url": url, "form": form, "key": posted.new_key()}]
        told.append(row | {"acts": acts, "is_ours": row["invoice"].issuer_id == organisation.pk})
    return told


@login_required
@require_POST
def electronic(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """Say which electronic invoice was made for an invoice of one's own."""
    organisation, by = acting_organisation(request), person(request)
    invoice = get_object_or_404(Invoice.objects.visible_to(organisation).filter(issuer=organisation), pk=invoice_id)
    said = parsed(ElectronicForm(request.POST))
    posted.posted_once(request, organisation, lambda: invoices.refer(invoice, said["number"], by=by).pk)
    messages.success(request, _("The number is kept."))
    return redirect("invoices")
