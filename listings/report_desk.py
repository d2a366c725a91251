"""The desk of reports: what somebody says is wrong with a product, and the decision, in words the reporter reads."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import Case, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from listings import listing_reports
from listings.models import ListingReport
from listings.report_rows import ReportCategory
from listings.states import ReportState
from marketplace import roles
from marketplace.desk_pages import ROWS_ON_A_PAGE, act_button, acted, desk, ordered, parsed, render_desk
from marketplace.models import User
from marketplace.signed_in import person

DECIDE: dict[str, Any] = {"dismiss": listing_reports.dismiss, "act_upon": listing_reports.act_upon}
PARTS = ("listing__seller", "listing__current_version", "by", "decided_by")
LONG_COLUMNS = [f"listing__current_version__{name}" for name in ("fields", "use_scenarios", "forbidden_uses", "rights")]


GRAVITY = Case(
    When(category__in=[ReportCategory.PERSONAL_DATA, ReportCategory.SECURITY], then=0),
    When(category=ReportCategory.RIGHTS, then=1),
    default=2,
)
GRAVEST: tuple[Any, list[Any]] = (gettext_lazy("Gravest first"), [GRAVITY, "reported_at", "pk"])
ORDERS = {"age": (gettext_lazy("Longest waiting first"), ["reported_at", "pk"]), "risk": GRAVEST}
DECIDED_ORDERS = {"newest": (gettext_lazy("Newest first"), ["-decided_at", "-pk"]), "risk": GRAVEST}


class DecisionForm(forms.Form):
    """Why a report is dismissed, or what was done."""

    decision = forms.CharField(
        label=gettext_lazy("Reason, in words the reporter reads"),
        max_length=listing_reports.LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


@desk("reports")
@require_safe
def reports_list(request: HttpRequest) -> HttpResponse:
    """Reports that wait, the oldest first, then those decided."""
    show = "decided" if request.GET.get("show") == "decided" else "open"
    rows = ListingReport.objects.select_related(*PARTS).defer(*LONG_COLUMNS)
    rows = rows.filter(state=ReportState.OPEN) if show == "open" else rows.exclude(state=ReportState.OPEN)
    fields, orders = ordered(request, ORDERS if show == "open" else DECIDED_ORDERS)
    page = Paginator(rows.order_by(*fields), ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    return render_desk(request, "reports", "admin/desks/reports.html", {"page": page, "show": show, "orders": orders})


@desk("reports")
@require_safe
def report(request: HttpRequest, report_id: int) -> HttpResponse:
    """One report, and the decision."""
    found = get_object_or_404(ListingReport.objects.select_related(*PARTS), pk=report_id)
    context = {"report": found, "acts": _acts(found, person(request))}
    return render_desk(request, "reports", "admin/desks/report.html", context)


def _acts(found: ListingReport, by: User) -> list[dict[str, Any]]:
    if found.state != ReportState.OPEN or not roles.staff_may(by, "decide_report"):
        return []
    url = reverse("desk_report_act", args=[found.pk])
    done = _("Suspend the product, hide a question or ask the seller first; then say here what was done.")
    return [
        act_button("dismiss", _("Dismiss the report"), url, form=DecisionForm(auto_id="dismiss_%s")),
        act_button("act_upon", _("Acted upon"), url, confirm=done, form=DecisionForm(auto_id="act_%s")),
    ]


@desk("reports")
@require_POST
def report_act(request: HttpRequest, report_id: int) -> HttpResponse:
    """Dismiss, or say what was done."""
    found = get_object_or_404(ListingReport, pk=report_id)
    act = request.POST.get("act", "")
    if act not in DECIDE:
        raise Http404
    said, by = parsed(DecisionForm(request.POST)), person(request)
    back = reverse("desk_report", args=[report_id])
    return acted(request, lambda: DECIDE[act](found, by=by, **said), done=_("The report is decided."), back=back)
