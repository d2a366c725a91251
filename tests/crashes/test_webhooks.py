"""Workers killed while they send webhooks: each event arrives, at the worst twice, never not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from marketplace import tasks, webhooks
from tests import factories
from tests.crashes.dying import die_at, let_claims_lapse
from tests.webhook_receiver import listening

pytestmark = pytest.mark.django_db(transaction=True)

TASKS = {"marketplace.tasks.send_webhooks"}
SEND = ["after marketplace.webhook_sending.claim_next", "after marketplace.webhook_sending.send"]


@pytest.mark.parametrize("at", SEND)
def test_a_webhook_is_delivered_whoever_dies_over_it(at: str, tmp_path: Path, settings: Any) -> None:
    settings.WEBHOOK_LOOPBACK = True
    member = factories.make_organisation("Example Limited")
    owner = factories.owner_of(member)
    with listening() as receiver:
        endpoint, _secret = webhooks.create(member, url=receiver.url, by=owner)
        delivery = webhooks.send_test(endpoint, by=owner)
        die_at(at, "marketplace.tasks.send_webhooks", tmp_path)
        delivery.refresh_from_db()
        assert delivery.outcome == "waiting"
        let_claims_lapse()
        tasks.send_webhooks()
        delivery.refresh_from_db()
        assert delivery.outcome == "delivered" and delivery.message.message_id == receiver.got[-1][0]["webhook-id"]
