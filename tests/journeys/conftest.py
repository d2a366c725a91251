"""People with browsers on a live server, and the workers' tasks run in the test's process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress

from listings import tasks as listings_tasks
from marketplace import journal
from settlement import tasks as settlement_tasks
from tests import factories, trading
from tests.journeys import whole_trade
from tests.journeys.visitor import Visitor

PASSWORD = "a password for journeys"
WORKERS = [
    listings_tasks.profile_releases,
    listings_tasks.register_products,
    settlement_tasks.register_trades,
    settlement_tasks.start_payments,
    settlement_tasks.stop_payments,
    settlement_tasks.post_sandbox_notices,
    settlement_tasks.read_notices,
    settlement_tasks.open_grants,
    settlement_tasks.close_grants,
    settlement_tasks.pay_members,
    settlement_tasks.pay_refunds,
    settlement_tasks.expire_trades,
    settlement_tasks.deem_accepted,
    journal.seal,
    journal.follow,
    settlement_tasks.issue_certificates,
    settlement_tasks.issue_statements,
]


def wait(holds: Callable[[], Any], what: str) -> Any:
    """Let the workers go round until it holds."""
    until = time.monotonic() + 90
    while not (answer := holds()):
        assert time.monotonic() < until, f"waited too long for {what}"
        for work in WORKERS:
            work()
    return answer


def signed_in(base_url: str, user: Any) -> Visitor:
    user.set_password(PASSWORD)
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return Visitor(base_url).sign_in(user.email, PASSWORD)


@pytest.fixture
def people(live_server, settings) -> Iterator[whole_trade.People]:
    settings.BASE_URL = live_server.url
    staff = [factories.make_staff(role) for role in ("review", "review", "clearing")]
    visitors = [signed_in(live_server.url, user) for user in staff]
    people = whole_trade.People(
        seller=signed_in(live_server.url, trading.make_verified("Yangshan Terminal Data", country="CN").created_by),
        buyer=signed_in(live_server.url, trading.make_verified("Peak Freight").created_by),
        reviewers=(visitors[0], visitors[1]),
        officer=visitors[2],
        stranger=Visitor(live_server.url),
    )
    yield people
    for visitor in (people.seller, people.buyer, *people.reviewers, people.officer, people.stranger):
        visitor.close()
