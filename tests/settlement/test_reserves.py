"""Rolling reserves: what is kept back and for how long, who decides it, and what becomes of it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import secrets

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from compliance import holds as placing
from compliance.verification import SamePerson
from marketplace import clock, documents, metrics
from marketplace.errors import Refused, RoleNeeded, WrongState
from marketplace.models import Organisation
from settlement import clearing, clearing_preview, ledger, reserve_terms, statements, tasks, trades
from settlement.gateways import sandbox_bank
from settlement.models import Break, Payout, Reconciliation, Reserve, ReserveTerms, Statement, Transfer
from tests import factories, money_proofs, trading
from tests.pdf_text import text_of
from tests.settlement.test_clearing_run import cut_everywhere
from tests.settlement.test_races import race
from tests.settlement.test_trade_notices import follow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def officers(db):
    return factories.make_staff("clearing"), factories.make_staff("clearing")


def on(number: int) -> dt.date:
    return clock.today() + dt.timedelta(days=number)


def agreed(officers, organisation: Organisation, basis_points: int = 1_000, **facts) -> ReserveTerms:
    """Terms that are in force already: they were agreed on three days ago."""
    said = {"days": 30, "reason": "Many of its sales were contested.", "basis_points": basis_points} | facts
    with clock.moved_to(clock.now() - dt.timedelta(days=3)):
        asked = reserve_terms.ask(organisation, by=officers[0], begins_on=on(1), **said)
        return reserve_terms.confirm(asked, by=officers[1])


def bought(seller: Organisation, price_minor: int, currency: str = "CNY") -> trading.Deal:
    """An accepted trade at this price."""
    listing = trading.make_listed(seller)
    deal = trading.propose(trading.make_offer(listing, price_minor=price_minor, currency=currency))
    trading.work()
    trading.pay(deal)
    trades.accept(deal.reload(), by=deal.buyer)
    return deal


def holds(member: Organisation, currency: str = "CNY") -> int:
    return ledger.balance(ledger.reserve(member, currency))


def test_a_part_is_kept_back_and_released_on_its_day(officers):
    seller = trading.make_verified()
    agreed(officers, seller)
    bought(seller, 100_003)  # the fee is 2,500: 97,503 remain, of which a tenth is kept back
    cycle = trading.clear_now()
    money_proofs.prove()
    stated = Statement.objects.get()
    assert (stated.reserved_minor, stated.released_minor, stated.net_minor) == (9_750, 0, 87_753)
    assert (stated.closing_minor, stated.reserve_minor) == (97_503, 9_750)
    kept = Reserve.objects.get()
    assert (kept.cycle, kept.amount_minor, kept.release_on, holds(seller)) == (cycle, 9_750, on(30), 9_750)
    with clock.moved_to(clock.now() + dt.timedelta(days=29)):
        trading.cut_off_now()
        assert holds(seller) == 9_750
    with clock.moved_to(clock.now() + dt.timedelta(days=30)):
        later = trading.clear_now()
        money_proofs.prove()
        kept.refresh_from_db()
        assert (kept.released_in, kept.released_minor, kept.left_minor, holds(seller)) == (later, 9_750, 0, 0)
        stated = Statement.objects.get(cycle=later)
        assert (stated.released_minor, stated.net_minor, stated.reserve_minor) == (9_750, 9_750, 0)
        assert Payout.objects.get(cycle=later).amount_minor == 9_750
        trading.cut_off_now()  # once
        assert Statement.objects.filter(released_minor__gt=0).count() == 1
    money_proofs.prove()


def lost(deal: trading.Deal, **facts) -> None:
    trading.pay(deal, "charge_back", **facts)
    trading.pay(deal, "lose_chargeback")


def test_a_loss_takes_the_reserve_first_the_soonest_released_before_the_rest_and_only_then_becomes_a_debt(officers):
    seller = trading.make_verified()
    agreed(officers, seller, 5_000)
    first = bought(seller, 10_000)
    trading.clear_now()
    with clock.moved_to(clock.now() + dt.timedelta(days=1)):
        bought(seller, 20_000)
        trading.clear_now()
        assert holds(seller) == 4_875 + 9_750
        lost(first, amount_minor=6_000)
        money_proofs.prove()
        assert [(one.drawn_minor, one.left_minor) for one in Reserve.objects.order_by("pk")] == [
            (4_875, 0),
            (1_125, 8_625),
        ]
        assert ledger.balance(ledger.receivable(seller, "CNY")) == 0
        second = bought(seller, 20_000)
        trading.clear_now()
        stated = Statement.objects.latest("pk")
        assert (stated.other_minor, stated.recovered_minor, stated.reserved_minor) == (-6_000 - 9_750, 0, 9_750)
        lost(second)
        assert (holds(seller), ledger.balance(ledger.receivable(seller, "CNY"))) == (0, -20_000 + 8_625 + 9_750)
        money_proofs.prove()
        with clock.moved_to(clock.now() + dt.timedelta(days=1)):
            tasks.reconcile_books()
        assert Reconciliation.objects.exists() and not Break.objects.exists()
        bought(seller, 10_000)
        trading.clear_now()  # what it owes is set off first, and of the rest a half is kept back
        stated = Statement.objects.latest("pk")
        assert (stated.recovered_minor, stated.reserved_minor, stated.net_minor) == (1_625, 4_062, 4_063)
    with clock.moved_to(clock.now() + dt.timedelta(days=60)):
        trading.clear_now()
        money_proofs.prove()
        assert list(Reserve.objects.order_by("pk").values_list("released_minor", flat=True)) == [0, 0, 0, 4_062]


def test_terms_take_two_people_begin_later_and_take_the_place_of_those_before(officers):
    first, second = officers
    seller = trading.make_verified()
    with pytest.raises(RoleNeeded):
        reserve_terms.ask(
            seller, basis_points=1, days=1, begins_on=on(1), reason="x", by=factories.make_staff("payments")
        )
    wrong = [
        ({"begins_on": on(0)}, "begins_too_early"),
        ({"basis_points": 10_001}, "wrong_reserve"),
        ({"basis_points": -1}, "wrong_reserve"),
        ({"days": 0}, "wrong_days"),
        ({"days": 731}, "wrong_days"),
        ({"currency": "XXX"}, "wrong_currency"),
        ({"reason": " "}, "reason_needed"),
    ]
    said = {"basis_points": 1_000, "days": 30, "begins_on": on(1), "reason": "Contested sales."}
    for changes, code in wrong:
        with pytest.raises(Refused) as refusal:
            reserve_terms.ask(seller, **said | changes, by=first)
        assert refusal.value.code == code and refusal.value.next, changes
    asked = reserve_terms.ask(seller, **said, by=first)
    with pytest.raises(SamePerson):
        reserve_terms.confirm(asked, by=first)
    with clock.moved_to(clock.now() + dt.timedelta(days=2)), pytest.raises(reserve_terms.BeginsTooEarly):
        reserve_terms.confirm(asked, by=second)
    assert not reserve_terms.told_to(seller)
    reserve_terms.confirm(asked, by=second)
    again = reserve_terms.ask(seller, **said, by=first)
    with pytest.raises(WrongState) as refusal:
        reserve_terms.confirm(again, by=second)
    assert refusal.value.code == "begins_already"
    reserve_terms.drop(again, by=first)
    for late in (reserve_terms.confirm, reserve_terms.drop):
        with pytest.raises(WrongState):
            late(again, by=second)
    in_yuan = agree_from(officers, seller, on(2), basis_points=0, currency="CNY")
    after = agree_from(officers, seller, on(5), basis_points=2_000)
    asked.refresh_from_db()
    assert (asked.ends_on, after.ends_on, in_yuan.ends_on) == (on(4), None, None)

    def counting(day: int) -> list[int]:
        keys = [(seller.pk, "CNY"), (seller.pk, "HKD")]
        found = reserve_terms.in_force(keys, on(day))
        return [found[key].basis_points if key in found else 0 for key in keys]

    assert [counting(day) for day in (0, 1, 2, 4, 5)] == [[0, 0], [1_000, 1_000], [0, 1_000], [0, 1_000], [0, 2_000]]


def agree_from(officers, member: Organisation, day: dt.date, **facts) -> ReserveTerms:
    said = {"basis_points": 1_000, "days": 30, "reason": "Contested sales."} | facts
    asked = reserve_terms.ask(member, begins_on=day, **said, by=officers[0])
    return reserve_terms.confirm(asked, by=officers[1])


def test_the_database_refuses_what_the_terms_do_not_allow(officers):
    seller = trading.make_verified()
    terms = agreed(officers, seller)
    same = {"organisation": seller, "begins_on": on(9), "reason": "x", "asked_by": officers[0]}
    confirmed = {"confirmed_by": officers[1], "confirmed_at": clock.now()}
    wrong = [
        (same | {"basis_points": 10_001, "days": 1}, "reserve_is_at_most_the_whole"),
        (same | {"basis_points": 1, "days": 0}, "reserve_is_kept_for_some_days"),
        (same | {"basis_points": 1, "days": 1} | confirmed, "overlap"),
        (
            same | {"basis_points": 1, "days": 1, "confirmed_by": officers[0], "confirmed_at": clock.now()},
            "overlap|two",
        ),
    ]
    for facts, why in wrong:
        with pytest.raises(IntegrityError, match=why), transaction.atomic():
            ReserveTerms.objects.create(**facts)
    for change in ({"basis_points": 1}, {"dropped_by": officers[0], "dropped_at": clock.now()}, {"days": 1}):
        with pytest.raises(DatabaseError), transaction.atomic():
            ReserveTerms.objects.filter(pk=terms.pk).update(**change)
    ReserveTerms.objects.filter(pk=terms.pk).update(ends_on=on(40))
    with pytest.raises(IntegrityError, match="last longer"), transaction.atomic():
        ReserveTerms.objects.filter(pk=terms.pk).update(ends_on=on(41))


def test_the_database_releases_nothing_before_its_day_nor_twice_and_overdraws_no_reserve(officers):
    seller = trading.make_verified()
    terms = agreed(officers, seller)
    bought(seller, 100_003)
    trading.clear_now()
    later = clearing.open_cycle("CNY")
    kept, row = Reserve.objects.get(), Reserve.objects.filter()
    released = {"released_in": later, "released_minor": kept.amount_minor}
    for change, why in (
        (released | {"released_on": on(29)}, "reserve_is_released_on_its_day"),
        (released | {"released_on": on(30), "released_minor": 1}, "reserve_is_released_whole"),
        (released | {"released_on": on(30), "released_in": kept.cycle}, "later_cycle"),
        (released | {"released_on": on(30)}, "the books do not hold"),
        ({"drawn_minor": 1}, "the books do not hold"),
        ({"drawn_minor": kept.amount_minor + 1}, "drawn_at_most_whole"),
        ({"amount_minor": 1}, "Cannot update"),
        ({"release_on": on(1)}, "Cannot update"),
    ):
        with pytest.raises(DatabaseError, match=why), transaction.atomic():
            row.update(**change)
    facts = {"cycle": later, "organisation": seller, "currency": "CNY", "amount_minor": 5}
    for change, why in (
        ({"terms": terms, "release_on": on(30)}, "the books do not hold"),
        ({"terms": terms, "release_on": on(10)}, "no terms in force"),
        ({"terms": terms, "release_on": on(30), "organisation": trading.make_verified()}, "no terms in force"),
    ):
        with pytest.raises(IntegrityError, match=why), transaction.atomic():
            Reserve.objects.create(**facts | change)
    accounts = {"debit": ledger.reserve(seller, "CNY"), "credit": ledger.payable(seller, "CNY")}
    for minor, why in ((kept.amount_minor, "what its reserves say"), (kept.amount_minor + 1, "overdrawn|reserves say")):
        with pytest.raises(IntegrityError, match=why), transaction.atomic():
            ledger.book([("by-hand", accounts["debit"].pk, accounts["credit"].pk, minor)])
    with clock.moved_to(clock.now() + dt.timedelta(days=30)):
        trading.clear_now()
        with pytest.raises(IntegrityError, match="was released or drawn"), transaction.atomic():
            row.update(released_on=on(1))
    money_proofs.prove()


def test_a_cycle_that_is_cut_at_any_statement_keeps_back_and_releases_once(officers):
    seller, other = trading.make_verified(), trading.make_verified()
    for member in (seller, other):
        agreed(officers, member)
    for member in (seller, other):
        bought(member, 100_003)
    trading.clear_now()
    with clock.moved_to(clock.now() + dt.timedelta(days=30)):
        agreed(officers, seller, 500, days=7)
        bought(seller, 33_333)
        cycle = trading.close_now(by=officers[0])
        before = Transfer.objects.count()
        [promised] = [
            one for one in clearing_preview.of_cycle(cycle, left_out_shown=0).by_member
            if one.organisation_id == seller.pk
        ]  # fmt: skip

        def nothing_moved() -> None:
            assert Transfer.objects.count() == before and Reserve.objects.filter(released_in=None).count() == 2

        assert cut_everywhere(lambda: trades.clear(cycle), nothing_moved) > 20
        net, kept = 32_500, 1_625
        stated = {one.organisation_id: one for one in Statement.objects.filter(cycle=cycle)}
        own, others = stated[seller.pk], stated[other.pk]
        assert (own.reserved_minor, own.released_minor, own.net_minor) == (kept, 9_750, net - kept + 9_750)
        assert (others.gross_minor, others.released_minor, others.net_minor) == (0, 9_750, 9_750)
        assert (promised.reserve.minor, promised.net.minor) == (9_750 - kept, own.net_minor)
        money_proofs.prove()


def test_a_loss_and_a_release_at_once_come_one_after_the_other(officers):
    seller = trading.make_verified()
    agreed(officers, seller)
    deal = bought(seller, 100_003)
    trading.clear_now()
    with clock.moved_to(clock.now() + dt.timedelta(days=30)):
        trading.pay(deal, "charge_back", amount_minor=9_000)
        sandbox_bank.act(deal.payment.reference, "lose_chargeback")
        trading.hand_over_notices()
        cycle = trading.close_now(by=officers[0])
        gate = ledger.Account.objects.get(name=f"payable:{seller.pk}:CNY")
        assert race(gate, [lambda: trades.clear(cycle), tasks.read_notices]) == ["done", "done"]
        kept = Reserve.objects.get()
        assert (kept.drawn_minor, kept.released_minor) in {(0, 9_750), (9_000, 750)}
        assert holds(seller) == 0
        money_proofs.prove()


def test_what_is_held_or_does_not_agree_is_released_later(officers):
    seller, other = trading.make_verified(), trading.make_verified()
    for member in (seller, other):
        agreed(officers, member)
        bought(member, 100_003, "CNY" if member == seller else "HKD")
    trading.cut_off_now()
    reviewer = factories.make_staff("review")
    hold = placing.place("organisation", seller.pk, reason_code="investigation", reason="A question.", by=reviewer)
    with clock.moved_to(clock.now() + dt.timedelta(days=30)):
        broken_in("HKD")
        trading.cut_off_now()
        assert (holds(seller), holds(other, "HKD")) == (9_750, 9_750)
        assert 'databourse_reserves_overdue{currency="CNY"}' not in metrics.exposition().decode()
    with clock.moved_to(clock.now() + dt.timedelta(days=31)):
        assert 'databourse_reserves_overdue{currency="CNY"} 1.0' in metrics.exposition().decode()
        placing.lift(hold, reason="Answered.", by=reviewer)
        trading.cut_off_now()
        assert (holds(seller), holds(other, "HKD")) == (0, 9_750)
        assert 'databourse_reserves_overdue{currency="CNY"}' not in metrics.exposition().decode()


def broken_in(currency: str) -> Break:
    """An open break in this currency."""
    sides = [f"{book}_{what}" for book in ("ledger", "gateway", "records") for what in ("minor", "lines")]
    counts = dict.fromkeys([*sides, "compared", "in_transit", "found", "resolved"], 0)
    run = Reconciliation.objects.create(
        gateway="sandbox", currency=currency, day=on(-1), run=1, digest="0" * 64, **counts
    )
    said = {"kind": "only_at_gateway", "cause": "x", "ledger_minor": 0, "gateway_minor": 1, "records_minor": 0}
    return Break.objects.create(found_by=run, gateway="sandbox", currency=currency, **said)


def test_a_member_is_told_before_and_sees_each_sum_and_its_day(officers):
    seller = trading.make_verified()
    agreed(officers, seller)
    follow()
    [told] = seller.created_by.notifications.filter(kind="reserve_terms.confirmed")
    assert told.facts["percent"] == "10" and told.facts["days"] == "30"
    deal = bought(seller, 100_003)
    trading.clear_now()
    lost(deal, amount_minor=2_000)
    day = on(30)
    with clock.moved_to(clock.now() + dt.timedelta(days=30)):
        bought(seller, 33_333)
        trading.clear_now()
        statements.issue_due()
        stated = Statement.objects.select_related("paper", "cycle").latest("pk")
        record = stated.paper.record
        sums = [record[f"{part}_minor"] for part in ("reserved", "released", "reserve", "payable")]
        assert sums == [3_250, 7_750, 3_250, 37_000]
        assert (record["release_on"], record["released"]) == (str(on(30)), [{"cycle": "1", "amount_minor": 7_750}])
        assert ("reserve_drawn", -2_000) in [(one["kind"], one["amount_minor"]) for one in record["movements"]]
        rows = list(csv.reader(io.StringIO(statements.as_csv(stated).decode("utf-8-sig"))))
        for row in (
            ["reserved", str(on(30)), "CNY", "", "", "32.50"],
            ["released_of_cycle 1", "", "CNY", "", "", "77.50"],
            ["payable", "", "CNY", "", "", "370.00"],
            ["reserve", "", "CNY", "", "", "32.50"],
        ):
            assert row in rows
        for language, words in (("en", "Kept in reserve"), ("zh-hans", "留存准备金"), ("zh-hant", "保留儲備金")):
            text = text_of(documents.pdf(stated.paper, language=language))
            assert words in text and "−32.50" in text and "77.50" in text
        client = Client()
        client.force_login(seller.created_by)
        page = client.get(reverse("money")).content.decode()
        assert "Many of its sales were contested." in page and "32.50" in page and "10 %" in page
        page = client.get(reverse("statement", args=[stated.pk])).content.decode()
        assert "32.50" in page and "77.50" in page and "402.50" in page
        answer = client.get("/api/v1/reserves").json()["results"]
        assert [(one["cycle"], one["amount_minor"], one["drawn_minor"], one["released_minor"]) for one in answer] == [
            (2, 3_250, 0, 0), (1, 9_750, 2_000, 7_750),
        ]  # fmt: skip
        assert answer[1]["release_on"] == str(day) and answer[1]["released_in"] == 2
        money = client.get("/api/v1/money").json()
        assert [(one["basis_points"], one["days"]) for one in money["reserve_terms"]] == [(1_000, 30)]
        [standing] = money["currencies"]
        assert (standing["in_reserve_minor"], standing["owed_by_it_minor"]) == (3_250, 0)


def test_the_desk_writes_agrees_and_drops(officers):
    clients = [Client(), Client()]
    for client, officer in zip(clients, officers, strict=True):
        client.force_login(officer)
    seller = trading.make_verified()

    def send(client: Client, act: str, **said) -> int:
        url, key = reverse("desk_reserves_act"), secrets.token_urlsafe(18)
        return client.post(url, {"act": act, "key": key, **said}).status_code

    said = {"organisation": seller.public_id, "percent": "12.5", "days": "90", "begins_on": on(3), "reason": "Losses."}
    assert send(clients[0], "ask", **said | {"percent": "100.01"}) == 422
    assert send(clients[0], "ask", **said | {"days": "0"}) == 422
    assert send(clients[0], "ask", **said | {"begins_on": on(0)}) == 409
    assert send(clients[0], "ask", **said | {"organisation": "none"}) == 404
    assert send(clients[0], "ask", **said) == 302
    terms = ReserveTerms.objects.get()
    assert (terms.basis_points, terms.days, terms.currency) == (1_250, 90, "")
    assert send(clients[0], "confirm", terms=terms.pk) == 403
    assert 'value="confirm"' in clients[1].get(reverse("desk_reserves")).content.decode()
    assert send(clients[1], "confirm", terms=terms.pk) == 302
    assert send(clients[1], "drop", terms=terms.pk) == 409
    assert send(clients[1], "drop", terms="x") == 404
    assert send(clients[1], "burn", terms=terms.pk) == 404
    page = clients[1].get(reverse("desk_participant", args=[seller.public_id])).content.decode()
    assert "12.5 %" in page and "Set a reserve" in page


def test_a_release_takes_as_many_statements_however_many_members_have_a_reserve(officers):
    counts = []
    ledger.fees("CNY")  # opened once
    for members in (1, 3):
        sellers = [trading.make_verified() for _one in range(members)]
        for seller in sellers:
            agreed(officers, seller, days=1)
            bought(seller, 10_000)
        cycle = trading.close_now(by=officers[0])
        with CaptureQueriesContext(connection) as kept:
            trades.clear(cycle)
        with clock.moved_to(clock.now() + dt.timedelta(days=1)):
            later = trading.close_now(by=officers[0])
            with CaptureQueriesContext(connection) as released:
                trades.clear(later)
        assert Reserve.objects.filter(released_in=later).count() == members
        counts.append((len(kept), len(released)))
    assert counts[0] == counts[1]
