"""No bell, claim or call is left out: each has a moment at which a worker is killed."""

from __future__ import annotations

import inspect

from listings.models import Profile, Upload
from marketplace import letters, webhook_sending
from marketplace.celery import BELLS
from settlement import deliveries, payments, payouts, renewals
from settlement.channels.files import Files
from settlement.gateways.sandbox import Sandbox
from tests.crashes import (
    test_bank,
    test_books,
    test_demands,
    test_letters,
    test_listings,
    test_main_road,
    test_member_papers,
    test_saved_searches,
    test_side_roads,
    test_webhooks,
)

# What these leave undone is found again by nature: each looks at the clock and takes away what is too old.
OF_NO_CONSEQUENCE = {
    "marketplace.tasks.beat_was_here",
    "marketplace.tasks.put_announcements_on_pages",
    "marketplace.tasks.forget_old_keys",
    "marketplace.tasks.forget_old_webhooks",
    "marketplace.tasks.forget_read_notifications",
    "listings.tasks.remove_abandoned_uploads",
}


def points() -> set[str]:
    """The moments of every crash test."""
    lists = [
        [at for _stage, _task, at in test_main_road.POINTS],
        test_main_road.POSTING,
        test_side_roads.STOP,
        test_side_roads.EXPIRE,
        test_side_roads.CLOSE,
        test_side_roads.DEEM,
        test_side_roads.RENEW,
        test_side_roads.BILL,
        test_side_roads.REMIND,
        test_side_roads.FOLLOW,
        [at for _task, at in test_side_roads.REFUND],
        [at for _task, at in test_side_roads.INSTALMENT],
        [at for _what, at in test_side_roads.CONTEST],
        test_side_roads.SUSPENSE,
        test_listings.REGISTER,
        test_listings.PUBLISH,
        test_listings.MEASURE,
        test_listings.CHECK,
        test_listings.COUNTS,
        test_listings.LAPSE,
        test_listings.REPRICE,
        test_letters.SEND,
        test_webhooks.SEND,
        test_member_papers.DRAW,
        test_demands.LAPSE,
        test_saved_searches.LOOK,
        [test_bank.START, test_bank.SEND],
        test_books.COMPARE,
    ]
    return {at for points in lists for at in points}


def test_every_bell_that_changes_anything_is_killed() -> None:
    tested = {task for _stage, task, _at in test_main_road.POINTS} | {task for task, _at in test_side_roads.REFUND}
    tested |= (
        test_side_roads.TASKS
        | test_listings.TASKS
        | test_letters.TASKS
        | test_webhooks.TASKS
        | test_member_papers.TASKS
    )
    tested |= test_demands.TASKS | test_saved_searches.TASKS | test_books.TASKS
    tested.add(test_main_road.POSTING_TASK)
    assert tested == set(BELLS) - OF_NO_CONSEQUENCE


def test_a_worker_is_killed_after_every_claim() -> None:
    claims = {
        f"after {module.__name__}.{name}"
        for module in (payments, deliveries, renewals, payouts, letters, webhook_sending)
        for name, _function in inspect.getmembers(module, inspect.isfunction)
        if name.startswith("claim_next")
    }
    assert len(claims) == 10
    claims |= {f"after {model.__module__}.{model.__name__}.claim_next" for model in (Profile, Upload)}
    assert claims <= points()


def test_a_worker_is_killed_after_every_call_to_the_outside() -> None:
    calls = {f"after settlement.gateways.sandbox.Sandbox.{name}" for name in ("start", "stop", "refund", "pay_out")}
    calls |= {f"after settlement.channels.files.Files.{name}" for name in ("open", "close")}
    assert all(hasattr(Sandbox, at.rpartition(".")[2]) or hasattr(Files, at.rpartition(".")[2]) for at in calls)
    assert calls | {"after httpx.Client.post", "after listings.isolation.profile_file"} <= points()


def test_a_worker_is_killed_before_and_after_every_commit() -> None:
    """What is killed at the last moment before its commit is also killed right after it."""
    within = {at.removeprefix("within ") for at in points() if at.startswith("within ")}
    after = {at.removeprefix("after ") for at in points() if at.startswith("after ")}
    assert within == {
        "compliance.demands._lapse",
        "listings.arrivals.add_file",
        "listings.daily_counts.add",
        "listings.private_offers._close_if_lapsed",
        "listings.profiling.finish",
        "listings.registration._register_if_due",
        "listings.saved_searches.look",
        "listings.shelf.reprice",
        "marketplace.journal._follow_one",
        "marketplace.journal.seal",
        "settlement.clearing.close",
        "settlement.defaults.remind",
        "settlement.deliveries.record_closed",
        "settlement.invoices.issue_next",
        "settlement.papers.issue_certificates",
        "settlement.payments.record_refund_sent",
        "settlement.payments.record_started",
        "settlement.payments.record_stopped",
        "settlement.payouts.record_sent",
        "settlement.reconciliation.reconcile",
        "settlement.statements.issue",
        "settlement.renewals.renew",
        "settlement.trades.bill",
        "settlement.trades.cannot_deliver",
        "settlement.trades.clear",
        "settlement.trades.deem_accepted",
        "settlement.trades.deliver",
        "settlement.trades.expire",
        "settlement.hearing.hear",
        "settlement.trades.register",
    }
    assert within <= after
