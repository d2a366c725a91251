"""The desk of clearing: cycles and their sums, closing and releasing them, statements and payouts, the ledger."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_POST, require_safe

from marketplace import journal, roles
from marketplace.bells import ring
from marketplace.desk_pages import ROWS_ON_A_PAGE, act_button, acted, desk, ordered, posted_id, render_desk
from marketplace.models import User
from marketplace.money import Money
from marketplace.signed_in import person
from settlement import clearing, clearing_preview, ledger, netting, reconciliation, tasks, trades
from settlement.clearing_preview import Coming, Preview
from settlement.models import Account, ClearingCycle, Payout, PayoutAccount, Statement, Trade
from settlement.states import CycleState, OutgoingState

SHOWS = {"cycles": gettext_lazy("Cycles"), "payouts": gettext_lazy("Payouts that stand still")}
PAYOUT_ORDERS = {
    "age": (gettext_lazy("Longest waiting first"), ["created_at", "pk"]),
    "amount": (gettext_lazy("Largest sum first"), ["currency", "-amount_minor", "pk"]),
}


@desk("clearing")
@require_safe
def clearing_desk(request: HttpRequest) -> HttpResponse:
    """What waits to be cleared, the cycles newest first, or payouts that do not arrive; and what the books hold."""
    show = request.GET.get("show", "")
    show = show if show in SHOWS else "cycles"
    fields, orders = ordered(request, PAYOUT_ORDERS)
    cycles = ClearingCycle.objects.select_related("by", "second_by").order_by("-number")
    stopped = _stopped_payouts()
    rows: QuerySet[Any] = cycles if show == "cycles" else stopped.order_by(*fields)
    found = Paginator(rows, ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    counts = {"cycles": cycles.count(), "payouts": stopped.count()}
    coming = clearing_preview.coming()
    context = {
        "show": show,
        "tabs": [{"show": name, "label": label, "count": counts[name]} for name, label in SHOWS.items()],
        "page": found,
        "cycles": _with_trades(list(found.object_list)) if show == "cycles" else [],
        "payouts": _with_money(list(found)) if show == "payouts" else [],
        "orders": orders if show == "payouts" else [],
        "coming": [one for one in coming if one.count or one.later],
        "idle": [one for one in coming if not (one.count or one.later)],
        "netting_waits": netting.waiting().count(),
        "totals": _totals(),
    }
    return render_desk(request, "clearing", "admin/desks/clearing.html", context)


@desk("clearing")
@require_safe
def preview(request: HttpRequest) -> HttpResponse:
    """What closing and releasing the open cycle of a currency now would do, and the button that closes it."""
    coming = {one.currency: one for one in clearing_preview.coming()}
    shown = coming.get(request.GET.get("show", "")) or max(coming.values(), key=lambda one: one.count, default=None)
    if shown is None:
        return render_desk(request, "clearing", "admin/desks/clearing_preview.html", {"coming": None})
    previewed = _previewed(clearing_preview.of_next(shown.currency, left_out_shown=ROWS_ON_A_PAGE))
    page = Paginator(previewed["preview"].by_member, ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    context = previewed | {
        "coming": shown,
        "show": shown.currency,
        "tabs": [{"show": one.currency, "label": one.currency, "count": one.count} for one in coming.values()],
        "needs_two": clearing.would_need_two_people(shown.currency),
        "acts": _close_acts(shown, previewed["preview"], person(request)),
        "page": page,
        "rows": clearing_preview.members(page),
    }
    return render_desk(request, "clearing", "admin/desks/clearing_preview.html", context)


def _previewed(found: Preview) -> dict[str, Any]:
    """What `_clearing_sums.html` shows: the preview, and the first of what is left out."""
    rows = Trade.objects.select_related("seller", "buyer", "version").defer("terms", "crossborder")
    first = rows.in_bulk(found.left_out)
    return {"preview": found, "left_out": [(first[pk], why) for pk, why in found.left_out.items()]}


def _with_trades(cycles: list[ClearingCycle]) -> list[tuple[ClearingCycle, int]]:
    """Each cycle with how many trades are in it."""
    counts = dict(Trade.objects.filter(cycle__in=cycles).order_by().values_list("cycle").annotate(Count("pk")))
    return [(found, counts.get(found.pk, 0)) for found in cycles]


def _by_currency(sums: Any) -> list[tuple[Money, int]]:
    return [(Money(int(row["moves"] or 0), row["currency"]), row["count"]) for row in sums.order_by("currency")]


def _close_acts(coming: Coming, would: Preview, by: User) -> list[dict[str, Any]]:
    if not roles.staff_may(by, "release_clearing"):
        return []
    confirm = _(
        "Every accepted trade in %(currency)s whose settlement day has come is cleared now, before its cut-off."
    ) % {"currency": coming.currency}
    fields = {"cycle": coming.cycle.number} if coming.cycle else {}
    url = reverse("desk_clearing_close")
    button = act_button("close", _("Close the cycle now"), url, fields=fields, confirm=confirm, tone="primary")
    if coming.cycle is None:
        button["why_not"] = _("Its cycle is being opened; look again in a minute.")
    elif would.total is None and not would.free:
        button["why_not"] = _("Nothing in %(currency)s is to be cleared today.") % {"currency": coming.currency}
    return [button]


def _stopped_payouts() -> QuerySet[Payout]:
    """Payouts that do not go out by themselves: bounced and not sent again, or without an account to go to."""
    has_account = Exists(PayoutAccount.objects.filter(organisation=OuterRef("organisation")))
    return Payout.objects.filter(
        Q(state=OutgoingState.BOUNCED, replaced_by=None) | Q(~has_account, state=OutgoingState.DUE)
    ).select_related("organisation", "cycle")


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
    """One cycle: what its release would do, or did: members, statements, payouts, trades; and who releases it."""
    found = get_object_or_404(ClearingCycle.objects.select_related("by", "second_by"), number=number)
    needs_two = clearing.needs_two_people(found)
    is_closed = found.state == CycleState.CLOSED
    previewed = _previewed(clearing_preview.of_cycle(found, left_out_shown=ROWS_ON_A_PAGE)) if is_closed else {}
    lists = _lists_of(found, previewed)
    show = request.GET.get("show", "")
    show = show if show in lists else next(iter(lists))
    pages = {name: Paginator(rows, ROWS_ON_A_PAGE) for name, (_label, rows, _shown) in lists.items()}
    page = pages[show].get_page(request.GET.get("page"))
    context = previewed | {
        "cycle": found,
        "show": show,
        "tabs": [
            {"show": name, "label": label, "count": pages[name].count} for name, (label, _rows, _s) in lists.items()
        ],
        "page": page,
        "rows": lists[show][2](list(page.object_list)),
        "sums": _by_currency(found.trades.values("currency").annotate(moves=clearing.moves(), count=Count("pk"))),
        "needs_two": needs_two,
        "breaks": reconciliation.breaks_before(found).count() if is_closed else 0,
        "acts": _release_acts(found, needs_two, person(request)),
        "events": journal.of(found).order_by("-pk")[:ROWS_ON_A_PAGE],
    }
    return render_desk(request, "clearing", "admin/desks/cycle.html", context)


def _lists_of(found: ClearingCycle, previewed: dict[str, Any]) -> dict[str, tuple[Any, Any, Callable[[Any], Any]]]:
    """By name what a cycle is made of: the label of its tab, its rows, and what of them is shown."""
    contained = found.trades.select_related("version", "seller", "buyer").defer("terms", "crossborder").order_by("pk")
    lists: dict[str, tuple[Any, Any, Callable[[Any], Any]]] = {}
    if previewed:
        lists["members"] = _("What each member gets"), previewed["preview"].by_member, clearing_preview.members
    if found.state == CycleState.RELEASED:
        statements = found.statements.select_related("organisation", "paper").defer("paper__record").order_by("pk")
        payouts = found.payouts.select_related("organisation", "replaced_by").order_by("pk")
        lists["statements"] = _("Statements"), statements, lambda rows: [_with_parts(row) for row in rows]
        lists["payouts"] = _("Payouts"), payouts, _with_money
    return lists | {"trades": (_("Trades"), contained, list)}


def _with_money(payouts: list[Payout]) -> list[tuple[Payout, Money]]:
    return [(payout, Money(payout.amount_minor, payout.currency)) for payout in payouts]


def _with_parts(statement: Statement) -> tuple[Any, ...]:
    """The statement with its gross, fee, shares received less those passed on, what was recovered, what was released
    of the reserve less what was kept back, and net."""
    parts = (
        statement.gross_minor,
        statement.fee_minor,
        statement.shares_received_minor - statement.shares_given_minor,
        statement.recovered_minor,
        statement.released_minor - statement.reserved_minor,
        statement.net_minor,
    )
    return statement, *(Money(minor, statement.currency) for minor in parts)


def _release_acts(found: ClearingCycle, needs_two: bool, by: User) -> list[dict[str, Any]]:
    """Release a closed cycle; above the limit the first person confirms and another releases."""
    if found.state != CycleState.CLOSED or not roles.staff_may(by, "release_clearing"):
        return []
    is_first = needs_two and found.by_id is None
    label = _("Confirm as the first person") if is_first else pgettext("clearing cycle", "Release")
    confirm = _("Escrow becomes fee and payout. This cannot be undone.")
    url = reverse("desk_cycle_release", args=[found.number])
    button = act_button("release", label, url, tone="primary", confirm=confirm)
    if needs_two and found.by_id == by.pk:
        button["why_not"] = _("You confirmed it; a colleague releases it.")
    return [button]


@desk("clearing")
@require_POST
def close(request: HttpRequest) -> HttpResponse:
    """Close an open cycle before its cut-off, and look at it; one that was closed meanwhile is not closed again."""
    if request.POST.get("act") != "close":
        raise Http404
    by, number = person(request), posted_id(request, "cycle")
    roles.require_staff(by, "release_clearing")
    shown = get_object_or_404(ClearingCycle, number=number)
    done = _("The cycle is closed. It is released by itself, or by two persons above the limit.")
    back = reverse("desk_cycle", args=[number])
    answer = acted(request, lambda: clearing.close(shown, by=by), done=done, back=back)
    ring(tasks.clear_cycles)
    return answer


@desk("clearing")
@require_POST
def release(request: HttpRequest, number: int) -> HttpResponse:
    """Release a closed cycle, or confirm it as the first of two."""
    found = get_object_or_404(ClearingCycle, number=number)
    by = person(request)
    back = reverse("desk_cycle", args=[number])

    def done() -> str:
        found.refresh_from_db(fields=["state"])
        is_released = found.state == CycleState.RELEASED
        return _("The cycle is released.") if is_released else _("You confirmed it; a colleague releases it.")

    answer = acted(request, lambda: trades.release(found, by=by), done=done, back=back)
    ring(tasks.pay_members)
    ring(tasks.issue_statements)
    return answer
