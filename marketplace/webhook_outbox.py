"""From the journal into the outbox: one message for each organisation an event concerns and that listens to its kind.

The act's own transaction wrote the event, so nothing is sent of what was rolled back; the outbox is filled in the
transaction in which the follower moves on.
"""

from __future__ import annotations

from marketplace import webhook_kinds, webhooks
from marketplace.models import Event, WebhookDelivery, WebhookEndpoint, WebhookMessage


def follow(event: Event) -> None:
    """Put one event into the post; safe to call twice."""
    kind = webhook_kinds.known(event.kind)
    if kind is None or not WebhookEndpoint.objects.filter(removed_at=None, stopped_at=None).exists():
        return
    for organisation_id, data in kind.tell(event):
        listening = [
            endpoint
            for endpoint in WebhookEndpoint.objects.filter(
                organisation=organisation_id, removed_at=None, stopped_at=None
            )
            if not endpoint.kinds or event.kind in endpoint.kinds
        ]
        if not listening:
            continue
        message, _is_new = WebhookMessage.objects.get_or_create(
            event=event,
            organisation_id=organisation_id,
            defaults={"kind": event.kind, "body": webhooks.written(event.kind, event.at, data)},
        )
        WebhookDelivery.objects.bulk_create(
            [WebhookDelivery(endpoint=endpoint, message=message) for endpoint in listening], ignore_conflicts=True
        )
