"""What a trade leaves on paper: its contract, its certificate, and each member's settlement statement."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import logging
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from listings.terms import plain_words_in_every_language
from marketplace import clock, documents
from marketplace.canonical import canonical
from marketplace.claims import BACK_OFF_LIMIT_SECONDS
from marketplace.errors import NotReady, Refused
from marketplace.models import Organisation, Paper, Seal, TreeHead
from marketplace.money import Money
from settlement.gateways import default_gateway, gateway
from settlement.models import Payment, Payout, Statement, Trade, Transfer
from settlement.states import OutgoingState, PaymentState, TradeState

logger = logging.getLogger(__name__)

Kind = Paper.Kind
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

# The exchange's rules put a contract under the law of the provider's seat.
GOVERNING_LAW: dict[str, dict[str, str]] = {
    "CN": {
        "en": "Law of the People's Republic of China",
        "zh-hans": "中华人民共和国法律",
        "zh-hant": "中華人民共和國法律",
    },
    "HK": {
        "en": "Law of the Hong Kong Special Administrative Region",
        "zh-hans": "香港特别行政区法律",
        "zh-hant": "香港特別行政區法律",
    },
    "MO": {
        "en": "Law of the Macao Special Administrative Region",
        "zh-hans": "澳门特别行政区法律",
        "zh-hant": "澳門特別行政區法律",
    },
}
ANOTHER_SEAT = {
    "en": "Law of the provider's seat ({country})",
    "zh-hans": "供方所在地法律（{country}）",
    "zh-hant": "供方所在地法律（{country}）",
}


def bound(trade: Trade) -> dict[str, Any]:
    """What both parties are bound to; the Agreement's digest is that of this record."""
    return {
        "trade": trade.public_id,
        "seller": _bound_party(trade.seller),
        "buyer": _bound_party(trade.buyer),
        "listing": trade.listing.public_id,
        "version": trade.version.number,
        "release_digest": trade.release.digest,
        "terms": trade.terms,
        "price_minor": trade.price_minor,
        "currency": trade.currency,
        "inspection_days": trade.inspection_days,
    }


def _bound_party(organisation: Organisation) -> dict[str, str]:
    return {"id": organisation.public_id} | documents.party(organisation)


def issue_contracts(trades: Sequence[Trade]) -> dict[int, Paper]:
    """The contracts of trades that have their register numbers, by the trade's id; both parties may read them.

    Raises NotReady.
    """
    rows = Trade.objects.filter(pk__in=[trade.pk for trade in trades])
    kept = {row[0]: row[1:] for row in rows.values_list("pk", "agreement__digest", "version__registration__number")}
    papers = documents.issue_many([_contract(trade, *kept[trade.pk]) for trade in trades])
    return {trade.pk: paper for trade, paper in zip(trades, papers, strict=True)}


def _contract(trade: Trade, agreement_digest: str, product_number: str | None) -> documents.Sheet:
    agreed_at = trade.agreed_at or trade.proposed_at
    record = _about(trade, product_number) | {
        "release_digest": trade.release.digest,
        "inspection_days": trade.inspection_days,
        "governing_law": _governing_law(trade.seller.country),
        "terms": trade.terms,
        "agreement_digest": agreement_digest,
        "agreements": [
            {"organisation": trade.buyer.name, "agreed_at": trade.proposed_at.isoformat()},
            {"organisation": trade.seller.name, "agreed_at": agreed_at.isoformat()},
        ],
    }
    return documents.Sheet(
        Kind.TRADE_CONTRACT,
        trade,
        title=trade.version.title,
        record=record,
        readers=[trade.seller, trade.buyer],
        is_sandbox=trade.price_minor > 0 and not _moves_money(default_gateway()),
    )


def _about(trade: Trade, product_number: str | None) -> dict[str, Any]:
    """What contract and certificate both say of a trade. Raises NotReady while it or its product has no number."""
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
        "licence": _licence(canonical(trade.terms)),
        "price_minor": trade.price_minor,
        "currency": trade.currency,
    }


@lru_cache(maxsize=256)
def _licence(terms: bytes) -> dict[str, Any]:
    """The licence in plain words, in every language; terms repeat from trade to trade."""
    return dict(plain_words_in_every_language(json.loads(terms)))


def _governing_law(country: str) -> dict[str, str]:
    known = GOVERNING_LAW.get(country)
    return known or {language: words.format(country=country) for language, words in ANOTHER_SEAT.items()}


def _moves_money(gateway_name: str) -> bool:
    return gateway(gateway_name).capabilities().moves_money


# --- certificates --------------------------------------------------------------------------------------------------

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
    sandboxed = _paid_without_money(ready)
    contracts = _numbers_of(Kind.TRADE_CONTRACT, ready)
    documents.issue_many(
        [
            documents.Sheet(
                Kind.TRADE_CERTIFICATE,
                trade,
                trade.version.title,
                _certified(trade, contracts.get(trade.pk), positions[trade.pk], head),
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
        .select_related("seller", "buyer", "listing", "release", "version__registration")
        .select_for_update(of=("self",), no_key=True, skip_locked=True)  # what another worker has is left to it
    )


def _certified(trade: Trade, contract_number: str | None, position: int, head: TreeHead) -> dict[str, Any]:
    moments = {f"{act}_at": getattr(trade, f"{act}_at") for act in COURSE}
    registration = getattr(trade.version, "registration", None)
    return (
        _about(trade, registration.number if registration else None)
        | ({"contract_number": contract_number} if contract_number else {})
        | {name: moment.isoformat() for name, moment in moments.items() if moment is not None}
        | {
            "delivery_digest": trade.release.digest,
            "journal": {"position": position, "size": head.size, "root": bytes(head.root).hex()},
        }
    )


def _paid_without_money(trades: list[Trade]) -> set[int]:
    """The trades that were paid through a gateway that moves no money."""
    paid = Payment.objects.filter(trade__in=trades, state=PaymentState.PAID).values_list("trade_id", "gateway")
    return {trade_id for trade_id, name in paid if not _moves_money(name)}


def _numbers_of(kind: str, trades: list[Trade]) -> dict[int, str]:
    papers = Paper.objects.filter(kind=kind, subject_kind="trade", subject_id__in=[trade.pk for trade in trades])
    return dict(papers.values_list("subject_id", "number"))


# --- settlement statements -----------------------------------------------------------------------------------------


@transaction.atomic
def issue_statement(statement: Statement) -> Paper:
    """The statement of one member, currency and cycle as a paper that the member may read."""
    record = _stated(statement)
    trades = list(_cleared(statement))
    paper = documents.issue(
        Kind.SETTLEMENT_STATEMENT,
        statement,
        title=f"Clearing cycle {statement.cycle} · {statement.currency}",
        record=record,
        readers=[statement.organisation],
        is_sandbox=bool(_paid_without_money(trades)),
    )
    if statement.paper_id is None:
        Statement.objects.filter(pk=statement.pk).update(paper=paper)
        statement.paper = paper
    return paper


def _cleared(statement: Statement) -> QuerySet[Trade]:
    return (
        Trade.objects.filter(
            cycle=statement.cycle,
            seller=statement.organisation,
            currency=statement.currency,
            cleared_at__isnull=False,
            price_minor__gt=0,
        )
        .select_related("version")
        .order_by("pk")
    )


def _stated(statement: Statement) -> dict[str, Any]:
    trades = list(_cleared(statement))
    moved = _moved_minor(trades)
    lines = []
    for trade in trades:
        fee_minor, net_minor = moved.get(f"fee-{trade.pk}", 0), moved.get(f"net-{trade.pk}", 0)
        lines.append(
            {
                "trade_number": trade.register_number,
                "titles": trade.version.titles,
                "gross_minor": fee_minor + net_minor,
                "fee_minor": fee_minor,
                "net_minor": net_minor,
            }
        )
    released_at = statement.cycle.released_at or statement.created_at
    return {
        "member": documents.party(statement.organisation),
        "cycle": str(statement.cycle),
        "cleared_at": released_at.isoformat(),
        "currency": statement.currency,
        "lines": lines,
        "totals": {
            "gross_minor": statement.gross_minor,
            "fee_minor": statement.fee_minor,
            "net_minor": statement.gross_minor - statement.fee_minor,
        },
        "payout_reference": _payout_reference(statement),
    } | _set_against_debt(statement)


def _set_against_debt(statement: Statement) -> dict[str, int]:
    if not statement.recovered_minor:
        return {}
    return {"recovered_minor": statement.recovered_minor, "payable_minor": statement.net_minor}


def _moved_minor(trades: list[Trade]) -> dict[str, int]:
    """What the ledger moved when these trades were cleared, by the transfers' keys."""
    keys = [f"{part}-{trade.pk}" for trade in trades for part in ("fee", "net")]
    return dict(Transfer.objects.filter(key__in=keys).values_list("key", "amount_minor"))


def _payout_reference(statement: Statement) -> str | None:
    """The key of the payout, which is the reference the member sees with the money."""
    payouts = Payout.objects.filter(
        cycle=statement.cycle, organisation=statement.organisation, currency=statement.currency
    ).exclude(state=OutgoingState.BOUNCED)
    return payouts.values_list("key", flat=True).first()


def statement_csv(statement: Statement) -> bytes:
    """The statement as CSV, line by line and then its sums, for a spreadsheet: UTF-8 with a mark that says so.

    Amounts are plain decimals of the statement's currency. Raises NotReady before the statement was issued.
    """
    if statement.paper is None:
        raise NotReady(_("This statement is being written."))
    record = statement.paper.record
    text = io.StringIO(newline="")
    write = csv.writer(text).writerow

    def amounts(row: dict[str, int]) -> list[str]:
        return [_decimal(row[f"{part}_minor"], record["currency"]) for part in ("gross", "fee", "net")]

    write(["trade", "product", "currency", "gross", "fee", "net"])
    for line in record["lines"]:
        title = next(iter(line["titles"].values()), "")
        write([safe_cell(line["trade_number"]), safe_cell(title), record["currency"], *amounts(line)])
    write(["total", "", record["currency"], *amounts(record["totals"])])
    for part in ("recovered", "payable"):
        if f"{part}_minor" in record:
            write([part, "", record["currency"], "", "", _decimal(record[f"{part}_minor"], record["currency"])])
    return text.getvalue().encode("utf-8-sig")


def _decimal(minor: int, currency: str) -> str:
    return Money(minor, currency).amount.replace(",", "")


def safe_cell(text: str) -> str:
    """Text for a CSV cell that no spreadsheet takes for a formula: one that looks so gets an apostrophe in front.

    Source: OWASP, CSV Injection.
    """
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text
