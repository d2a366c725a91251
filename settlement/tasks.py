"""The exchange's own hands: loops over what is due. Claim, call, record. Safe to run twice, late or in parallel."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from celery import shared_task
from django.conf import settings
from django.db.models import QuerySet

from marketplace import clock
from marketplace.bells import ring
from marketplace.claims import postponed_on_failure, together_or_each, while_it_holds
from marketplace.errors import Refused, WrongState
from settlement import (
    billing,
    clearing,
    defaults,
    deliveries,
    gateway_charges,
    hearing,
    invoices,
    papers,
    payments,
    payouts,
    reconciliation,
    renewals,
    statements,
    trades,
)
from settlement.channels import Access, CannotDeliver, channel
from settlement.gateways import Started, TryLater, gateway
from settlement.models import ClearingCycle, Grant, Notice, Payment, Payout, Trade
from settlement.reconciliation import BooksDoNotAgree
from settlement.states import CycleState, TradeState

AT_ONCE = 500
logger = logging.getLogger(__name__)


def _each_due(due: QuerySet[Trade], command: Callable[[Trade], object]) -> int:
    """Run the command on every trade of `due`; one that is refused backs off alone. How many were done."""
    done = 0
    for trade in due.order_by("next_try_at", "pk")[:AT_ONCE]:
        try:
            command(trade)
            done += 1
        except Refused as refusal:
            trades.postpone(trade, refusal)
        except Exception as error:  # a fault of ours: it shows in the log and on the desk, and its neighbours go on
            logger.exception("trade %s is postponed", trade.public_id)
            trades.postpone(trade, error)
    return done


@shared_task
def register_trades() -> None:
    """Enter every agreed trade into the register and ask for its price."""
    registered = False
    try:
        while trades.register_due():
            registered = True
    except Exception as error:
        logger.info("trades are registered one by one: %s", type(error).__name__)
        registered |= bool(_each_due(Trade.objects.due(TradeState.AGREED), lambda trade: trades.register([trade])))
    if registered:
        ring(start_payments)
        ring(open_grants)


@shared_task
def start_payments() -> None:
    """Tell the gateway of every requested payment."""
    while claimed := payments.claim_next_payments():
        started = []
        for payment in while_it_holds(claimed):
            with postponed_on_failure(payment):
                driver = gateway(payment.gateway)
                known = driver.look_up(payment) if payment.tries > 1 else None
                started.append((payment, known or driver.start(payment)))
        together_or_each(started, payments.record_started, _record_started)


def _record_started(started: tuple[Payment, Started]) -> None:
    with postponed_on_failure(started[0]):
        payments.record_started([started])


@shared_task
def stop_payments() -> None:
    """Tell the gateway to take no more money for trades that ended."""
    while payment := payments.claim_next_stop():
        with postponed_on_failure(payment):
            gateway(payment.gateway).stop(payment)
            payments.record_stopped(payment)


@shared_task
def post_sandbox_notices() -> None:
    """Let the sandbox's bank send what it has to say."""
    if "sandbox" in settings.GATEWAYS:
        from settlement.gateways import sandbox_bank

        if sandbox_bank.post_due_notices():
            ring(read_notices)


@shared_task
def read_notices() -> None:
    """Act on every notice nobody has read."""
    while notices := payments.claim_next_notices():
        together_or_each(notices, hearing.hear, _hear_one)
    ring(open_grants)
    ring(start_payments)


def _hear_one(notice: Notice) -> None:
    with postponed_on_failure(notice):
        hearing.hear([notice])


@shared_task
def open_grants() -> None:
    """Open every grant that is due."""
    while grants := deliveries.claim_next_grants():
        opened = []
        for grant in grants:
            with postponed_on_failure(grant):
                try:
                    opened.append((grant, channel(grant.channel).open(grant)))
                except CannotDeliver as refusal:
                    trades.cannot_deliver(grant, str(refusal))
        together_or_each(opened, trades.deliver, _deliver_one)


def _deliver_one(opened: tuple[Grant, Access]) -> None:
    with postponed_on_failure(opened[0]):
        trades.deliver([opened])


@shared_task
def close_grants() -> None:
    """Close every grant that ended."""
    while grant := deliveries.claim_next_close():
        with postponed_on_failure(grant):
            channel(grant.channel).close(grant)
            deliveries.record_closed(grant)


@shared_task
def tell_ending_grants() -> None:
    """Leave an event for every access that ends soon."""
    while deliveries.tell_ending():
        pass


@shared_task
def renew_licences() -> None:
    """Propose the trades that extend licences about to end, where their buyers gave a standing order."""
    while order := renewals.claim_next():
        with postponed_on_failure(order):
            renewals.renew(order)
    ring(register_trades)


@shared_task
def bill_calls() -> None:
    """Bill the calls of every month and access that ended."""
    while billing.bill_next():
        ring(register_trades)


@shared_task
def remind_parties() -> None:
    """Remind every party that a trade waits for it and that its time runs out."""
    for wait in defaults.WAITS:
        while defaults.remind(wait):
            pass


@shared_task
def expire_trades() -> None:
    """End every trade whose deadline has passed."""
    _each_due(Trade.objects.overdue(), trades.expire)


@shared_task
def deem_accepted() -> None:
    """Accept for the buyer what nobody objected to in time."""
    now = clock.now()
    _each_due(
        Trade.objects.due(TradeState.DELIVERED).filter(inspect_until__lte=now, is_frozen=False), trades.deem_accepted
    )


@shared_task
def clear_cycles() -> None:
    """Close the cycles whose cut-off has passed, open the next, and release what the exchange may release by itself."""
    for cycle in clearing.opened().filter(cut_off_at__lte=clock.now()).order_by("pk"):
        with _apart(cycle):
            clearing.close(cycle)
    clearing.open_cycles()
    for closed in ClearingCycle.objects.filter(state=CycleState.CLOSED).order_by("pk"):
        if not clearing.needs_two_people(closed):
            with _apart(closed):
                trades.clear(closed)
            ring(pay_members)
            ring(issue_statements)
            ring(issue_invoices)


@contextmanager
def _apart(cycle: ClearingCycle) -> Iterator[None]:
    """What keeps one currency from being cleared keeps no other."""
    try:
        yield
    except (WrongState, BooksDoNotAgree):  # another worker, or the staff, was faster; or it waits
        return
    except Exception:  # a fault of ours: it shows in the log and on the desk as late
        logger.exception("cycle %s is not cleared", cycle)


@shared_task
def pay_members() -> None:
    """Send every payout that is due; those that came back are due anew once another account serves."""
    payouts.reopen_bounced()
    while claimed := payouts.claim_next_payouts():
        sent = []
        for payout in while_it_holds(claimed):
            with postponed_on_failure(payout):
                payouts.require_not_held(payout)
                sent.append((payout, gateway(payout.gateway).pay_out(payout, payout.destination)))
        together_or_each(sent, payouts.record_sent, _record_sent)


def _record_sent(sent: tuple[Payout, str]) -> None:
    with postponed_on_failure(sent[0]):
        payouts.record_sent([sent])


@shared_task
def pay_refunds() -> None:
    """Send every refund that is due."""
    while refund := payments.claim_next_refund():
        with postponed_on_failure(refund):
            payments.record_refund_sent(refund, gateway(refund.gateway).refund(refund))


@shared_task
def issue_certificates() -> None:
    """Issue the certificate of every settled trade whose settlement is sealed in the journal."""
    while papers.issue_certificates(Trade.objects.without_certificate()[:100]):
        pass


@shared_task
def issue_invoices() -> None:
    """Issue the invoices of every trade of a released cycle, and a credit note for each chargeback lost after that."""
    while invoices.issue_next():
        pass
    for chargeback in invoices.chargebacks_due().order_by("pk")[:AT_ONCE]:
        invoices.credit_lost(chargeback)


@shared_task
def issue_statements() -> None:
    """Issue the statement of every member of a released cycle."""
    statements.issue_due()


@shared_task
def reconcile_books() -> None:
    """Compare each gateway's own books of every day that has ended with ours, while a break is open every hour."""
    for name in settings.GATEWAYS:
        asked: set[dt.date] = set()
        try:
            for day, currency in reconciliation.due(name):
                for date in reconciliation.days_to_ask(name, day):
                    if date not in asked:
                        reconciliation.take_in(name, gateway(name).movements(date))
                        asked.add(date)
                gateway_charges.book(name)
                reconciliation.reconcile(name, currency, day)
        except TryLater:
            logger.warning("the gateway %s does not tell its movements; it is asked again", name)
        except Exception:  # a fault of ours: it shows in the log and as late, and the other gateways go on
            logger.exception("the books of %s are not reconciled", name)
