"""Rows as the database takes them, without the story that leads to them: for plug-ins, which know only their row."""

from __future__ import annotations

import itertools

from django.utils import timezone

from listings.models import Classification, Listing, Offer, ProductType, Release, Version
from marketplace import clock
from marketplace.models import Organisation
from settlement import ledger
from settlement.channels import channel
from settlement.models import (
    BankInstruction,
    Break,
    ClearingCycle,
    FeeSchedule,
    Grant,
    Payment,
    Payout,
    Reconciliation,
    Refund,
    Trade,
)
from settlement.states import GrantState
from tests.factories import make_organisation, make_release

_numbers = itertools.count(1)


def an_offer(
    files: dict[str, bytes] | None = None,
    *,
    classification: str = Classification.GENERAL_1,
    price_minor: int = 0,
    currency: str = "HKD",
) -> Offer:
    """An offer of a product whose version names a sealed release of these files; without files, no release."""
    organisation = make_organisation()
    seller = organisation.created_by
    listing = Listing.objects.create(seller=organisation, product_type=ProductType.DATASET, created_by=seller)
    version = Version.objects.create(
        listing=listing,
        number=1,
        titles={"en": "Rows"},
        classification=classification,
        release=make_release(listing, files=files, is_profiled=False) if files else None,
        created_by=seller,
    )
    Listing.objects.filter(pk=listing.pk).update(current_version=version)
    listing.refresh_from_db()
    return Offer.objects.create(
        listing=listing, name="Plan", price_minor=price_minor, currency=currency, terms={}, created_by=seller
    )


def a_trade(offer: Offer, buyer: Organisation | None = None) -> Trade:
    """A proposed trade of the offer."""
    buyer = buyer or make_organisation("A Buyer Limited")
    version = offer.listing.current_version
    release = version.release or Release.objects.create(
        listing=offer.listing, label=f"r{next(_numbers)}", created_by=offer.created_by
    )
    return Trade.objects.create(
        offer=offer,
        listing=offer.listing,
        version=version,
        release=release,
        seller=offer.listing.seller,
        buyer=buyer,
        price_minor=offer.price_minor,
        currency=offer.currency,
        terms=offer.terms,
        fee_schedule=FeeSchedule.objects.get(),
        crossborder={},
        inspection_days=7,
        proposed_by=buyer.created_by,
        agree_until=timezone.now(),
    )


def a_grant(trade: Trade, channel: str) -> Grant:
    return Grant.objects.create(trade=trade, channel=channel)


def opened(grant: Grant) -> Grant:
    """The grant, open as its channel opens it."""
    grant.access = channel(grant.channel).open(grant).facts
    grant.state, grant.opened_at = GrantState.OPEN, timezone.now()
    grant.save(update_fields=["access", "state", "opened_at"])
    return grant


def a_payment(gateway: str, amount_minor: int = 10_000, currency: str = "HKD") -> Payment:
    trade = a_trade(an_offer(price_minor=amount_minor, currency=currency))
    return Payment.objects.create(
        trade=trade, gateway=gateway, key=f"pay-{trade.public_id}-1", amount_minor=amount_minor, currency=currency
    )


def a_refund(payment: Payment, amount_minor: int, payer_reference: str) -> Refund:
    """Of money that came to the trade's escrow, as the ledger has it: PostgreSQL refuses one of more than came."""
    outside, escrow = ledger.outside(payment.gateway, payment.currency), ledger.escrow(payment.trade)
    ledger.transfer(f"paid-{payment.key}", debit=outside, credit=escrow, amount_minor=payment.amount_minor)
    return Refund.objects.create(
        trade=payment.trade,
        payment=payment,
        gateway=payment.gateway,
        key=f"refund-{payment.trade.public_id}-{next(_numbers)}",
        amount_minor=amount_minor,
        currency=payment.currency,
        payer_reference=payer_reference,
        reason="as asked",
    )


def an_instruction(key: str, amount_minor: int = 500) -> BankInstruction:
    """Money the bank is to send, which stands in no file yet."""
    payee = "GB29NWBK60161331926819/NWBKGB2L/A Payee Limited"
    return BankInstruction.objects.create(
        kind="refund",
        key=key,
        end_to_end_id=f"DX{key}",
        amount_minor=amount_minor,
        currency="HKD",
        payee=payee,
    )


def a_payout(gateway: str, amount_minor: int, currency: str = "HKD") -> Payout:
    number = next(_numbers)
    cycle = ClearingCycle.objects.filter(state="open", currency=currency).first() or ClearingCycle.objects.create(
        number=number, currency=currency, cut_off_at=timezone.now()
    )
    return Payout.objects.create(
        cycle=cycle,
        organisation=make_organisation("A Payee Limited"),
        gateway=gateway,
        kind=Payout.Kind.RESERVE,
        key=f"payout-{number}",
        amount_minor=amount_minor,
        currency=currency,
    )


def a_break(cause: str, currency: str = "EUR", minor: int = -30) -> Break:
    """Money that only the gateway booked, as a run of yesterday found it."""
    none = dict.fromkeys(
        ("ledger_minor", "ledger_lines", "records_minor", "records_lines", "in_transit", "resolved"), 0
    )
    place = {"gateway": "sandbox", "currency": currency}
    run = Reconciliation.objects.create(
        **place, **none, day=clock.today(), gateway_minor=minor, gateway_lines=1, compared=1, found=1, digest="0" * 64
    )
    return Break.objects.create(
        **place, found_by=run, kind="only_at_gateway", cause=cause, ledger_minor=0, gateway_minor=minor, records_minor=0
    )
