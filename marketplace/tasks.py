"""What workers do for the ground floor: seal and follow the journal, show that they live, forget old keys."""

from __future__ import annotations

import datetime as dt

from celery import shared_task

from marketplace import announcements, clock, heartbeats, journal, letters, notifications, webhook_sending, webhooks
from marketplace.bells import ring
from marketplace.claims import kept, postponed_on_failure
from marketplace.idempotency import KEPT_DAYS
from marketplace.models import KeyedCommand


@shared_task
def seal_journal() -> None:
    """Give every committed event its place in the tree."""
    if journal.seal():
        while journal.seal():
            pass
        ring(follow_journal)


@shared_task
def follow_journal() -> None:
    """Let every follower read on."""
    journal.follow()


@shared_task
def send_letters() -> None:
    """Send every letter that commands wrote."""
    while letter := letters.claim_next():
        with postponed_on_failure(letter):
            letters.send(letter)
            letters.record_sent(letter)


@shared_task
def send_webhooks() -> None:
    """Send what waits for members' webhooks; a part of it a ring, so that slow endpoints never hold a worker long."""
    for _number in range(webhook_sending.AT_ONCE):
        delivery = webhook_sending.claim_next()
        if delivery is None:
            return
        with postponed_on_failure(delivery):
            with kept(delivery):  # to resolve a name may take long
                tried = webhook_sending.send(delivery)
            webhook_sending.record(delivery, tried)


@shared_task
def forget_read_notifications() -> None:
    """Forget what people read long ago."""
    notifications.forget_read()


@shared_task
def forget_old_webhooks() -> None:
    """Forget what was sent to members' webhooks long ago, and how each try went."""
    webhooks.forget_old()


@shared_task
def beat_was_here() -> None:
    """Show that a worker answers the bells that beat rings."""
    heartbeats.leave(heartbeats.WORKER)


@shared_task
def put_announcements_on_pages() -> None:
    """Let pages know what is announced, also after the cache was lost."""
    announcements.put_on_pages()


@shared_task
def forget_old_keys() -> None:
    """Forget the idempotency keys whose time has passed."""
    KeyedCommand.objects.filter(created_at__lt=clock.now() - dt.timedelta(days=KEPT_DAYS)).delete()
