"""Instalments over HTTP: offered in the studio and by the API, told before anybody is bound, paid one by one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from listings import licence_contract
from marketplace import posted, typesetting
from marketplace.models import Paper
from settlement import quotes, trades
from settlement.gateways import sandbox_bank
from settlement.models import Trade
from settlement.states import TradeState
from tests import factories, pdf_text, trading
from tests.settlement.test_instalments import pay, registered

pytestmark = pytest.mark.django_db
THREE = [
    {"basis_points": 3000, "due_days": 0},
    {"basis_points": 4000, "due_days": 30},
    {"basis_points": 3000, "due_days": 60},
]


@pytest.fixture(autouse=True)
def own_storage(settings: Any, tmp_path: Any) -> None:
    settings.STORAGE_DIR = tmp_path / "storage"


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def sent(client: Client, url: str, body: Any, key: str) -> Any:
    return client.post(url, body, content_type="application/json", headers={"idempotency-key": key})


@pytest.mark.parametrize(
    ("currency", "price_minor", "amounts"),
    [
        ("CNY", 10_000_001, [3_000_000, 4_000_000, 3_000_001]),
        ("JPY", 1_001, [300, 400, 301]),
        ("KWD", 999, [299, 399, 301]),
    ],
)
def test_the_whole_road_by_the_api(currency: str, price_minor: int, amounts: list[int]) -> None:
    listing, buyer = trading.make_market()
    seller, buying = signed_in(listing.seller.created_by), signed_in(buyer.created_by)
    offer = {"name": "In three", "currency": currency, "price_minor": price_minor, "instalments": THREE}
    offer["terms"] = factories.make_offer(listing).terms
    url = f"/api/v1/listings/{listing.public_id}/offers"
    wrong = sent(seller, url, offer | {"instalments": THREE[:2]}, "wrong")
    assert (wrong.status_code, wrong.json()["reasons"][0]["code"]) == (422, "wrong_instalments")
    made = sent(seller, url, offer, "offer")
    assert (made.status_code, made.json()["instalments"]) == (201, THREE)
    bought = sent(buying, "/api/v1/trades", {"offer": made.json()["public_id"]}, "buy").json()
    trade_url = f"/api/v1/trades/{bought['public_id']}"
    assert [row["amount_minor"] for row in bought["instalments"]] == amounts
    assert {row["due_at"] for row in bought["instalments"]} == {None}
    trading.work()
    for number, minor in enumerate(amounts, 1):
        told = buying.get(trade_url).json()
        assert told["state"] == "registered" and told["next"]["until"] == told["fund_until"]
        assert told["fund_until"] == told["instalments"][number - 1]["due_at"]
        payment = told["payments"][-1]
        assert payment["amount_minor"] == minor and payment["pay_at_url"]
        sandbox_bank.act(Trade.objects.get().payments.get(instalment=number).reference, "pay")
        trading.work()
        trading.work()
    told = buying.get(trade_url).json()
    assert told["state"] == "delivered" and all(row["paid_at"] for row in told["instalments"])
    assert [step["kind"] for step in told["steps"]].count("trade.instalment_paid") == 3
    assert sent(buying, f"{trade_url}/acceptance", {}, "accept").status_code == 200
    trading.clear_now()
    assert buying.get(trade_url).json()["state"] == "settled"
    assert sum(row["amount_minor"] for row in told["payments"]) == price_minor


def test_each_refund_names_the_payment_it_gives_back() -> None:
    deal = registered()
    pay(deal)
    pay(deal)
    trades.cancel(deal.trade, by=deal.buyer)
    client = signed_in(deal.buyer)
    told = client.get(f"/api/v1/trades/{deal.trade.public_id}").json()
    paid = {row["key"]: row["amount_minor"] for row in told["payments"] if row["paid_at"]}
    assert len(paid) == 2
    assert {row["payment"]: row["amount_minor"] for row in told["refunds"]} == paid


def test_a_seller_types_instalments_line_by_line() -> None:
    listing = trading.make_listed()
    client, url = signed_in(listing.seller.created_by), reverse("studio_offer", args=[listing.public_id])
    said = {
        "key": posted.new_key(), "name": "In three", "currency": "HKD", "price": "1,000.01",
        "instalments": "30% 0\n40 30\n\n30 60\n",
        "channel": "files", "inspection_days": "7", "jurisdiction": "hk_court", "audience": "everyone",
        "purposes": "internal_analysis", "derived_works": "internal", "redistribution": "none", "territory": "CN",
        "term_months": "12", "personal_data": "none",
    }  # fmt: skip
    for wrong, words in [
        ("30", "Line 1: write a share and a number of days"),
        ("30 0\n70 x", "Line 2: write a share"),
        ("30.001 0\n69.999 1", "Line 1: write a share"),
        ("30 0\n60 1", "are the whole price"),
        ("30 5\n70 5", "the days rise"),
        ("100 0", "Give 2 to 12 instalments"),
        ("30 0\n70 91", "at most 90"),
    ]:
        refused = client.post(url, said | {"instalments": wrong})
        assert refused.status_code == 422 and words in refused.content.decode(), wrong
    assert client.post(url, said).status_code == 302
    assert listing.offers.get(name="In three").instalments == THREE
    assert (
        "Paid in 3 instalments before delivery"
        in client.get(reverse("studio_product", args=[listing.public_id])).content.decode()
    )


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "Paid in 3 instalments before delivery"), ("zh-hans", "交付前分3期付清"), ("zh-hant", "交付前分3期付清")],
)
def test_what_is_due_when_is_told_before_anybody_is_bound(language: str, said: str) -> None:
    listing, buyer = trading.make_market()
    offer = trading.make_offer(listing, instalments=THREE, price_minor=100_001)
    client = signed_in(buyer.created_by)
    headers = {"accept-language": language}
    assert said in client.get(reverse("product", args=[listing.public_id]), headers=headers).content.decode()
    page = client.get(reverse("propose", args=[offer.public_id]), headers=headers).content.decode()
    for amount in ("300.00", "400.00", "300.01"):
        assert f"{amount}</data>" in page, amount
    trade = trading.propose(offer, buyer=buyer).trade
    trading.work()
    trading.work()
    sandbox_bank.act(trade.payments.get().reference, "pay")
    trading.work()
    trading.work()
    page = client.get(trade.get_absolute_url(), headers=headers).content.decode()
    next_part = {
        "en": "The buyer pays instalment 2 of 3: HKD 400.00.",
        "zh-hans": "需方支付第2期款项（共3期）：HKD 400.00。",
    }
    assert next_part.get(language, "需求方支付第2期款項（共3期）：HKD 400.00。") in page
    words = {"en": ("the next to pay", "Payment of instalment 2"), "zh-hans": ("下一期应付", "第2期付款")}
    for word in words.get(language, ("下一期應付", "第2期付款")):
        assert word in page, word
    if language == "en":
        assert "the trade lapses, and what was paid goes back." in page
    assert trade.payments.get(instalment=2).pay_at_url in page.replace("&amp;", "&")
    staff = signed_in(factories.make_staff("support"))
    desk = staff.get(reverse("desk_trade", args=[trade.public_id]), headers=headers).content.decode()
    assert next_part.get(language, "需求方支付第2期款項（共3期）：HKD 400.00。") in desk and 'id="instalments"' in desk
    seller = signed_in(offer.listing.seller.created_by).get(trade.get_absolute_url(), headers=headers)
    assert "300.01</data>" in seller.content.decode() and "you may pay ahead" not in seller.content.decode()


def test_contract_and_quote_name_the_plan() -> None:
    listing, buyer = trading.make_market()
    offer = trading.make_offer(listing, instalments=THREE, price_minor=100_001)
    text = json.dumps(licence_contract.articles(offer, listing.current_version), ensure_ascii=False)
    assert "payable in 3 instalments: 30 % on registration of the trade, 40 % within 30 days of registration" in text
    assert "分3期支付：交易登记时30%，登记后30日内40%，登记后60日内30%" in text
    assert "分3期支付：交易登記時30%，登記後30日內40%，登記後60日內30%" in text
    quotes.make(offer, buyer=buyer, by=buyer.created_by)
    trading.propose(offer, buyer=buyer)
    trading.work()
    for kind in ("quote", "trade_contract"):
        paper = Paper.objects.get(kind=kind)
        assert [part["amount_minor"] for part in paper.record["instalments"]] == [30_000, 40_000, 30_001]
        pdf = typesetting.typeset(kind, paper.record, language="en", verify_url="https://x.test/v", sandbox=True)
        assert "HKD300.01(30%)within60daysofregistration" in "".join(pdf_text.text_of(pdf).split())
        page = signed_in(buyer.created_by).get(reverse("paper", args=[paper.number]))
        assert "HKD 400.00 (40 %) within 30 days of registration" in page.content.decode()
        assert "within 7 days of the contract" not in page.content.decode(), "that is of a price paid at once"


def test_a_contract_without_a_plan_is_as_it_was() -> None:
    """Its text is bound by digests that were agreed to before there were plans."""
    offer = trading.make_offer(trading.make_market()[0])
    clauses = json.dumps(licence_contract.articles(offer, offer.listing.current_version), ensure_ascii=False)
    assert "The price is HKD 1,250.00. The buyer pays it into escrow;" in clauses
    deal = trading.propose(offer, buyer=trading.make_market()[1])
    trading.work()
    assert "instalments" not in Paper.objects.get(kind="trade_contract").record
    assert deal.state == TradeState.REGISTERED


def test_the_desk_applies_what_pays_an_instalment() -> None:
    deal = trading.propose(
        trading.make_offer(trading.make_market()[0], instalments=THREE, price_minor=100_001),
        buyer=trading.make_market()[1],
    )
    trading.work()
    desk = signed_in(factories.make_staff("payments"))
    trading.pay(deal, "pay_less")
    assert "Less than the price has arrived." in desk.get(reverse("desk_payments")).content.decode()
    sandbox_bank.act(deal.payment.reference, "pay", amount_minor=1)
    trading.work()
    page = desk.get(reverse("desk_payments")).content.decode()
    assert "Less than the price has arrived." not in page
    trades.apply_suspense(deal.trade, by=factories.make_staff("payments"))
    assert deal.trade.instalments.exclude(paid_at=None).count() == 1
