"""A block of calls is bought in a browser without scripts: the total is shown before, and nothing typed is lost."""

from __future__ import annotations

import pytest
from django.urls import reverse

from settlement.models import Trade
from tests import trading
from tests.browser.conftest import signed_in
from tests.settlement.test_blocks_of_calls import make_offer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("language", "width"), [("en", 390), ("zh-Hans", 1280)])
def test_a_block_is_bought_without_a_script_and_enter_only_shows_its_total(
    browser, live_server, settings, tmp_path, language, width
):
    settings.STORAGE_DIR = tmp_path / "storage"
    offer = make_offer()
    trading.make_offer(offer.listing, name="Whole", price_minor=900_000)
    buyer = trading.make_verified().created_by
    viewport = {"width": width, "height": 900}
    context = signed_in(browser, live_server.url, buyer, viewport=viewport, locale=language, java_script_enabled=False)
    page = context.new_page()
    page.goto(reverse("propose", args=[offer.public_id]))
    page.fill("#id_purpose", "Berth planning")
    page.fill("#id_quantity", "999")
    page.press("#id_quantity", "Enter")
    page.wait_for_url("**#quantity")
    assert "999 × HKD 5.00 = HKD 4,995.00" in page.text_content("#quantity")
    assert "HKD 4,000.00" in page.text_content("#quantity"), "a larger block costs less"
    assert page.input_value("#id_purpose") == "Berth planning" and not Trade.objects.exists()
    page.fill("#id_quantity", "1000")
    page.click("#quantity button[name=show]")
    assert "1,000 × HKD 4.00 = HKD 4,000.00" in page.text_content("#quantity")
    page.check("#id_accept")
    page.click("#confirm button.button-primary")
    page.wait_for_url("**/trades/**")
    trade = Trade.objects.get()
    assert (trade.quantity, trade.price_minor, trade.purpose) == (1_000, 400_000, "Berth planning")
    context.close()
