"""The market in figures: what counts, what is withheld, and that its pages cost the same however much is traded."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils.translation import override

from marketplace import clock
from settlement import market, tasks, track_record, trades
from settlement.market import Part, Turnover
from settlement.models import Trade
from tests import factories, trading

pytestmark = pytest.mark.django_db


def counted() -> market.Market:
    """The figures of this moment."""
    cache.delete(market.KEPT_AS)
    return market.figures()


def clear(number: int) -> list[trading.Deal]:
    """So many trades of one offer, cleared together."""
    offer = trading.make_offer()
    deals = [trading.propose(offer) for _ in range(number)]
    trading.work()
    for deal in deals:
        trading.pay(deal)
        trades.accept(deal.reload(), by=deal.buyer)
    trading.clear_now()
    return deals


def test_a_market_without_trades_has_twelve_empty_months() -> None:
    found = counted()
    assert [part.key for part in found.months][-1] == f"{clock.today():%Y-%m}"
    assert len(found.months) == market.MONTHS and not any(part.turnover for part in found.months)
    assert (found.today, found.whole, found.sectors, found.regions, found.listed) == ([], [], [], [], {})


def test_a_trade_counts_once_it_is_cleared_and_few_of_them_tell_no_sum() -> None:
    deals = clear(2)
    price, currency = deals[0].trade.price_minor, deals[0].trade.currency
    trading.propose(trading.make_offer())
    assert counted().whole == [Turnover(currency, 2, None)]
    clear(1)
    found = counted()
    assert found.today == found.whole == [Turnover(currency, 3, 3 * price)]
    assert found.months[-1].turnover == found.whole
    assert found.regions == [Part("HK/HK", [Turnover(currency, 3, 3 * price)])]
    assert found.listed == {"dataset": 3} and found.sellers == 3


@pytest.mark.parametrize(
    ("numbers", "withheld"),
    [([3, 4], set()), ([2, 9, 4], {0, 2}), ([1, 2, 8], {0, 1}), ([1], {0}), ([1, 1], {0, 1}), ([], set())],
)
def test_a_withheld_sum_cannot_be_had_by_subtraction(numbers: list[int], withheld: set[int]) -> None:
    assert market._withheld(numbers) == withheld


def test_the_figures_are_counted_again_after_a_minute_only() -> None:
    counted()
    clear(1)
    assert market.figures().whole == []


def test_anybody_reads_the_market_in_their_language(django_assert_max_num_queries) -> None:
    clear(3)
    cache.delete(market.KEPT_AS)
    for language, words in (("en", "By sector"), ("zh-hans", "按行业"), ("zh-hant", "按行業")):
        with override(language):
            answer = Client(headers={"Accept-Language": language}).get("/market/")
        assert answer.status_code == 200 and words in answer.content.decode()
    with django_assert_max_num_queries(0):
        told = Client().get("/api/v1/market").json()
    assert told["whole"][0]["trades"] == 3 and told["sectors"][0]["turnover"] == told["whole"]


# --- a merchant's record -------------------------------------------------------------------------------------------


def test_a_record_counts_what_became_of_a_merchants_trades() -> None:
    deal = trading.make_trade("delivered")
    seller = deal.trade.seller
    trades.dispute(deal.trade, reason="Half of the rows are empty.", by=deal.buyer)
    record = track_record.of(seller)
    assert (record.settled, record.disputed, record.lost) == (0, track_record.Counted(1, 1), 0)
    assert record.delivered == track_record.Counted(1, 1) and record.answered == track_record.Counted(1, 1)
    assert record.delivery_time is not None and record.delivery_time >= dt.timedelta(0)
    trades.resolve(
        deal.reload().dispute, refund_minor=deal.trade.price_minor, resolution="The rows are empty.",
        by=factories.make_staff("disputes"),
    )  # fmt: skip
    assert track_record.of(seller).lost == 1


def test_a_request_that_nobody_answered_in_time_counts_against_the_merchant() -> None:
    deal = trading.make_trade("proposed")
    seller = deal.trade.seller
    assert track_record.of(seller).answered == track_record.Counted(0, 0)
    Trade.objects.filter(pk=deal.trade.pk).update(agree_until=clock.now() - dt.timedelta(days=1))
    tasks.expire_trades()
    assert deal.reload().state == "expired"
    assert track_record.of(seller).answered == track_record.Counted(0, 1)


def test_few_trades_give_no_share() -> None:
    assert track_record.Counted(1, 4).share is None
    assert track_record.Counted(4, 5).share == 80


def test_a_merchants_page_shows_its_products_and_its_record() -> None:
    deal = clear(1)[0]
    page = Client().get(f"/merchants/{deal.trade.seller.public_id}/")
    text = page.content.decode()
    assert page.status_code == 200
    assert deal.trade.version.title in text and deal.trade.listing.get_absolute_url() in text
    assert str(deal.trade.buyer.name) not in text and "1 of 1" in text


def test_who_never_registered_a_product_has_no_page() -> None:
    organisation = trading.make_verified()
    assert Client().get(f"/merchants/{organisation.public_id}/").status_code == 404
    assert Client().get("/merchants/nobody/").status_code == 404


@pytest.mark.parametrize("page", ["market", "merchant"])
def test_the_pages_cost_the_same_however_much_is_traded(page: str, django_assert_max_num_queries) -> None:
    first = trading.make_listed()
    trading.make_offer(first)
    url = "/market/" if page == "market" else f"/merchants/{first.seller.public_id}/"
    with django_assert_max_num_queries(25) as few:
        Client().get(url)
    for _ in range(2):
        trading.make_offer(trading.make_listed(first.seller))
    clear(2)
    cache.delete(market.KEPT_AS)
    with django_assert_max_num_queries(len(few)):
        assert Client().get(url).status_code == 200
