"""What gateways tell us, turned into what happens to a trade: money that arrived, failed, came back or is contested."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from marketplace import clock, journal
from marketplace.errors import Invalid
from settlement import contested, escrowed, instalments, ledger, payments, payouts, positions, reserves, trades
from settlement.gateways import (
    DisputeClosed,
    Disputed,
    Paid,
    PaidOut,
    PaymentFailed,
    PayoutFailed,
    Refunded,
    RefundFailed,
    gateway,
)
from settlement.models import Chargeback, Instalment, Notice, Payment, Trade, Unmatched
from settlement.states import CHARGEBACK_MOVES, TRADE_MOVES, ChargebackState, PaymentState, TradeState

ONLY_GOES_BACK = ("paid_twice", "too_late")


@transaction.atomic
def hear(notices: Sequence[Notice]) -> None:
    """Act on what gateways told us, once: the facts and the marks that they were read are one transaction.

    Money that arrived or reached a member is booked for all notices at once, other facts one by one after it. All or
    none.
    """
    unread = Notice.objects.filter(pk__in=[notice.pk for notice in notices], read_at=None)
    locked = list(unread.order_by("pk").select_for_update())
    facts = [(fact, notice.gateway) for notice in locked for fact in gateway(notice.gateway).read(notice)]
    _lock_all(facts)
    _hear_paid_out([(fact, name) for fact, name in facts if isinstance(fact, PaidOut)])
    _hear_paid([(fact, name) for fact, name in facts if isinstance(fact, Paid)])
    for fact, name in facts:
        if not isinstance(fact, Paid | PaidOut):
            HEAR[type(fact)](fact, name)
    Notice.objects.filter(pk__in=[notice.pk for notice in locked]).update(
        read_at=clock.now(), claimed_until=None, error=""
    )


def _lock_all(facts: Sequence[tuple[object, str]]) -> None:
    """Lock the payouts and the trades that these facts move, each in key order, where they are of several kinds: each
    kind finds its own in order, but not the next one's."""
    kinds = {type(fact) for fact, _name in facts}
    if kinds <= {Paid} or kinds <= {PaidOut}:
        return
    told = {(fact.key, name) for fact, name in facts if isinstance(fact, PaidOut | PayoutFailed)}
    moved = payouts.paid_for(payouts.told_of(told)) if told else Trade.objects.none()
    keys = [fact.key for fact, _name in facts if isinstance(fact, Paid | PaymentFailed | Disputed)]
    closed = [fact.reference for fact, _name in facts if isinstance(fact, DisputeClosed)]
    lost = dict(Chargeback.objects.filter(reference__in=closed).values_list("trade", "trade__renews"))
    ids = {*lost, *(pk for pk in lost.values() if pk), *moved.values_list("pk", flat=True)}
    ids |= set(Payment.objects.filter(key__in=[key for key in keys if key]).values_list("trade", flat=True))
    ids |= set(Trade.objects.filter(upgrades__in=lost).values_list("pk", flat=True))  # which a loss may end
    positions.lock_each(Trade.objects.filter(pk__in=ids))


def _hear_paid(paid: Sequence[tuple[Paid, str]]) -> None:
    """Money arrived: it funds its trade if it fits exactly, else it waits in suspense, never guessed."""
    known = _locked_payments([(fact.key, name) for fact, name in paid])
    unpaid = instalments.unpaid(payment.trade for payment in known.values())
    fitting: list[Payment] = []
    for fact, name in paid:
        payment = known.get((fact.key, name))
        why = _why_not(payment, fact, unpaid.get(payment.trade_id)) if payment else "unknown_payment"
        if payment and payment in fitting:
            why = "paid_twice"
        if why or payment is None:
            waiting = payments.put_in_suspense(fact, gateway_name=name, payment=payment, why=why)
            if why in ONLY_GOES_BACK and gateway(name).capabilities().returns_to_payer:
                payments.return_at_once(waiting)
        else:
            fitting.append(payment)
    if not fitting:
        return
    escrows = ledger.escrows([payment.trade for payment in fitting])
    outside = {place: ledger.outside(*place) for place in {(payment.gateway, payment.currency) for payment in fitting}}
    ledger.book(
        [
            (f"paid-{one.key}", outside[one.gateway, one.currency].pk, escrows[one.trade_id].pk, one.amount_minor)
            for one in fitting
        ]
    )
    payments.record_paid(fitting)
    taken = [row for one in fitting for row in unpaid.get(one.trade_id, [])[:1]]
    trades.receive([payment.trade for payment in fitting], taken)


def _hear_paid_out(paid: Sequence[tuple[PaidOut, str]]) -> None:
    """Members have their money: the trades that these payouts pay for are settled."""
    if not paid:
        return
    told = payouts.told_of({(fact.key, name) for fact, name in paid})
    positions.lock_each(payouts.paid_for(told))  # before the accounts of those whose notice overtook our own record
    trades.settle(payouts.paid_for(payouts.record_paid(told)))


def _why_not(payment: Payment, fact: Paid, unpaid: list[Instalment] | None) -> str:
    """Why this money does not pay its trade, or the first of its `unpaid` instalments: a stable code for the desk, or
    ''."""
    trade = payment.trade
    if payment.state == PaymentState.PAID or trade.funded_at is not None:
        return "paid_twice"
    if unpaid and payment.instalment < unpaid[0].number:
        return "paid_twice"  # the desk paid it otherwise
    if trade.state != TradeState.REGISTERED or payment.state not in payments.OPEN:
        return "too_late"
    if fact.currency != trade.currency:
        return "wrong_currency"
    if fact.amount_minor != payment.amount_minor:
        return "wrong_amount"
    return ""


def _locked_payments(named: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Payment]:
    """The payments of these (key, gateway), with their trades: trades locked first, both in key order."""
    found = Payment.objects.filter(key__in=[key for key, _name in named if key]).values_list("pk", "trade_id")
    ids = dict(found)
    rows = Trade.objects.filter(pk__in=ids.values()).select_related(*trades.PARTS).order_by("pk")
    held = {trade.pk: trade for trade in rows.select_for_update(of=("self",), no_key=True)}
    locked = list(Payment.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True))
    for payment in locked:
        payment.trade = held[payment.trade_id]
    return {(payment.key, payment.gateway): payment for payment in locked}


def _hear_failed(fact: PaymentFailed, gateway_name: str) -> None:
    payment = _locked_payments([(fact.key, gateway_name)]).get((fact.key, gateway_name))
    if payment is not None and payment.state in payments.OPEN:
        payments.record_failed(payment, fact.reason)


def _hear_disputed(fact: Disputed, gateway_name: str) -> None:
    """The payer's bank contests a payment: before clearing the trade it pays for is frozen.

    A notice that overtakes that of the money itself waits for it.
    """
    payment = _locked_payments([(fact.key, gateway_name)]).get((fact.key, gateway_name))
    if payment is None:
        raise Invalid(_("No payment has the key %(key)s."), code="unknown_payment", key=repr(fact.key))
    if not contested.has_money(payment):
        raise Invalid(_("No money has come for the payment %(key)s yet."), code="no_money_yet", key=repr(fact.key))
    trade = payment.trade
    chargeback, is_new = Chargeback.objects.get_or_create(
        reference=fact.reference,
        defaults={"trade": trade, "payment": payment, "amount_minor": fact.amount_minor, "currency": fact.currency},
    )
    if not is_new:
        return
    if "charge_back" in TRADE_MOVES[trade.state] and contested.is_spent_on_trade(payment):
        trade.is_frozen = True
        trade.save(update_fields=["is_frozen"])
    journal.record("chargeback.opened", chargeback, by=None, trade=trade.pk, amount_minor=fact.amount_minor)


def _hear_dispute_closed(fact: DisputeClosed, gateway_name: str) -> None:
    """The bank decided. Lost before clearing, the trade it paid for ends; lost later, whoever has the money owes it."""
    found = Chargeback.objects.filter(reference=fact.reference, payment__gateway=gateway_name).first()
    if found is None:
        raise Invalid(
            _("No chargeback has the reference %(reference)s."),
            code="unknown_chargeback",
            reference=repr(fact.reference),
        )
    trade = trades.locked(found.trade)
    chargeback = Chargeback.objects.select_for_update(of=("self",)).select_related("payment").get(pk=found.pk)
    if chargeback.state != ChargebackState.OPEN:
        return
    chargeback.state = CHARGEBACK_MOVES[chargeback.state]["lose" if fact.is_lost else "win"]
    chargeback.closed_at = clock.now()
    chargeback.save(update_fields=["state", "closed_at"])
    journal.record(f"chargeback.{chargeback.state}", chargeback, by=None, trade=trade.pk)
    if trade.is_frozen and not trade.chargebacks.filter(state=ChargebackState.OPEN).exists():
        trade.is_frozen = False
        if trade.state == TradeState.REGISTERED and trade.fund_until:  # its next instalment waited for the bank
            trade.fund_until += chargeback.closed_at - contested.since(chargeback)
        trade.save(update_fields=["is_frozen", "fund_until"])
    if fact.is_lost:
        _book_loss(trade, chargeback)
    if trade.state == TradeState.REFUNDED:
        trades.give_back_rest(trade)  # what waited for this decision


def _book_loss(trade: Trade, chargeback: Chargeback) -> None:
    """The bank took the money from where it is: escrow, suspense, our income for the buyer's fee, or whoever of the
    parties has it, who owes it."""
    payment, lost = chargeback.payment, chargeback.amount_minor
    outside = ledger.outside(payment.gateway, chargeback.currency)
    is_spent = contested.is_spent_on_trade(payment)
    ends_trade = is_spent and "charge_back" in TRADE_MOVES[trade.state]
    brought = dict(escrowed.by_payment(trade)).get(payment, 0) if is_spent and trade.cleared_at is None else 0
    if held := min(brought, lost):
        ledger.transfer(
            f"chargeback-{chargeback.pk}-escrow", debit=ledger.escrow(trade), credit=outside, amount_minor=held
        )
    lost -= held
    lost -= _lose_suspense(chargeback, lost)
    by_seller, by_exchange = _lost_of_cleared(trade, lost) if is_spent else (0, 0)
    if by_exchange:
        key = f"chargeback-{chargeback.pk}-fee"
        ledger.transfer(key, debit=ledger.fees(chargeback.currency), credit=outside, amount_minor=by_exchange)
    # What neither we nor the seller have went back to the payer.
    owing = [("owed", trade.seller, by_seller), ("owed-by-payer", trade.buyer, lost - by_seller - by_exchange)]
    owing = [one for one in owing if one[2]]
    # Their statements wait for this lock, so each debt is in the one that is closed before it is booked, or after.
    ledger.locked_payables({(has_it.pk, chargeback.currency) for _how, has_it, _owed in owing})
    for how, has_it, owed in owing:
        key = f"chargeback-{chargeback.pk}-{how}"
        drawn = reserves.draw(has_it, chargeback.currency, owed, f"{key}-reserve", to=outside)
        if drawn < owed:
            ledger.transfer(
                key,
                debit=ledger.receivable(has_it, chargeback.currency),
                credit=outside,
                amount_minor=owed - drawn,
            )
    if ends_trade:
        trades.charge_back(trade)
    if is_spent:
        trades.drop_upgrade(trade)


def _lose_suspense(chargeback: Chargeback, at_most: int) -> int:
    """The bank took back money that waited in suspense, at most so many minor units; how many it was.

    What is left of a sum taken in part goes back to its payer.
    """
    rows = Unmatched.objects.select_for_update(of=("self",)).filter(
        payment=chargeback.payment, decided_at=None, currency=chargeback.currency
    )
    left = at_most
    for row in rows.order_by("pk"):
        if not left:
            break
        taken = min(row.amount_minor, left)
        left -= taken
        ledger.transfer(
            f"chargeback-{chargeback.pk}-suspense-{row.pk}",
            debit=ledger.suspense(row.gateway, row.payer_reference, row.currency),
            credit=ledger.outside(row.gateway, row.currency),
            amount_minor=taken,
        )
        if taken < row.amount_minor:
            payments.open_suspense_refund(row, row.amount_minor - taken, reason="charged back in part")
        payments.close_unmatched(row, "charged_back", by=None)
    return at_most - left


def _lost_of_cleared(trade: Trade, at_most: int) -> tuple[int, int]:
    """What of this loss, in minor units, is the seller's and what the exchange's: of what clearing gave the trade's
    seller, its own fee included, and of the buyer's fee, less what other chargebacks took of both since.

    Of all that was ever lost the exchange bears the buyer's fee's share, rounded down: the whole of it with the whole.
    """
    if trade.cleared_at is None:
        return 0, 0
    contested_ids = list(trade.chargebacks.values_list("pk", flat=True))
    cleared = ledger.moved(ledger.escrow(trade), ledger.Kind.FEE, ledger.Kind.PAYABLE)
    fee, fee_before = ledger.sum_of([f"buyer-fee-{trade.pk}"]), ledger.lost_by_exchange(contested_ids)
    before = ledger.lost_by_seller(contested_ids) + fee_before
    lost = min(cleared - before, at_most)
    by_exchange = (before + lost) * fee // cleared - fee_before if fee else 0
    return lost - by_exchange, by_exchange


HEAR: dict[type, Callable[..., object]] = {
    PaymentFailed: _hear_failed,
    Refunded: lambda fact, name: payments.record_refund_paid(fact.key, name),
    RefundFailed: lambda fact, name: payments.record_refund_bounced(fact.key, name, fact.reason),
    PayoutFailed: lambda fact, name: payouts.record_bounced(fact.key, name, fact.reason),
    Disputed: _hear_disputed,
    DisputeClosed: _hear_dispute_closed,
}
