"""Alive, ready, what waits and what is stuck: told from the database, and by those who are alive."""

from __future__ import annotations

import datetime as dt
import re
import time

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from marketplace import health, health_views, heartbeats, idempotency, journal, tasks
from marketplace.celery import BELLS, app
from marketplace.errors import RoleNeeded
from marketplace.models import Event, Follower, KeyedCommand, Seal, User
from settlement.models import Notice, Statement
from tests import trading
from tests.factories import make_staff, make_user

pytestmark = pytest.mark.django_db
NO_REDIS = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://127.0.0.1:1/0",
    }
}


@pytest.fixture(autouse=True)
def asked_anew(monkeypatch):
    monkeypatch.setattr(health_views, "KEPT_SECONDS", 0.0)


@pytest.fixture
def alive():
    heartbeats.leave(heartbeats.BEAT)
    heartbeats.leave(heartbeats.WORKER)


def sign(name: str) -> health.Sign:
    return next(one for one in health.signs() if one.name == name)


def of(name: str) -> health.Waiting:
    return next(one for one in health.waiting() if one.work.name == name)


def a_notice(**changes: object) -> Notice:
    return Notice.objects.create(gateway="sandbox", event_id=f"evt-{Notice.objects.count()}", body="{}", **changes)


def ago(seconds: int) -> dt.datetime:
    return timezone.now() - dt.timedelta(seconds=seconds)


# --- the two addresses ---------------------------------------------------------------------------------------------


def test_healthz_asks_neither_database_nor_redis(client, settings, django_assert_num_queries):
    settings.CACHES = NO_REDIS
    cache.close()
    with django_assert_num_queries(0):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"is_alive": True})


def test_readyz_is_200_when_everything_that_is_needed_is_in_order(client, alive):
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["is_ready"] is True
    names = {one["name"] for one in answer.json()["signs"]}
    assert {"database", "redis", "worker", "beat", "journal", "notices to read", "profiler isolation"} <= names
    assert all(one["is_ok"] for one in answer.json()["signs"] if one["is_needed"])


@pytest.mark.parametrize("silent", [heartbeats.BEAT, heartbeats.WORKER])
def test_readyz_is_503_when_beat_or_a_worker_is_silent(client, alive, silent):
    cache.set(f"heartbeat:{silent}", time.time() - 31, 60)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    wrong = [one for one in answer.json()["signs"] if not one["is_ok"] and one["is_needed"]]
    assert [(one["name"], one["detail"]) for one in wrong] == [(silent, "last heard of 31 s ago")]
    cache.delete(f"heartbeat:{silent}")
    assert sign(silent).detail == "was not heard of within a day"


def test_readyz_says_that_redis_is_away(client, settings):
    settings.CACHES = NO_REDIS
    cache.close()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert {one["name"] for one in answer.json()["signs"] if not one["is_ok"] and one["is_needed"]} == {
        "redis", "worker", "beat"
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_readyz_says_that_the_database_is_away(client, alive, settings):
    kept = connection.settings_dict["HOST"]
    connection.close()
    connection.settings_dict["HOST"] = "/nonexistent"
    try:
        answer = client.get("/readyz")
        assert client.get("/healthz").status_code == 200
    finally:
        connection.close()
        connection.settings_dict["HOST"] = kept
    assert answer.status_code == 503
    assert answer.json()["signs"][0] == {
        "name": "database", "is_ok": False, "is_needed": True, "detail": "does not answer (OperationalError)"
    }  # fmt: skip


def test_asking_often_does_not_count_often(client, alive, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(health_views, "KEPT_SECONDS", 60.0)
    monkeypatch.setattr(health_views, "_kept", None)
    client.get("/readyz")
    with django_assert_num_queries(0):
        client.get("/readyz")


def test_a_machine_without_isolation_is_a_warning_in_development_and_not_ready_in_production(settings, monkeypatch):
    from listings import due, isolation
    from listings import tasks as listings_tasks

    nothing = isolation.Isolation(network=False, files=True, processes=True, memory=True)
    monkeypatch.setattr(isolation, "grants", lambda: nothing)
    settings.PROFILE_NEEDS_ISOLATION = False
    assert due.profiler_isolation().detail == "No worker has said yet what it grants."
    listings_tasks.profile_releases()
    assert "no network isolation" in due.profiler_isolation().detail
    assert not due.profiler_isolation().is_ok
    assert health.is_ready([due.profiler_isolation()])
    settings.PROFILE_NEEDS_ISOLATION = True
    assert not health.is_ready([due.profiler_isolation()])
    # What counts is what the worker found, not what the process that is asked could do.
    monkeypatch.setattr(isolation, "grants", lambda: isolation.Isolation(True, True, True, True))
    assert not health.is_ready([due.profiler_isolation()])
    listings_tasks.profile_releases()
    assert health.is_ready([due.profiler_isolation()])


# --- work ----------------------------------------------------------------------------------------------------------


def test_due_work_is_counted_with_the_age_of_the_oldest():
    assert (of("notices to read").count, of("notices to read").is_late) == (0, False)
    a_notice(next_try_at=ago(90))
    a_notice(next_try_at=ago(30))
    a_notice(next_try_at=timezone.now() + dt.timedelta(seconds=60))
    a_notice(next_try_at=ago(900), claimed_until=timezone.now() + dt.timedelta(seconds=30))
    waiting = of("notices to read")
    assert (waiting.count, 90 <= waiting.oldest_seconds <= 95, waiting.is_late) == (2, True, False)
    a_notice(next_try_at=ago(121), claimed_until=ago(1))
    assert of("notices to read").is_late
    late = sign("notices to read")
    assert not late.is_ok
    assert re.fullmatch(r"3 due, the oldest for 12\d s", late.detail)


def test_every_kind_of_work_can_be_counted_when_there_is_none():
    assert [one.work.name for one in health.waiting() if one.count] == []


def test_a_trade_waits_for_registration_then_for_money_and_is_never_late_on_its_way():
    deal = trading.propose()
    assert of("trades to register").count == 1
    trading.work()
    assert [one.work.name for one in health.waiting() if one.count] == []
    trading.pay(deal)
    assert [one.work.name for one in health.waiting() if one.count] == []
    trading.ROAD["accepted"](deal)
    trading.clear_now()
    assert deal.state == "settled"
    assert [one.work.name for one in health.waiting() if one.count] == [
        "statements to issue",
        "clearing cycles to invoice",
    ]
    assert Statement.objects.get().paper is None


def test_stuck_rows_are_those_that_failed_and_those_that_kill_their_worker():
    a_notice()
    failed = a_notice(error="TryLater: no answer", tries=2, next_try_at=timezone.now() + dt.timedelta(minutes=4))
    killer = a_notice(tries=4)
    a_notice(error="done", read_at=timezone.now())
    stuck = {one.row.pk: one for one in health.stuck()}
    assert set(stuck) == {failed.pk, killer.pk}
    found = stuck[failed.pk]
    assert (found.work, found.error, found.tries) == ("notices to read", "TryLater: no answer", 2)
    assert found.next_try_at == failed.next_try_at


def test_a_follower_that_fails_is_stuck_work():
    Follower.objects.create(name="settlement", error="ValueError: x", tries=1)
    assert [(one.work, one.row.pk) for one in health.stuck()] == [("followers of the journal", "settlement")]
    health.try_now(health.row_of("followers of the journal", "settlement"), by=make_staff("support"))
    assert Event.objects.filter(kind="follower.hurried", facts__row="settlement").count() == 1


def test_staff_let_a_row_be_tried_at_once():
    row = a_notice(error="TryLater", tries=9, next_try_at=timezone.now() + dt.timedelta(minutes=5))
    officer = make_staff("support")
    health.try_now(health.row_of("notices to read", str(row.pk)), by=officer)
    row.refresh_from_db()
    assert row.next_try_at <= timezone.now()
    assert (row.tries, row.error) == (9, "TryLater")
    event = journal.of(row).get()
    assert (event.kind, event.by) == ("notice.hurried", officer)


def test_only_those_staff_let_rows_be_tried():
    later = timezone.now() + dt.timedelta(minutes=5)
    row = a_notice(error="TryLater", next_try_at=later)
    for person in (make_user(), make_staff("audit"), make_staff("administrator")):
        with pytest.raises(RoleNeeded):
            health.try_now(row, by=person)
    row.refresh_from_db()
    assert row.next_try_at == later
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("work", "pk"), [("notices to read", "0"), ("notices to read", "x"), ("nothing", "1"), ("statements to issue", "1")]
)
def test_a_row_that_is_none_is_refused(work, pk):
    with pytest.raises(health.NoSuchWork):
        health.row_of(work, pk)


# --- the journal ---------------------------------------------------------------------------------------------------


def test_the_lag_of_sealing_is_the_age_of_the_oldest_event_without_a_seal(alive):
    person = make_user()
    journal.record("trade.agreed", person, by=None)
    journal.seal()
    assert health.seal_lag_seconds() == 0
    Event.objects.bulk_create(
        [Event(kind="x", subject_kind="user", subject_id=person.pk, facts={}, at=ago(age)) for age in (61, 5)]
    )
    assert 61 <= health.seal_lag_seconds() <= 63
    assert not sign("journal").is_ok
    assert "is not sealed is 6" in sign("journal").detail


# --- tasks ---------------------------------------------------------------------------------------------------------


def test_every_bell_rings_for_a_task_that_exists():
    app.loader.import_default_modules()
    assert set(BELLS) <= set(app.tasks)


def test_sealing_seals_everything_and_followers_follow(monkeypatch):
    monkeypatch.setattr(journal, "SEAL_AT_ONCE", 3)
    person = make_user()
    for _one in range(8):
        journal.record("trade.agreed", person, by=None)
    tasks.seal_journal()
    assert Seal.objects.count() == 8
    tasks.follow_journal()
    assert Follower.objects.get(name="settlement").position == 7


def test_keys_are_forgotten_after_their_time():
    person = User.objects.create_user("ann@example.com")
    for age_days in (idempotency.KEPT_DAYS - 1, idempotency.KEPT_DAYS + 1):
        KeyedCommand.objects.create(
            user=person, key=f"key-{age_days}", request_digest="d", created_at=ago(age_days * 24 * 3600)
        )
    tasks.forget_old_keys()
    assert [one.key for one in KeyedCommand.objects.all()] == [f"key-{idempotency.KEPT_DAYS - 1}"]


def test_a_heartbeat_does_no_harm_without_redis(settings):
    settings.CACHES = NO_REDIS
    cache.close()
    tasks.beat_was_here()
    heartbeats._worker_lives()
