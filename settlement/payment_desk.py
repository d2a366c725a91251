"""The desk of payments: money that fits no trade, refunds that came back, and payments a bank contests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from marketplace import roles
from marketplace.bells import ring
from marketplace.desk_pages import ROWS_ON_A_PAGE, act_button, acted, desk, ordered, parsed, posted_id, render_desk
from marketplace.errors import Invalid
from marketplace.models import User
from marketplace.money import Money
from marketplace.signed_in import person
from settlement import contested, instalments, mendings, payments, payout_accounts, tasks, trades
from settlement.forms import MendedAccountForm
from settlement.models import Chargeback, PayoutAccount, Refund, RefundMending, Unmatched
from settlement.states import ChargebackState, OutgoingState, TradeState


@dataclass(frozen=True)
class PaymentQueue:
    """One list of the desk: its rows, the orders they can be sorted by, and what of each its table shows."""

    label: Promise
    rows: Callable[[], QuerySet[Any]]
    orders: dict[str, tuple[Promise, list[str]]]
    shown: Callable[[list[Any], User], list[Any]]


@desk("payments")
@require_safe
def payment_desk(request: HttpRequest) -> HttpResponse:
    """What waits for this desk, list by list, the longest first; and what was decided lately."""
    asked = request.GET.get("show", "")
    show = asked if asked in QUEUES else "unmatched"
    queue = QUEUES[show]
    fields, orders = ordered(request, queue.orders)
    page = Paginator(queue.rows().order_by(*fields), ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "show": show,
        "tabs": [{"show": name, "label": one.label, "count": one.rows().count()} for name, one in QUEUES.items()],
        "orders": orders,
        "page": page,
        "rows": queue.shown(list(page.object_list), person(request)),
    }
    return render_desk(request, "payments", "admin/desks/payments.html", context)


def _unmatched() -> QuerySet[Unmatched]:
    return Unmatched.objects.filter(decided_at=None).select_related("payment__trade__offer")


def bounced_refunds() -> QuerySet[Refund]:
    """Refunds that came back and were not sent again."""
    return Refund.objects.filter(state=OutgoingState.BOUNCED, replaced_by=None)


def _refunds() -> QuerySet[Refund]:
    return bounced_refunds().select_related("trade", "unmatched").prefetch_related("mendings")


def _accounts() -> QuerySet[PayoutAccount]:
    return payout_accounts.waiting_for_staff().select_related("organisation", "by")


def _chargebacks() -> QuerySet[Chargeback]:
    return Chargeback.objects.filter(state=ChargebackState.OPEN).select_related("trade", "payment")


def _decided() -> QuerySet[Unmatched]:
    return Unmatched.objects.filter(decided_at__isnull=False).select_related("decided_by", "payment__trade")


def _money(row: Any) -> Money:
    return Money(row.amount_minor, row.currency)


def _unmatched_rows(rows: list[Unmatched], by: User) -> list[dict[str, Any]]:
    arrived = _arrived_by_trade(rows)
    open_now = contested.of_trades_of(rows)
    shown = []
    for row in rows:
        trade = row.payment.trade if row.payment else None
        together = arrived.get((trade.pk, row.currency), 0) if trade else 0
        shown.append(
            {
                "row": row,
                "money": _money(row),
                "trade": trade,
                "why": row.why_words,
                "together": Money(together, row.currency) if trade and together != row.amount_minor else None,
                "acts": _unmatched_acts(row, together, open_now, by),
            }
        )
    return shown


def _arrived_by_trade(rows: Iterable[Unmatched]) -> dict[tuple[int, str], int]:
    """What waits in suspense for each of these trades, in minor units by currency; what came too late left out."""
    trades_named = {row.payment.trade_id for row in rows if row.payment}
    waiting = Unmatched.objects.filter(payment__trade__in=trades_named, decided_at=None).exclude(why="too_late")
    sums = waiting.values("payment__trade", "currency").annotate(total=Sum("amount_minor"))
    return {(one["payment__trade"], one["currency"]): one["total"] for one in sums}


def _unmatched_acts(row: Unmatched, together: int, open_now: list[Chargeback], by: User) -> list[dict[str, Any]]:
    """Return it; or apply it, once what arrived covers the price of a trade that still waits for it. Neither while the
    payer's bank contests it."""
    if not roles.staff_may(by, "match_payment"):
        return []
    url, fields = reverse("desk_payment_act"), {"row": row.pk}
    trade = row.payment.trade if row.payment else None
    confirm = _("It goes back to the payer, and cannot be called back.")
    acts = [act_button("return", _("Return"), url, fields=fields, confirm=confirm)]
    if any(one.payment_id == row.payment_id for one in open_now):
        acts[0]["why_not"] = contested.Contested.says
    if trade is not None and trade.state == TradeState.REGISTERED and row.currency == trade.currency:
        confirm = _("It pays the trade, or its next instalments; what is left over goes back to the payer.")
        apply = act_button("apply", _("Apply to the trade"), url, fields=fields, confirm=confirm)
        if together < instalments.asked([trade])[trade.pk][1]:
            apply["why_not"] = _("Less than the price has arrived.")
        elif any(one.trade_id == trade.pk for one in open_now):
            apply["why_not"] = contested.Contested.says
        acts.append(apply)
    return acts


def _refund_rows(rows: list[Refund], by: User) -> list[Any]:
    return [(refund, _money(refund), _refund_acts(refund, by)) for refund in rows]


def _refund_acts(refund: Refund, by: User) -> list[dict[str, Any]]:
    if not roles.staff_may(by, "match_payment"):
        return []
    form = MendedAccountForm(auto_id=f"refund_{refund.pk}_%s")
    url, fields = reverse("desk_payment_act"), {"row": refund.pk}
    mending = next((one for one in refund.mendings.all() if not one.confirmed_at and not one.dropped_at), None)
    if mending is not None:
        words = _("Confirm the account %s") % mending.payer_reference
        confirm = act_button("confirm_mending", words, url, fields={"row": mending.pk})
        if mending.by_id == by.pk:
            confirm["why_not"] = _("You named it; a colleague confirms it.")
        return [confirm, act_button("drop_mending", _("Drop it"), url, fields={"row": mending.pk})]
    return [act_button("send_again", _("Send again"), url, fields=fields, form=form)]


def _account_rows(rows: list[PayoutAccount], by: User) -> list[Any]:
    return [(account, _account_acts(account, by)) for account in rows]


def _account_acts(account: PayoutAccount, by: User) -> list[dict[str, Any]]:
    if not roles.staff_may(by, "confirm_account"):
        return []
    url, fields = reverse("desk_payment_act"), {"row": account.pk}
    confirm = _("It serves at once if it is the first, otherwise after its wait. Every owner is told.")
    return [
        act_button("confirm_account", _("Confirm the account"), url, fields=fields, confirm=confirm),
        act_button("drop_account", _("Stop it"), url, fields=fields, tone="danger"),
    ]


def _with_money(rows: list[Any], by: User) -> list[Any]:
    return [(row, _money(row)) for row in rows]


def _waiting_since(name: str, **others: tuple[Promise, list[str]]) -> dict[str, tuple[Promise, list[str]]]:
    return {"age": (gettext_lazy("Longest waiting first"), [name, "pk"]), **others}


LARGEST = (gettext_lazy("Largest sum first"), ["currency", "-amount_minor", "pk"])
QUEUES = {
    "unmatched": PaymentQueue(
        gettext_lazy("Unmatched money"), _unmatched, _waiting_since("arrived_at", amount=LARGEST), _unmatched_rows
    ),
    "refunds": PaymentQueue(
        gettext_lazy("Refunds that came back"), _refunds, _waiting_since("created_at", amount=LARGEST), _refund_rows
    ),
    "accounts": PaymentQueue(
        gettext_lazy("Payout accounts to confirm"), _accounts, _waiting_since("created_at"), _account_rows
    ),
    "chargebacks": PaymentQueue(
        gettext_lazy("Open chargebacks"), _chargebacks, _waiting_since("opened_at", amount=LARGEST), _with_money
    ),
    "decided": PaymentQueue(
        gettext_lazy("Decided"),
        _decided,
        {"newest": (gettext_lazy("Newest first"), ["-decided_at", "-pk"]), "amount": LARGEST},
        _with_money,
    ),
}
MENDING_ACTS = {
    "confirm_mending": (mendings.confirm, gettext_lazy("The refund is on its way again.")),
    "drop_mending": (mendings.drop, gettext_lazy("Dropped.")),
}
ACCOUNT_ACTS = {
    "confirm_account": (payout_accounts.confirm, gettext_lazy("The account is confirmed.")),
    "drop_account": (payout_accounts.drop, gettext_lazy("The account is stopped.")),
}


@desk("payments")
@require_POST
def payment_act(request: HttpRequest) -> HttpResponse:
    """Return or apply money, or send a refund again; through the commands."""
    act, by, back = request.POST.get("act", ""), person(request), reverse("desk_payments")
    refunds, accounts = f"{back}?show=refunds", f"{back}?show=accounts"
    row_id = posted_id(request, "row")
    if act in MENDING_ACTS:
        mending = get_object_or_404(RefundMending.objects.select_related("refund"), pk=row_id)
        mend, told = MENDING_ACTS[act]
        answer = acted(request, lambda: mend(mending, by=by), done=told, back=refunds)
        ring(tasks.pay_refunds)
        return answer
    if act in ACCOUNT_ACTS:
        account = get_object_or_404(PayoutAccount, pk=row_id)
        command, told = ACCOUNT_ACTS[act]
        answer = acted(request, lambda: command(account, by=by), done=told, back=accounts)
        ring(tasks.pay_members)
        return answer
    if act == "send_again":
        refund = get_object_or_404(Refund, pk=row_id)
        said = parsed(MendedAccountForm(request.POST))
        done = _("Sent again; to another account once a colleague confirms it.")
        answer = acted(request, lambda: mendings.send_again(refund, by=by, **said), done=done, back=refunds)
        ring(tasks.pay_refunds)
        return answer
    unmatched = get_object_or_404(Unmatched.objects.select_related("payment__trade"), pk=row_id)
    if act == "return":
        done = _("The money is on its way back.")
        answer = acted(request, lambda: payments.return_unmatched(unmatched, by=by), done=done, back=back)
        ring(tasks.pay_refunds)
        return answer
    if act == "apply":
        if unmatched.payment is None:
            raise Invalid(_("This money names no trade."), code="no_trade", next=_("Return it."))
        trade = unmatched.payment.trade
        done = _("The money was applied to the trade.")
        answer = acted(request, lambda: trades.apply_suspense(trade, by=by), done=done, back=back)
        ring(tasks.start_payments)
        ring(tasks.open_grants)
        return answer
    raise Http404
