"""The figures for Prometheus: who may read them, what they count, and that no id becomes a label."""

from __future__ import annotations

import gc
import re
import weakref

import pytest
import redis
from django.db import DatabaseError
from django.test import Client
from django.urls import resolve
from prometheus_client.parser import text_string_to_metric_families

from marketplace import metrics
from marketplace.tasks import beat_was_here
from settlement.gateways import TryLater, gateway
from settlement.gateways.metered import Metered
from settlement.states import TradeState
from tests import factories, trading

pytestmark = pytest.mark.django_db
FIGURES = "/metrics"


@pytest.fixture(autouse=True)
def counting(monkeypatch):
    monkeypatch.setattr(metrics, "_silent_until", 0.0)
    metrics._redis(metrics.settings.REDIS_URL).delete(metrics.KEPT_AS)


def figures(client: Client | None = None) -> dict[str, dict[tuple[str, ...], float]]:
    """Every sample: by name, then by its labels' values in the order of their names."""
    answer = (client or Client()).get(FIGURES)
    assert answer.status_code == 200
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.content.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels[name] for name in sorted(sample.labels))] = (
                sample.value
            )
    return found


# --- who may -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "address", "status"),
    [
        ({}, "127.0.0.1", 404),
        ({"Authorization": "Bearer the-token"}, "203.0.113.9", 200),
        ({"Authorization": "Bearer another"}, "127.0.0.1", 404),
        ({"Authorization": "Basic the-token"}, "127.0.0.1", 404),
        ({"Authorization": "Bearer "}, "127.0.0.1", 404),
    ],
)
def test_with_a_token_only_who_has_it(client, settings, headers, address, status):
    settings.METRICS_TOKEN, settings.METRICS_LOOPBACK = "the-token", False
    assert client.get(FIGURES, headers=headers, REMOTE_ADDR=address).status_code == status


@pytest.mark.parametrize(
    ("headers", "address", "status"),
    [
        ({}, "127.0.0.1", 200),
        ({}, "::1", 200),
        ({}, "203.0.113.9", 404),
        ({"X-Forwarded-For": "127.0.0.1"}, "127.0.0.1", 404),  # a stranger, through the proxy of this machine
        ({"Authorization": "Bearer "}, "203.0.113.9", 404),  # no token is set: the empty one is none
    ],
)
def test_from_this_machine_only_what_no_proxy_passes_on(client, settings, headers, address, status):
    settings.METRICS_TOKEN, settings.METRICS_LOOPBACK = "", True
    assert client.get(FIGURES, headers=headers, REMOTE_ADDR=address).status_code == status


# --- what they say -------------------------------------------------------------------------------------------------


def test_trades_work_and_journal_are_counted():
    deal = trading.make_trade(TradeState.AGREED)
    found = figures()
    assert found["databourse_trades"][("agreed",)] == 1 and found["databourse_trades"][("settled",)] == 0
    assert set(found["databourse_trades"]) == {(state,) for state in TradeState.values}
    assert found["databourse_due"][("trades to register",)] == 1
    assert found["databourse_due_late"][("trades to register",)] == 0
    assert found["databourse_journal_unsealed"][()] > 0
    assert found["databourse_answers"] == {("database",): 1, ("redis",): 1}
    trading.work()
    assert deal.state == TradeState.REGISTERED
    found = figures()
    assert found["databourse_due"][("trades to register",)] == 0
    assert found["databourse_journal_unsealed"][()] == 0 and found["databourse_journal_size"][()] > 0


def test_requests_are_counted_by_route_and_never_by_address():
    offer = trading.make_offer()
    for public_id in (offer.listing.public_id, "L-0000"):
        Client().get(f"/api/v1/products/{public_id}")
    Client().get(f"/products/{offer.listing.public_id}/nothing-here")
    found = figures()
    counted = found["databourse_requests_total"]
    route = resolve(f"/api/v1/products/{offer.listing.public_id}").view_name
    assert counted[("GET", route, "200")] == 1 and counted[("GET", route, "404")] == 1
    assert counted[("GET", "none", "404")] == 1
    assert found["databourse_request_seconds_count"][("GET", route)] == 2
    assert found["databourse_request_seconds_bucket"][("+Inf", "GET", route)] == 2
    assert offer.listing.public_id not in Client().get(FIGURES).content.decode()


def test_a_method_nobody_knows_is_one_label():
    Client().generic("BREW", "/healthz")
    assert figures()["databourse_requests_total"][("OTHER", "healthz", "405")] == 1


def test_a_client_that_nobody_keeps_lives_until_its_figures_are_sent(monkeypatch):
    """As where threads that make the first client at once each get their own, and one of them alone is kept."""
    made = []

    def anew(url):
        client = redis.Redis.from_url(url)
        made.append(weakref.ref(client))
        return client

    def collected_meanwhile(pipeline, *args, **kwargs):
        gc.collect()
        assert made[-1]() is not None
        return execute(pipeline, *args, **kwargs)

    execute = redis.client.Pipeline.execute
    monkeypatch.setattr(redis.client.Pipeline, "execute", collected_meanwhile)
    monkeypatch.setattr(metrics, "_redis", anew)
    metrics.count_task("listings.tasks.tidy", True, 0.02)
    assert made
    monkeypatch.undo()
    assert metrics._redis(metrics.settings.REDIS_URL).hget(metrics.KEPT_AS, "tasks|listings.tasks.tidy|done") == "1"


def test_tasks_are_counted_with_their_failures():
    metrics.count_task(beat_was_here.name, True, 0.02)
    metrics.count_task(beat_was_here.name, False, 7)
    found = figures()
    assert found["databourse_tasks_total"] == {("done", beat_was_here.name): 1, ("failed", beat_was_here.name): 1}
    assert found["databourse_task_seconds_sum"][(beat_was_here.name,)] == pytest.approx(7.02)
    assert found["databourse_task_seconds_bucket"][("0.025", beat_was_here.name)] == 1
    assert found["databourse_task_seconds_bucket"][("10.0", beat_was_here.name)] == 2


def test_calls_of_gateways_are_counted_by_how_they_ended():
    deal = trading.make_trade(TradeState.REGISTERED)
    calls = figures()["databourse_calls_total"]
    assert calls[("start", "sandbox", "done")] == 1
    gateway("sandbox").look_up(deal.payment)
    assert figures()["databourse_calls_total"][("look_up", "sandbox", "done")] == 1


class Silent:
    name = "silent"

    def start(self, payment: object) -> None:
        raise TryLater("no answer")


def test_a_call_that_fails_is_counted_and_fails_as_before():
    with pytest.raises(TryLater, match="no answer"):
        Metered(Silent()).start(None)
    assert figures()["databourse_calls_total"] == {("start", "silent", "TryLater"): 1}


def test_no_label_holds_a_number():
    trading.make_trade(TradeState.SETTLED)
    person = factories.make_user()
    client = Client()
    client.force_login(person)
    client.get("/members/")
    shown = client.get(FIGURES).content.decode()
    labels = re.findall(r'(\w+)="([^"]*)"', shown)
    assert [value for name, value in labels if name not in ("le", "status") and re.search(r"\d", value)] == []


# --- what does not answer ------------------------------------------------------------------------------------------


def test_without_redis_requests_are_answered_and_the_rest_is_told(client, settings):
    settings.REDIS_URL = "unix:///nonexistent/redis.sock"
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": settings.REDIS_URL}
    }
    assert client.get("/healthz").status_code == 200
    assert metrics._silent_until > 0
    found = figures(client)
    assert found["databourse_answers"] == {("database",): 1, ("redis",): 0}
    assert ("trades to register",) in found["databourse_due"] and "databourse_requests_total" not in found


def test_without_the_database_the_rest_is_told(monkeypatch, client):
    def away() -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(metrics, "_figures", [away])
    client.get("/healthz")
    found = figures(client)
    assert found["databourse_answers"] == {("database",): 0, ("redis",): 1}
    assert found["databourse_requests_total"][("GET", "healthz", "200")] == 1
