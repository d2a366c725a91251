"""Quotes: what an offer costs a buyer until when, on a paper, and the order that keeps that price."""

from __future__ import annotations

import datetime as dt
import html
import re
from functools import partial

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from listings import discounts, offers
from marketplace import clock, documents, paper_words
from marketplace.errors import Refused, RoleNeeded
from marketplace.models import Event, Paper
from settlement import quotes
from settlement.models import Quote, Trade
from tests import factories, pdf_text, trading
from tests.races import together
from tests.settlement.test_blocks_of_calls import STEPS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path):
    settings.STORAGE_DIR = tmp_path / "storage"


def make(offer=None, buyer=None, **facts) -> Quote:
    buyer = buyer or trading.make_verified()
    return quotes.make(
        offer or trading.make_offer(), buyer=buyer, purpose="Berth planning", by=buyer.created_by, **facts
    )


def lower(offer, percent: int, days: float):
    until = clock.now() + dt.timedelta(days=days)
    return discounts.set_discount(offer, percent=percent, valid_until=until, by=offer.created_by)


def state(quote: Quote) -> str:
    return quotes.state_of(quotes.of(quote.buyer).get(pk=quote.pk))


def paper_of(quote: Quote) -> Paper:
    return Paper.objects.get(kind="quote", subject_id=quote.pk)


# --- what is quoted ------------------------------------------------------------------------------------------------


def test_a_quote_names_the_price_less_the_discount_on_a_paper_that_is_the_same_each_time():
    offer = trading.make_offer()
    discount = lower(offer, 20, days=5)
    quote = make(offer)
    assert (quote.price_minor, quote.discount, quote.valid_until) == (100_000, discount, discount.valid_until)
    paper = paper_of(quote)
    record = paper.record
    assert [record[f"{part}_minor"] for part in ("price", "list_price", "gross")] == [100_000, 125_000, 100_000]
    assert (record["discount_percent"], record["plan"], record["purpose"]) == (20, offer.name, "Berth planning")
    assert list(paper.readers.all()) == [quote.buyer] and paper.number.startswith("QT-")
    for language, said in (("en", "HKD 1,250.00"), ("zh-hans", "标价HKD 1,250.00减20%"), ("zh-hant", "不構成")):
        pdf = documents.pdf(paper, language=language)
        assert pdf == documents.pdf(paper, language=language)
        text = "".join(pdf_text.text_of(pdf).split())
        assert paper.digest in text
        if language != "zh-hant":
            assert said.replace(" ", "") in text
        assert paper_words.rows(record, language)
    client = Client()
    checked = client.get(documents.verify_url(paper).removeprefix("http://testserver")).content.decode()
    assert "1,000.00" in checked and offer.name in checked
    assert 'id="lapsed"' not in checked
    with clock.moved_to(quote.valid_until):
        assert 'id="lapsed"' in client.get(f"/verify/{paper.number}/").content.decode()
    assert Event.objects.filter(kind="quote.made").count() == 1


def test_a_block_is_quoted_with_its_calls():
    quote = make(trading.make_offer(price_minor=None, steps=STEPS, most_quantity=5_000), quantity=1_200)
    assert (quote.unit_price_minor, quote.price_minor) == (400, 480_000)
    assert paper_of(quote).record["quantity"] == 1_200


def test_it_stands_for_so_many_days_or_until_its_offer_ends(settings):
    settings.QUOTE_DAYS = 3
    now = clock.now()
    assert abs(make().valid_until - now - dt.timedelta(days=3)) < dt.timedelta(minutes=5)
    until = now + dt.timedelta(days=1)
    assert make(trading.make_offer(open_until=until)).valid_until == until


@pytest.mark.parametrize(
    ("changes", "code"), [({"price_minor": 0}, "not_quoted"), ({"audience": "on_request"}, "not_quoted")]
)
def test_what_is_free_or_on_request_is_not_quoted(changes, code):
    with pytest.raises(Refused) as refusal:
        make(trading.make_offer(**changes))
    assert refusal.value.code == code and not Quote.objects.exists()


def test_who_may_not_buy_gets_no_quote():
    offer = trading.make_offer()
    with pytest.raises(Refused) as refusal:
        make(offer, factories.make_organisation())
    assert refusal.value.next
    buyer = trading.make_verified()
    with pytest.raises(RoleNeeded):
        quotes.make(offer, buyer=buyer, by=factories.make_member(buyer, "viewer"))
    assert not Quote.objects.exists() and not Paper.objects.filter(kind="quote").exists()


@pytest.mark.django_db(transaction=True)
def test_an_organisation_makes_so_many_a_day_even_at_once(settings):
    settings.QUOTES_A_DAY = 2
    offer, buyer = trading.make_offer(), trading.make_verified()
    answers = together([lambda: make(offer, buyer)] * 4)
    assert sorted(answers) == ["done", "done", "too_many_quotes", "too_many_quotes"]
    with clock.moved_to(clock.now() + dt.timedelta(days=1, minutes=1)):
        make(offer, buyer)
    make(offer)


@pytest.mark.django_db(transaction=True)
def test_who_asks_for_a_quote_while_offer_or_discount_ends_gets_one_or_a_refusal():
    for _ in range(3):
        offer = trading.make_offer()
        discount = lower(offer, 20, days=5)
        buyers = [trading.make_verified() for _ in range(2)]
        commands = [partial(make, offer, buyer) for buyer in buyers]
        commands.append(partial(discounts.end_discount, discount, by=offer.created_by))
        commands.append(partial(offers.close_offer, offer, by=offer.created_by))
        answers = together(commands)
        assert len(answers) == 4 and set(answers) <= {"done", "not_on_sale"}
        assert answers.count("done") == 2 + Quote.objects.filter(offer=offer).count()


# --- what becomes of it --------------------------------------------------------------------------------------------


def test_an_order_by_a_quote_has_its_price_and_uses_it_once():
    quote = make()
    trade = quotes.order(quote, by=quote.made_by, purpose="Berth planning")
    quote.refresh_from_db()
    assert (trade.price_minor, quote.trade, state(quote)) == (125_000, trade, "used")
    with pytest.raises(Refused):
        quotes.order(quote, by=quote.made_by)
    assert Trade.objects.count() == 1


def test_a_quote_ends_with_its_time_its_offer_or_its_price():
    offer = trading.make_offer()
    buyer = trading.make_verified()
    plain = make(offer, buyer)
    with clock.moved_to(plain.valid_until):
        assert state(plain) == "lapsed"
    discount = lower(offer, 20, days=5)
    lowered = make(offer, buyer)
    assert (state(plain), state(lowered)) == ("price_changed", "valid")
    discounts.end_discount(discount, by=offer.created_by)
    assert (state(plain), state(lowered)) == ("valid", "price_changed")
    with pytest.raises(Refused) as refusal:
        quotes.order(lowered, by=buyer.created_by)
    assert refusal.value.code == "quote_not_valid"
    offers.close_offer(offer, by=offer.created_by)
    assert state(plain) == "offer_closed"


@pytest.mark.django_db(transaction=True)
def test_two_who_order_by_one_quote_at_once_make_one_trade():
    quote = make()
    assert sorted(together([lambda: quotes.order(quote, by=quote.made_by)] * 3)) == [
        "done",
        "quote_not_valid",
        "quote_not_valid",
    ]
    assert Trade.objects.count() == 1


# --- what PostgreSQL refuses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [{"price_minor": 1}, {"currency": "CNY"}, {"quantity": 5, "unit_price_minor": 25_000}, {"days": -1}],
)
def test_the_database_refuses_a_quote_of_another_price(changes):
    quote = make()
    facts = {"offer": quote.offer, "buyer": quote.buyer, "made_by": quote.made_by, "price_minor": quote.price_minor}
    until = quote.valid_until + dt.timedelta(days=15 * changes.pop("days", 0))
    with pytest.raises(IntegrityError), transaction.atomic():
        Quote.objects.create(**facts | {"currency": quote.currency, "valid_until": until} | changes)


def test_the_database_keeps_a_quote_as_it_was_made():
    quote, other = make(), trading.propose().trade
    for changes in ({"price_minor": 1}, {"valid_until": clock.now()}, {"trade": other}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Quote.objects.filter(pk=quote.pk).update(**changes)


# --- pages and API -------------------------------------------------------------------------------------------------


def test_from_the_buying_page_to_a_quote_and_from_it_to_an_order():
    offer, buyer = trading.make_offer(), trading.make_verified()
    client = Client()
    client.force_login(buyer.created_by)
    buying = reverse("propose", args=[offer.public_id])
    page = client.get(buying).content.decode()
    key = re.search(r'name="key" value="([^"]*)"', page)[1]
    made = client.post(reverse("new_quote", args=[offer.public_id]), {"key": key, "purpose": "Pilots", "quantity": ""})
    assert made.url == reverse("quotes")
    quote = Quote.objects.get()
    shown = client.get(made.url).content.decode()
    assert paper_of(quote).number in shown and f"{buying}?quote={quote.public_id}" in shown
    page = client.get(f"{buying}?quote={quote.public_id}").content.decode()
    assert "You order by a quote" in page and "Pilots" in page
    fields = dict(re.findall(r'name="(key|text_digest|price_minor|quote)" value="([^"]*)"', page))
    said = {name: html.unescape(value) for name, value in fields.items()} | {"purpose": "Pilots", "accept": "on"}
    assert client.post(buying, said).status_code == 302
    quote.refresh_from_db()
    assert quote.trade == Trade.objects.get()
    assert "Ordered" in client.get(made.url).content.decode()
    stranger = Client()
    stranger.force_login(trading.make_verified().created_by)
    assert paper_of(quote).number not in stranger.get(made.url).content.decode()
    assert "You order by a quote" not in stranger.get(f"{buying}?quote={quote.public_id}").content.decode()


def test_a_number_of_calls_that_is_none_is_refused():
    offer, buyer = trading.make_offer(price_minor=None, steps=STEPS, most_quantity=5_000), trading.make_verified()
    client = Client()
    client.force_login(buyer.created_by)
    for typed in ("x", "-1", "9" * 40, ""):
        answer = client.post(reverse("new_quote", args=[offer.public_id]), {"key": "k" * 20, "quantity": typed})
        assert answer.status_code == 422 and "quantity_needed" in answer.content.decode()
