"""What the page of one trade shows each of its two parties."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from listings import terms
from listings.product_page import language_of
from marketplace import posted, roles
from marketplace.errors import Refused
from marketplace.models import Organisation, Paper, User
from marketplace.money import Money
from settlement import (
    deadlines,
    deliveries,
    extensions,
    gateway_charges,
    instalments,
    invoices,
    licensee_notices,
    metering,
    payouts,
    positions,
    renewals,
    taxes,
    timeline,
    upgrades,
    waits,
)
from settlement.bank import details
from settlement.channels import channel
from settlement.models import Statement, Trade, Transfer
from settlement.states import GrantState, PaymentState, TradeState
from settlement.trade_acts import ACTS, OF_THE_LICENCE

SHOWN_RECEIPTS = 20
SHOWN_BILLS = 12
SHOWN_NOTICES = 5


COURSE = {
    TradeState.PROPOSED: gettext_lazy("Proposed"),
    TradeState.AGREED: gettext_lazy("Agreed"),
    TradeState.REGISTERED: gettext_lazy("Registered"),
    TradeState.FUNDED: gettext_lazy("Paid into escrow"),
    TradeState.DELIVERED: gettext_lazy("Delivered"),
    TradeState.ACCEPTED: gettext_lazy("Accepted"),
    TradeState.CLEARED: gettext_lazy("Cleared"),
    TradeState.SETTLED: gettext_lazy("Settled, with its certificate"),
}
STOPPED = {"trade.declined", "trade.cancelled", "trade.expired", "trade.refunded", "trade.disputed"}


def context(
    trade: Trade, organisation: Organisation, by: User, bound: Mapping[str, forms.Form] | None = None
) -> dict[str, Any]:
    """Everything the page shows `organisation`. `bound` are the forms of acts that were sent and lacked something."""
    following, parts = waits.of(trade), instalments.shown(trade)
    possible = [act.name for act in timeline.possible_acts(trade, organisation, by)]
    is_buyer = organisation.pk == trade.buyer_id
    return {
        "trade": trade,
        "title_lang": language_of(trade.version, trade.version.titles),
        "is_buyer": is_buyer,
        "renewed_by": extensions.standing_renewals(trade).first() if trade.delivered_at else None,
        "upgraded_by": extensions.standing_upgrades(trade).first() if trade.delivered_at else None,
        "dearer": upgrades.possible(trade) if is_buyer and roles.may(by, organisation, "propose") else [],
        "goes_on_with": trade.offer.converts_to,
        "renews_on": renewals.renews_on(trade.grant) if is_buyer and hasattr(trade, "grant") else None,
        "following": following,
        "following_who": who(following.who, trade, organisation),
        "otherwise": _otherwise(trade, following, parts),
        "is_ours": following.who == ("buyer" if is_buyer else "seller"),
        "acts": _buttons(trade, [name for name in possible if name not in OF_THE_LICENCE], bound or {}),
        "licence_acts": _buttons(trade, [name for name in possible if name in OF_THE_LICENCE], {}),
        "timeline": _timeline(trade, following, organisation),
        "transfer": details.of(trade) if "pay" in possible else None,
        "licence": said_plainly(trade.terms),
        "money": money_of(trade, is_buyer=is_buyer),
        "tax": taxes.shown_of(trade) if trade.price_minor else None,
        "instalments": parts,
        "days_to_fund": deadlines.days_to_fund(trade.offer),
        "usage": metering.of(trade),
        "bills": metering.bills(trade).order_by("-pk")[:SHOWN_BILLS] if trade.is_metered else [],
        "statement": _statement(trade),
        "access": _access(trade, by, may_download="download" in possible),
        "papers": _papers(trade),
        "invoices": invoices.of_trade(trade, organisation) if roles.may(by, organisation, "see_money") else [],
        "notices": licensee_notices.of(trade.listing, organisation)[:SHOWN_NOTICES],
        "dispute": getattr(trade, "dispute", None),
    }


def _otherwise(trade: Trade, following: waits.Next, parts: list[dict[str, Any]]) -> str:
    """What happens when the time of the present wait is over; "" where none runs."""
    if following.until is None:
        return ""
    if trade.state == TradeState.REGISTERED and any(part["paid_at"] for part in parts):
        return _("the trade lapses, and what was paid goes back.")
    return following.otherwise


def said_plainly(licence: Any) -> terms.PlainWords:
    """The licence in the reader's language."""
    language = get_language() or "en"
    return terms.plain_words(licence, language if language in terms.LANGUAGES else "en")


def who(side: str, trade: Trade, organisation: Organisation | None) -> str:
    """The one who acts next, by name."""
    if side == "exchange":
        return _("the exchange")
    if side == "nobody":
        return ""
    party = trade.buyer if side == "buyer" else trade.seller
    name = party.shown_name
    return _("you, for %s") % name if organisation is not None and party.pk == organisation.pk else name


# --- acts ----------------------------------------------------------------------------------------------------------


def _buttons(trade: Trade, possible: list[str], bound: Mapping[str, forms.Form]) -> list[dict[str, Any]]:
    """What one may do now as templates/_acts.html takes it, in the order of ACTS, paying first."""
    buttons: list[dict[str, Any]] = []
    if "pay" in possible and (url := pay_url(trade)):
        buttons.append({"label": timeline.LABELS["pay"], "url": url, "is_link": True, "tone": "primary"})
    for name, act in ACTS.items():
        if name in possible:
            form = bound.get(name) or (act.form(auto_id=f"{name}_%s") if act.form else None)
            buttons.append(
                {
                    "label": timeline.LABELS[name],
                    "url": reverse("trade_act", args=[trade.public_id, name]),
                    "tone": act.tone,
                    "confirm": act.confirm,
                    "form": form,
                    "key": posted.new_key(),
                }
            )
    return buttons


def answer_buttons(trade: Trade, may: Iterable[str]) -> list[dict[str, Any]]:
    """Agreeing and declining in a list of requests, to which the page then returns."""
    return [
        {
            "label": timeline.LABELS[name],
            "url": reverse("trade_act", args=[trade.public_id, name]),
            "key": posted.new_key(),
            "fields": {"back": "requests"},
            "form": form(auto_id=f"{name}_{trade.pk}_%s") if (form := ACTS[name].form) else None,
        }
        for name in may
    ]


def days_to_answer() -> int:
    """Within how many days a seller promises to answer a request."""
    return int(settings.AGREE_WITHIN_DAYS)


def pay_url(trade: Trade) -> str:
    """Where the buyer pays; '' while the gateway has not answered."""
    started = trade.payments.filter(state=PaymentState.STARTED).order_by("-pk").first()
    return started.pay_at_url if started else ""


# --- what happened -------------------------------------------------------------------------------------------------


def _timeline(trade: Trade, following: waits.Next, organisation: Organisation) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = [
        {
            "title": step.text,
            "state": "stopped" if step.kind in STOPPED else "done",
            "at": step.at,
            "by": _("position %s in the journal") % step.position if step.position is not None else "",
        }
        for step in timeline.steps(trade)
    ]
    if following.who != "nobody":
        shown.append(
            {
                "title": following.text,
                "state": "now",
                "who": who(following.who, trade, organisation),
                "until": following.until,
            }
        )
    states = list(COURSE)
    if trade.state in states:
        shown += [
            {"title": COURSE[state], "state": "next"} for state in states[states.index(TradeState(trade.state)) + 1 :]
        ]
    elif trade.state == TradeState.DISPUTED:
        shown += [{"title": COURSE[state], "state": "next"} for state in (TradeState.CLEARED, TradeState.SETTLED)]
    return shown


# --- money ---------------------------------------------------------------------------------------------------------


def money_of(trade: Trade, *, is_buyer: bool = False) -> dict[str, Any]:
    """Payments, refunds and chargebacks; unless the buyer asks, also fee, net and payout."""
    shown: dict[str, Any] = {
        "payments": _with_amount(trade.payments.order_by("pk")),
        "refunds": _with_amount(trade.refunds.select_related("payment").order_by("pk")),
        "chargebacks": _with_amount(trade.chargebacks.order_by("pk")),
        "is_being_started": trade.payments.filter(state=PaymentState.REQUESTED).exists(),
    }
    return shown if is_buyer or not trade.price_minor else shown | _sellers_side(trade)


def _with_amount(rows: Iterable[Any]) -> list[tuple[Any, Money]]:
    return [(row, Money(row.amount_minor, row.currency)) for row in rows]


def _sellers_side(trade: Trade) -> dict[str, Any]:
    """Fee, shares passed on and net, as the ledger moved them or as they will be; their payout and statement."""
    moved = dict(
        Transfer.objects.filter(key__in=[f"fee-{trade.pk}", f"net-{trade.pk}"]).values_list("key", "amount_minor")
    )
    fee_minor = moved.get(f"fee-{trade.pk}", 0)
    net_minor = moved.get(f"net-{trade.pk}", 0)
    if not trade.cleared_at:
        gross_minor = _left_of_the_price(trade)
        fee_minor = trade.fee_schedule.fee_minor(gross_minor)
        net_minor = gross_minor - fee_minor
    own = trade.shares.filter(share__split__listing=trade.listing_id).values_list("share__basis_points", flat=True)
    passed_minor = sum(positions.share_of(net_minor, basis_points) for basis_points in own)
    mine = {"cycle": trade.cycle_id, "organisation": trade.seller_id, "currency": trade.currency}
    cleared = trade.cleared_at is not None
    charges_minor = gateway_charges.borne_minor(trade) if trade.fee_schedule.seller_bears_charges else 0
    return {
        "is_cleared": cleared,
        "fee": Money(fee_minor, trade.currency),
        "shares": Money(passed_minor, trade.currency),
        "net": Money(net_minor - passed_minor, trade.currency),
        "fee_percent": trade.fee_schedule.percent,
        "payouts": _with_amount(payouts.of_trade(trade)) if cleared else [],
        "charges": Money(charges_minor, trade.currency) if charges_minor else None,
        "statement": Statement.objects.filter(**mine).first() if cleared else None,
    }


def _left_of_the_price(trade: Trade) -> int:
    """What is or will be cleared of it, in minor units: less what a decision gave back, and nothing once it ended."""
    if trade.ended_at is not None:
        return 0
    decided = getattr(trade, "dispute", None)
    return trade.price_minor - (decided.refund_minor or 0 if decided else 0)


# --- access and papers ---------------------------------------------------------------------------------------------


def _access(trade: Trade, by: User, *, may_download: bool) -> dict[str, Any] | None:
    """The files with their digests, for the buyer with links that lapse, and the newest receipts of their use."""
    grant = getattr(trade, "grant", None)
    if grant is None or trade.bills_id is not None:
        return None
    shown: dict[str, Any] = {
        "grant": grant,
        "files": [
            {"path": file.path, "size_bytes": file.size_bytes, "sha256": file.sha256}
            for file in trade.release.files.order_by("path")
        ],
        "calls_used": deliveries.used_calls(grant) if trade.quantity else 0,
        "receipts": list(grant.receipts.all()[: SHOWN_RECEIPTS + 1]),
    }
    shown["has_more_receipts"] = len(shown["receipts"]) > SHOWN_RECEIPTS
    shown["receipts"] = shown["receipts"][:SHOWN_RECEIPTS]
    if may_download and grant.state in (GrantState.OPEN, GrantState.SUSPENDED):
        try:
            driver: Any = channel(grant.channel)
            shown["files"] = driver.links(grant, by=by)
            shown["links_lapse_at"] = shown["files"][0]["expires_at"] if shown["files"] else None
        except Refused as refusal:
            shown["refusal"] = refusal
    return shown


def _statement(trade: Trade) -> dict[str, Any] | None:
    """The usage statement of a bill that was delivered."""
    grant = getattr(trade, "grant", None)
    if trade.bills_id is None or grant is None or "statement" not in grant.access:
        return None
    lines = list(csv.DictReader(io.StringIO(grant.access["statement"])))
    return {"file": grant.access["files"][0], "lines": lines}


def _papers(trade: Trade) -> list[dict[str, str]]:
    """The contract, the delivery record, the acceptance and the certificate, as far as they are issued."""
    papers = Paper.objects.filter(subject_kind="trade", subject_id=trade.pk).order_by("pk")
    return [
        {
            "label": paper.get_kind_display(),
            "number": paper.number,
            "url": reverse("paper", args=[paper.number]),
        }
        for paper in papers.defer("record")
    ]
