"""The roads of trades, step by step, for tests that stop in the middle of one: walked by the commands of the people and
the tasks of the workers; and what must be there, once, when a road has been walked to its end.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable

from django.core.management import call_command
from django.utils import timezone

from listings import tasks as listings_tasks
from marketplace import health
from marketplace import tasks as marketplace_tasks
from marketplace.models import Event, Paper
from settlement import clearing, ledger, tasks, trades
from settlement.gateways import sandbox_bank
from settlement.models import (
    ClearingCycle,
    Grant,
    Payment,
    Payout,
    SandboxOrder,
    Statement,
    Trade,
    Transfer,
)
from settlement.states import CycleState, GrantState, OutgoingState, PaymentState, TradeState
from tests import trading
from tests.crashes.dying import claims_left
from tests.trading import Deal, kinds_recorded

MAIN_ROAD = [
    f"trade.{state}"
    for state in ("proposed", "agreed", "registered", "funded", "delivered", "accepted", "cleared", "settled")
]


# --- walking -------------------------------------------------------------------------------------------------------


def buy(**offer: object) -> Deal:
    """A trade of an offer that is open to all: proposed and agreed at once."""
    return trading.propose(trading.make_offer(**{"licences_total": 3} | offer))


def cut_off() -> None:
    """The open cycle's time is over."""
    ClearingCycle.objects.filter(pk=clearing.open_cycle(trading.currency_now()).pk).update(cut_off_at=timezone.now())


STEPS: dict[str, Callable[[Deal], object]] = {
    "agreed": lambda deal: None,
    "registered": lambda deal: tasks.register_trades(),
    "started": lambda deal: tasks.start_payments(),
    "paid": lambda deal: sandbox_bank.act(deal.payment.reference, "pay"),
    "told": lambda deal: trading.hand_over_notices(),
    "funded": lambda deal: tasks.read_notices(),
    "delivered": lambda deal: tasks.open_grants(),
    "accepted": lambda deal: trades.accept(deal.trade, by=deal.buyer),
    "cut off": lambda deal: cut_off(),
    "cleared": lambda deal: tasks.clear_cycles(),
    "sent": lambda deal: tasks.pay_members(),
    "answered": lambda deal: trading.hand_over_notices(),
    "settled": lambda deal: tasks.read_notices(),
    "sealed": lambda deal: marketplace_tasks.seal_journal(),
}


def walk_to(stage: str, **offer: object) -> Deal:
    """A trade after this one of STEPS."""
    deal = buy(**offer)
    for name, step in STEPS.items():
        step(deal)
        if name == stage:
            return deal
    raise AssertionError(f"no step is called {stage}")


def ring_every_bell() -> None:
    """What beat rings within ten seconds, once; what the sandbox has to say is handed over without a web server."""
    listings_tasks.profile_releases()
    listings_tasks.register_products()
    tasks.register_trades()
    tasks.start_payments()
    tasks.stop_payments()
    trading.hand_over_notices()
    tasks.read_notices()
    tasks.open_grants()
    tasks.close_grants()
    tasks.expire_trades()
    tasks.deem_accepted()
    tasks.clear_cycles()
    tasks.pay_members()
    tasks.pay_refunds()
    trading.hand_over_notices()
    tasks.read_notices()
    marketplace_tasks.seal_journal()
    marketplace_tasks.follow_journal()
    marketplace_tasks.send_letters()
    tasks.issue_certificates()
    tasks.issue_statements()
    tasks.issue_invoices()


def carry_on(deal: Deal) -> None:
    """The workers do what is due and the people what is theirs, until the trade has its certificate."""
    for _ in range(6):
        ring_every_bell()
        trade = deal.reload()
        if trade.certificate_id:
            return
        if trade.state == TradeState.REGISTERED and sandbox_bank.order(deal.payment.reference).state == "open":
            sandbox_bank.act(deal.payment.reference, "pay")
        elif trade.state == TradeState.DELIVERED:
            trades.accept(trade, by=deal.buyer)
        elif trade.state == TradeState.ACCEPTED and trade.cycle_id is None:
            cut_off()
    raise AssertionError(f"trade {deal.trade} is {deal.trade.state} and goes no further: {deal.trade.error}")


# --- what must be there --------------------------------------------------------------------------------------------


def exactly_one_of_everything(deal: Deal, *, price_minor: int = 125_000, fee_minor: int = 3_125) -> None:
    """One trade of the main road, settled: every act of it stands once in every book, and nothing else does."""
    trade = deal.reload()
    assert kinds_recorded(trade) == MAIN_ROAD
    assert trade.register_number and Trade.objects.count() == 1
    payment, payout, grant = Payment.objects.get(), Payout.objects.get(), Grant.objects.get()
    assert (payment.state, payout.state, grant.state) == (PaymentState.PAID, OutgoingState.PAID, GrantState.OPEN)
    assert dict(Transfer.objects.values_list("key", "amount_minor")) == {
        f"paid-{payment.key}": price_minor,
        f"fee-{trade.pk}": fee_minor,
        f"net-{trade.pk}": price_minor - fee_minor,
        f"{payout.key}-sent": price_minor - fee_minor,
    }
    assert sorted(SandboxOrder.objects.values_list("kind", "key")) == [
        ("payment", payment.key),
        ("payout", payout.key),
    ]
    assert sorted(Paper.objects.values_list("kind", flat=True)) == [
        "acceptance",
        "delivery_record",
        "invoice",
        "invoice",
        "listing_certificate",
        "registration_certificate",
        "settlement_statement",
        "trade_certificate",
        "trade_contract",
    ]
    assert Statement.objects.get().paper_id is not None and trade.certificate.subject_id == trade.pk
    assert ClearingCycle.objects.exclude(trades=None).get().state == CycleState.RELEASED
    assert Event.objects.filter(kind="cycle.released", facts__trades=1).count() == 1
    assert trade.offer.licences_left == 2
    once = ["payment.requested", "payment.paid", "payout.due", "payout.sent", "payout.paid"]
    assert recorded(*once) == dict.fromkeys(once, 1)
    nothing_is_amiss()


def recorded(*kinds: str) -> dict[str, int]:
    """How often each of these happened."""
    return dict(Counter(Event.objects.filter(kind__in=kinds).values_list("kind", flat=True)))


def nothing_is_amiss() -> None:
    """The books balance, the journal is whole, and nothing waits, is held by a dead worker or stuck."""
    assert ledger.reconcile() == []
    assert all(sum(kinds.values()) == 0 for kinds in ledger.totals().values())
    marketplace_tasks.seal_journal()
    call_command("verify_journal", "--sealed-within", "0", stdout=io.StringIO())
    assert claims_left() == []
    assert [(waiting.work.name, waiting.count) for waiting in health.waiting() if waiting.count] == []
    assert [(stuck.work, stuck.row, stuck.error) for stuck in health.stuck()] == []
