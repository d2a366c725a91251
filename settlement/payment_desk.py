"""The desk of payments: money that fits no trade, refunds that came back, and payments a bank contests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from marketplace import roles
from marketplace.bells import ring
from marketplace.desk_pages import ROWS_ON_A_PAGE, act_button, acted, desk, parsed, posted_id, render_desk
from marketplace.errors import Invalid
from marketplace.models import User
from marketplace.money import Money
from marketplace.signed_in import person
from settlement import mendings, payments, payout_accounts, tasks, trades
from settlement.forms import MendedAccountForm
from settlement.models import Chargeback, PayoutAccount, Refund, RefundMending, Unmatched
from settlement.states import ChargebackState, OutgoingState, TradeState

WHY = {
    "unknown_payment": gettext_lazy("No payment of ours has this reference."),
    "paid_twice": gettext_lazy("The trade was paid already."),
    "too_late": gettext_lazy("It came after the trade had ended, or its payment was closed."),
    "wrong_currency": gettext_lazy("It came in another currency."),
    "wrong_amount": gettext_lazy("The amount is not the price."),
}


@desk("payments")
@require_safe
def payment_desk(request: HttpRequest) -> HttpResponse:
    """What waits for this desk, the longest first; and what was decided lately."""
    by = person(request)
    unmatched = Unmatched.objects.filter(decided_at=None).select_related("payment__trade").order_by("arrived_at", "pk")
    page = Paginator(unmatched, ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    bounced = (
        bounced_refunds().select_related("trade", "unmatched").prefetch_related("mendings").order_by("created_at", "pk")
    )
    contested = Chargeback.objects.filter(state=ChargebackState.OPEN).select_related("trade", "payment")
    decided = Unmatched.objects.filter(decided_at__isnull=False).select_related("decided_by", "payment__trade")
    accounts = payout_accounts.waiting_for_staff().select_related("organisation", "by").order_by("created_at", "pk")
    context = {
        "page": page,
        "accounts": [(account, _account_acts(account, by)) for account in accounts[:ROWS_ON_A_PAGE]],
        "unmatched": _unmatched_rows(list(page.object_list), by),
        "bounced": [(refund, _money(refund), _refund_acts(refund, by)) for refund in bounced[:ROWS_ON_A_PAGE]],
        "chargebacks": [(row, _money(row)) for row in contested.order_by("opened_at")[:ROWS_ON_A_PAGE]],
        "decided": [(row, _money(row)) for row in decided.order_by("-decided_at")[:ROWS_ON_A_PAGE]],
    }
    return render_desk(request, "payments", "admin/desks/payments.html", context)


def bounced_refunds() -> Any:
    """Refunds that came back and were not sent again."""
    return Refund.objects.filter(state=OutgoingState.BOUNCED, replaced_by=None)


def _money(row: Any) -> Money:
    return Money(row.amount_minor, row.currency)


def _unmatched_rows(rows: list[Unmatched], by: User) -> list[dict[str, Any]]:
    arrived = _arrived_by_trade(rows)
    shown = []
    for row in rows:
        trade = row.payment.trade if row.payment else None
        together = arrived.get((trade.pk, row.currency), 0) if trade else 0
        shown.append(
            {
                "row": row,
                "money": _money(row),
                "trade": trade,
                "why": WHY.get(row.why, row.why),
                "together": Money(together, row.currency) if trade and together != row.amount_minor else None,
                "acts": _unmatched_acts(row, together, by),
            }
        )
    return shown


def _arrived_by_trade(rows: Iterable[Unmatched]) -> dict[tuple[int, str], int]:
    """What waits in suspense for each of these trades, in minor units by currency; what came too late left out."""
    trades_named = {row.payment.trade_id for row in rows if row.payment}
    waiting = Unmatched.objects.filter(payment__trade__in=trades_named, decided_at=None).exclude(why="too_late")
    sums = waiting.values("payment__trade", "currency").annotate(total=Sum("amount_minor"))
    return {(one["payment__trade"], one["currency"]): one["total"] for one in sums}


def _unmatched_acts(row: Unmatched, together: int, by: User) -> list[dict[str, Any]]:
    """Return it; or apply it, once what arrived covers the price of a trade that still waits for it."""
    if not roles.staff_may(by, "match_payment"):
        return []
    url, fields = reverse("desk_payment_act"), {"row": row.pk}
    trade = row.payment.trade if row.payment else None
    confirm = _("It goes back to the payer, and cannot be called back.")
    acts = [act_button("return", _("Return"), url, fields=fields, confirm=confirm)]
    if trade is not None and trade.state == TradeState.REGISTERED and row.currency == trade.currency:
        confirm = _("It funds the trade; what is left over goes back to the payer.")
        apply = act_button("apply", _("Apply to the trade"), url, fields=fields, confirm=confirm)
        if together < trade.price_minor:
            apply["why_not"] = _("Less than the price has arrived.")
        acts.append(apply)
    return acts


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


def _account_acts(account: PayoutAccount, by: User) -> list[dict[str, Any]]:
    if not roles.staff_may(by, "confirm_account"):
        return []
    url, fields = reverse("desk_payment_act"), {"row": account.pk}
    confirm = _("It serves at once if it is the first, otherwise after its wait. Every owner is told.")
    return [
        act_button("confirm_account", _("Confirm the account"), url, fields=fields, confirm=confirm),
        act_button("drop_account", _("Stop it"), url, fields=fields, tone="danger"),
    ]


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
    row_id = posted_id(request, "row")
    if act in MENDING_ACTS:
        mending = get_object_or_404(RefundMending.objects.select_related("refund"), pk=row_id)
        mend, told = MENDING_ACTS[act]
        answer = acted(request, lambda: mend(mending, by=by), done=told, back=back)
        ring(tasks.pay_refunds)
        return answer
    if act in ACCOUNT_ACTS:
        account = get_object_or_404(PayoutAccount, pk=row_id)
        command, told = ACCOUNT_ACTS[act]
        answer = acted(request, lambda: command(account, by=by), done=told, back=back)
        ring(tasks.pay_members)
        return answer
    if act == "send_again":
        refund = get_object_or_404(Refund, pk=row_id)
        said = parsed(MendedAccountForm(request.POST))
        done = _("Sent again; to another account once a colleague confirms it.")
        answer = acted(request, lambda: mendings.send_again(refund, by=by, **said), done=done, back=back)
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
        done = _("The trade is funded.")
        answer = acted(request, lambda: trades.apply_suspense(trade, by=by), done=done, back=back)
        ring(tasks.open_grants)
        return answer
    raise Http404
