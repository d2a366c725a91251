"""A free trial is taken, let go on and stopped in a browser without scripts, and nothing is ticked beforehand."""

from __future__ import annotations

import pytest
from django.urls import reverse

from settlement.models import Renewal, Trade
from settlement.states import RenewalState
from tests import trading
from tests.browser.conftest import signed_in
from tests.settlement.test_trials import make_trial

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("language", "width"), [("en", 390), ("zh-Hant", 1280)])
def test_a_trial_is_taken_and_stopped_without_a_script(browser, live_server, settings, tmp_path, language, width):
    settings.STORAGE_DIR = tmp_path / "storage"
    trial = make_trial(trading.make_offer())
    buyer = trading.make_verified().created_by
    viewport = {"width": width, "height": 900}
    context = signed_in(browser, live_server.url, buyer, viewport=viewport, locale=language, java_script_enabled=False)
    page = context.new_page()
    page.goto(reverse("propose", args=[trial.public_id]))
    assert "1,250.00" in page.text_content("#afterwards")
    assert not page.is_checked("#id_converts")
    page.fill("#id_purpose", "Berth planning")
    page.check("#id_converts")
    page.check("#id_accept")
    page.click("#confirm button.button-primary")
    page.wait_for_url("**/trades/**")
    trade = Trade.objects.get()
    assert (trade.is_trial, trade.price_minor) == (True, 0)
    trading.work()
    page.goto(reverse("library"))
    page.click(f"#licence-{trade.public_id} form button")
    page.wait_for_url("**/trades/**")
    assert Renewal.objects.get().state == RenewalState.STOPPED
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
