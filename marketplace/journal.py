"""The journal: audit trail, outbox and evidence in one.

`record` writes in the caller's transaction and takes no lock. `seal`, in one worker, gives committed events their
place in a Merkle tree. Followers read on from their own position, at least once. `forget` removes facts and salt of
an event together, so that the tree stays whole while what it hid is gone.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
import secrets
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Q
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.canonical import canonical
from marketplace.claims import BACK_OFF_LIMIT_SECONDS
from marketplace.errors import NotReady
from marketplace.merkle import Frontier, leaf_hash
from marketplace.models import Event, Follower, Salt, Seal, TreeHead, Unsealed, User

logger = logging.getLogger(__name__)

ENTRY_VERSION = 1
ENTRY_LIMIT_BYTES = 64 * 1024
SEAL_AT_ONCE = 2000
SALT_BYTES = 32
SEALING_LOCK = 7_302_501  # advisory: one sealer at a time


def record(kind: str, subject: models.Model, *, by: User | None, **facts: Any) -> Event:
    """Write down that `kind` happened to `subject`, in the caller's transaction.

    `facts` are ids, digests and amounts; never personal data or secrets.
    """
    return record_many([(kind, subject, facts)], by=by)[0]


def record_many(entries: Iterable[tuple[str, models.Model, dict[str, Any]]], *, by: User | None) -> list[Event]:
    """`record` for several at once: events and their salts in one statement."""
    now = clock.now()
    events = [
        Event(
            kind=kind,
            subject_kind=str(subject._meta.model_name),
            subject_id=subject.pk,
            by=by,
            facts={
                key: value if isinstance(value, int | bool | list | dict | None) else str(value)
                for key, value in facts.items()
            },
            at=now,
        )
        for kind, subject, facts in entries
    ]
    if not events:
        return []
    columns = (
        [event.kind for event in events],
        [event.subject_kind for event in events],
        [event.subject_id for event in events],
        [json.dumps(event.facts) for event in events],
        [secrets.token_bytes(SALT_BYTES) for _event in events],
    )
    with connection.cursor() as cursor:
        cursor.execute(INSERT_EVENTS_AND_SALTS, [*columns, by.pk if by else None, now])
        for event, (number,) in zip(events, cursor.fetchall(), strict=True):
            event.pk = number
    return events


def record_rows(
    kind: str, subjects: type[models.Model], rows: Iterable[tuple[int, dict[str, int]]], *, by: User | None
) -> None:
    """`record` of one kind for many rows of a table that nobody holds as objects, each by its id with its facts."""
    said = list(rows)
    if not said:
        return
    told: dict[str, Any] = {
        "kind": kind,
        "subject_kind": subjects._meta.model_name,
        "by": by.pk if by else None,
        "at": clock.now(),
    }
    told |= {"rows": json.dumps(said), "salts": secrets.token_bytes(SALT_BYTES * len(said))}
    with connection.cursor() as cursor:
        cursor.execute(INSERT_ROWS, told)


INSERT_ROWS = """
    WITH told AS (
        SELECT nextval((SELECT pg_get_serial_sequence('marketplace_event', 'id'))) AS id, t.* FROM
        jsonb_array_elements(%(rows)s) WITH ORDINALITY AS t (row, place)
    ), salts AS (
        INSERT INTO marketplace_salt (event_id, value)
        SELECT id, substring(%(salts)s from (place::int - 1) * 32 + 1 for 32) FROM told
    )
    INSERT INTO marketplace_event (id, kind, subject_kind, subject_id, facts, by_id, at)
    SELECT id, %(kind)s, %(subject_kind)s, (row->>0)::bigint, row->1, %(by)s, %(at)s FROM told ORDER BY place
"""


# Numbers are drawn first, so that each event keeps its own salt and its place in the order it was recorded.
INSERT_EVENTS_AND_SALTS = """
    WITH told AS (
        SELECT nextval((SELECT pg_get_serial_sequence('marketplace_event', 'id'))) AS id, t.* FROM unnest(
            %s::text[], %s::text[], %s::bigint[], %s::jsonb[], %s::bytea[]
        ) WITH ORDINALITY AS t (kind, subject_kind, subject_id, facts, salt, place)
    ), events AS (
        INSERT INTO marketplace_event (id, kind, subject_kind, subject_id, facts, by_id, at)
        SELECT id, kind, subject_kind, subject_id, facts, %s, %s FROM told ORDER BY place
    ), salts AS (
        INSERT INTO marketplace_salt (event_id, value) SELECT id, salt FROM told
    )
    SELECT id FROM told ORDER BY place
"""


def entry_of(event: Event) -> bytes:
    """The canonical JSON (RFC 8785) of an event, the part its commitment hides."""
    return canonical(
        {
            "id": event.pk,
            "kind": event.kind,
            "subject_kind": event.subject_kind,
            "subject_id": event.subject_id,
            "by": event.by_id,
            "facts": event.facts,
            "at": event.at.isoformat(),
        }
    )


def leaf_of(event: Event, salt: bytes) -> bytes:
    """The leaf hash of an event: RFC 6962 §2.1 over the canonical JSON of `{version, commitment}`."""
    commitment = hashlib.sha256(salt + entry_of(event)).hexdigest()
    return leaf_hash(canonical({"version": ENTRY_VERSION, "commitment": commitment}))


@transaction.atomic
def seal() -> int:
    """Give the next committed events their positions; how many. One sealer at a time, others return 0."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEALING_LOCK])
        if not cursor.fetchone()[0]:
            return 0
    head = TreeHead.objects.order_by("-size").first()
    frontier = Frontier.from_hex(head.size, head.frontier) if head else Frontier()
    queue = list(Unsealed.objects.order_by("pk").values_list("pk", flat=True)[:SEAL_AT_ONCE])
    if not queue:
        return 0
    unsealed = Event.objects.filter(pk__in=queue).select_related("salt").order_by("pk")
    seals = []
    for event in unsealed:
        leaf = leaf_of(event, bytes(event.salt.value))
        seals.append(Seal(position=frontier.size, event=event, leaf_hash=leaf))
        frontier.append(leaf)
    Seal.objects.bulk_create(seals)
    Unsealed.objects.filter(pk__in=queue).delete()
    TreeHead.objects.create(size=frontier.size, root=frontier.root(), frontier=frontier.to_hex())
    return len(seals)


Handler = Callable[[Event], None]


def follow() -> int:
    """Bring every follower named in settings.FOLLOWERS up to date; how many events were handled.

    A handler that fails is tried again later, from the same event; it must bear being called twice.
    """
    return sum(_follow_one(name, import_string(path)) for name, path in settings.FOLLOWERS.items())


def _follow_one(name: str, handle: Handler) -> int:
    Follower.objects.get_or_create(name=name)
    handled = 0
    while True:
        with transaction.atomic():
            follower = (
                Follower.objects.select_for_update(skip_locked=True)
                .filter(name=name, next_try_at__lte=clock.now())
                .first()
            )
            if follower is None:
                return handled
            sealed = list(
                Seal.objects.filter(position__gt=follower.position).select_related("event").order_by("position")[:200]
            )
            if not sealed:
                return handled
            if _could_handle_together(sealed, handle):
                follower.position, handled, sealed = sealed[-1].position, handled + len(sealed), []
            for one in sealed:
                try:
                    with transaction.atomic():
                        handle(one.event)
                except Exception as error:
                    logger.exception("follower %s failed at position %s", name, one.position)
                    follower.tries += 1
                    delay = min(2 ** min(follower.tries, 20), BACK_OFF_LIMIT_SECONDS)
                    follower.next_try_at = clock.now() + dt.timedelta(seconds=delay)
                    follower.error = f"{type(error).__name__}: {error}"[:2000]
                    follower.save()
                    return handled
                follower.position = one.position
                handled += 1
            follower.tries, follower.error = 0, ""
            follower.save()


def _could_handle_together(sealed: list[Seal], handle: Handler) -> bool:
    """Handle these events in one savepoint; where one of them fails none is handled, and each is taken on its own."""
    try:
        with transaction.atomic():
            for one in sealed:
                handle(one.event)
    except Exception as error:
        logger.info("%d events are handled one by one: %s", len(sealed), type(error).__name__)
        return False
    return True


@transaction.atomic
def forget(event: Event) -> None:
    """Remove an event's facts and salt together; its leaf stays, so the tree stays whole.

    Raises NotReady for an event that has no place in the tree yet.
    """
    if not Seal.objects.filter(event=event).exists():
        raise NotReady(_("Event %(number)s is not sealed yet."), number=event.pk)
    Event.objects.filter(pk=event.pk).update(facts=None)
    Salt.objects.filter(pk=event.pk).delete()


def of(subject: models.Model) -> models.QuerySet[Event]:
    """What happened to the subject, oldest first."""
    return Event.objects.filter(
        Q(subject_kind=str(subject._meta.model_name)) & Q(subject_id=subject.pk)
    ).select_related("by", "seal")
