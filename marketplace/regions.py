"""Countries and territories (ISO 3166-1) and, for the mainland, its divisions (ISO 3166-2:CN) and pilot zones.

Hong Kong, Macao and Taiwan are territories of their own here, because data that goes there leaves the mainland.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketplace import country_names

OTHER = "other"

DIVISIONS: dict[str, str | Promise] = {
    "CN-BJ": _("Beijing 北京"),
    "CN-TJ": _("Tianjin 天津"),
    "CN-HE": _("Hebei 河北"),
    "CN-SX": _("Shanxi 山西"),
    "CN-NM": _("Inner Mongolia 内蒙古"),
    "CN-LN": _("Liaoning 辽宁"),
    "CN-JL": _("Jilin 吉林"),
    "CN-HL": _("Heilongjiang 黑龙江"),
    "CN-SH": _("Shanghai 上海"),
    "CN-JS": _("Jiangsu 江苏"),
    "CN-ZJ": _("Zhejiang 浙江"),
    "CN-AH": _("Anhui 安徽"),
    "CN-FJ": _("Fujian 福建"),
    "CN-JX": _("Jiangxi 江西"),
    "CN-SD": _("Shandong 山东"),
    "CN-HA": _("Henan 河南"),
    "CN-HB": _("Hubei 湖北"),
    "CN-HN": _("Hunan 湖南"),
    "CN-GD": _("Guangdong 广东"),
    "CN-GX": _("Guangxi 广西"),
    "CN-HI": _("Hainan 海南"),
    "CN-CQ": _("Chongqing 重庆"),
    "CN-SC": _("Sichuan 四川"),
    "CN-GZ": _("Guizhou 贵州"),
    "CN-YN": _("Yunnan 云南"),
    "CN-XZ": _("Tibet 西藏"),
    "CN-SN": _("Shaanxi 陕西"),
    "CN-GS": _("Gansu 甘肃"),
    "CN-QH": _("Qinghai 青海"),
    "CN-NX": _("Ningxia 宁夏"),
    "CN-XJ": _("Xinjiang 新疆"),
}

# Zones in which rules on data leaving the mainland differ from their province's; the code begins with the province's.
PILOT_ZONES: dict[str, str | Promise] = {
    "CN-SH-LINGANG": _("Lingang, Shanghai 上海临港新片区"),
    "CN-SH-FTZ": _("Shanghai pilot free trade zone 上海自由贸易试验区"),
    "CN-BJ-FTZ": _("Beijing pilot free trade zone 北京自由贸易试验区"),
    "CN-TJ-FTZ": _("Tianjin pilot free trade zone 天津自由贸易试验区"),
    "CN-ZJ-FTZ": _("Zhejiang pilot free trade zone 浙江自由贸易试验区"),
    "CN-HI-FTP": _("Hainan free trade port 海南自由贸易港"),
    "CN-GD-QIANHAI": _("Qianhai, Shenzhen 深圳前海"),
    "CN-GD-HETAO": _("Hetao, Shenzhen 深圳河套"),
    "CN-GD-NANSHA": _("Nansha, Guangzhou 广州南沙"),
    "CN-GD-HENGQIN": _("Hengqin, Zhuhai 珠海横琴"),
}

REGIONS: list[tuple[str, str | Promise]] = [
    *DIVISIONS.items(),
    *PILOT_ZONES.items(),
    ("HK", _("Hong Kong 香港")),
    ("MO", _("Macao 澳門")),
    (OTHER, _("Another country or territory")),
]

_FIRST = {"CN": _("Chinese mainland"), "HK": _("Hong Kong"), "MO": _("Macao")}

COUNTRIES: list[tuple[str, str | Promise]] = [*_FIRST.items(), *country_names.NAMES.items()]
COUNTRY_NAMES: dict[str, str | Promise] = dict(COUNTRIES)
REGION_NAMES: dict[str, str | Promise] = dict(REGIONS)


def regions_of(country: str) -> list[str]:
    """The region codes an organisation of this country may name."""
    if country == "CN":
        return [*DIVISIONS, *PILOT_ZONES]
    return [country] if country in ("HK", "MO") else [OTHER]


def place_name(country: str, region: str) -> str:
    """Where somebody has their seat: the division, zone or territory of China that they named, else the country."""
    return str(COUNTRY_NAMES[country] if region == OTHER else REGION_NAMES.get(region, COUNTRY_NAMES[country]))
