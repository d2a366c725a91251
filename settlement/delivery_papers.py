"""What a delivery leaves on paper: the delivery record when access opens, and the acceptance that ends the inspection.

Both are issued in the transaction that moves the trade, so that no delivered trade lacks its record.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from listings import uploads
from listings.models import Registration
from marketplace import documents
from marketplace.canonical import digest_of
from marketplace.errors import NotReady
from marketplace.models import Paper, User
from settlement import deadlines, papers
from settlement.models import Grant, Trade

Kind = Paper.Kind
MOST_FILES_NAMED = 2000  # the manifest's digest covers any more


def issue_delivery_records(grants: Sequence[Grant]) -> list[Paper]:
    """The records of deliveries just made; both parties may read them. `grant.trade` is the trade as delivered.

    However many there are, the number of statements is the same for one release. Raises NotReady.
    """
    trades = [grant.trade for grant in grants]
    numbers = papers.numbers_of([Kind.TRADE_CONTRACT], trades)
    products = _product_numbers(trades)
    sandboxed = papers.paid_without_money(trades)
    manifests = {release.pk: uploads.manifest(release) for release in {trade.release for trade in trades}}
    return documents.issue_many(
        [
            documents.Sheet(
                Kind.DELIVERY_RECORD,
                grant.trade,
                grant.trade.version.title,
                papers.identity(grant.trade, products.get(grant.trade.version_id))
                | {"contract_number": numbers[grant.trade_id].get(Kind.TRADE_CONTRACT, "")}
                | papers.bill(grant.trade)
                | _delivered(grant, manifests[grant.trade.release_id]),
                (grant.trade.seller, grant.trade.buyer),
                is_sandbox=grant.trade_id in sandboxed,
            )
            for grant in grants
        ]
    )


def _product_numbers(trades: Sequence[Trade]) -> dict[int, str]:
    """The product register's numbers, by version."""
    registrations = Registration.objects.filter(version__in=[trade.version_id for trade in trades])
    return dict(registrations.values_list("version_id", "number"))


def _delivered(grant: Grant, manifest: list[dict[str, object]]) -> dict[str, Any]:
    trade = grant.trade
    if trade.bills_id:  # what a bill delivers is its usage statement
        manifest = grant.access["files"]
    if trade.delivered_at is None or trade.funded_at is None or trade.inspect_until is None:
        raise NotReady(_("Trade %(trade)s was not delivered."), trade=trade)
    named = manifest[:MOST_FILES_NAMED]
    left_out = {"files_left_out": len(manifest) - len(named)} if len(named) < len(manifest) else {}
    return {
        "channel": grant.channel,
        "delivery_digest": papers.delivery_digest(trade, grant),
        "files": named,
        "total_bytes": sum(int(str(file["size_bytes"])) for file in manifest),
        "funded_at": trade.funded_at.isoformat(),
        "delivered_at": trade.delivered_at.isoformat(),
        "access_ends_at": grant.ends_at.isoformat() if grant.ends_at else None,
        "inspect_ends_at": trade.inspect_until.isoformat(),
        "crossborder_digest": digest_of(trade.crossborder),
    } | left_out


def issue_acceptance(trade: Trade, *, by: User | None, refund_minor: int | None = None) -> Paper:
    """The acceptance of a trade just accepted: by the buyer's person, by silence, or by a decision of the exchange.

    `refund_minor` is what a decision gave back of the price, None where nobody had to decide. Raises NotReady.
    """
    until = deadlines.inspection_of(trade)
    if trade.accepted_at is None or trade.delivered_at is None or until is None:
        raise NotReady(_("Trade %(trade)s was not accepted."), trade=trade)
    numbers = papers.numbers_of([Kind.TRADE_CONTRACT, Kind.DELIVERY_RECORD], [trade])[trade.pk]
    how = "decision" if refund_minor is not None else "silence" if by is None else "buyer"
    return documents.issue(
        Kind.ACCEPTANCE,
        trade,
        title=trade.version.title,
        record=papers.identity(trade, _product_numbers([trade]).get(trade.version_id))
        | {
            "contract_number": numbers.get(Kind.TRADE_CONTRACT, ""),
            "delivery_number": numbers.get(Kind.DELIVERY_RECORD, ""),
            "delivery_digest": papers.delivery_digest(trade, trade.grant),
            "delivered_at": trade.delivered_at.isoformat(),
            "inspection_days": trade.inspection_days,
            "inspect_ends_at": until.isoformat(),
            "accepted_at": trade.accepted_at.isoformat(),
            "how": how,
            "accepted_by": signatory(by, trade.buyer_id) if by is not None and how == "buyer" else None,
        }
        | ({"refund_minor": refund_minor, "currency": trade.currency} if refund_minor else {})
        | ({"fee_back_minor": trade.fee_back_minor(refund_minor)} if refund_minor and trade.buyer_fee_minor else {}),
        readers=[trade.seller, trade.buyer],
        is_sandbox=trade.pk in papers.paid_without_money([trade]),
    )


def signatory(by: User, organisation_id: int) -> dict[str, str]:
    """Who acted for an organisation, and as what."""
    held = by.memberships.filter(organisation=organisation_id, ended_at=None).values_list("role", flat=True).first()
    return {"person": str(by), "role": held or ""}
