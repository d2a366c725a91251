"""What waits to be done here, for the health page and the desk of stuck work."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import DatabaseError
from django.db.models import DateTimeField, ExpressionWrapper, F
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_noop as _

from marketplace import clock, health
from settlement import billing, deliveries, invoices, payments, payouts, reconciliation, renewals
from settlement.channels import channel
from settlement.models import SandboxNotice, Statement, Trade
from settlement.states import TradeState


def watch() -> None:
    """Tell the health page of every kind of work; called once, when Django has loaded the app."""
    register = health.register
    register(_("trades to register"), lambda: Trade.objects.filter(state=TradeState.AGREED))
    register(_("payments to start"), payments.due_to_start)
    register(_("payments to stop"), payments.due_to_stop)
    register(_("notices to read"), payments.unread)
    register(_("notices of the sandbox to post"), lambda: SandboxNotice.objects.filter(posted_at=None))
    register(_("grants to open"), deliveries.due_to_open)
    register(
        _("grants to close"),
        deliveries.due_to_close,
        since=Greatest("next_try_at", Coalesce("ends_at", "next_try_at")),
    )
    register(_("licences to renew"), renewals.due)
    register(_("calls to bill"), billing.due, since=Greatest("trade__next_try_at", "waits_since"))
    register(_("trades to expire"), lambda: Trade.objects.overdue(), since=Greatest("next_try_at", _deadline()))
    register(
        _("trades to deem accepted"),
        lambda: Trade.objects.filter(state=TradeState.DELIVERED, inspect_until__lte=clock.now(), is_frozen=False),
        since=Greatest("next_try_at", "inspect_until"),
    )
    register(_("payouts to send"), payouts.due)
    register(_("refunds to send"), payments.refunds_due)
    register(
        _("certificates to issue"),
        lambda: Trade.objects.filter(state=TradeState.SETTLED, certificate=None),
        since=Greatest("next_try_at", "settled_at"),
    )
    register(_("statements to issue"), lambda: Statement.objects.filter(paper=None), since="created_at")
    register(_("clearing cycles to invoice"), invoices.cycles_due, since="released_at")
    health.register_sign(delivery_channels)
    health.register_sign(books)


def delivery_channels() -> health.Sign:
    """Whether every configured channel can deliver."""
    ill = [f"{name}: {illness}" for name in settings.CHANNELS if (illness := channel(name).health())]
    return health.Sign(_("delivery channels"), not ill, " ".join(ill))


def books() -> health.Sign:
    """Whether the books of every day that ended were compared and agree. A break blocks clearing, not the exchange."""
    try:
        late = [name for name in settings.GATEWAYS if reconciliation.is_late(name)]
        number = reconciliation.open_breaks().count()
    except DatabaseError:
        return health.Sign(_("books"), False, gettext("cannot be known while the database does not answer"), False)
    details = [gettext("not reconciled in time: %(gateways)s") % {"gateways": ", ".join(late)}] if late else []
    if number:
        details.append(ngettext("%(number)s open break", "%(number)s open breaks", number) % {"number": number})
    return health.Sign(_("books"), not details, "; ".join(details), is_needed=False)


def _deadline() -> Coalesce:
    """When a trade that waits for a party must end, holds left aside."""
    funding = dt.timedelta(days=settings.FUND_WITHIN_DAYS)
    return Coalesce("fund_until", ExpressionWrapper(F("agreed_at") + funding, DateTimeField()), "agree_until")
