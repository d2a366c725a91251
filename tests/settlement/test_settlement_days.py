"""On which day a trade is cleared and paid: T+1 within a country, T+5 across a border, by the working days."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse

from marketplace import clock, working_time
from settlement import clearing, clearing_preview, tasks, trades, waits
from settlement.models import ClearingCycle, Trade
from settlement.states import TradeState
from tests import factories, trading

pytestmark = pytest.mark.django_db

SHANGHAI = ZoneInfo("Asia/Shanghai")


def plain_friday() -> dt.date:
    """The next Friday but one that is followed by a week without holidays."""
    day = clock.today() + dt.timedelta(days=7 + (4 - clock.today().weekday()) % 7)
    while any(
        working_time.is_working(one) != (one.weekday() < working_time.SATURDAY)
        for one in (day + dt.timedelta(days=number) for number in range(12))
    ):
        day += dt.timedelta(days=7)
    return day


@pytest.fixture(autouse=True)
def as_in_production(settings, tmp_path):
    settings.STORAGE_DIR = tmp_path / "storage"
    settings.CLOCK_MAY_MOVE = True
    settings.SETTLE_AFTER_DAYS, settings.SETTLE_ABROAD_AFTER_DAYS = 1, 5
    settings.TIME_ZONE, settings.CLEARING_CUT_OFF_HOUR, settings.CLEARING_EVERY_SECONDS = "Asia/Shanghai", 16, 0


def at(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour, minute), SHANGHAI)


def accepted(when: dt.datetime, *, country: str = "HK", price_minor: int = 100_000) -> trading.Deal:
    """A trade of a seller of Hong Kong, accepted at this moment by a buyer of this country."""
    buyer = trading.make_verified(country=country)
    with clock.moved_to(when):
        deal = trading.propose(trading.make_offer(price_minor=price_minor), buyer=buyer)
        trading.work()
        if price_minor:
            trading.pay(deal)
        trades.accept(deal.reload(), by=deal.buyer)
    return deal


@pytest.fixture
def friday() -> dt.date:
    return plain_friday()


@pytest.fixture
def monday(friday: dt.date) -> dt.date:
    return friday + dt.timedelta(days=3)


@pytest.mark.parametrize(
    ("accepted_on", "days", "day"),
    [
        ("2026-11-20", 1, "2026-11-23"),  # a Friday
        ("2026-11-21", 1, "2026-11-23"),  # its Saturday
        ("2026-11-20", 5, "2026-11-27"),
        ("2026-09-30", 1, "2026-10-08"),  # over the National Day
        ("2026-10-09", 1, "2026-10-10"),  # a Saturday that is worked in its stead
        ("2026-11-21", 0, "2026-11-21"),
    ],
)
def test_working_days_are_counted_over_weekends_and_holidays(accepted_on, days, day):
    assert working_time.days_after(dt.date.fromisoformat(accepted_on), days) == dt.date.fromisoformat(day)


def test_a_trade_of_one_country_is_paid_on_the_next_working_day_and_one_abroad_on_the_fifth(friday, monday):
    within, evening, abroad, free = (
        accepted(at(friday, 9)),
        accepted(at(friday, 17)),
        accepted(at(friday, 9), country="CN"),
        accepted(at(friday, 9), country="CN", price_minor=0),
    )
    cycles: dict[dt.date, set[int]] = {}
    with clock.moved_to(at(friday, 8)):
        clearing.open_cycles()
    for number in range(8):
        day = friday + dt.timedelta(days=number)
        with clock.moved_to(at(day, 16)):
            tasks.clear_cycles()
            for cycle in ClearingCycle.objects.filter(closed_at__gte=at(day, 16)):
                cycles[day] = set(cycle.trades.values_list("pk", flat=True))
    assert cycles == {
        friday: {free.trade.pk},
        monday: {within.trade.pk, evening.trade.pk},
        friday + dt.timedelta(days=7): {abroad.trade.pk},
    }


def test_staff_who_close_early_clear_what_settles_on_that_day(friday, monday):
    first, second = accepted(at(friday, 9)), accepted(at(monday, 9))
    with clock.moved_to(at(monday, 10)):
        officer = factories.make_staff("clearing")
        client = Client(headers={"accept-language": "en"})
        client.force_login(officer)
        clearing.open_cycles()
        [coming] = clearing_preview.coming()
        assert (coming.currency, coming.count, coming.moves.minor, coming.later) == ("HKD", 1, 100_000, 1)
        for page in ("desk_clearing", "desk_clearing_preview"):
            assert "1 trade settles on a later day." in client.get(reverse(page)).content.decode()
        cycle = trading.close_now(by=officer)
        assert list(cycle.trades.all()) == [first.trade] and second.reload().cycle is None


def test_the_trade_says_by_when_it_is_paid(monday):
    within, abroad = accepted(at(monday, 9)), accepted(at(monday, 9), country="CN")
    with clock.moved_to(at(monday, 10)):
        clearing.open_cycles()
        waiting = waits.of_many(Trade.objects.filter(state=TradeState.ACCEPTED))
    assert waiting[within.trade.pk].until == at(monday + dt.timedelta(days=1), 16)
    assert waiting[abroad.trade.pk].until == at(monday + dt.timedelta(days=7), 16)
    assert waiting[abroad.trade.pk].text == "The clearing of the settlement day pays the seller."


def test_an_exchange_that_is_tried_out_pays_the_same_day(settings, monday):
    settings.SETTLE_AFTER_DAYS = settings.SETTLE_ABROAD_AFTER_DAYS = 0
    deal = accepted(at(monday, 9), country="CN")
    with clock.moved_to(at(monday, 16)):
        assert list(clearing.ripe(clock.now())) == [deal.trade]
        assert clearing.settlement_days([deal.trade]) == {}
    settings.SETTLE_ABROAD_AFTER_DAYS, settings.CLEARING_EVERY_SECONDS = 5, 60
    with clock.moved_to(at(monday, 16)):
        assert list(clearing.ripe(clock.now())) == [deal.trade]
