"""What stands on an invoice and on a credit note, and the papers that were issued of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings

from marketplace import documents
from marketplace.models import Paper
from settlement import taxes
from settlement.models import Invoice
from settlement.papers import block, paid_without_money, upgrade


def issue(invoices: Sequence[Invoice]) -> None:
    """Issue the papers of these, which both sides may read."""
    sandboxed = paid_without_money([invoice.trade for invoice in invoices])
    corrected = of([invoice.corrects for invoice in invoices if invoice.corrects])
    documents.issue_many(
        [
            documents.Sheet(
                _kind(invoice),
                invoice,
                f"{invoice} · {invoice.trade.version.title}",
                _record(invoice, corrected.get(invoice.corrects_id or 0)),
                [one for one in (invoice.issuer, invoice.recipient) if one],
                is_sandbox=invoice.trade_id in sandboxed,
            )
            for invoice in invoices
        ]
    )


def of(invoices: Iterable[Invoice]) -> dict[int, str]:
    """The numbers of the papers of these invoices, by the invoice's id. One statement."""
    kinds = [Paper.Kind.INVOICE, Paper.Kind.CREDIT_NOTE]
    rows = Paper.objects.filter(kind__in=kinds, subject_kind="invoice", subject_id__in=[one.pk for one in invoices])
    return dict(rows.values_list("subject_id", "number"))


def _kind(invoice: Invoice) -> str:
    return Paper.Kind.CREDIT_NOTE if invoice.corrects_id else Paper.Kind.INVOICE


def _record(invoice: Invoice, corrected: str | None) -> dict[str, Any]:
    trade = invoice.trade
    record: dict[str, Any] = {
        "invoice_number": str(invoice),
        "supplier": documents.party(invoice.issuer) if invoice.issuer else {"name": settings.EXCHANGE_NAME},
        "customer": documents.party(invoice.recipient),
        "supplied": invoice.kind,
        "trade_number": trade.register_number,
        "titles": trade.version.titles,
        "product_type": trade.listing.product_type,
        "version": trade.version.number,
        "currency": invoice.currency,
        "gross_minor": invoice.gross_minor,
        "net_minor": invoice.net_minor,
        "taxes": taxes.on_paper(invoice.tax.lines),
        "cleared_at": trade.cleared_at.isoformat() if trade.cleared_at else "",
    }
    if invoice.kind == Invoice.Kind.LICENCE and not invoice.corrects_id:
        record |= block(trade) | upgrade(trade)
    if trade.purchase_order:
        record |= {"purchase_order": trade.purchase_order}
    if invoice.corrects:
        record |= {"corrects_number": str(invoice.corrects), "corrects_paper_number": corrected}
    return record
