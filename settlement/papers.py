"""What a trade leaves on paper at its end: its certificate; and what other papers say of a trade too."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from listings import payment_plans
from listings.terms import plain_words_in_every_language
from marketplace import clock, documents
from marketplace.canonical import canonical
from marketplace.claims import BACK_OFF_LIMIT_SECONDS
from marketplace.errors import NotReady, Refused
from marketplace.models import Paper, Seal, TreeHead
from marketplace.money import Money
from settlement.gateways import gateway
from settlement.models import Grant, Payment, Quote, Trade, Transfer
from settlement.states import PaymentState, TradeState

logger = logging.getLogger(__name__)

Kind = Paper.Kind


def about(trade: Trade, product_number: str | None) -> dict[str, Any]:
    """What contract and certificate both say of a trade. Raises NotReady while it or its product has no number."""
    return (
        identity(trade, product_number)
        | {
            "licence": _licence(canonical(trade.terms)),
            "price_minor": trade.price_minor,
            "currency": trade.currency,
        }
        | discounted(trade)
        | block(trade)
        | upgrade(trade)
    )


def discounted(trade: Trade) -> dict[str, Any]:
    """By how much less than its list price a trade was made; nothing without a discount."""
    if trade.discount is None:
        return {}
    return {"list_price_minor": trade.list_price.minor, "discount_percent": trade.discount.percent}


def block(trade: Trade) -> dict[str, Any]:
    """How many calls a trade bought or bills at what price each, or what each costs that is billed afterwards; nothing
    where it was not priced per call."""
    if trade.is_metered:
        return {"metered_unit_minor": trade.unit_price_minor}
    if trade.quantity is None:
        return {}
    return {"quantity": trade.quantity, "unit_price_minor": trade.unit_price_minor} | bill(trade)


def bill(trade: Trade) -> dict[str, Any]:
    """Whose calls a bill is of, and from which number on; nothing for other trades."""
    if trade.bills is None:
        return {}
    return {"billed_trade_number": trade.bills.register_number, "first_call": trade.first_call}


def delivery_digest(trade: Trade, grant: Grant) -> str:
    """The digest of what was delivered: the release, or of a bill its usage statement."""
    return str(grant.access["digest"]) if trade.bills_id else trade.release.digest


def upgrade(trade: Trade) -> dict[str, Any]:
    """Which trade's licence it replaced, its price before the credit for that, and the credit; nothing otherwise."""
    if trade.upgrades is None:
        return {}
    return {
        "upgraded_trade_number": trade.upgrades.register_number,
        "full_price_minor": trade.full_price.minor,
        "credit_minor": trade.credit_minor,
    }


def buyer_fee(paid: Trade | Quote) -> dict[str, Any]:
    """What the buyer pays the exchange beside the price, and in all; nothing where it pays no fee."""
    return {"buyer_fee_minor": paid.buyer_fee_minor, "total_minor": paid.total_minor} if paid.buyer_fee_minor else {}


def instalments(price_minor: int, currency: str, plan: Sequence[payment_plans.Part]) -> dict[str, Any]:
    """In which parts a price is paid, by the plan of its offer; nothing where it is paid at once."""
    parts = payment_plans.shown(price_minor, currency, plan)
    if not parts:
        return {}
    return {
        "instalments": [
            {"percent": one["percent"], "amount_minor": one["amount"].minor, "due_days": one["due_days"]}
            for one in parts
        ]
    }


def identity(trade: Trade, product_number: str | None) -> dict[str, Any]:
    """Which trade a paper is about, between whom and of what. Raises NotReady while a number is missing."""
    if product_number is None or trade.register_number is None:
        raise NotReady(_("Trade %(trade)s and its product need their register numbers first."), trade=trade)
    return {
        "trade_number": trade.register_number,
        "register_number": product_number,
        "seller": documents.party(trade.seller),
        "buyer": documents.party(trade.buyer),
        "titles": trade.version.titles,
        "product_type": trade.listing.product_type,
        "version": trade.version.number,
    }


@lru_cache(maxsize=256)
def _licence(terms: bytes) -> dict[str, Any]:
    """The licence in plain words, in every language; terms repeat from trade to trade."""
    return dict(plain_words_in_every_language(json.loads(terms)))


def moves_money(gateway_name: str) -> bool:
    return gateway(gateway_name).capabilities().moves_money


# --- certificates --------------------------------------------------------------------------------------------------

# Papers a certificate names, and the record's word for their numbers.
NAMED_IN_CERTIFICATE: dict[str, str] = {
    Kind.TRADE_CONTRACT: "contract_number",
    Kind.DELIVERY_RECORD: "delivery_number",
    Kind.ACCEPTANCE: "acceptance_number",
}
COURSE = ("proposed", "agreed", "registered", "funded", "delivered", "accepted", "cleared", "settled")


def issue_certificates(trades: Iterable[Trade]) -> int:
    """Issue the certificates of those of `trades` whose settlement is sealed in the journal; how many.

    However many trades there are, the number of statements is the same. One that cannot be certified backs off alone.
    """
    together = list(trades)
    try:
        return _issue_together(together)
    except (Refused, ValueError) as error:
        if len(together) > 1:
            return sum(issue_certificates([trade]) for trade in together)
        logger.exception("trade %s got no certificate", together[0])
        _postpone(together[0], error)
        return 0


def _postpone(trade: Trade, error: Exception) -> None:
    delay = min(2 ** min(trade.tries + 1, 20), BACK_OFF_LIMIT_SECONDS)
    Trade.objects.filter(pk=trade.pk).update(
        tries=F("tries") + 1,
        next_try_at=clock.now() + dt.timedelta(seconds=delay),
        error=f"{type(error).__name__}: {error}"[:2000],
    )


@transaction.atomic
def _issue_together(trades: list[Trade]) -> int:
    positions = _settled_positions([trade.pk for trade in trades])
    head = TreeHead.objects.order_by("-size").first()
    if not positions or head is None:
        return 0
    ready = list(_to_certify(positions))
    if not ready:
        return 0
    sandboxed = paid_without_money(ready)
    numbers = numbers_of(NAMED_IN_CERTIFICATE, ready)
    documents.issue_many(
        [
            documents.Sheet(
                Kind.TRADE_CERTIFICATE,
                trade,
                trade.version.title,
                _certified(trade, numbers[trade.pk], positions[trade.pk], head),
                (trade.seller, trade.buyer),
                is_sandbox=trade.pk in sandboxed,
            )
            for trade in ready
        ]
    )
    certificate = Paper.objects.filter(kind=Kind.TRADE_CERTIFICATE, subject_kind="trade", subject_id=OuterRef("pk"))
    Trade.objects.filter(pk__in=[trade.pk for trade in ready]).update(
        certificate=Subquery(certificate.values("pk")), tries=0, error=""
    )
    return len(ready)


def _settled_positions(trade_ids: list[int]) -> dict[int, int]:
    """Where in the journal the settlement of each trade stands, for those that are sealed."""
    sealed = Seal.objects.filter(
        event__kind="trade.settled", event__subject_kind="trade", event__subject_id__in=trade_ids
    )
    return dict(sealed.values_list("event__subject_id", "position"))


def _to_certify(trade_ids: Iterable[int]) -> QuerySet[Trade]:
    return (
        Trade.objects.filter(pk__in=list(trade_ids), state=TradeState.SETTLED, certificate=None)
        .order_by("pk")
        .select_related(
            "seller", "buyer", "listing", "release", "offer", "discount", "version__registration", "grant", "bills"
        )
        .select_for_update(of=("self",), no_key=True, skip_locked=True)  # what another worker has is left to it
    )


def _certified(trade: Trade, numbers: dict[str, str], position: int, head: TreeHead) -> dict[str, Any]:
    moments = {f"{act}_at": getattr(trade, f"{act}_at") for act in COURSE}
    registration = getattr(trade.version, "registration", None)
    return (
        about(trade, registration.number if registration else None)
        | {NAMED_IN_CERTIFICATE[kind]: number for kind, number in numbers.items()}
        | {name: moment.isoformat() for name, moment in moments.items() if moment is not None}
        | {
            "delivery_digest": delivery_digest(trade, trade.grant),
            "journal": {"position": position, "size": head.size, "root": bytes(head.root).hex()},
        }
    )


def paid_without_money(trades: list[Trade]) -> set[int]:
    """The trades that were paid through a gateway that moves no money."""
    paid = Payment.objects.filter(trade__in=trades, state=PaymentState.PAID).values_list("trade_id", "gateway")
    return {trade_id for trade_id, name in paid if not moves_money(name)}


def numbers_of(kinds: Iterable[str], trades: Sequence[Trade]) -> dict[int, dict[str, str]]:
    """The numbers of papers issued about these trades, by the trade's id and the paper's kind. One statement."""
    found: dict[int, dict[str, str]] = {trade.pk: {} for trade in trades}
    papers = Paper.objects.filter(kind__in=list(kinds), subject_kind="trade", subject_id__in=list(found))
    for subject_id, kind, number in papers.values_list("subject_id", "kind", "number"):
        found[subject_id][kind] = number
    return found


def moved_minor(trades: Sequence[Trade]) -> dict[str, int]:
    """What the ledger moved when these trades were cleared, by the transfers' keys."""
    keys = [f"{part}-{trade.pk}" for trade in trades for part in ("fee", "net", "buyer-fee")]
    return dict(Transfer.objects.filter(key__in=keys).values_list("key", "amount_minor"))


def plain_amount(minor: int, currency: str) -> str:
    """An amount as programs read it: no sign of its currency, and nothing between the thousands."""
    return Money(minor, currency).amount.replace(",", "")
