"""Who is who in the demo exchange. Every organisation and person is made up; the data they sell is real."""

from __future__ import annotations

from dataclasses import dataclass, field

PASSWORD = "open-the-exchange"  # noqa: S105  the demo's only password, printed for whoever opens it


@dataclass(frozen=True)
class Person:
    email: str
    name: str
    role: str  # in their organisation, or at the exchange


@dataclass(frozen=True)
class House:
    """An organisation and its people; the first of them is its owner."""

    key: str
    kinds: list[str]
    name: str
    latin_name: str
    country: str
    region: str
    number_kind: str
    registration_number: str
    people: list[Person]
    is_verified: bool = True
    says: str = field(default="")


STAFF = [
    Person("vetting@exchange.example", "Wen Jing", "vetting"),
    Person("vetting2@exchange.example", "Chan Ka Yan", "vetting"),
    Person("review@exchange.example", "Lu Min", "review"),
    Person("review2@exchange.example", "Ho Wai Lam", "review"),
    Person("payments@exchange.example", "Tang Rui", "payments"),
    Person("disputes@exchange.example", "Mak Siu Fong", "disputes"),
    Person("clearing@exchange.example", "Gu Han", "clearing"),
    Person("clearing2@exchange.example", "Yip Tsz Kin", "clearing"),
    Person("audit@exchange.example", "Song Ya", "audit"),
    Person("support@exchange.example", "Leung Hoi", "support"),
    Person("admin@exchange.example", "Fang Yi", "administrator"),
]

HOUSES = [
    House(
        "aviation",
        ["supplier"],
        "临港航空数据有限公司",
        "Lingang Aviation Data Co., Ltd.",
        "CN",
        "CN-SH-LINGANG",
        "uscc",
        "91310115MA1K4DEM05",
        [
            Person("seller@lingang-aviation.example", "Zhao Lin", "owner"),
            Person("steward@lingang-aviation.example", "Xu Fei", "data_steward"),
        ],
        says="sells flights, weather and aircraft; its studio has a draft sent for review",
    ),
    House(
        "atlas",
        ["supplier"],
        "海港圖集有限公司",
        "Harbour Atlas Limited",
        "HK",
        "HK",
        "hk_br",
        "71234567",
        [Person("seller@harbour-atlas.example", "Cheung Man", "owner")],
        says="sells the world's airports",
    ),
    House(
        "logistics",
        ["buyer"],
        "浦江供应链有限公司",
        "Pujiang Supply Chain Co., Ltd.",
        "CN",
        "CN-SH",
        "uscc",
        "91310115MA1H8DEM25",
        [
            Person("buyer@pujiang.example", "Qian Tao", "owner"),
            Person("finance@pujiang.example", "Sun Li", "finance"),
        ],
        says="bought the flights; the delivery waits for its inspection",
    ),
    House(
        "peak",
        ["buyer", "broker"],
        "山頂分析有限公司",
        "Victoria Peak Analytics Limited",
        "HK",
        "HK",
        "hk_br",
        "72345678",
        [Person("buyer@peak-analytics.example", "Lau Chi Ho", "owner")],
        says="bought the airports, all the way to the certificate",
    ),
    House(
        "pearl",
        ["supplier"],
        "珠江气象科技有限公司",
        "Pearl River Weather Technology Co., Ltd.",
        "CN",
        "CN-GD-QIANHAI",
        "uscc",
        "91440300MA5F9DEM13",
        [Person("seller@pearl-weather.example", "Deng Hua", "owner")],
        is_verified=False,
        says="has applied and waits to be vetted",
    ),
]
