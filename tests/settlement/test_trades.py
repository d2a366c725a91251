"""The story of a trade, command by command: exact states, exact amounts, and refusals that leave no trace."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from compliance import holds
from compliance.verification import SamePerson
from listings.models import Offer
from marketplace import clock
from marketplace.errors import Invalid, NotCleared, RoleNeeded, SoldOut, WrongState
from marketplace.models import Paper
from marketplace.roles import Role
from settlement import clearing, contested, deliveries, hearing, ledger, mendings, payments, tasks, trades
from settlement.gateways import sandbox_bank
from settlement.models import (
    Agreement,
    Break,
    Chargeback,
    ClearingCycle,
    Notice,
    Payment,
    Payout,
    Reconciliation,
    Refund,
    RefundMending,
    SandboxNotice,
    Statement,
    Trade,
    Unmatched,
)
from settlement.states import CycleState, GrantState, OutgoingState, PaymentState, TradeState
from tests import factories, trading
from tests.trading import kinds_recorded, make_trade, pay, work

pytestmark = pytest.mark.django_db

MAIN_ROAD = [
    "trade.proposed",
    "trade.agreed",
    "trade.registered",
    "trade.funded",
    "trade.delivered",
    "trade.accepted",
    "trade.cleared",
    "trade.settled",
]


def balances(trade: Trade) -> dict[str, int]:
    """What the trade's escrow, the seller, the fees and the outside hold, in minor units."""
    return {
        "escrow": ledger.balance(ledger.escrow(trade)),
        "payable": ledger.balance(ledger.payable(trade.seller, trade.currency)),
        "fees": ledger.balance(ledger.fees(trade.currency)),
        "outside": ledger.balance(ledger.outside("sandbox", trade.currency)),
    }


def books_are_right() -> None:
    assert ledger.reconcile() == []
    assert all(sum(kinds.values()) == 0 for kinds in ledger.totals().values())


def the_bank_says_the_same() -> None:
    """The day after, the three books are compared."""
    with clock.moved_to(clock.now() + dt.timedelta(days=1)):
        tasks.reconcile_books()
    assert Reconciliation.objects.exists() and not Break.objects.exists()


# --- the main road -------------------------------------------------------------------------------------------------


def test_a_paid_trade_settles_to_the_cent_and_gets_its_certificate():
    deal = make_trade(TradeState.SETTLED)
    trade = deal.trade
    assert kinds_recorded(trade) == MAIN_ROAD
    assert balances(trade) == {"escrow": 0, "payable": 0, "fees": 3_125, "outside": -3_125}
    statement = Statement.objects.get(organisation=trade.seller)
    assert (statement.gross_minor, statement.fee_minor, statement.net_minor) == (125_000, 3_125, 121_875)
    payout = Payout.objects.get()
    assert (payout.amount_minor, payout.state, payout.destination) == (121_875, "paid", f"acct-{trade.seller_id}")
    certificate = trade.certificate
    assert certificate.kind == Paper.Kind.TRADE_CERTIFICATE and certificate.is_sandbox
    assert certificate.record["trade_number"] == trade.register_number
    assert certificate.record["delivery_digest"] == trade.release.digest
    books_are_right()


def test_a_free_trade_takes_the_same_road_without_money():
    deal = make_trade(TradeState.AGREED, price_minor=0)
    work()
    assert deal.state == TradeState.DELIVERED
    trades.accept(deal.trade, by=deal.buyer)
    trading.clear_now()
    assert deal.state == TradeState.SETTLED
    assert kinds_recorded(deal.trade) == MAIN_ROAD
    assert not deal.trade.payments.exists() and not Payout.objects.exists() and ledger.totals() == {}
    assert deal.trade.certificate is not None and not deal.trade.certificate.is_sandbox


def test_an_open_offer_binds_both_at_once():
    deal = trading.propose()
    assert deal.state == TradeState.AGREED
    agreement = Agreement.objects.get(trade=deal.trade)
    assert (agreement.buyer_by, agreement.seller_by) == (deal.buyer, deal.seller)
    assert agreement.digest.startswith("sha256:")


def test_price_and_terms_are_frozen_at_the_proposal():
    deal = make_trade(TradeState.PROPOSED)
    offer = deal.trade.offer
    from listings import offers

    offers.close_offer(offer, by=deal.seller)
    trades.agree(deal.trade, by=deal.seller)
    assert (deal.reload().price_minor, deal.trade.terms) == (offer.price_minor, offer.terms)


def test_the_use_and_the_order_number_papers_state_never_change():
    deal = make_trade(TradeState.PROPOSED)
    for changed in ({"purchase_order": "PO-2"}, {"purpose": "Another use"}, {"price_minor": 1}):
        with pytest.raises(DatabaseError, match="Cannot update rows"), transaction.atomic():
            Trade.objects.filter(pk=deal.trade.pk).update(**changed)


# --- who may ---------------------------------------------------------------------------------------------------------


def test_only_a_trader_or_owner_of_the_buyer_proposes():
    offer, buyer = trading.make_offer(), trading.make_verified()
    viewer = factories.make_member(buyer, Role.VIEWER)
    with pytest.raises(RoleNeeded):
        trades.propose(offer, buyer=buyer, by=viewer)
    with pytest.raises(RoleNeeded):
        trades.propose(offer, buyer=buyer, by=offer.listing.seller.created_by)
    assert not Trade.objects.exists()


def test_an_organisation_that_is_not_verified_cannot_trade():
    offer, stranger = trading.make_offer(), factories.make_organisation()
    with pytest.raises(NotCleared) as refusal:
        trades.propose(offer, buyer=stranger, by=stranger.created_by)
    assert refusal.value.reasons and all(reason["next"] for reason in refusal.value.reasons)
    assert not Trade.objects.exists()


def test_nobody_buys_their_own_product():
    offer = trading.make_offer()
    with pytest.raises(Invalid, match="your own product"):
        trades.propose(offer, buyer=offer.listing.seller, by=offer.listing.seller.created_by)


def test_a_named_offer_is_for_those_it_names():
    listing, named, other = trading.make_listed(), trading.make_verified(), trading.make_verified()
    offer = trading.make_offer(listing, audience=Offer.Audience.NAMED, buyers=[named])
    with pytest.raises(trades.NotOnSale):
        trades.propose(offer, buyer=other, by=other.created_by)
    assert trades.propose(offer, buyer=named, by=named.created_by).state == TradeState.AGREED


def test_only_the_seller_agrees_and_only_to_a_proposal():
    deal = make_trade(TradeState.PROPOSED)
    with pytest.raises(RoleNeeded):
        trades.agree(deal.trade, by=deal.buyer)
    trades.decline(deal.trade, reason="Not this year.", by=deal.seller)
    with pytest.raises(WrongState, match="is declined, not proposed"):
        trades.agree(deal.trade, by=deal.seller)
    assert not Agreement.objects.filter(trade=deal.trade).exists()
    assert kinds_recorded(deal.trade) == ["trade.proposed", "trade.declined"]


# --- licences --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["cancel", "expire", "cannot_deliver"])
def test_a_licence_of_a_limited_offer_comes_back(way):
    deal = trading.propose(trading.make_offer(licences_total=1))
    assert Offer.objects.get().licences_left == 0
    with pytest.raises(SoldOut):
        trading.propose(deal.trade.offer)
    if way == "cancel":
        trades.cancel(deal.trade, by=deal.buyer)
    elif way == "expire":
        work()
        Trade.objects.filter(pk=deal.trade.pk).update(fund_until=timezone.now() - dt.timedelta(minutes=1))
        tasks.expire_trades()
    else:
        work()
        deal.reload()
        from settlement.gateways import sandbox_bank

        sandbox_bank.act(deal.payment.reference, "pay")
        trading.hand_over_notices()
        hearing.hear(payments.claim_next_notices())
        trades.cannot_deliver(deal.trade.grant, "The storage burned.")
    assert Offer.objects.get().licences_left == 1
    assert not deal.reload().holds_licence


@pytest.mark.parametrize(("licences", "days"), [(None, 7), (1, 2), (20, 2)])
def test_few_licences_are_not_held_unpaid_for_long(licences, days):
    trade = make_trade(TradeState.REGISTERED, licences_total=licences).trade
    assert trade.fund_until - trade.registered_at == dt.timedelta(days=days)


def test_a_licence_comes_back_when_its_term_ends_and_access_closes():
    deal = make_trade(TradeState.DELIVERED, licences_total=1)
    grant = deal.trade.grant
    type(grant).objects.filter(pk=grant.pk).update(ends_at=timezone.now())
    with pytest.raises(deliveries.GrantClosed):
        deliveries.require_use(grant, by=deal.buyer)
    tasks.close_grants()
    grant.refresh_from_db()
    assert grant.state == GrantState.CLOSED
    assert Offer.objects.get().licences_left == 1


# --- ending before money ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [TradeState.PROPOSED, TradeState.AGREED, TradeState.REGISTERED])
def test_the_buyer_cancels_before_money_arrives(state):
    deal = make_trade(state)
    with pytest.raises(RoleNeeded):
        trades.cancel(deal.trade, by=deal.seller)
    trades.cancel(deal.trade, reason="Changed plans.", by=deal.buyer)
    work()
    assert deal.state == TradeState.CANCELLED
    assert [payment.state for payment in deal.trade.payments.all()] in ([], [PaymentState.STOPPED])


@pytest.mark.parametrize("state", [TradeState.FUNDED, TradeState.DELIVERED, TradeState.ACCEPTED])
def test_a_funded_trade_cannot_be_cancelled(state):
    deal = make_trade(state)
    with pytest.raises(WrongState):
        trades.cancel(deal.trade, by=deal.buyer)
    assert deal.state == state


@pytest.mark.parametrize(
    ("state", "field"),
    [(TradeState.PROPOSED, "agree_until"), (TradeState.AGREED, "agreed_at"), (TradeState.REGISTERED, "fund_until")],
)
def test_a_trade_expires_when_its_time_is_over_and_not_before(state, field):
    deal = make_trade(state)
    tasks.expire_trades()
    assert deal.state == state
    with pytest.raises(WrongState):
        trades.expire(deal.trade)
    Trade.objects.filter(pk=deal.trade.pk).update(**{field: timezone.now() - dt.timedelta(days=30)})
    tasks.expire_trades()
    assert deal.state == TradeState.EXPIRED
    assert kinds_recorded(deal.trade)[-1] == "trade.expired"


# --- money that does not fit -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("what", "amount"), [("pay_less", 124_999), ("pay_more", 125_001)])
def test_a_wrong_amount_waits_in_suspense(what, amount):
    deal = make_trade(TradeState.REGISTERED)
    pay(deal, what)
    assert deal.state == TradeState.REGISTERED
    unmatched = Unmatched.objects.get()
    assert (unmatched.amount_minor, unmatched.why) == (amount, "wrong_amount")
    assert ledger.totals()["HKD"] == {"suspense": amount, "outside": -amount}
    books_are_right()


def test_the_desk_returns_money_in_suspense():
    deal = make_trade(TradeState.REGISTERED)
    pay(deal, "pay_less")
    unmatched, officer = Unmatched.objects.get(), factories.make_staff("payments")
    with pytest.raises(RoleNeeded):
        payments.return_unmatched(unmatched, by=factories.make_staff("review"))
    payments.return_unmatched(unmatched, by=officer)
    with pytest.raises(WrongState):
        payments.return_unmatched(unmatched, by=officer)
    work()
    assert Refund.objects.get().state == OutgoingState.PAID
    assert ledger.totals()["HKD"] == {"suspense": 0, "outside": 0, "refund": 0}


def test_the_desk_applies_what_came_in_two_parts_and_returns_the_surplus():
    deal = make_trade(TradeState.REGISTERED)
    pay(deal, "pay", amount_minor=100_000)
    with pytest.raises(Invalid, match="100000 of 125000"):
        trades.apply_suspense(deal.trade, by=factories.make_staff("payments"))
    pay(deal, "pay", amount_minor=30_000)
    trades.apply_suspense(deal.trade, by=factories.make_staff("payments"))
    work()
    assert deal.state == TradeState.DELIVERED
    assert ledger.balance(ledger.escrow(deal.trade)) == 125_000
    assert Refund.objects.get().amount_minor == 5_000
    books_are_right()


def test_a_second_payment_can_only_be_returned():
    deal = make_trade(TradeState.REGISTERED)
    pay(deal, "pay_twice")
    assert deal.state == TradeState.DELIVERED
    assert Unmatched.objects.get().why == "paid_twice"
    assert ledger.balance(ledger.escrow(deal.trade)) == 125_000
    books_are_right()


def test_money_after_the_end_can_only_be_returned():
    deal = make_trade(TradeState.REGISTERED)
    reference = deal.payment.reference
    trades.cancel(deal.trade, by=deal.buyer)
    work()
    from settlement.gateways import sandbox_bank

    sandbox_bank.act(reference, "pay_late")
    work()
    assert deal.state == TradeState.CANCELLED
    assert Unmatched.objects.get().why == "too_late"
    with pytest.raises(WrongState):
        trades.apply_suspense(deal.trade, by=factories.make_staff("payments"))


def test_a_failed_payment_leaves_the_trade_and_another_can_be_started():
    deal = make_trade(TradeState.REGISTERED)
    with pytest.raises(WrongState):
        trades.pay_again(deal.trade, by=deal.buyer)
    pay(deal, "fail")
    assert deal.state == TradeState.REGISTERED
    trades.pay_again(deal.trade, by=deal.buyer)
    work()
    pay(deal)
    assert deal.state == TradeState.DELIVERED
    Payment.objects.filter(key__endswith="-1").update(next_try_at=timezone.now())  # which moves the row in its table
    assert [payment.state for payment in deal.trade.payments.all()] == ["failed", "paid"]


# --- delivery, acceptance, dispute -----------------------------------------------------------------------------------


def test_what_cannot_be_delivered_is_refunded_in_full():
    deal = make_trade(TradeState.FUNDED)
    trades.cannot_deliver(deal.trade.grant, "The storage burned.")
    assert deal.state == TradeState.REFUNDED
    assert balances(deal.trade)["escrow"] == 0
    work()
    refund = Refund.objects.get()
    assert (refund.amount_minor, refund.state) == (125_000, OutgoingState.PAID)
    assert deal.trade.grant.state == GrantState.CLOSED
    assert ledger.balance(ledger.outside("sandbox", "HKD")) == 0
    books_are_right()


def test_silence_accepts_when_the_inspection_is_over():
    deal = make_trade(TradeState.DELIVERED)
    tasks.deem_accepted()
    assert deal.state == TradeState.DELIVERED
    with pytest.raises(WrongState):
        trades.deem_accepted(deal.trade)
    Trade.objects.filter(pk=deal.trade.pk).update(inspect_until=timezone.now())
    tasks.deem_accepted()
    assert deal.state == TradeState.ACCEPTED
    assert deal.trade.is_deemed_accepted


def test_an_objection_after_the_inspection_comes_too_late():
    deal = make_trade(TradeState.DELIVERED)
    Trade.objects.filter(pk=deal.trade.pk).update(inspect_until=timezone.now())
    with pytest.raises(WrongState, match="inspection is over"):
        trades.dispute(deal.trade, reason="Wrong.", by=deal.buyer)
    assert deal.state == TradeState.DELIVERED
    assert kinds_recorded(deal.trade)[-1] == "trade.delivered"


def test_one_poisoned_trade_does_not_stop_its_neighbours(monkeypatch):
    poisoned, sound = make_trade(TradeState.DELIVERED), make_trade(TradeState.DELIVERED)
    Trade.objects.update(inspect_until=timezone.now())
    deem = trades.deem_accepted

    def break_on_the_first(trade):
        if trade.pk == poisoned.trade.pk:
            raise RuntimeError("a fault of ours")
        return deem(trade)

    monkeypatch.setattr(trades, "deem_accepted", break_on_the_first)
    tasks.deem_accepted()
    assert (poisoned.state, sound.state) == (TradeState.DELIVERED, TradeState.ACCEPTED)
    assert poisoned.trade.error == "RuntimeError: a fault of ours" and poisoned.trade.next_try_at > timezone.now()


def test_a_dispute_decided_for_the_buyer_refunds_and_closes_access():
    deal = make_trade(TradeState.DELIVERED)
    dispute = trades.dispute(deal.trade, reason="Half the rows are missing.", by=deal.buyer)
    trades.answer_dispute(dispute, answer="They are in the second file.", by=deal.seller)
    with pytest.raises(RoleNeeded):
        trades.resolve(dispute, refund_minor=125_000, resolution="So it is.", by=factories.make_staff("review"))
    trades.resolve(
        dispute, refund_minor=125_000, resolution="The manual promised all.", by=factories.make_staff("disputes")
    )
    assert deal.state == TradeState.REFUNDED
    with pytest.raises(deliveries.GrantClosed):
        deliveries.require_use(deal.trade.grant, by=deal.buyer)
    work()
    assert Refund.objects.get().state == OutgoingState.PAID
    books_are_right()


@pytest.mark.parametrize(("award", "fee", "net"), [(0, 3_125, 121_875), (25_000, 2_500, 97_500)])
def test_a_dispute_decided_for_the_seller_goes_on_with_what_is_left(award, fee, net):
    deal = make_trade(TradeState.DELIVERED)
    dispute = trades.dispute(deal.trade, reason="One column is empty.", by=deal.buyer)
    trades.resolve(dispute, refund_minor=award, resolution="It was said so.", by=factories.make_staff("disputes"))
    assert deal.state == TradeState.ACCEPTED
    trading.clear_now()
    assert deal.state == TradeState.SETTLED
    assert Payout.objects.get().amount_minor == net
    assert ledger.balance(ledger.fees("HKD")) == fee
    assert sum(Refund.objects.values_list("amount_minor", flat=True)) == award
    books_are_right()


def test_an_award_lies_between_nothing_and_the_price():
    deal = make_trade(TradeState.DELIVERED)
    dispute = trades.dispute(deal.trade, reason="Wrong.", by=deal.buyer)
    with pytest.raises(Invalid, match=r"nothing and the price, HKD 1,250\.00\."):
        trades.resolve(dispute, refund_minor=125_001, resolution="More.", by=factories.make_staff("disputes"))
    assert deal.state == TradeState.DISPUTED


@pytest.mark.parametrize("price_minor", [0, 125_000])
def test_nobody_decides_the_dispute_of_their_own_organisation_nor_without_a_reason(price_minor):
    deal = trading.propose(trading.make_offer(price_minor=price_minor))
    work()
    if price_minor:
        pay(deal)
    dispute = trades.dispute(deal.trade, reason="Wrong.", by=deal.buyer)
    partial, stranger = factories.make_member(deal.trade.seller, Role.VIEWER), factories.make_staff("disputes")
    partial.is_staff, partial.staff_roles = True, ["disputes"]
    partial.save()

    def decide(by, resolution):
        if price_minor:
            return trades.resolve(dispute, refund_minor=price_minor, resolution=resolution, by=by)
        return trades.end_free_dispute(dispute, resolution=resolution, by=by)

    for by, resolution, code in ((partial, "So it is.", "own_dispute"), (stranger, "  ", "reason_needed")):
        with pytest.raises(Invalid) as refused:
            decide(by, resolution)
        assert refused.value.code == code
    assert deal.state == TradeState.DISPUTED
    assert decide(stranger, "So it is.").state == TradeState.REFUNDED


# --- chargebacks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [TradeState.DELIVERED, TradeState.ACCEPTED])
def test_a_chargeback_freezes_and_lost_ends_the_trade(state):
    deal = make_trade(state)
    pay(deal, "charge_back")
    assert deal.reload().is_frozen
    if state == TradeState.DELIVERED:
        with pytest.raises(trades.Frozen):
            trades.accept(deal.trade, by=deal.buyer)
    trading.cut_off_now()
    assert deal.state == state
    pay(deal, "lose_chargeback")
    assert deal.state == TradeState.REFUNDED
    assert balances(deal.trade) == {"escrow": 0, "payable": 0, "fees": 0, "outside": 0}
    assert not deal.trade.is_frozen
    books_are_right()


def test_a_chargeback_won_lets_the_trade_go_on():
    deal = make_trade(TradeState.ACCEPTED)
    pay(deal, "charge_back")
    pay(deal, "win_chargeback")
    trading.clear_now()
    assert deal.state == TradeState.SETTLED


def test_a_chargeback_lost_after_settlement_is_owed_by_the_seller_and_set_against_the_next_payout():
    deal = make_trade(TradeState.SETTLED)
    pay(deal, "charge_back")
    pay(deal, "lose_chargeback")
    assert deal.state == TradeState.SETTLED
    seller = deal.trade.seller
    assert ledger.balance(ledger.receivable(seller, "HKD")) == -125_000
    second = trading.propose(deal.trade.offer)
    trades.agree(second.trade, by=deal.seller)
    work()
    pay(second)
    trades.accept(second.trade, by=second.buyer)
    trading.clear_now()
    assert second.state == TradeState.SETTLED
    assert ledger.balance(ledger.receivable(seller, "HKD")) == -3_125
    statement = Statement.objects.order_by("-pk")[0]
    assert (statement.gross_minor, statement.fee_minor, statement.recovered_minor, statement.net_minor) == (
        125_000,
        3_125,
        121_875,
        0,
    )
    assert Payout.objects.count() == 1
    books_are_right()


def test_of_money_lost_after_clearing_the_seller_owes_what_it_was_cleared_and_the_buyer_what_went_back():
    deal = make_trade(TradeState.DELIVERED)
    dispute = trades.dispute(deal.trade, reason="A column lacks.", by=deal.buyer)
    trades.resolve(dispute, refund_minor=25_000, resolution="It does.", by=factories.make_staff("disputes"))
    trading.clear_now()
    assert deal.state == TradeState.SETTLED
    pay(deal, "charge_back", amount_minor=60_000)
    pay(deal, "lose_chargeback")
    pay(deal, "charge_back")
    pay(deal, "lose_chargeback")
    owed = [ledger.balance(ledger.receivable(one, "HKD")) for one in (deal.trade.seller, deal.trade.buyer)]
    assert owed == [-100_000, -25_000]
    assert sandbox_bank.possible_acts(sandbox_bank.order(deal.payment.reference)) == []
    books_are_right()
    the_bank_says_the_same()


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_money_in_suspense_that_the_bank_takes_back_is_nobodys_debt(is_cancelled):
    deal = make_trade(TradeState.REGISTERED)
    if is_cancelled:
        trades.cancel(deal.trade, by=deal.buyer)
    pay(deal, "pay_late", amount_minor=2_000 if not is_cancelled else 125_000)
    row, officer = Unmatched.objects.get(), factories.make_staff("payments")
    pay(deal, "charge_back", amount_minor=1_500)
    with pytest.raises(contested.Contested):
        payments.return_unmatched(row, by=officer)
    if not is_cancelled:
        with pytest.raises(contested.Contested):
            trades.apply_suspense(deal.trade, by=officer)
    assert not Refund.objects.exists()
    pay(deal, "lose_chargeback")
    row.refresh_from_db()
    assert (row.decision, row.decided_by) == ("charged_back", None)
    assert Refund.objects.get().amount_minor == row.amount_minor - 1_500
    assert not any(ledger.totals()["HKD"].values()) and "receivable" not in ledger.totals()["HKD"]
    assert deal.state == (TradeState.CANCELLED if is_cancelled else TradeState.REGISTERED)
    books_are_right()
    the_bank_says_the_same()


def test_money_nobody_spent_is_lost_without_its_trade():
    deal = make_trade(TradeState.REGISTERED)
    pay(deal, "pay_less", amount_minor=2_000)
    pay(deal, "fail")
    first = deal.payment
    trades.pay_again(deal.trade, by=deal.buyer)
    work()
    pay(deal)
    for what in ("charge_back", "lose_chargeback"):
        sandbox_bank.act(first.reference, what)
        work()
        assert not deal.reload().is_frozen
    assert deal.state == TradeState.DELIVERED and ledger.totals()["HKD"]["escrow"] == 125_000
    assert ledger.totals()["HKD"]["suspense"] == 0
    books_are_right()


@pytest.mark.parametrize("how_it_ends", ["win_chargeback", "lose_chargeback"])
def test_a_contest_that_overtakes_its_money_waits_for_it(how_it_ends):
    deal = make_trade(TradeState.REGISTERED)
    for what in ("pay", "charge_back", how_it_ends):
        sandbox_bank.act(deal.payment.reference, what)
    paid = SandboxNotice.objects.order_by("pk")[0]
    SandboxNotice.objects.filter(pk=paid.pk).update(next_try_at=timezone.now() + dt.timedelta(days=1))
    work()
    assert deal.state == TradeState.REGISTERED and not ledger.totals() and not Chargeback.objects.exists()
    SandboxNotice.objects.filter(pk=paid.pk).update(next_try_at=timezone.now())
    Notice.objects.update(next_try_at=timezone.now())
    work()
    Notice.objects.update(next_try_at=timezone.now())
    work()
    is_lost = how_it_ends == "lose_chargeback"
    assert deal.state == (TradeState.REFUNDED if is_lost else TradeState.DELIVERED)
    assert balances(deal.trade) == {
        "escrow": 0 if is_lost else 125_000,
        "payable": 0,
        "fees": 0,
        "outside": 0 if is_lost else -125_000,
    }
    assert not Notice.objects.filter(read_at=None).exists()
    books_are_right()


# --- bounces ---------------------------------------------------------------------------------------------------------


def test_a_bounced_payout_reverses_and_goes_out_again_when_the_account_is_mended():
    deal = make_trade(TradeState.ACCEPTED)
    seller = deal.trade.seller
    trading.set_account(seller, "bounce-always", by=deal.seller)
    trading.clear_now()
    assert deal.state == TradeState.CLEARED
    assert ledger.balance(ledger.payable(seller, "HKD")) == 121_875
    trading.set_account(seller, "mended", by=deal.seller)
    work()
    assert deal.state == TradeState.SETTLED
    assert [(payout.state, payout.destination) for payout in Payout.objects.order_by("pk")] == [
        ("bounced", "bounce-always"),
        ("paid", "mended"),
    ]
    books_are_right()


def test_a_payout_that_bounced_goes_to_an_account_named_before_it_was_sent():
    deal = make_trade(TradeState.ACCEPTED)
    seller, officer = deal.trade.seller, factories.make_staff("review")
    trading.set_account(seller, "bounce-always", by=deal.seller)
    trades.release(
        trading.close_now(),
        by=factories.make_staff("clearing"),
    )
    hold = holds.place("organisation", seller.pk, reason_code="investigation", reason="A question.", by=officer)
    tasks.pay_members()
    assert Payout.objects.get().destination == "bounce-always"
    trading.set_account(seller, "mended", by=deal.seller)
    holds.lift(hold, reason="Answered.", by=officer)
    Payout.objects.update(next_try_at=timezone.now())
    work()
    work()
    assert list(Payout.objects.order_by("pk").values_list("state", "destination")) == [
        ("bounced", "bounce-always"),
        ("paid", "mended"),
    ]
    assert deal.state == TradeState.SETTLED
    books_are_right()


def test_a_bounced_refund_reverses_and_the_desk_sends_it_again():
    deal = make_trade(TradeState.REGISTERED)
    pay(deal, "pay", account="bounce-always")
    trades.resolve(
        trades.dispute(deal.trade, reason="Wrong file.", by=deal.buyer),
        refund_minor=125_000,
        resolution="Indeed.",
        by=factories.make_staff("disputes"),
    )
    work()
    bounced = Refund.objects.get()
    assert bounced.state == OutgoingState.BOUNCED and deal.state == TradeState.REFUNDED
    assert ledger.totals()["HKD"]["refund"] == 125_000
    officer = factories.make_staff("payments")
    mendings.send_again(bounced, payer_reference="mended", by=officer)
    mending = RefundMending.objects.get()
    with pytest.raises(SamePerson):
        mendings.confirm(mending, by=officer)
    assert Refund.objects.count() == 1
    with pytest.raises(DatabaseError), transaction.atomic():
        payments.send_again(bounced, payer_reference="mended", by=officer)
    mendings.confirm(mending, by=factories.make_staff("payments"))
    with pytest.raises(WrongState):
        payments.send_again(bounced, by=officer)
    work()
    assert Refund.objects.order_by("-pk")[0].state == OutgoingState.PAID
    assert ledger.totals()["HKD"]["refund"] == 0
    books_are_right()


# --- holds -----------------------------------------------------------------------------------------------------------

HELD_ACTS = {
    TradeState.PROPOSED: lambda deal: trades.agree(deal.trade, by=deal.seller),
    TradeState.AGREED: lambda deal: trades.register([deal.trade]),
    TradeState.FUNDED: lambda deal: work(),
    TradeState.DELIVERED: lambda deal: trades.accept(deal.trade, by=deal.buyer),
    TradeState.ACCEPTED: lambda deal: trading.cut_off_now(),
}


@pytest.mark.parametrize("state", HELD_ACTS)
def test_a_hold_stops_the_trade_where_it_is_and_lifting_it_lets_it_go_on(state):
    deal = make_trade(state)
    officer = factories.make_staff("review")
    hold = holds.place("trade", deal.trade.pk, reason_code="investigation", reason="A question is open.", by=officer)
    try:
        HELD_ACTS[state](deal)
    except NotCleared as refusal:
        assert refusal.reasons
    assert deal.state == state
    holds.lift(hold, reason="Answered.", by=officer)
    Trade.objects.update(next_try_at=timezone.now())
    type(deal.trade.grant).objects.update(next_try_at=timezone.now()) if hasattr(deal.trade, "grant") else None
    HELD_ACTS[state](deal)
    assert deal.state != state
    books_are_right()


def test_a_hold_refuses_the_very_next_use_and_the_follower_suspends_and_resumes():
    from marketplace import journal

    deal = make_trade(TradeState.DELIVERED)
    officer, grant = factories.make_staff("review"), deal.trade.grant
    deliveries.require_use(grant, by=deal.buyer)
    hold = holds.place(
        "listing", deal.trade.listing_id, reason_code="complaint", reason="A complaint came in.", by=officer
    )
    with pytest.raises(NotCleared):
        deliveries.require_use(grant, by=deal.buyer)
    journal.seal()
    journal.follow()
    grant.refresh_from_db()
    assert grant.state == GrantState.SUSPENDED
    holds.lift(hold, reason="Unfounded.", by=officer)
    journal.seal()
    journal.follow()
    deliveries.require_use(grant, by=deal.buyer)


def test_a_hold_never_stops_what_protects_the_buyer():
    deal = make_trade(TradeState.DELIVERED)
    holds.place(
        "trade",
        deal.trade.pk,
        reason_code="complaint",
        reason="A complaint came in.",
        by=factories.make_staff("review"),
    )
    dispute = trades.dispute(deal.trade, reason="Wrong.", by=deal.buyer)
    trades.resolve(dispute, refund_minor=125_000, resolution="Indeed.", by=factories.make_staff("disputes"))
    assert deal.state == TradeState.REFUNDED


def test_money_that_arrives_during_a_hold_is_booked():
    deal = make_trade(TradeState.REGISTERED)
    holds.place(
        "trade", deal.trade.pk, reason_code="payment_doubt", reason="Is it theirs?", by=factories.make_staff("review")
    )
    pay(deal)
    assert deal.state == TradeState.FUNDED
    assert ledger.balance(ledger.escrow(deal.trade)) == 125_000


def test_deadlines_stand_still_during_a_hold():
    deal = make_trade(TradeState.DELIVERED)
    officer = factories.make_staff("review")
    hold = holds.place("trade", deal.trade.pk, reason_code="complaint", reason="A complaint came in.", by=officer)
    now = timezone.now()
    Trade.objects.filter(pk=deal.trade.pk).update(
        delivered_at=now - dt.timedelta(days=8), inspect_until=now - dt.timedelta(days=1)
    )
    tasks.deem_accepted()
    assert deal.state == TradeState.DELIVERED
    holds.lift(hold, reason="Unfounded.", by=officer)
    Trade.objects.update(next_try_at=now)
    tasks.deem_accepted()
    assert deal.state == TradeState.ACCEPTED


# --- clearing --------------------------------------------------------------------------------------------------------


def test_a_cycle_is_cleared_once():
    make_trade(TradeState.ACCEPTED)
    cycle = trading.clear_now()
    before = ledger.totals()
    with pytest.raises(WrongState):
        trades.clear(cycle)
    with pytest.raises(WrongState):
        trades.release(cycle, by=factories.make_staff("clearing"))
    assert ledger.totals() == before


def test_above_the_limit_two_people_release(settings):
    settings.CLEARING_LIMIT_MINOR = 100_000
    deal = make_trade(TradeState.ACCEPTED)
    first, second = factories.make_staff("clearing"), factories.make_staff("clearing")
    cycle = trading.close_now(by=first)
    with pytest.raises(WrongState):
        trades.clear(cycle)
    trades.release(cycle, by=first)
    with pytest.raises(WrongState, match="another person"):
        trades.release(cycle, by=first)
    assert deal.state == TradeState.ACCEPTED
    trades.release(cycle, by=second)
    assert deal.state == TradeState.CLEARED
    cycle.refresh_from_db()
    assert (cycle.by, cycle.second_by) == (first, second)


def test_closing_early_does_not_split_a_sum_that_takes_two_people(settings):
    settings.CLEARING_LIMIT_MINOR = 200_000
    officer = factories.make_staff("clearing")
    deals = [make_trade(TradeState.ACCEPTED)]
    first = trading.close_now(by=officer)
    deals.append(make_trade(TradeState.ACCEPTED))
    second = trading.close_now(by=officer)
    deals.append(make_trade(TradeState.ACCEPTED, currency="CNY"))
    third = trading.close_now(by=officer)
    assert [clearing.needs_two_people(cycle) for cycle in (first, second, third)] == [False, True, False]
    with pytest.raises(WrongState) as refusal:
        trades.clear(second)
    assert refusal.value.code == "second_person_needed" and deals[1].state == TradeState.ACCEPTED
    trades.clear(first)
    trades.clear(third)
    assert [deal.state for deal in deals] == [TradeState.CLEARED, TradeState.ACCEPTED, TradeState.CLEARED]
    assert clearing.needs_two_people(second)  # what was released counts on


def test_the_sum_begins_anew_each_day_of_the_exchanges_clock(settings):
    settings.CLEARING_LIMIT_MINOR, settings.TIME_ZONE = 200_000, "Asia/Shanghai"
    for _cycle in range(2):
        make_trade(TradeState.ACCEPTED)
        trading.close_now()
    early, late = ClearingCycle.objects.filter(state=CycleState.CLOSED).order_by("pk")
    before, after = (dt.datetime(2026, 11, 20, hour, 30, tzinfo=dt.UTC) for hour in (15, 16))  # 23:30 and 00:30 there
    ClearingCycle.objects.filter(pk=early.pk).update(closed_at=before)
    for closed_at, needs_two in ((after, False), (before + dt.timedelta(minutes=1), True)):
        ClearingCycle.objects.filter(pk=late.pk).update(closed_at=closed_at)
        late.refresh_from_db()
        assert clearing.needs_two_people(late) is needs_two


def test_a_held_trade_waits_for_the_next_cycle():
    held, free = make_trade(TradeState.ACCEPTED), make_trade(TradeState.ACCEPTED)
    officer = factories.make_staff("review")
    hold = holds.place("trade", held.trade.pk, reason_code="complaint", reason="A complaint.", by=officer)
    trading.clear_now()
    assert (held.state, free.state) == (TradeState.ACCEPTED, TradeState.SETTLED)
    holds.lift(hold, reason="Unfounded.", by=officer)
    trading.clear_now()
    assert held.state == TradeState.SETTLED
