"""Log lines: one JSON object each for machines, on the trail of a request into its tasks, without secrets."""

from __future__ import annotations

import json
import logging
import re

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from marketplace import task_trails, tasks, trails
from marketplace.log_lines import JsonLine, Line
from tests import factories

TOKEN = "dbt_averysecretstring"


def record(message: str, *arguments: object, **named: object) -> logging.LogRecord:
    return logging.getLogger("marketplace.trying").makeRecord(
        "marketplace.trying", logging.WARNING, __file__, 1, message, arguments, None, extra=named or None
    )


def said(line: logging.LogRecord) -> dict[str, object]:
    return json.loads(JsonLine().format(line))


def test_a_line_is_one_json_object_with_what_it_is_about():
    line = said(record("the trade %s\nwaits", "T-1", facts={"seconds": 1.5}))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", line.pop("at"))
    assert line.pop("process") > 0
    assert line == {
        "level": "WARNING", "logger": "marketplace.trying", "message": "the trade T-1\nwaits", "seconds": 1.5,
    }  # fmt: skip


def test_secrets_are_left_out_and_the_line_stays_json():
    line = said(record('asked "/data/files/abc.def\\" with %s and ?code=XYZ', TOKEN))
    assert line["message"] == 'asked "/data/files/…" with dbt_… and ?code=…'


def test_a_failure_has_its_traceback_without_secrets():
    try:
        raise ValueError(f"refused {TOKEN}")
    except ValueError as error:
        failed = record("it failed")
        failed.exc_info = (ValueError, error, error.__traceback__)
    traceback = said(failed)["traceback"]
    assert "ValueError: refused dbt_…" in traceback and "averysecret" not in traceback


def test_lines_name_the_request_and_its_task():
    with trails.follow(trails.Trail("request-0001", task="settlement.tasks.pay_members")):
        assert said(record("sent"))["request_id"] == "request-0001"
        assert said(record("sent"))["task"] == "settlement.tasks.pay_members"
        assert Line("%(name)s%(trail)s %(message)s").format(record("sent")) == "marketplace.trying [request-0001] sent"
    assert "request_id" not in said(record("sent"))


@pytest.mark.parametrize("asked", ["7f3a-request.0001", "0123456789abcdef0123456789abcdef"])
def test_a_sane_id_is_kept_and_echoed(client, asked):
    assert client.get("/healthz", headers={"X-Request-Id": asked}).headers["X-Request-Id"] == asked


@pytest.mark.parametrize("asked", ["", "short", "two words of it", "a" * 65, 'quote"quote', "-leading-stroke", "é" * 9])
def test_any_other_is_replaced(client, asked):
    answer = client.get("/healthz", headers={"X-Request-Id": asked})
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-Id"])


def test_an_id_goes_with_the_bell_into_the_task():
    headers: dict[str, object] = {}
    with trails.follow(trails.Trail("request-0002")):
        task_trails._hand_on(headers=headers)
    assert headers == {"request_id": "request-0002"}
    task_trails._hand_on(headers=None)
    task = tasks.beat_was_here
    task.push_request(request_id="request-0002")
    try:
        task_trails._begin(task_id="1", task=task)
        assert trails.current().facts() == {"request_id": "request-0002", "task": "marketplace.tasks.beat_was_here"}
        task_trails._end(task_id="1", task=task, state="SUCCESS")
    finally:
        task.pop_request()
    assert trails.current().facts() == {}


@pytest.mark.django_db
def test_a_slow_request_names_its_route_and_the_numbers_of_who_asked(caplog, settings):
    settings.SLOW_REQUEST_SECONDS = 0.000001
    owner = factories.make_user(email="somebody@example.com", name="Some Body")
    organisation = factories.make_organisation("Peak Freight", owner=owner)
    caplog.handler.setFormatter(JsonLine())
    client = Client()
    client.force_login(owner)
    client.get(reverse("members"), headers={"X-Request-Id": "request-0003"})
    line = next(json.loads(line) for line in caplog.text.splitlines() if "answered" in line)
    assert (line["route"], line["method"], line["status"]) == ("members", "GET", 200)
    assert (line["request_id"], line["user"], line["organisation"]) == ("request-0003", owner.pk, organisation.pk)
    assert "somebody" not in caplog.text and "Peak Freight" not in caplog.text


@pytest.mark.django_db
def test_a_slow_statement_is_logged_without_its_parameters(caplog, settings):
    settings.SLOW_QUERY_SECONDS = 0.000001
    with connection.cursor() as cursor:
        cursor.execute("SELECT\n  %s::text", ["a person's name"])
    assert "s: SELECT %s::text" in caplog.text and "person" not in caplog.text


@pytest.mark.django_db
def test_quick_ones_leave_no_line(caplog, settings, client):
    settings.SLOW_REQUEST_SECONDS = settings.SLOW_QUERY_SECONDS = 0
    client.get("/")
    assert "answered" not in caplog.text and "statement" not in caplog.text
