"""A price in instalments is offered and read in a browser without scripts, on a telephone as on a desk."""

from __future__ import annotations

import pytest
from django.urls import reverse

from settlement.gateways import sandbox_bank
from tests import trading
from tests.browser.conftest import signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("language", "width"), [("en", 390), ("zh-Hans", 1280)])
def test_instalments_are_offered_bought_and_paid_without_a_script(
    browser, live_server, settings, tmp_path, language, width
):
    settings.STORAGE_DIR = tmp_path / "storage"
    listing, buyer = trading.make_market()

    def page_of(user):
        viewport = {"width": width, "height": 900}
        context = signed_in(
            browser, live_server.url, user, viewport=viewport, locale=language, java_script_enabled=False
        )
        return context.new_page()

    page = page_of(listing.seller.created_by)
    page.goto(reverse("studio_offer", args=[listing.public_id]))
    page.fill("#id_name", "In two")
    page.fill("#id_price", "1,000.01")
    page.fill("#id_instalments", "30 0\n70 30")
    page.check("#id_anywhere")
    page.click(".form-acts button")
    page.wait_for_url("**/studio/**")
    offer = listing.offers.get(name="In two")
    page.context.close()

    page = page_of(buyer.created_by)
    page.goto(reverse("propose", args=[offer.public_id]))
    assert page.locator("#instalments tbody tr").count() == 2
    assert "700.01" in page.text_content("#instalments")
    page.fill("#id_purpose", "Berth planning")
    page.check("#id_accept")
    page.click("#confirm button.button-primary")
    page.wait_for_url("**/trades/**")
    trading.work()
    trade = buyer.purchases.get()
    sandbox_bank.act(trade.payments.get().reference, "pay")
    trading.work()
    trading.work()
    page.reload()
    assert page.locator("#instalments .state").count() == 1, "one of the two is paid"
    assert page.locator(f"a[href='{trade.payments.get(instalment=2).pay_at_url}']").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()
