"""The acts of a trade's page: whose each is, what runs, what the page says afterwards, and what it asks first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy

from marketplace.models import User
from settlement import billing, renewals, tasks, trades
from settlement.forms import AnswerForm, DeclineForm, ObjectionForm, ReasonForm
from settlement.models import Dispute, Trade


@dataclass(frozen=True)
class PageAct:
    """An act one posts from the page: whose it is, what runs, what the page says afterwards, and what it asks first."""

    side: str
    run: Callable[[Trade, dict[str, Any], User], object]
    done: Any
    form: type[forms.Form] | None = None
    tone: str = ""
    confirm: Any = ""
    bell: Any = None


ACTS: dict[str, PageAct] = {
    "agree": PageAct(
        "seller",
        lambda trade, _said, by: trades.agree(trade, by=by),
        gettext_lazy("You agreed; both parties are bound. The exchange registers the trade."),
        tone="primary",
        bell=tasks.register_trades,
    ),
    "decline": PageAct(
        "seller",
        lambda trade, said, by: trades.decline(trade, reason=said["reason"], by=by),
        gettext_lazy("You declined. Nobody is bound."),
        DeclineForm,
    ),
    "accept": PageAct(
        "buyer",
        lambda trade, _said, by: trades.accept(trade, by=by),
        gettext_lazy("You accepted the delivery. It is cleared with the next clearing."),
        tone="primary",
        confirm=gettext_lazy("Once you accept, the price goes to the seller and you can no longer object."),
    ),
    "pay_again": PageAct(
        "buyer",
        lambda trade, _said, by: trades.pay_again(trade, by=by),
        gettext_lazy("Another payment is being started."),
        tone="primary",
        bell=tasks.start_payments,
    ),
    "cancel": PageAct(
        "buyer",
        lambda trade, said, by: trades.cancel(trade, reason=said["reason"], by=by),
        gettext_lazy("The trade is cancelled."),
        ReasonForm,
        bell=tasks.stop_payments,
    ),
    "dispute": PageAct(
        "buyer",
        lambda trade, said, by: trades.dispute(trade, reason=said["reason"], by=by),
        gettext_lazy("You objected. The exchange decides once it has heard the seller."),
        ObjectionForm,
    ),
    "answer": PageAct(
        "seller",
        lambda trade, said, by: trades.answer_dispute(
            get_object_or_404(Dispute, trade=trade), answer=said["answer"], by=by
        ),
        gettext_lazy("Your answer was sent to the buyer and the exchange."),
        AnswerForm,
        tone="primary",
    ),
    "keep_renewed": PageAct(
        "buyer",
        lambda trade, _said, by: renewals.keep(trade, by=by),
        gettext_lazy("The licence is renewed before it ends. You may stop that at any time."),
        confirm=gettext_lazy(
            "Before each end of its term the exchange proposes the same offer for you, at its price. You pay each"
            " renewal as you paid this one; what you do not pay lapses."
        ),
    ),
    "stop_renewing": PageAct(
        "buyer",
        lambda trade, _said, by: renewals.stop(trade, by=by),
        gettext_lazy("The licence is not renewed any more; it lasts until its end."),
    ),
    "convert": PageAct(
        "buyer",
        lambda trade, _said, by: renewals.keep(trade, by=by),
        gettext_lazy("The trial goes on with the paid plan. You may stop that until the moment it ends."),
        confirm=gettext_lazy(
            "When the trial ends the exchange buys the paid plan for you, at its price. You pay it as any order; what"
            " you do not pay lapses."
        ),
    ),
    "stop_converting": PageAct(
        "buyer",
        lambda trade, _said, by: renewals.stop(trade, by=by),
        gettext_lazy("The trial ends by itself; nothing is bought."),
    ),
    "ask_bill": PageAct(
        "buyer",
        lambda trade, _said, by: billing.ask(trade, by=by),
        gettext_lazy("The bill is made; it is registered in a moment, and then you pay it as any order."),
        bell=tasks.register_trades,
    ),
    "end_metering": PageAct(
        "buyer",
        lambda trade, _said, by: billing.end(trade, by=by),
        gettext_lazy("The access has ended. The calls that stand on no bill are billed now."),
        tone="danger",
        confirm=gettext_lazy("The access ends at once, and the calls that stand on no bill are billed."),
        bell=tasks.close_grants,
    ),
    "give_notice": PageAct(
        "seller",
        lambda trade, _said, by: billing.give_notice(trade, by=by),
        gettext_lazy("The access ends at the end of the following month; the buyer is told."),
        tone="danger",
        confirm=gettext_lazy("The access ends at the end of the following month; until then the buyer may use it."),
    ),
}

OF_THE_LICENCE = (
    "keep_renewed",
    "stop_renewing",
    "convert",
    "stop_converting",
    "ask_bill",
    "end_metering",
    "give_notice",
)  # possible long after the trade asks nobody for anything
