"""Figures for Prometheus. What is, is asked of the database; what happened is counted in Redis, by every process of
every machine together, so any web process can answer for the whole exchange.

Counts may begin again at nothing when Redis is lost; Prometheus allows for that. Labels are names of ours alone:
routes, tasks, states, never ids. A Redis that does not answer costs no request more than a moment every few seconds.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache

import redis
from django.conf import settings
from django.db import DatabaseError
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from marketplace import health, heartbeats
from marketplace.models import Seal, Unsealed

logger = logging.getLogger(__name__)
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
ENDLESS = "+Inf"
KEPT_AS = "databourse:metrics"
SILENCE_SECONDS = 5.0  # how long nothing is counted after Redis did not answer
_silent_until = 0.0


@cache
def _redis(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1, decode_responses=True)


# --- what happened -------------------------------------------------------------------------------------------------


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """One request was answered; a file that is sent counts until its first byte."""
    _count({f"requests|{method}|{route}|{status}": 1, **_observed("request_seconds", f"{method}|{route}", seconds)})


def count_task(name: str, is_done: bool, seconds: float) -> None:
    """One task ended, well or in an error."""
    _count({f"tasks|{name}|{'done' if is_done else 'failed'}": 1, **_observed("task_seconds", name, seconds)})


def count_call(gateway: str, act: str, outcome: str, seconds: float) -> None:
    """A gateway was called; `outcome` is `done` or the kind of the error."""
    _count({f"calls|{gateway}|{act}|{outcome}": 1, **_observed("call_seconds", f"{gateway}|{act}", seconds)})


def _observed(name: str, labels: str, seconds: float) -> dict[str, int]:
    bucket = next((str(limit) for limit in SECONDS if seconds <= limit), ENDLESS)
    return {f"{name}|{labels}|{bucket}": 1, f"{name}|{labels}|sum_us": int(seconds * 1_000_000)}


def _count(by: dict[str, int]) -> None:
    global _silent_until
    if time.monotonic() < _silent_until:
        return
    # Held until the figures are sent: of threads that make one at once all but one's are kept nowhere else, and a
    # client that is collected closes the connection its pipeline still reads from.
    client = _redis(settings.REDIS_URL)
    try:
        with client.pipeline(transaction=False) as line:
            for field, number in by.items():
                line.hincrby(KEPT_AS, field, number)
            line.execute()
    except redis.RedisError as error:
        _silent_until = time.monotonic() + SILENCE_SECONDS
        logger.debug("nothing is counted for a moment: %s", type(error).__name__)


def _counted() -> dict[str, dict[str, int]]:
    """What was counted: by name, then by the rest of the field."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    kept: dict[str, str] = _redis(settings.REDIS_URL).hgetall(KEPT_AS)  # type: ignore[assignment]
    for field, number in sorted(kept.items()):
        name, _stroke, rest = field.partition("|")
        found[name][rest] = int(number)
    return found


# --- what is -------------------------------------------------------------------------------------------------------

Figures = Callable[[], Iterable[Metric]]
_figures: list[Figures] = []


def register(figures: Figures) -> None:
    """Show these too, whenever somebody asks; apps tell of theirs when they are loaded."""
    if figures not in _figures:
        _figures.append(figures)


def _backlog() -> Iterator[Metric]:
    due = GaugeMetricFamily("databourse_due", "Rows that wait to be worked on and do not back off.", labels=["work"])
    age = GaugeMetricFamily("databourse_due_oldest_seconds", "How long the oldest of them is due.", labels=["work"])
    late = GaugeMetricFamily("databourse_due_late", "1 where the oldest should have been done by now.", labels=["work"])
    for one in health.waiting():
        due.add_metric([one.work.name], one.count)
        age.add_metric([one.work.name], one.oldest_seconds)
        late.add_metric([one.work.name], one.is_late)
    stuck: dict[str, int] = defaultdict(int)
    for row in health.stuck():
        stuck[row.work] += 1
    failing = GaugeMetricFamily(
        "databourse_stuck", f"Rows whose work failed and backs off; at most {health.SHOWN_AT_MOST}.", labels=["work"]
    )
    for work, number in stuck.items():
        failing.add_metric([work], number)
    yield from (due, age, late, failing)


def _journal() -> Iterator[Metric]:
    yield GaugeMetricFamily("databourse_journal_unsealed", "Events without a seal.", value=Unsealed.objects.count())
    yield GaugeMetricFamily(
        "databourse_journal_seal_lag_seconds",
        "Age of the oldest of them.",
        value=health.seal_lag_seconds(),
    )
    newest = Seal.objects.order_by("-position").values_list("position", flat=True).first()
    yield GaugeMetricFamily("databourse_journal_size", "Sealed events.", value=0 if newest is None else newest + 1)


register(_backlog)
register(_journal)


# --- told together -------------------------------------------------------------------------------------------------


class _Everything(Collector):
    """What the database and Redis know; what does not answer is said and left out."""

    def collect(self) -> Iterator[Metric]:
        answers = GaugeMetricFamily("databourse_answers", "1 while this server answers.", labels=["server"])
        for server, ask, failure in (
            ("database", self._of_the_database, DatabaseError),
            ("redis", self._of_redis, redis.RedisError),
        ):
            try:
                yield from list(ask())
                answers.add_metric([server], 1)
            except failure as error:
                logger.warning("the %s gave no figures: %s", server, type(error).__name__)
                answers.add_metric([server], 0)
        yield answers

    def _of_the_database(self) -> Iterator[Metric]:
        for figures in _figures:
            yield from figures()

    def _of_redis(self) -> Iterator[Metric]:
        age = GaugeMetricFamily("databourse_heartbeat_age_seconds", "Since a process was heard of.", labels=["process"])
        for name in (heartbeats.WORKER, heartbeats.BEAT):
            seconds = heartbeats.age_seconds(name)
            age.add_metric([name], float(heartbeats.KEPT_SECONDS) if seconds is None else seconds)
        yield age
        counted = _counted()
        yield _counter("databourse_requests", "Requests answered.", ["method", "route", "status"], counted["requests"])
        yield _counter("databourse_tasks", "Tasks ended.", ["task", "outcome"], counted["tasks"])
        yield _counter("databourse_calls", "Calls of gateways.", ["gateway", "act", "outcome"], counted["calls"])
        for name, words, labels in (
            ("request_seconds", "Time to the answer, or to its first byte.", ["method", "route"]),
            ("task_seconds", "Time a task took.", ["task"]),
            ("call_seconds", "Time a gateway took.", ["gateway", "act"]),
        ):
            yield _histogram(f"databourse_{name}", words, labels, counted[name])


def _counter(name: str, words: str, labels: list[str], counted: dict[str, int]) -> Metric:
    family = CounterMetricFamily(name, words, labels=labels)
    for key, number in counted.items():
        family.add_metric(key.split("|"), number)
    return family


def _histogram(name: str, words: str, labels: list[str], counted: dict[str, int]) -> Metric:
    rows: dict[str, dict[str, int]] = defaultdict(dict)
    for key, number in counted.items():
        row, _stroke, bucket = key.rpartition("|")
        rows[row][bucket] = number
    family = HistogramMetricFamily(name, words, labels=labels)
    for row, numbers in rows.items():
        total, buckets = 0, []
        for limit in (*map(str, SECONDS), ENDLESS):
            total += numbers.get(limit, 0)
            buckets.append((limit, total))
        family.add_metric(row.split("|"), buckets, numbers.get("sum_us", 0) / 1_000_000)
    return family


def exposition() -> bytes:
    """All figures, in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Everything())
    return generate_latest(registry)
