"""The catalogue at a hundred thousand products: searched, narrowed and opened, beside the bare SQL of the same search.

    python -m benchmarks.catalogue [--listings 100000] [--requests 240] [--state FOLDER]

One product goes the whole way to the market; the others are copies of its rows with titles, summaries, sectors, prices
and dates of their own, written past the triggers (the walk through upload, review and registration is what
benchmarks.upload and benchmarks.trades are about) and put on the shelf by the code that always does it. Words are
drawn by Zipf's law, so that a question finds anything from a few products to a third of them. A request is a whole page
through every middleware, as anybody gets it; the bare SQL, on the same server in the same run, only counts the
products with these words and fetches the twenty newest by primary key. "New" searches count everything anew, "again"
takes counts that are no older than a minute from the cache, as a second reader of the same search does. Beside the
wall clock stands what the request and its PostgreSQL used of the processors: about what it takes on an idle machine.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import exchange

AT_ONCE = 1000
SELLERS = 400
WORDS = 800
DETAILS = 4000
# Ranks, by how frequent they are, of the words asked for: one word, two, as typed half, in Chinese, misspelt.
ASKED_RANKS = (1, 4, 8, 15, 30, 60, 120, 240, 480)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listings", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=240)
    parser.add_argument("--state", type=Path, help="keep the products here, and measure them again the next time")
    asked = parser.parse_args()
    with exchange.PeakMemory() as memory, exchange.running(asked.state), exchange.paused("celery"):
        words = _vocabulary()
        if not _stocked():
            _stock(asked.listings, words)
        questions = _questions(words)
        from django.conf import settings
        from django.core.cache import cache

        settings.DEBUG = False  # else Django keeps every statement
        settings.ALLOWED_HOSTS = ["*"]
        importlib.import_module("marketplace.wsgi")  # as the web server begins
        cache.clear()  # of counts that an earlier run on the same products left
        _time("bare SQL", asked.requests, [lambda q=q: _bare(q["q"]) for q in questions])
        settings.CATALOGUE_COUNTS_SECONDS = 0
        _time("search, new", asked.requests, [lambda q=q: _get("/catalogue/", q) for q in questions])
        settings.CATALOGUE_COUNTS_SECONDS = 600
        _time("search, again", asked.requests, [lambda q=q: _get("/catalogue/", q) for q in questions])
        _time("search, part", asked.requests, [lambda q=q: _get("/catalogue/", q, part="found") for q in questions])
        _time("narrowed", asked.requests, [lambda q=q: _get("/catalogue/", q) for q in _narrowed(questions)])
        _time("everything", asked.requests, [lambda: _get("/catalogue/", {})])
        _time("product", asked.requests, [lambda url=url: _get(url, {}) for url in _some_products()])
        print(f"{'found':<13} {_found(questions)}")
    print(f"{'peak memory':<13} {memory.peak_mb:.0f} MB, all processes with their servers")


# --- stocking ------------------------------------------------------------------------------------------------------


def _vocabulary() -> list[tuple[str, str]]:
    """(Chinese, English) words: those of the field and made-up ones, the most frequent first; then DETAILS that fill
    the fields and uses of a manual, which nobody asks for."""
    from listings import synonyms

    field = []
    for group in synonyms.GROUPS:
        han = next(word for word in group if not word.isascii())
        field.append((han, next(word for word in group if word.isascii())))
    chosen = random.Random(11)
    chosen.shuffle(field)
    han = [chr(code) for code in range(0x4E00, 0x4E00 + 3000)]
    letters = ["ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va"]
    made = [
        ("".join(chosen.sample(han, 2)), "".join(chosen.sample(letters, 4))) for _ in range(WORDS + 4000 - len(field))
    ]
    return field + made


def _stocked() -> int:
    from listings.models import Listing

    return Listing.objects.filter(public_id__startswith="copy").count()


def _stock(count: int, words: list[tuple[str, str]]) -> None:
    """All of them or none: a folder that is kept must not lack an index where this was cut off."""
    from django.db import connection, transaction

    from listings import shelf
    from listings.models import Listing
    from tests import trading

    began = time.monotonic()
    trading.make_offer(trading.make_listed())
    chosen = random.Random(7)
    weights = list(itertools.accumulate(1 / rank for rank in range(5, WORDS + 5)))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname IN ('shelf_search', 'shelf_title_search')")
        indexes = [definition for (definition,) in cursor.fetchall()]
        cursor.execute("DROP INDEX shelf_search, shelf_title_search")  # made once all are there
        cursor.execute(_SELLERS, [SELLERS])
        for start in range(0, count, AT_ONCE):
            rows = [_manual(number, chosen, words, weights) for number in range(start, min(start + AT_ONCE, count))]
            cursor.execute("TRUNCATE copied")
            with cursor.copy("COPY copied FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute(_COPIES)
            shelf.index(
                *Listing.objects.filter(public_id__in=[f"copy{row[0]}" for row in rows]).select_related(
                    "seller", "current_version"
                )
            )
        for definition in indexes:
            cursor.execute(definition)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    print(f"{'stocking':<13} {count} products in {time.monotonic() - began:.0f} s")


def _manual(number: int, chosen: random.Random, words: list[tuple[str, str]], weights: list[float]) -> tuple[Any, ...]:
    """A product's own facts; _COPIES names them."""
    title = chosen.choices(words[:WORDS], cum_weights=weights, k=3)
    said = chosen.choices(words[:WORDS], cum_weights=weights, k=10)
    titles = {"en": " ".join(en for _han, en in title) + f" {number}", "zh-hans": "".join(han for han, _en in title)}
    summaries = {"en": " ".join(en for _han, en in said) + ".", "zh-hans": "，".join(han for han, _en in said) + "。"}
    details = chosen.sample(words[WORDS:], 64)
    return (
        number,
        json.dumps(titles, ensure_ascii=False),
        json.dumps(summaries, ensure_ascii=False),
        " ".join(f"{en} {han}" for han, en in details[:40]),
        json.dumps(
            [{"name": en, "type": "text", "meaning": han, "unit": ""} for han, en in details[40:]], ensure_ascii=False
        ),
        chosen.choice(("transport", "weather", "finance", "trade", "health", "industry", "energy", "city", "other")),
        chosen.choice(("real_time", "daily", "weekly", "monthly", "quarterly", "yearly")),
        chosen.choice(("general_1", "general_1", "general_2", "general_3")),
        chosen.choice(("dataset", "dataset", "dataset", "report", "api")),
        chosen.choice((0, 9_900, 99_000, 450_000, 1_200_000, 9_000_000, 40_000_000)),
        chosen.choice(("CNY", "CNY", "HKD", "USD")),
        min(SELLERS - 1, int(chosen.expovariate(1) * SELLERS / 6)),
        round(chosen.uniform(0.8, 1), 4),
    )


_SELLERS = """
    CREATE TEMP TABLE copied (
        number bigint, titles jsonb, summaries jsonb, uses text, fields jsonb, sector text, frequency text,
        classification text, product_type text, price_minor bigint, currency text, seller bigint, quality numeric
    );
    CREATE TEMP TABLE sellers AS
        SELECT o.*, n - 1 AS number FROM marketplace_organisation o, generate_series(1, %s) AS n
        WHERE o.id = (SELECT seller_id FROM listings_listing ORDER BY id LIMIT 1);
    UPDATE sellers SET id = 1000000 + number, public_id = 'seller' || number, name = '数据有限公司' || number,
        latin_name = 'Merchant ' || number, region = (ARRAY['CN-SH', 'CN-GD', 'CN-GZ', 'CN-BJ', 'HK'])[1 + number %% 5],
        registration_number = 'R' || number;
    ALTER TABLE sellers DROP COLUMN number;
    INSERT INTO marketplace_organisation SELECT * FROM sellers
"""


def _copy_of(table: str, condition: str, changes: str) -> str:
    """SQL that copies one row of the table for each row of `copied`, changed by a record of its columns."""
    return f"""
    INSERT INTO {table} SELECT copy.* FROM copied c, {table} AS one, jsonb_populate_record(one, {changes}) AS copy
        WHERE one.id = (SELECT id FROM {table} WHERE {condition} ORDER BY id LIMIT 1);
    """  # noqa: S608


_ID = "'id', 1000000 + c.number"
_OF = "(SELECT {} FROM listings_listing WHERE id < 1000000 ORDER BY id LIMIT 1)"
_COPIES = "".join(
    [
        _copy_of(
            "listings_listing",
            "id < 1000000",
            f"jsonb_build_object({_ID}, 'public_id', 'copy' || c.number, 'seller_id', 1000000 + c.seller, "
            "'product_type', c.product_type, 'current_version_id', 1000000 + c.number, "
            "'listed_at', one.listed_at - c.number * interval '1 minute')",
        ),
        _copy_of(
            "listings_release",
            f"listing_id = {_OF.format('id')}",
            f"jsonb_build_object({_ID}, 'listing_id', 1000000 + c.number)",
        ),
        _copy_of(
            "listings_profile",
            "state = 'done' AND id < 1000000",
            f"jsonb_build_object({_ID}, 'release_id', 1000000 + c.number, 'quality', c.quality)",
        ),
        _copy_of(
            "listings_version",
            f"id = {_OF.format('current_version_id')}",
            f"jsonb_build_object({_ID}, 'listing_id', 1000000 + c.number, 'release_id', 1000000 + c.number, "
            "'titles', c.titles, 'summaries', c.summaries, 'use_scenarios', c.uses, 'fields', c.fields, "
            "'sector', c.sector, 'update_frequency', c.frequency, "
            "'classification', c.classification)",
        ),
        _copy_of(
            "listings_registration",
            f"version_id = {_OF.format('current_version_id')}",
            f"jsonb_build_object({_ID}, 'version_id', 1000000 + c.number, 'number', 'COPY-' || c.number, "
            "'holder_id', 1000000 + c.seller)",
        ),
        _copy_of(
            "listings_offer",
            f"listing_id = {_OF.format('id')}",
            f"jsonb_build_object({_ID}, 'public_id', 'offer' || c.number, 'listing_id', 1000000 + c.number, "
            "'price_minor', c.price_minor, 'currency', c.currency)",
        ),
    ]
)


# --- asking --------------------------------------------------------------------------------------------------------


def _questions(words: list[tuple[str, str]]) -> list[dict[str, Any]]:
    asked = []
    for rank in ASKED_RANKS:
        han, english = words[rank - 1]
        other_han, other_english = words[(rank * 3) % WORDS]
        asked += [han, english, han + other_han, f"{english} {other_english}", f"{english} {other_han}", english[:-1]]
    return [{"q": text} for text in asked]


def _narrowed(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    choices = (
        {"sector": ["weather", "energy"]},
        {"price": ["free", "CNY-1"], "frequency": "daily"},
        {"quality": ["A", "B"], "sort": "price"},
        {"region": "HK", "sector": "finance", "classification": "general_1"},
    )
    return [question | choices[place % len(choices)] for place, question in enumerate(questions)]


def _get(url: str, query: dict[str, Any], part: str = "") -> None:
    from django.test import Client

    answer = Client(headers={"X-Part": part} if part else {}).get(url, query)
    assert answer.status_code == 200, answer.status_code


def _some_products() -> list[str]:
    from listings.models import Listing

    found = Listing.objects.on_sale().order_by("public_id")[:20]
    return [listing.get_absolute_url() for listing in found]


def _bare(text: str) -> None:
    from django.db import connection, transaction

    from listings import search_question

    sql, values = search_question.read(text).wide()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
        cursor.execute(f"SELECT count(*) FROM listings_shelfitem WHERE is_shown AND search @@ {sql}", values)  # noqa: S608
        cursor.fetchall()
        cursor.execute(
            f"SELECT listing_id FROM listings_shelfitem WHERE is_shown AND search @@ {sql} "  # noqa: S608
            "ORDER BY since DESC LIMIT 20",
            values,
        )
        pks = [pk for (pk,) in cursor.fetchall()]
        cursor.execute("SELECT * FROM listings_listing WHERE id = ANY(%s)", [pks])
        cursor.fetchall()


def _found(questions: list[dict[str, Any]]) -> str:
    from listings import catalogue

    counts = sorted(catalogue.browse(question["q"]).count() for question in questions)
    return f"{counts[0]} to {counts[-1]} products a question, median {counts[len(counts) // 2]}"


def _time(name: str, times: int, requests: list[Callable[[], None]]) -> None:
    for request in requests:
        request()  # once each, so that PostgreSQL and the templates are warm
    seconds, used = [], []
    for number in range(times):
        began, used_before = time.perf_counter(), _processor_seconds()
        requests[number % len(requests)]()
        seconds.append(time.perf_counter() - began)
        used.append(_processor_seconds() - used_before)
    print(f"{name:<13} {_middle_and_worst(seconds)}; of processors {_middle_and_worst(used)}", flush=True)


def _middle_and_worst(seconds: list[float]) -> str:
    worst = statistics.quantiles(seconds, n=20)[18]
    return f"p50 {statistics.median(seconds) * 1000:.1f} ms, p95 {worst * 1000:.1f} ms"


def _processor_seconds() -> float:
    """Of this process and of the PostgreSQL process that serves it."""
    from django.db import connection

    pid = connection.connection.info.backend_pid
    return time.process_time() + int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


if __name__ == "__main__":
    main()
