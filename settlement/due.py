"""What waits to be done here, for the health page and the desk of stuck work."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db.models import DateTimeField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest

from marketplace import clock, health
from settlement import payout_accounts
from settlement.channels import channel
from settlement.models import Grant, Notice, Payment, Payout, Refund, SandboxNotice, Statement, Trade
from settlement.states import GrantState, OutgoingState, PaymentState, TradeState

UNFINISHED_PAYMENTS = (PaymentState.REQUESTED, PaymentState.STARTED)


def watch() -> None:
    """Tell the health page of every kind of work; called once, when Django has loaded the app."""
    register = health.register
    register("trades to register", lambda: Trade.objects.filter(state=TradeState.AGREED))
    register("payments to start", lambda: Payment.objects.filter(state=PaymentState.REQUESTED, is_stop_due=False))
    register("payments to stop", lambda: Payment.objects.filter(state__in=UNFINISHED_PAYMENTS, is_stop_due=True))
    register("notices to read", lambda: Notice.objects.filter(read_at=None))
    register("notices of the sandbox to post", lambda: SandboxNotice.objects.filter(posted_at=None))
    register(
        "grants to open",
        lambda: Grant.objects.filter(
            state=GrantState.DUE, is_close_due=False, trade__state=TradeState.FUNDED, trade__is_frozen=False
        ),
    )
    register(
        "grants to close",
        lambda: Grant.objects.exclude(state=GrantState.CLOSED).filter(
            Q(is_close_due=True) | Q(opened_at__isnull=False, ends_at__lte=clock.now())
        ),
        since=Greatest("next_try_at", Coalesce("ends_at", "next_try_at")),
    )
    register("trades to expire", lambda: Trade.objects.overdue(), since=Greatest("next_try_at", _deadline()))
    register(
        "trades to deem accepted",
        lambda: Trade.objects.filter(state=TradeState.DELIVERED, inspect_until__lte=clock.now(), is_frozen=False),
        since=Greatest("next_try_at", "inspect_until"),
    )
    register("payouts to send", _payouts)
    register("refunds to send", lambda: Refund.objects.filter(state=OutgoingState.DUE))
    register(
        "certificates to issue",
        lambda: Trade.objects.filter(state=TradeState.SETTLED, certificate=None),
        since=Greatest("next_try_at", "settled_at"),
    )
    register("statements to issue", lambda: Statement.objects.filter(paper=None), since="created_at")
    health.register_sign(delivery_channels)


def delivery_channels() -> health.Sign:
    """Whether every configured channel can deliver."""
    ill = [f"{name}: {illness}" for name in settings.CHANNELS if (illness := channel(name).health())]
    return health.Sign("delivery channels", not ill, " ".join(ill))


def _payouts() -> QuerySet[Payout]:
    """Payouts that are due and know where to go."""
    has_account = Exists(payout_accounts.serving().filter(organisation=OuterRef("organisation")))
    return Payout.objects.filter(has_account, state=OutgoingState.DUE)


def _deadline() -> Coalesce:
    """When a trade that waits for a party must end, holds left aside."""
    funding = dt.timedelta(days=settings.FUND_WITHIN_DAYS)
    return Coalesce("fund_until", ExpressionWrapper(F("agreed_at") + funding, DateTimeField()), "agree_until")
