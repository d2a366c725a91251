"""What every payment gateway keeps to: one suite, run on every configured driver."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from marketplace import clock
from settlement import payments
from settlement.gateways import (
    BadNotice,
    DisputeClosed,
    Disputed,
    Fact,
    Gateway,
    NoGateway,
    Paid,
    PaidOut,
    PaymentFailed,
    PayoutFailed,
    Refunded,
    RefundFailed,
    default_gateway,
    gateway,
)
from settlement.models import Notice, Payment
from settlement.states import MovementKind
from tests import rows
from tests.contracts import stripe_world
from tests.contracts.worlds import WORLDS, World
from tests.stripe_server import KEY, StripeServer

pytestmark = pytest.mark.django_db


@dataclass
class Side:
    """A driver and the world outside it."""

    driver: Gateway
    world: World
    heard: set[int] = field(default_factory=set)

    def payment(self, amount_minor: int = 10_000) -> Payment:
        payment = rows.a_payment(self.driver.name, amount_minor, self.world.currency)
        self.driver.start(payment)
        return payment

    def facts(self) -> list[Fact]:
        """Everything the gateway has to say now, checked and read as the inbox does; what it said at once with it."""
        for body, headers in self.world.post():
            payments.note(self.driver.name, body, headers)
        new = Notice.objects.filter(gateway=self.driver.name).exclude(pk__in=self.heard).order_by("pk")
        self.heard |= {notice.pk for notice in new}
        told = [fact for notice in new for fact in self.driver.read(notice)]
        return list(dict.fromkeys(told))  # a gateway may say a thing twice


DRIVERS = {
    "bank": "settlement.gateways.bank.Bank",
    "stripe": "settlement.gateways.stripe.Stripe",
} | settings.GATEWAYS


@pytest.fixture(params=sorted(DRIVERS))
def side(request: pytest.FixtureRequest, settings: Any) -> Iterator[Side]:
    assert request.param in WORLDS, f"the gateway {request.param!r} is configured, but no test acts its world out"
    settings.GATEWAYS = DRIVERS
    world = WORLDS[request.param](settings)
    yield Side(gateway(request.param), world)
    world.close()


def test_a_driver_says_its_name_and_what_it_can(side: Side) -> None:
    assert gateway(side.driver.name) is side.driver
    assert side.world.currency in side.driver.capabilities().currencies


def test_starting_twice_asks_for_the_money_once(side: Side) -> None:
    payment = rows.a_payment(side.driver.name)
    first = side.driver.start(payment)
    assert first.reference
    assert first.pay_at_url == "" or first.pay_at_url.startswith(("http://", "https://"))
    assert side.driver.start(payment) == first
    assert side.driver.start(rows.a_payment(side.driver.name)).reference != first.reference


def test_looking_up_finds_what_was_started_and_nothing_else(side: Side) -> None:
    payment = rows.a_payment(side.driver.name)
    assert side.driver.look_up(payment) is None
    started = side.driver.start(payment)
    assert side.driver.look_up(payment) == started


def test_money_that_arrives_is_a_fact_with_its_exact_amount(side: Side) -> None:
    payment = side.payment(10_000)
    side.world.pay(payment, 10_000)
    [paid] = side.facts()
    assert isinstance(paid, Paid)
    assert (paid.key, paid.amount_minor, paid.currency) == (payment.key, 10_000, side.world.currency)
    assert paid.event_id and paid.payer_reference


def test_a_wrong_amount_is_reported_as_it_is(side: Side) -> None:
    payment = side.payment(10_000)
    side.world.pay(payment, 9_999)
    expected = [] if side.driver.capabilities().takes_exact_sums else [9_999]
    assert [fact.amount_minor for fact in side.facts()] == expected


def test_two_payments_are_two_events(side: Side) -> None:
    payment = side.payment(10_000)
    if side.driver.capabilities().takes_exact_sums:
        return
    side.world.pay(payment, 4_000)
    side.world.pay(payment, 6_000)
    facts = side.facts()
    assert sorted(fact.amount_minor for fact in facts) == [4_000, 6_000]
    assert len({fact.event_id for fact in facts}) == 2
    assert len({fact.payer_reference for fact in facts}) == 1


def test_a_failed_payment_says_why(side: Side) -> None:
    payment = side.payment()
    may_fail = side.world.fail(payment)
    if not side.driver.capabilities().tells_of_failed_payments:
        assert side.facts() == []
        return
    if not may_fail:
        pytest.skip("nothing makes a payment fail here")
    [failed] = side.facts()
    assert isinstance(failed, PaymentFailed)
    assert failed.key == payment.key and failed.reason


def test_a_repeated_notice_names_the_same_event(side: Side) -> None:
    side.world.pay(side.payment(), 10_000)
    [(body, headers)] = side.world.post()
    assert side.driver.verify(body, headers) == side.driver.verify(body, headers)


def test_a_notice_is_believed_only_with_the_gateways_signature(side: Side) -> None:
    side.world.pay(side.payment(), 10_000)
    [(body, headers)] = side.world.post()
    forgeries = [
        (body, {}),
        (body, {name: "" for name in headers}),
        (body, {name: value[:-1] + ("0" if value[-1] != "0" else "1") for name, value in headers.items()}),
        (body.replace(b"10000", b"99999"), headers),
        (body + b" ", headers),
        (b"", headers),
        (b"\xff\xfe", headers),
    ]
    assert body.replace(b"10000", b"99999") != body
    for forged_body, forged_headers in forgeries:
        with pytest.raises(BadNotice):
            side.driver.verify(forged_body, forged_headers)
    assert side.driver.verify(body, {name.upper(): value for name, value in headers.items()})


def test_stopping_is_safe_for_what_was_never_started_and_may_be_repeated(side: Side) -> None:
    payment = rows.a_payment(side.driver.name)
    side.driver.stop(payment)
    side.driver.stop(payment)
    started = side.payment()
    side.driver.stop(started)
    side.driver.stop(started)
    assert side.facts() == []


def test_a_refund_is_sent_once_per_key_and_arrives(side: Side) -> None:
    payment = side.payment()
    side.world.pay(payment, 10_000)
    [paid] = side.facts()
    refund = rows.a_refund(payment, 9_999, paid.payer_reference)
    reference = side.driver.refund(refund)
    assert reference and side.driver.refund(refund) == reference
    assert side.facts() == [Refunded(refund.key)]
    part = rows.a_refund(payment, 1, paid.payer_reference)
    assert side.driver.refund(part) != reference


def test_a_refund_the_payers_account_refuses_comes_back(side: Side) -> None:
    payment = side.payment()
    side.world.pay(payment, 10_000, payer=side.world.bad_payer)
    [paid] = side.facts()
    assert isinstance(paid, Paid)
    refund = rows.a_refund(payment, 10_000, paid.payer_reference)
    side.driver.refund(refund)
    side.driver.refund(refund)
    *before, failed = side.facts()
    assert set(before) <= {Refunded(refund.key), failed}  # it may have been said to have arrived
    assert isinstance(failed, RefundFailed)
    assert failed.key == refund.key and failed.reason


def test_a_payout_is_sent_once_per_key_and_arrives(side: Side) -> None:
    payout = rows.a_payout(side.driver.name, 9_750, side.world.currency)
    reference = side.driver.pay_out(payout, side.world.good_account)
    assert reference and side.driver.pay_out(payout, side.world.good_account) == reference
    assert side.facts() == [PaidOut(payout.key)]


def test_a_payout_the_account_refuses_comes_back(side: Side) -> None:
    payout = rows.a_payout(side.driver.name, 9_750, side.world.currency)
    side.driver.pay_out(payout, side.world.bad_account)
    [failed] = side.facts()
    assert isinstance(failed, PayoutFailed)
    assert failed.key == payout.key and failed.reason


@pytest.mark.parametrize("is_lost", [True, False])
def test_a_contested_payment_is_reported_and_then_decided(side: Side, is_lost: bool) -> None:
    payment = side.payment()
    side.world.pay(payment, 10_000, payer=side.world.contesting_payer)
    side.world.contest(payment)
    if not side.driver.capabilities().is_contestable:
        assert [type(fact) for fact in side.facts()] == [Paid]
        return
    paid, disputed = side.facts()
    assert isinstance(paid, Paid) and isinstance(disputed, Disputed)
    assert (disputed.key, disputed.amount_minor, disputed.currency) == (payment.key, 10_000, side.world.currency)
    side.world.decide(payment, is_lost=is_lost)
    assert side.facts() == [DisputeClosed(disputed.reference, is_lost)]


def test_the_gateways_own_books_show_every_movement_of_the_day(side: Side) -> None:
    payment, contested, failed, unlucky = side.payment(), side.payment(), side.payment(), side.payment()
    side.world.pay(payment, 10_000)
    side.world.pay(contested, 10_000, payer=side.world.contesting_payer)
    side.world.pay(unlucky, 10_000, payer=side.world.bad_payer)
    side.world.fail(failed)
    side.world.contest(contested)
    payers = {fact.key: fact.payer_reference for fact in side.facts() if isinstance(fact, Paid)}
    side.world.decide(contested, is_lost=True)
    refund = rows.a_refund(payment, 250, payers[payment.key])
    refused = rows.a_refund(unlucky, 250, payers[unlucky.key])
    payout = rows.a_payout(side.driver.name, 9_750, side.world.currency)
    side.driver.refund(refund)
    side.driver.refund(refused)
    side.driver.pay_out(payout, side.world.good_account)
    side.facts()
    today = clock.today()
    moved: dict[str, int] = {}
    lines = side.world.of_this_test(list(side.driver.movements(today)))
    for line in lines:
        assert (line.currency, line.booked_on) == (side.world.currency, today)
        if line.kind == MovementKind.FEE:  # what the gateway keeps for itself is told apart, and named by nobody
            assert line.key == "" and line.amount_minor < 0
            continue
        moved[line.key] = moved.get(line.key, 0) + line.amount_minor
    assert len({line.reference for line in lines} - {""}) == len(lines)
    assert {(line.key, line.kind) for line in lines} >= {
        (payment.key, MovementKind.PAYMENT),
        (refund.key, MovementKind.REFUND),
        (payout.key, MovementKind.PAYOUT),
        *([(contested.key, MovementKind.CHARGEBACK)] if side.driver.capabilities().is_contestable else []),
    }
    assert {key: sum_minor for key, sum_minor in moved.items() if sum_minor} == {
        payment.key: 10_000,
        unlucky.key: 10_000,
        **({} if side.driver.capabilities().is_contestable else {contested.key: 10_000}),
        refund.key: -250,
        payout.key: -9_750,
    }
    assert side.world.of_this_test(list(side.driver.movements(today - dt.timedelta(days=1)))) == []
    assert side.driver.capabilities().books_within_days >= 1


def test_a_gateway_that_is_not_configured_is_refused_by_name(settings) -> None:
    with pytest.raises(NoGateway, match="carrier_pigeon"):
        gateway("carrier_pigeon")
    settings.DEFAULT_GATEWAY = None
    with pytest.raises(NoGateway):
        default_gateway()


def test_with_a_test_key_the_world_keeps_to_its_own_in_an_account_with_a_past(settings, monkeypatch) -> None:
    """Acted out on the stand-in: that Stripe itself answers like it only a run with a key can say."""
    settings.GATEWAYS = DRIVERS
    with StripeServer() as account:
        settings.STRIPE_ADDRESS, settings.WEBHOOK_LOOPBACK = account.url, True
        account.open_account("acct_ofanother0001")
        monkeypatch.setattr(stripe_world, "TEST_KEY", KEY)
        monkeypatch.setattr(stripe_world, "QUIET_SECONDS", 0)
        stranger, ours = stripe_world.StripeWorld(settings), stripe_world.StripeWorld(settings)
        assert ours.bad_account == stranger.bad_account != ours.good_account == "acct_ofanother0001"
        assert account.available["hkd"] >= stripe_world.LEAST_AVAILABLE
        side = Side(gateway("stripe"), ours)
        with transaction.atomic():
            elsewhere = rows.a_payment("stripe")
            side.driver.start(elsewhere)
            stranger.pay(elsewhere, 10_000)
            transaction.set_rollback(True)  # another test's exchange
        payment = side.payment()
        ours.pay(payment, 10_000, payer=ours.contesting_payer)
        ours.decide(payment, is_lost=True)
        assert [type(fact) for fact in side.facts()] == [Paid, Disputed, DisputeClosed]
        told = ours.of_this_test(list(side.driver.movements(clock.today())))
        assert {line.key or line.charged_for for line in told} == {payment.key}
        monkeypatch.setattr(stripe_world, "TEST_KEY", "sk_live_x")
        with pytest.raises(AssertionError, match="test mode"):
            stripe_world.StripeWorld(settings)
