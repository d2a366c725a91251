"""The desk of objections: what waits to be decided, and the decision, in words both sides read."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from listings import objections
from listings.models import Objection
from listings.states import ObjectionState
from marketplace import roles
from marketplace.desk_pages import ROWS_ON_A_PAGE, act_button, acted, desk, parsed, render_desk
from marketplace.models import User
from marketplace.signed_in import person

DECIDE: dict[str, Any] = {"uphold": objections.uphold, "dismiss": objections.dismiss}
PARTS = ("registration__holder", "registration__version__listing", "by", "decided_by")
LONG_COLUMNS = [f"registration__version__{name}" for name in ("fields", "use_scenarios", "forbidden_uses", "summaries")]


class DecisionForm(forms.Form):
    """Why an objection is upheld or dismissed."""

    decision = forms.CharField(
        label=gettext_lazy("Reason, in words both sides read"),
        max_length=objections.LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


@desk("objections")
@require_safe
def objections_list(request: HttpRequest) -> HttpResponse:
    """Objections that wait, the oldest first, then those decided."""
    show = "decided" if request.GET.get("show") == "decided" else "open"
    rows = Objection.objects.select_related(*PARTS).defer(*LONG_COLUMNS)
    if show == "open":
        rows = rows.filter(state=ObjectionState.OPEN).order_by("filed_at", "pk")
    else:
        rows = rows.exclude(state=ObjectionState.OPEN).order_by("-decided_at", "-pk")
    page = Paginator(rows, ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    return render_desk(request, "objections", "admin/desks/objections.html", {"page": page, "show": show})


@desk("objections")
@require_safe
def objection(request: HttpRequest, objection_id: int) -> HttpResponse:
    """One objection: what is registered, what is said against it, and the decision."""
    rows = Objection.objects.select_related(*PARTS)
    found = get_object_or_404(rows, pk=objection_id)
    context = {"objection": found, "acts": _acts(found, person(request))}
    return render_desk(request, "objections", "admin/desks/objection.html", context)


def _acts(found: Objection, by: User) -> list[dict[str, Any]]:
    if found.state != ObjectionState.OPEN or not roles.staff_may(by, "decide_objection"):
        return []
    url = reverse("desk_objection_act", args=[found.pk])
    uphold = _("The product is not listed under this registration, and its certificate says so for ever.")
    return [
        act_button("dismiss", _("Dismiss the objection"), url, form=DecisionForm(auto_id="dismiss_%s")),
        act_button(
            "uphold",
            _("Uphold the objection"),
            url,
            tone="danger",
            confirm=uphold,
            form=DecisionForm(auto_id="uphold_%s"),
        ),
    ]


@desk("objections")
@require_POST
def objection_act(request: HttpRequest, objection_id: int) -> HttpResponse:
    """Uphold or dismiss."""
    found = get_object_or_404(Objection.objects.select_related("registration"), pk=objection_id)
    act = request.POST.get("act", "")
    if act not in DECIDE:
        raise Http404
    said, by = parsed(DecisionForm(request.POST)), person(request)
    done = _("The objection is upheld.") if act == "uphold" else _("The objection is dismissed.")
    back = reverse("desk_objection", args=[objection_id])
    return acted(request, lambda: DECIDE[act](found, by=by, **said), done=done, back=back)
