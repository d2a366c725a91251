"""The desk of disputes: what the buyer objects to, what the seller answers, and the exchange's decision."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from compliance import hold_acts
from compliance.models import Hold
from marketplace import posted, roles
from marketplace.bells import ring
from marketplace.desk_pages import ROWS_ON_A_PAGE, acted, desk, ordered, parsed, render_desk
from marketplace.signed_in import person
from settlement import tasks, timeline, trade_page, trades
from settlement.forms import AwardForm, FreeAwardForm
from settlement.models import Dispute, Trade
from settlement.states import DisputeState

SHOWS = {
    "open": (gettext_lazy("To decide"), Q(state=DisputeState.OPEN)),
    "resolved": (gettext_lazy("Decided"), Q(state=DisputeState.RESOLVED)),
}
LARGEST = (gettext_lazy("Largest price first"), ["trade__currency", "-trade__price_minor", "pk"])
ORDERS = {"age": (gettext_lazy("Longest waiting first"), ["opened_at", "pk"]), "amount": LARGEST}
DECIDED_ORDERS = {"newest": (gettext_lazy("Newest first"), ["-resolved_at", "pk"]), "amount": LARGEST}
PARTS = ("trade__seller", "trade__buyer", "trade__version", "trade__release", "trade__offer", "trade__listing")


@desk("disputes")
@require_safe
def dispute_queue(request: HttpRequest) -> HttpResponse:
    """The queue, the longest waiting first."""
    show = request.GET.get("show", "open")
    show = show if show in SHOWS else "open"
    rows = Dispute.objects.filter(SHOWS[show][1]).select_related(*PARTS, "resolved_by")
    fields, orders = ordered(request, ORDERS if show == "open" else DECIDED_ORDERS)
    page = Paginator(rows.order_by(*fields), ROWS_ON_A_PAGE)
    counts = Dispute.objects.aggregate(**{name: Count("pk", filter=where) for name, (_label, where) in SHOWS.items()})
    context = {
        "page": page.get_page(request.GET.get("page")),
        "show": show,
        "orders": orders,
        "tabs": [{"show": name, "label": label, "count": counts[name]} for name, (label, _q) in SHOWS.items()],
    }
    return render_desk(request, "disputes", "admin/desks/disputes.html", context)


@desk("disputes")
@require_safe
def dispute(request: HttpRequest, dispute_id: int) -> HttpResponse:
    """One dispute: both sides, the licence, what was delivered and used, and the form that decides it."""
    found = get_object_or_404(Dispute.objects.select_related(*PARTS, "resolved_by", "opened_by"), pk=dispute_id)
    return _page(request, found)


def _page(request: HttpRequest, found: Dispute, form: Any = None) -> HttpResponse:
    trade, by = found.trade, person(request)
    may_resolve = roles.staff_may(by, "resolve") and found.state == DisputeState.OPEN
    placed = hold_acts.holds_on(Hold.Subject.TRADE, trade.pk)
    url = reverse("desk_dispute_act", args=[found.pk])
    grant = getattr(trade, "grant", None)
    context = {
        "dispute": found,
        "trade": trade,
        "form": form or (_form(trade) if may_resolve else None),
        "key": posted.new_key(),
        "licence": trade_page.said_plainly(trade.terms),
        "steps": timeline.steps(trade),
        "files": trade.release.files.order_by("path"),
        "grant": grant,
        "receipts": grant.receipts.select_related("by")[:ROWS_ON_A_PAGE] if grant else [],
        "holds": placed,
        "hold_acts": hold_acts.buttons(placed, url, by=by),
    }
    answer = render_desk(request, "disputes", "admin/desks/dispute.html", context)
    answer.status_code = 422 if form is not None else 200
    return answer


def _form(trade: Trade, data: Any = None) -> AwardForm | FreeAwardForm:
    return (
        AwardForm(data, price=trade.price, has_fee=bool(trade.buyer_fee_minor))
        if trade.price_minor
        else FreeAwardForm(data)
    )


@desk("disputes")
@require_POST
def dispute_act(request: HttpRequest, dispute_id: int) -> HttpResponse:
    """Decide a dispute, or hold its trade; through the commands."""
    found = get_object_or_404(Dispute.objects.select_related(*PARTS), pk=dispute_id)
    trade, back = found.trade, reverse("desk_dispute", args=[dispute_id])
    act, by = request.POST.get("act", ""), person(request)
    if act in hold_acts.ACTS:
        return hold_acts.act(request, act, Hold.Subject.TRADE, trade.pk, back=back)
    roles.require_staff(by, "resolve")
    form = _form(trade, request.POST)
    if not form.is_valid() and found.state == DisputeState.OPEN:
        return _page(request, found, form)
    said = parsed(form)
    if trade.price_minor:
        refund_minor = said["refund"].minor

        def decide() -> Trade:
            return trades.resolve(found, refund_minor=refund_minor, resolution=said["resolution"], by=by)
    elif said["ends_access"]:

        def decide() -> Trade:
            return trades.end_free_dispute(found, resolution=said["resolution"], by=by)
    else:

        def decide() -> Trade:
            return trades.resolve(found, refund_minor=0, resolution=said["resolution"], by=by)

    answer = acted(request, decide, done=_("The dispute is decided."), back=back)
    ring(tasks.pay_refunds)
    return answer
