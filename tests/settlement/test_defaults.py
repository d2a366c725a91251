"""Who lets a trade wait is reminded, once, before the deadline; who never pays takes no further offer for a while."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from listings import pricing
from marketplace import clock, journal
from marketplace.errors import RoleNeeded, WrongState
from marketplace.models import Notification
from settlement import buying, defaults, tasks, timeline, trades
from settlement.models import Excuse, Reminder, Trade
from settlement.states import TradeState
from tests import factories, trading

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path):
    settings.STORAGE_DIR = tmp_path / "storage"


def reminded(deal):
    """The kinds of reminders its two parties read, and which steps the trade's page shows."""
    while journal.seal():
        pass
    journal.follow()
    kinds = Notification.objects.filter(kind__endswith="_soon").order_by("pk").values_list("kind", "organisation")
    return [(kind, "buyer" if organisation == deal.trade.buyer_id else "seller") for kind, organisation in kinds]


def test_each_party_is_reminded_once_two_days_before_its_deadline():
    deal = trading.propose(trading.make_offer(audience="on_request"))
    waits = {"proposed": "agree_until", "registered": "fund_until", "delivered": "inspect_until"}
    walks = {
        "registered": lambda: (trades.agree(deal.trade, by=deal.seller), trading.work()),
        "delivered": lambda: trading.pay(deal),
    }
    for state, until in waits.items():
        if state in walks:
            walks[state]()
        assert deal.state == state
        end = getattr(deal.trade, until)
        for before, number in ((3, 0), (1.9, 1), (1, 1)):
            with clock.moved_to(end - before * DAY):
                tasks.remind_parties()
                assert Reminder.objects.filter(wait=state).count() == number, f"{before} days before the end"
        reminded(deal)
    assert list(Reminder.objects.order_by("pk").values_list("wait", "until")) == [
        (state, getattr(deal.trade, until)) for state, until in waits.items()
    ]
    assert reminded(deal) == [
        ("trade.answer_soon", "seller"), ("trade.pay_soon", "buyer"), ("trade.inspect_soon", "buyer"),
    ]  # fmt: skip
    said = [step.text for step in timeline.steps(deal.trade) if step.kind == "trade.reminded"]
    assert said == ["The exchange reminded whom it waited for."] * 3


def test_what_was_done_meanwhile_and_what_has_just_begun_reminds_nobody(settings):
    settings.FUND_WITHIN_DAYS = 1
    deal = trading.propose()
    trading.work()
    tasks.remind_parties()
    assert not Reminder.objects.exists(), "it was told of the wait today"
    with clock.moved_to(deal.reload().inspect_until or deal.trade.fund_until + DAY):
        tasks.remind_parties()
    assert not Reminder.objects.exists(), "the deadline has passed"
    other = trading.propose(trading.make_offer(audience="on_request"))
    with clock.moved_to(other.trade.agree_until - DAY):
        tasks.remind_parties()
        trades.decline(other.trade, reason="No.", by=other.seller)
        assert reminded(other) == []


def test_the_database_keeps_one_reminder_of_a_wait_and_none_is_changed():
    deal = trading.propose()
    said = {"trade": deal.trade, "wait": "registered", "until": clock.now()}
    Reminder.objects.create(**said)
    with pytest.raises(IntegrityError, match="reminded_once_of_a_wait"), transaction.atomic():
        Reminder.objects.create(**said)
    with pytest.raises(Exception, match="Cannot update"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE settlement_reminder SET wait = 'proposed'")


def test_who_lets_three_trades_expire_unpaid_takes_no_priced_offer_until_the_first_is_ninety_days_ago(settings):
    offer, buyer = trading.make_offer(), trading.make_verified()
    free = trading.make_offer(offer.listing, price_minor=0)
    started = clock.now()
    for day in (0, 10, 20):
        with clock.moved_to(started + day * DAY):
            deal = trading.propose(offer, buyer=buyer)
            trading.work()
        with clock.moved_to(started + (day + 8) * DAY):
            tasks.expire_trades()
        assert deal.state == TradeState.EXPIRED
    first = Trade.objects.filter(buyer=buyer).earliest("pk").ended_at + settings.UNPAID_DAYS * DAY
    with clock.moved_to(started + 40 * DAY):
        with pytest.raises(defaults.TooManyUnpaid) as refusal:
            trading.propose(offer, buyer=buyer)
        assert (refusal.value.code, refusal.value.status) == ("too_many_unpaid", 403)
        assert Trade.objects.filter(buyer=buyer).count() == 3
        told = buying.reasons_against_proposal(offer, buyer, pricing.priced(offer, None), by=buyer.created_by)
        assert [one["code"] for one in told] == ["too_many_unpaid"]
        assert buying.reasons_against_proposal(free, buyer, pricing.priced(free, None), by=buyer.created_by) == []
        assert defaults.barred_until(buyer) == first
        assert defaults.barred_until(factories.make_verified()) is None
        settings.UNPAID_LIMIT = 0
        assert defaults.barred_until(buyer) is None
        settings.UNPAID_LIMIT = 3
    with clock.moved_to(first + DAY):
        assert trading.propose(offer, buyer=buyer).state == TradeState.AGREED


def expired_unpaid() -> trading.Deal:
    deal = trading.propose()
    trading.work()
    with clock.moved_to(deal.reload().fund_until + DAY):
        tasks.expire_trades()
    assert deal.reload().state == TradeState.EXPIRED
    return deal


def test_the_exchange_excuses_a_default_once_with_a_reason_and_the_buyer_takes_offers_again(settings):
    settings.UNPAID_LIMIT = 1
    deal, officer = expired_unpaid(), factories.make_staff("disputes")
    buyer, client = deal.trade.buyer, Client()
    client.force_login(officer)
    page = reverse("desk_trade", args=[deal.trade.public_id])
    with clock.moved_to(deal.trade.ended_at + DAY):
        assert defaults.barred_until(buyer)
        with pytest.raises(RoleNeeded):
            defaults.excuse(deal.trade, reason="The bank was closed.", by=factories.make_staff("clearing"))
        shown = client.get(page).content.decode()
        key = re.search(r'name="key" value="([^"]+)"', shown.partition("Excuse the default")[2])
        said = {"act": "excuse_default", "reason": "The bank was closed.", "key": key[1]}
        for _again in range(2):
            assert client.post(f"{page}act/", said).status_code == 302
        excused = Excuse.objects.get(trade=deal.trade)
        assert (excused.by, excused.reason, defaults.barred_until(buyer)) == (officer, "The bank was closed.", None)
        with pytest.raises(WrongState):
            defaults.excuse(deal.trade, reason="Again.", by=officer)
        told = client.get(page).content.decode()
        assert "The exchange excused that it was not paid." in told and 'value="excuse_default"' not in told
        assert trading.propose(buyer=buyer).state == TradeState.AGREED


def test_the_database_excuses_nothing_but_what_expired_unpaid():
    deal = trading.propose()
    officer = factories.make_staff("payments")
    with pytest.raises(WrongState):
        defaults.excuse(deal.trade, reason="Kindness.", by=officer)
    with pytest.raises(IntegrityError, match="did not expire unpaid"), transaction.atomic():
        Excuse.objects.create(trade=deal.trade, reason="Kindness.", by=officer)
    expired = expired_unpaid()
    with pytest.raises(IntegrityError, match="excuse_has_a_reason"), transaction.atomic():
        Excuse.objects.create(trade=expired.trade, reason="", by=officer)
