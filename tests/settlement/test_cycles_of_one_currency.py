"""A clearing cycle is of one currency: what one currency waits for, no other waits for."""

from __future__ import annotations

import datetime as dt
import importlib

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from compliance import holds
from marketplace import clock
from marketplace.errors import WrongState
from settlement import clearing, clearing_preview, tasks, trades, waits
from settlement.models import Break, ClearingCycle, Payout, Reconciliation, Reserve, ReserveTerms, Statement, Trade
from settlement.states import CycleState, TradeState
from tests import factories, trading
from tests.races import together

pytestmark = pytest.mark.django_db

migration = importlib.import_module("settlement.migrations.0040_cycles_of_one_currency")


def accepted(currency: str, **offer: object) -> trading.Deal:
    return trading.make_trade(TradeState.ACCEPTED, currency=currency, **offer)


def a_break(currency: str) -> Break:
    run = Reconciliation.objects.create(
        gateway="sandbox", currency=currency, day=clock.today(), ledger_minor=0, ledger_lines=0, gateway_minor=1,
        gateway_lines=1, records_minor=0, records_lines=0, compared=1, in_transit=0, found=1, resolved=0,
        digest="0" * 64,
    )  # fmt: skip
    return Break.objects.create(
        found_by=run,
        gateway="sandbox",
        currency=currency,
        kind=Break.Kind.ONLY_AT_GATEWAY,
        cause="interest",
        ledger_minor=0,
        gateway_minor=1,
        records_minor=0,
    )


def test_each_currency_has_a_cycle_of_its_own_and_takes_no_trade_of_another():
    yuan, dollars = accepted("CNY"), accepted("HKD")
    tasks.clear_cycles()
    assert sorted(clearing.opened().values_list("currency", flat=True)) == ["CNY", "HKD"]
    assert sorted(ClearingCycle.objects.values_list("number", flat=True)) == [1, 2]
    cycle = clearing.close(clearing.open_cycle("CNY"), by=factories.make_staff("clearing"))
    assert (str(cycle), list(cycle.trades.all())) == (f"{cycle.number} · CNY", [yuan.trade])
    assert dollars.reload().cycle is None
    trades.clear(cycle)
    assert (yuan.state, dollars.state) == (TradeState.CLEARED, TradeState.ACCEPTED)
    assert {one.currency for one in (*Statement.objects.all(), *Payout.objects.all())} == {"CNY"}
    trading.cut_off_now()
    assert dollars.state == TradeState.CLEARED
    assert {one.currency: one.cycle.currency for one in Statement.objects.select_related("cycle")} == {
        "CNY": "CNY",
        "HKD": "HKD",
    }


def test_a_break_in_one_currency_keeps_no_other_from_being_released():
    yuan, dollars = accepted("CNY"), accepted("HKD")
    a_break("CNY")
    trading.cut_off_now()
    assert (yuan.state, dollars.state) == (TradeState.ACCEPTED, TradeState.CLEARED)
    assert list(ClearingCycle.objects.values_list("currency", "state").order_by("currency", "number")) == [
        ("CNY", CycleState.CLOSED),
        ("CNY", CycleState.OPEN),
        ("HKD", CycleState.RELEASED),
        ("HKD", CycleState.OPEN),
    ]


@pytest.mark.parametrize("step", ["close", "clear"])
def test_a_fault_in_one_currency_keeps_no_other_from_being_cleared(monkeypatch, step):
    yuan, dollars = accepted("CNY"), accepted("HKD")
    module = clearing if step == "close" else trades
    command = getattr(module, step)

    def broken(cycle: ClearingCycle) -> ClearingCycle:
        if cycle.currency == "CNY":
            raise DatabaseError("a fault of ours")
        return command(cycle)

    monkeypatch.setattr(module, step, broken)
    trading.cut_off_now()
    assert (yuan.state, dollars.state) == (TradeState.ACCEPTED, TradeState.CLEARED)


def test_two_people_are_asked_by_the_days_sum_of_its_currency_alone(settings):
    settings.CLEARING_LIMIT_MINOR = 200_000
    officer = factories.make_staff("clearing")
    for currency in ("CNY", "HKD"):
        accepted(currency)  # of 125,000 each
        assert not clearing.would_need_two_people(currency)
        clearing.close(clearing.open_cycle(currency), by=officer)
    accepted("CNY")
    assert clearing.would_need_two_people("CNY") and not clearing.would_need_two_people("HKD")
    late = clearing.close(clearing.open_cycle("CNY"), by=officer)
    closed = ClearingCycle.objects.filter(state=CycleState.CLOSED)
    assert [one for one in closed if clearing.needs_two_people(one)] == [late]


def test_a_cycle_with_nothing_to_clear_stays_open_until_the_next_cut_off():
    deal = accepted("HKD")
    tasks.clear_cycles()
    cycle = clearing.open_cycle("HKD")
    Trade.objects.filter(pk=deal.trade.pk).update(is_frozen=True)
    with clock.moved_to(cycle.cut_off_at):
        tasks.clear_cycles()
        moved = clearing.open_cycle("HKD")
        assert moved == cycle and moved.cut_off_at > clock.now()
        with pytest.raises(WrongState) as refusal:
            clearing.close(moved, by=factories.make_staff("clearing"))
        assert refusal.value.code == "nothing_to_clear" and refusal.value.next
        Trade.objects.filter(pk=deal.trade.pk).update(is_frozen=False)
    with clock.moved_to(moved.cut_off_at):
        tasks.clear_cycles()
    assert deal.reload().cycle == cycle and deal.state == TradeState.CLEARED


def test_a_cycle_whose_trades_are_all_held_stays_open_and_takes_them_once_one_is_not():
    deal, other = accepted("HKD"), accepted("HKD")
    officer = factories.make_staff("clearing")
    told = {"reason_code": "complaint", "reason": "Looked into.", "by": factories.make_staff("disputes")}
    lying = [holds.place("trade", one.trade.pk, **told) for one in (deal, other)]
    with pytest.raises(WrongState) as refusal:
        clearing.close(clearing.open_cycle("HKD"), by=officer)
    assert refusal.value.code == "nothing_to_clear"
    with clock.moved_to(clearing.open_cycle("HKD").cut_off_at):
        tasks.clear_cycles()
    assert [deal.reload().cycle, other.reload().cycle] == [None, None]
    assert list(ClearingCycle.objects.values_list("state", flat=True)) == [CycleState.OPEN]
    holds.lift(lying[0], reason="It was right.", by=factories.make_staff("disputes"))
    trading.clear_now()
    assert (deal.state, other.state, other.reload().cycle) == (TradeState.SETTLED, TradeState.ACCEPTED, None)


def test_a_trade_says_when_it_is_cleared_before_any_cycle_of_its_currency_is_open():
    deal = accepted("JPY")
    assert not ClearingCycle.objects.exists()
    before = waits.of(deal.reload()).until
    tasks.clear_cycles()
    until = waits.of(deal.trade).until
    assert before and until == clearing.open_cycle("JPY").cut_off_at
    assert abs(until - before) < dt.timedelta(minutes=1)


# --- what the database refuses ---------------------------------------------------------------------------------------


def test_the_database_keeps_a_cycle_to_one_currency():
    deal, other = accepted("CNY"), accepted("HKD")
    yuan, dollars = clearing.open_cycle("CNY"), clearing.open_cycle("HKD")
    facts = {"organisation": deal.trade.seller, "currency": "CNY", "cycle": dollars}
    nothing = {"gross_minor": 0, "fee_minor": 0, "net_minor": 0}
    balance = {"opening_minor": 0, "other_minor": 0, "closing_minor": 0, "last_transfer": 0}
    agreed = {"begins_on": clock.today(), "basis_points": 100, "days": 30, "reason": "A reason."}
    terms = ReserveTerms.objects.create(organisation=deal.trade.seller, asked_by=deal.seller, **agreed)
    ReserveTerms.objects.filter(pk=terms.pk).update(
        confirmed_by=factories.make_staff("clearing"), confirmed_at=clock.now()
    )
    kept = {"terms": terms, "amount_minor": 5, "release_on": clock.today() + dt.timedelta(days=30)}
    trade = Trade.objects.filter(pk=deal.trade.pk)
    for write, why in (
        (lambda: trade.update(cycle=dollars), "is not open to a trade in CNY"),
        (lambda: Statement.objects.create(**facts, **nothing, **balance), f"cycle {dollars.pk} is not of CNY"),
        (lambda: Payout.objects.create(**facts, kind="reserve", key="x", amount_minor=1), "is not of CNY"),
        (lambda: Reserve.objects.create(**facts, **kept), f"cycle {dollars.pk} is not of CNY"),
        (lambda: ClearingCycle.objects.filter(pk=yuan.pk).update(currency="HKD"), "Cannot update"),
        (lambda: _opened("CNY"), "one_open_cycle_of_a_currency"),
        (lambda: _opened(""), "cycle_has_a_currency_until_it_is_released"),
    ):
        with pytest.raises(DatabaseError, match=why), transaction.atomic():
            write()
    cycle = clearing.close(dollars, by=factories.make_staff("clearing"))
    assert list(cycle.trades.all()) == [other.trade]
    late = accepted("HKD")
    with pytest.raises(IntegrityError, match="is not open to a trade in HKD"), transaction.atomic():
        Trade.objects.filter(pk=late.trade.pk).update(cycle=cycle)


def _opened(currency: str) -> ClearingCycle:
    return ClearingCycle.objects.create(number=99, currency=currency, cut_off_at=clock.now())


# --- races -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("currencies", [("CNY", "CNY"), ("CNY", "HKD")], ids=" and ".join)
def test_two_workers_that_open_cycles_at_once_open_one_of_each_currency(currencies):
    opening = [lambda currency=currency: clearing.open_cycle(currency) for currency in currencies]
    assert together(opening) == ["done"] * 2
    cycles = ClearingCycle.objects.order_by("number")
    assert [cycle.number for cycle in cycles] == [*range(1, len(set(currencies)) + 1)]
    assert sorted(cycle.currency for cycle in cycles) == sorted(set(currencies))


@pytest.mark.django_db(transaction=True)
def test_two_workers_clear_two_currencies_once():
    deals = [accepted("CNY"), accepted("HKD")]
    tasks.clear_cycles()
    clearing.opened().update(cut_off_at=clock.now())
    assert together([tasks.clear_cycles] * 2) == ["done"] * 2
    assert [deal.state for deal in deals] == [TradeState.CLEARED] * 2
    assert sorted(ClearingCycle.objects.values_list("currency", "state")) == [
        ("CNY", "open"), ("CNY", "released"), ("HKD", "open"), ("HKD", "released"),
    ]  # fmt: skip


# --- the desk --------------------------------------------------------------------------------------------------------


def test_the_desk_shows_what_waits_by_currency_and_closes_one_alone():
    yuan, dollars = accepted("CNY"), accepted("HKD")
    officer = factories.make_staff("clearing")
    client = Client(headers={"accept-language": "en"})
    client.force_login(officer)
    url = reverse("desk_clearing_preview")
    assert "opened; look again" in client.get(f"{url}?show=CNY").content.decode()
    clearing.open_cycles()
    desk = client.get(reverse("desk_clearing")).content.decode()
    assert "Preview CNY" in desk and "Preview HKD" in desk and desk.count("CNY 1,250.00") == 2  # and what escrow holds
    page = client.get(f"{url}?show=CNY").content.decode()
    assert "CNY 1,250.00" in page and "HKD 1,250.00" not in page
    cycle = clearing.open_cycle("CNY")
    client.post(reverse("desk_clearing_close"), {"act": "close", "cycle": cycle.number, "key": "k" * 24})
    assert (yuan.reload().cycle, dollars.reload().cycle) == (cycle, None)
    assert f"Cycle {cycle.number} · CNY" in client.get(reverse("desk_cycle", args=[cycle.number])).content.decode()
    clearing.open_cycles()
    page = client.get(f"{url}?show=CNY").content.decode()
    assert "Nothing in CNY is to be cleared today." in page and "elow the limit" not in page
    desk = client.get(reverse("desk_clearing")).content.decode()
    assert "Preview CNY" not in desk and "Preview HKD" in desk and f'{url}?show=CNY">CNY</a>' in desk
    assert [(one.currency, one.count) for one in clearing_preview.coming()] == [("CNY", 0), ("HKD", 1)]


def test_an_exchange_without_trades_has_nothing_to_preview():
    client = Client(headers={"accept-language": "en"})
    client.force_login(factories.make_staff("clearing"))
    for page in ("desk_clearing", "desk_clearing_preview"):
        assert "No accepted trade waits." in client.get(reverse(page)).content.decode()


# --- cycles of before ------------------------------------------------------------------------------------------------


def test_cycles_of_before_get_the_currency_of_what_is_in_them():
    """What migration 0040 does, on tables without what it adds."""
    released = [trading.make_trade(TradeState.CLEARED, currency=currency) for currency in ("CNY", "HKD")]
    pure = trading.make_trade(TradeState.CLEARED, currency="USD")
    closed = [accepted(currency) for currency in ("HKD", "CNY", "HKD")]
    mixed = ClearingCycle.objects.get(pk=released[0].trade.cycle_id)
    halted = clearing.close(clearing.open_cycle("HKD"), by=factories.make_staff("clearing"))
    waiting = accepted("CNY")
    open_one = clearing.open_cycle("CNY")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("clearingcycle", "trade", "statement", "payout"):
            cursor.execute(f"ALTER TABLE settlement_{table} DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE settlement_clearingcycle DROP CONSTRAINT cycle_has_a_currency_until_it_is_released")
        cursor.execute("DROP INDEX one_open_cycle_of_a_currency")
        ClearingCycle.objects.update(currency="")
        for model in (Trade, Statement, Payout):
            model.objects.filter(cycle=released[1].trade.cycle_id).update(cycle=mixed)
        Trade.objects.filter(pk__in=[deal.trade.pk for deal in closed]).update(cycle=halted)
        for sql in (migration.OF_ONE, migration.OF_MOST, migration.OTHERS_WAIT):
            cursor.execute(sql)
    of = dict(ClearingCycle.objects.values_list("pk", "currency"))
    assert (of[mixed.pk], of[pure.trade.cycle_id], of[halted.pk], of[open_one.pk]) == ("", "USD", "HKD", "CNY")
    assert [deal.reload().cycle_id for deal in closed] == [halted.pk, None, halted.pk]
    assert waiting.reload().cycle is None and released[1].reload().cycle_id == mixed.pk
    page = Client(headers={"accept-language": "en"})
    page.force_login(factories.make_staff("clearing"))
    shown = page.get(reverse("desk_cycle", args=[mixed.number])).content.decode()
    assert "CNY 1,250.00" in shown and "HKD 1,250.00" in shown
