"""Members' webhooks by the Standard Webhooks specification: endpoints, their secrets, tests and replays.

Events reach the outbox by a follower of the journal (webhook_outbox.py) and are sent by a worker (webhook_sending.py).
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import secrets
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketplace import clock, journal, outgoing, roles, sealed_secrets, webhook_kinds
from marketplace.errors import Invalid, Refused
from marketplace.models import Organisation, User, WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookMessage

ACT = "manage_tokens"
MOST_ENDPOINTS = 10
MOST_REPLAYED = 1000
FORGOTTEN_AT_ONCE = 500
TEST_KIND = "webhook.test"
WRONG_ADDRESS: dict[str, Promise] = {
    "not_an_address": _("This is not an address on the web."),
    "holds_a_password": _("An address holds no name and password: whoever receives checks the signature."),
    "not_https": _("The address begins with https://."),
    "port_refused": _("This port is not called."),
    "not_public": _("This address is not on the public Internet."),
}


class TooManyWebhooks(Refused):
    """An organisation has at most ten webhooks."""

    code = "too_many_webhooks"
    says = _("An organisation has at most %(most)s webhooks.")
    next = _("Remove one, or let one address receive more kinds.")


class WebhookStopped(Refused):
    """This webhook is stopped: nothing is sent to it."""

    code = "webhook_stopped"
    says = _("This webhook is stopped: nothing is sent to it.")
    next = _("Resume it first.")


@transaction.atomic
def create(
    organisation: Organisation, *, url: str, description: str = "", kinds: Sequence[str] = (), by: User
) -> tuple[WebhookEndpoint, str]:
    """Name an address that is told of events of these kinds (none named: all); and its secret, shown this once.

    Raises RoleNeeded, Invalid `wrong_address`, `no_such_event`, TooManyWebhooks.
    """
    roles.require(by, organisation, ACT)
    organisation = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    if WebhookEndpoint.objects.visible_to(organisation).count() >= MOST_ENDPOINTS:
        raise TooManyWebhooks(most=MOST_ENDPOINTS)
    secret = new_secret()
    endpoint = WebhookEndpoint.objects.create(
        organisation=organisation,
        url=_checked_url(url),
        description=description.strip()[:200],
        kinds=_checked_kinds(kinds),
        sealed_secret=sealed_secrets.seal(secret),
        created_by=by,
    )
    journal.record("webhook.created", organisation, by=by, webhook=endpoint.pk, kinds=endpoint.kinds)
    return endpoint, secret


@transaction.atomic
def change(
    endpoint: WebhookEndpoint, *, url: str, description: str, kinds: Sequence[str], is_paused: bool, by: User
) -> WebhookEndpoint:
    """Change an endpoint; resuming a stopped one begins anew with what waits. Raises RoleNeeded, Invalid."""
    endpoint = _locked(endpoint, by)
    endpoint.url, endpoint.kinds = _checked_url(url), _checked_kinds(kinds)
    endpoint.description = description.strip()[:200]
    if is_paused and endpoint.stopped_at is None:
        endpoint.stopped_at, endpoint.stopped_why = clock.now(), WebhookEndpoint.Stopped.PAUSED
    elif not is_paused:
        endpoint.stopped_at = endpoint.stopped_why = endpoint.failing_since = endpoint.rests_until = None
    endpoint.save()
    journal.record(
        "webhook.changed", endpoint.organisation, by=by, webhook=endpoint.pk, kinds=endpoint.kinds, paused=is_paused
    )
    return endpoint


@transaction.atomic
def rotate_secret(endpoint: WebhookEndpoint, *, by: User) -> tuple[WebhookEndpoint, str]:
    """A new secret, shown this once; for WEBHOOK_OVERLAP_HOURS the former one signs too. Raises RoleNeeded."""
    endpoint = _locked(endpoint, by)
    secret = new_secret()
    endpoint.former_sealed_secret, endpoint.sealed_secret = endpoint.sealed_secret, sealed_secrets.seal(secret)
    endpoint.former_until = clock.now() + dt.timedelta(hours=settings.WEBHOOK_OVERLAP_HOURS)
    endpoint.save(update_fields=["former_sealed_secret", "sealed_secret", "former_until"])
    journal.record("webhook.secret_rotated", endpoint.organisation, by=by, webhook=endpoint.pk)
    return endpoint, secret


@transaction.atomic
def remove(endpoint: WebhookEndpoint, *, by: User) -> None:
    """Nothing is sent there any more; what waits is given up. Raises RoleNeeded."""
    endpoint = _locked(endpoint, by)
    now = clock.now()
    waiting(endpoint).update(given_up_at=now, claimed_until=None)
    endpoint.removed_at, endpoint.sealed_secret, endpoint.former_sealed_secret = now, "", ""
    endpoint.save(update_fields=["removed_at", "sealed_secret", "former_sealed_secret"])
    journal.record("webhook.removed", endpoint.organisation, by=by, webhook=endpoint.pk)


@transaction.atomic
def send_test(endpoint: WebhookEndpoint, *, by: User) -> WebhookDelivery:
    """Send an event that means nothing, to see whether it arrives. Raises RoleNeeded, WebhookStopped."""
    endpoint = _locked(endpoint, by)
    _require_running(endpoint)
    body = written(TEST_KIND, clock.now(), {"webhook": endpoint.pk})
    message = WebhookMessage.objects.create(organisation=endpoint.organisation, kind=TEST_KIND, body=body)
    return WebhookDelivery.objects.create(endpoint=endpoint, message=message)


@transaction.atomic
def replay(delivery: WebhookDelivery, *, by: User) -> WebhookDelivery:
    """Send a message again, under its own id; one that waits is tried at once. Raises RoleNeeded, WebhookStopped."""
    endpoint = _locked(delivery.endpoint, by)
    _require_running(endpoint)
    _again(WebhookDelivery.objects.filter(pk=delivery.pk, endpoint=endpoint))
    delivery.refresh_from_db()
    return delivery


@transaction.atomic
def replay_failed(endpoint: WebhookEndpoint, *, since: dt.datetime, by: User) -> int:
    """Send again what was given up since then, at most MOST_REPLAYED; how many. Raises as `replay`."""
    endpoint = _locked(endpoint, by)
    _require_running(endpoint)
    failed = WebhookDelivery.objects.filter(endpoint=endpoint, given_up_at__gte=since).order_by("pk")
    return _again(WebhookDelivery.objects.filter(pk__in=list(failed.values_list("pk", flat=True)[:MOST_REPLAYED])))


def figures(endpoint: WebhookEndpoint) -> dict[str, int]:
    """How many deliveries wait, arrived and failed."""
    rows = WebhookDelivery.objects.filter(endpoint=endpoint)
    return rows.aggregate(
        waiting=Count("pk", filter=Q(delivered_at=None, given_up_at=None)),
        delivered=Count("pk", filter=Q(delivered_at__isnull=False)),
        failed=Count("pk", filter=Q(given_up_at__isnull=False)),
    )


def waiting(endpoint: WebhookEndpoint):  # type: ignore[no-untyped-def]
    """What is on its way to an endpoint."""
    return WebhookDelivery.objects.filter(endpoint=endpoint, delivered_at=None, given_up_at=None)


def forget_old() -> int:
    """Delete what was delivered or given up and was written WEBHOOK_DAYS ago, with its tries; how many messages.

    A part at a time; what still waits is kept, however old.
    """
    over = clock.now() - dt.timedelta(days=settings.WEBHOOK_DAYS)
    waits = WebhookDelivery.objects.filter(message=OuterRef("pk"), delivered_at=None, given_up_at=None)
    old = WebhookMessage.objects.filter(~Exists(waits), written_at__lt=over).order_by("pk")
    forgotten = 0
    while batch := list(old.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]):
        with transaction.atomic():
            deliveries = WebhookDelivery.objects.filter(message__in=batch)
            rows = list(deliveries.select_for_update().order_by("pk"))
            ended = [row.pk for row in rows if row.outcome != "waiting"]  # somebody may send one again just now
            WebhookAttempt.objects.filter(delivery__in=ended).delete()
            WebhookDelivery.objects.filter(pk__in=ended).delete()
            forgotten += WebhookMessage.objects.filter(pk__in=batch, deliveries=None).delete()[0]
    return forgotten


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base64, as the specification asks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def written(kind: str, at: dt.datetime, data: dict[str, object]) -> str:
    """The body of a message."""
    moment = at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"type": kind, "timestamp": moment, "data": data}, separators=(",", ":"), ensure_ascii=False)


def _again(rows) -> int:  # type: ignore[no-untyped-def]
    return int(
        rows.update(delivered_at=None, given_up_at=None, tries=0, next_try_at=clock.now(), claimed_until=None, error="")
    )


def _locked(endpoint: WebhookEndpoint, by: User) -> WebhookEndpoint:
    rows = WebhookEndpoint.objects.select_for_update(no_key=True, of=("self",)).select_related("organisation")
    endpoint = rows.get(pk=endpoint.pk)
    roles.require(by, endpoint.organisation, ACT)
    if endpoint.removed_at is not None:
        raise WebhookStopped(_("This webhook was removed."), next=_("Name the address anew."))
    return endpoint


def _require_running(endpoint: WebhookEndpoint) -> None:
    if endpoint.stopped_at is not None:
        raise WebhookStopped()


def _checked_url(url: str) -> str:
    url = url.strip()
    if why := outgoing.reason_against(url):
        raise Invalid(WRONG_ADDRESS[why], code="wrong_address", next=_("Name an https address of your own server."))
    return url


def _checked_kinds(kinds: Sequence[str]) -> list[str]:
    known = webhook_kinds.codes()
    if unknown := sorted(set(kinds) - set(known)):
        raise Invalid(_("There is no kind of event “%(kind)s”."), code="no_such_event", kind=unknown[0])
    return [code for code in known if code in kinds]
