"""Who is who in the demo exchange. Every organisation and person is made up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PASSWORD = "open-the-exchange"  # noqa: S105  the demo's only password, printed for whoever opens it


@dataclass(frozen=True)
class Person:
    email: str
    name: str
    role: str  # in their organisation, or at the exchange


@dataclass(frozen=True)
class House:
    """An organisation and its people; the first of them is its owner. `joins_month` counts from the beginning."""

    key: str
    kinds: list[str]
    name: str
    latin_name: str
    country: str
    region: str
    number_kind: str
    registration_number: str
    people: list[Person]
    says: str
    joins_month: int = 0
    sector: str = "transport"
    tier: str = ""  # of membership; '': not decided
    papers_end_in_days: int = 500  # after the demo opens
    members: tuple[str, ...] = ()  # of a joint merchant: the keys of other houses
    is_netted: bool = False  # paid one net sum a cycle

    @property
    def is_seller(self) -> bool:
        return "supplier" in self.kinds

    def told(self) -> dict[str, dict[str, Any]]:
        """What it tells of itself to be vetted, by section of the application."""
        first, domain = self.people[0], self.people[0].email.partition("@")[2]
        return {
            "representative": {"name": first.name, "position": "Director"},
            "activity": {
                "sector": self.sector,
                "merchant_kinds": ["party"],
                "is_critical_operator": False,
                "is_listed_company": False,
            },
            "owners": {
                "owners": [
                    {"name": first.name, "country": self.country, "share_basis_points": 6000, "since": "2019-04-01"}
                ]
            },
            "contacts": {
                "security_name": "Security desk",
                "security_email": f"security@{domain}",
                "privacy_name": "Data protection officer",
                "privacy_email": f"privacy@{domain}",
            },
        }


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

SELLERS = [
    House(
        *("aviation", ["supplier"], "临港航空数据有限公司", "Lingang Aviation Data Co., Ltd."),
        *("CN", "CN-SH-LINGANG", "uscc", "91310115MA1K4DEM05"),
        [
            Person("seller@lingang-aviation.example", "Zhao Lin", "owner"),
            Person("trader@lingang-aviation.example", "Shen Kai", "trader"),
            Person("steward@lingang-aviation.example", "Xu Fei", "data_steward"),
            Person("finance@lingang-aviation.example", "Pan Yue", "finance"),
        ],
        says="flights, weather, aircraft; proposals and an objection wait for its answer",
        tier="premier",
    ),
    House(
        *("atlas", ["supplier", "buyer"], "海港圖集有限公司", "Harbour Atlas Limited"),
        *("HK", "HK", "hk_br", "71234567"),
        [
            Person("seller@harbour-atlas.example", "Cheung Man", "owner"),
            Person("steward@harbour-atlas.example", "Lam Hiu Tung", "data_steward"),
        ],
        says="airports, cities and countries of the world",
        sector="city",
        tier="standard",
    ),
    House(
        *("calendar", ["supplier"], "京华历算科技有限公司", "Jinghua Calendar Technology Co., Ltd."),
        *("CN", "CN-BJ-FTZ", "uscc", "91110105MA01CDEM0H"),
        [
            Person("seller@jinghua-calendar.example", "Bai Xue", "owner"),
            Person("steward@jinghua-calendar.example", "Gao Yang", "data_steward"),
        ],
        says="workdays, holidays and trading days, paid net; a manual came back from the reviewers",
        sector="culture",
        tier="standard",
        is_netted=True,
    ),
    House(
        *("shipping", ["supplier", "buyer"], "南沙航运数据服务有限公司", "Nansha Shipping Data Services Co., Ltd."),
        *("CN", "CN-GD-NANSHA", "uscc", "91440101MA5C7DEM0W"),
        [
            Person("seller@nansha-shipping.example", "Liang Zhi", "owner"),
            Person("trader@nansha-shipping.example", "Ou Ying", "trader"),
        ],
        says="port calls and freight rates, simulated; its licence expires soon, an objection to its tides waits",
        papers_end_in_days=12,
        tier="standard",
    ),
    House(
        *("finance", ["supplier"], "維港金融數據有限公司", "Victoria Harbour Financial Data Limited"),
        *("HK", "HK", "hk_br", "73456789"),
        [
            Person("seller@victoria-data.example", "Yeung Tak", "owner"),
            Person("finance@victoria-data.example", "Ng Pui Shan", "finance"),
        ],
        says="prices, trade and retail, simulated; a payout of its came back from the bank",
        sector="finance",
        tier="premier",
        joins_month=1,
    ),
    House(
        *("guizhou", ["supplier"], "贵州云岭数据有限公司", "Guizhou Yunling Data Co., Ltd."),
        *("CN", "CN-GZ", "uscc", "91520115MA6H2DEM01"),
        [
            Person("seller@yunling-data.example", "Luo Qian", "owner"),
            Person("steward@yunling-data.example", "Yang Shan", "data_steward"),
        ],
        says="a city's buses, charging points and electricity, simulated",
        sector="city",
        tier="basic",
        joins_month=3,
    ),
    House(
        *("pearl", ["supplier"], "珠江气象科技有限公司", "Pearl River Weather Technology Co., Ltd."),
        *("CN", "CN-GD-QIANHAI", "uscc", "91440300MA5F9DEM13"),
        [
            Person("seller@pearl-weather.example", "Deng Hua", "owner"),
            Person("trader@pearl-weather.example", "He Jie", "trader"),
        ],
        says="stations and sunshine of the Greater Bay Area, simulated",
        sector="weather",
        tier="basic",
        joins_month=3,
    ),
    House(
        *("health", ["supplier"], "横琴健康统计有限公司", "Hengqin Health Statistics Co., Ltd."),
        *("CN", "CN-GD-HENGQIN", "uscc", "91440400MA56LDEM03"),
        [
            Person("seller@hengqin-health.example", "Feng Lan", "owner"),
            Person("compliance@hengqin-health.example", "Tao Ran", "compliance"),
        ],
        says="health statistics without persons, simulated; one of its products is held",
        sector="health",
        joins_month=6,
    ),
    House(
        *("delta", ["joint", "supplier"], "大湾区航运气象联合数商", "Greater Bay Shipping Weather, joint merchant"),
        *("CN", "CN-GD-NANSHA", "other", "JOINT-2026-01"),
        [Person("seller@bay-shipping-weather.example", "Kong Yi", "owner")],
        says="a joint merchant of Nansha Shipping and Pearl River Weather, with one product of both",
        joins_month=7,
        members=("shipping", "pearl"),
    ),
]

BUYERS = [
    House(
        *("logistics", ["buyer"], "浦江供应链有限公司", "Pujiang Supply Chain Co., Ltd."),
        *("CN", "CN-SH", "uscc", "91310115MA1H8DEM25"),
        [
            Person("buyer@pujiang.example", "Qian Tao", "owner"),
            Person("trader@pujiang.example", "Jiang Nan", "trader"),
            Person("finance@pujiang.example", "Sun Li", "finance"),
        ],
        says="something to pay, to inspect and to download",
        tier="basic",
    ),
    House(
        *("peak", ["buyer", "broker"], "山頂分析有限公司", "Victoria Peak Analytics Limited"),
        *("HK", "HK", "hk_br", "72345678"),
        [
            Person("buyer@peak-analytics.example", "Lau Chi Ho", "owner"),
            Person("trader@peak-analytics.example", "Wong Sze Wai", "trader"),
        ],
        says="the busiest buyer; its library is full",
        sector="finance",
        tier="premier",
    ),
    House(
        *("institute", ["buyer"], "北京城市交通研究院有限公司", "Beijing Urban Mobility Institute Co., Ltd."),
        *("CN", "CN-BJ", "uscc", "91110108MA01TDEM09"),
        [Person("buyer@mobility-institute.example", "Ren Jing", "owner")],
        says="a university-near buyer of open data",
        sector="city",
        tier="basic",
    ),
    House(
        *("insurer", ["buyer"], "前海安和财产保险有限公司", "Qianhai Anhe Property Insurance Co., Ltd."),
        *("CN", "CN-GD-QIANHAI", "uscc", "91440300MA5G3DEM04"),
        [
            Person("buyer@anhe-insurance.example", "Cao Wei", "owner"),
            Person("compliance@anhe-insurance.example", "Jin Mo", "compliance"),
        ],
        says="objects when data is not as described",
        sector="finance",
        tier="standard",
    ),
    House(
        *("retailer", ["buyer"], "杭州万象零售科技有限公司", "Hangzhou Wanxiang Retail Technology Co., Ltd."),
        *("CN", "CN-ZJ", "uscc", "91330106MA2KLDEM0E"),
        [Person("buyer@wanxiang-retail.example", "Shi Yu", "owner")],
        says="plans promotions by calendar and weather",
        sector="commerce",
        joins_month=2,
    ),
    House(
        *("lion", ["buyer"], "Lion City Freight Pte. Ltd.", "Lion City Freight Pte. Ltd."),
        *("SG", "other", "other", "201912345K"),
        [Person("buyer@lion-freight.example", "Tan Wei Ling", "owner")],
        says="buys across the border what may cross it",
        joins_month=1,
    ),
    House(
        *("lotus", ["buyer"], "蓮花旅遊顧問有限公司", "Lotus Travel Advisers Limited"),
        *("MO", "MO", "other", "SO 45678"),
        [Person("buyer@lotus-travel.example", "Sou Ka Man", "owner")],
        says="a Macao buyer of calendars and airports",
        sector="culture",
        joins_month=4,
    ),
    House(
        *("bank", ["buyer"], "天津海河商业银行股份有限公司", "Tianjin Haihe Commercial Bank Co., Ltd."),
        *("CN", "CN-TJ-FTZ", "uscc", "91120116MA06RDEM05"),
        [
            Person("buyer@haihe-bank.example", "Meng Qi", "owner"),
            Person("finance@haihe-bank.example", "Lei Ting", "finance"),
        ],
        says="pays from two accounts, once too much",
        sector="finance",
        tier="standard",
        joins_month=5,
    ),
]

# They have applied and wait at the desk: for a first person, for what they were asked, for a second person.
APPLICANTS = [
    House(
        *("chongqing", ["supplier"], "重庆两江制造数据有限公司", "Chongqing Liangjiang Manufacturing Data Co., Ltd."),
        *("CN", "CN-CQ", "uscc", "91500000MA60PDEM0J"),
        [Person("seller@liangjiang-data.example", "Tian Heng", "owner")],
        says="has applied with its papers and waits to be vetted",
        sector="industry",
    ),
    House(
        *("kowloon", ["buyer"], "九龍倉儲科技有限公司", "Kowloon Warehouse Technology Limited"),
        *("HK", "HK", "hk_br", "74567890"),
        [Person("owner@kowloon-warehouse.example", "Fung Kwok", "owner")],
        says="has applied; the exchange asked it for more",
        sector="trade",
    ),
    House(
        *("orchid", ["buyer"], "Orchid Mobility Pte. Ltd.", "Orchid Mobility Pte. Ltd."),
        *("SG", "other", "other", "202045678M"),
        [Person("buyer@orchid-mobility.example", "Lim Hui Min", "owner")],
        says="has applied; one of the staff approved it, another has to",
    ),
]

HOUSES = [*SELLERS, *BUYERS, *APPLICANTS]
