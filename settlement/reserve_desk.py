"""The sub-desk of clearing for reserves: what terms wait for a second person, which count, and what is kept back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import F, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from compliance.reasons import LONGEST_REASON_CHARACTERS
from marketplace import roles
from marketplace.desk_pages import ROWS_ON_A_PAGE, act_button, acted, desk, parsed, posted_id, render_desk
from marketplace.models import Organisation, User
from marketplace.money import Money
from marketplace.signed_in import person
from settlement import reserve_terms
from settlement.models import Reserve, ReserveTerms
from settlement.models.reserves import MOST_DAYS


class ReserveForm(forms.Form):
    """A share of what a member gets, kept back for some days, from a day on: it parses; the command decides."""

    percent = forms.DecimalField(
        label=gettext_lazy("Kept back, in percent"), min_value=0, max_value=100, max_digits=5, decimal_places=2
    )
    days = forms.IntegerField(label=gettext_lazy("For so many days"), min_value=1, max_value=MOST_DAYS)
    currency = forms.ChoiceField(label=gettext_lazy("Currency"), required=False)
    begins_on = forms.DateField(label=gettext_lazy("First day"), widget=forms.DateInput(attrs={"type": "date"}))
    reason = forms.CharField(
        label=gettext_lazy("Why, in words the member reads"),
        max_length=LONGEST_REASON_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        currency: Any = self.fields["currency"]
        currency.choices = [("", gettext_lazy("every one")), *((code, code) for code in settings.CURRENCIES)]

    def clean(self) -> dict[str, Any]:
        """What `reserve_terms.ask` takes."""
        said = super().clean() or {}
        percent = said.pop("percent", None)
        said["basis_points"] = int(percent * Decimal(100)) if percent is not None else 0
        return said


@desk("clearing")
@require_safe
def reserves_desk(request: HttpRequest) -> HttpResponse:
    """What waits for a second person, what is kept back by currency, and all terms, the newest first."""
    by = person(request)
    waiting = reserve_terms.waiting().select_related("organisation", "asked_by").order_by("pk")[:ROWS_ON_A_PAGE]
    every = ReserveTerms.objects.select_related("organisation", "asked_by", "confirmed_by", "dropped_by")
    held = Reserve.objects.filter(released_in=None).values("currency")
    sums = held.annotate(minor=Sum(F("amount_minor") - F("drawn_minor"))).order_by("currency")
    context = {
        "waiting": [(terms, _acts(terms, by)) for terms in waiting],
        "page": Paginator(every.order_by("-pk"), ROWS_ON_A_PAGE).get_page(request.GET.get("page")),
        "sums": [Money(row["minor"], row["currency"]) for row in sums if row["minor"]],
    }
    return render_desk(request, "clearing", "admin/desks/reserves.html", context)


@desk("clearing")
@require_POST
def reserves_act(request: HttpRequest) -> HttpResponse:
    """Ask for a reserve, confirm or drop one; through the commands."""
    act, by, back = request.POST.get("act", ""), person(request), reverse("desk_reserves")
    if act == "ask":
        organisation = get_object_or_404(Organisation, public_id=request.POST.get("organisation", ""))
        said = parsed(ReserveForm(request.POST))
        done = _("A second person has yet to agree.")
        return acted(request, lambda: reserve_terms.ask(organisation, **said, by=by), done=done, back=back)
    commands = {
        "confirm": (reserve_terms.confirm, _("It counts from its first day; the member is told.")),
        "drop": (reserve_terms.drop, _("Dropped.")),
    }
    if act not in commands:
        raise Http404
    command, done = commands[act]
    terms = get_object_or_404(ReserveTerms, pk=posted_id(request, "terms"))
    return acted(request, lambda: command(terms, by=by), done=done, back=back)


def acts_on(organisation: Organisation, by: User) -> list[dict[str, Any]]:
    """The button that sets a member's reserve, for whom it is."""
    if not roles.staff_may(by, "set_reserve"):
        return []
    fields, form = {"organisation": organisation.public_id}, ReserveForm(auto_id="reserve_%s")
    return [act_button("ask", _("Set a reserve"), reverse("desk_reserves_act"), fields=fields, form=form)]


def _acts(terms: ReserveTerms, by: User) -> list[dict[str, Any]]:
    if not roles.staff_may(by, "set_reserve"):
        return []
    url, fields = reverse("desk_reserves_act"), {"terms": terms.pk}
    drop = act_button("drop", _("Drop it"), url, fields=fields)
    if terms.asked_by_id == by.pk:
        return [drop]
    return [act_button("confirm", _("Agree to it"), url, fields=fields, tone="primary"), drop]
