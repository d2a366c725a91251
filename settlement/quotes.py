"""Quotes: what an offer costs a buyer until when, on a paper that it shows to whoever decides; it binds nobody.

As offers never change, the price stands until then, unless the seller closes the offer or ends its discount before, or
the exchange's fee for the buyer becomes another.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext_lazy as _

from listings import discounts, pricing
from listings.models import Offer
from listings.states import ListingState
from listings.terms import plain_words_in_every_language
from marketplace import clock, documents, journal, roles
from marketplace.errors import Invalid, Refused, WrongState
from marketplace.models import Organisation, Paper, User
from settlement import buying, deadlines, fees, papers, taxes, trades
from settlement.gateways import default_gateway
from settlement.models import FeeSchedule, Quote, Trade


class TooManyQuotes(Refused):
    """Your organisation has made as many quotes in the last day as it may."""

    code = "too_many_quotes"
    status = 429
    says = _("Your organisation has made as many quotes in the last day as it may.")
    next = _("Use one of them, or come back tomorrow.")


class QuoteState(StrEnum):
    """What a quote is good for now; told from what it names, and kept nowhere."""

    VALID = "valid"
    USED = "used"
    LAPSED = "lapsed"
    OFFER_CLOSED = "offer_closed"
    PRICE_CHANGED = "price_changed"


STATE_WORDS = {
    QuoteState.VALID: _("Valid"),
    QuoteState.USED: _("Ordered"),
    QuoteState.LAPSED: _("Lapsed"),
    QuoteState.OFFER_CLOSED: _("The offer is closed"),
    QuoteState.PRICE_CHANGED: _("The price is another now"),
}


@transaction.atomic
def make(offer: Offer, *, buyer: Organisation, quantity: int | None = None, purpose: str = "", by: User) -> Quote:
    """Write down what this offer costs `buyer`, for so many calls where it is priced per call, and issue the paper.

    Raises RoleNeeded, TooManyQuotes, Invalid as `pricing.priced` does or with the code of what stands in the way of
    buying, `not_quoted` for what is free or on request.
    """
    roles.require(by, buyer, "propose")
    Organisation.objects.select_for_update(no_key=True).get(pk=buyer.pk)  # quotes of one buyer are counted in turn
    now = clock.now()
    discount = discounts.held(offer, now)
    rows = Offer.objects.select_for_update(no_key=True, of=("self",))  # after its discount, as who buys locks them
    offer = rows.select_related(
        "listing__current_version__registration", "listing__current_version__release", "listing__seller"
    ).get(pk=offer.pk)
    if not offer.price_minor or offer.audience == Offer.Audience.ON_REQUEST:
        raise Invalid(
            _("A quote is made of an offer with a price that its seller agreed to by publishing it."),
            code="not_quoted",
            next=_("Take the offer, or propose a trade."),
        )
    if offer.is_postpaid:
        raise Invalid(
            _("What is billed by the call afterwards has no price to quote."),
            code="not_quoted",
            next=_("The offer's contract says what a call costs."),
        )
    cost = pricing.priced(offer, quantity, discount)
    for reason in buying.reasons_against_proposal(offer, buyer, cost, by=by):
        raise Invalid(reason["detail"], code=reason["code"], next=reason["next"])
    if Quote.objects.filter(buyer=buyer, made_at__gt=now - dt.timedelta(days=1)).count() >= settings.QUOTES_A_DAY:
        raise TooManyQuotes()
    ends = [now + dt.timedelta(days=settings.QUOTE_DAYS), offer.open_until]
    ends.append(cost.discount.valid_until if cost.discount else None)
    quote = Quote.objects.create(
        offer=offer,
        buyer=buyer,
        discount=cost.discount,
        price_minor=cost.price_minor,
        buyer_fee_minor=fees.schedule_for(offer.listing, cost.currency).buyer_fee_minor(
            cost.price_minor, cost.currency
        ),
        currency=cost.currency,
        quantity=cost.quantity,
        unit_price_minor=cost.unit_price_minor,
        purpose=purpose.strip()[:2000],
        made_at=now,
        made_by=by,
        valid_until=min(end for end in ends if end is not None),
    )
    documents.issue_many([_sheet(quote, cost)])
    journal.record("quote.made", quote, by=by, offer=offer.pk, price_minor=quote.price_minor, currency=quote.currency)
    return quote


def _sheet(quote: Quote, cost: pricing.Priced) -> documents.Sheet:
    """The paper; its buyer reads it and shows it to whom it likes."""
    offer, listing = quote.offer, quote.offer.listing
    version: Any = listing.current_version  # there is one: the offer is on sale
    tax = taxes.of_offer(offer, quote.buyer, quote.price_minor)
    record: dict[str, Any] = {
        "seller": documents.party(listing.seller),
        "buyer": documents.party(quote.buyer),
        "titles": version.titles,
        "product_type": listing.product_type,
        "version": version.number,
        "register_number": version.registration.number,
        "plan": offer.name,
        "currency": quote.currency,
        "price_minor": quote.price_minor,
        "gross_minor": quote.price_minor,
        "net_minor": tax.net_minor if tax else quote.price_minor,
        "taxes": taxes.on_paper(tax.lines) if tax else [],
        "licence": plain_words_in_every_language(offer.terms),
        "inspection_days": offer.inspection_days,
        "pay_within_days": deadlines.days_to_fund(offer),
        "quoted_by": str(quote.made_by),
        "valid_until_at": quote.valid_until.isoformat(),
    }
    if cost.discount:
        record |= {"list_price_minor": cost.list_price_minor, "discount_percent": cost.discount.percent}
    if quote.quantity is not None:
        record |= {"quantity": quote.quantity, "unit_price_minor": quote.unit_price_minor}
    record |= papers.buyer_fee(quote) | papers.instalments(quote.price_minor, quote.currency, offer.instalments)
    if quote.purpose:
        record |= {"purpose": quote.purpose}
    return documents.Sheet(
        Paper.Kind.QUOTE, quote, version.title, record, [quote.buyer], not papers.moves_money(default_gateway())
    )


def of(buyer: Organisation | None) -> QuerySet[Quote]:
    """A buyer's quotes, the newest first, with what their states are told from."""
    offers = Offer.objects.with_discounts().select_related("listing__seller", "listing__current_version")
    return Quote.objects.of(buyer).select_related("trade").prefetch_related(Prefetch("offer", offers))


def state_of(quote: Quote, schedule: FeeSchedule | None = None) -> QuoteState:
    """What the quote is good for now. Its offer comes with its listing and discounts; `schedule` is the one it would be
    ordered under, looked up where it is not given."""
    offer = quote.offer
    if quote.trade_id is not None:
        return QuoteState.USED
    if quote.valid_until <= clock.now():
        return QuoteState.LAPSED
    if offer.closed_at is not None or offer.has_lapsed or offer.listing.state != ListingState.LISTED:
        return QuoteState.OFFER_CLOSED
    price = pricing.priced(offer, quote.quantity, pricing.discount_of(offer)).price_minor
    schedule = schedule or fees.schedule_for(offer.listing, quote.currency)
    now = price, schedule.buyer_fee_minor(price, quote.currency)
    return QuoteState.VALID if now == (quote.price_minor, quote.buyer_fee_minor) else QuoteState.PRICE_CHANGED


@transaction.atomic
def order(quote: Quote, *, by: User, **said: Any) -> Trade:
    """Propose the trade that was quoted, at the price that was quoted; `said` as `trades.propose` takes it.

    Raises WrongState `quote_not_valid`, and whatever `trades.propose` raises.
    """
    quote = Quote.objects.select_for_update(no_key=True, of=("self",)).select_related("offer__listing").get(pk=quote.pk)
    state = state_of(quote)
    if state is not QuoteState.VALID:
        raise _not_valid(state)
    facts = said | {"quantity": quote.quantity, "price_minor": quote.price_minor}
    trade = trades.propose(quote.offer, buyer=quote.buyer, by=by, **facts)
    if trade.buyer_fee_minor != quote.buyer_fee_minor:  # another schedule began in this moment
        raise _not_valid(QuoteState.PRICE_CHANGED)
    quote.trade = trade
    quote.save(update_fields=["trade"])
    journal.record("quote.used", quote, by=by, trade=trade.pk)
    return trade


def _not_valid(state: QuoteState) -> WrongState:
    return WrongState(
        _("This quote cannot be ordered any more: %(state)s."),
        code="quote_not_valid",
        next=_("Ask for a new quote, or order at the price in force."),
        state=STATE_WORDS[state],
    )


def shown(quotes: Sequence[Quote]) -> list[dict[str, Any]]:
    """Each quote with its state, the words for that, and the number of its paper. Three statements."""
    rows = Paper.objects.filter(
        kind=Paper.Kind.QUOTE, subject_kind="quote", subject_id__in=[quote.pk for quote in quotes]
    )
    numbers = dict(rows.values_list("subject_id", "number"))
    in_force = fees.InForce({quote.offer.listing.seller for quote in quotes})
    told = []
    for quote in quotes:
        state = state_of(quote, in_force.of(quote.offer.listing, quote.currency))
        told.append({"quote": quote, "state": state, "label": STATE_WORDS[state], "paper": numbers.get(quote.pk, "")})
    return told
