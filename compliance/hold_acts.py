"""Holding and lifting from a desk's page, whatever lies under the hold: its buttons, and what they post."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from compliance import holds
from compliance.desk_forms import CodedReasonForm, SentenceForm
from compliance.models import Hold
from marketplace import roles
from marketplace.desk_pages import act_button, acted, parsed, posted_id
from marketplace.models import User
from marketplace.signed_in import person

ACTS = ("hold", "lift")


def holds_on(subject_kind: str, subject_id: int) -> list[Hold]:
    """Every hold that lies or lay on it, the newest first."""
    rows = Hold.objects.filter(subject_kind=subject_kind, subject_id=subject_id)
    return list(rows.select_related("placed_by", "lifted_by").order_by("-pk"))


def buttons(placed: list[Hold], url: str, *, by: User) -> list[dict[str, Any]]:
    """What this person may do: hold it, or lift the hold that lies on it."""
    if not roles.staff_may(by, "hold"):
        return []
    lying = next((hold for hold in placed if hold.lifted_at is None), None)
    if lying is None:
        form = CodedReasonForm(act="hold", auto_id="hold_%s")
        return [act_button("hold", _("Hold"), url, form=form, tone="danger")]
    form_of_lifting = SentenceForm(auto_id="lift_%s")
    return [act_button("lift", _("Lift the hold"), url, form=form_of_lifting, fields={"hold": lying.pk})]


def act(request: HttpRequest, name: str, subject_kind: str, subject_id: int, *, back: str) -> HttpResponse:
    """Hold this subject, or lift its hold."""
    by = person(request)
    if name == "hold":
        said = parsed(CodedReasonForm(request.POST, act="hold"))
        return acted(
            request, lambda: holds.place(subject_kind, subject_id, by=by, **said), done=_("It is held."), back=back
        )
    said = parsed(SentenceForm(request.POST))
    own = Hold.objects.filter(subject_kind=subject_kind, subject_id=subject_id, lifted_at=None)
    hold = get_object_or_404(own, pk=posted_id(request, "hold"))
    return acted(request, lambda: holds.lift(hold, by=by, **said), done=_("The hold is lifted."), back=back)
