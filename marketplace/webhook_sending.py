"""Sending webhooks: claim, call, record. Ever more seldom for about a day; then a delivery is given up.

Any 2xx is success. 410 stops the endpoint, as days of failing do; its owners are told.
"""

from __future__ import annotations

import datetime as dt
import random
import time
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from standardwebhooks import Webhook

from marketplace import clock, journal, notifications, outgoing, sealed_secrets
from marketplace.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint

AT_ONCE = 20
TRIES_WATCHED = 3
REST_SECONDS = 30
# After the first try, which is at once; together 28 hours. Each wait is lengthened by up to a tenth, at random.
WAITS_SECONDS = (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 10 * 3600)
GONE = 410


@dataclass(frozen=True)
class Tried:
    """How one try went. Without a status, `error` says why."""

    status: int | None
    duration_ms: int
    excerpt: str
    error: str

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def due() -> QuerySet[WebhookDelivery]:
    """What waits to be sent to endpoints that run and answer."""
    now = clock.now()
    rests = Q(endpoint__rests_until__gt=now)
    return WebhookDelivery.objects.filter(
        ~rests, delivered_at=None, given_up_at=None, endpoint__stopped_at=None, endpoint__removed_at=None
    )


def watched() -> QuerySet[WebhookDelivery]:
    """What the exchange's health tells of: what fails on our side, not what a member's server keeps refusing."""
    return due().filter(Q(tries__lte=TRIES_WATCHED) | ~Q(error=""))


def claim_next() -> WebhookDelivery | None:
    """The next delivery to try."""
    return WebhookDelivery.claim_next(due().select_related("endpoint", "message"))


def send(delivery: WebhookDelivery) -> Tried:
    """Sign and post it; no transaction is open."""
    started = time.monotonic()
    status, excerpt, error = None, "", ""
    try:
        answer = outgoing.post(delivery.endpoint.url, delivery.message.body.encode(), headers(delivery))
        status, excerpt = answer.status, answer.excerpt
    except outgoing.NotReached as failure:
        error = str(failure)
    return Tried(status, int((time.monotonic() - started) * 1000), excerpt, error)


def headers(delivery: WebhookDelivery) -> dict[str, str]:
    """The headers of the specification; while a secret is being changed, the signatures of both."""
    endpoint, message, now = delivery.endpoint, delivery.message, clock.now()
    sealed = [endpoint.sealed_secret]
    if endpoint.former_until is not None and endpoint.former_until > now:
        sealed.append(endpoint.former_sealed_secret)
    moment = now.astimezone(dt.UTC)
    signatures = [Webhook(sealed_secrets.unseal(one)).sign(message.message_id, moment, message.body) for one in sealed]
    return {
        "Content-Type": "application/json",
        "User-Agent": f"{settings.EXCHANGE_NAME.encode('ascii', 'ignore').decode() or 'Exchange'}-Webhooks/1",
        "webhook-id": message.message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


@transaction.atomic
def record(delivery: WebhookDelivery, tried: Tried) -> None:
    """Keep how it went, and what follows from it. A claim that lapsed and was taken over changes nothing."""
    rows = WebhookEndpoint.objects.select_for_update(no_key=True, of=("self",)).select_related("organisation")
    endpoint = rows.get(pk=delivery.endpoint_id)
    WebhookAttempt.objects.create(
        delivery=delivery,
        status=tried.status,
        duration_ms=tried.duration_ms,
        excerpt=tried.excerpt,
        error=tried.error[:60],
    )
    now = clock.now()
    mine = WebhookDelivery.objects.filter(
        pk=delivery.pk, tries=delivery.tries, delivered_at=None, given_up_at=None, claimed_until__isnull=False
    )
    if tried.is_success:
        mine.update(delivered_at=now, claimed_until=None, error="")
        if endpoint.removed_at is None and (endpoint.failing_since or endpoint.rests_until):
            endpoint.failing_since = endpoint.rests_until = None
            endpoint.save(update_fields=["failing_since", "rests_until"])
        return
    if delivery.tries > len(WAITS_SECONDS):
        mine.update(given_up_at=now, claimed_until=None, error="")
    else:
        wait_seconds = WAITS_SECONDS[delivery.tries - 1] * random.uniform(1, 1.1)  # noqa: S311  spreads, hides nothing
        mine.update(next_try_at=now + dt.timedelta(seconds=wait_seconds), claimed_until=None, error="")
    if endpoint.removed_at is None:
        _note_failure(endpoint, tried, now)


def _note_failure(endpoint: WebhookEndpoint, tried: Tried, now: dt.datetime) -> None:
    endpoint.failing_since = endpoint.failing_since or now
    if tried.status is None:
        endpoint.rests_until = now + dt.timedelta(seconds=REST_SECONDS)
    is_over = endpoint.failing_since <= now - dt.timedelta(days=settings.WEBHOOK_FAILING_DAYS)
    if endpoint.stopped_at is None and (tried.status == GONE or is_over):
        why = WebhookEndpoint.Stopped.GONE if tried.status == GONE else WebhookEndpoint.Stopped.FAILING
        endpoint.stopped_at, endpoint.stopped_why = now, why
        journal.record("webhook.stopped", endpoint.organisation, by=None, webhook=endpoint.pk, why=str(why))
        notifications.tell(
            "webhook.stopped",
            organisation=endpoint.organisation_id,
            path=reverse("webhook", args=[endpoint.pk]),
            facts={"url": endpoint.url, "organisation": endpoint.organisation},
        )
    endpoint.save(update_fields=["failing_since", "rests_until", "stopped_at", "stopped_why"])
