"""Netting: who may be paid one net sum for a cycle, from when, and what stays gross all the same."""

from __future__ import annotations

import datetime as dt
import secrets

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from marketplace import clock, documents
from marketplace.desks import queues
from marketplace.errors import Refused, RoleNeeded, WrongState
from marketplace.models import Event, Organisation
from settlement import clearing_preview, netting, payouts, statements, trades
from settlement.models import ClearingCycle, Netting, Payout, Statement
from settlement.states import TradeState
from tests import factories, money_proofs, trading
from tests.pdf_text import text_of
from tests.settlement.test_races import race
from tests.settlement.test_reserves import agreed, bought, lost
from tests.settlement.test_trade_notices import follow

pytestmark = pytest.mark.django_db(transaction=True)
OPINION = "Opinion of Jun He LLP of 2 November 2026 on close-out under article 22."


@pytest.fixture
def officer(db):
    return factories.make_staff("clearing")


def mainland(name: str = "") -> Organisation:
    return trading.make_verified(name, country="CN")


def granted(organisation: Organisation, officer) -> Netting:
    asked = netting.ask(organisation, by=organisation.created_by)
    return netting.grant(asked, opinion=OPINION, by=officer)


def sold(seller: Organisation, price_minor: int, buyer: Organisation) -> trading.Deal:
    """An accepted trade with this buyer."""
    listing = trading.make_listed(seller)
    deal = trading.propose(trading.make_offer(listing, price_minor=price_minor, currency="CNY"), buyer=buyer)
    trading.work()
    trading.pay(deal)
    trades.accept(deal.reload(), by=deal.buyer)
    return deal


def paid(cycle: ClearingCycle) -> list[tuple[object, object, int]]:
    return list(cycle.payouts.order_by("pk").values_list("kind", "trade", "amount_minor"))


def test_domestic_trades_are_one_payout_and_those_across_the_border_are_paid_alone(officer):
    seller, buyer, abroad = mainland(), mainland(), trading.make_verified(country="HK")
    granted(seller, officer)
    deals = [sold(seller, 100_000, buyer), sold(seller, 80_000, abroad), sold(seller, 50_000, buyer)]
    cycle = trading.close_now(by=officer)
    [promised] = clearing_preview.of_cycle(cycle, left_out_shown=0).by_member
    trades.clear(cycle)
    statements.issue_due()
    assert paid(cycle) == [("trade", deals[1].trade.pk, 78_000), ("net", None, 97_500 + 48_750)]
    assert promised.payouts == 2
    stated = Statement.objects.get()
    assert (stated.gross_minor, stated.fee_minor, stated.net_minor) == (230_000, 5_750, 224_250)
    net, own = (cycle.payouts.get(kind=kind).key for kind in ("net", "trade"))
    record = stated.paper.record
    assert [(one["gross_minor"], one["payout_reference"]) for one in record["lines"]] == [
        (100_000, net),
        (80_000, own),
        (50_000, net),
    ]
    shown = text_of(documents.pdf(stated.paper, language="en"))
    assert "Net of several trades" in shown and own in shown
    trading.work()
    assert [deal.state for deal in deals] == [TradeState.SETTLED] * 3
    money_proofs.prove()


def test_debts_and_reserve_are_the_same_net_or_gross(officer):
    seller, buyer = mainland(), mainland()
    first = sold(seller, 100_000, buyer)
    trading.clear_now()
    lost(first)
    agreed([officer, factories.make_staff("clearing")], seller)
    granted(seller, officer)
    deals = [sold(seller, price_minor, buyer) for price_minor in (60_000, 80_000, 20_001)]
    cycle = trading.clear_now()
    assert paid(cycle) == [("net", None, 50_401)]  # as paid trade by trade: 32,850 and 17,551
    assert [deal.state for deal in deals] == [TradeState.SETTLED] * 3
    money_proofs.prove()
    with clock.moved_to(clock.now() + dt.timedelta(days=40)):
        later = trading.clear_now()
        assert paid(later) == [("net", None, 5_600)]  # what is released
        money_proofs.prove()


def test_a_trade_across_the_border_that_a_debt_took_whole_names_no_payout(officer):
    seller, buyer, abroad = mainland(), mainland(), trading.make_verified(country="HK")
    first = sold(seller, 50_000, buyer)
    trading.clear_now()
    lost(first)
    granted(seller, officer)
    deals = [sold(seller, 20_000, abroad), sold(seller, 80_000, buyer)]
    cycle = trading.close_now(by=officer)
    trades.clear(cycle)
    assert [deal.state for deal in deals] == [TradeState.SETTLED, TradeState.CLEARED], "nothing is paid for the first"
    statements.issue_due()
    net = cycle.payouts.get()
    assert (net.kind, net.amount_minor) == ("net", 19_500 + 78_000 - 50_000)
    record = Statement.objects.get(cycle=cycle).paper.record
    assert [one.get("payout_reference") for one in record["lines"]] == [None, net.key]
    found = [deal.reload() for deal in deals]
    assert payouts.of_trades(found) == {found[1].pk: net}
    assert [list(payouts.of_trade(trade)) for trade in found] == [[], [net]]
    trading.work()
    assert deals[1].state == TradeState.SETTLED
    money_proofs.prove()


def test_it_counts_from_the_next_cycle_that_closes_and_ends_with_the_next(officer):
    seller, buyer = mainland(), mainland()

    def closed() -> ClearingCycle:
        sold(seller, 100_000, buyer)
        return trading.close_now(by=officer)

    before = closed()
    found = granted(seller, officer)
    between = closed()
    netting.stop(found, by=seller.created_by)
    after = closed()
    for cycle in (before, between, after):
        trades.clear(cycle)
    assert [[kind for kind, _trade, _minor in paid(cycle)] for cycle in (before, between, after)] == [
        ["trade"],
        ["net"],
        ["trade"],
    ]
    trading.work()
    money_proofs.prove()


def test_who_is_not_of_the_mainland_is_paid_trade_by_trade(officer):
    abroad = trading.make_verified(country="HK")
    with pytest.raises(Refused) as refusal:
        netting.ask(abroad, by=abroad.created_by)
    assert refusal.value.code == "not_domestic" and not Netting.objects.exists()


def test_an_owner_asks_and_only_the_desk_grants_with_an_opinion(officer):
    seller = mainland()
    finance = factories.make_member(seller, "finance")
    for by in (finance, officer):
        with pytest.raises(RoleNeeded):
            netting.ask(seller, by=by)
    found = netting.ask(seller, by=seller.created_by)
    with pytest.raises(WrongState):
        netting.ask(seller, by=seller.created_by)
    for by in (seller.created_by, factories.make_staff("payments")):
        with pytest.raises(RoleNeeded):
            netting.grant(found, opinion=OPINION, by=by)
    with pytest.raises(Refused):
        netting.grant(found, opinion=" ", by=officer)
    found.refresh_from_db()
    assert found.granted_at is None
    netting.grant(found, opinion=OPINION, by=officer)
    with pytest.raises(WrongState):
        netting.grant(found, opinion=OPINION, by=officer)
    netting.refuse(found, reason="The opinion was withdrawn by its author.", by=officer)
    for act in (
        lambda: netting.stop(found, by=seller.created_by),
        lambda: netting.grant(found, opinion="x", by=officer),
    ):
        with pytest.raises(WrongState):
            act()
    assert list(Event.objects.filter(kind__startswith="netting.").order_by("pk").values_list("kind", flat=True)) == [
        "netting.asked",
        "netting.granted",
        "netting.stopped",
    ]


def test_two_who_ask_at_once_ask_once_and_two_who_grant_grant_once(officer):
    seller = mainland()
    assert sorted(race(seller, [lambda: netting.ask(seller, by=seller.created_by)] * 2)) == ["asked_already", "done"]
    found = Netting.objects.get()
    colleague = factories.make_staff("clearing")
    acts = [lambda by=by: netting.grant(found, opinion=OPINION, by=by) for by in (officer, colleague)]
    assert sorted(race(found, acts)) == ["done", "wrong_state"]


def refused(act) -> None:
    with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic():
        act()


def test_the_database_refuses_nettings_that_overlap_change_or_are_of_members_abroad(officer):
    seller, abroad = mainland(), trading.make_verified(country="HK")
    found = granted(seller, officer)
    rows = Netting.objects.filter(pk=found.pk)
    refused(lambda: Netting.objects.create(organisation=seller, asked_by=seller.created_by))
    refused(lambda: rows.update(opinion="Another."))
    refused(lambda: rows.update(granted_at=clock.now()))
    refused(found.delete)
    refused(
        lambda: Netting.objects.create(
            organisation=abroad, asked_by=officer, granted_by=officer, granted_at=clock.now()
        )
    )
    asked = Netting.objects.create(organisation=abroad, asked_by=abroad.created_by)
    foreign = Netting.objects.filter(pk=asked.pk)
    refused(lambda: foreign.update(opinion=OPINION, granted_by=officer, granted_at=clock.now()))
    netting.stop(found, by=seller.created_by)
    refused(lambda: rows.update(stopped_at=None, stopped_by=None))
    again = Netting.objects.create(organisation=seller, asked_by=seller.created_by)
    overlapping = {"opinion": OPINION, "granted_by": officer, "granted_at": found.granted_at}
    refused(lambda: Netting.objects.filter(pk=again.pk).update(**overlapping))
    refused(lambda: Netting.objects.filter(pk=again.pk).update(granted_by=officer, granted_at=clock.now()))


def test_the_database_refuses_a_net_payout_without_netting(officer):
    bought(seller := mainland(), 100_000)
    cycle = trading.close_now(by=officer)
    owner = {"cycle": cycle, "organisation": seller, "currency": "CNY", "amount_minor": 97_500}
    refused(lambda: Payout.objects.create(**owner, kind="net", key="a"))
    granted(seller, officer)  # since the cycle closed
    refused(lambda: Payout.objects.create(**owner, kind="net", key="a"))


def test_the_member_and_the_desk_see_it_and_do_it_on_their_pages(officer):
    seller, buyer = mainland(), mainland()
    sold(seller, 100_000, buyer)
    owner, staff = Client(), Client()
    owner.force_login(seller.created_by)
    staff.force_login(officer)
    assert "Ask to be paid net" in owner.get(reverse("money")).content.decode()
    answer = owner.post(reverse("netting"), {"key": secrets.token_urlsafe(18)})
    assert answer.status_code == 302
    found = Netting.objects.get()
    assert "the exchange decides on it" in owner.get(reverse("money")).content.decode()
    waits = [one for one in queues.waiting(["clearing"]) if one.queue.name == "netting"]
    assert [(one.count, one.queue.url, one.due_at is not None) for one in waits] == [(1, reverse("desk_netting"), True)]
    page = staff.get(reverse("desk_netting")).content.decode()
    assert "of 40 h" in page and seller.latin_name in page and 'value="grant"' in page
    said = {"act": "grant", "netting": found.pk, "opinion": OPINION, "key": secrets.token_urlsafe(18)}
    assert staff.post(reverse("desk_netting_act"), said).status_code == 302
    page = owner.get(reverse("money")).content.decode()
    assert OPINION in page and "Be paid trade by trade again" in page
    follow()
    assert (
        owner.post(reverse("netting_stopping", args=[found.pk]), {"key": secrets.token_urlsafe(18)}).status_code == 302
    )
    assert "Ask to be paid net" in owner.get(reverse("money")).content.decode()
    assert OPINION in staff.get(reverse("desk_netting")).content.decode()


def test_the_api_asks_and_stops(officer):
    seller = mainland()
    client = Client()
    client.force_login(seller.created_by)

    def posted(path: str):
        return client.post(f"/api/v1/nettings{path}", headers={"Idempotency-Key": secrets.token_urlsafe(18)})

    answer = posted("")
    assert answer.status_code == 201 and answer.json()["granted_at"] is None
    stopped = posted(f"/{answer.json()['id']}/stopping").json()
    assert stopped["stopped_at"] and [one["id"] for one in client.get("/api/v1/nettings").json()] == [stopped["id"]]
