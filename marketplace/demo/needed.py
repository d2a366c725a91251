"""What the demo's buyers look for and did not find: four demands, with answers, one private and one met."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compliance import demand_answers, demands
from compliance.models import Demand, DemandResponse
from compliance.states import DemandState
from listings.models import Listing
from marketplace.models import Organisation, User

Houses = Mapping[str, Organisation]
Listings = Mapping[str, Listing]

NOTHING: dict[str, Any] = {
    "region": "", "columns": "", "coverage": "", "frequency": "", "budget_from_minor": None,
    "budget_until_minor": None, "currency": "", "needed_by": None, "is_public": True, "is_named": False,
}  # fmt: skip
PILOTS = NOTHING | {
    "title": "Pilot boarding times at Shenzhen and Hong Kong 深港引航登船时间",
    "description": (
        "For planning berths we need when pilots boarded and left each vessel, by terminal. Historical data is enough "
        "to begin with. 用于泊位计划：每艘船引航员登离船时间，按码头区分，先提供历史数据即可。"
    ),
    "sector": "transport",
    "region": "CN-GD",
    "columns": "terminal\nvessel_type\npilot_on\npilot_off",
    "coverage": "2025",
    "frequency": "monthly",
    "budget_from_minor": 2_000_000,
    "budget_until_minor": 6_000_000,
    "currency": "CNY",
    "is_named": True,
}
HOLIDAYS = NOTHING | {
    "title": "Working days of mainland factories 内地工厂开工日",
    "description": (
        "Which days factories in the Yangtze delta work, with make-up days, five years back. "
        "长三角工厂工作日，含调休，回溯五年。"
    ),
    "sector": "industry",
    "region": "CN-SH",
    "frequency": "yearly",
    "budget_until_minor": 300_000,
    "currency": "CNY",
}
WAREHOUSES = NOTHING | {
    "title": "Warehouse fires and water damage by district 各区仓库火灾与水浸",
    "description": (
        "Counts by district and month, without names or addresses, to price cover for goods in store. "
        "按区按月的件数，不含名称与地址，用于仓储货物承保定价。"
    ),
    "sector": "finance",
    "region": "CN-GD-QIANHAI",
    "columns": "district\nmonth\nfires\nwater_damage",
    "coverage": "2020–2025",
    "is_public": False,
}
FERRIES = NOTHING | {
    "title": "Passengers of the night ferries 夜间渡轮乘客量",
    "description": "Daily passengers by route, counted, not estimated. 按航线的每日实际乘客数，不要估算值。",
    "sector": "transport",
    "region": "HK",
    "columns": "route\nday\npassengers",
    "frequency": "daily",
    "budget_from_minor": 500_000,
    "currency": "HKD",
    "is_named": True,
}
PROPOSED: dict[str, Any] = {
    "text": (
        "We hold the pilots’ log of two terminals since 2024 and could bring a cleaned table within a month. "
        "本公司存有两个码头自2024年的引航日志，一个月内可提供清洗后的数据表。"
    ),
    "price_minor": 4_500_000,
    "currency": "CNY",
    "ready_on": None,
}
ASKED = "Are pilots’ names left out? 是否已去除引航员姓名？"
REPLIED = "They are; only times and terminals remain. 已去除，仅保留时间与码头。"
NOTE = "You price risk by district; perhaps you hold counts? 贵司按区统计风险，或有件数？"


def posted(houses: Houses, listings: Listings, staff: Mapping[str, User]) -> None:
    """Each demand, answer, message and match once, however often this is asked for."""
    shipping, calendar, finance = (houses.get(key) for key in ("shipping", "calendar", "finance"))
    pilots = _demand(houses.get("logistics"), PILOTS)
    if pilots and shipping and not pilots.responses.exists():
        given = demand_answers.answer(pilots, seller=shipping, product="", by=shipping.created_by, **PROPOSED)
        poster = pilots.organisation
        demand_answers.write(given, text=ASKED, acting_for=poster, by=poster.created_by)
        demand_answers.write(given, text=REPLIED, acting_for=shipping, by=shipping.created_by)
    holidays, workdays = _demand(houses.get("peak"), HOLIDAYS), listings.get("workdays")
    if holidays and calendar and workdays and holidays.state == DemandState.OPEN:
        _met(holidays, workdays, calendar)
    private = _demand(houses.get("insurer"), WAREHOUSES)
    if private and finance and not private.matches.exists():
        demands.match(private, seller=finance, note=NOTE, by=staff["support"])
    _demand(houses.get("lotus"), FERRIES)


def _demand(poster: Organisation | None, said: Mapping[str, Any]) -> Demand | None:
    if poster is None:
        return None
    found = Demand.objects.filter(organisation=poster, title=said["title"]).first()
    return found or demands.post(poster, by=poster.created_by, **said)


def _met(demand: Demand, product: Listing, seller: Organisation) -> None:
    """Answered with a product, and met by it."""
    if not DemandResponse.objects.filter(demand=demand, seller=seller).exists():
        said = "Every year since 2004, make-up days included. 自2004年起逐年更新，含调休。"
        demand_answers.answer(
            demand, seller=seller, product=product.public_id, text=said, price_minor=None, currency="", ready_on=None,
            by=seller.created_by,
        )  # fmt: skip
    demands.meet(demand, product=product.public_id, by=demand.organisation.created_by)
