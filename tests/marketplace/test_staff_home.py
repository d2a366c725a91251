"""The staff's home: queues against their targets, figures month by month, and who sees which."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from marketplace import clock, desk_targets, plots, working_time
from marketplace.desks import queues, staff_figures
from settlement import fees, reserve_terms, trades
from settlement.states import TradeState
from tests import factories
from tests.factories import make_staff
from tests.trading import make_trade

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)
MONDAY = dt.datetime(2026, 11, 16, 9, tzinfo=dt.UTC) - 8 * HOUR  # nine in the morning in Shanghai


def at_desk(role: str) -> Client:
    client = Client()
    client.force_login(make_staff(role))
    return client


def home(role: str) -> str:
    return at_desk(role).get("/admin/").content.decode()


@pytest.mark.parametrize("hours", [0, 3, 8, 9, 24, 60])
def test_the_latest_moment_before_which_so_much_time_was_worked(hours):
    until = MONDAY + 2 * HOUR
    since = working_time.before(until, hours * HOUR)
    assert working_time.worked(since, until) == hours * HOUR
    assert working_time.worked(since + HOUR / 60, until) < hours * HOUR or hours == 0


def test_what_is_past_its_target_comes_first_and_is_said_in_words(settings):
    settings.DESK_TARGET_HOURS = settings.DESK_TARGET_HOURS | {"applications": 8, "disputes": 40}
    with clock.moved_to(MONDAY):
        factories.make_applied()
        deal = make_trade(TradeState.DELIVERED)
        trades.dispute(deal.trade, reason="Wrong.", by=deal.buyer)
    with clock.moved_to(MONDAY + 27 * HOUR):
        factories.make_applied()
        waits = [one for one in queues.waiting(["organisations", "disputes"]) if one.count]
        assert [(one.queue.name, one.count, one.overdue) for one in waits] == [
            ("applications", 2, 1),
            ("disputes", 1, 0),
        ]
        assert [round(one.hours) for one in waits] == [3, 29]
        assert desk_targets.age("applications", MONDAY).state == desk_targets.OVERDUE
        page = home("audit")
    assert "Overdue by 3 h" in page and "1 of 2 past the target" in page and "Due in 29 h" in page
    assert page.index("Overdue by 3 h") < page.index("Due in 29 h")


def test_the_home_costs_few_statements_and_shows_each_only_their_figures():
    make_trade(TradeState.SETTLED)
    administrator = at_desk("administrator")
    with CaptureQueriesContext(connection) as counted:
        page = administrator.get("/admin/").content.decode()
    assert len(counted) < 12
    found = staff_figures.figures()
    assert (found.trades[-1], found.listings[-1], found.members[-1]) == (1, 1, 2)
    assert {code: numbers[-1] for code, numbers in found.turnover.items()} == {"HKD": 125_000}
    assert len(found.months) == 12 and sum(found.trades) == 1
    labels = re.findall(r"<figcaption>([^<]+)</figcaption>", page)
    assert labels == ["Trades cleared", "Turnover · HKD", "Products first listed", "Members approved"]
    seen = {role: re.findall(r"<figcaption>([^<]+)</figcaption>", home(role)) for role in ("clearing", "vetting")}
    assert seen == {
        "clearing": ["Trades cleared", "Turnover · HKD"],
        "vetting": ["Trades cleared", "Members approved"],
    }
    assert "Unmatched sums" not in home("vetting")
    paid = ["unmatched", "refunds", "accounts", "chargebacks"]
    assert sorted(one.queue.name for one in queues.waiting(["payments"])) == sorted(paid)
    assert "Unmatched sums" in home("payments")


def test_columns_are_as_high_as_their_share_and_what_is_not_none_is_seen():
    assert plots.columns([0, 0]) == []
    tall, low = plots.columns([1000, 0, 1])
    assert (tall.height, tall.y, low.height, low.x) == (48, 0, 1.0, 160)
    assert [plots.length(number, [4, 2, 0]) for number in (4, 2, 0)] == [1000, 500, 0]


def test_reserves_and_fee_schedules_wait_for_a_second_person_in_a_queue_with_a_target():
    first, second = make_staff("clearing"), make_staff("clearing")
    said = {"basis_points": 300, "begins_on": clock.today() + dt.timedelta(days=2), "reason": "A reason.", "by": first}
    terms = reserve_terms.ask(factories.make_verified(), days=30, **said)
    schedule = fees.ask(**said)

    def waiting() -> dict[str, int]:
        found = [one for one in queues.waiting(["clearing"]) if one.count]
        assert all(one.due_at for one in found)
        return {one.queue.url: one.count for one in found}

    assert waiting() == {reverse("desk_reserves"): 1, reverse("desk_fees"): 1}
    reserve_terms.confirm(terms, by=second)
    fees.drop(schedule, by=first)
    assert waiting() == {}
