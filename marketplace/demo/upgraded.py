"""The demo's upgrade: a licence of some weeks that its buyer replaces by a dearer one, which waits to be accepted."""

from __future__ import annotations

from listings.models import Listing
from marketplace.demo import hands
from marketplace.models import Organisation
from settlement import trades
from settlement.gateways import sandbox_bank
from settlement.models import Trade
from settlement.states import PaymentState, TradeState

USE = "Maps of our freight network. 绘制货运网络图。"
TAKEN, ACCEPTED, UPGRADED = 40, 36, 3  # days before the end


def about(listing: Listing | None, buyer: Organisation | None, days_left: int) -> None:
    """Whatever has happened to this licence this many days before the end, each act once: a product's first offer is
    taken, and replaced by its second."""
    if buyer is None or days_left > TAKEN or listing is None:
        return
    if not Listing.objects.on_sale().filter(pk=listing.pk).exists():
        return
    own = Trade.objects.filter(buyer=buyer, listing=listing, purpose=USE)
    plain, dearer = listing.offers.order_by("pk")[:2]
    by = buyer.created_by
    if not own.exists():
        trades.propose(plain, buyer=buyer, purpose=USE, by=by)
        hands.work()
    old = own.get(offer=plain)
    if days_left <= ACCEPTED and old.state == TradeState.DELIVERED:
        trades.accept(old, by=by)
    elif days_left <= UPGRADED and not own.filter(upgrades=old).exists():
        trades.propose(dearer, buyer=buyer, purpose=USE, upgrades=old, by=by)
        hands.work()
    for trade in own.filter(state=TradeState.REGISTERED):
        for payment in trade.payments.filter(state=PaymentState.STARTED):
            if "pay" in sandbox_bank.possible_acts(sandbox_bank.order(payment.reference)):
                sandbox_bank.act(payment.reference, "pay")
                hands.work()
