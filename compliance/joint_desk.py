"""On the desk of organisations: the members of a joint merchant, and their release."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from compliance import joint_members
from compliance.desk_forms import SentenceForm
from marketplace import roles
from marketplace.desk_pages import act_button, acted, parsed, posted_id
from marketplace.models import Organisation, User
from marketplace.signed_in import person

RELEASE = "release_member"


def rows_of(organisation: Organisation, url: str, *, by: User) -> list[dict[str, Any]]:
    """Each row that concerns the organisation; on the joint merchant itself with the button to release the member."""
    may_release = roles.staff_may(by, "vet")
    return [
        {"row": row, "acts": [_button(row.pk, url)] if may_release and row.joint_id == organisation.pk else []}
        for row in joint_members.of(organisation)
    ]


def _button(row_id: int, url: str) -> dict[str, Any]:
    form = SentenceForm(auto_id=f"{RELEASE}_{row_id}_%s")
    return act_button(RELEASE, _("Release this member"), url, fields={"row": row_id}, form=form, tone="danger")


def act(request: HttpRequest, joint: Organisation, *, back: str) -> HttpResponse:
    """Release one of its members."""
    said = parsed(SentenceForm(request.POST))
    row = get_object_or_404(joint_members.of(joint).filter(joint=joint), pk=posted_id(request, "row"))
    by = person(request)
    return acted(request, lambda: joint_members.release(row, by=by, **said), done=_("Released."), back=back)
