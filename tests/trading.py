"""Members, products and trades for tests of settlement, made and carried by the real commands and worker tasks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from compliance import reviews
from listings import registration
from listings.models import Listing, Offer, Version
from marketplace import clock, journal
from marketplace import tasks as marketplace_tasks
from marketplace.models import Event, Organisation, User
from settlement import clearing, hearing, payments, payout_accounts, tasks, trades
from settlement.gateways import sandbox_bank, sandbox_signature
from settlement.models import ClearingCycle, Payment, PayoutAccount, Reserve, SandboxNotice, Trade
from settlement.states import CycleState, TradeState
from tests import factories, kept


def make_verified(name: str = "", **facts: Any) -> Organisation:
    """A member that also says where its money goes."""
    organisation = factories.make_verified(name, **facts)
    owner = organisation.created_by
    set_account(organisation, f"acct-{organisation.pk}", by=owner)
    return organisation


def set_account(organisation: Organisation, reference: str, *, by: User) -> PayoutAccount:
    """An account that serves: named, confirmed by a second person, and its wait gone by."""
    account = payout_accounts.name(organisation, gateway_name="sandbox", reference=reference, by=by)
    with clock.moved_to(clock.now() - dt.timedelta(hours=settings.PAYOUT_ACCOUNT_WAIT_HOURS)):
        return payout_accounts.confirm(account, by=factories.make_staff("payments"))


def make_listed(seller: Organisation | None = None, **manual: Any) -> Listing:
    """A product on sale: two people reviewed it, a worker registered it."""
    if seller is None and not manual:
        return _listing(kept.again(_list_a_product))
    version = review(factories.make_draft(seller or make_verified(), **manual))
    registration.register_due()
    return _listing(version.listing_id)


def make_market() -> tuple[Listing, Organisation]:
    """A product on sale, and a member who may buy it."""
    listing, buyer = kept.again(_open_a_market)
    return _listing(listing), Organisation.objects.select_related("created_by").get(pk=buyer)


def _list_a_product() -> int:
    return make_listed(make_verified()).pk


def _open_a_market() -> tuple[int, int]:
    return _list_a_product(), make_verified().pk


def _listing(pk: int) -> Listing:
    return Listing.objects.select_related("current_version", "seller").get(pk=pk)


def review(version: Version) -> Version:
    """Submitted by its seller, approved by two people."""
    opened = reviews.submit(version, by=version.listing.seller.created_by)
    first, second = factories.make_staff("review"), factories.make_staff("review")
    reviews.take(opened, by=first)
    factories.approve(opened, by=first)
    factories.approve(opened, by=second)
    return version


def make_offer(listing: Listing | None = None, **changes: Any) -> Offer:
    """An offer on sale; 1,250.00 HKD for every member unless changed."""
    return factories.make_offer(listing or make_listed(), **changes)


@dataclass
class Deal:
    """A trade with its people: `buyer` and `seller` are the owners of the two organisations."""

    trade: Trade
    buyer: User
    seller: User

    def __post_init__(self) -> None:
        self.reload()

    def reload(self) -> Trade:
        self.trade = Trade.objects.select_related("offer", "buyer", "seller", "listing").get(pk=self.trade.pk)
        return self.trade

    @property
    def state(self) -> str:
        return str(self.reload().state)

    @property
    def payment(self) -> Payment:
        return self.trade.payments.order_by("-pk")[0]


def propose(offer: Offer | None = None, *, buyer: Organisation | None = None) -> Deal:
    """A trade as the buyer proposes it."""
    if offer is None and buyer is None:
        listing, buyer = make_market()
        offer = make_offer(listing)
    offer = offer or make_offer()
    buyer = buyer or make_verified()
    trade = trades.propose(offer, buyer=buyer, purpose="Research", by=buyer.created_by)
    return Deal(trade, buyer.created_by, offer.listing.seller.created_by)


def hand_over_notices() -> None:
    """What the sandbox has to say goes into the inbox, signed, without a web server between."""
    for notice in SandboxNotice.objects.filter(posted_at=None, next_try_at__lte=clock.now()).order_by("pk"):
        body = notice.body.encode()
        payments.note("sandbox", body, {sandbox_signature.HEADER: sandbox_signature.sign(body)})
        SandboxNotice.objects.filter(pk=notice.pk).update(posted_at=clock.now())


def work() -> None:
    """Let the workers do all that is due, once round; clearing apart."""
    tasks.register_trades()
    tasks.start_payments()
    tasks.stop_payments()
    hand_over_notices()
    tasks.read_notices()
    tasks.open_grants()
    tasks.close_grants()
    tasks.pay_members()
    tasks.pay_refunds()
    hand_over_notices()
    tasks.read_notices()
    journal.seal()
    tasks.issue_certificates()
    marketplace_tasks.send_letters()


def pay(deal: Deal, what: str = "pay", **how: Any) -> None:
    """Act out the bank's customer, and let the workers hear of it."""
    sandbox_bank.act(deal.payment.reference, what, **how)
    work()


def currency_now() -> str:
    """Of what waits to be cleared: of the newest accepted trade, else of what is in reserve."""
    waiting = Trade.objects.filter(state=TradeState.ACCEPTED, cycle=None).order_by("-pk")
    kept = Reserve.objects.filter(released_in=None).order_by("-pk")
    return next((row.currency for rows in (waiting, kept) for row in rows[:1]), "HKD")


def close_now(*, by: User | None = None) -> ClearingCycle:
    """Close the open cycle of what waits, before its cut-off."""
    return clearing.close(clearing.open_cycle(currency_now()), by=by or factories.make_staff("clearing"))


def clear_now() -> ClearingCycle:
    """Close the open cycle of what waits and release it, by staff as large cycles need, then let the workers pay."""
    officers = [factories.make_staff("clearing"), factories.make_staff("clearing")]
    cycle = close_now(by=officers[0])
    for officer in officers:
        if cycle.state == CycleState.CLOSED:
            cycle = trades.release(cycle, by=officer)
    work()
    return cycle


def cut_off_now() -> None:
    """The cut-off has come, in every currency: what waits is cleared by the workers."""
    clearing.open_cycles()
    clearing.opened().update(cut_off_at=clock.now())
    tasks.clear_cycles()


ROAD = {
    TradeState.PROPOSED: lambda deal: None,
    TradeState.AGREED: lambda deal: trades.agree(deal.trade, by=deal.seller),
    TradeState.REGISTERED: lambda deal: work(),
    TradeState.FUNDED: lambda deal: (
        sandbox_bank.act(deal.payment.reference, "pay"),
        hand_over_notices(),
        hearing.hear(payments.claim_next_notices()),
    ),
    TradeState.DELIVERED: lambda deal: work(),
    TradeState.ACCEPTED: lambda deal: trades.accept(deal.trade, by=deal.buyer),
    TradeState.CLEARED: lambda deal: trades.release(
        clearing.close(clearing.open_cycle(deal.trade.currency), by=factories.make_staff("clearing")),
        by=factories.make_staff("clearing"),
    ),
    TradeState.SETTLED: lambda deal: work(),
}


def make_trade(state: str, **offer: Any) -> Deal:
    """A trade walked to this state of the main road by the real commands; its seller is asked."""
    listing, buyer = make_market()
    deal = propose(make_offer(**{"listing": listing, "audience": "on_request"} | offer), buyer=buyer)
    for step, walk in ROAD.items():
        walk(deal)
        assert deal.state == step, f"{deal.state}, not {step}: {deal.trade.error}"
        if step == state:
            return deal
    raise AssertionError(f"{state} is not on the main road")


def kinds_recorded(trade: Trade) -> list[str]:
    """What happened to the trade, in order."""
    return list(
        Event.objects.filter(subject_kind="trade", subject_id=trade.pk).order_by("pk").values_list("kind", flat=True)
    )
