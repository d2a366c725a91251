"""A large CSV profiled in its jail, beside a plain DuckDB scan of the same file.

    python -m benchmarks.profile [--rows 5000000] [--columns 0] [--line-megabytes 0]

Prints rows a second of both, in the same run, their ratio, and the most memory the jail's processes held together.
`--columns` and `--line-megabytes` make a hostile file instead (so many columns; one line of so many megabytes) and
print how it was answered.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.exchange import PeakMemory
from listings import isolation

MEMORY_BYTES = 2 * 1024**3  # of address space, as settings.PROFILE_MEMORY_BYTES allows
TIMEOUT_SECONDS = 300
SEEDED = """
    SELECT n AS shipment_id,
        'SZX' || lpad((hash(n) % 90000000 + 10000000)::VARCHAR, 8, '0') AS waybill,
        (DATE '2020-01-01' + (hash(n, 1) % 2200)::INTEGER)::DATE AS shipped_on,
        TIMESTAMP '2020-01-01' + to_seconds(((hash(n, 2) % 190000000))::BIGINT) AS scanned_at,
        ['深圳市', '广州市', '香港特别行政区', '上海市', '成都市', '西安市'][(hash(n, 3) % 6 + 1)::INTEGER] AS 城市,
        ['sea', 'air', 'road', 'rail'][(hash(n, 4) % 4 + 1)::INTEGER] AS mode,
        (hash(n, 5) % 500000) / 100 AS weight_kg,
        CASE WHEN hash(n, 6) % 20 > 0 THEN (hash(n, 6) % 400)::INTEGER END AS pieces,
        round(22.0 + (hash(n, 7) % 1000000) / 1000000, 6) AS latitude,
        round(113.0 + (hash(n, 8) % 1000000) / 1000000, 6) AS longitude,
        hash(n, 9) % 2 = 0 AS is_bonded,
        '货物已于' || (hash(n, 10) % 24) || '时到达保税仓库' AS 备注
    FROM range({rows}) AS t(n)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--columns", type=int, default=0)
    parser.add_argument("--line-megabytes", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        path = Path(folder, "shipments.csv")
        if asked.columns or asked.line_megabytes:
            write_hostile(path, asked.columns, asked.line_megabytes)
            told = timed(lambda: answered(path))
            print(
                f"{path.stat().st_size / 1e6:,.0f} MB: {told.answer}; {told}, at most {told.peak_mb:,.0f} MB of memory"
            )
            return
        duckdb.execute(f"COPY ({SEEDED.format(rows=asked.rows)}) TO '{path}' (HEADER)")
        plain = timed(lambda: scan(path))
        profiled = timed(lambda: profile(path))
        report = profiled.answer
        if report["rows"] != asked.rows:
            raise SystemExit(f"the report counts {report['rows']} rows of {asked.rows}")
    print(f"{asked.rows:,} rows, {report['size_bytes'] / 1e6:,.0f} MB, {len(report['columns'])} columns")
    for name, one in (("plain scan", plain), ("profile", profiled)):
        print(f"{name:12}{one}, {asked.rows / one.seconds:,.0f} rows/s")
    print(f"the profile takes {profiled.seconds / plain.seconds:.1f} times as long as the scan")
    print(f"and at most {profiled.peak_mb:,.0f} MB of memory")


def scan(path: Path) -> int:
    """DuckDB on its own: every cell parsed as text, none looked at."""
    with duckdb.connect(config={"threads": 2}) as engine:
        rows = engine.read_csv(str(path), all_varchar=True)
        asked = ", ".join(f'max(strlen("{name}"))' for name in rows.columns)
        return len(rows.aggregate(f"count(*), {asked}").fetchall())


def profile(path: Path) -> dict[str, Any]:
    return isolation.profile_file(
        path, name=path.name, key_columns=None, timeout_seconds=TIMEOUT_SECONDS, memory_bytes=MEMORY_BYTES
    )


def answered(path: Path) -> str:
    try:
        return f"described, {len(profile(path)['columns'])} columns"
    except isolation.ProfileFailed as failure:
        return f"refused, {failure}"


def write_hostile(path: Path, columns: int, line_megabytes: int) -> None:
    with path.open("wb") as file:
        file.write(
            b"\n".join(b",".join(b"%d" % column for column in range(columns)) for _ in range(1000 * bool(columns)))
        )
        for _ in range(line_megabytes):
            file.write(b"x" * 1024**2)


@dataclass(frozen=True)
class Timed:
    """What work answers; its seconds by the wall clock and of the processors; the most memory jails held meanwhile."""

    answer: Any
    seconds: float
    processor_seconds: float
    peak_mb: float

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s ({self.processor_seconds:.1f} s of processors)"


def timed(work: Callable[[], Any]) -> Timed:
    with PeakMemory("profiler") as memory:
        began, used = time.monotonic(), processor_seconds()
        answer = work()
        return Timed(answer, time.monotonic() - began, processor_seconds() - used, memory.peak_mb)


def processor_seconds() -> float:
    """Of this process and of those it has reaped. On a busy machine they say more than the wall clock."""
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


if __name__ == "__main__":
    main()
