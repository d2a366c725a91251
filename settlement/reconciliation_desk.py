"""The desk of reconciliation: the books of every day side by side, and the breaks the staff explain."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from marketplace import journal, roles
from marketplace.bells import ring
from marketplace.desk_pages import ROWS_ON_A_PAGE, act_button, acted, desk, parsed, render_desk
from marketplace.models import User
from marketplace.money import Money
from marketplace.signed_in import person
from settlement import break_lines, reconciliation, tasks
from settlement.forms import ExplanationForm
from settlement.models import Break, Reconciliation

SHOWS = {
    "open": gettext_lazy("Open breaks"),
    "days": gettext_lazy("Days"),
    "ended": gettext_lazy("Ended breaks"),
}


@desk("reconciliation")
@require_safe
def days(request: HttpRequest) -> HttpResponse:
    """The open breaks, the oldest first; the days that were compared, the newest first; or the breaks that ended."""
    rows: dict[str, QuerySet[Any]] = {
        "open": reconciliation.open_breaks().select_related("trade", "organisation").order_by("found_at", "pk"),
        "days": Reconciliation.objects.order_by("-day", "gateway", "currency", "-run"),
        "ended": Break.objects.filter(ended_at__isnull=False)
        .select_related("trade", "organisation", "explained_by")
        .order_by("-ended_at", "-pk"),
    }
    pages = {name: Paginator(found, ROWS_ON_A_PAGE) for name, found in rows.items()}
    asked = request.GET.get("show", "")
    show = asked if asked in SHOWS else "open" if pages["open"].count else "days"
    page = pages[show].get_page(request.GET.get("page"))
    context = {
        "show": show,
        "tabs": [{"show": name, "label": label, "count": pages[name].count} for name, label in SHOWS.items()],
        "page": page,
        "days": [(run, _totals(run)) for run in page.object_list] if show == "days" else [],
        "breaks": [(found, *_sums(found)) for found in page.object_list] if show != "days" else [],
    }
    return render_desk(request, "reconciliation", "admin/desks/reconciliation.html", context)


def _totals(run: Reconciliation) -> list[tuple[Any, Money, int]]:
    """What each book moved on the day: its name, the sum and the number of lines."""
    return [
        (label, Money(getattr(run, f"{book}_minor"), run.currency), getattr(run, f"{book}_lines"))
        for book, label in (("ledger", _("Ledger")), ("gateway", _("Gateway")), ("records", _("Trades and payments")))
    ]


def _sums(found: Break) -> tuple[Money, Money | None, Money]:
    """What ledger, gateway and records say of a break; None where a gateway knows nothing of it."""
    gateway_says = None if found.gateway_minor is None else Money(found.gateway_minor, found.currency)
    return Money(found.ledger_minor, found.currency), gateway_says, Money(found.records_minor, found.currency)


@desk("reconciliation")
@require_safe
def one_break(request: HttpRequest, break_id: int) -> HttpResponse:
    """One break: what each of the books says of it, line by line, and how it is explained."""
    parts = ("trade", "organisation", "explained_by", "found_by", "resolved_by")
    found = get_object_or_404(Break.objects.select_related(*parts), pk=break_id)
    ledger_says, gateway_says, records_say = _sums(found)
    context = {
        "found": found,
        "books": [
            (_("Ledger"), ledger_says, break_lines.in_ledger(found)),
            *([(_("Gateway"), gateway_says, break_lines.at_gateway(found))] if gateway_says else []),
            (_("Trades and payments"), records_say, break_lines.in_records(found)),
        ],
        "acts": _acts(found, person(request)),
        "events": journal.of(found).order_by("-pk")[:ROWS_ON_A_PAGE],
    }
    return render_desk(request, "reconciliation", "admin/desks/break.html", context)


def _acts(found: Break, by: User) -> list[dict[str, Any]]:
    if found.ended_at is not None or not roles.staff_may(by, "explain_break"):
        return []
    url = reverse("desk_break_act", args=[found.pk])
    return [act_button("explain", _("Explain it"), url, form=ExplanationForm(auto_id="explain_%s"), tone="primary")]


@desk("reconciliation")
@require_POST
def break_act(request: HttpRequest, break_id: int) -> HttpResponse:
    """Explain a break; what it blocked is tried again at once."""
    if request.POST.get("act") != "explain":
        raise Http404
    by = person(request)
    roles.require_staff(by, "explain_break")
    found = get_object_or_404(Break, pk=break_id)
    said = parsed(ExplanationForm(request.POST))
    answer = acted(
        request,
        lambda: reconciliation.explain(found, **said, by=by),
        done=_("The break is explained; what it blocked may go on."),
        back=reverse("desk_break", args=[break_id]),
    )
    ring(tasks.clear_cycles)
    return answer
