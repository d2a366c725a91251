"""The demo's simulated tables: small seeded programs, so that the same rows come out every time. Nothing is real."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from random import Random

Table = tuple[Sequence[str], Iterable[Sequence[object]]]
DISTRICTS = ("East", "West", "North", "South")


def _hours(year: int, month: int, days: int) -> Iterable[dt.datetime]:
    start = dt.datetime(year, month, 1)  # noqa: DTZ001 - the local time of a made-up place
    return (start + dt.timedelta(hours=hour) for hour in range(24 * days))


def _months(first_year: int, count: int) -> list[str]:
    return [f"{first_year + month // 12}-{month % 12 + 1:02d}" for month in range(count)]


def _weeks(first: dt.date, last: dt.date) -> list[dt.date]:
    return [first + dt.timedelta(weeks=week) for week in range((last - first).days // 7 + 1)]


@cache
def _warmth(at: dt.datetime) -> float:
    """Degrees Celsius of a subtropical coast: season and hour of day."""
    season = math.cos((at.timetuple().tm_yday - 205) / 365 * math.tau)
    return 22.5 + 6.5 * season + 2.6 * math.cos((at.hour - 15) / 24 * math.tau)


def port_calls(_is_later: bool) -> Table:
    draw = Random(101)  # noqa: S311 - a simulation

    def rows() -> Iterable[Sequence[object]]:
        at = dt.datetime(2025, 1, 1)  # noqa: DTZ001
        for number in range(1, 12_001):
            at += dt.timedelta(minutes=draw.expovariate(1 / 43))
            length = draw.choice((172, 222, 260, 300, 336, 366, 399))
            moves = int(length**1.6 / 8 * draw.uniform(0.3, 1))
            berthed = at + dt.timedelta(hours=draw.expovariate(1 / 5) + 1)
            share = draw.uniform(0.3, 0.7)
            stay = dt.timedelta(hours=2 + moves / draw.uniform(70, 130))
            yield (
                number, f"Terminal {draw.choice('ABCDEFGH')}", length, int(moves * share), int(moves * (1 - share)),
                at.isoformat(timespec="minutes"), berthed.isoformat(timespec="minutes"),
                (berthed + stay).isoformat(timespec="minutes"),
            )  # fmt: skip

    names = ("call", "terminal", "length_m", "discharged", "loaded", "arrived_at", "berthed_at", "departed_at")
    return names, rows()


def freight(is_later: bool) -> Table:
    ends = ("North Europe", "Mediterranean", "US West Coast", "US East Coast", "Japan", "Korea", "South-East Asia")
    lanes = [f"South China – {end}" for end in (*ends, "Australia", "Gulf", "East Africa", "Brazil", "India")]
    draw = Random(102)  # noqa: S311
    level = {lane: draw.uniform(600, 2600) for lane in lanes}

    def rows() -> Iterable[Sequence[object]]:
        shock = 1.0
        for week in _weeks(dt.date(2019, 1, 7), dt.date(2026, 6, 29)):
            shock = max(0.6, shock + 0.04 * (1 - shock) + draw.gauss(0, 0.05) + (draw.random() < 0.006) * 1.6)
            season = 1 + 0.1 * math.sin((week.timetuple().tm_yday - 150) / 365 * math.tau)
            for lane in lanes:
                rate = level[lane] * shock * season * draw.gauss(1, 0.02)
                if is_later or week.year < 2026:
                    yield week, lane, f"{rate:.0f}", int(draw.gauss(42_000, 2_500) / shock**0.3)

    return ("week", "lane", "rate", "capacity"), rows()


def prices(_is_later: bool) -> Table:
    draw = Random(103)  # noqa: S311

    def rows() -> Iterable[Sequence[object]]:
        days = [dt.date(2023, 1, 2) + dt.timedelta(days=one) for one in range(1095)]
        for number in range(1, 41):
            price, spread = draw.uniform(4, 180), 0.012
            for day in days:
                if day.isoweekday() > 5:
                    continue
                spread = min(0.06, max(0.004, 0.9 * spread + 0.1 * 0.012 * draw.lognormvariate(0, 0.6)))
                opened = price * draw.gauss(1, spread / 3)
                price = opened * draw.gauss(1.0002, spread)
                high, low = max(opened, price) * (1 + spread / 3), min(opened, price) * (1 - spread / 3)
                volume = int(draw.lognormvariate(12, 0.5) * spread * 80)
                yield (
                    day, f"SIM{number:02d}", f"{opened:.2f}", f"{high:.2f}", f"{low:.2f}", f"{price:.2f}", volume
                )  # fmt: skip

    return ("date", "instrument", "open", "high", "low", "close", "volume"), rows()


def hs_trade(_is_later: bool) -> Table:
    draw = Random(104)  # noqa: S311
    partners = ["AU", "BR", "DE", "GB", "ID", "IN", "JP", "KR", "MY", "TH", "US", "VN"]
    chapters = [f"{chapter:02d}" for chapter in range(1, 98) if chapter != 77]  # the Harmonised System keeps 77 free
    size = {(c, p): (draw.lognormvariate(8, 1.4), draw.lognormvariate(8, 1.4)) for c in chapters for p in partners}

    def rows() -> Iterable[Sequence[object]]:
        for number, month in enumerate(_months(2024, 24)):
            swing = (1 + 0.004 * number) * (0.78 if month.endswith("-02") else 1)
            for (chapter, partner), (out, into) in size.items():
                yield month, chapter, partner, int(out * swing * draw.gauss(1, 0.1)), int(into * draw.gauss(1, 0.1))

    return ("month", "chapter", "partner", "exports", "imports"), rows()


def retail(is_later: bool) -> Table:
    cities = [
        "Beijing", "Shanghai", "Guangzhou", "Shenzhen", "Hangzhou", "Chengdu", "Chongqing", "Wuhan", "Nanjing",
        "Xi'an",
    ]  # fmt: skip
    cities += ["Guiyang", "Tianjin", "Xiamen", "Qingdao", "Changsha"]
    goods = [
        "Food", "Drinks", "Clothing", "Cosmetics", "Household", "Electronics", "Furniture", "Medicine", "Books",
        "Vehicles",
    ]  # fmt: skip
    draw = Random(105)  # noqa: S311
    base = {(city, good): draw.lognormvariate(11, 0.7) for city in cities for good in goods}
    festival = {"01": 1.12, "02": 0.93, "06": 1.08, "09": 1.04, "10": 1.1, "11": 1.24, "12": 1.09}

    def rows() -> Iterable[Sequence[object]]:
        for number, month in enumerate(_months(2021, 66)):
            swing = festival.get(month[-2:], 1) * (1 + 0.003 * number)
            for (city, good), sales in base.items():
                sold = sales * swing * draw.gauss(1, 0.03)
                if is_later or number < 60:
                    yield month, city, good, int(sold), f"{100 * sold / sales:.1f}"

    return ("month", "city", "category", "sales", "index"), rows()


def bus(_is_later: bool) -> Table:
    draw = Random(106)  # noqa: S311

    def rows() -> Iterable[Sequence[object]]:
        for at in _hours(2025, 9, 30):
            if not 5 <= at.hour <= 22:
                continue
            rush = 1 + 2.4 * math.exp(-((at.hour - 8) ** 2) / 2) + 2 * math.exp(-((at.hour - 18) ** 2) / 3)
            rush *= 0.62 if at.isoweekday() > 5 else 1
            for line in range(1, 13):
                for stop in range(1, 9):
                    mean = rush * (4 + line % 5)
                    on, off = draw.gauss(mean * (9 - stop) / 5, 2), draw.gauss(mean * stop / 5, 2)
                    yield at.date(), at.hour, f"Line {line}", stop, max(0, int(on)), max(0, int(off))

    return ("date", "hour", "line", "stop", "boardings", "alightings"), rows()


def charging(_is_later: bool) -> Table:
    draw = Random(107)  # noqa: S311

    def rows() -> Iterable[Sequence[object]]:
        at = dt.datetime(2025, 7, 1)  # noqa: DTZ001
        for number in range(1, 20_001):
            at += dt.timedelta(minutes=draw.expovariate(1 / 6.5))
            power = draw.choice((7, 7, 60, 60, 120, 180))
            energy = draw.uniform(8, 22) if power == 7 else draw.uniform(12, 65)
            ended = at + dt.timedelta(hours=energy / (power * draw.uniform(0.55, 0.85)))
            fen = int(energy * (118 if 8 <= at.hour < 22 else 62))
            yield (
                number, f"P{draw.randint(1, 60):02d}", at.isoformat(timespec="minutes"),
                ended.isoformat(timespec="minutes"), f"{energy:.1f}", f"{power * draw.uniform(0.8, 1):.1f}", fen,
            )  # fmt: skip

    return ("session", "point", "begun_at", "ended_at", "energy_kwh", "peak_kw", "price_fen"), rows()


def load(_is_later: bool) -> Table:
    draw = Random(108)  # noqa: S311
    sizes = [draw.uniform(40, 160) for _district in range(10)]

    def rows() -> Iterable[Sequence[object]]:
        for at in _hours(2025, 1, 365):
            warmth = _warmth(at) - 6 + draw.gauss(0, 1.2)
            comfort = 1 + 0.02 * max(0, warmth - 24) + 0.015 * max(0, 12 - warmth)
            day = (0.72 + 0.28 * math.sin((at.hour - 6) / 24 * math.tau)) * (0.9 if at.isoweekday() > 5 else 1)
            for number, size in enumerate(sizes, 1):
                power = size * day * comfort * draw.gauss(1, 0.02)
                yield at.isoformat(timespec="minutes"), f"District {number}", f"{power:.2f}", f"{warmth:.1f}"

    return ("at", "district", "load_mw", "temperature"), rows()


@cache  # a report counts from the same rows
def stations(_is_later: bool) -> Table:
    draw = Random(109)  # noqa: S311

    def rows() -> Iterable[Sequence[object]]:
        storm = 0.0
        for at in _hours(2025, 1, 365):
            wet = 6 <= at.month <= 10
            storm = 1.0 if wet and draw.random() < 0.0012 else storm * 0.96
            when, warmest = at.isoformat(timespec="minutes"), _warmth(at) - 3 * storm
            for number in range(1, 11):
                warmth = warmest - 0.25 * number + draw.gauss(0, 0.8)
                rain = draw.expovariate(1 / (2 + 22 * storm)) if draw.random() < 0.05 + 0.05 * wet + storm / 2 else 0
                wind = max(0.0, draw.gauss(3 + 24 * storm, 1.2))
                damp = min(100, max(30, int(draw.gauss(74 + 8 * wet + 14 * storm, 6))))
                yield when, f"S{number:02d}", f"{warmth:.1f}", damp, f"{wind:.1f}", f"{rain:.1f}"

    return ("at", "station", "temperature", "humidity", "wind", "rain"), list(rows())


def solar(_is_later: bool) -> Table:
    draw = Random(110)  # noqa: S311
    sizes = [draw.uniform(80, 900) for _plant in range(20)]

    def rows() -> Iterable[Sequence[object]]:
        for at in _hours(2025, 6, 92):
            height = max(0.0, math.sin((at.hour - 5.5) / 13.5 * math.pi)) if 6 <= at.hour <= 18 else 0.0
            cloud = draw.betavariate(2, 3)
            for number, size in enumerate(sizes, 1):
                sun = 1020 * height * (1 - 0.75 * min(1, cloud * draw.uniform(0.8, 1.2)))
                panel = _warmth(at) + 0.028 * sun
                output = size * sun / 1000 * (1 - 0.004 * (panel - 25))
                yield (
                    at.isoformat(timespec="minutes"), f"Plant {number}", int(sun), f"{panel:.1f}", f"{output:.1f}"
                )  # fmt: skip

    return ("at", "plant", "irradiation", "panel_temperature", "output_kw"), rows()


def clinic(_is_later: bool) -> Table:
    draw = Random(111)  # noqa: S311
    ages = ("0-4", "5-14", "15-29", "30-49", "50-64", "65+")
    complaints = ("Cough", "Fever", "Stomach", "Skin", "Injury", "Heart", "Back", "Other")

    def rows() -> Iterable[Sequence[object]]:
        for week in _weeks(dt.date(2023, 1, 2), dt.date(2025, 12, 29)):
            winter = 1 + 0.6 * math.cos(week.timetuple().tm_yday / 365 * math.tau)
            for district in DISTRICTS:
                for age in ages:
                    for complaint in complaints:
                        mean = 40 * (winter if complaint in ("Cough", "Fever") else 1)
                        mean *= {"0-4": 1.4, "65+": 1.5}.get(age, 1)
                        yield week, district, age, complaint, max(5, int(draw.gauss(mean, 7)))

    return ("week", "district", "age", "complaint", "attendances"), rows()


def medicine_prices(_is_later: bool) -> Table:
    draw = Random(112)  # noqa: S311
    base = [draw.lognormvariate(7.6, 0.8) for _medicine in range(200)]

    def rows() -> Iterable[Sequence[object]]:
        for month in _months(2026, 10):
            for district in DISTRICTS:
                for number, price in enumerate(base, 1):
                    yield month, district, f"MED{number:03d}", int(price * draw.gauss(1, 0.04))

    return ("month", "district", "medicine", "price_fen"), rows()


def berth_weather(_is_later: bool) -> Table:
    draw = Random(113)  # noqa: S311

    def rows() -> Iterable[Sequence[object]]:
        for at in _hours(2025, 1, 365):
            if at.hour % 6 == 0:
                for terminal in "ABCD":
                    wind = max(0.0, draw.gauss(5 + 3 * math.cos(at.timetuple().tm_yday / 365 * math.tau), 3))
                    hours = max(0.0, draw.gauss(4 + (wind > 10) * wind / 2, 1.5))
                    yield at, f"Terminal {terminal}", round(_warmth(at), 1), round(wind, 1), round(hours, 1)

    return ("at", "terminal", "temperature_c", "wind_m_s", "wait_hours"), rows()


def tides(_is_later: bool) -> Table:
    draw = Random(114)  # noqa: S311

    def rows() -> Iterable[Sequence[object]]:
        for number, at in enumerate(_hours(2026, 7, 31)):
            for gauge, height in (("East", 1.9), ("West", 2.2)):
                tide = height * math.sin(number / 12.42 * math.tau) + 0.4 * math.sin(number / 24.84 * math.tau)
                yield at, gauge, round(tide + draw.gauss(0, 0.05), 2)

    return ("at", "gauge", "height_m"), rows()


TABLES: dict[str, Callable[[bool], Table]] = {
    table.__name__: table
    for table in (
        *(port_calls, freight, prices, hs_trade, retail, bus, charging, load, stations, solar, clinic),
        *(medicine_prices, berth_weather, tides),
    )
}
