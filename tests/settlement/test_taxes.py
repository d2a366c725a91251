"""The tax in a price: by dated rules with their sources, told before anybody commits, frozen, and the desk's word."""

from __future__ import annotations

import datetime as dt
import itertools
import secrets

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from marketplace.errors import Refused, RoleNeeded
from settlement import tax_rules, taxes, timeline
from settlement.models import TaxStatus, TradeTax
from settlement.models.fees import fee_minor
from settlement.states import TradeState
from settlement.tax_rules import Case, tax_of, vat_in, written
from tests import factories, trading

DAY = dt.date(2026, 11, 22)


def lines(tax: tax_rules.Tax) -> list[tuple[str, str, int, int]]:
    return [(line.tax, line.how, line.basis_points, line.amount_minor) for line in tax.lines]


def test_a_mainland_general_taxpayers_price_of_106_000_holds_6_000_of_vat():
    tax = tax_of(10_600_000, Case("CN", "CN", "licence", "general"), on=DAY)
    assert lines(tax) == [("vat", "charged", 600, 600_000)]
    assert (tax.net_minor, tax.withheld_minor, tax.remains_minor) == (10_000_000, 0, 10_600_000)
    assert all(line.rule == "cn-vat-general" and set(line.source) == {"en", "zh-hans", "zh-hant"} for line in tax.lines)
    small = tax_of(10_300_000, Case("CN", "CN", "service", "small_scale"), on=DAY)
    assert lines(small) == [("vat", "charged", 300, 300_000)]


def test_the_fee_of_a_price_with_tax_is_the_fee_of_the_net_and_its_own_vat():
    fee = fee_minor(10_600_000, 250, None, None)
    assert fee == 265_000 == 250_000 + 15_000 and vat_in(fee, 600) == 15_000
    assert 10_600_000 - fee == 10_335_000


def test_a_foreign_licensors_price_of_106_000_leaves_90_000_once_the_buyer_has_withheld():
    tax = tax_of(10_600_000, Case("HK", "CN", "licence"), on=DAY)
    assert lines(tax) == [("vat", "withheld", 600, 600_000), ("income", "withheld", 1_000, 1_000_000)]
    assert (tax.net_minor, tax.withheld_minor, tax.remains_minor) == (10_000_000, 1_600_000, 9_000_000)
    service = tax_of(10_600_000, Case("SG", "CN", "service"), on=DAY)
    assert lines(service) == [("vat", "withheld", 600, 600_000)]


@pytest.mark.parametrize(
    "case",
    [
        Case("CN", "CN", "licence"),  # it has not said what taxpayer it is
        Case("CN", "HK", "licence", "general"),
        Case("HK", "HK", "licence"),
        Case("HK", "SG", "service"),
    ],
)
def test_where_no_rule_fits_nothing_is_invented(case):
    tax = tax_of(10_600_000, case, on=DAY)
    assert (tax.is_known, tax.lines, tax.net_minor) == (False, (), 10_600_000)
    assert not tax_of(10_600_000, Case("CN", "CN", "licence", "general"), on=dt.date(2025, 12, 31)).is_known


def test_of_each_tax_at_most_one_rule_fits_any_case():
    for version in ("2026-11",):
        for seller, buyer, supply, status in itertools.product(
            ("CN", "HK", "MO", "SG"), ("CN", "HK", "SG"), ("licence", "service"), ("", "general", "small_scale")
        ):
            tax = tax_of(1_000, Case(seller, buyer, supply, status), on=DAY, version=version)
            kinds = [line.tax for line in tax.lines]
            assert len(kinds) == len(set(kinds)), (seller, buyer, supply, status)


@pytest.mark.parametrize(
    ("gross", "rate", "vat"), [(1, 600, 0), (8, 600, 0), (9, 600, 1), (53, 600, 3), (0, 600, 0), (100, 10_000, 50)]
)
def test_the_tax_in_a_price_is_rounded_half_up_and_the_net_is_the_rest(gross, rate, vat):
    assert vat_in(gross, rate) == vat
    tax = written(gross, vat=rate, vat_how="charged", income=1_000)
    assert tax.net_minor + vat == gross and tax.net_minor >= 0


@pytest.fixture
def mainland(db):
    seller = trading.make_verified("A Shanghai Company", country="CN")
    buyer = trading.make_verified("A Beijing Company", country="CN")
    offer = trading.make_offer(
        trading.make_listed(seller), audience="on_request", price_minor=10_600_000, currency="CNY"
    )
    return seller, buyer, offer


def test_the_buyer_sees_the_tax_before_committing_and_the_trade_keeps_it(mainland):
    seller, buyer, offer = mainland
    client = Client(headers={"accept-language": "en"})
    client.force_login(buyer.created_by)
    page = reverse("propose", args=[offer.public_id])
    assert "ask it what tax the price includes" in client.get(page).content.decode()
    early = trading.propose(offer, buyer=buyer)
    assert not taxes.of(early.trade).is_known
    with pytest.raises(RoleNeeded):
        taxes.state_status(seller, "general", by=buyer.created_by)
    with pytest.raises(Refused, match="no such taxpayer"):
        taxes.state_status(seller, "none", by=seller.created_by)
    owner = Client(headers={"accept-language": "en"})
    owner.force_login(seller.created_by)
    assert 'id="tax-status"' in owner.get(reverse("money")).content.decode()
    said = {"status": "general", "key": secrets.token_urlsafe(18)}
    assert owner.post(reverse("tax_status"), said).status_code == 302
    assert [status.status for status in TaxStatus.objects.all()] == ["general"]
    shown = client.get(page).content.decode()
    assert "100,000.00" in shown and "6,000.00" in shown and "arts 7 and 10(3)" in shown
    deal = trading.propose(offer, buyer=buyer)
    kept = taxes.of(deal.trade)
    assert (kept.revision, kept.net_minor, kept.rulebook) == (1, 10_000_000, "2026-11")
    taxes.state_status(seller, "small_scale", by=seller.created_by)
    assert taxes.of(deal.trade) == kept and not taxes.of(early.trade).is_known
    for reader in (client, owner):
        told = reader.get(deal.trade.get_absolute_url()).content.decode()
        assert "100,000.00" in told and 'VAT in the price <span class="together">· 6 %</span>' in told
    answer = client.get(reverse("api_trade", args=[deal.trade.public_id])).json()["tax"]
    assert (answer["net_minor"], answer["lines"][0]["amount_minor"]) == (10_000_000, 600_000)
    zh = client.get(deal.trade.get_absolute_url(), headers={"accept-language": "zh-hans"}).content.decode()
    assert "增值税法" in zh


def test_the_desk_decides_on_the_tax_before_the_money_with_a_reason_or_nothing_changes(mainland):
    _seller, buyer, offer = mainland
    deal, officer = trading.propose(offer, buyer=buyer), factories.make_staff("clearing")
    said = {"vat": 600, "vat_how": "withheld", "income": 700, "reason": "The treaty's rate was claimed."}
    with pytest.raises(RoleNeeded):
        taxes.decide(deal.trade, **said, by=factories.make_staff("payments"))
    wrong = [({"vat": 10_001}, "wrong_rate"), ({"vat_how": "x"}, "wrong_rate"), ({"reason": " "}, "reason_needed")]
    for change, code in wrong:
        with pytest.raises(Refused) as refusal:
            taxes.decide(deal.trade, **said | change, by=officer)
        assert refusal.value.code == code, change
    assert TradeTax.objects.count() == 1
    desk = Client(headers={"accept-language": "en"})
    desk.force_login(officer)
    url = reverse("desk_trade", args=[deal.trade.public_id])
    assert "Decide on the tax" in desk.get(url).content.decode()
    post = {"act": "set_tax", "vat": "6", "vat_how": "withheld", "income": "7", "reason": said["reason"]}
    act = reverse("desk_trade_act", args=[deal.trade.public_id])
    assert desk.post(act, post | {"key": secrets.token_urlsafe(18), "vat": "101"}).status_code == 422
    assert desk.post(act, post | {"key": secrets.token_urlsafe(18)}).status_code == 302
    kept = taxes.of(deal.trade)
    assert (kept.revision, kept.by, kept.withheld_minor, kept.tax.remains_minor) == (2, officer, 1_300_000, 9_300_000)
    assert timeline.steps(deal.trade)[-1].kind == "trade.tax_decided"
    assert "treaty" in desk.get(url).content.decode()

    for changes in ({"revision": 4}, {"net_minor": 1}, {"gross_minor": 5}, {"reason": ""}, {"withheld_minor": 0}):
        fields = {field.attname: getattr(kept, field.attname) for field in TradeTax._meta.concrete_fields}
        with pytest.raises(IntegrityError), transaction.atomic():
            TradeTax.objects.create(**fields | {"id": None, "revision": 3} | changes)
    for change in (lambda: TradeTax.objects.update(reason="x"), lambda: TradeTax.objects.all().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()

    half = [{"basis_points": 5_000, "due_days": 0}, {"basis_points": 5_000, "due_days": 30}]
    in_parts = trading.propose(trading.make_offer(offer.listing, name="In parts", instalments=half), buyer=buyer)
    trading.work()
    trading.pay(in_parts)
    assert in_parts.state == TradeState.REGISTERED
    with pytest.raises(Refused) as refusal:
        taxes.decide(in_parts.trade, **said, by=officer)
    assert refusal.value.code == "paid_already" and TradeTax.objects.filter(trade=in_parts.trade).count() == 1
    page = desk.get(reverse("desk_trade", args=[in_parts.trade.public_id])).content.decode()
    assert "Decide on the tax" not in page
    with pytest.raises(IntegrityError, match="its tax stays"), transaction.atomic():
        fields = {field.attname: getattr(kept, field.attname) for field in TradeTax._meta.concrete_fields}
        TradeTax.objects.create(**fields | {"id": None, "trade_id": in_parts.trade.pk, "revision": 2})

    paid = trading.make_trade(TradeState.FUNDED)
    with pytest.raises(Refused) as refusal:
        taxes.decide(paid.trade, **said, by=officer)
    assert refusal.value.code == "paid_already" and TradeTax.objects.filter(trade=paid.trade).count() == 1
    with pytest.raises(IntegrityError, match="its tax stays"), transaction.atomic():
        fields = {field.attname: getattr(kept, field.attname) for field in TradeTax._meta.concrete_fields}
        TradeTax.objects.create(**fields | {"id": None, "trade_id": paid.trade.pk, "revision": 2})
