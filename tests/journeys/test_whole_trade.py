"""The whole road over real HTTP, with the workers' tasks run in the test's process."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from allauth.account.models import EmailAddress

from listings import tasks as listings_tasks
from marketplace import journal
from settlement import tasks as settlement_tasks
from settlement.models import Trade
from tests import factories, trading
from tests.journeys import whole_trade
from tests.journeys.visitor import Refusal, Visitor

pytestmark = pytest.mark.django_db(transaction=True)
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


def wait(holds, what):
    """Let the workers go round until it holds."""
    until = time.monotonic() + 90
    while not (answer := holds()):
        assert time.monotonic() < until, f"waited too long for {what}"
        for work in WORKERS:
            work()
    return answer


def signed_in(base_url, user) -> Visitor:
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


def test_a_trade_goes_from_an_empty_studio_to_a_checked_certificate(people):
    number = whole_trade.drive(people, wait)
    certificate = Trade.objects.get().certificate
    assert certificate.number == number
    shown = people.stranger.get(f"papers/{number}", code=certificate.check_code)
    assert shown["record"]["price_minor"] == 125_000
    with pytest.raises(Refusal):
        people.stranger.get("papers/TC-0000-0000-0000")
    page = people.stranger.http.get(f"/verify/{number}/?code={certificate.check_code}")
    assert page.status_code == 200 and certificate.record["trade_number"] in page.text


def test_a_free_trade_goes_the_same_road(people):
    listing = whole_trade.list_product(people, wait)
    trade = whole_trade.propose(people, whole_trade.offer(people, listing, price_minor=0))
    wait(lambda: whole_trade.state_of(people.buyer, trade) == "delivered", "the delivery")
    whole_trade.download(people, trade)
    people.buyer.post(f"trades/{trade}/acceptance")
    whole_trade.clear(people)
    wait(lambda: people.buyer.get(f"trades/{trade}")["certificate"], "the certificate")
    assert people.buyer.get(f"trades/{trade}")["payments"] == []


def test_six_posts_with_one_key_make_one_trade(people):
    listing = whole_trade.list_product(people, wait)
    offer = whole_trade.offer(people, listing, price_minor=0)
    answers = [people.buyer.post("trades", {"offer": offer}, key="the-same") for _again in range(6)]
    assert len({answer["public_id"] for answer in answers}) == 1 and Trade.objects.count() == 1
    with pytest.raises(Refusal) as refusal:
        people.buyer.post("trades", {"offer": offer, "purpose": "Another"}, key="the-same")
    assert refusal.value.code == "key_reused"
