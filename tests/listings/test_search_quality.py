"""What real questions must find first, in Chinese and English, over the demo's products.

With EXCHANGE_CATALOGUES naming a folder of catalogues (CSV) of the Shanghai, Guiyang and Beijing exchanges, the second
table is asked over these too. Each question names what may come first; the mean reciprocal rank is printed (`-s`).
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from listings import catalogue, catalogue_entries, catalogue_files, publishing, shelf, shelf_queries
from listings.filters import Filters
from listings.models import CatalogueEntry, Listing, ShelfItem
from marketplace.demo import products
from marketplace.models import Organisation
from tests import factories

pytestmark = pytest.mark.django_db

LOOKED_AT = 10
FOLDER = os.environ.get("EXCHANGE_CATALOGUES", "")

# {what is typed: keys of the demo's products, one of which must come first}
QUESTIONS = {
    # English: plain words, stems, synonyms, several words, fields, sellers
    "flights": {"flights"},
    "flight departures new york": {"flights"},
    "delayed departures": {"punctuality", "flights", "delay_model"},
    "aircraft": {"planes"},
    "airline names": {"carriers"},
    "airport": {"airports", "nyc_airports", "metro", "carriers"},
    "airports of the world": {"airports"},
    "world cities population": {"cities"},
    "country codes currency": {"countries"},
    "place names": {"geocoding"},
    "weather": {"weather", "stations"},
    "hourly weather new york": {"weather"},
    "weather data greater bay area": {"stations"},
    "meteorology": {"weather", "stations"},
    "heat": {"heat"},
    "hot days": {"heat"},
    "solar": {"solar", "solar_terms"},
    "photovoltaic": {"solar"},
    "electricity load": {"load"},
    "power consumption": {"load"},
    "ev charging": {"charging"},
    "charging stations": {"charging"},
    "bus passengers": {"bus"},
    "public transport": {"bus"},
    "clinic": {"clinic"},
    "medicine prices": {"medicine_prices"},
    "drugs": {"medicine_prices"},
    "container freight": {"freight"},
    "shipping rates": {"freight"},
    "port calls": {"port_calls", "port_api"},
    "port api": {"port_api"},
    "public holidays": {"partners", "workdays", "closings"},
    "workday api": {"calendar_api"},
    "stock exchange closing days": {"closings"},
    "stock prices": {"prices"},
    "retail sales by city": {"retail"},
    "import export": {"hs_trade"},
    "foreign trade": {"hs_trade"},
    "delay prediction model": {"delay_model"},
    "joint statistics privacy": {"matching"},
    # as one types, and misspelt
    "weat": {"weather", "stations"},
    "electr": {"load"},
    "wether": {"weather", "stations"},
    "fligths": {"flights"},
    "electricty load": {"load"},
    "holdays": {"partners", "workdays"},
    # Chinese, simplified
    "航班": {"flights", "carriers", "planes"},
    "航班延误": {"delay_model", "punctuality", "flights"},
    "机型": {"planes"},
    "机场": {"airports", "nyc_airports", "weather", "metro", "carriers"},
    "全球机场": {"airports"},
    "城市人口": {"cities"},
    "货币代码": {"countries"},
    "气象": {"weather", "stations"},
    "天气": {"weather", "stations", "berth_weather"},
    "大湾区气象": {"stations"},
    "高温": {"heat"},
    "光伏": {"solar"},
    "太阳能发电": {"solar"},
    "用电负荷": {"load"},
    "电力": {"load", "solar"},
    "充电桩": {"charging"},
    "新能源汽车充电": {"charging"},
    "公交客流": {"bus"},
    "门诊量": {"clinic"},
    "药品价格": {"medicine_prices"},
    "集装箱运价": {"freight"},
    "海运价格": {"freight"},
    "港口": {"port_calls", "port_api"},
    "港口接口": {"port_api"},
    "船舶靠泊": {"port_calls", "port_api"},
    "节假日": {"workdays", "partners"},
    "二十四节气": {"solar_terms"},
    "交易所休市": {"closings"},
    "证券行情": {"prices"},
    "股票价格": {"prices"},
    "零售额": {"retail"},
    "进出口数据": {"hs_trade"},
    "外贸": {"hs_trade"},
    "隐私计算联合统计": {"matching"},
    # Chinese, traditional, and both languages at once
    "航班離港": {"flights", "carriers", "planes"},
    "氣象數據": {"weather", "stations"},
    "充電": {"charging"},
    "港口掛靠": {"port_calls", "port_api"},
    "公眾假期": {"partners"},
    "weather 大湾区": {"stations"},
    "hs 进出口": {"hs_trade"},
}


def everywhere(*parts: str) -> list[tuple[str, str]]:
    return [(exchange, part) for exchange in EXCHANGES for part in parts]


EXCHANGES = ("shanghai", "guiyang", "beijing")
# {what is typed: (exchange, parts of titles one of which must come first)}
QUESTIONS_ELSEWHERE = {
    "气象": everywhere("气象"),
    "天气预报": [("guiyang", "辽宁省农用天气预报"), ("guiyang", "辽宁省城镇天气预报"), ("guiyang", "全球数值天气预报")],
    "降雨": everywhere("降水", "降雨"),
    "weather radar": [("guiyang", "全国天气雷达"), ("guiyang", "全国气象雷达")],
    "天气雷达": [("guiyang", "全国天气雷达")],
    "港口": everywhere("港口信息"),
    "port": everywhere("港口信息"),
    "船舶AIS": everywhere("船舶AIS"),
    "vessel ais": everywhere("船舶AIS"),
    "快递物流查询": [("guiyang", "全国快递物流查询"), ("guiyang", "跨境国际快递物流查询")],
    "企业用电": [("guiyang", "贵州省企业用电信息查询")],
    "用電量": [("guiyang", "指定用户月/半月用电量"), ("guiyang", "行业用电规模")],
    "充电站": [("beijing", "新能源车辆补能站"), ("guiyang", "充电桩装载情况")],
    "失信被执行人": everywhere("失信被执行人"),
    "法律诉讼": everywhere("涉诉", "裁判文书", "诉讼"),
    "裁判文书": [("beijing", "企业裁判文书")],
    "工商信息查询": everywhere("工商信息查询"),
    "股权穿透": [("beijing", "股权穿透"), ("guiyang", "企业股权信息穿透")],
    "股权出质": everywhere("股权出质"),
    "专利价值评估": [("shanghai", "企业专利价值评估报告"), ("guiyang", "专利价值评估接口")],
    "patent": everywhere("专利"),
    "绿色专利": [("guiyang", "中国绿色专利")],
    "商标": everywhere("商标"),
    "trademark": everywhere("商标"),
    "发票核验": [("beijing", "发票核验")],
    "企业信用报告": everywhere("信用报告"),
    "欠税": everywhere("欠税"),
    "海关": everywhere("海关"),
    "customs import export": [("shanghai", "BCPM 海关进出口查询"), ("beijing", "进出口海关信用")],
    "网络零售额": [("beijing", "网络零售"), ("beijing", "分电商平台网络零售额")],
    "人口普查": everywhere("人口普查"),
    "第七次人口普查": [("beijing", "2020年第七次人口普查")],
    "身份核验": everywhere("身份信息二要素核验", "身份证二要素核验", "手机号+身份证"),
    "银行卡四要素": everywhere("银行卡四要素", "银行卡四元素"),
    "手机号归属地": [("guiyang", "手机号码归属地")],
    "空气质量预报": [("beijing", "2021年多尺度空气质量预报")],
    "air quality": [("beijing", "2021年多尺度空气质量预报"), ("guiyang", "环境空气质量监测点")],
    "碳排放": [("guiyang", "中国上市公司碳排放排行榜")],
    "carbon emissions": [("guiyang", "中国上市公司碳排放排行榜")],
    "停车场": everywhere("停车"),
    "parking": everywhere("停车"),
    "轨道交通客流": [("guiyang", "2023年城市轨道交通OD客流")],
    "公共交通一卡通": [("guiyang", "2023年公共交通一卡通")],
    "旅游景区": [("guiyang", "贵州省A级旅游景区"), ("guiyang", "贵州省国家A级旅游景区")],
    "博物馆": [("guiyang", "博物馆和馆藏文物")],
    "药品说明书": [("shanghai", "BCPM 药品说明书")],
    "医院查询": [("shanghai", "BCPM 全国医院查询")],
    "医疗器械": [("shanghai", "医疗器械")],
    "儿童语音": [("guiyang", "儿童构音障碍"), ("beijing", "中英文混合儿童")],
    "speech": everywhere("语音"),
    "红树林": [("shanghai", "红树林遥感监测服务")],
    "光伏板": [("shanghai", "光伏板监测数据")],
    "森林碳储量": [("shanghai", "森林碳储量监测服务")],
    "自动驾驶": [("shanghai", "自动驾驶仿真场景库")],
    "宏观经济": [("shanghai", "宏观经济")],
    "外汇": [("shanghai", "外汇市场"), ("guiyang", "旅游外汇收入")],
    "私募基金": [("shanghai", "（中国私募证券类基金）")],
    "ESG评级": [("shanghai", "妙盈ESG评级")],
    "舆情监测": [("beijing", "政企舆情监测报告"), ("beijing", "新浪舆情通"), ("beijing", "牡丹大数据舆情")],
    "招聘信息": [("beijing", "招聘信息")],
    "招投标": everywhere("招标", "招投标", "投标"),
    "车辆出险记录": [("guiyang", "车辆出险记录查验")],
    "高速公路收费站": [("guiyang", "贵州省高速公路收费站")],
    "数字高程模型": [("guiyang", "1:1万数字高程"), ("guiyang", "1:5万数字高程")],
    "社保缴费": everywhere("社保缴", "医保缴费"),
    "公积金": [("beijing", "北京市企业公积金"), ("beijing", "企业_")],
    "就业": [("guiyang", "全省就业人员及劳动报酬")],
}  # fmt: skip


@pytest.fixture
def names():
    """The demo's products on the shelf, {listing id: key}: with their manuals, without the way to market."""
    found: dict[int, str] = {}
    sellers: dict[str, Organisation] = {}
    for product in (*products.on_sale(), *products.waiting()):
        seller = sellers[product.seller] = sellers.get(product.seller) or factories.make_organisation()
        by = factories.owner_of(seller)
        listing = publishing.create_listing(seller=seller, product_type=product.product_type, by=by)
        version = publishing.edit(publishing.draft(listing, by=by), by=by, **product.manual)
        Listing.objects.filter(pk=listing.pk).update(current_version=version)
        listing.current_version = version
        shelf.index(listing)
        found[listing.pk] = product.key
    ShelfItem.objects.update(is_shown=True)
    return found


def rank(first: list[bool]) -> float:
    return next((1 / place for place, is_right in enumerate(first, 1) if is_right), 0.0)


def told(ranks: dict[str, float], of: str) -> float:
    mean = sum(ranks.values()) / len(ranks)
    print(f"\nmean reciprocal rank over {of}: {mean:.3f} of {len(ranks)} questions")
    return mean


def test_what_is_asked_for_comes_first(names):
    ranks, wrong = {}, {}
    for text, expected in QUESTIONS.items():
        found = catalogue.browse(text)
        rows = shelf_queries.page(found.asked, sort="best", start=0, count=LOOKED_AT)
        keys = [names[listing] for listing, _entry in rows]
        ranks[text] = rank([key in expected for key in keys])
        if ranks[text] < 1:
            wrong[text] = keys[:4]
    mean = told(ranks, "the demo's products")
    for text, keys in wrong.items():
        print(f"  {text}: {keys}")
    assert mean >= 0.99


@pytest.mark.skipif(not FOLDER, reason="EXCHANGE_CATALOGUES names no folder of catalogues")
def test_what_is_asked_for_of_real_catalogues_comes_first():
    exchanges = {}
    for name in EXCHANGES:
        path = Path(FOLDER, f"{name}-raw.csv")
        catalogue_entries.read([catalogue_files.look(path)], exchange=name)
        with path.open(encoding="utf-8-sig", newline="") as file:
            exchanges |= {row["url"]: name for row in csv.DictReader(file)}
    ranks, wrong = {}, {}
    for text, expected in QUESTIONS_ELSEWHERE.items():
        found = catalogue.browse(text, filters=Filters(show="entries"))[:LOOKED_AT]
        shown = [(exchanges[one.address], one.title) for one in found if isinstance(one, CatalogueEntry)]
        ranks[text] = rank(
            [any(exchange == name and part in title for name, part in expected) for exchange, title in shown]
        )
        if ranks[text] < 1:
            wrong[text] = shown[:3]
    mean = told(ranks, "three exchanges' catalogues")
    for text, shown in wrong.items():
        print(f"  {text}: {shown}")
    assert mean >= 0.95, wrong
