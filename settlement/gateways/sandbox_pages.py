"""The pages of the sandbox's bank: where a buyer pays, or acts out any way a payment can go wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from marketplace import money, roles
from marketplace.bells import ring
from marketplace.models import User
from settlement.gateways import sandbox_bank
from settlement.models import Payment, SandboxOrder, Trade
from settlement.tasks import post_sandbox_notices

LABELS = {
    "pay": _("Pay now"),
    "pay_less": _("Pay too little"),
    "pay_more": _("Pay too much"),
    "pay_twice": _("Pay twice"),
    "pay_late": _("Pay later"),
    "fail": _("Let the payment fail"),
    "charge_back": _("Charge back"),
    "win_chargeback": _("Decide the chargeback for the seller"),
    "lose_chargeback": _("Decide the chargeback for the buyer"),
    "bounce": _("Let it bounce"),
}
TOLD = {
    "paid": _("Paid"),
    "payment_failed": _("The payment failed"),
    "refunded": _("Refunded"),
    "refund_failed": _("The refund bounced"),
    "paid_out": _("Paid out"),
    "payout_failed": _("The payout bounced"),
    "disputed": _("The payer's bank contests the payment"),
    "dispute_closed": _("The contest is closed"),
}


class AmountField(forms.CharField):
    """An amount of the order's currency, in minor units once cleaned; empty for the act's own."""

    def __init__(self, currency: str) -> None:
        super().__init__(label=_("Amount"), required=False, max_length=30)
        self.currency = currency
        self.help_text = _("In %(currency)s; left empty, the act chooses it.") % {"currency": currency}

    def clean(self, value: Any) -> int | None:
        written = super().clean(value)
        if not written:
            return None
        try:
            return money.parse(written, self.currency).minor
        except money.NotAnAmount as mistake:
            raise forms.ValidationError(str(mistake)) from mistake


class ActForm(forms.Form):
    """What an act of the bank may be told."""

    def __init__(self, what: str, currency: str, data: Any = None) -> None:
        super().__init__(data, auto_id=f"{what}_%s")
        if what in ("pay_less", "pay_more", "charge_back"):
            self.fields["amount_minor"] = AmountField(currency)
        if what == "pay_late":
            self.fields["delay_seconds"] = forms.IntegerField(
                label=_("In how many seconds"), initial=60, min_value=0, max_value=sandbox_bank.LONGEST_DELAY_SECONDS
            )
        if what in ("pay_less", "pay_more", "pay_twice", "pay_late"):
            self.fields["account"] = forms.CharField(
                label=_("From the account"),
                required=False,
                max_length=120,
                help_text=_("Money returned to one named “bounce” or “bounce-once” bounces."),
            )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def pay(request: HttpRequest, reference: str) -> HttpResponse:
    """The page of one order of the bank. Answers 404 to a reference there is none of, 409 to an act it is past."""
    order = known_order(reference, request.user)  # type: ignore[arg-type]
    form = None
    if request.method == "POST":
        what = request.POST.get("act", "")
        form = ActForm(what, order.currency, request.POST)
        if form.is_valid():
            sandbox_bank.act(reference, what, **form.cleaned_data)
            ring(post_sandbox_notices)
            messages.success(request, _("The bank will say so to the exchange."))
            return redirect("sandbox_pay", reference=reference)
    context = {
        "order": order,
        "trade": _paid_for(order, request.user),  # type: ignore[arg-type]
        "amount": money.Money(order.amount_minor, order.currency),
        "acts": _buttons(order, request, form),
        "told": [
            {
                "label": TOLD[str(one["type"])],
                "at": dt.datetime.fromisoformat(str(one["at"])),
                "moved": money.Money(int(str(one["moved_minor"])), order.currency) if one["moved_minor"] else "",
            }
            for one in sandbox_bank.told_of(order)
        ],
    }
    return render(request, "settlement/sandbox_pay.html", context, status=400 if form else 200)


def known_order(reference: str, by: User) -> SandboxOrder:
    """The order, for whoever knows its reference; what leaves the exchange is for its staff. Raises NoSuchOrder."""
    if "sandbox" not in settings.GATEWAYS:
        raise Http404
    order = sandbox_bank.order(reference)
    if order.kind != SandboxOrder.Kind.PAYMENT:
        roles.require_staff(by, "match_payment")
    return order


def _paid_for(order: SandboxOrder, by: User) -> Trade | None:
    """The trade this order pays for, for somebody of its buyer, so that they find their way back."""
    payment = Payment.objects.select_related("trade__buyer").filter(key=order.key).first()
    return payment.trade if payment is not None and by.role_in(payment.trade.buyer) else None


def _buttons(order: SandboxOrder, request: HttpRequest, tried: ActForm | None) -> Iterable[dict[str, Any]]:
    for what in sandbox_bank.possible_acts(order):
        is_tried = tried is not None and request.POST.get("act") == what
        form = tried if is_tried else ActForm(what, order.currency)
        yield {
            "label": LABELS[what],
            "url": request.path,
            "fields": {"act": what},
            "form": form if form and form.fields else None,
            "tone": {"pay": "primary", "fail": "danger"}.get(what, ""),
        }
