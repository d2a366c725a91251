"""The Stripe gateway: pages paid, lapsed or paid twice, and money sent once whatever is cut off or told again."""

from __future__ import annotations

import datetime as dt
import random
from io import StringIO

import pytest
import stripe
from django.core import checks
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from listings import pricing
from marketplace import clock
from marketplace.errors import Invalid
from marketplace.models import Event
from settlement import buying, ledger, payments, tasks, trades
from settlement.gateways import BadNotice, DisputeClosed, TryLater, gateway, stripe_amounts
from settlement.gateways.stripe_line import API_VERSION, Declined
from settlement.models import (
    Break,
    Chargeback,
    Notice,
    Payment,
    Reconciliation,
    Refund,
    StripeIntent,
    Trade,
    Transfer,
    Unmatched,
)
from settlement.states import ChargebackState, MovementKind, OutgoingState, PaymentState, TradeState
from tests import factories, rows, trading
from tests.contracts.stripe_world import configure_stripe
from tests.stripe_server import KEY, SECRET, StripeServer, signed

pytestmark = pytest.mark.django_db

PAYEE = "acct_ofapayee0001"


@pytest.fixture(autouse=True)
def server(settings):
    settings.GATEWAYS, settings.DEFAULT_GATEWAY = {"stripe": "settlement.gateways.stripe.Stripe"}, "stripe"
    with StripeServer() as running:
        configure_stripe(settings, running)
        running.open_account(PAYEE)
        yield running


def hear(server: StripeServer, *, shuffled: random.Random | None = None, times: int = 1) -> None:
    """What Stripe tells goes into the inbox, so many times and in that order, and is read until nothing waits."""
    news = server.news() * times
    if shuffled:
        shuffled.shuffle(news)
    for body, headers in news:
        payments.note("stripe", body, headers)
        tasks.read_notices()
    for _again in news:
        Notice.objects.filter(read_at=None).update(next_try_at=clock.now(), claimed_until=None)
        tasks.read_notices()


def work(server: StripeServer) -> None:
    trading.work()
    hear(server)
    trading.work()


def make_deal(**offer) -> trading.Deal:
    listing = trading.make_listed(factories.make_verified())
    deal = trading.propose(trading.make_offer(listing, **offer), buyer=factories.make_verified("A Buyer Limited"))
    trading.work()
    return deal


def started(server: StripeServer, amount_minor: int = 10_000, currency: str = "HKD") -> Payment:
    payment = rows.a_payment("stripe", amount_minor, currency)
    tasks.start_payments()
    payment.refresh_from_db()
    return payment


def test_a_page_that_lapses_gives_way_to_another_and_money_that_comes_for_both_pays_once(server):
    deal = make_deal(price_minor=10_000)
    first = deal.payment
    assert first.state == PaymentState.STARTED and first.pay_at_url.startswith("https://checkout.stripe.com/")
    asked = server.sessions[first.reference]
    assert (asked["amount_total"], asked["currency"], asked["client_reference_id"]) == (10_000, "hkd", first.key)
    server.lapse(first.reference)
    hear(server)
    assert deal.payment.state == PaymentState.FAILED and "lapsed" in deal.payment.error
    assert deal.state == TradeState.REGISTERED

    second = trades.pay_again(deal.trade, by=deal.buyer)
    trading.work()
    assert second.key != first.key and deal.payment.reference != first.reference
    server.fail(deal.payment.reference)
    hear(server)
    third = trades.pay_again(deal.trade, by=deal.buyer)
    trading.work()
    server.pay(server.session_of(third.key))
    server.arrive(server.session_of(second.key))  # the one that was said to have failed came after all
    hear(server, times=3)
    assert deal.state == TradeState.FUNDED and deal.payment.state == PaymentState.PAID
    [twice] = Unmatched.objects.all()
    assert (twice.why, twice.amount_minor, twice.payment) == ("paid_twice", 10_000, second)
    assert (twice.decision, twice.decided_by) == ("returned", None)  # there was nothing to decide
    tasks.pay_refunds()
    hear(server)
    assert Refund.objects.get().state == OutgoingState.PAID
    [sent] = server.refunds.values()
    assert sent["payment_intent"] == server.sessions[server.session_of(second.key)]["payment_intent"]
    assert ledger.balance(ledger.outside("stripe", "HKD")) == -10_000 == -ledger.balance(ledger.escrow(deal.trade))


def test_money_that_staff_could_use_is_decided_on_by_nobody_else(server):
    decided = {"decided_at": clock.now(), "decision": "returned"}
    place = {"gateway": "stripe", "amount_minor": 1, "currency": "HKD", "payer_reference": "pi_1"}
    Unmatched.objects.create(event_id="a", why="too_late", **place, **decided)
    with pytest.raises(IntegrityError, match="decided_unmatched_says_by_whom"), transaction.atomic():
        Unmatched.objects.create(event_id="b", why="wrong_amount", **place, **decided)


def test_a_page_is_closed_when_its_trade_ends_and_no_failure_is_told(server):
    deal = make_deal(price_minor=10_000)
    trades.cancel(deal.trade, by=deal.buyer)
    work(server)
    assert server.sessions[deal.payment.reference]["status"] == "expired"
    assert deal.payment.state == PaymentState.STOPPED and deal.payment.error == ""


def test_what_was_cut_off_or_forgotten_is_looked_for_by_our_own_id_and_done_once(server):
    for _one in range(5):  # what others asked for before lies between us and ours
        rows.a_payment("stripe")
    tasks.start_payments()
    payment = rows.a_payment("stripe")
    server.is_cut = True
    tasks.start_payments()
    payment.refresh_from_db()
    assert payment.state == PaymentState.REQUESTED and "APIConnectionError" in payment.error
    server.forget_keys()
    Payment.objects.update(next_try_at=clock.now())
    tasks.start_payments()
    payment.refresh_from_db()
    assert payment.state == PaymentState.STARTED and len(server.sessions) == 6

    server.pay(payment.reference)
    driver = gateway("stripe")
    refund, payout = rows.a_refund(payment, 4_000, payment.reference), rows.a_payout("stripe", 9_000)
    server.available["hkd"] = 9_000
    for row, send, made in (
        (refund, lambda: driver.refund(refund), server.refunds),
        (payout, lambda: driver.pay_out(payout, PAYEE), server.transfers),
    ):
        server.is_cut = True
        with pytest.raises(TryLater):
            send()
        server.forget_keys()
        row.tries = 2
        assert [send(), send()] == [*made, *made]  # found again, though Stripe has forgotten the key
    assert server.available["hkd"] == 0


def test_a_payout_waits_for_funds_and_goes_once_whatever_stripe_remembers(server):
    driver, payout = gateway("stripe"), rows.a_payout("stripe", 9_000)
    with pytest.raises(TryLater, match="below 9000"):
        driver.pay_out(payout, PAYEE)
    assert not [one for one in server.asked if one[0] == "POST"]
    server.shown = {"hkd": 9_000}  # another payout takes it between the look and the transfer
    with pytest.raises(TryLater, match="too low"):
        driver.pay_out(payout, PAYEE)
    server.available["hkd"] = 20_000
    payout.tries = 2
    sent = driver.pay_out(payout, PAYEE)
    assert [sent] == list(server.transfers) and server.available["hkd"] == 11_000
    assert driver.pay_out(payout, PAYEE) == sent
    payout.tries = 0
    assert driver.pay_out(payout, PAYEE) == sent  # by the keys alone
    assert len(server.transfers) == 1


def test_transfers_that_come_back_and_payees_stripe_refuses_are_payouts_that_bounced(server):
    driver = gateway("stripe")
    server.available["hkd"] = 20_000
    payout, refused = rows.a_payout("stripe", 9_000), rows.a_payout("stripe", 500)
    reference = driver.pay_out(payout, PAYEE)
    server.reverse(reference)
    for body, headers in server.news():
        payments.note("stripe", body, headers)
    told = [fact for notice in Notice.objects.order_by("pk") for fact in driver.read(notice)]
    assert [(type(fact).__name__, fact.key) for fact in told] == [
        ("PaidOut", payout.key),
        ("PayoutFailed", payout.key),
    ]
    lines = [line for line in driver.movements(clock.today()) if line.key == payout.key]
    assert [(line.kind, line.amount_minor) for line in lines] == [
        (MovementKind.RETURNED, 9_000),
        (MovementKind.PAYOUT, -9_000),
    ]
    assert driver.pay_out(refused, "acct_unknown00001") == f"refused-{refused.key}"
    [failed] = driver.read(Notice.objects.get(event_id=f"refused-{refused.key}"))
    assert (failed.key, failed.reason) == (refused.key, "resource missing")


@pytest.mark.parametrize("is_lost", [True, False])
@pytest.mark.parametrize("seed", [1, 2])
def test_events_in_any_order_and_three_times_over_come_to_the_same(server, is_lost, seed):
    payment = started(server)
    server.pay(payment.reference)
    server.contest(payment.reference)
    server.decide(payment.reference, is_lost=is_lost)
    hear(server, shuffled=random.Random(seed), times=3)
    assert not Notice.objects.filter(read_at=None).exists() and StripeIntent.objects.count() == 1
    chargeback = Chargeback.objects.get()
    assert chargeback.state == (ChargebackState.LOST if is_lost else ChargebackState.WON)
    assert ledger.balance(ledger.outside("stripe", "HKD")) == (0 if is_lost else -10_000)
    booked = {line.kind: 0 for line in gateway("stripe").movements(clock.today())}
    for line in gateway("stripe").movements(clock.today()):
        booked[line.kind] += line.amount_minor
    assert booked == {
        MovementKind.PAYMENT: 10_000,
        MovementKind.CHARGEBACK: -10_000 if is_lost else 0,
        MovementKind.FEE: -(340 + 1500),
    }


def test_the_books_of_a_day_agree_with_what_stripe_keeps_for_its_work_booked_once(server):
    server.available["hkd"] = 50_000
    paid, contested = started(server, 20_000), started(server)
    for payment in (paid, contested):
        server.pay(payment.reference)
    hear(server)
    server.contest(contested.reference)
    server.decide(contested.reference, is_lost=True)
    hear(server)
    tasks.pay_refunds()  # of both, for neither trade waits for money; Stripe refuses that of what the bank took
    hear(server)
    tasks.read_notices()
    assert {row.payment: row.state for row in Refund.objects.all()} == {
        paid: OutgoingState.PAID,
        contested: OutgoingState.BOUNCED,
    }
    with clock.moved_to(clock.now() + dt.timedelta(days=1)):
        tasks.reconcile_books()
        tasks.reconcile_books()
    assert not Break.objects.exists()
    # two payments, a refund and one that bounced, a contest, three charges
    assert Reconciliation.objects.filter(currency="HKD").values_list("compared", "in_transit").get() == (8, 0)
    charged = 680 + 340 + 1_500  # 3.4 % of both, and the contest's own
    assert ledger.balance(ledger.costs("stripe", "HKD")) == -charged
    assert ledger.balance(ledger.outside("stripe", "HKD")) == charged
    assert Event.objects.filter(kind="gateway.charged").count() == 3
    assert sum(line["net"] for line in server.books) == -charged


def test_two_events_of_one_sum_are_one_sum(server):
    payment = started(server)
    server.pay(payment.reference)
    [event] = [one for one in server.events if one["type"] == "checkout.session.completed"]
    for event_id in ("evt_another1", "evt_another2"):
        payments.note("stripe", *signed(event | {"id": event_id}))
    hear(server)
    assert Notice.objects.count() == 3
    assert [one.amount_minor for one in Unmatched.objects.all()] == [10_000]


def test_what_was_told_during_an_outage_is_asked_for_and_heard_once(server, settings):
    first, second = started(server), started(server)
    server.pay(first.reference)
    hear(server)
    server.pay(second.reference)
    server.news()  # nobody was there to hear it
    said = StringIO()
    for _twice in range(2):
        call_command("replay_stripe", since=clock.today(), stdout=said)
    hear(server)
    tasks.read_notices()
    assert "2 events" in said.getvalue() and "1 of them new" in said.getvalue() and "0 of them new" in said.getvalue()
    assert sorted(one.payment.key for one in Unmatched.objects.all()) == sorted([first.key, second.key])
    with pytest.raises(CommandError, match="thirty days"):
        call_command("replay_stripe", since=clock.today() - dt.timedelta(days=31))
    server.is_down = True
    with pytest.raises(CommandError, match="run it again"):
        call_command("replay_stripe", since=clock.today())
    settings.GATEWAYS = {}
    with pytest.raises(CommandError, match="no Stripe gateway"):
        call_command("replay_stripe", since=clock.today())


def test_an_open_contest_is_no_movement_until_it_is_decided(server):
    payment = started(server)
    server.pay(payment.reference)
    server.contest(payment.reference)
    kinds = [line.kind for line in gateway("stripe").movements(clock.today())]
    assert sorted(kinds) == [MovementKind.FEE, MovementKind.FEE, MovementKind.PAYMENT]
    assert gateway("stripe").read(Notice(body='{"id": "evt_1", "type": "customer.created"}')) == []
    closed = {"id": "evt_0002", "type": "charge.dispute.closed", "data": {"object": {"id": "dp_9", "status": "lost"}}}
    payments.note("stripe", *signed(closed | {"livemode": False}))
    assert list(gateway("stripe").read(Notice.objects.get())) == [DisputeClosed("dp_9", True)]


def test_only_what_an_endpoint_signed_just_now_in_our_mode_is_kept(server, settings):
    event = {"id": "evt_0001", "type": "refund.created", "livemode": False}
    now = int(clock.now().timestamp())
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", SECRET]
    driver = gateway("stripe")
    assert driver.verify(*signed(event)) == driver.verify(*signed(event, secret="whsec_new")) == "evt_0001"
    for refused in (
        signed(event, secret="whsec_other"),
        signed(event, at=now - 301),
        signed(event | {"livemode": True}),
        signed(event | {"id": "refused-payout-1"}),  # what we say to ourselves comes from nobody else
        signed(event | {"id": 7}),
        (b"[]", signed(event)[1]),
        (signed(event)[0] + b" ", signed(event)[1]),
    ):
        with pytest.raises(BadNotice):
            payments.note("stripe", *refused)
    assert not Notice.objects.exists()


@pytest.mark.parametrize(
    ("currency", "minor", "written"),
    [("JPY", 5_000, 5_000), ("KWD", 12_340, 12_340), ("HKD", 125_000, 125_000), ("ISK", 5, 500), ("MGA", 300, 3)],
)
def test_amounts_are_written_as_stripe_counts(currency, minor, written):
    assert stripe_amounts.to_stripe(minor, currency) == written
    assert stripe_amounts.from_stripe(written, currency.lower()) == (minor, currency)


@pytest.mark.parametrize(("currency", "minor"), [("JPY", 5_000), ("KWD", 12_340)])
def test_currencies_of_no_and_of_three_decimals_are_charged_refunded_and_booked_exactly(server, currency, minor):
    payment = started(server, minor, currency)
    assert server.sessions[payment.reference]["amount_total"] == minor
    server.pay(payment.reference)
    hear(server)
    assert [(one.amount_minor, one.currency) for one in Unmatched.objects.all()] == [(minor, currency)]
    driver = gateway("stripe")
    driver.refund(rows.a_refund(payment, 40, payment.reference))
    lines = [line for line in driver.movements(clock.today()) if line.kind != MovementKind.FEE]
    assert [(line.amount_minor, line.currency) for line in lines] == [(-40, currency), (minor, currency)]
    if currency == "KWD":
        refused = rows.a_refund(payment, 45, payment.reference)
        assert driver.refund(refused) == f"refused-{refused.key}"
        with pytest.raises(stripe_amounts.NotWritable):
            driver.start(rows.a_payment("stripe", 12_345, "KWD"))


def test_a_price_stripe_does_not_take_is_refused_before_anybody_is_bound(server, settings):
    settings.STRIPE_CURRENCIES = ["HKD", "JPY", "KWD"]
    listing, buyer = trading.make_listed(factories.make_verified()), factories.make_verified("A Buyer Limited")
    for price_minor, currency, code in (
        (399, "HKD", "amount_too_small"),
        (49, "JPY", "amount_too_small"),
        (100_000_000, "HKD", "amount_too_large"),
        (12_345, "KWD", "amount_not_taken"),
        (12_345, "EUR", "currency_not_taken"),
    ):
        offer = trading.make_offer(listing, price_minor=price_minor, currency=currency)
        whole = pricing.priced(offer, None)
        told = [one["code"] for one in buying.reasons_against_proposal(offer, buyer, whole, by=buyer.created_by)]
        assert told == [code]
        with pytest.raises(Invalid) as refusal:
            trades.propose(offer, buyer=buyer, by=buyer.created_by)
        assert refusal.value.code == code and refusal.value.next
    assert not Trade.objects.exists() and server.asked == []


def test_a_lost_contest_of_a_delivered_trade_gives_the_money_back_to_its_payer(server):
    deal = make_deal(price_minor=10_000)
    server.pay(deal.payment.reference)
    work(server)
    assert deal.state == TradeState.DELIVERED and len(server.sessions) == 1
    server.contest(deal.payment.reference)
    hear(server)
    assert deal.reload().is_frozen
    server.decide(deal.payment.reference, is_lost=True)
    hear(server)
    assert deal.state == TradeState.REFUNDED
    assert ledger.balance(ledger.outside("stripe", "HKD")) == 0 == ledger.balance(ledger.escrow(deal.trade))


def test_a_server_that_is_down_or_refuses_our_key_moves_nothing_and_names_no_secret(server, settings, caplog):
    caplog.set_level("DEBUG")
    payment = rows.a_payment("stripe")
    server.is_down = True
    tasks.start_payments()
    server.is_down = False
    settings.STRIPE_SECRET_KEY = KEY + "x"
    Payment.objects.update(next_try_at=clock.now())
    tasks.start_payments()
    payment.refresh_from_db()
    assert payment.state == PaymentState.REQUESTED and payment.tries == 2
    assert payment.error.startswith("TryLater: Stripe: AuthenticationError")
    settings.WEBHOOK_LOOPBACK = False  # no address but a public one is called
    with pytest.raises(TryLater):
        gateway("stripe").start(payment)
    assert not server.sessions and not Transfer.objects.exists()
    assert KEY not in caplog.text + payment.error and SECRET not in caplog.text
    settings.WEBHOOK_LOOPBACK, settings.STRIPE_SECRET_KEY = True, KEY
    payment.currency = "THB"
    with pytest.raises(Declined):
        gateway("stripe").start(payment)


def test_the_api_is_asked_at_the_version_this_sdk_was_made_for(server):
    assert stripe.api_version == API_VERSION
    started(server)
    assert {headers["stripe-version"] for _way, _path, _params, headers in server.asked} == {API_VERSION}


@pytest.mark.parametrize(
    ("key", "signing", "currencies", "is_debug", "found"),
    [
        (KEY, [SECRET], ["HKD"], True, set()),
        ("", [], [], True, set()),
        (KEY, [], [], True, {"settlement.E004"}),
        ("", [SECRET], [], True, {"settlement.E004"}),
        ("pk_live_1", [SECRET], [], True, {"settlement.E005"}),
        (KEY, ["secret"], [], True, {"settlement.E006"}),
        (KEY, [SECRET], [], False, {"settlement.E007"}),
        (KEY, [SECRET], ["XXX"], True, {"settlement.E008"}),
    ],
)
def test_keys_that_are_set_half_or_wrong_are_refused_at_the_start(settings, key, signing, currencies, is_debug, found):
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRETS = key, signing
    settings.STRIPE_CURRENCIES, settings.DEBUG = currencies, is_debug
    assert {error.id for error in checks.run_checks() if str(error.id).startswith("settlement.")} == found


def test_an_account_at_stripe_is_named_as_stripe_names_it():
    assert gateway("stripe").check_account(PAYEE) == PAYEE
    for wrong in ("acct_", "cus_12345678", "acct_1234567é", "GB29NWBK60161331926819"):
        with pytest.raises(Invalid) as refusal:
            gateway("stripe").check_account(wrong)
        assert refusal.value.code == "wrong_account"
