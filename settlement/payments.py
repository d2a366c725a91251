"""Money in and money back: ask for a payment, keep what a gateway tells us, send refunds. No trade moves here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from marketplace import clock, journal, roles
from marketplace.errors import Invalid, WrongState, in_words
from marketplace.models import User
from settlement import contested, escrowed, instalments, keys, ledger
from settlement.gateways import Paid, Started, default_gateway, gateway
from settlement.models import Notice, Payment, Refund, Trade, Unmatched
from settlement.states import OUTGOING_MOVES, PAYMENT_MOVES, OutgoingState, PaymentState

OPEN = (PaymentState.REQUESTED, PaymentState.STARTED)
AT_ONCE = 50
CALLS_AT_ONCE = 10


def _move_payment(payment: Payment, act: str, **changes: object) -> Payment:
    if act not in PAYMENT_MOVES[payment.state]:
        raise WrongState(
            _("Payment %(payment)s is %(state)s."), payment=payment, state=in_words(PaymentState(payment.state).label)
        )
    payment.state = PAYMENT_MOVES[payment.state][act]
    for name, value in changes.items():
        setattr(payment, name, value)
    payment.save(update_fields=["state", *changes])
    return payment


def _move_refund(refund: Refund, act: str, **changes: object) -> Refund:
    if act not in OUTGOING_MOVES[refund.state]:
        raise WrongState(
            _("Refund %(refund)s is %(state)s."), refund=refund, state=in_words(OutgoingState(refund.state).label)
        )
    refund.state = OUTGOING_MOVES[refund.state][act]
    for name, value in changes.items():
        setattr(refund, name, value)
    refund.save(update_fields=["state", *changes])
    return refund


# --- money in ----------------------------------------------------------------------------------------------------


def request(trades: Sequence[Trade], *, by: User | None) -> list[Payment]:
    """Ask the buyers for the total, or the next instalment; one open payment of each at a time. Raises NoGateway."""
    if not trades:
        return []
    gateway_name = default_gateway()
    due = instalments.asked(trades)
    before = dict(Payment.objects.filter(trade__in=trades).values_list("trade").annotate(number=Count("pk")))
    asked = Payment.objects.bulk_create(
        Payment(
            trade=trade,
            instalment=due[trade.pk][0],
            gateway=gateway_name,
            key=f"pay-{trade.public_id}-{before.get(trade.pk, 0) + 1}",
            amount_minor=due[trade.pk][1],
            currency=trade.currency,
        )
        for trade in trades
    )
    journal.record_many(
        (("payment.requested", one, {"trade": one.trade_id, "amount_minor": one.amount_minor}) for one in asked), by=by
    )
    return asked


def due_to_start() -> QuerySet[Payment]:
    return Payment.objects.filter(state=PaymentState.REQUESTED, is_stop_due=False)


def claim_next_payments() -> list[Payment]:
    """The next payments a gateway must be told of; few, for each is a call of its own and a buyer waits for it."""
    return Payment.claim_several(due_to_start(), most=CALLS_AT_ONCE)


@transaction.atomic
def record_started(started: Sequence[tuple[Payment, Started]]) -> None:
    """The gateways took these up; each buyer can pay at its `pay_at_url`. One statement.

    A payment that moved on meanwhile keeps its state.
    """
    answers = {payment.pk: answer for payment, answer in started}
    rows = list(Payment.objects.filter(pk__in=answers).order_by("pk").select_for_update())
    for payment in rows:
        answer = answers[payment.pk]
        payment.reference, payment.pay_at_url = answer.reference, answer.pay_at_url
        payment.claimed_until, payment.error = None, ""
        if payment.state == PaymentState.REQUESTED:
            payment.state, payment.tries = PAYMENT_MOVES[payment.state]["start"], 0
    Payment.objects.bulk_update(rows, ["state", "reference", "pay_at_url", "claimed_until", "error", "tries"])


def stop_open(trade: Trade) -> None:
    """The trade takes no more money: ask the worker to stop what is open."""
    trade.payments.filter(state__in=OPEN).update(is_stop_due=True, next_try_at=clock.now(), tries=0)


def due_to_stop() -> QuerySet[Payment]:
    return Payment.objects.filter(state__in=OPEN, is_stop_due=True)


def claim_next_stop() -> Payment | None:
    """The next payment a gateway must be told to stop."""
    return Payment.claim_next(due_to_stop())


@transaction.atomic
def record_stopped(payment: Payment) -> Payment:
    """The gateway takes no more money for it. Money that still arrives goes to suspense."""
    payment = Payment.objects.select_for_update().get(pk=payment.pk)
    if payment.state in OPEN:
        _move_payment(payment, "stop", claimed_until=None, error="")
        journal.record("payment.stopped", payment, by=None, trade=payment.trade_id)
    return payment


def record_paid(paid: Sequence[Payment]) -> None:
    """These payments arrived in full; called with them and their trades locked, and moved in one statement."""
    now = clock.now()
    for payment in paid:
        payment.state, payment.paid_at = PAYMENT_MOVES[payment.state]["pay"], now
    Payment.objects.filter(pk__in=[payment.pk for payment in paid]).update(
        state=PaymentState.PAID, paid_at=now, claimed_until=None, error=""
    )
    journal.record_many(
        (("payment.paid", one, {"trade": one.trade_id, "amount_minor": one.amount_minor}) for one in paid), by=None
    )


def record_failed(payment: Payment, reason: str) -> Payment:
    """The payment failed; the trade stays registered and the buyer may start another."""
    _move_payment(payment, "fail", error=reason[:2000], claimed_until=None)
    journal.record("payment.failed", payment, by=None, trade=payment.trade_id, reason=reason[:200])
    return payment


# --- the inbox ---------------------------------------------------------------------------------------------------


def note(gateway_name: str, body: bytes, headers: Mapping[str, str]) -> Notice:
    """Keep what a gateway tells us, once per event id, if its signature holds. Raises BadNotice, NoGateway."""
    event_id = gateway(gateway_name).verify(body, headers)
    notice, _is_new = Notice.objects.get_or_create(
        gateway=gateway_name, event_id=event_id, defaults={"body": body.decode("utf-8")}
    )
    return notice


def note_many(gateway_name: str, notices: Sequence[tuple[bytes, Mapping[str, str]]]) -> None:
    """`note` for many bodies and headers at once. Raises BadNotice, NoGateway."""
    verify = gateway(gateway_name).verify
    Notice.objects.bulk_create(
        (
            Notice(gateway=gateway_name, event_id=verify(body, headers), body=body.decode("utf-8"))
            for body, headers in notices
        ),
        ignore_conflicts=True,
    )


def unread() -> QuerySet[Notice]:
    return Notice.objects.filter(read_at=None)


def claim_next_notices() -> list[Notice]:
    """The next notices nobody has read; reading them calls nobody."""
    return Notice.claim_several(unread(), most=AT_ONCE)


def put_in_suspense(fact: Paid, *, gateway_name: str, payment: Payment | None, why: str) -> Unmatched:
    """Book money that fits no open trade exactly, once per event; the desk decides on it. `why` is a stable code."""
    unmatched, is_new = Unmatched.objects.get_or_create(
        gateway=gateway_name,
        event_id=fact.event_id,
        defaults={
            "payment": payment,
            "payer_reference": fact.payer_reference,
            "amount_minor": fact.amount_minor,
            "currency": fact.currency,
            "why": why,
        },
    )
    if is_new:
        ledger.transfer(
            f"suspense-{gateway_name}-{fact.event_id}",
            debit=ledger.outside(gateway_name, fact.currency),
            credit=ledger.suspense(gateway_name, fact.payer_reference, fact.currency),
            amount_minor=fact.amount_minor,
        )
        journal.record(
            "money.unmatched", unmatched, by=None, why=why, amount_minor=fact.amount_minor, currency=fact.currency
        )
    return unmatched


def undecided(trade: Trade) -> QuerySet[Unmatched]:
    """Money in suspense that names one of the trade's payments, locked in key order."""
    return (
        Unmatched.objects.select_for_update(of=("self",))
        .filter(payment__trade=trade, decided_at=None, currency=trade.currency)
        .order_by("pk")
    )


@transaction.atomic
def return_unmatched(unmatched: Unmatched, *, by: User) -> Refund:
    """The desk sends money in suspense back to its payer. Raises WrongState, RoleNeeded, Contested."""
    roles.require_staff(by, "match_payment")
    unmatched = Unmatched.objects.select_for_update(of=("self",)).get(pk=unmatched.pk)
    if unmatched.decided_at is not None:
        raise WrongState(_("This money was decided on already."))
    contested.require_not([unmatched])
    refund = open_suspense_refund(unmatched, unmatched.amount_minor, reason=unmatched.why)
    close_unmatched(unmatched, "returned", by=by)
    return refund


def return_at_once(unmatched: Unmatched) -> None:
    """Money that can only go back, through a gateway that returns it to its payer, waits for nobody."""
    if unmatched.decided_at is None:
        open_suspense_refund(unmatched, unmatched.amount_minor, reason=unmatched.why)
        close_unmatched(unmatched, "returned", by=None)


def close_unmatched(unmatched: Unmatched, decision: str, *, by: User | None) -> None:
    """Decided by one of the staff; by nobody only where the payer's bank decided, or nothing was left to decide."""
    unmatched.decided_at, unmatched.decided_by, unmatched.decision = clock.now(), by, decision
    unmatched.save(update_fields=["decided_at", "decided_by", "decision"])
    journal.record(f"money.{decision}", unmatched, by=by, amount_minor=unmatched.amount_minor)


# --- money back --------------------------------------------------------------------------------------------------


def open_refunds(trade: Trade, amount_minor: int, *, reason: str, by: User | None) -> None:
    """Move money from the locked trade's escrow to refunds, each with an account of its own; a worker sends them.

    It goes back the way it came (`escrowed.in_parts`). Raises Overdrawn.
    """
    parts = escrowed.in_parts(trade, amount_minor)
    if sum(part for _payment, part in parts) < amount_minor:
        raise ledger.Overdrawn()
    refund_each(trade, parts, reason=reason, by=by)


def refund_each(trade: Trade, parts: Sequence[tuple[Payment, int]], *, reason: str, by: User | None) -> None:
    """`open_refunds` of so many minor units of each of these payments of the locked trade. Raises Overdrawn."""
    for number, (payment, part) in enumerate(parts, trade.refunds.count() + 1):
        refund = Refund.objects.create(
            trade=trade,
            payment=payment,
            gateway=payment.gateway,
            key=f"refund-{trade.public_id}-{number}",
            amount_minor=part,
            currency=trade.currency,
            payer_reference=payment.reference,
            reason=reason[:300],
        )
        due = ledger.refund_payable(refund)
        ledger.transfer(f"{refund.key}-due", debit=ledger.escrow(trade), credit=due, amount_minor=part)
        journal.record("refund.due", refund, by=by, trade=trade.pk, amount_minor=part)


def open_suspense_refund(unmatched: Unmatched, amount_minor: int, *, reason: str) -> Refund:
    """Move money from suspense to a refund's own account; a worker sends it."""
    refund = Refund.objects.create(
        unmatched=unmatched,
        trade=unmatched.payment.trade if unmatched.payment else None,
        payment=unmatched.payment,
        gateway=unmatched.gateway,
        key=f"return-{unmatched.pk}-{unmatched.refunds.count() + 1}",
        amount_minor=amount_minor,
        currency=unmatched.currency,
        payer_reference=unmatched.payer_reference,
        reason=reason[:300],
    )
    ledger.transfer(
        f"{refund.key}-due",
        debit=ledger.suspense(unmatched.gateway, unmatched.payer_reference, unmatched.currency),
        credit=ledger.refund_payable(refund),
        amount_minor=amount_minor,
    )
    journal.record("refund.due", refund, by=None, unmatched=unmatched.pk, amount_minor=amount_minor)
    return refund


def refunds_due() -> QuerySet[Refund]:
    return Refund.objects.filter(state=OutgoingState.DUE)


def claim_next_refund() -> Refund | None:
    """The next refund to send."""
    return Refund.claim_next(refunds_due())


@transaction.atomic
def record_refund_sent(refund: Refund, reference: str) -> Refund:
    """The gateway took the refund: its money leaves our books."""
    refund = _locked_refund(Q(pk=refund.pk))
    if refund.state == OutgoingState.DUE:
        _send(refund, reference)
    return refund


def _send(refund: Refund, reference: str) -> None:
    _move_refund(refund, "send", reference=reference, sent_at=clock.now(), claimed_until=None, error="")
    ledger.transfer(
        f"{refund.key}-sent",
        debit=ledger.refund_payable(refund),
        credit=ledger.outside(refund.gateway, refund.currency),
        amount_minor=refund.amount_minor,
    )
    journal.record("refund.sent", refund, by=None, amount_minor=refund.amount_minor)


def record_refund_paid(key: str, gateway_name: str) -> None:
    """The payer has it. A notice that overtakes our own record of sending does both. No gateway speaks for another."""
    refund = _locked_refund(Q(key=key, gateway=gateway_name))
    if refund.state == OutgoingState.DUE:
        _send(refund, refund.reference)
    if refund.state == OutgoingState.SENT:
        _move_refund(refund, "pay", paid_at=clock.now())
        journal.record("refund.paid", refund, by=None, amount_minor=refund.amount_minor)


def record_refund_bounced(key: str, gateway_name: str, reason: str) -> None:
    """It came back: the posting is reversed and the desk opens a new one when the payer's account is mended."""
    refund = _locked_refund(Q(key=key, gateway=gateway_name))
    if refund.state == OutgoingState.DUE:
        _send(refund, refund.reference)
    if refund.state == OutgoingState.BOUNCED:
        return
    _move_refund(refund, "bounce", error=reason[:2000])
    ledger.transfer(
        f"{refund.key}-bounced",
        debit=ledger.outside(refund.gateway, refund.currency),
        credit=ledger.refund_payable(refund),
        amount_minor=refund.amount_minor,
    )
    journal.record("refund.bounced", refund, by=None, amount_minor=refund.amount_minor)


@transaction.atomic
def send_again(refund: Refund, *, payer_reference: str = "", by: User) -> Refund:
    """A bounced refund goes out anew; to another account only when two people named it (`mendings`).

    Raises WrongState, RoleNeeded.
    """
    roles.require_staff(by, "match_payment")
    refund = bounced(refund)
    anew = Refund.objects.create(
        trade=refund.trade,
        payment=refund.payment,
        unmatched=refund.unmatched,
        gateway=refund.gateway,
        key=keys.anew(refund.key),
        amount_minor=refund.amount_minor,
        currency=refund.currency,
        payer_reference=payer_reference or refund.payer_reference,
        reason=refund.reason,
        replaces=refund,
    )
    ledger.transfer(
        f"{anew.key}-due",
        debit=ledger.refund_payable(refund),
        credit=ledger.refund_payable(anew),
        amount_minor=refund.amount_minor,
    )
    journal.record("refund.due", anew, by=by, replaces=refund.pk, amount_minor=refund.amount_minor)
    return anew


def bounced(refund: Refund) -> Refund:
    """The refund, locked, that came back and was not sent again. Raises WrongState."""
    refund = _locked_refund(Q(pk=refund.pk))
    if refund.state != OutgoingState.BOUNCED or Refund.objects.filter(replaces=refund).exists():
        raise WrongState(
            _("Refund %(refund)s is %(state)s, or was sent again already."),
            refund=refund,
            state=in_words(OutgoingState(refund.state).label),
        )
    return refund


def _locked_refund(condition: Q) -> Refund:
    refund = Refund.objects.select_for_update(of=("self",)).filter(condition).first()
    if refund is None:
        raise Invalid(_("No refund has this key."), code="unknown_refund")
    return refund
