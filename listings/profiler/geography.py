"""Which columns say where: coordinates, geometries, and codes of countries, regions of China and airports.

A name alone proves nothing, and neither do values that anything could look like: latitude and longitude need both a
name and a range, and each other; codes must be known ones. Sources: ISO 3166-1 (countries, two and three letters);
GB/T 2260 (six digits for the divisions of China, the first two a province); IATA and ICAO location codes (of the
thousands, the busiest airports are known here, and a column of codes holds some of them); WKT, OGC 06-103r4; GeoJSON,
RFC 7946.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .columns import Column
from .personal import PROVINCES
from .tables import INTEGER, NESTED, NUMBER, TEXT

LATITUDE, LONGITUDE, WKT, GEOJSON = "latitude", "longitude", "wkt", "geojson"
COUNTRY, DIVISION, IATA, ICAO = "country", "division", "iata", "icao"

ENOUGH = 0.95  # of the cells looked at must be what they seem
LATITUDES = re.compile(r"(?:^|[^a-z])lat(?:itude)?(?:[^a-z]|$)|纬度|緯度|^y$")
LONGITUDES = re.compile(r"(?:^|[^a-z])(?:lon|lng|long|longitude)(?:[^a-z]|$)|经度|經度|^x$")
GEOMETRY = re.compile(
    r"(?:SRID=[0-9]+;\s*)?(?:MULTI)?(?:POINT|LINESTRING|POLYGON|GEOMETRYCOLLECTION)\s*(?:Z|M|ZM)?\s*(?:\(|EMPTY)", re.I
)
GEOJSON_OBJECT = re.compile(
    r'\{.*"type"\s*:\s*"(?:Feature|(?:Multi)?(?:Point|LineString|Polygon)|GeometryCollection)"', re.DOTALL
)
DIVISION_NAMES = re.compile(r"adcode|area_?code|region_?code|district_?code|division|行政|区划|區劃|地区代码|地區代碼")
AIRPORT_NAMES = re.compile(r"iata|icao|airport|origin|dest|机场|機場|始发|到达|出发")
COUNTRIES_2 = frozenset(
    re.findall(
        "[A-Z]+",
        "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW "
        "BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI "
        "FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN "
        "IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME "
        "MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF "
        "PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV "
        "SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE "
        "YT ZA ZM ZW ",
    )
)
COUNTRIES_3 = frozenset(
    re.findall(
        "[A-Z]+",
        "ABW AFG AGO AIA ALA ALB AND ARE ARG ARM ASM ATA ATF ATG AUS AUT AZE BDI BEL BEN BES BFA BGD BGR BHR BHS "
        "BIH BLM BLR BLZ BMU BOL BRA BRB BRN BTN BVT BWA CAF CAN CCK CHE CHL CHN CIV CMR COD COG COK COL COM CPV "
        "CRI CUB CUW CXR CYM CYP CZE DEU DJI DMA DNK DOM DZA ECU EGY ERI ESH ESP EST ETH FIN FJI FLK FRA FRO FSM "
        "GAB GBR GEO GGY GHA GIB GIN GLP GMB GNB GNQ GRC GRD GRL GTM GUF GUM GUY HKG HMD HND HRV HTI HUN IDN IMN "
        "IND IOT IRL IRN IRQ ISL ISR ITA JAM JEY JOR JPN KAZ KEN KGZ KHM KIR KNA KOR KWT LAO LBN LBR LBY LCA LIE "
        "LKA LSO LTU LUX LVA MAC MAF MAR MCO MDA MDG MDV MEX MHL MKD MLI MLT MMR MNE MNG MNP MOZ MRT MSR MTQ MUS "
        "MWI MYS MYT NAM NCL NER NFK NGA NIC NIU NLD NOR NPL NRU NZL OMN PAK PAN PCN PER PHL PLW PNG POL PRI PRK "
        "PRT PRY PSE PYF QAT REU ROU RUS RWA SAU SDN SEN SGP SGS SHN SJM SLB SLE SLV SMR SOM SPM SRB SSD STP SUR "
        "SVK SVN SWE SWZ SXM SYC SYR TCA TCD TGO THA TJK TKL TKM TLS TON TTO TUN TUR TUV TWN TZA UGA UKR UMI URY "
        "USA UZB VAT VCT VEN VGB VIR VNM VUT WLF WSM YEM ZAF ZMB ZWE ",
    )
)
BUSY_IATA = frozenset(
    re.findall(
        "[A-Z]+",
        "ATL PEK PKX DXB LAX HND NRT ORD LHR LGW STN HKG PVG SHA CDG ORY DFW CAN AMS FRA IST DEL CGK SIN ICN GMP "
        "DEN BKK DMK JFK EWR LGA KUL SFO MAD CTU TFU LAS SZX BOM MIA CLT SEA PHX MCO TPE TSA KMG XIY CKG HGH NKG "
        "MUC BCN SYD MEL FCO IAH TAO CSX WUH XMN KIX ITM MNL YYZ YVR ZRH VIE CPH OSL ARN HEL DUB LIS BRU WAW PRG "
        "BUD ATH SVO DME CAI JNB DOH AUH MFM MSP DTW BOS PHL BWI DCA IAD FLL MEX GRU EZE BOG LIM SCL AKL BNE PER "
        "HNL ANC NGO FUK CTS PUS SGN HAN DAD URC HRB SHE DLC TSN HAK SYX NNG KWE ZUH FOC TNA CGO HFE ",
    )
)
BUSY_ICAO = frozenset(
    re.findall(
        "[A-Z]+",
        "CYVR CYYZ EBBR EDDF EDDM EFHK EGKK EGLL EGSS EHAM EIDW EKCH ENGM EPWA ESSA FAOR HECA KATL KBOS KBWI KCLT "
        "KDCA KDEN KDFW KDTW KEWR KFLL KIAD KIAH KJFK KLAS KLAX KLGA KMCO KMIA KMSP KORD KPHL KPHX KSEA KSFO LEBL "
        "LEMD LFPG LFPO LGAV LHBP LIRF LKPR LOWW LPPT LSZH LTFM MMMX NZAA OMAA OMDB OTHH PANC PHNL RCSS RCTP RJAA "
        "RJBB RJCC RJFF RJGG RJOO RJTT RKPK RKSI RKSS RPLL SAEZ SBGR SCEL SKBO SPJC UUDD UUEE VABB VHHH VIDP VMMC "
        "VTBD VTBS VVDN VVNB VVTS WIII WMKK WSSS YBBN YMML YPPH YSSY ZBAA ZBAD ZBTJ ZGGG ZGHA ZGNN ZGSD ZGSZ ZHCC "
        "ZHHH ZJHK ZJSY ZLXY ZPPP ZSAM ZSFZ ZSHC ZSJN ZSNJ ZSOF ZSPD ZSQD ZSSS ZUCK ZUGY ZUTF ZUUU ZWWW ZYHB ZYTL "
        "ZYTX ",
    )
)


def places_in(columns: list[Column], values: list[list[tuple[str, int]]]) -> list[str]:
    """For each column what it says of places, empty where nothing; `values` are its frequent cells and their counts."""
    found = [_place_of(column, cells) for column, cells in zip(columns, values, strict=True)]
    latitudes = [place for place, column in enumerate(columns) if _is_coordinate(column, LATITUDES, 90)]
    longitudes = [place for place, column in enumerate(columns) if _is_coordinate(column, LONGITUDES, 180)]
    for latitude, longitude in zip(latitudes, longitudes, strict=False):
        found[latitude], found[longitude] = LATITUDE, LONGITUDE
    return found


def _is_coordinate(column: Column, names: re.Pattern[str], most: int) -> bool:
    if column.kind not in (NUMBER, INTEGER) or column.lowest is None:
        return False
    return bool(names.search(column.name.casefold())) and -most <= column.lowest <= column.highest <= most


def _place_of(column: Column, cells: list[tuple[str, int]]) -> str:
    texts = [cell for cell, _ in cells]
    if not texts or column.kind not in (TEXT, NESTED, INTEGER):
        return ""
    if column.kind == INTEGER:
        return DIVISION if _are_divisions(column, texts) else ""
    if _share(texts, GEOMETRY.match) >= ENOUGH:
        return WKT
    if _share(texts, GEOJSON_OBJECT.match) >= ENOUGH:
        return GEOJSON
    return _code_of(column, texts)


def _code_of(column: Column, texts: list[str]) -> str:
    if _are_divisions(column, texts):
        return DIVISION
    if len(texts) < 2 or _share(texts, lambda text: text.isascii() and text.isalpha() and text.isupper()) < ENOUGH:
        return ""
    is_named = bool(AIRPORT_NAMES.search(column.name.casefold()))
    busy = 0.001 if is_named else 1 / 3
    if _share(texts, COUNTRIES_2.__contains__) >= ENOUGH or (
        not is_named and _share(texts, COUNTRIES_3.__contains__) >= ENOUGH
    ):
        return COUNTRY
    if _share(texts, lambda text: len(text) == 3) >= ENOUGH and _share(texts, BUSY_IATA.__contains__) >= busy:
        return IATA
    if _share(texts, lambda text: len(text) == 4) >= ENOUGH and _share(texts, BUSY_ICAO.__contains__) >= busy:
        return ICAO
    return ""


def _are_divisions(column: Column, texts: list[str]) -> bool:
    """Six digits that begin with a province; named so, or often ending in 00 as codes of cities do."""
    if _share(texts, lambda text: len(text) == 6 and text.isdecimal() and text[:2] in PROVINCES) < ENOUGH:
        return False
    is_named = bool(DIVISION_NAMES.search(column.name.casefold()))
    return is_named or (len(texts) > 2 and _share(texts, lambda text: text.endswith("00")) > 0.1)


def _share(texts: list[str], is_one: Callable[[str], object]) -> float:
    return sum(bool(is_one(text)) for text in texts) / len(texts)
