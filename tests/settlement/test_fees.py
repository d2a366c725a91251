"""The exchange's fee: which schedule fits a trade, what it takes, and who agrees on a new one."""

from __future__ import annotations

import datetime as dt
import re
import secrets

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from compliance import tiers
from compliance.verification import SamePerson
from marketplace import clock
from marketplace.errors import Refused, RoleNeeded, WrongState
from marketplace.models import Event
from settlement import clearing_preview, fees
from settlement.models import FeeSchedule, Statement, Trade
from settlement.models.fees import fee_minor
from settlement.states import TradeState
from tests import factories, trading


@pytest.fixture
def officers(db):
    return factories.make_staff("clearing"), factories.make_staff("clearing")


@pytest.fixture
def moving(settings):
    settings.CLOCK_MAY_MOVE = True


def days(number: int) -> dt.date:
    return clock.today() + dt.timedelta(days=number)


def agreed(officers, basis_points: int, **facts) -> FeeSchedule:
    said = {"begins_on": days(1), "reason": "A new tariff.", "basis_points": basis_points} | facts
    return fees.confirm(fees.ask(by=officers[0], **said), by=officers[1])


@pytest.mark.parametrize(
    ("kept", "basis_points", "least", "most", "fee"),
    [
        (125_000, 250, None, None, 3_125),
        (125_000, 250, 5_000, None, 5_000),
        (125_000, 250, None, 2_000, 2_000),
        (125_000, 0, None, None, 0),
        (3_000, 250, 5_000, None, 3_000),
        (0, 250, 5_000, None, 0),
        (1, 50, None, None, 0),
        (100, 50, None, None, 1),
        (100, 10_000, 0, 0, 0),
    ],
)
def test_the_fee_is_a_share_within_its_limits_and_never_more_than_what_is_kept(kept, basis_points, least, most, fee):
    assert fee_minor(kept, basis_points, least, most) == fee


def test_the_narrowest_schedule_in_force_fits_and_a_trade_keeps_it(officers, moving):
    seller = trading.make_verified("A Lingang Company", country="CN")
    seller.region = "CN-SH-LINGANG"
    listing = trading.make_listed(seller)
    listing.seller.region = seller.region
    tiers.decide(seller, tier="premier", reason="A large house.", by=factories.make_staff("vetting"))
    first = FeeSchedule.objects.get()
    for_all = agreed(officers, 300)
    for_city = agreed(officers, 280, region="CN-SH")
    for_zone = agreed(officers, 200, region="CN-SH-LINGANG")
    for_tier = agreed(officers, 150, region="CN-SH-LINGANG", tier="premier", begins_on=days(10), ends_on=days(12))
    in_yen = agreed(officers, 100, currency="CNY", most_minor=90_000, product_type="dataset")

    def fitting(day: int, currency: str = "HKD") -> FeeSchedule:
        moment = dt.datetime.combine(days(day), dt.time(4), dt.UTC)
        return fees.schedule_for(listing, currency, moment=moment)

    with clock.moved_to(for_zone.valid_from + dt.timedelta(hours=1)):
        assert set(fees.published()) == {for_all, for_city, for_zone, for_tier, in_yen}  # the first is replaced
    assert fitting(0) == first
    assert fitting(1) == for_zone
    assert fitting(1, "CNY") == in_yen
    assert [fitting(day) for day in (9, 10, 12, 13)] == [for_zone, for_tier, for_tier, for_zone]
    listing.seller.region = "CN-SH-FTZ"
    assert fitting(1) == for_city
    listing.seller.region = "CN-GD"
    assert fitting(1) == for_all


def test_a_fee_with_a_least_is_shown_before_and_taken_as_it_was_shown(officers, moving):
    with clock.moved_to(clock.now() - dt.timedelta(days=3)):
        agreed(officers, 250, currency="HKD", least_minor=1_500)
    offer = trading.make_offer(price_minor=10_000, audience="on_request")
    buyer = trading.make_verified()
    client = Client()
    client.force_login(buyer.created_by)
    assert "15.00" in client.get(reverse("propose", args=[offer.public_id])).content.decode()
    deal = trading.propose(offer, buyer=buyer)
    for step, walk in trading.ROAD.items():
        walk(deal)
        if step == TradeState.ACCEPTED:
            break
    found = clearing_preview.of_next("HKD", left_out_shown=1)
    assert [(one.gross_minor, one.fee_minor) for one in found.by_member] == [(10_000, 1_500)]
    trading.clear_now()
    statement = Statement.objects.get()
    assert (statement.gross_minor, statement.fee_minor, statement.net_minor) == (10_000, 1_500, 8_500)


def test_two_people_agree_before_the_first_day_or_nothing_changes(officers, moving):
    first, second = officers
    with pytest.raises(RoleNeeded):
        fees.ask(basis_points=1, begins_on=days(1), reason="x", by=factories.make_staff("payments"))
    wrong = [
        ({"begins_on": days(0)}, "begins_too_early"),
        ({"ends_on": days(5)}, "fee_without_end"),
        ({"ends_on": days(0), "region": "HK"}, "wrong_time"),
        ({"basis_points": 10_001}, "wrong_fee"),
        ({"least_minor": 5}, "currency_needed"),
        ({"least_minor": 5, "most_minor": 4, "currency": "HKD"}, "wrong_fee"),
        ({"least_minor": -1, "currency": "HKD"}, "wrong_fee"),
        ({"region": "Atlantis"}, "wrong_condition"),
        ({"tier": "gold"}, "wrong_condition"),
        ({"reason": " "}, "reason_needed"),
    ]
    for changes, code in wrong:
        with pytest.raises(Refused) as refusal:
            fees.ask(**{"basis_points": 200, "begins_on": days(1), "reason": "A tariff."} | changes, by=first)
        assert refusal.value.code == code, changes
    assert FeeSchedule.objects.count() == 1 and not Event.objects.filter(kind__startswith="fees.").exists()
    asked = fees.ask(basis_points=200, begins_on=days(2), reason="A tariff.", by=first)
    with pytest.raises(WrongState) as refusal:
        fees.ask(basis_points=210, begins_on=days(2), reason="Another.", by=second)
    assert refusal.value.code == "begins_already"
    with pytest.raises(SamePerson):
        fees.confirm(asked, by=first)
    with clock.moved_to(clock.now() + dt.timedelta(days=3)), pytest.raises(fees.BeginsTooEarly):
        fees.confirm(asked, by=second)
    assert list(fees.published()) == list(FeeSchedule.objects.filter(asked_by=None))
    fees.drop(asked, by=second)
    for late in (fees.confirm, fees.drop):
        with pytest.raises(WrongState):
            late(asked, by=second)
    again = agreed(officers, 210, begins_on=days(2))
    assert asked.version != again.version and again.version.startswith(f"{days(2).year}-")
    assert list(Event.objects.filter(kind__startswith="fees.").order_by("pk").values_list("kind", flat=True)) == [
        "fees.asked", "fees.dropped", "fees.asked", "fees.confirmed",
    ]  # fmt: skip


def test_the_database_keeps_what_was_agreed_and_takes_no_trade_under_another(officers):
    asked = fees.ask(basis_points=200, begins_on=days(1), reason="A tariff.", by=officers[0])
    for change in (
        {"seller_basis_points": 1},
        {"seller_bears_charges": True},
        {"valid_until": asked.valid_from + dt.timedelta(days=1)},
        {"confirmed_by": officers[0], "confirmed_at": clock.now()},
        {"confirmed_by": officers[1]},
        {"confirmed_by": officers[1], "confirmed_at": asked.valid_from},
    ):
        with pytest.raises(DatabaseError) as failure, transaction.atomic():
            FeeSchedule.objects.filter(pk=asked.pk).update(**change)
        assert "fee_schedule" in str(failure.value) or "Cannot update" in str(failure.value), change
    confirmed = fees.confirm(asked, by=officers[1])
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        FeeSchedule.objects.filter(pk=confirmed.pk).update(dropped_by=officers[0], dropped_at=clock.now())
    trade = trading.make_trade(TradeState.PROPOSED).trade
    fields = {field.attname: getattr(trade, field.attname) for field in Trade._meta.concrete_fields}
    fields |= {"id": None, "public_id": "t" + secrets.token_hex(6), "register_number": None, "state": "proposed"}
    with pytest.raises(IntegrityError, match="no such fee schedule is in force"), transaction.atomic():
        Trade.objects.create(**fields | {"fee_schedule_id": confirmed.pk})


def test_the_desk_writes_agrees_and_drops_and_anyone_reads_the_page_in_three_languages(officers):
    clients = [Client(), Client()]
    for client, officer in zip(clients, officers, strict=True):
        client.force_login(officer)

    def send(client: Client, act: str, **said) -> int:
        url, key = reverse("desk_fees_act"), secrets.token_urlsafe(18)
        return client.post(url, {"act": act, "key": key, **said}).status_code

    tariff = {
        "percent": "1.75",
        "begins_on": days(3),
        "region": "HK",
        "currency": "HKD",
        "least": "12.50",
        "reason": "x",
    }
    assert send(clients[0], "ask", **tariff | {"least": "12.505"}) == 422
    assert send(clients[0], "ask", **tariff | {"currency": ""}) == 422
    assert send(clients[0], "ask", **tariff | {"percent": "1.755"}) == 422
    assert send(clients[0], "ask", **tariff | {"seller_bears_charges": "on"}) == 302
    asked = FeeSchedule.objects.get(region="HK")
    assert (asked.seller_basis_points, asked.least_minor, asked.most_minor) == (175, 1_250, None)
    assert asked.seller_bears_charges
    page = reverse("fees")
    assert asked.version not in Client().get(page).content.decode()
    assert 'value="confirm"' not in clients[0].get(reverse("desk_fees")).content.decode()
    assert 'value="confirm"' in clients[1].get(reverse("desk_fees")).content.decode()
    desk = reverse("desk_fees")
    assert f"?like={asked.version}" in clients[0].get(desk).content.decode()
    form = clients[0].get(desk, {"like": asked.version}).content.decode()
    assert re.search(r'<details class="dialog" open>', form)
    assert all(f'name="{name}" value="{value}"' in form for name, value in [("percent", "1.75"), ("least", "12.50")])
    assert (
        '<option value="HK" selected>' in form and "dialog" in clients[0].get(desk, {"like": "none"}).content.decode()
    )
    assert send(clients[0], "confirm", schedule=asked.pk) == 403
    assert send(clients[1], "confirm", schedule=asked.pk) == 302
    assert send(clients[1], "drop", schedule=asked.pk) == 409
    assert send(clients[1], "drop", schedule="x") == 404
    for language, words, sign in [
        ("en", "every trade", " %"),
        ("zh-hans", "另加渠道手续费", "%"),
        ("zh-hant", "另加渠道手續費", "%"),
    ]:
        shown = Client().get(page, headers={"Accept-Language": language}).content.decode()
        assert all(part in shown for part in [words, asked.version, f"1.75{sign}", "12.50", f"2.5{sign}"]), language


def test_anyone_reads_by_api_what_counts_now_and_what_comes(officers, moving):
    agreed(officers, 100, region="CN-SH", currency="CNY", least_minor=500, seller_bears_charges=True)
    waiting = fees.ask(by=officers[0], begins_on=days(1), reason="A new tariff.", basis_points=900)
    told = Client().get("/api/v1/fees").json()["results"]
    assert [(one["region"], one["seller_basis_points"], one["least_minor"]) for one in told] == [
        ("CN-SH", 100, 500),
        ("", 250, None),
    ]
    assert [one["seller_bears_charges"] for one in told] == [True, False]
    assert waiting.version not in {one["version"] for one in told} and "reason" not in told[0]
