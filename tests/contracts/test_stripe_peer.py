"""Every request the Stripe driver can send, judged by stripe-mock, Stripe's own server that knows its API's shape.

It remembers nothing, so what it answers is not looked at; it refuses what does not fit the API's description. Left out
unless STRIPE_MOCK names the program; `.ci/run` builds it where Go is found.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from marketplace import clock
from settlement.gateways import TryLater, gateway, stripe_payees, stripe_replay
from settlement.gateways.stripe_line import Declined, asking, services
from settlement.models import Notice, StripeAccount
from tests import factories, rows
from tests.stripe_server import SECRET

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("STRIPE_MOCK" not in os.environ, reason="STRIPE_MOCK names no stripe-mock"),
]


@pytest.fixture(autouse=True)
def peer(settings: Any) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = subprocess.Popen([os.environ["STRIPE_MOCK"], "-http-port", str(port)], stdout=subprocess.DEVNULL)
    settings.GATEWAYS = {"stripe": "settlement.gateways.stripe.Stripe"}
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRETS = "sk_test_123", [SECRET]
    settings.STRIPE_ADDRESS, settings.WEBHOOK_LOOPBACK = f"http://127.0.0.1:{port}", True
    try:
        _wait_for(port)
        yield
    finally:
        program.terminate()
        program.wait(10)


def _wait_for(port: int) -> None:
    for _try in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("stripe-mock does not answer")


def test_stripes_own_server_takes_every_request_and_refuses_a_wrong_one() -> None:
    driver = gateway("stripe")
    payment = rows.a_payment("stripe")
    assert driver.start(payment).reference.startswith("cs_")
    driver.look_up(payment)
    payment.reference = "cs_test_1"
    assert driver.look_up(payment) is not None
    driver.stop(payment)
    with asking():
        services().checkout.sessions.expire("cs_test_1")
        services().transfers.retrieve("tr_1")
    for tries in (1, 2):
        refund, payout = rows.a_refund(payment, 100, "pi_1"), rows.a_payout("stripe", 1)
        refund.tries = payout.tries = tries
        driver.refund(refund)
        try:
            driver.pay_out(payout, "acct_1234567890")
        except TryLater as later:  # its balance is one of the examples of the API's description
            assert "available balance" in str(later)
    with asking():
        asked = {"amount": 1, "currency": "usd", "destination": "acct_1", "transfer_group": "g", "metadata": {"k": "v"}}
        assert services().transfers.create(asked, {"idempotency_key": "k"}).id
    list(driver.movements(clock.today()))
    assert not Notice.objects.exists()  # nothing was refused
    assert stripe_replay.replay(clock.now())[0] >= 0
    member = factories.make_organisation("A Member Limited")
    account = StripeAccount(organisation=member, reference=stripe_payees.open_account(member))
    assert stripe_payees.page_to_fill_in(account).startswith("https://")
    assert stripe_payees.standing_of("acct_1") is not None
    with pytest.raises(Declined), asking():
        services().refunds.create({"payment_intent": "pi_1", "amout": 100})
