"""Offers priced per call: a block is bought at once at an exact price, and no more calls are used than were bought."""

from __future__ import annotations

import csv
import datetime as dt
import io
import threading
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from listings import licence_contract, pricing
from listings.models import Offer
from marketplace import clock, posted, typesetting
from marketplace.errors import Invalid, Refused
from marketplace.models import Paper
from settlement import deliveries, ledger, renewals, tasks, trades
from settlement.channels.files import links
from settlement.gateways import Bounds, gateway
from settlement.models import Call, Receipt, Trade
from settlement.states import TradeState
from tests import factories, pdf_text, trading

pytestmark = pytest.mark.django_db
STEPS = [{"from_quantity": 100, "unit_price_minor": 500}, {"from_quantity": 1_000, "unit_price_minor": 400}]


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path):
    settings.STORAGE_DIR = tmp_path / "storage"


def make_offer(listing=None, **changes) -> Offer:
    facts = {"price_minor": None, "steps": STEPS, "most_quantity": 5_000} | changes
    return trading.make_offer(listing, **facts)


def buy(quantity: int | None, offer: Offer | None = None) -> trading.Deal:
    offer = offer or make_offer()
    buyer = trading.make_verified()
    trade = trades.propose(offer, buyer=buyer, quantity=quantity, by=buyer.created_by)
    return trading.Deal(trade, buyer.created_by, offer.listing.seller.created_by)


def delivered(quantity: int, **changes) -> trading.Deal:
    deal = buy(quantity, make_offer(**changes))
    trading.work()
    trading.pay(deal)
    assert deal.state == TradeState.DELIVERED
    return deal


# --- what it costs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantity", "unit", "price"),
    [(100, 500, 50_000), (999, 500, 499_500), (1_000, 400, 400_000), (5_000, 400, 2_000_000)],
)
def test_every_call_costs_the_price_of_the_highest_step_the_block_reaches(quantity, unit, price):
    trade = buy(quantity).trade
    assert (trade.quantity, trade.unit_price_minor, trade.price_minor) == (quantity, unit, price)


@pytest.mark.parametrize(
    ("quantity", "code"),
    [
        (None, "quantity_needed"),
        (99, "quantity_out_of_range"),
        (5_001, "quantity_out_of_range"),
        (-1, "quantity_out_of_range"),
    ],
)
def test_what_is_not_sold_is_refused_with_a_next_step(quantity, code):
    with pytest.raises(Invalid) as refusal:
        buy(quantity)
    assert refusal.value.code == code
    assert str(refusal.value.next) == "Take 100 to 5,000 calls."
    assert not Trade.objects.exists()


def test_an_offer_with_one_price_takes_no_quantity():
    with pytest.raises(Invalid) as refusal:
        buy(5, trading.make_offer())
    assert refusal.value.code == "quantity_not_wanted"


def test_a_larger_block_that_costs_less_is_named():
    offer = Offer(currency="HKD", steps=STEPS, most_quantity=5_000)
    dear = pricing.priced(offer, 999)
    assert pricing.cheaper(offer, dear) == pricing.priced(offer, 1_000)
    assert pricing.cheaper(offer, pricing.priced(offer, 100)) is None
    assert pricing.cheaper(offer, pricing.priced(offer, 5_000)) is None


@given(
    st.lists(st.tuples(st.integers(1, 10_000), st.integers(1, 10_000)), min_size=1, max_size=10),
    st.integers(1, 20_000),
)
def test_a_block_is_its_calls_times_the_least_price_it_reaches(drawn, quantity):
    starts = sorted({start for start, _price in drawn})
    prices = sorted({price for _start, price in drawn}, reverse=True)
    steps = [{"from_quantity": start, "unit_price_minor": price} for start, price in zip(starts, prices, strict=False)]
    offer = Offer(currency="HKD", steps=steps, most_quantity=20_000)
    if quantity < steps[0]["from_quantity"]:
        with pytest.raises(Invalid):
            pricing.priced(offer, quantity)
        return
    block = pricing.priced(offer, quantity)
    reached = [step["unit_price_minor"] for step in steps if step["from_quantity"] <= quantity]
    assert block.price_minor == quantity * min(reached)


# --- what may be offered -------------------------------------------------------------------------------------------

STEP = {"from_quantity": 1, "unit_price_minor": 10}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"price_minor": 500}, "wrong_price_minor"),
        ({"steps": [STEPS[1], STEPS[0]]}, "wrong_steps"),
        ({"steps": [STEP, STEP]}, "wrong_steps"),
        ({"steps": [STEP, {"from_quantity": 5, "unit_price_minor": 10}]}, "wrong_steps"),
        ({"steps": [STEP | {"unit_price_minor": 0}]}, "wrong_steps"),
        ({"steps": [STEP | {"from_quantity": 0}]}, "wrong_steps"),
        ({"steps": [STEP | {"unit_price_minor": 1.5}]}, "wrong_steps"),
        ({"steps": [STEP | {"unit_price_minor": True}]}, "wrong_steps"),
        ({"steps": [STEP | {"more": 1}]}, "wrong_steps"),
        ({"steps": ["100 5.00"]}, "wrong_steps"),
        ({"steps": "steps"}, "wrong_steps"),
        ({"steps": [STEP | {"from_quantity": n + 1, "unit_price_minor": 20 - n} for n in range(11)]}, "wrong_steps"),
        ({"steps": [STEP | {"unit_price_minor": 2**53 - 1}], "most_quantity": 2}, "wrong_steps"),
        ({"most_quantity": None}, "wrong_most_quantity"),
        ({"most_quantity": 999}, "wrong_most_quantity"),
        ({"most_quantity": "5000"}, "wrong_most_quantity"),
        ({"steps": [], "price_minor": 500}, "wrong_most_quantity"),
    ],
)
def test_steps_that_cannot_be_are_refused(changes, code):
    listing = factories.make_listed_product()
    with pytest.raises(Invalid) as refusal:
        make_offer(listing, **changes)
    assert [reason["code"] for reason in refusal.value.as_json()["reasons"]] == [code]
    assert listing.offers.count() == 1


def refused_by_the_database(row, says: str, **changes) -> None:
    """Another row like this one, but for `changes`, does not come into being; one that is like it does."""
    fresh = {"pk": None, "_state": type(row)()._state} | ({"state": "proposed"} if isinstance(row, Trade) else {})
    sound = {name: getattr(row, name) for name in changes}
    for name, value in (fresh | {"public_id": "another"} | changes).items():
        setattr(row, name, value)
    with pytest.raises(DatabaseError, match=says), transaction.atomic():
        row.save(force_insert=True)
    for name, value in (fresh | sound).items():
        setattr(row, name, value)
    row.save(force_insert=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": [STEPS[1], STEPS[0]], "price_minor": 400_000},
        {"steps": [{"from_quantity": 100}], "price_minor": 0},
        {"steps": [{"from_quantity": 0, "unit_price_minor": 5}], "price_minor": 0},
        {"price_minor": 400},
        {"most_quantity": 999},
        {"most_quantity": None},
        {"steps": []},
    ],
)
def test_the_database_refuses_steps_that_cannot_be(changes):
    refused_by_the_database(make_offer(), "out of order|of its least block", **changes)


def test_the_database_never_changes_steps():
    offer = make_offer()
    for changes in ({"steps": []}, {"most_quantity": 9_000}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Offer.objects.filter(pk=offer.pk).update(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": 99, "unit_price_minor": 500, "price_minor": 49_500},
        {"quantity": 5_001, "unit_price_minor": 400, "price_minor": 2_000_400},
        {"quantity": 1_000, "unit_price_minor": 500, "price_minor": 500_000},
        {"quantity": 100, "unit_price_minor": 500, "price_minor": 49_999},
        {"quantity": None, "unit_price_minor": None},
        {"quantity": 100, "unit_price_minor": None},
    ],
)
def test_the_database_refuses_a_trade_that_is_not_priced_as_the_offer_is(changes):
    refused_by_the_database(buy(100).trade, "does not cost|block_costs_its_calls", **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": 1_000, "unit_price_minor": 125},
        {"price_minor": 124_999},
        {"price_minor": 125_001},
        {"price_minor": 0},
        {"currency": "CNY"},
    ],
)
def test_the_database_refuses_another_quantity_price_or_currency_than_an_offer_of_one_price_has(changes):
    refused_by_the_database(trading.propose().trade, "does not cost", **changes)


def test_the_database_refuses_a_trade_of_one_product_by_the_offer_of_another():
    other = trading.make_offer()
    refused_by_the_database(trading.propose().trade, "does not cost", listing=other.listing)


# --- the road of a block ------------------------------------------------------------------------------------------


def test_a_block_is_paid_used_and_settled_to_the_cent():
    deal = delivered(1_200)
    assert deal.payment.amount_minor == 480_000
    trades.accept(deal.trade, by=deal.buyer)
    trading.clear_now()
    assert deal.state == TradeState.SETTLED
    assert ledger.reconcile() == []
    tasks.issue_invoices()
    said: dict[str, list[tuple[int | None, int | None]]] = {}
    for paper in Paper.objects.filter(kind__in=["trade_contract", "trade_certificate", "invoice"]).order_by("pk"):
        said.setdefault(paper.kind, []).append((paper.record.get("quantity"), paper.record.get("unit_price_minor")))
    assert said.pop("invoice").count((1_200, 400)) == 1, "that of the licence, not that of the fee"
    assert said == {"trade_contract": [(1_200, 400)], "trade_certificate": [(1_200, 400)]}


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "3 at HKD 9.00 each"), ("zh-hans", "3次，每次HKD 9.00"), ("zh-hant", "3次，每次HKD 9.00")],
)
def test_the_papers_print_how_many_calls_at_what_price(language, said):
    deal = delivered(3, **ONE)
    contract = Paper.objects.get(kind="trade_contract")
    pdf = typesetting.typeset(
        "trade_contract", contract.record, language=language, verify_url="https://x.test/v", sandbox=True
    )
    assert said.replace(" ", "") in "".join(pdf_text.text_of(pdf).split())
    page = signed_in(deal.buyer).get(reverse("paper", args=[contract.number]), headers={"accept-language": language})
    assert said in page.content.decode()


def test_the_contract_names_the_steps_and_the_block_its_number():
    offer = make_offer()
    version = offer.listing.current_version
    text = {
        language: " ".join(clause for one in articles for clause in one["clauses"])
        for language, articles in licence_contract.articles(offer, version).items()
    }
    assert "HKD 5.00 a call from 100 calls on, HKD 4.00 a call from 1,000 calls on, at most 5,000 calls." in text["en"]
    assert "100次起每次HKD 5.00，1,000次起每次HKD 4.00，最多5,000次。" in text["zh-hans"]
    assert "許可期滿時未使用的次數作廢。" in text["zh-hant"]


def test_a_renewal_takes_the_same_block_again():
    deal = delivered(150)
    trades.accept(deal.trade, by=deal.buyer)
    renewals.keep(deal.reload(), by=deal.buyer)
    with clock.moved_to(deal.trade.grant.ends_at - dt.timedelta(days=1)):
        tasks.renew_licences()
    new = Trade.objects.get(renews=deal.trade)
    assert (new.quantity, new.price_minor) == (150, 75_000)


def path_to(deal: trading.Deal, name: str, *, at: dt.datetime | None = None) -> str:
    signed = links.links(deal.reload().grant, by=deal.buyer)
    return urlsplit(next(link["url"] for link in signed if link["path"] == name)).path


def fetch(url: str, **headers: str):
    response = Client().get(url, headers=headers)
    if response.streaming:
        b"".join(response.streaming_content)
    return response


ONE = {"steps": [{"from_quantity": 1, "unit_price_minor": 900}], "most_quantity": 10}


def test_one_link_is_one_call_and_when_all_are_used_the_next_is_refused(monkeypatch):
    deal = delivered(2, **ONE)
    [name] = [file.path for file in deal.trade.release.files.all()]
    first = path_to(deal, name)
    assert fetch(first).status_code == 200
    assert fetch(first, range="bytes=1-").status_code == 206
    assert fetch(path_to(deal, "SHA256SUMS")).status_code == 200
    assert [(call.number, len(call.key)) for call in Call.objects.all()] == [(1, 64)]
    monkeypatch.setattr("django.core.signing.time.time", lambda: clock.now().timestamp() + 5)
    second = path_to(deal, name)
    assert second != first and fetch(second).status_code == 200
    monkeypatch.setattr("django.core.signing.time.time", lambda: clock.now().timestamp() + 10)
    refused = fetch(path_to(deal, name), accept="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "calls_used_up")
    assert refused.json()["next"]
    assert fetch(second).status_code == 200, "what was paid may still be fetched by its link"
    assert (Call.objects.count(), Receipt.objects.count()) == (2, 5)


def test_a_licence_at_one_price_counts_no_calls():
    deal = trading.make_trade(TradeState.DELIVERED)
    [file] = deal.trade.release.files.all()
    assert fetch(path_to(deal, file.path)).status_code == 200
    assert not Call.objects.exists()


@pytest.mark.parametrize("number", [0, 2, 3])
def test_the_database_counts_calls_one_by_one_and_no_more_than_were_bought(number):
    grant = delivered(1, **ONE).trade.grant
    with pytest.raises(DatabaseError), transaction.atomic():
        Call.objects.create(grant=grant, number=number, key="k")
    Call.objects.create(grant=grant, number=1, key="k")
    for again in (1, 2):
        with pytest.raises(DatabaseError), transaction.atomic():
            Call.objects.create(grant=grant, number=again, key="another")
    with pytest.raises(DatabaseError), transaction.atomic():
        Call.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_of_six_who_take_the_last_call_one_gets_it():
    grant = delivered(1, **ONE).trade.grant
    start, outcomes = threading.Barrier(6), []

    def use(key: str) -> None:
        start.wait(30)
        try:
            deliveries.leave_receipt(grant, path="a", sha256="0" * 64, first_byte=0, size_bytes=1, by=None, call=key)
            outcomes.append("done")
        except Refused as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=use, args=(f"call {place}",)) for place in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["calls_used_up"] * 5 + ["done"]
    assert (Call.objects.count(), Receipt.objects.count()) == (1, 1)


# --- pages and API -------------------------------------------------------------------------------------------------


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_total_is_shown_before_anything_is_agreed_without_a_script():
    offer, buyer = make_offer(), trading.make_verified()
    client, url = signed_in(buyer.created_by), reverse("propose", args=[offer.public_id])
    page = client.get(url).content.decode()
    assert 'name="quantity"' in page and "100 × HKD 5.00 = HKD 500.00" in page and "Buy for HKD 500.00" in page
    shown = client.post(
        url, {"show": "total", "quantity": "999", "purpose": "Research", "key": posted.new_key()}
    ).content.decode()
    assert "999 × HKD 5.00 = HKD 4,995.00" in shown and "1,000 calls would cost less: HKD 4,000.00." in shown
    assert "Research</textarea>" in shown and not Trade.objects.exists()
    for nonsense in ("7", "", "many", "9" * 400, "１٣"):
        page = client.post(url, {"show": "total", "quantity": nonsense}).content.decode()
        assert "Take 100 to 5,000 calls." in page


def test_a_block_is_bought_on_the_page_and_what_is_not_sold_is_told_beside_the_field():
    offer, buyer = make_offer(), trading.make_verified()
    client, url = signed_in(buyer.created_by), reverse("propose", args=[offer.public_id])
    said = {"key": posted.new_key(), "purpose": "Research", "accept": "on", "text_digest": ""}
    refused = client.post(url, said | {"quantity": "5001"})
    assert refused.status_code == 422 and "blocks of 100 to 5,000 calls" in refused.content.decode()
    assert client.post(url, said).status_code == 422
    bought = client.post(url, said | {"key": posted.new_key(), "quantity": "1000"})
    assert bought.status_code == 302
    trade = Trade.objects.get()
    assert (trade.quantity, trade.price_minor) == (1_000, 400_000)
    page = client.get(bought["Location"]).content.decode()
    assert "1,000 × HKD 4.00" in page


def test_library_orders_and_spreadsheets_say_how_many_calls_are_left():
    deal = delivered(2, **ONE)
    [file] = deal.trade.release.files.all()
    assert fetch(path_to(deal, file.path)).status_code == 200
    client = signed_in(deal.buyer)
    assert "Calls used: 1 of 2." in client.get(reverse("library")).content.decode()
    assert "Calls used: 1 of 2." in client.get(deal.trade.get_absolute_url()).content.decode()
    [licence] = client.get("/api/v1/licences").json()["results"]
    assert (licence["quantity"], licence["calls_used"]) == (2, 1)
    for url, said in [
        ("/library/licences.csv", {"calls": "2", "calls_used": "1"}),
        ("/orders/orders.csv", {"calls": "2", "unit_price": "9.00", "price": "18.00"}),
    ]:
        answer = client.get(url)
        text = b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode()
        [row] = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
        assert said.items() <= row.items()


def test_a_seller_who_is_asked_sees_how_many_calls_are_wanted():
    deal = buy(1_200, make_offer(audience="on_request"))
    assert deal.state == TradeState.PROPOSED
    page = signed_in(deal.seller).get(reverse("studio_requests")).content.decode()
    assert "1,200 × HKD 4.00" in page
    trades.agree(deal.trade, by=deal.seller)
    assert deal.trade.price_minor == 480_000


@pytest.mark.parametrize("language", ["en", "zh-hans", "zh-hant"])
def test_prices_per_call_are_shown_wherever_offers_are(language):
    offer = make_offer()
    for name, args in [("catalogue", []), ("product", [offer.listing.public_id])]:
        page = Client().get(reverse(name, args=args), headers={"accept-language": language}).content.decode()
        assert "4.00</data>" in page.replace('<span class="currency">HKD</span>', "")
    compared = Client().get(reverse("compare") + f"?p={offer.listing.public_id}", headers={"accept-language": language})
    assert "HKD 4.00" in compared.content.decode()


def test_the_catalogue_finds_a_price_per_call_by_its_least_block():
    offer = make_offer()
    for price, is_found in (("HKD-1", True), ("HKD-2", False), ("paid", True), ("free", False)):
        page = Client().get(reverse("catalogue"), {"price": price}).content.decode()
        assert (offer.listing.public_id in page) == is_found, price


def test_a_seller_types_steps_line_by_line():
    listing = trading.make_listed()
    seller = listing.seller.created_by
    client, url = signed_in(seller), reverse("studio_offer", args=[listing.public_id])
    said = {
        "key": posted.new_key(), "name": "By the call", "currency": "HKD", "steps": "100 5.00\n1,000 4\n",
        "most_quantity": "5000",
        "channel": "files", "inspection_days": "7", "jurisdiction": "hk_court", "audience": "everyone",
        "purposes": "internal_analysis", "derived_works": "internal", "redistribution": "none", "territory": "CN",
        "term_months": "12", "personal_data": "none",
    }  # fmt: skip
    for wrong, words in [
        ({"steps": "100"}, "Line 1: write a number of calls and a price"),
        ({"steps": "100 5.00\n1000 5.00"}, "the price of one falls"),
        ({"price": "5"}, "one price, or prices per call, not both"),
        ({"most_quantity": "5"}, "at least as many as the last step"),
        ({"steps": "", "most_quantity": ""}, "Enter an amount"),
    ]:
        refused = client.post(url, said | wrong)
        assert refused.status_code == 422 and words in refused.content.decode(), wrong
    assert client.post(url, said).status_code == 302
    made = listing.offers.get(name="By the call")
    assert (made.steps, made.most_quantity, made.price_minor) == (STEPS, 5_000, 50_000)


def test_the_api_offers_sells_and_tells_a_block():
    listing, buyer = trading.make_listed(), trading.make_verified()
    seller, buying = signed_in(listing.seller.created_by), signed_in(buyer.created_by)
    body = {
        "name": "By the call", "currency": "HKD", "steps": STEPS, "most_quantity": 5_000,
        "terms": make_offer(listing).terms,
    }  # fmt: skip
    url = f"/api/v1/listings/{listing.public_id}/offers"
    made = seller.post(url, body, content_type="application/json", headers={"idempotency-key": "a"})
    assert made.status_code == 201, made.content
    assert (made.json()["steps"], made.json()["price_minor"]) == (STEPS, 50_000)
    ask = {"offer": made.json()["public_id"], "quantity": 2_000}
    refused = buying.post(
        "/api/v1/trades", ask | {"quantity": None}, content_type="application/json", headers={"idempotency-key": "b"}
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "quantity_needed")
    bought = buying.post("/api/v1/trades", ask, content_type="application/json", headers={"idempotency-key": "c"})
    assert bought.status_code == 201, bought.content
    assert (bought.json()["quantity"], bought.json()["unit_price_minor"]) == (2_000, 400)
    assert bought.json()["price_minor"] == 800_000


def test_what_the_gateway_takes_is_asked_of_the_block(monkeypatch):
    offer, buyer = make_offer(), trading.make_verified()
    bounds = {"HKD": Bounds(1, 100_000, 1)}
    can = replace(gateway("sandbox").capabilities(), bounds=bounds)
    monkeypatch.setattr("settlement.gateways.sandbox.Sandbox.capabilities", lambda _self: can)
    with pytest.raises(Invalid) as refusal:
        trades.propose(offer, buyer=buyer, quantity=201, by=buyer.created_by)
    assert refusal.value.code == "amount_too_large"
    page = signed_in(buyer.created_by).get(reverse("propose", args=[offer.public_id]), {"quantity": "201"})
    assert "amount_too_large" in page.content.decode()
    assert trades.propose(offer, buyer=buyer, quantity=200, by=buyer.created_by).price_minor == 100_000
