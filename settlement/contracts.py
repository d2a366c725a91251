"""The contract of a trade: what binds its parties, and the paper on which both stand with who and when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from listings import licence_contract
from marketplace import documents
from marketplace.errors import Refused
from marketplace.models import Membership, Organisation, Paper
from settlement import papers
from settlement.gateways import default_gateway
from settlement.models import Agreement, Trade


class TextChanged(Refused):
    """The text of this contract is not the one both parties agreed to: a version of it was changed."""

    code = "text_changed"
    says = _("The text of this contract is not the one both parties agreed to: a version of it was changed.")
    next = _("Put the version of the licence contract back as it was; then the trade goes on.")


def bound(trade: Trade) -> dict[str, Any]:
    """What both parties are bound to; the Agreement's digest is that of this record."""
    return (
        {
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
        | papers.discounted(trade)
        | papers.block(trade)
        | papers.upgrade(trade)
        | papers.buyer_fee(trade)
        | papers.instalments(trade.price_minor, trade.currency, trade.offer.instalments)
        | _bound_text(trade)
    )


def _bound_text(trade: Trade) -> dict[str, str]:
    """The licence contract, for trades that were proposed under one."""
    if not trade.text_digest:
        return {}
    text = {"contract_version": trade.contract_version, "jurisdiction": trade.jurisdiction}
    return text | {"text_digest": trade.text_digest}


def _bound_party(organisation: Organisation) -> dict[str, str]:
    """The party without its seat, which is a word: what a territory is called may change."""
    named = {key: value for key, value in documents.party(organisation).items() if key != "seat"}
    return {"id": organisation.public_id} | named


def issue_contracts(trades: Sequence[Trade]) -> dict[int, Paper]:
    """The contracts of trades that have their register numbers, by the trade's id; both parties may read them.

    Raises NotReady, TextChanged.
    """
    rows = Trade.objects.filter(pk__in=[trade.pk for trade in trades])
    numbers = dict(rows.values_list("pk", "version__registration__number"))
    agreements = {
        agreement.trade_id: agreement
        for agreement in Agreement.objects.filter(trade__in=numbers).select_related("buyer_by", "seller_by")
    }
    held = _roles_held(agreements.values(), trades)
    issued = documents.issue_many([_contract(trade, agreements[trade.pk], numbers[trade.pk], held) for trade in trades])
    return {trade.pk: paper for trade, paper in zip(trades, issued, strict=True)}


def _roles_held(agreements: Iterable[Agreement], trades: Sequence[Trade]) -> dict[tuple[int, int], str]:
    """The role each signatory holds in each party, by person and organisation. One statement."""
    people = {pk for agreement in agreements for pk in (agreement.buyer_by_id, agreement.seller_by_id)}
    parties = {pk for trade in trades for pk in (trade.buyer_id, trade.seller_id)}
    rows = Membership.objects.filter(user__in=people, organisation__in=parties, ended_at=None)
    return {(user, organisation): role for user, organisation, role in rows.values_list("user", "organisation", "role")}


def _contract(
    trade: Trade, agreement: Agreement, product_number: str | None, held: dict[tuple[int, int], str]
) -> documents.Sheet:
    named = licence_contract.jurisdictions()[trade.jurisdiction]
    sides = (
        ("buyer", trade.buyer, agreement.buyer_by, agreement.buyer_agreed_at or trade.proposed_at),
        ("seller", trade.seller, agreement.seller_by, agreement.seller_agreed_at or agreement.agreed_at),
    )
    plan = papers.instalments(trade.price_minor, trade.currency, trade.offer.instalments)
    record = (
        papers.about(trade, product_number)
        | papers.buyer_fee(trade)
        | plan
        | {
            "release_digest": trade.release.digest,
            "inspection_days": trade.inspection_days,
            "governing_law": _sentences(named["law"]),
            "forum": _sentences(named["forum"]),
            "jurisdiction": trade.jurisdiction,
            "channel": trade.offer.channel,
            "terms": trade.terms,
            "agreement_digest": agreement.digest,
            "agreements": [
                {
                    "side": side,
                    "organisation": organisation.name,
                    "person": str(person),
                    "role": held.get((person.pk, organisation.pk), ""),
                    "agreed_at": agreed_at.isoformat(),
                }
                for side, organisation, person, agreed_at in sides
            ],
        }
    )
    if trade.purchase_order:
        record |= {"purchase_order": trade.purchase_order}
    return documents.Sheet(
        Paper.Kind.TRADE_CONTRACT,
        trade,
        title=trade.version.title,
        record=record | _text(trade),
        readers=[trade.seller, trade.buyer],
        is_sandbox=trade.price_minor > 0 and not papers.moves_money(default_gateway()),
    )


def _text(trade: Trade) -> dict[str, Any]:
    """The articles as both agreed to them. Raises TextChanged."""
    if not trade.text_digest:
        return {}
    if licence_contract.digest(trade.offer, trade.version, trade.discount) != trade.text_digest:
        raise TextChanged()
    return {
        "contract_version": trade.contract_version,
        "text_digest": trade.text_digest,
        "articles": licence_contract.articles(trade.offer, trade.version, trade.discount),
    }


def _sentences(texts: dict[str, str]) -> dict[str, str]:
    """The same words as they begin a line."""
    return {language: text[:1].upper() + text[1:] for language, text in texts.items()}
