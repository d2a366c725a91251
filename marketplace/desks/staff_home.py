"""The staff's home: what waits at each desk against its target, the exchange month by month, and the records."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from marketplace import health
from marketplace.desk_pages import TITLES, desks_of, frame_of
from marketplace.desks import queues, staff_figures
from marketplace.money import format_minor
from marketplace.signed_in import person

LABELS: dict[str, Promise] = {
    "trades": gettext_lazy("Trades cleared"),
    "turnover": gettext_lazy("Turnover"),
    "listings": gettext_lazy("Products first listed"),
    "members": gettext_lazy("Members approved"),
}
SAYS: dict[str, Promise] = {
    "organisations": gettext_lazy("Who may list and trade."),
    "participants": gettext_lazy("Everything about a member in one view."),
    "reviews": gettext_lazy("What may be registered and listed."),
    "payments": gettext_lazy("Money that fits no trade, or came back."),
    "disputes": gettext_lazy("Who gets the money in escrow."),
    "objections": gettext_lazy("Who says that a registration is wrong."),
    "reports": gettext_lazy("What people say is wrong with a product."),
    "questions": gettext_lazy("What buyers ask and sellers answer, or do not."),
    "demands": gettext_lazy("What members look for and did not find."),
    "clearing": gettext_lazy("Cycles, statements and payouts."),
    "reconciliation": gettext_lazy("The books of every day, compared; breaks to explain."),
    "trades": gettext_lazy("Find any trade, and hold it."),
    "papers": gettext_lazy("Certificates, contracts, statements."),
    "announcements": gettext_lazy("What all or some read at the top of pages."),
    "decisions": gettext_lazy("Who decided what, when and why."),
    "stuck": gettext_lazy("What workers could not finish."),
}


@login_required
@never_cache
@require_safe
def staff_home(request: HttpRequest) -> HttpResponse:
    """The queues of the desks this member of the staff sees, their figures, and for some the records."""
    by = person(request)
    if not by.is_staff:
        raise Http404
    seen = desks_of(by)
    waits = queues.waiting(seen)
    shown = staff_figures.plots_for(seen)
    context: dict[str, Any] = {
        "waits": [one for one in waits if one.count],
        "overdue": sum(one.overdue for one in waits),
        "empty": [one.queue for one in waits if not one.count],
        "stuck": health.stuck_count() if "stuck" in seen else 0,
        "desks": [{"title": TITLES[name], "says": SAYS[name], "url": reverse(f"desk_{name}")} for name in seen],
        "plots": [_shown(plot) for plot in shown],
        "records": admin.site.get_app_list(request),
    }
    if shown:
        found = staff_figures.figures()
        months = _months(found.months, shown)
        context |= {
            "months": months,
            "first_month": months[-1]["month"],
            "last_month": months[0]["month"],
            "figures_at": found.at,
        }
    return render(request, "admin/desks/home.html", frame_of(request) | context)


def _shown(plot: staff_figures.Plot) -> dict[str, Any]:
    """One plot as the page takes it: what it counts, this month, and its words for those who do not see it."""
    label = f"{LABELS[plot.name]} · {plot.currency}" if plot.currency else str(LABELS[plot.name])
    values = [_written(number, plot.currency) for number in plot.numbers]
    most = _written(max(plot.numbers), plot.currency)
    words = _("%(what)s by month: %(latest)s this month, at most %(most)s in one of the last twelve.")
    said = {"what": label, "latest": values[-1], "most": most}
    return {"label": label, "latest": values[-1], "columns": plot.columns, "values": values, "words": words % said}


def _written(number: int, currency: str) -> str:
    return format_minor(number, currency) if currency else number_format(number, force_grouping=True)


def _months(months: list[dt.date], shown: list[staff_figures.Plot]) -> list[dict[str, Any]]:
    """The same figures as a table, the newest month first."""
    return [
        {
            "month": date_format(month, "YEAR_MONTH_FORMAT"),
            "values": [_written(plot.numbers[place], plot.currency) for plot in shown],
        }
        for place, month in reversed(list(enumerate(months)))
    ]
