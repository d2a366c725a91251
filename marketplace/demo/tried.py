"""The demo's free trials: one that went on with its paid plan, one that was stopped, and one that runs."""

from __future__ import annotations

from listings import offers, terms
from listings.models import Listing, Offer
from marketplace.demo import hands
from marketplace.models import Organisation
from settlement import renewals, trades
from settlement.gateways import sandbox_bank
from settlement.models import Renewal, Trade
from settlement.states import PaymentState, RenewalState, TradeState

NAME = "Trial of two weeks 試用兩星期"
DAYS = 14
# By whom, how many days before the end it was taken, and how many before it was stopped.
TAKEN = [("bank", 30, None), ("lion", 26, 20), ("institute", 6, None)]


def about(listing: Listing | None, houses: dict[str, Organisation], days_left: int) -> None:
    """Whatever has happened to this product's trials this many days before the end, each act once."""
    if listing is None or not Listing.objects.on_sale().filter(pk=listing.pk).exists():
        return
    trial = _offered(listing)
    if trial is None:
        return
    for house, before, stopped in TAKEN:
        buyer = houses.get(house)
        if buyer is None or days_left > before:
            continue
        by = buyer.created_by
        own = Trade.objects.filter(buyer=buyer, listing=listing, is_trial=True)
        if not own.exists():
            trades.propose(trial, buyer=buyer, purpose="To see whether it fits. 試看是否合用。", converts=True, by=by)
            hands.work()
        standing = Renewal.objects.filter(trade__in=own, state=RenewalState.STANDING).select_related("trade").first()
        if stopped is not None and days_left <= stopped and standing is not None:
            renewals.stop(standing.trade, by=by)
    for trade in Trade.objects.filter(renews__is_trial=True, listing=listing, state=TradeState.REGISTERED):
        for payment in trade.payments.filter(state=PaymentState.STARTED):
            if "pay" in sandbox_bank.possible_acts(sandbox_bank.order(payment.reference)):
                sandbox_bank.act(payment.reference, "pay")
        hands.work()


def _offered(listing: Listing) -> Offer | None:
    known = listing.offers.filter(converts_to__isnull=False).first()
    paid = listing.offers.open_to_all().filter(price_minor__gt=0, steps=[], audience=Offer.Audience.EVERYONE).first()
    if known is not None or paid is None:
        return known
    licence = terms.default_terms() | {"territory": paid.terms["territory"], "term_months": None, "term_days": DAYS}
    return offers.make_offer(
        listing,
        name=NAME,
        price_minor=0,
        currency=paid.currency,
        terms=licence,
        channel=paid.channel,
        converts_to=paid,
        by=listing.seller.created_by,
    )
