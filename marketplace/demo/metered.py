"""The demo's calls that are billed monthly: an offer, a buyer who uses it now and then, and its bills."""

from __future__ import annotations

from listings import offers
from listings.models import Listing, Offer
from marketplace.demo import hands
from marketplace.models import Organisation
from settlement import trades
from settlement.gateways import sandbox_bank
from settlement.models import Trade
from settlement.states import PaymentState, TradeState

NAME = "By the download, billed monthly 按次下载，每月出账"
UNIT_MINOR = 18_00
MOST_UNPAID = 200
TAKEN = 75  # days before the end
EVERY_DAYS = 4


def about(listing: Listing | None, buyer: Organisation | None, days_left: int) -> None:
    """Whatever has happened to these calls this many days before the end."""
    if buyer is None or days_left > TAKEN or listing is None or days_left % EVERY_DAYS:
        return
    offer = _offered(listing)
    if offer is None:
        return
    by = buyer.created_by
    taken = Trade.objects.filter(offer=offer, buyer=buyer, bills=None).first()
    if taken is None:
        taken = trades.propose(offer, buyer=buyer, purpose="A daily check. 每日核对。", by=by)
        hands.work()
        taken.refresh_from_db()
    if taken.delivered_at is not None:
        hands.download(taken, by=by)
    hands.bill()
    hands.work()
    for bill in Trade.objects.filter(bills=taken, state=TradeState.REGISTERED):
        for payment in bill.payments.filter(state=PaymentState.STARTED):
            if "pay" in sandbox_bank.possible_acts(sandbox_bank.order(payment.reference)):
                sandbox_bank.act(payment.reference, "pay")


def _offered(listing: Listing) -> Offer | None:
    known = listing.offers.filter(is_postpaid=True).first()
    whole = listing.offers.open_to_all().filter(price_minor__gt=0, steps=[], converts_to=None).first()
    if known is not None or whole is None or not Listing.objects.on_sale().filter(pk=listing.pk).exists():
        return known
    return offers.make_offer(
        listing,
        name=NAME,
        currency=whole.currency,
        steps=[{"from_quantity": 1, "unit_price_minor": UNIT_MINOR}],
        most_quantity=MOST_UNPAID,
        is_postpaid=True,
        terms=whole.terms,
        channel=whole.channel,
        by=listing.seller.created_by,
    )
