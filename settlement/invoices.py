"""Invoices of cleared trades and their credit notes: issued once, numbered without gaps, kept for ever.

A worker issues those of one released cycle after the other. The licence's is of what escrow held of the price, each
side's fee's of what the exchange took of that side. What a lost chargeback made the seller owe is credited, and what it
took of the buyer's fee; what went back before clearing was never invoiced.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext_lazy as _

from marketplace import clock, journal, roles
from marketplace.errors import Invalid, WrongState
from marketplace.models import Organisation, User
from settlement import invoice_papers, ledger, line_taxes, tax_rules
from settlement.models import Chargeback, ClearingCycle, ElectronicInvoice, Invoice, Trade, TradeTax
from settlement.papers import moved_minor
from settlement.states import ChargebackState, CycleState

AT_ONCE = 200
_ELECTRONIC = re.compile(r"[0-9]{20}", re.ASCII)
Kind = Invoice.Kind


def cycles_due() -> QuerySet[ClearingCycle]:
    """Released cycles whose trades may lack invoices."""
    return ClearingCycle.objects.filter(state=CycleState.RELEASED, invoiced_at=None)


@transaction.atomic
def issue_next() -> int:
    """Issue the invoices of some trades of the oldest released cycle that lacks them, and say how many there are.

    A cycle another worker has is left to it. The last time, when there are none, marks the cycle.
    """
    cycle = cycles_due().order_by("pk").select_for_update(skip_locked=True, no_key=True).first()
    if cycle is None:
        return 0
    lacking = Trade.objects.filter(cycle=cycle, cleared_at__isnull=False, price_minor__gt=0).exclude(
        Exists(Invoice.objects.filter(trade=OuterRef("pk")))
    )
    trades = list(lacking.select_related("seller", "buyer", "listing", "version").order_by("pk")[:AT_ONCE])
    if not trades:
        cycle.invoiced_at = clock.now()
        cycle.save(update_fields=["invoiced_at"])
        return 0
    moved, now = moved_minor(trades), clock.now()
    kept = {row.trade_id: row for row in TradeTax.objects.filter(trade__in=trades).order_by("revision")}
    fresh = []
    for trade in trades:
        fee = moved.get(f"fee-{trade.pk}", 0)
        gross = fee + moved.get(f"net-{trade.pk}", 0)
        tax = tax_rules.again(kept[trade.pk].tax, gross) if trade.pk in kept else tax_rules.Tax(gross, (), False)
        fresh.append(_new(trade, Kind.LICENCE, tax, now))
        if fee:
            fresh.append(_new(trade, Kind.FEE, line_taxes.of_fee(trade.seller.country, fee, on=clock.today()), now))
        if beside := moved.get(f"buyer-fee-{trade.pk}", 0):
            tax = line_taxes.of_fee(trade.buyer.country, beside, on=clock.today())
            fresh.append(_new(trade, Kind.BUYER_FEE, tax, now))
    _issue(fresh)
    return len(trades)


def _new(trade: Trade, kind: Kind, tax: tax_rules.Tax, now: dt.datetime, **more: Any) -> Invoice:
    is_licence = kind == Kind.LICENCE
    return Invoice(
        kind=kind,
        issuer=trade.seller if is_licence else None,
        recipient=trade.seller if kind == Kind.FEE else trade.buyer,
        trade=trade,
        year=now.astimezone(ZoneInfo(settings.TIME_ZONE)).year,
        currency=trade.currency,
        gross_minor=tax.gross_minor,
        net_minor=tax.net_minor,
        lines=[line.as_json() for line in tax.lines],
        is_tax_known=tax.is_known,
        issued_at=now,
        **{"key": f"{kind}-{trade.pk}"} | more,
    )


def _issue(fresh: Iterable[Invoice]) -> list[Invoice]:
    """Write these and their papers. By issuer, so that two workers wait for each other in one order."""
    ordered = sorted(fresh, key=lambda one: (one.issuer_id or 0, one.trade_id))
    made = Invoice.objects.bulk_create(ordered)
    numbers = dict(Invoice.objects.filter(pk__in=[one.pk for one in made]).values_list("pk", "number"))
    for one in made:
        one.number = numbers[one.pk]
    invoice_papers.issue(made)
    journal.record_many(
        (
            (
                "invoice.credited" if one.corrects_id else "invoice.issued",
                one,
                {"trade": one.trade_id, "number": str(one), "kind": one.kind, "gross_minor": one.gross_minor},
            )
            for one in made
        ),
        by=None,
    )
    return made


def chargebacks_due() -> QuerySet[Chargeback]:
    """Lost chargebacks of invoiced trades that took something of what was invoiced, and that no credit note is about.

    What went back to the payer before, and what waited in suspense, was never invoiced.
    """
    key = Concat(Value("credit-chargeback-"), Cast(OuterRef("pk"), CharField()))
    noted = Q(key=key) | Q(key=Concat(key, Value("-fee")))
    return (
        Chargeback.objects.filter(state=ChargebackState.LOST, trade__cleared_at__isnull=False)
        .filter(Exists(Invoice.objects.filter(trade=OuterRef("trade"), kind=Kind.LICENCE, corrects=None)))
        .filter(Exists(ledger.lost_after_clearing()))
        .exclude(Exists(Invoice.objects.filter(noted)))
    )


@transaction.atomic
def credit_lost(chargeback: Chargeback) -> Invoice | None:
    """The credit note of what a lost chargeback made the seller owe of a licence that was invoiced; None for nothing.

    With it goes that of the buyer's fee, which the exchange lost. The second time it is the one there is.
    """
    rows = Invoice.objects.filter(trade=chargeback.trade_id, kind__in=[Kind.LICENCE, Kind.BUYER_FEE], corrects=None)
    rows = rows.select_related("trade__seller", "trade__buyer", "trade__listing", "trade__version").order_by("pk")
    invoices = {one.kind: one for one in rows.select_for_update(of=("self",), no_key=True)}
    key = f"credit-chargeback-{chargeback.pk}"
    if (found := Invoice.objects.filter(key__in=[key, f"{key}-fee"]).order_by("pk").first()) is not None:
        return found
    fresh = [
        _credit(invoices[kind], lost, key if kind == Kind.LICENCE else f"{key}-fee")
        for kind, lost in (
            (Kind.LICENCE, ledger.lost_by_seller([chargeback.pk])),
            (Kind.BUYER_FEE, ledger.lost_by_exchange([chargeback.pk])),
        )
        if lost
    ]
    return next(iter(_issue(fresh)), None)


def _credit(invoice: Invoice, lost_minor: int, key: str) -> Invoice:
    before = sum(one.gross_minor for one in invoice.credit_notes.all())
    tax = tax_rules.part_of(invoice.tax, before, lost_minor)
    return _new(invoice.trade, Kind(invoice.kind), tax, clock.now(), key=key, corrects=invoice)


@transaction.atomic
def refer(invoice: Invoice, number: str, *, by: User) -> ElectronicInvoice:
    """The issuer says which electronic invoice of the tax authority it made for this one; the newest counts.

    Twenty digits, the first two of them the year's last. Raises RoleNeeded, Invalid, WrongState.
    """
    if invoice.issuer is None:
        raise WrongState(_("This invoice is the exchange’s."), code="not_yours")
    roles.require(by, invoice.issuer, "manage_payout")
    number = "".join(number.split())
    if not _ELECTRONIC.fullmatch(number) or not 21 <= int(number[:2]) <= clock.today().year % 100:
        raise Invalid(
            _("An electronic invoice has twenty digits, and begins with the last two of its year."),
            code="wrong_electronic_number",
            next=_("Copy the number from the electronic invoice."),
        )
    try:
        with transaction.atomic():
            kept = ElectronicInvoice.objects.create(invoice=invoice, number=number, by=by)
    except IntegrityError:
        raise WrongState(
            _("This number was given for an invoice already."),
            code="number_given",
            next=_("Compare it with the electronic invoice."),
        ) from None
    journal.record("invoice.referred", invoice, by=by, electronic=number)
    return kept


def shown(invoices: Iterable[Invoice]) -> list[dict[str, Any]]:
    """Each with its paper, its newest electronic invoice and the number of what it corrects. Two statements."""
    rows = list(invoices)
    papers = invoice_papers.of(rows)
    electronic = {
        row.invoice_id: row.number for row in ElectronicInvoice.objects.filter(invoice__in=rows).order_by("pk")
    }
    return [{"invoice": row, "paper": papers.get(row.pk), "electronic": electronic.get(row.pk, "")} for row in rows]


def of_trade(trade: Trade, reader: Organisation | None) -> list[dict[str, Any]]:
    """The invoices of a trade that this organisation issued or received."""
    rows = Invoice.objects.visible_to(reader).filter(trade=trade)
    return shown(rows.select_related("issuer", "recipient", "corrects").order_by("pk"))
