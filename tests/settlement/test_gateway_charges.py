"""What Stripe keeps for taking a payment, and who bears it: the exchange, or by the fee schedule the trade's seller."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from marketplace import clock
from marketplace.models import Event
from settlement import clearing_preview, fees, gateway_charges, ledger, payments, statements, tasks, trades
from settlement.models import FeeSchedule, Payout, Statement
from settlement.movements import moved_since
from settlement.states import TradeState
from tests import factories, trading
from tests.contracts.stripe_world import configure_stripe
from tests.races import together
from tests.settlement.test_reserves import agreed
from tests.stripe_server import StripeServer

PRICE_MINOR = 100_000
FEE_MINOR = 2_500  # of the exchange
CHARGE_MINOR = 3_400  # of Stripe, as the server on this machine takes it
DAY = dt.timedelta(days=1)


@pytest.fixture
def server(settings):
    settings.GATEWAYS = settings.GATEWAYS | {"stripe": "settlement.gateways.stripe.Stripe"}
    settings.DEFAULT_GATEWAY = "stripe"
    settings.CLOCK_MAY_MOVE = True
    with StripeServer() as running:
        configure_stripe(settings, running)
        yield running


def hear(server: StripeServer) -> None:
    for body, headers in server.news():
        payments.note("stripe", body, headers)
    tasks.read_notices()
    trading.work()


def the_seller_bears() -> FeeSchedule:
    """A schedule for every trade, in force from tomorrow."""
    first, second = factories.make_staff("clearing"), factories.make_staff("clearing")
    asked = fees.ask(
        basis_points=250,
        begins_on=clock.today() + DAY,
        seller_bears_charges=True,
        reason="Cards cost.",
        by=first,
    )
    return fees.confirm(asked, by=second)


def delivered(server: StripeServer) -> trading.Deal:
    deal = trading.propose(trading.make_offer(price_minor=PRICE_MINOR), buyer=trading.make_verified("A Card Limited"))
    trading.work()
    server.pay(deal.payment.reference)
    hear(server)
    assert deal.state == TradeState.DELIVERED
    return deal


def books() -> tuple[int, int]:
    """What the exchange bears, and what the seller of the one trade there is owes."""
    seller = trading.Trade.objects.get().seller
    costs = ledger.balance(ledger.costs("stripe", "HKD"))
    return costs, ledger.balance(ledger.receivable(seller, "HKD"))


@pytest.mark.django_db
def test_by_the_schedule_the_seller_bears_the_charge_of_an_accepted_trade_once(server):
    schedule = the_seller_bears()
    with clock.moved_to(schedule.valid_from + DAY):
        deal = delivered(server)
    with clock.moved_to(schedule.valid_from + 2 * DAY):
        tasks.reconcile_books()
        assert books() == (-CHARGE_MINOR, 0)  # the buyer may yet object, and all go back
        trades.accept(deal.trade, by=deal.buyer)
    with clock.moved_to(schedule.valid_from + 3 * DAY):
        tasks.reconcile_books()
        tasks.reconcile_books()
        assert books() == (0, -CHARGE_MINOR)
    with clock.moved_to(schedule.valid_from + 4 * DAY):
        trading.clear_now()
        tasks.issue_statements()
        tasks.reconcile_books()
    told = Event.objects.get(kind="gateway_charge.passed_on")
    assert (told.facts["trade"], told.facts["amount_minor"]) == (deal.trade.pk, CHARGE_MINOR)
    statement = Statement.objects.get()
    assert statement.recovered_minor == CHARGE_MINOR and books() == (0, 0)
    assert Payout.objects.get().amount_minor == PRICE_MINOR - FEE_MINOR - CHARGE_MINOR
    [moved] = moved_since([statement])[statement.pk].movements
    number = deal.trade.register_number
    assert (moved.kind, moved.reference, moved.amount_minor) == ("gateway_charge", number, -CHARGE_MINOR)
    assert gateway_charges.borne_minor(deal.trade) == CHARGE_MINOR
    assert number in statements.as_csv(statement).decode()
    client = Client()
    client.force_login(statement.organisation.created_by)
    for language, words in [
        ("en", "Charge of the payment gateway"),
        ("zh-hans", "支付渠道手续费"),
        ("zh-hant", "付款渠道手續費"),
    ]:
        page = client.get(reverse("statement", args=[statement.pk]), headers={"Accept-Language": language})
        assert words in page.content.decode(), language
        page = client.get(deal.trade.get_absolute_url(), headers={"Accept-Language": language})
        assert words in page.content.decode(), language
    assert statement.paper.record["movements"][0]["kind"] == "gateway_charge"
    assert client.get(reverse("paper_pdf", args=[statement.paper.number, "zh-hant"])).status_code == 200


@pytest.mark.django_db
def test_without_such_a_schedule_and_for_what_is_refunded_the_exchange_bears_it(server):
    deal = delivered(server)
    trades.accept(deal.trade, by=deal.buyer)
    with clock.moved_to(clock.now() + DAY):
        tasks.reconcile_books()
    assert books() == (-CHARGE_MINOR, 0)


@pytest.mark.django_db
def test_what_a_refunded_trade_cost_is_not_its_sellers(server):
    schedule = the_seller_bears()
    with clock.moved_to(schedule.valid_from + DAY):
        deal = delivered(server)
        dispute = trades.dispute(deal.trade, reason="The file is empty.", by=deal.buyer)
        staff = factories.make_staff("disputes")
        trades.resolve(dispute, refund_minor=PRICE_MINOR, resolution="It is empty indeed.", by=staff)
        trading.work()
        assert deal.state == TradeState.REFUNDED
    with clock.moved_to(schedule.valid_from + 2 * DAY):
        tasks.reconcile_books()
    assert books() == (-CHARGE_MINOR, 0)


@pytest.mark.django_db
def test_what_a_second_payment_cost_is_not_its_sellers(server):
    schedule = the_seller_bears()
    with clock.moved_to(schedule.valid_from + DAY):
        deal = trading.propose(trading.make_offer(price_minor=PRICE_MINOR), buyer=trading.make_verified("A Buyer"))
        trading.work()
        first = deal.payment
        server.fail(first.reference)
        hear(server)
        second = trades.pay_again(deal.trade, by=deal.buyer)
        trading.work()
        server.pay(server.session_of(second.key))
        server.arrive(first.reference)  # it came after all
        hear(server)
        trades.accept(deal.trade, by=deal.buyer)
    with clock.moved_to(schedule.valid_from + 2 * DAY):
        tasks.reconcile_books()
    assert books() == (-CHARGE_MINOR, -CHARGE_MINOR)
    assert gateway_charges.borne_minor(deal.trade) == CHARGE_MINOR


@pytest.mark.django_db(transaction=True)
def test_two_workers_pass_a_charge_on_once(server):
    schedule = the_seller_bears()
    with clock.moved_to(schedule.valid_from + DAY):
        deal = delivered(server)
    with clock.moved_to(schedule.valid_from + 2 * DAY):
        tasks.reconcile_books()
    trades.accept(deal.trade, by=deal.buyer)
    assert together([lambda: gateway_charges.book("stripe")] * 2) == ["done"] * 2
    assert books() == (0, -CHARGE_MINOR)


@pytest.mark.django_db
@pytest.mark.parametrize("kept", [3_000, 200], ids=["more than it owes", "less"])
def test_what_is_still_owed_is_taken_off_what_is_released_of_a_reserve(server, kept):
    schedule = the_seller_bears()
    with clock.moved_to(schedule.valid_from + DAY):
        deal = delivered(server)
        agreed((factories.make_staff("clearing"), factories.make_staff("clearing")), deal.trade.seller, kept)
        trades.accept(deal.trade, by=deal.buyer)
        trading.clear_now()
    in_reserve = (PRICE_MINOR - FEE_MINOR) * kept // 10_000
    with clock.moved_to(schedule.valid_from + 3 * DAY):
        tasks.reconcile_books()  # the charge is known now, and the seller sells no more
        assert books() == (0, -CHARGE_MINOR)
    with clock.moved_to(schedule.valid_from + 40 * DAY):
        cycle = trading.close_now()
        [shown] = clearing_preview.of_cycle(cycle, left_out_shown=0).by_member
        cycle = trades.clear(cycle)
    stated = Statement.objects.get(cycle=cycle)
    taken = min(CHARGE_MINOR, in_reserve)
    assert (stated.recovered_minor, stated.released_minor, stated.net_minor) == (taken, in_reserve, in_reserve - taken)
    assert (shown.recovered_minor, shown.net.minor) == (stated.recovered_minor, stated.net_minor)
    paid = list(Payout.objects.filter(cycle=cycle).values_list("kind", "amount_minor"))
    assert paid == ([("reserve", stated.net_minor)] if stated.net_minor else [])
    assert books() == (0, taken - CHARGE_MINOR) and ledger.reconcile() == []
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
