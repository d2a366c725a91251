"""Countries and territories (ISO 3166-1) and, for the mainland, its divisions (ISO 3166-2:CN) and pilot zones.

Hong Kong, Macao and Taiwan are territories of their own here, because data that goes there leaves the mainland.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketplace import country_names

OTHER = "other"

DIVISIONS: dict[str, str] = {
    "CN-BJ": "Beijing 北京",
    "CN-TJ": "Tianjin 天津",
    "CN-HE": "Hebei 河北",
    "CN-SX": "Shanxi 山西",
    "CN-NM": "Inner Mongolia 内蒙古",
    "CN-LN": "Liaoning 辽宁",
    "CN-JL": "Jilin 吉林",
    "CN-HL": "Heilongjiang 黑龙江",
    "CN-SH": "Shanghai 上海",
    "CN-JS": "Jiangsu 江苏",
    "CN-ZJ": "Zhejiang 浙江",
    "CN-AH": "Anhui 安徽",
    "CN-FJ": "Fujian 福建",
    "CN-JX": "Jiangxi 江西",
    "CN-SD": "Shandong 山东",
    "CN-HA": "Henan 河南",
    "CN-HB": "Hubei 湖北",
    "CN-HN": "Hunan 湖南",
    "CN-GD": "Guangdong 广东",
    "CN-GX": "Guangxi 广西",
    "CN-HI": "Hainan 海南",
    "CN-CQ": "Chongqing 重庆",
    "CN-SC": "Sichuan 四川",
    "CN-GZ": "Guizhou 贵州",
    "CN-YN": "Yunnan 云南",
    "CN-XZ": "Tibet 西藏",
    "CN-SN": "Shaanxi 陕西",
    "CN-GS": "Gansu 甘肃",
    "CN-QH": "Qinghai 青海",
    "CN-NX": "Ningxia 宁夏",
    "CN-XJ": "Xinjiang 新疆",
}

# Zones in which rules on data leaving the mainland differ from their province's; the code begins with the province's.
PILOT_ZONES: dict[str, str] = {
    "CN-SH-LINGANG": "Lingang, Shanghai 上海临港新片区",
    "CN-SH-FTZ": "Shanghai pilot free trade zone 上海自由贸易试验区",
    "CN-BJ-FTZ": "Beijing pilot free trade zone 北京自由贸易试验区",
    "CN-TJ-FTZ": "Tianjin pilot free trade zone 天津自由贸易试验区",
    "CN-ZJ-FTZ": "Zhejiang pilot free trade zone 浙江自由贸易试验区",
    "CN-HI-FTP": "Hainan free trade port 海南自由贸易港",
    "CN-GD-QIANHAI": "Qianhai, Shenzhen 深圳前海",
    "CN-GD-HETAO": "Hetao, Shenzhen 深圳河套",
    "CN-GD-NANSHA": "Nansha, Guangzhou 广州南沙",
    "CN-GD-HENGQIN": "Hengqin, Zhuhai 珠海横琴",
}

REGIONS: list[tuple[str, str | Promise]] = [
    *DIVISIONS.items(),
    *PILOT_ZONES.items(),
    ("HK", "Hong Kong 香港"),
    ("MO", "Macao 澳門"),
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
