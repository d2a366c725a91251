"""THE STORY of a trade, in order of life: propose, agree, decline, cancel, expire, register, fund, deliver, accept,
dispute, resolve, clear, settle.

Each command locks the trade first, checks, changes, records. Nobody else writes its state.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from compliance import clearance, holds
from listings import discounts, licence_contract, pricing
from listings.models import Offer, Version
from listings.states import ListingState
from marketplace import clock, joint_merchants, journal, roles
from marketplace.canonical import digest_of
from marketplace.claims import BACK_OFF_LIMIT_SECONDS
from marketplace.errors import Invalid, NotCleared, Refused, WrongState, in_words
from marketplace.models import Organisation, User
from marketplace.money import Money
from marketplace.numbers import new_number
from settlement import (
    clearing,
    contested,
    contracts,
    deadlines,
    defaults,
    deliveries,
    delivery_papers,
    escrowed,
    extensions,
    fees,
    instalments,
    ledger,
    metering,
    netting,
    papers,
    payments,
    payouts,
    positions,
    reconciliation,
    reserves,
    splits,
    taxes,
    trials,
)
from settlement import upgrades as replacing
from settlement.channels import Access, channel
from settlement.gateways import amounts
from settlement.models import (
    Agreement,
    ClearingCycle,
    Dispute,
    Grant,
    Instalment,
    Payment,
    Trade,
)
from settlement.states import DISPUTE_MOVES, TRADE_MOVES, DisputeState, TradeState

logger = logging.getLogger(__name__)
AT_ONCE = 50
PARTS = (
    "offer__converts_to",
    "discount",
    "listing",
    "version__release",
    "release",
    "seller",
    "buyer",
    "fee_schedule",
    "upgrades",
    "bills",
)


class NotOnSale(Refused):
    """This offer is not on sale."""

    code = "not_on_sale"
    says = _("This offer is not on sale.")
    next = _("Look at the product's other offers.")


class ContractChanged(Refused):
    """The contract is not the one you read: the product has a new version."""

    code = "contract_changed"
    says = _("The contract is not the one you read: the product has a new version.")
    next = _("Read the contract again, then decide.")


class PriceChanged(Refused):
    """The price is not the one you saw: a discount has begun or ended."""

    code = "price_changed"
    says = _("The price is not the one you saw: it is now %(price)s.")
    next = _("Look at the new total, then decide.")


class Frozen(Refused):
    """A chargeback is open: the trade stands still until the bank has decided."""

    code = "frozen"
    says = _("A chargeback is open: the trade stands still until the bank has decided.")
    next = _("Wait for the bank's decision.")


def locked(trade: Trade, *states: TradeState) -> Trade:
    """The trade, locked until the transaction ends with the one it renews, if it is in one of `states`. Raises
    WrongState."""
    extensions.lock_renewed(trade)
    trade = Trade.objects.select_for_update(of=("self",), no_key=True).select_related(*PARTS).get(pk=trade.pk)
    if states and trade.state not in states:
        raise WrongState(
            _("Trade %(trade)s is %(state)s, not %(wanted)s."),
            trade=trade,
            state=in_words(TradeState(trade.state).label),
            wanted=in_words(*(one.label for one in states)),
        )
    return trade


def _move(
    trade: Trade, act: str, *, by: User | None, facts: dict[str, object] | None = None, **changes: object
) -> Trade:
    """The act's move, saved and recorded as `trade.<state>`."""
    trade.state = TRADE_MOVES[trade.state][act]
    changes |= {"tries": 0, "error": "", "next_try_at": clock.now()}
    for name, value in changes.items():
        setattr(trade, name, value)
    trade.save(update_fields=["state", *changes])
    logger.info("trade %s is %s", trade.public_id, trade.state)
    journal.record(f"trade.{trade.state}", trade, by=by, **(facts or {}))
    return trade


def locked_together(trades: Sequence[Trade], state: TradeState) -> list[Trade]:
    """Several trades, locked in key order, all of them in `state`. Raises WrongState."""
    rows = Trade.objects.filter(pk__in=[trade.pk for trade in trades]).order_by("pk")
    rows = rows.select_related(*PARTS, "agreement", "version__registration")
    found = list(rows.select_for_update(of=("self",), no_key=True))
    for trade in found:
        if trade.state != state:
            raise WrongState(
                _("Trade %(trade)s is %(state)s, not %(wanted)s."),
                trade=trade,
                state=in_words(TradeState(trade.state).label),
                wanted=in_words(state.label),
            )
    return found


def _move_together(
    trades: Sequence[Trade], act: str, facts: dict[int, dict[str, object]], *, changed: list[str]
) -> None:
    """The act's move for several locked trades by the exchange itself: one statement for rows, one for events."""
    if not trades:
        return
    for trade in trades:
        trade.state = TRADE_MOVES[trade.state][act]
        trade.tries, trade.error, trade.next_try_at = 0, "", clock.now()
    Trade.objects.bulk_update(trades, ["state", "tries", "error", "next_try_at", *changed])
    logger.info("trades %s are %s", ", ".join(trade.public_id for trade in trades), trades[0].state)
    journal.record_many(((f"trade.{trade.state}", trade, facts[trade.pk]) for trade in trades), by=None)


def _require_none_held(trades: Sequence[Trade]) -> None:
    held = holds.held_trade_ids(trades)
    for trade in trades:
        if trade.pk in held:
            _require_not_held(trade)


def _require_not_held(trade: Trade) -> None:
    clearance.require_not_held(listing=trade.listing, buyer=trade.buyer, seller=trade.seller, trade_id=trade.pk)


def _require_not_frozen(trade: Trade) -> None:
    if trade.is_frozen:
        raise Frozen()


def postpone(trade: Trade, error: Exception) -> None:
    """A trade a worker could not move is tried again later, ever more seldom, and shows on the desk of stuck work.

    One that somebody else moved meanwhile stays as it is.
    """
    delay = min(2 ** min(trade.tries + 1, 20), BACK_OFF_LIMIT_SECONDS)
    Trade.objects.filter(pk=trade.pk, state=trade.state).update(
        tries=F("tries") + 1,
        next_try_at=clock.now() + dt.timedelta(seconds=delay),
        error=f"{type(error).__name__}: {error}"[:2000],
    )


# --- two parties bind themselves -----------------------------------------------------------------------------------


@transaction.atomic
def propose(
    offer: Offer,
    *,
    buyer: Organisation,
    quantity: int | None = None,
    purpose: str = "",
    purchase_order: str = "",
    text_digest: str = "",
    price_minor: int | None = None,
    fee_version: str = "",
    renews: Trade | None = None,
    upgrades: Trade | None = None,
    converts: bool = False,
    by: User,
) -> Trade:
    """The buyer proposes to take an offer; one that is open to them is agreed at once, for the seller agreed by
    publishing it. `text_digest` is that of the licence contract the buyer has read and `price_minor` the price it
    saw, `fee_version` the fee schedule, if it says. The licence of `renews`, a trade of the same offer and buyer or of
    a trial of it, is extended. A trial that `converts` goes on with its paid offer unless that is stopped. The licence
    of `upgrades`, a trade of the same product and buyer, is replaced, and what is unused of it is taken off the price.
    Of an offer priced per call, `quantity` calls are taken; where calls are billed monthly the trade costs nothing and
    fixes the price of each. The discount and the fee schedule in force are frozen into the trade.

    Raises RoleNeeded, NotOnSale, NotCleared, NoGateway, SoldOut, PriceChanged, ContractChanged, NotRenewable,
    NotUpgradable, TooManyUnpaid, TrialTaken, UsageTaken, and Invalid as `pricing.priced`, `fees.require_same` and
    `trials.require_first` do.
    """
    roles.require(by, buyer, "propose")
    offer = Offer.objects.select_related("listing__current_version__release", "listing__seller", "created_by").get(
        pk=offer.pk
    )
    listing, version = offer.listing, offer.listing.current_version
    if (
        offer.closed_at is not None
        or listing.state != ListingState.LISTED
        or version is None
        or version.release is None
    ):
        raise NotOnSale()
    if offer.has_lapsed:
        raise NotOnSale(_("The time of this offer has run out."), code="offer_lapsed")
    if joint_merchants.are_one_party(listing.seller, buyer):
        raise Invalid(_("This is your own product."), code="own_product", next=_("Act for the organisation that buys."))
    if offer.audience == Offer.Audience.NAMED and not offer.buyers.filter(pk=buyer.pk).exists():
        raise NotOnSale(_("This offer is for named buyers."), code="not_named")
    if renews is not None and upgrades is not None:
        raise Invalid(
            _("An order renews a licence or upgrades one, not both."),
            code="renews_and_upgrades",
            next=_("Name only one of the two."),
        )
    if renews is not None:
        extensions.require_renewable(renews, offer=offer, buyer=buyer)
    if upgrades is not None:
        replacing.lock(upgrades)
    now = clock.now()
    cost = pricing.priced(offer, quantity, discounts.held(offer, now))
    credit_minor = 0
    if upgrades is not None:
        credit = replacing.require_upgradable(upgrades, offer=offer, buyer=buyer, price_minor=cost.price_minor)
        credit_minor = credit.minor
    due_minor = cost.price_minor - credit_minor
    schedule = fees.schedule_for(listing, offer.currency, moment=now)
    buyer_fee_minor = schedule.buyer_fee_minor(due_minor, offer.currency)
    _require_payable(due_minor, buyer_fee_minor, cost.currency, offer)
    shown_minor = due_minor
    if offer.is_postpaid:
        shown_minor = cost.unit_price_minor or 0
        metering.require_payable(offer, shown_minor, schedule)
        metering.require_first(offer, buyer=buyer)
    if cost.price_minor or offer.is_postpaid:
        defaults.require_not_barred(buyer)
    if problems := channel(offer.channel).check(offer):
        raise NotCleared(problems[0], code="not_deliverable", next=_("Ask the seller for another way of delivery."))
    proposed_text = licence_contract.digest(offer, version, cost.discount)
    if price_minor not in (None, shown_minor) or _names_another_price(text_digest, offer, version, proposed_text):
        raise PriceChanged(price=Money(shown_minor, cost.currency))
    if fee_version not in ("", schedule.version):
        fees.require_same(fee_version, schedule, Money(due_minor, cost.currency), is_postpaid=offer.is_postpaid)
    if text_digest not in ("", proposed_text):
        raise ContractChanged()
    decision = clearance.require_trade(buyer, offer)
    trials.require_first(offer, buyer=buyer, converts=converts)
    trade = Trade.objects.create(
        offer=offer,
        discount=cost.discount,
        renews=renews,
        upgrades=upgrades,
        credit_minor=credit_minor,
        is_trial=offer.is_trial,
        listing=listing,
        version=version,
        release=version.release,
        seller=listing.seller,
        buyer=buyer,
        price_minor=due_minor,
        buyer_fee_minor=buyer_fee_minor,
        currency=offer.currency,
        quantity=cost.quantity,
        unit_price_minor=cost.unit_price_minor,
        terms=offer.terms,
        contract_version=offer.contract_version,
        jurisdiction=offer.jurisdiction,
        text_digest=proposed_text,
        fee_schedule=schedule,
        crossborder=decision.as_json(),
        inspection_days=offer.inspection_days,
        purpose=purpose[:2000],
        purchase_order=purchase_order[:60],
        proposed_by=by,
        proposed_at=now,
        agree_until=deadlines.agree_until(now),
    )
    taxes.freeze(trade)
    splits.freeze(trade)
    instalments.freeze(trade)
    journal.record(
        "trade.proposed",
        trade,
        by=by,
        offer=offer.pk,
        price_minor=trade.price_minor,
        currency=offer.currency,
        **_fee_facts(trade),
        **({"quantity": cost.quantity, "unit_price_minor": cost.unit_price_minor} if cost.quantity else {}),
        **({"metered_unit_minor": trade.unit_price_minor} if offer.is_postpaid else {}),
        **({"discount": cost.discount.pk, "percent": cost.discount.percent} if cost.discount else {}),
        **({"upgrades": upgrades.pk, "credit_minor": credit_minor} if upgrades else {}),
    )
    if renews is not None:
        extensions.hand_on_standing_order(trade)
    if converts:
        extensions.keep(trade, by=by)
    if offer.audience != Offer.Audience.ON_REQUEST:
        asked = cost.discount or offer  # by which the seller agreed to this price
        _bind(trade, buyer_by=by, seller_by=asked.created_by, seller_agreed_at=asked.created_at, by=by)
    return trade


def _names_another_price(text_digest: str, offer: Offer, version: Version, proposed_text: str) -> bool:
    """Whether the contract the buyer has read is this one but for the price: that without or with another discount."""
    if text_digest in ("", proposed_text):
        return False
    return any(
        licence_contract.digest(offer, version, one) == text_digest for one in (None, *offer.discounts.all()[:10])
    )


def _fee_facts(trade: Trade) -> dict[str, int]:
    """What the journal says of a buyer's fee; nothing where there is none."""
    return {"buyer_fee_minor": trade.buyer_fee_minor} if trade.buyer_fee_minor else {}


def _require_payable(price_minor: int, buyer_fee_minor: int, currency: str, offer: Offer) -> None:
    """Nobody is bound to pay what no gateway takes. Raises NoGateway, Invalid as `amounts.require_taken` does."""
    if price_minor:
        amounts.require_all_taken(price_minor, buyer_fee_minor, currency, offer.instalments)


@transaction.atomic
def agree(trade: Trade, *, by: User) -> Trade:
    """The seller agrees to a proposal; both parties are now bound.

    Raises WrongState, RoleNeeded, NotCleared, NoGateway, SoldOut.
    """
    trade = locked(trade, TradeState.PROPOSED)
    roles.require(by, trade.seller, "agree")
    _require_payable(trade.price_minor, trade.buyer_fee_minor, trade.currency, trade.offer)
    clearance.require_trade(trade.buyer, trade.offer, version=trade.version)
    _require_not_held(trade)
    return _bind(trade, buyer_by=trade.proposed_by, seller_by=by, seller_agreed_at=clock.now(), by=by)


@transaction.atomic
def bill(metered: Trade, *, until: dt.datetime, by: User | None = None) -> Trade | None:
    """Bill the calls that were made before `until` and stand on no bill: a trade of its own, agreed at once, for who
    agreed to the licence agreed to its bills. What is too little for a payment waits for the next bill; None if it all
    is.

    A call waits for the lock on the access, so that what is counted after this reads belongs to the next bill.
    Raises WrongState while another bill waits for its money, NoGateway.
    """
    metered = locked(metered)
    grant = Grant.objects.select_for_update(no_key=True).get(trade=metered)
    if metering.bills(metered).filter(state__in=metering.WAITING).exists():
        raise WrongState(_("A bill of this order waits for its payment."), code="bill_open")
    billed, unit = metering.billed(metered), metered.unit_price_minor or 0
    quantity = metering.counted(grant, until=until) - billed
    quantity = metering.most_payable(quantity, unit, metered.currency, metered.fee_schedule) if quantity > 0 else 0
    if not quantity or metered.state == TradeState.REFUNDED:
        return None
    now = clock.now()
    agreed: Agreement = metered.agreement
    same = ["offer", "discount", "listing", "version", "release", "seller", "buyer", "currency", "unit_price_minor"]
    same += ["terms", "contract_version", "jurisdiction", "text_digest", "crossborder", "inspection_days"]
    trade = Trade.objects.create(
        **{name: getattr(metered, name) for name in (*same, "purpose", "purchase_order")},
        bills=metered,
        first_call=billed + 1,
        quantity=quantity,
        billed_until=until,
        price_minor=quantity * unit,
        buyer_fee_minor=metered.fee_schedule.buyer_fee_minor(quantity * unit, metered.currency),  # as it was agreed on
        fee_schedule=fees.schedule_for(metered.listing, metered.currency, moment=now),
        proposed_by=agreed.buyer_by,
        proposed_at=now,
        agree_until=deadlines.agree_until(now),
    )
    taxes.freeze(trade)
    splits.freeze(trade)
    journal.record(
        "trade.proposed",
        trade,
        by=by,
        offer=trade.offer_id,
        price_minor=trade.price_minor,
        currency=trade.currency,
        **_fee_facts(trade),
        quantity=quantity,
        unit_price_minor=unit,
        bills=metered.pk,
        first_call=trade.first_call,
    )
    return _bind(
        trade,
        buyer_by=agreed.buyer_by,
        seller_by=agreed.seller_by,
        seller_agreed_at=agreed.seller_agreed_at or agreed.agreed_at,
        by=by,
    )


def _bind(trade: Trade, *, buyer_by: User, seller_by: User, seller_agreed_at: dt.datetime, by: User | None) -> Trade:
    if trade.bills_id is None:
        extensions.take_licence(trade)
    now = clock.now()
    digest = digest_of(contracts.bound(trade))
    Agreement.objects.create(
        trade=trade,
        terms=trade.terms,
        digest=digest,
        text_digest=trade.text_digest,
        buyer_by=buyer_by,
        buyer_agreed_at=trade.proposed_at,
        seller_by=seller_by,
        seller_agreed_at=seller_agreed_at,
        agreed_at=now,
    )
    facts: dict[str, object] = {"digest": digest, "text_digest": trade.text_digest}
    return _move(trade, "agree", by=by, facts=facts, agreed_at=now, holds_licence=trade.bills_id is None)


@transaction.atomic
def decline(trade: Trade, *, reason: str = "", by: User) -> Trade:
    """The seller declines a proposal. Raises WrongState, RoleNeeded."""
    trade = locked(trade, TradeState.PROPOSED)
    roles.require(by, trade.seller, "decline")
    return _move(trade, "decline", by=by, ended_at=clock.now(), end_reason=reason[:300])


@transaction.atomic
def cancel(trade: Trade, *, reason: str = "", by: User) -> Trade:
    """The buyer withdraws before the whole price has arrived; what arrived goes back.

    Raises WrongState, RoleNeeded, Frozen.
    """
    trade = locked(trade, TradeState.PROPOSED, TradeState.AGREED, TradeState.REGISTERED)
    roles.require(by, trade.buyer, "cancel")
    if trade.bills_id is not None:
        raise WrongState(
            _("A bill is of calls that were made, so it is not cancelled."), code="bill_is_owed", next=_("Pay it.")
        )
    return _end_before_funding(trade, "cancel", reason=reason, by=by)


@transaction.atomic
def expire(trade: Trade) -> Trade:
    """A deadline passed: nobody agreed, registered or paid in time. Raises WrongState while there is time, Frozen."""
    trade = locked(trade, TradeState.PROPOSED, TradeState.AGREED, TradeState.REGISTERED)
    until = deadlines.of(trade)
    if until is None or until > clock.now():
        raise WrongState(_("Trade %(trade)s has until %(until)s."), trade=trade, until=until)
    return _end_before_funding(trade, "expire", reason="", by=None)


def _end_before_funding(trade: Trade, act: str, *, reason: str, by: User | None) -> Trade:
    facts: dict[str, object] = {}
    if trade.state == TradeState.REGISTERED:
        _require_not_frozen(trade)
        payments.stop_open(trade)
        if trade.offer.instalments and (held := ledger.balance(ledger.escrow(trade))):
            payments.open_refunds(trade, held, reason=gettext_noop("the other instalments were not paid"), by=by)
            facts = {"refund_minor": held}
    extensions.give_back_licence(trade)
    trade = _move(trade, act, by=by, facts=facts, ended_at=clock.now(), end_reason=reason[:300])
    for grant in Grant.objects.filter(trade=trade.bills_id) if trade.bills_id and trade.registered_at else ():
        deliveries.suspend(grant, why="unpaid")
    return trade


# --- registration and money ----------------------------------------------------------------------------------------


@transaction.atomic
def register(trades: Sequence[Trade]) -> list[Trade]:
    """The exchange enters trades into its register and issues their contracts; their prices are asked for.

    A price of zero asks for nothing and goes on at once. All of them or none: raises WrongState, NotCleared.
    """
    ready = locked_together(trades, TradeState.AGREED)
    _require_none_held(ready)
    now, graces = clock.now(), extensions.graces(ready)
    for trade in ready:
        trade.register_number, trade.registered_at = new_number("trade"), now
        first = trade.offer.instalments[0]["due_days"] if trade.offer.instalments else 0
        trade.fund_until = max(instalments.due_at(now, trade.offer, first), graces.get(trade.pk, now))
    issued = contracts.issue_contracts(ready)
    _move_together(
        ready,
        "register",
        {trade.pk: {"register_number": trade.register_number, "contract": issued[trade.pk].digest} for trade in ready},
        changed=["register_number", "registered_at", "fund_until"],
    )
    payments.request([trade for trade in ready if trade.price_minor], by=None)
    fund([trade for trade in ready if not trade.price_minor])
    return ready


@transaction.atomic
def register_due() -> list[Trade]:
    """Register the agreed trades that have waited longest and that no other worker holds. All of them or none."""
    due = Trade.objects.due(TradeState.AGREED).order_by("next_try_at", "pk")
    return register(list(due.select_for_update(of=("self",), no_key=True, skip_locked=True)[:AT_ONCE]))


def receive(paid: Sequence[Trade], taken: Sequence[Instalment]) -> None:
    """More money is in the escrow of these locked trades, for the instalments `taken` where they are paid in such:
    those whose price is there are funded, the others are asked for their next instalment."""
    instalments.record_paid(taken)
    rest = instalments.unpaid(paid)
    waiting = [trade for trade in paid if rest.get(trade.pk)]
    waited_for = {row.trade_id: row for row in reversed(taken)}
    for trade in waiting:
        trade.fund_until = instalments.fund_until_next(waited_for[trade.pk], rest[trade.pk][0])
    if waiting:
        Trade.objects.bulk_update(waiting, ["fund_until"])
    payments.request(waiting, by=None)
    fund([trade for trade in paid if not rest.get(trade.pk)])


def fund(paid: Sequence[Trade]) -> None:
    """The price of these locked trades is in escrow with the buyer's fee, or there is none: access is due."""
    now = clock.now()
    for trade in paid:
        trade.funded_at = now
    _move_together(
        paid, "fund", {trade.pk: {"amount_minor": trade.total_minor} for trade in paid}, changed=["funded_at"]
    )
    deliveries.grant(paid)
    of_bills = [trade.bills_id for trade in paid if trade.bills_id]
    for grant in Grant.objects.filter(trade__in=of_bills).order_by("pk") if of_bills else ():
        metered = grant.trade
        if not clearance.are_held(
            listing=metered.listing, buyer=metered.buyer, seller=metered.seller, trade_id=metered.pk
        ):
            deliveries.resume(grant)


@transaction.atomic
def pay_again(trade: Trade, *, by: User) -> Payment:
    """The buyer starts another payment after one failed. Raises WrongState, RoleNeeded."""
    trade = locked(trade, TradeState.REGISTERED)
    roles.require(by, trade.buyer, "pay")
    if trade.payments.filter(state__in=payments.OPEN).exists():
        raise WrongState(_("A payment of this trade is open already."))
    return payments.request([trade], by=by)[0]


@transaction.atomic
def apply_suspense(trade: Trade, *, by: User) -> Trade:
    """The desk funds a registered trade from what its buyer sent, once that covers its total; the surplus goes back.
    Of a trade that is paid in instalments, the sum pays as many of the next as it covers.

    Raises WrongState, RoleNeeded, Contested, Invalid `too_little`.
    """
    roles.require_staff(by, "match_payment")
    trade = locked(trade, TradeState.REGISTERED)
    waiting = [row for row in payments.undecided(trade) if row.why != "too_late"]
    contested.require_not(waiting)
    total = sum(row.amount_minor for row in waiting)
    asked_minor, unpaid = trade.total_minor, instalments.unpaid([trade]).get(trade.pk, [])
    taken = instalments.covered(unpaid, total)
    if unpaid:
        asked_minor = sum(row.amount_minor for row in taken or unpaid[:1])
    if total < asked_minor:
        raise Invalid(
            _("%(total)s of %(price_minor)s minor units arrived."),
            code="too_little",
            next=_("Return it, or wait for the rest."),
            total=total,
            price_minor=asked_minor,
        )
    lacking = asked_minor
    for row in waiting:
        used = min(row.amount_minor, lacking)
        lacking -= used
        if used:
            ledger.transfer(
                f"applied-{row.pk}",
                debit=ledger.suspense(row.gateway, row.payer_reference, row.currency),
                credit=ledger.escrow(trade),
                amount_minor=used,
            )
        if used < row.amount_minor:
            payments.open_suspense_refund(row, row.amount_minor - used, reason=gettext_noop("surplus"))
        payments.close_unmatched(row, "applied" if used else "returned", by=by)
    payments.stop_open(trade)
    receive([trade], taken)
    return trade


# --- delivery ------------------------------------------------------------------------------------------------------


@transaction.atomic
def deliver(opened: Sequence[tuple[Grant, Access]]) -> list[Trade]:
    """The channel opened access: the inspection periods start.

    All of them or none: raises WrongState, NotCleared, Frozen.
    """
    replaced = replacing.replaced_by([grant.trade for grant, _access in opened])
    trades = {
        trade.pk: trade for trade in locked_together([grant.trade for grant, _access in opened], TradeState.FUNDED)
    }
    _require_none_held(list(trades.values()))
    accesses = {grant.pk: access for grant, access in opened}
    grants = list(Grant.objects.filter(pk__in=accesses).order_by("pk").select_for_update(no_key=True))
    now = clock.now()
    for grant in grants:
        grant.trade = trade = trades[grant.trade_id]
        _require_not_frozen(trade)
        trade.delivered_at, trade.inspect_until = now, now + dt.timedelta(days=trade.inspection_days)
    deliveries.record_open([(grant, accesses[grant.pk]) for grant in grants])
    for old in replaced:
        deliveries.end(old)
        replacing.stop_renewing(old)
    _move_together(
        list(trades.values()),
        "deliver",
        {
            grant.trade_id: {"digest": papers.delivery_digest(grant.trade, grant), "channel": grant.channel}
            for grant in grants
        },
        changed=["delivered_at", "inspect_until"],
    )
    delivery_papers.issue_delivery_records(grants)
    return list(trades.values())


@transaction.atomic
def cannot_deliver(grant: Grant, reason: str) -> Trade:
    """The channel will never open: the buyer gets everything back. Raises WrongState, Frozen."""
    trade = locked(grant.trade, TradeState.FUNDED)
    _require_not_frozen(trade)
    return _refund_all(trade, "cannot_deliver", reason=reason, by=None)


def _refund_all(trade: Trade, act: str, *, reason: str, by: User | None) -> Trade:
    held = ledger.balance(ledger.escrow(trade)) if trade.price_minor else 0
    if held:
        payments.open_refunds(trade, held, reason=reason, by=by)
    deliveries.take_back(trade)
    replacing.give_back(trade)
    extensions.give_back_licence(trade)
    return _move(trade, act, by=by, facts={"refund_minor": held}, ended_at=clock.now(), end_reason=reason[:300])


@transaction.atomic
def charge_back(trade: Trade) -> Trade:
    """The payer's bank took the money back: the locked trade ends, and what is left in escrow goes back too."""
    give_back_rest(trade)
    payments.stop_open(trade)
    deliveries.take_back(trade)
    if trade.bills is not None:  # who takes back what it paid for calls makes no more of them
        deliveries.end(trade.bills)
    replacing.give_back(trade)
    extensions.give_back_licence(trade)
    return _move(trade, "charge_back", by=None, ended_at=clock.now(), end_reason=gettext_noop("charged back"))


def give_back_rest(trade: Trade) -> None:
    """What a chargeback left in the escrow of the locked trade goes back to the buyer. What a payment brought that is
    contested itself waits until its bank has decided: else the buyer would get it from the bank and from us."""
    payments.refund_each(trade, escrowed.uncontested(trade), reason=gettext_noop("charged back in part"), by=None)


def drop_upgrade(old: Trade) -> None:
    """What was paid for the locked trade is lost: an upgrade that counts on it ends, if its access is not open yet.
    What was paid for that goes back, unless its own bank is about to decide on it."""
    waiting = Trade.objects.filter(upgrades=old, state__in=[*replacing.UNPAID, TradeState.FUNDED], is_frozen=False)
    for upgrade in waiting.select_for_update(of=("self",), no_key=True).select_related(*PARTS).order_by("pk"):
        reason = gettext_noop("the licence it replaces was charged back")
        if upgrade.state == TradeState.FUNDED:
            _refund_all(upgrade, "cannot_deliver", reason=reason, by=None)
        else:
            _end_before_funding(upgrade, "expire", reason=reason, by=None)


# --- acceptance and dispute ----------------------------------------------------------------------------------------


@transaction.atomic
def accept(trade: Trade, *, by: User) -> Trade:
    """The buyer accepts what was delivered. Raises WrongState, RoleNeeded, NotCleared, Frozen."""
    trade = locked(trade, TradeState.DELIVERED)
    roles.require(by, trade.buyer, "accept")
    return _accept(trade, by=by, is_deemed=False)


@transaction.atomic
def deem_accepted(trade: Trade) -> Trade:
    """The inspection period ended without a word. Raises WrongState while there is time, NotCleared, Frozen."""
    trade = locked(trade, TradeState.DELIVERED)
    until = deadlines.of(trade)
    if until is None or until > clock.now():
        raise WrongState(_("The inspection of trade %(trade)s lasts until %(until)s."), trade=trade, until=until)
    return _accept(trade, by=None, is_deemed=True)


def _accept(trade: Trade, *, by: User | None, is_deemed: bool) -> Trade:
    _require_not_held(trade)
    _require_not_frozen(trade)
    trade = _move(
        trade, "accept", by=by, facts={"deemed": is_deemed}, accepted_at=clock.now(), is_deemed_accepted=is_deemed
    )
    delivery_papers.issue_acceptance(trade, by=by)
    return trade


@transaction.atomic
def dispute(trade: Trade, *, reason: str, by: User) -> Dispute:
    """The buyer objects within the inspection period; clearing waits. Raises WrongState, RoleNeeded, Invalid."""
    trade = locked(trade, TradeState.DELIVERED)
    roles.require(by, trade.buyer, "dispute")
    if not reason.strip():
        raise Invalid(_("Say what is wrong with what was delivered."), code="reason_needed")
    until = deadlines.of(trade)
    if until is not None and until <= clock.now():
        raise WrongState(_("The inspection is over; silence accepted the delivery."), code="inspection_over")
    opened = Dispute.objects.create(trade=trade, reason=reason.strip()[:4000], opened_by=by)
    _move(trade, "dispute", by=by, facts={"dispute": opened.pk})
    return opened


@transaction.atomic
def answer_dispute(dispute: Dispute, *, answer: str, by: User) -> Dispute:
    """The seller's side of it. Raises WrongState, RoleNeeded."""
    trade = locked(dispute.trade, TradeState.DISPUTED)
    roles.require(by, trade.seller, "dispute")
    dispute = Dispute.objects.select_for_update().get(pk=dispute.pk)
    dispute.answer = answer.strip()[:4000]
    dispute.save(update_fields=["answer"])
    journal.record("dispute.answered", dispute, by=by, trade=trade.pk)
    return dispute


@transaction.atomic
def resolve(dispute: Dispute, *, refund_minor: int, resolution: str, by: User) -> Trade:
    """The exchange decides: the whole price back ends the trade; less is a partial award and the trade goes on.

    The same share of the buyer's fee goes back with `refund_minor` of the price. Raises WrongState, RoleNeeded,
    NotCleared, Frozen, Invalid when the award is not between nothing and the price or cannot be paid back.
    """
    roles.require_staff(by, "resolve")
    trade = locked(dispute.trade, TradeState.DISPUTED)
    _require_not_frozen(trade)
    _require_fair_word(trade, resolution, by)
    if not 0 <= refund_minor <= trade.price_minor:
        raise Invalid(
            _("An award is between nothing and the price, %(price)s."),
            code="award_out_of_range",
            price=trade.price,
        )
    _close_dispute(dispute, resolution, refund_minor, by=by)
    if trade.price_minor and refund_minor == trade.price_minor:
        return _refund_all(trade, "resolve_for_buyer", reason=gettext_noop("dispute"), by=by)
    _require_not_held(trade)
    if refund_minor:
        back_minor = refund_minor + trade.fee_back_minor(refund_minor)
        amounts.require_returnable(escrowed.in_parts(trade, back_minor))
        payments.open_refunds(trade, back_minor, reason=gettext_noop("partial award"), by=by)
    facts: dict[str, object] = {"deemed": False, "refund_minor": refund_minor}
    trade = _move(trade, "resolve_for_seller", by=by, facts=facts, accepted_at=clock.now())
    delivery_papers.issue_acceptance(trade, by=by, refund_minor=refund_minor)
    return trade


@transaction.atomic
def end_free_dispute(dispute: Dispute, *, resolution: str, by: User) -> Trade:
    """The exchange decides a dispute over a free product for the buyer: access ends.

    Raises WrongState, RoleNeeded, Invalid.
    """
    roles.require_staff(by, "resolve")
    trade = locked(dispute.trade, TradeState.DISPUTED)
    _require_fair_word(trade, resolution, by)
    if trade.price_minor:
        raise WrongState(_("This trade has a price: resolve it by an award."))
    _close_dispute(dispute, resolution, None, by=by)
    return _refund_all(trade, "resolve_for_buyer", reason=gettext_noop("dispute"), by=by)


def _close_dispute(dispute: Dispute, resolution: str, refund_minor: int | None, *, by: User) -> None:
    dispute = Dispute.objects.select_for_update().get(pk=dispute.pk)
    dispute.state = DISPUTE_MOVES[DisputeState(dispute.state)]["resolve"]
    dispute.resolution, dispute.refund_minor = resolution.strip()[:4000], refund_minor
    dispute.resolved_by, dispute.resolved_at = by, clock.now()
    dispute.save(update_fields=["state", "resolution", "refund_minor", "resolved_by", "resolved_at"])


def _require_fair_word(trade: Trade, resolution: str, by: User) -> None:
    """A dispute is decided by somebody who never belonged to a party, with a reason. Raises Invalid.

    Who leaves a party for the moment of deciding is still of that party.
    """
    if any(joint_merchants.has_interest(by, party) for party in (trade.buyer_id, trade.seller_id)):
        raise Invalid(_("A member of a party cannot decide its dispute."), code="own_dispute", status=403)
    if not resolution.strip():
        raise Invalid(_("Say why, in words both parties see."), code="reason_needed")


# --- clearing and settlement ---------------------------------------------------------------------------------------


@transaction.atomic
def release(cycle: ClearingCycle, *, by: User) -> ClearingCycle:
    """Staff release a closed cycle; above the limit a second person must confirm.

    Raises WrongState, RoleNeeded, BooksDoNotAgree.
    """
    roles.require_staff(by, "release_clearing")
    cycle = clearing.locked_closed(cycle)
    reconciliation.require_agreement(cycle)
    if clearing.needs_two_people(cycle) and cycle.by_id in (None, by.pk):
        if cycle.by_id is None:
            cycle.by = by
            cycle.save(update_fields=["by"])
            journal.record("cycle.confirmed", cycle, by=by)
            return cycle
        raise WrongState(_("You confirmed this cycle; another person releases it."), code="second_person_needed")
    if cycle.by_id is None:
        cycle.by = by
    elif cycle.by_id != by.pk:
        cycle.second_by = by
    return _clear(cycle, by=by)


@transaction.atomic
def clear(cycle: ClearingCycle) -> ClearingCycle:
    """The exchange releases a closed cycle by itself, up to the limit. Raises WrongState, BooksDoNotAgree."""
    cycle = clearing.locked_closed(cycle)
    reconciliation.require_agreement(cycle)
    if clearing.needs_two_people(cycle):
        raise WrongState(
            _("Cycle %(cycle)s is above the limit: two persons release it."), code="second_person_needed", cycle=cycle
        )
    return _clear(cycle, by=None)


def _clear(cycle: ClearingCycle, *, by: User | None) -> ClearingCycle:
    """Escrow becomes fees and payable, payouts fall due: for each part of the trades one statement each for transfers,
    events and moves, for each part of the payouts two, and one for all statements. One transaction, however many.
    """
    accepted = Trade.objects.filter(cycle=cycle, state=TradeState.ACCEPTED)
    positions.lock_each(accepted)
    positions.lock_each(ledger.Account.objects.filter(kind=ledger.Kind.ESCROW, trade__in=accepted))
    now, day = clock.now(), clock.today()
    due = reserves.due(day, cycle.currency)
    concerned = clearing.paid_by(cycle) | {(row.organisation_id, row.currency) for row in due}
    owed = ledger.owed_by_members({organisation_id for organisation_id, _currency in concerned})
    payables = ledger.locked_payables(concerned)
    due = reserves.due(day, cycle.currency)  # now they stand
    releasing = [row for row in due if (row.organisation_id, row.currency) in payables]
    moved = 0
    found: positions.Positions = {}
    for part in positions.in_parts(accepted):
        held = {row.pk for row in part if row.is_frozen} | holds.held_trade_ids(part)
        Trade.objects.filter(pk__in=held).update(cycle=None)
        ready = [(row.pk, positions.line_of(row)) for row in part if row.pk not in held]
        lines = [line for _pk, line in ready if line is not None]
        passed = positions.passed_on(lines)
        clearing.book_lines(lines, passed, payables)
        positions.add(found, lines, passed)
        journal.record_rows("trade.cleared", Trade, ((pk, _cleared_facts(cycle, line)) for pk, line in ready), by=by)
        moved += len(ready)
    accepted.update(state=TradeState.CLEARED, cleared_at=now)
    terms = reserves.count_in(found, releasing, owed, day)
    positions.net(found, netting.in_force({member for member, _currency in found}, cycle))
    reserved = reserves.book(cycle, found, releasing, terms, payables, day)
    clearing.book_positions(cycle, found, payables, reserved)
    payouts.open_of(cycle, found)
    clearing.move(cycle, "release", released_at=now, by=cycle.by, second_by=cycle.second_by)
    journal.record("cycle.released", cycle, by=by, trades=moved)
    _settle_unpaid(cycle)
    return cycle


def _cleared_facts(cycle: ClearingCycle, line: positions.Line | None) -> dict[str, int]:
    money = {"fee_minor": line.fee_minor, "net_minor": line.net_minor} if line else {}
    if line and line.buyer_fee_minor:
        money["buyer_fee_minor"] = line.buyer_fee_minor
    return {"cycle": cycle.number} | money


def _settle_unpaid(cycle: ClearingCycle) -> None:
    """The trades of a cleared cycle that nothing is paid out for end here: free ones, and those of a debt."""
    settle(payouts.unpaid(cycle))


def settle(cleared: QuerySet[Trade]) -> None:
    """Move cleared trades to settled, part by part: a lock, a statement each for moves and for events."""
    due = cleared.filter(state=TradeState.CLEARED).order_by("pk").select_for_update(of=("self",), no_key=True)
    while part := list(due.values_list("pk", flat=True)[: positions.AT_ONCE]):
        Trade.objects.filter(pk__in=part).update(state=TradeState.SETTLED, settled_at=clock.now())
        journal.record_rows("trade.settled", Trade, ((pk, {}) for pk in part), by=None)
