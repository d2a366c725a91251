"""Signs of life of the processes that work in the background, kept in the cache.

Beat leaves one each time it rings the bell `beat_was_here`; a worker leaves one with each heartbeat of Celery, which
goes on while it is busy with something long, and each time it answers that bell.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import redis
from celery.signals import beat_init, before_task_publish, heartbeat_sent
from django.core.cache import cache
from django.utils.translation import gettext_noop

logger = logging.getLogger(__name__)

BEAT, WORKER = gettext_noop("beat"), gettext_noop("worker")
BELL = "marketplace.tasks.beat_was_here"
KEPT_SECONDS = 24 * 3600


def leave(name: str) -> None:
    """Say that `name` is alive now. A cache that does not answer is not the business of whoever is alive."""
    try:
        cache.set(_key(name), time.time(), KEPT_SECONDS)
    except redis.RedisError:
        logger.debug("the heartbeat of %s was not kept", name)


def age_seconds(name: str) -> float | None:
    """How long ago `name` was last heard of; None if not within a day. Raises redis.RedisError."""
    left = cache.get(_key(name))
    return None if left is None else max(0.0, time.time() - left)


def note(name: str, finding: dict[str, Any]) -> None:
    """Keep what a worker found of its own machine, for a day. A cache that does not answer loses it until next time."""
    try:
        cache.set(_finding(name), finding, KEPT_SECONDS)
    except redis.RedisError:
        logger.debug("what was found of %s was not kept", name)


def noted(name: str) -> dict[str, Any] | None:
    """What a worker found last; None if none said so within a day, or the cache does not answer."""
    try:
        found: dict[str, Any] | None = cache.get(_finding(name))
    except redis.RedisError:
        return None
    return found


def _finding(name: str) -> str:
    return f"finding:{name.replace(' ', '_')}"


def _key(name: str) -> str:
    return f"heartbeat:{name}"


@heartbeat_sent.connect
def _worker_lives(**_signal: Any) -> None:
    leave(WORKER)


@beat_init.connect
def _beat_begins(**_signal: Any) -> None:
    """Only in beat's own process: the web server and the workers ring bells too."""
    before_task_publish.connect(_beat_lives, sender=BELL)


def _beat_lives(**_signal: Any) -> None:
    leave(BEAT)
