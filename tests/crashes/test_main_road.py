"""Workers killed on the main road of a trade: whatever the moment, the trade settles and there is one of everything."""

from __future__ import annotations

import pytest

from settlement import tasks
from settlement.models import Notice, SandboxNotice
from tests.crashes.dying import die_at, let_claims_lapse
from tests.crashes.roads import STEPS, buy, carry_on, exactly_one_of_everything, walk_to

# The step a trade has come to, the task that is at work on it, and when its worker is killed (see `app`).
POINTS = [
    # registration: one transaction
    ("agreed", "settlement.tasks.register_trades", "before settlement.trades.register"),
    ("agreed", "settlement.tasks.register_trades", "after settlement.contracts.issue_contracts"),
    ("agreed", "settlement.tasks.register_trades", "within settlement.trades.register"),
    ("agreed", "settlement.tasks.register_trades", "after settlement.trades.register"),
    # payment: claim, call, record
    ("registered", "settlement.tasks.start_payments", "after settlement.payments.claim_next_payments"),
    ("registered", "settlement.tasks.start_payments", "after settlement.gateways.sandbox.Sandbox.start"),
    ("registered", "settlement.tasks.start_payments", "within settlement.payments.record_started"),
    ("registered", "settlement.tasks.start_payments", "after settlement.payments.record_started"),
    # the notice that it was paid: claim, then all its facts in one transaction
    ("told", "settlement.tasks.read_notices", "after settlement.payments.claim_next_notices"),
    ("told", "settlement.tasks.read_notices", "after settlement.ledger.book"),
    ("told", "settlement.tasks.read_notices", "after settlement.payments.record_paid"),
    ("told", "settlement.tasks.read_notices", "within settlement.hearing.hear"),
    ("told", "settlement.tasks.read_notices", "after settlement.hearing.hear"),
    # delivery: claim, call, record
    ("funded", "settlement.tasks.open_grants", "after settlement.deliveries.claim_next_grants"),
    ("funded", "settlement.tasks.open_grants", "after settlement.channels.files.Files.open"),
    ("funded", "settlement.tasks.open_grants", "after settlement.deliveries.record_open"),
    ("funded", "settlement.tasks.open_grants", "within settlement.trades.deliver"),
    ("funded", "settlement.tasks.open_grants", "after settlement.trades.deliver"),
    # clearing: close, then everything else in one transaction
    ("cut off", "settlement.tasks.clear_cycles", "within settlement.clearing.close"),
    ("cut off", "settlement.tasks.clear_cycles", "after settlement.clearing.close"),
    ("cut off", "settlement.tasks.clear_cycles", "after settlement.clearing.book_lines"),
    ("cut off", "settlement.tasks.clear_cycles", "within settlement.trades.clear"),
    ("cut off", "settlement.tasks.clear_cycles", "after settlement.trades.clear"),
    # payout: claim, call, record
    ("cleared", "settlement.tasks.pay_members", "after settlement.models.Payout.claim_several"),
    ("cleared", "settlement.tasks.pay_members", "after settlement.payouts.claim_next_payouts"),
    ("cleared", "settlement.tasks.pay_members", "after settlement.gateways.sandbox.Sandbox.pay_out"),
    ("cleared", "settlement.tasks.pay_members", "within settlement.payouts.record_sent"),
    ("cleared", "settlement.tasks.pay_members", "after settlement.payouts.record_sent"),
    # the notice that it was paid out
    ("answered", "settlement.tasks.read_notices", "after settlement.payments.claim_next_notices"),
    ("answered", "settlement.tasks.read_notices", "after settlement.payouts.record_paid"),
    ("answered", "settlement.tasks.read_notices", "within settlement.hearing.hear"),
    ("answered", "settlement.tasks.read_notices", "after settlement.hearing.hear"),
    # the journal's seal and the papers of the end
    ("settled", "marketplace.tasks.seal_journal", "within marketplace.journal.seal"),
    ("settled", "marketplace.tasks.seal_journal", "after marketplace.journal.seal"),
    ("settled", "settlement.tasks.issue_invoices", "within settlement.invoices.issue_next"),
    ("settled", "settlement.tasks.issue_invoices", "after settlement.invoices.issue_next"),
    ("sealed", "settlement.tasks.issue_certificates", "after marketplace.documents.issue_many"),
    ("sealed", "settlement.tasks.issue_certificates", "within settlement.papers.issue_certificates"),
    ("sealed", "settlement.tasks.issue_certificates", "after settlement.papers.issue_certificates"),
    ("sealed", "settlement.tasks.issue_statements", "after marketplace.documents.issue_many"),
    ("sealed", "settlement.tasks.issue_statements", "within settlement.statements.issue"),
    ("sealed", "settlement.tasks.issue_statements", "after settlement.statements.issue"),
]

POSTING_TASK = "settlement.tasks.post_sandbox_notices"
POSTING = [
    "after settlement.gateways.sandbox_bank._claim_due",
    "before httpx.Client.post",
    "after httpx.Client.post",
    "after settlement.gateways.sandbox_bank._post",
]


def deaths() -> list[dict[str, tuple[str, str]]]:
    """One trade's worth of deaths each: by the step it has come to, the task and the moment; no point is left out."""
    at_step: dict[str, list[tuple[str, str]]] = {}
    for stage, task, at in POINTS:
        at_step.setdefault(stage, []).append((task, at))
    most = max(len(points) for points in at_step.values())
    return [{stage: points[turn] for stage, points in at_step.items() if turn < len(points)} for turn in range(most)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("points", deaths(), ids=lambda points: f"{len(points)} deaths")
def test_a_worker_killed_at_every_step_loses_and_repeats_nothing(points: dict[str, tuple[str, str]], tmp_path) -> None:
    """The step that follows a death is the worker's that takes over."""
    deal = buy()
    for stage, step in STEPS.items():
        step(deal)
        if stage in points:
            task, at = points[stage]
            before = deal.state
            die_at(at, task, tmp_path)
            if at.startswith("within") and "clear" not in at:
                assert deal.state == before, at
            let_claims_lapse()
    carry_on(deal)
    exactly_one_of_everything(deal)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("at", POSTING)
def test_a_notice_that_is_posted_twice_is_kept_and_heard_once(at, settings, live_server, tmp_path) -> None:
    settings.BASE_URL = live_server.url
    deal = walk_to("paid")
    die_at(at, POSTING_TASK, tmp_path)
    let_claims_lapse()
    tasks.post_sandbox_notices()
    assert SandboxNotice.objects.get().posted_at is not None
    assert Notice.objects.get().event_id == SandboxNotice.objects.get().event_id
    carry_on(deal)
    exactly_one_of_everything(deal)
