"""The desk of stuck work: rows a worker could not finish, why, when they are tried again, and to try them now."""

from __future__ import annotations

from itertools import islice
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from marketplace import health, roles
from marketplace.desk_pages import act_button, acted, desk, render_desk
from marketplace.signed_in import person

SHOWN_AT_MOST = 200


@desk("stuck")
@require_safe
def stuck(request: HttpRequest) -> HttpResponse:
    """What backs off, what is due, and the exchange's signs of life."""
    by = person(request)
    may_try = roles.staff_may(by, "try_again")
    found = list(islice(health.stuck(), SHOWN_AT_MOST))
    context = {
        "rows": [{"stuck": one, "name": _name(one.row), "acts": _acts(one) if may_try else []} for one in found],
        "signs": health.signs(),
        "waiting": [one for one in health.waiting() if one.count],
    }
    return render_desk(request, "stuck", "admin/desks/stuck.html", context)


def _name(row: Any) -> str:
    return f"{row._meta.verbose_name} {row.pk}"


def _acts(one: health.Stuck) -> list[dict[str, Any]]:
    fields = {"work": one.work, "row": str(one.row.pk)}
    return [act_button("try", _("Try now"), reverse("desk_stuck_act"), fields=fields)]


@desk("stuck")
@require_POST
def stuck_act(request: HttpRequest) -> HttpResponse:
    """Let a row that backs off be tried at once."""
    row = health.row_of(request.POST.get("work", ""), request.POST.get("row", ""))
    by = person(request)
    done = _("It is tried again now.")
    return acted(request, lambda: health.try_now(row, by=by), done=done, back=reverse("desk_stuck"))
