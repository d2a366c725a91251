"""Events that Stripe told while nobody here could hear it, asked for afterwards. Stripe keeps them for thirty days."""

from __future__ import annotations

import datetime as dt
import json

from settlement.gateways.stripe_facts import EVENTS
from settlement.gateways.stripe_line import listed, services
from settlement.models import Notice

NAME = "stripe"


def replay(since: dt.datetime) -> tuple[int, int]:
    """Put what Stripe told since then into the inbox, each event once; how many there were, and how many were new.

    Raises Declined, TryLater; what was put there before that stays, and may be asked for again.
    """
    found = new = 0
    for event in listed(services().events.list, {"created": {"gte": int(since.timestamp())}, "types": list(EVENTS)}):
        body = json.dumps(event, default=str)  # the SDK made decimals of what Stripe writes as text
        _notice, is_new = Notice.objects.get_or_create(gateway=NAME, event_id=event["id"], defaults={"body": body})
        found, new = found + 1, new + is_new
    return found, new
