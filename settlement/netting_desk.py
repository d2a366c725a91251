"""The sub-desk of clearing for netting: who asks to be paid one net sum, and who is."""

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

from compliance.reasons import LONGEST_REASON_CHARACTERS
from marketplace import roles
from marketplace.desk_pages import ROWS_ON_A_PAGE, act_button, acted, desk, parsed, posted_id, render_desk
from marketplace.models import User
from marketplace.signed_in import person
from settlement import netting
from settlement.models import Netting


class OpinionForm(forms.Form):
    """The legal opinion a netting rests on: it parses; the command decides."""

    opinion = forms.CharField(
        label=gettext_lazy("The legal opinion that netting holds if the member fails: by whom, of which day"),
        max_length=LONGEST_REASON_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class RefusalForm(forms.Form):
    """Why a member is not, or no longer, paid a net sum."""

    reason = forms.CharField(
        label=gettext_lazy("Why, in words the member reads"),
        max_length=LONGEST_REASON_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


@desk("clearing")
@require_safe
def netting_desk(request: HttpRequest) -> HttpResponse:
    """What members ask for, the oldest first, and every netting, the newest first."""
    by = person(request)
    people = ("organisation", "asked_by", "granted_by", "stopped_by")
    waiting = netting.waiting().select_related(*people).order_by("pk")[:ROWS_ON_A_PAGE]
    decided = Netting.objects.exclude(pk__in=netting.waiting()).select_related(*people).order_by("-pk")
    page = Paginator(decided, ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "waiting": [(one, _acts(one, by)) for one in waiting],
        "page": page,
        "decided": [(one, _acts(one, by)) for one in page],
    }
    return render_desk(request, "clearing", "admin/desks/netting.html", context)


@desk("clearing")
@require_POST
def netting_act(request: HttpRequest) -> HttpResponse:
    """Grant a netting, or refuse or end it; through the commands."""
    act, by, back = request.POST.get("act", ""), person(request), reverse("desk_netting")
    if act not in ("grant", "refuse"):
        raise Http404
    found = get_object_or_404(Netting, pk=posted_id(request, "netting"))
    if act == "grant":
        said = parsed(OpinionForm(request.POST))
        done = _("Granted: it counts for the cycles that close from now. The member is told.")
        return acted(request, lambda: netting.grant(found, **said, by=by), done=done, back=back)
    said = parsed(RefusalForm(request.POST))
    done = _("The member is paid trade by trade, and is told.")
    return acted(request, lambda: netting.refuse(found, **said, by=by), done=done, back=back)


def _acts(one: Netting, by: User) -> list[dict[str, Any]]:
    if one.stopped_at or not roles.staff_may(by, "grant_netting"):
        return []
    url, fields = reverse("desk_netting_act"), {"netting": one.pk}
    refusal = RefusalForm(auto_id=f"refusal_{one.pk}_%s")
    if one.granted_at:
        return [act_button("refuse", _("End it"), url, fields=fields, form=refusal)]
    opinion = OpinionForm(auto_id=f"opinion_{one.pk}_%s")
    return [
        act_button("grant", _("Grant it"), url, fields=fields, form=opinion, tone="primary"),
        act_button("refuse", _("Refuse it"), url, fields=fields, form=refusal),
    ]
