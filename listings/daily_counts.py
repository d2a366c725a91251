"""Count how often products are seen, opened and sampled: by day, of nobody in particular.

A page adds to a buffer in Redis, in one round trip however many products it shows; a worker writes the buffer down in
batches. Nothing is kept of who looked. Programs, the exchange's staff and the seller's own people are not counted, and
a count that fails is lost rather than in anybody's way.
"""

from __future__ import annotations

import datetime as dt
import functools
import logging
import re
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Literal, get_args

import redis
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest

from listings.daily_count_rows import CountedBatch
from listings.models import Listing
from marketplace import clock
from marketplace.participants import memberships_of

logger = logging.getLogger(__name__)
What = Literal["seen", "opened", "sampled"]
Counts = Mapping[tuple[dt.date, int], Mapping[str, int]]  # by day and listing: how often what

BUFFER, WAITING, BATCH = "daily-counts", "daily-counts-waiting", "daily-counts-of-"
# Browsers say that they are one; programs that read the web for others say so too.
BROWSER = re.compile(r"Mozilla/5\.0 \(")
PROGRAM = re.compile(r"bot\b|bot/|crawl|spider|slurp|headless|preview|fetch|monitor|scan|archive|lighthouse", re.I)
BATCHES_KEPT_DAYS = 1
SOCKET_SECONDS = 0.5


def count(request: HttpRequest, listings: Iterable[Listing], what: What) -> None:
    """Count what this request shows of each listing. Never raises and never waits for the database."""
    if not _is_of_a_visitor(request):
        return
    own = {membership.organisation_id for membership in memberships_of(request)}
    day = clock.today()
    fields = [f"{day}:{listing.pk}:{what}" for listing in listings if listing.seller_id not in own]
    try:
        pipe = _buffer().pipeline(transaction=False)
        for field in fields:
            pipe.hincrby(BUFFER, field, 1)
        pipe.execute()
    except redis.RedisError as error:
        logger.debug("%d counts are lost: %s", len(fields), type(error).__name__)


def write_down() -> int:
    """Add what was counted to the table, each batch once, and say how many batches; by as many workers as like to.

    A batch has a key of its own before it is read. It leaves Redis only when it is written; a worker that dies between
    the two leaves it to the next one, which finds its key in the table and adds nothing. Raises redis.RedisError.
    """
    client = _buffer()
    _set_aside(client)
    keys = sorted(key.decode() for key in client.smembers(WAITING))  # type: ignore[union-attr]
    for key in keys:
        found: dict[bytes, bytes] = client.hgetall(BATCH + key)  # type: ignore[assignment]
        if found:
            add(_read(found), batch=key)
        _together(client, ("DEL", BATCH + key), ("SREM", WAITING, key))
    return len(keys)


@transaction.atomic
def add(counts: Counts, *, batch: str) -> bool:
    """Add a batch to the table, in one statement; False, and nothing is added, where that was done before."""
    days, listings = [day for day, _listing in counts], [listing for _day, listing in counts]
    numbers = [[found.get(what, 0) for found in counts.values()] for what in get_args(What)]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO listings_countedbatch (key, counted_at) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [batch, clock.now()],
        )
        if not cursor.rowcount:
            return False
        cursor.execute(_ADD, [listings, days, *numbers])
    CountedBatch.objects.filter(counted_at__lt=clock.now() - dt.timedelta(days=BATCHES_KEPT_DAYS)).delete()
    return True


# In one order, so that two workers with the same products never wait for each other.
_ADD = """
    INSERT INTO listings_dailycount AS kept (listing_id, day, seen, opened, sampled)
    SELECT t.listing_id, t.day, t.seen, t.opened, t.sampled
    FROM unnest(%s::bigint[], %s::date[], %s::bigint[], %s::bigint[], %s::bigint[])
        AS t (listing_id, day, seen, opened, sampled)
    JOIN listings_listing listing ON listing.id = t.listing_id
    ORDER BY t.listing_id, t.day
    ON CONFLICT (listing_id, day) DO UPDATE SET seen = kept.seen + excluded.seen,
        opened = kept.opened + excluded.opened, sampled = kept.sampled + excluded.sampled
"""


def _is_of_a_visitor(request: HttpRequest) -> bool:
    """Whether a person of no staff role has a browser show the page: not a program, nor the browser ahead of them."""
    agent = request.headers.get("User-Agent", "")
    is_asked = request.method == "GET" and "prefetch" not in request.headers.get("Sec-Purpose", "")
    is_browser = BROWSER.match(agent) is not None and PROGRAM.search(agent) is None
    return is_asked and is_browser and not getattr(request.user, "is_staff", False)


def _together(client: redis.Redis, *commands: tuple[str, ...]) -> None:
    """The commands in one transaction of Redis. Raises redis.ResponseError where one of them cannot be."""
    pipe = client.pipeline()
    for command in commands:
        pipe.execute_command(*command)
    pipe.execute()


def _set_aside(client: redis.Redis) -> None:
    """Give what was counted so far a name of its own, in one step with the list of such names."""
    if not client.exists(BUFFER):
        return
    key = secrets.token_hex(16)
    try:
        _together(client, ("SADD", WAITING, key), ("RENAME", BUFFER, BATCH + key))
    except redis.ResponseError:  # another worker was first
        client.srem(WAITING, key)


def _read(found: Mapping[bytes, bytes]) -> Counts:
    """A batch as the buffer holds it: `2026-11-21:17:seen` and how often."""
    counts: dict[tuple[dt.date, int], dict[str, int]] = defaultdict(dict)
    for field, number in found.items():
        day, listing, what = field.decode().split(":")
        counts[dt.date.fromisoformat(day), int(listing)][what] = int(number)
    return counts


@functools.cache
def _client_of(address: str) -> redis.Redis:
    return redis.Redis.from_url(address, socket_timeout=SOCKET_SECONDS, socket_connect_timeout=SOCKET_SECONDS)


def _buffer() -> redis.Redis:
    return _client_of(settings.REDIS_URL)
