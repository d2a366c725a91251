"""Which column of a foreign catalogue means what, and what its words for types and sectors are here."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from listings.models import CatalogueEntry, ProductType, Version
from listings.search_words import simplified

# The names a column may have, compared without case, spaces and signs, Chinese in either script. Where a file has
# several columns of one meaning, the first of these counts.
NAMES: dict[str, tuple[str, ...]] = {
    "identifier": (
        "identifier", "id", "productid", "productcode", "productnumber",
        "产品编号", "产品编码", "产品代码", "产品标识", "登记编号", "编号", "编码",
    ),
    "address": ("url", "address", "link", "webaddress", "网址", "链接", "产品链接", "详情链接", "页面地址"),
    "title": ("title", "name", "productname", "产品名称", "数据产品名称", "名称", "标题"),
    "summary": ("description", "summary", "abstract", "产品描述", "产品简介", "产品介绍", "描述", "简介", "摘要"),
    "details": ("detail", "details", "usecase", "usecases", "产品详情", "详情", "详细介绍", "应用场景", "使用场景"),
    "merchant": (
        "merchant", "provider", "company", "companyname", "supplier", "seller", "vendor",
        "数商", "数据商", "数商名称", "供应商", "提供方", "供方", "卖方", "提供商",
        "公司名称", "企业名称", "公司", "企业",
    ),
    "category": ("category", "industry", "sector", "所属行业", "行业", "行业分类", "应用行业", "类别", "分类", "领域"),
    "kind": ("producttype", "type", "kind", "产品类型", "产品形态", "类型", "形态"),
    "price": ("price", "价格", "产品价格", "定价", "单价", "报价"),
    "price_mode": ("pricemode", "pricing", "计价方式", "定价方式", "价格模式"),
    "currency": ("currency", "币种", "货币"),
    "coverage": ("coverage", "areacovered", "area", "覆盖范围", "数据覆盖范围", "覆盖地区", "覆盖区域", "地域范围"),
    "update_frequency": ("updatefrequency", "frequency", "更新频率", "更新频次", "更新周期"),
    "keywords": ("keywords", "keyword", "tags", "关键词", "关键字", "标签"),
    "exchange": ("exchange", "platform", "marketplace", "source", "交易所", "数据交易所", "交易场所", "平台", "来源"),
}  # fmt: skip

TYPES: dict[str, ProductType] = {
    "数据集": ProductType.DATASET, "dataset": ProductType.DATASET, "数据包": ProductType.DATASET,
    "api": ProductType.API, "api数据": ProductType.API, "数据api": ProductType.API, "数据接口": ProductType.API,
    "dataapi": ProductType.API, "数据报告": ProductType.REPORT, "报告": ProductType.REPORT,
    "report": ProductType.REPORT, "datareport": ProductType.REPORT, "模型": ProductType.MODEL,
    "算法模型": ProductType.MODEL, "数据模型": ProductType.MODEL, "model": ProductType.MODEL,
    "数据应用": ProductType.SERVICE, "数据服务": ProductType.SERVICE, "应用": ProductType.SERVICE,
    "service": ProductType.SERVICE, "dataservice": ProductType.SERVICE,
}  # fmt: skip

S = Version.Sector
# Words of GB/T 4754's sections and of exchanges' own categories; the earliest in the text counts.
SECTORS: dict[S, str] = {
    S.TRANSPORT: "交通|运输|出行|航运|物流|仓储|邮政|transport|shipping|logistic|automotive",
    S.WEATHER: "气象|环境|水利|生态|weather|environment|climate",
    S.FINANCE: "金融|银行|保险|证券|financ|insurance|banking",
    S.TRADE: "国际贸易|外贸|贸易|进出口|海关|international trade|customs",
    S.HEALTH: "卫生|医|健康|health|medic|life science",
    S.INDUSTRY: "制造|工业|manufactur|industr",
    S.ENERGY: "能源|电力|热力|燃气|石油|采矿|energy|power",
    S.COMMERCE: "批发|零售|商业|商务|消费|住宿|餐饮|retail|consum|marketing",
    S.CITY: "公共管理|公共|政府|政务|城市|社会保障|public|government|city",
    S.CULTURE: "文化|教育|体育|娱乐|旅游|culture|education|media|entertainment",
}
F = Version.Frequency
# The earliest in the list that the text has counts: 不定期 is not 定期.
FREQUENCIES: dict[F, str] = {
    F.HISTORICAL: "no-update|not updated|never|不更新|历史|一次性",
    F.IRREGULAR: "irregular|不定期|不定时|按需|on demand",
    F.REAL_TIME: "real-?time|实时|秒|分钟|hourly|小时|逐时",
    F.DAILY: "dail|每日|每天|日更|按日|天|日",
    F.WEEKLY: "week|周",
    F.QUARTERLY: "quarter|季",
    F.MONTHLY: "month|月",
    F.YEARLY: "year|annual|年",
}
NEGOTIATED = {"negotiation", "negotiable", "面议"}
FREE = {"free", "免费"}

_SIGNS = re.compile(r"[\W_]+")
_SPACES = re.compile(r"\s+")
_KEPT_LINES = ("summary", "details")
_LONGEST_TEXT = 100_000
_LONGEST = {field.name: field.max_length for field in CatalogueEntry._meta.get_fields() if hasattr(field, "max_length")}


class CannotUse(Exception):
    """A row that cannot become an entry; `code` says why, `key` its source and identifier as far as known."""

    def __init__(self, code: str, detail: str, key: tuple[str, str] = ("", "")) -> None:
        self.code, self.detail, self.key = code, detail, key
        super().__init__(detail)


def recognised(header: Iterable[str], given: Mapping[str, str]) -> dict[str, str]:
    """The column of each meaning, `{meaning: column}`: as `given` says, else by its name."""
    columns = {_bare(column): column for column in reversed(list(header))}
    found = {
        meaning: next(columns[name] for name in names if name in columns)
        for meaning, names in NAMES.items()
        if not columns.keys().isdisjoint(names)
    }
    return found | {meaning: columns[_bare(name)] for meaning, name in given.items() if _bare(name) in columns}


def entry_of(values: Mapping[str, str], columns: Mapping[str, str], *, exchange: str) -> dict[str, Any]:
    """What an entry keeps of a row. `exchange` names the exchange where the row does not. Raises CannotUse."""
    said = {meaning: _clean(values.get(column) or "", meaning in _KEPT_LINES) for meaning, column in columns.items()}
    if any("\0" in text for text in said.values()):
        raise CannotUse("nul_character", "A text holds a NUL character, which the database cannot keep.")
    address = said.get("address", "")
    host = _host(address)
    entry: dict[str, Any] = {
        "source": host or said.get("exchange", "") or exchange,
        "exchange": said.get("exchange", "") or exchange or host,
        "identifier": said.get("identifier", "") or _identifier_in(address),
        "address": address,
        "price": _price(said.get("price", ""), said.get("price_mode", ""), said.get("currency", "")),
        "product_type": TYPES.get(_bare(said.get("kind", "")), ""),
        "sector": sector_of(said.get("category", "")),
    }
    for name in ("title", "merchant", "category", "kind", "coverage", "update_frequency", "keywords", *_KEPT_LINES):
        entry[name] = said.get(name, "")
    _check(entry)
    entry["digest"] = hashlib.sha256("\0".join(f"{name}\0{entry[name]}" for name in sorted(entry)).encode()).hexdigest()
    return entry


def _check(entry: Mapping[str, str]) -> None:
    """Raises CannotUse for the first thing that is missing or does not fit."""
    key = (entry["source"], entry["identifier"])
    if not entry["title"]:
        raise CannotUse("missing_title", "It has no title.", key)
    if not entry["identifier"]:
        raise CannotUse("missing_identifier", "It has neither an identifier nor an address to take one from.")
    if not entry["source"]:
        raise CannotUse("missing_exchange", "Neither a column nor an address nor --exchange names its exchange.")
    for name, text in entry.items():
        longest = _LONGEST_TEXT if name in _KEPT_LINES else _LONGEST[name]
        if longest is not None and len(text) > longest:
            raise CannotUse("too_long", f"{name} has {len(text)} characters; {longest} are kept.", key)


def sector_of(category: str) -> str:
    """The sector whose words come first in the category; '' for none."""
    text = simplified(category).lower()
    places = {sector: found.start() for sector, words in SECTORS.items() if (found := re.search(words, text))}
    return min(places, key=lambda sector: places[sector]) if places else ""


def frequency_of(text: str) -> str:
    """How often it is updated, as far as the words say; '' where they do not."""
    text = simplified(text).lower()
    return next((frequency for frequency, words in FREQUENCIES.items() if re.search(words, text)), "")


def _price(price: str, mode: str, currency: str) -> str:
    """The price as given; a bare number with its currency and its mode, and none where it is negotiated or free."""
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", price):
        return price or mode
    if mode.lower() in NEGOTIATED | FREE:
        return mode
    # Such as 754300.0000000001, which no exchange asked for.
    number = f"{round(float(price), 6):f}".rstrip("0").rstrip(".") if "." in price else price
    amount = f"{number} {currency}".strip()
    return f"{amount} ({mode})" if mode else amount


def _host(address: str) -> str:
    """The host of an address, '' where there is none. Raises CannotUse for what is no address of the web."""
    if not address:
        return ""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    if not host or not address.startswith(("http://", "https://")):
        raise CannotUse("wrong_address", "Its address is not one of the web.")
    return host.removeprefix("www.")


def _identifier_in(address: str) -> str:
    """What an address calls the product: its `id`, in the query or behind the `#`, else its last part."""
    parts = urlsplit(address)
    for query in (parts.query, parts.fragment.partition("?")[2]):
        if named := parse_qs(query).get("id"):
            return named[0].strip()
    return (parts.fragment or parts.path).rstrip("/").rpartition("/")[2]


def _clean(text: str, keeps_lines: bool) -> str:
    text = unicodedata.normalize("NFC", text)
    if keeps_lines:
        return re.sub(r"\n\s*\n+", "\n\n", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    return _SPACES.sub(" ", text).strip()


def _bare(name: str) -> str:
    """A name without case, spaces and signs, in simplified characters."""
    return _SIGNS.sub("", simplified(unicodedata.normalize("NFKC", name))).lower()
