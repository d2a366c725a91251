"""Searching the catalogue: products and other exchanges' entries together, beside a bare baseline.

    python -m benchmarks.search [--catalogue PATH] [--entries 20000] [--products 50] [--searches 400]

The catalogue at PATH is imported, and then as many made-up entries as `--entries` says. A search is a whole page: two
counts, and the rows shown with everything their cards need. The baseline, on the same server in the same run, counts
and fetches as many rows by primary key.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import exchange

WORDS = ("气象", "氣象 觀測", "企业", "港口 吞吐量", "金融", "weather", "用電", "航班", "长三角", "风险 查询")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--catalogue", type=Path)
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument("--products", type=int, default=50)
    parser.add_argument("--searches", type=int, default=400)
    asked = parser.parse_args()
    with exchange.PeakMemory() as memory, exchange.running():
        _stock(asked.catalogue, asked.entries, asked.products)
        found = _timed(asked.searches, _search)
        bare = _timed(asked.searches, _baseline)
        plans = _plans()
    for name, seconds in (("searches", found), ("baseline", bare)):
        at = statistics.quantiles(seconds, n=20)
        print(f"{name:<12} p50 {statistics.median(seconds) * 1000:.1f} ms, p95 {at[18] * 1000:.1f} ms")
    print(f"{'ratio':<12} {statistics.median(found) / statistics.median(bare):.2f} of the baseline")
    print(f"{'plans':<12} {', '.join(plans)}")
    print(f"{'peak memory':<12} {memory.peak_mb:.0f} MB, all processes with their servers")


def _stock(path: Path | None, entries: int, products: int) -> None:
    from django.db import connection

    from listings import catalogue_entries, catalogue_files
    from tests import trading

    for _ in range(products):
        trading.make_listed()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "made.jsonl")
        chosen = random.Random(7)
        parts = (
            "气象",
            "企业",
            "港口",
            "金融",
            "风险",
            "查询",
            "观测",
            "吞吐量",
            "用电",
            "航班",
            "交通",
            "信用",
            "指数",
        )
        with made.open("w", encoding="utf-8") as file:
            for number in range(entries):
                row = {
                    "title": "".join(chosen.sample(parts, 3)) + str(number),
                    "description": "".join(chosen.choices(parts, k=30)),
                    "url": f"https://made.example/{number}",
                    "provider": f"{chosen.choice(parts)}数据有限公司",
                    "category": chosen.choice(("金融业", "交通/出行", "气象/环境", "制造业")),
                }
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        for one in (*([path] if path else []), made):
            files = [catalogue_files.look(file) for file in catalogue_files.files_in(one)]
            began = time.monotonic()
            told = catalogue_entries.read(files)
            seconds = time.monotonic() - began
            rows = told.counts["rows"]
            print(f"{'import':<12} {rows} rows in {seconds:.1f} s: {rows / seconds:.0f} a second")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _timed(times: int, search: Callable[[str], Any]) -> list[float]:
    seconds = []
    for number in range(times):
        began = time.perf_counter()
        search(WORDS[number % len(WORDS)])
        seconds.append(time.perf_counter() - began)
    return seconds


def _search(words: str) -> None:
    from listings import catalogue, entry_page, product_page
    from listings.models import CatalogueEntry

    for one in catalogue.page_of(catalogue.browse(words), "1"):
        entry_page.card(one) if isinstance(one, CatalogueEntry) else product_page.card(one)


def _baseline(_words: str) -> None:
    from listings.models import CatalogueEntry, Listing

    Listing.objects.on_sale().count()
    CatalogueEntry.objects.filter(pk__lte=1000).count()
    list(CatalogueEntry.objects.filter(pk__in=range(1, 21)))


def _plans() -> list[str]:
    """Which indexes the entries' questions use."""
    from listings import catalogue

    used = []
    for words, filters in (("气象 观测", {}), ("", {}), ("", {"sector": "energy"})):
        plan = catalogue.browse(words, filters=catalogue.Filters(**filters)).entries[:20].explain()
        used += [
            word
            for word in plan.replace(",", " ").split()
            if word.startswith(("catalogue_entry", "listings_catalogueentry_"))
        ]
    return list(dict.fromkeys(used))


if __name__ == "__main__":
    main()
