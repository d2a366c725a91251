"""The desk of clearing: cycles and their sums, closing and releasing them, statements and payouts, the ledger."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from marketplace import journal, roles
from marketplace.bells import ring
from marketplace.desk_pages import ROWS_ON_A_PAGE, act_button, acted, desk, render_desk
from marketplace.models import User
from marketplace.money import Money
from marketplace.signed_in import person
from settlement import clearing, ledger, tasks, trades
from settlement.models import Account, ClearingCycle, Payout, PayoutAccount, Statement, Trade
from settlement.states import CycleState, OutgoingState, TradeState


@desk("clearing")
@require_safe
def clearing_desk(request: HttpRequest) -> HttpResponse:
    """What waits to be cleared, the cycles newest first, payouts that do not arrive, and what the books hold."""
    by = person(request)
    cycles = ClearingCycle.objects.select_related("by", "second_by").order_by("-number")
    page = Paginator(cycles, ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    waiting = Trade.objects.filter(state=TradeState.ACCEPTED, cycle=None, is_frozen=False)
    context = {
        "page": page,
        "cycles": _with_trades(list(page.object_list)),
        "waiting": _by_currency(waiting.values("currency").annotate(total=Sum("price_minor"), count=Count("pk"))),
        "open_cycle": ClearingCycle.objects.filter(state=CycleState.OPEN).first(),
        "acts": _close_acts(by),
        "payouts": _stopped_payouts(),
        "totals": _totals(),
    }
    return render_desk(request, "clearing", "admin/desks/clearing.html", context)


def _with_trades(cycles: list[ClearingCycle]) -> list[tuple[ClearingCycle, int]]:
    """Each cycle with how many trades are in it."""
    counts = dict(Trade.objects.filter(cycle__in=cycles).order_by().values_list("cycle").annotate(Count("pk")))
    return [(found, counts.get(found.pk, 0)) for found in cycles]


def _by_currency(sums: Any) -> list[tuple[Money, int]]:
    return [(Money(int(row["total"] or 0), row["currency"]), row["count"]) for row in sums.order_by("currency")]


def _close_acts(by: User) -> list[dict[str, Any]]:
    if not roles.staff_may(by, "release_clearing"):
        return []
    confirm = _("Every accepted trade that is in no cycle yet is cleared together now, before the daily cut-off.")
    return [act_button("close", _("Close the cycle now"), reverse("desk_clearing_close"), confirm=confirm)]


def _stopped_payouts() -> list[tuple[Payout, Money, str]]:
    """Payouts that do not go out by themselves: bounced and not sent again, or without an account to go to."""
    has_account = Exists(PayoutAccount.objects.filter(organisation=OuterRef("organisation")))
    rows = Payout.objects.select_related("organisation", "cycle").order_by("created_at", "pk")
    bounced = rows.filter(state=OutgoingState.BOUNCED, replaced_by=None)[:ROWS_ON_A_PAGE]
    homeless = rows.filter(~has_account, state=OutgoingState.DUE)[:ROWS_ON_A_PAGE]
    return [
        *((row, Money(row.amount_minor, row.currency), _("came back: {why}").format(why=row.error)) for row in bounced),
        *((row, Money(row.amount_minor, row.currency), _("the member names no account")) for row in homeless),
    ]


def _totals() -> list[dict[str, Any]]:
    """What each kind of account holds, by currency; every currency sums to nothing."""
    return [
        {
            "currency": currency,
            "kinds": [(Account.Kind(kind).label, Money(minor, currency)) for kind, minor in sorted(kinds.items())],
            "sum": Money(sum(kinds.values()), currency),
        }
        for currency, kinds in sorted(ledger.totals().items())
    ]


@desk("clearing")
@require_safe
def cycle(request: HttpRequest, number: int) -> HttpResponse:
    """One cycle: its trades and sums, each member's statement and payout, and who releases it."""
    found = get_object_or_404(ClearingCycle.objects.select_related("by", "second_by"), number=number)
    needs_two = clearing.needs_two_people(found)
    contained = found.trades.select_related("version", "seller", "buyer").order_by("pk")
    page = Paginator(contained, ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    statements = found.statements.select_related("organisation", "paper").defer("paper__record").order_by("pk")
    payouts = found.payouts.select_related("organisation", "replaced_by").order_by("pk")
    context = {
        "cycle": found,
        "page": page,
        "sums": _by_currency(found.trades.values("currency").annotate(total=Sum("price_minor"), count=Count("pk"))),
        "needs_two": needs_two,
        "acts": _release_acts(found, needs_two, person(request)),
        "statements": [_with_parts(row) for row in statements[: 4 * ROWS_ON_A_PAGE]],
        "payouts": [(row, Money(row.amount_minor, row.currency)) for row in payouts[: 4 * ROWS_ON_A_PAGE]],
        "events": journal.of(found).order_by("-pk"),
    }
    return render_desk(request, "clearing", "admin/desks/cycle.html", context)


def _with_parts(statement: Statement) -> tuple[Any, ...]:
    """The statement with its gross, fee, what was recovered, and net."""
    parts = ("gross", "fee", "recovered", "net")
    return statement, *(Money(getattr(statement, f"{part}_minor"), statement.currency) for part in parts)


def _release_acts(found: ClearingCycle, needs_two: bool, by: User) -> list[dict[str, Any]]:
    """Release a closed cycle; above the limit the first person confirms and another releases."""
    if found.state != CycleState.CLOSED or not roles.staff_may(by, "release_clearing"):
        return []
    is_first = needs_two and found.by_id is None
    label = _("Confirm as the first person") if is_first else _("Release")
    confirm = _("Escrow becomes fee and payout. This cannot be undone.")
    url = reverse("desk_cycle_release", args=[found.number])
    button = act_button("release", label, url, tone="primary", confirm=confirm)
    if needs_two and found.by_id == by.pk:
        button["why_not"] = _("You confirmed it; a colleague releases it.")
    return [button]


@desk("clearing")
@require_POST
def close(request: HttpRequest) -> HttpResponse:
    """Close the open cycle before its cut-off."""
    if request.POST.get("act") != "close":
        raise Http404
    by = person(request)
    done = _("The cycle is closed. It is released by itself, or by two persons above the limit.")
    back = reverse("desk_clearing")
    answer = acted(request, lambda: clearing.close(clearing.open_cycle(), by=by), done=done, back=back)
    ring(tasks.clear_cycles)
    return answer


@desk("clearing")
@require_POST
def release(request: HttpRequest, number: int) -> HttpResponse:
    """Release a closed cycle, or confirm it as the first of two."""
    found = get_object_or_404(ClearingCycle, number=number)
    by = person(request)
    back = reverse("desk_cycle", args=[number])
    answer = acted(request, lambda: trades.release(found, by=by), done=_("Done; see the cycle's state."), back=back)
    ring(tasks.pay_members)
    ring(tasks.issue_statements)
    return answer
