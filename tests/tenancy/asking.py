"""The whole table, a world for it, and how one of its rows is asked."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.test import Client, override_settings
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from listings.models import Upload
from marketplace.models import Event, KeyedCommand
from tests import bank_messages
from tests.tenancy import api_rows, api_trade_rows, demand_rows, desk_rows, library_rows, page_rows, search_rows
from tests.tenancy.rules import Answer, Row
from tests.tenancy.walk import filled
from tests.tenancy.world import World

ROWS = [
    *api_rows.ROWS,
    *api_trade_rows.ROWS,
    *page_rows.ROWS,
    *desk_rows.ROWS,
    *demand_rows.ROWS,
    *search_rows.ROWS,
    *library_rows.ROWS,
]


@contextmanager
def made_world(storage: Path, mark: str = "") -> Iterator[World]:
    """Made once for a module, in a transaction that every case returns to and that ends with the module."""
    gateways = settings.GATEWAYS | {"bank": "settlement.gateways.bank.Bank"}
    bank = {"GATEWAYS": gateways, "BANK_ACCOUNTS": bank_messages.ACCOUNTS}
    with override_settings(STORAGE_DIR=storage, **bank), transaction.atomic():
        world = World(mark)
        connection.check_constraints()  # now, once; what waits for the end would be checked anew after each case
        yield world
        transaction.set_rollback(True)


@contextmanager
def taken_back() -> Iterator[None]:
    """Whatever is done inside leaves no trace."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


TRACES = (Event, KeyedCommand, Upload)


def traces() -> int:
    """How many rows say that something was done: in the journal, among the keyed commands and the uploads."""
    counts = " + ".join(f"(SELECT count(*) FROM {model._meta.db_table})" for model in TRACES)  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {counts}")
        return int(cursor.fetchone()[0])


def who_may(row: Row) -> str:
    """Somebody the row allows; signed in, if anybody like that is."""
    return next(who for who in reversed(row.asked()) if row.expected(who) == Answer(row.gives))


def ask(client: Client, row: Row, world: World, *, method: str = "") -> Any:
    """Send the row's request, as a program would to the API and a browser to a page."""
    path = filled(row.route, row.at(world))
    if query := row.asks(world):
        path += "?" + "&".join(f"{name}={value}" for name, value in query.items())
    send = getattr(client, (method or row.method).lower())
    if row.says is None or method:
        return send(path, headers=row.headers(world))
    said = row.says(world)
    if row.is_page:
        return send(path, {"key": secrets.token_urlsafe(18), **said}, headers=row.headers(world))
    headers = {"Idempotency-Key": secrets.token_urlsafe(18), **row.headers(world)}
    return client.generic(method or row.method, path, body_of(row, said), row.content_type, headers=headers)


def body_of(row: Row, said: Any) -> bytes:
    """What is said, as the row's kind of content."""
    return encode_multipart(BOUNDARY, said) if row.content_type == MULTIPART_CONTENT else json.dumps(said).encode()


def brief(text: str) -> str:
    """What an answer says, without its frame."""
    title = re.search(r"<title>(.*?)</title>", text, re.DOTALL)
    return repr(title[1].strip() if title else text[:200])


def read(answer: Any) -> str:
    """The whole answer as text."""
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content.decode("utf-8", "replace")


def named(row: Row) -> str:
    return f"{row.method} {row.route}"


def some(values: list[Any], at: int, width: int = 3) -> list[Any]:
    """`width` of the values, others for each place: each value comes to many fields, not every value to each field."""
    return [values[(at * width + step) % len(values)] for step in range(min(width, len(values)))]
