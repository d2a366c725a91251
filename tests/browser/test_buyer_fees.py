"""A buyer reads its fee and the total before it commits, pays both, and finds the fee's invoice, without scripts."""

from __future__ import annotations

import pytest
from django.urls import reverse

from settlement import tasks, trades
from settlement.gateways import sandbox_bank
from settlement.states import TradeState
from tests import trading
from tests.browser.conftest import signed_in
from tests.settlement.test_buyer_fees import take_of_buyers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("language", "width"), [("en", 390), ("zh-Hans", 1280)])
def test_price_fee_and_total_are_told_paid_and_invoiced(browser, live_server, settings, tmp_path, language, width):
    settings.STORAGE_DIR, settings.CLOCK_MAY_MOVE = tmp_path / "storage", True
    take_of_buyers(buyer_least_minor=1_000, buyer_most_minor=9_000)
    listing, buyer = trading.make_market()
    offer = trading.make_offer(listing)
    viewport = {"width": width, "height": 900}
    page = signed_in(
        browser, live_server.url, buyer.created_by, viewport=viewport, locale=language, java_script_enabled=False
    ).new_page()
    page.goto(reverse("fees"))
    assert "90.00" in page.text_content("main")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(reverse("propose", args=[offer.public_id]))
    assert "25.00" in page.text_content(".total") and "1,275.00" in page.text_content(".total-sum")
    assert "1,275.00" in page.text_content("#confirm button.button-primary")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.fill("#id_purpose", "Berth planning")
    page.check("#id_accept")
    page.click("#confirm button.button-primary")
    page.wait_for_url("**/trades/**")
    trading.work()
    trade = buyer.purchases.get()
    sandbox_bank.act(trade.payments.get().reference, "pay")
    trading.work()
    page.reload()
    assert "25.00" in page.text_content("aside") and "1,275.00" in page.text_content("#money")
    trades.accept(trade, by=buyer.created_by)
    trading.clear_now()
    tasks.issue_invoices()
    trade.refresh_from_db()
    assert trade.state == TradeState.SETTLED
    page.reload()
    assert "1,275.00" in page.text_content("aside")
    invoices = page.text_content("#invoices")
    assert "HKD1,250.00" in invoices and "HKD25.00" in invoices
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()
