"""Where people say something about tax: the desk of one trade's, a member of what taxpayer it is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from compliance.reasons import LONGEST_REASON_CHARACTERS
from marketplace import posted, roles
from marketplace.desk_pages import act_button, acted, parsed
from marketplace.models import Organisation, User
from marketplace.participants import acting_organisation
from marketplace.signed_in import person
from settlement import tax_rules, taxes
from settlement.models import TaxStatus, Trade

ACT = "set_tax"


class TaxForm(forms.Form):
    """Rates in percent, who pays the VAT to its authority, and why the rules are not followed."""

    vat = forms.DecimalField(
        label=gettext_lazy("VAT rate, in percent"), min_value=0, max_value=100, max_digits=5, decimal_places=2
    )
    vat_how = forms.ChoiceField(
        label=gettext_lazy("Who pays the VAT to its authority"),
        choices=[
            (tax_rules.CHARGED, gettext_lazy("the seller, out of the price")),
            (tax_rules.WITHHELD, gettext_lazy("the buyer, who withholds it")),
        ],
    )
    income = forms.DecimalField(
        label=gettext_lazy("Income tax the buyer withholds, in percent of the net"),
        min_value=0,
        max_value=100,
        max_digits=5,
        decimal_places=2,
    )
    reason = forms.CharField(
        label=gettext_lazy("Why"), max_length=LONGEST_REASON_CHARACTERS, widget=forms.Textarea(attrs={"rows": 2})
    )

    def clean(self) -> dict[str, Any]:
        """What `taxes.decide` takes: rates in basis points."""
        said = super().clean() or {}
        for name in ("vat", "income"):
            said[name] = int((said.get(name) or Decimal(0)) * 100)
        return said


class StatusForm(forms.Form):
    """What taxpayer a mainland member is."""

    status = forms.ChoiceField(label=gettext_lazy("You are"), choices=TaxStatus.Status.choices)


def buttons(trade: Trade, url: str, *, by: User) -> list[dict[str, Any]]:
    """What this person may do about the tax of a trade of which nothing is paid yet."""
    if not roles.staff_may(by, ACT) or not taxes.is_open(trade):
        return []
    return [act_button(ACT, _("Decide on the tax"), url, form=TaxForm(auto_id="tax_%s"))]


def act(request: HttpRequest, trade: Trade, *, back: str) -> HttpResponse:
    """Decide on the tax of a trade, through the command."""
    said, by = parsed(TaxForm(request.POST)), person(request)
    return acted(request, lambda: taxes.decide(trade, by=by, **said), done=_("Both parties see it."), back=back)


def status_card(member: Organisation, by: User) -> dict[str, Any]:
    """What the page of money shows of it: nothing where no rule asks."""
    if not taxes.asks_status(member):
        return {}
    acts = []
    if roles.may(by, member, "manage_payout"):
        form = StatusForm(auto_id="tax_%s")
        url = reverse("tax_status")
        acts = [{"label": _("State your VAT status"), "url": url, "form": form, "key": posted.new_key()}]
    return {"asks_tax_status": True, "tax_status": taxes.status_of(member), "tax_status_acts": acts}


@login_required
@require_POST
def status_act(request: HttpRequest) -> HttpResponse:
    """The member says what taxpayer it is."""
    organisation, by = acting_organisation(request), person(request)
    said = parsed(StatusForm(request.POST))
    posted.posted_once(request, organisation, lambda: taxes.state_status(organisation, said["status"], by=by).pk)
    messages.success(request, _("Trades proposed from now on go by it."))
    return redirect("money")
