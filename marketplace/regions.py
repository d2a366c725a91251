"""Countries and territories (ISO 3166-1) and, for the mainland, its divisions (ISO 3166-2:CN) and pilot zones.

Hong Kong, Macao and Taiwan are territories of their own here, because data that goes there leaves the mainland.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

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

_NAMES = (
    "AD Andorra|AE United Arab Emirates|AF Afghanistan|AG Antigua and Barbuda|AI Anguilla|AL Albania|AM Armenia|"
    "AO Angola|AQ Antarctica|AR Argentina|AS American Samoa|AT Austria|AU Australia|AW Aruba|AX Åland Islands|"
    "AZ Azerbaijan|BA Bosnia and Herzegovina|BB Barbados|BD Bangladesh|BE Belgium|BF Burkina Faso|BG Bulgaria|"
    "BH Bahrain|BI Burundi|BJ Benin|BL Saint Barthélemy|BM Bermuda|BN Brunei|BO Bolivia|"
    "BQ Bonaire, Sint Eustatius and Saba|BR Brazil|BS Bahamas|BT Bhutan|BV Bouvet Island|BW Botswana|BY Belarus|"
    "BZ Belize|CA Canada|CC Cocos (Keeling) Islands|CD Congo (Democratic Republic)|CF Central African Republic|"
    "CG Congo|CH Switzerland|CI Côte d'Ivoire|CK Cook Islands|CL Chile|CM Cameroon|CO Colombia|CR Costa Rica|CU Cuba|"
    "CV Cabo Verde|CW Curaçao|CX Christmas Island|CY Cyprus|CZ Czechia|DE Germany|DJ Djibouti|DK Denmark|DM Dominica|"
    "DO Dominican Republic|DZ Algeria|EC Ecuador|EE Estonia|EG Egypt|EH Western Sahara|ER Eritrea|ES Spain|"
    "ET Ethiopia|FI Finland|FJ Fiji|FK Falkland Islands (Malvinas)|FM Micronesia|FO Faroe Islands|FR France|GA Gabon|"
    "GB United Kingdom|GD Grenada|GE Georgia|GF French Guiana|GG Guernsey|GH Ghana|GI Gibraltar|GL Greenland|"
    "GM Gambia|GN Guinea|GP Guadeloupe|GQ Equatorial Guinea|GR Greece|GS South Georgia and the South Sandwich Islands|"
    "GT Guatemala|GU Guam|GW Guinea-Bissau|GY Guyana|HM Heard Island and McDonald Islands|HN Honduras|HR Croatia|"
    "HT Haiti|HU Hungary|ID Indonesia|IE Ireland|IL Israel|IM Isle of Man|IN India|IO British Indian Ocean Territory|"
    "IQ Iraq|IR Iran|IS Iceland|IT Italy|JE Jersey|JM Jamaica|JO Jordan|JP Japan|KE Kenya|KG Kyrgyzstan|KH Cambodia|"
    "KI Kiribati|KM Comoros|KN Saint Kitts and Nevis|KP Korea (Democratic People's Republic)|KR Korea (Republic)|"
    "KW Kuwait|KY Cayman Islands|KZ Kazakhstan|LA Laos|LB Lebanon|LC Saint Lucia|LI Liechtenstein|LK Sri Lanka|"
    "LR Liberia|LS Lesotho|LT Lithuania|LU Luxembourg|LV Latvia|LY Libya|MA Morocco|MC Monaco|MD Moldova|"
    "ME Montenegro|MF Saint Martin (French part)|MG Madagascar|MH Marshall Islands|MK North Macedonia|ML Mali|"
    "MM Myanmar|MN Mongolia|MP Northern Mariana Islands|MQ Martinique|MR Mauritania|MS Montserrat|MT Malta|"
    "MU Mauritius|MV Maldives|MW Malawi|MX Mexico|MY Malaysia|MZ Mozambique|NA Namibia|NC New Caledonia|NE Niger|"
    "NF Norfolk Island|NG Nigeria|NI Nicaragua|NL Netherlands|NO Norway|NP Nepal|NR Nauru|NU Niue|NZ New Zealand|"
    "OM Oman|PA Panama|PE Peru|PF French Polynesia|PG Papua New Guinea|PH Philippines|PK Pakistan|PL Poland|"
    "PM Saint Pierre and Miquelon|PN Pitcairn|PR Puerto Rico|PS Palestine|PT Portugal|PW Palau|PY Paraguay|QA Qatar|"
    "RE Réunion|RO Romania|RS Serbia|RU Russia|RW Rwanda|SA Saudi Arabia|SB Solomon Islands|SC Seychelles|SD Sudan|"
    "SE Sweden|SG Singapore|SH Saint Helena, Ascension and Tristan da Cunha|SI Slovenia|SJ Svalbard and Jan Mayen|"
    "SK Slovakia|SL Sierra Leone|SM San Marino|SN Senegal|SO Somalia|SR Suriname|SS South Sudan|"
    "ST Sao Tome and Principe|SV El Salvador|SX Sint Maarten (Dutch part)|SY Syria|SZ Eswatini|"
    "TC Turks and Caicos Islands|TD Chad|TF French Southern Territories|TG Togo|TH Thailand|TJ Tajikistan|TK Tokelau|"
    "TL Timor-Leste|TM Turkmenistan|TN Tunisia|TO Tonga|TR Türkiye|TT Trinidad and Tobago|TV Tuvalu|TW Taiwan|"
    "TZ Tanzania|UA Ukraine|UG Uganda|UM United States Minor Outlying Islands|US United States|UY Uruguay|"
    "UZ Uzbekistan|VA Holy See|VC Saint Vincent and the Grenadines|VE Venezuela|VG Virgin Islands (British)|"
    "VI Virgin Islands (U.S.)|VN Viet Nam|VU Vanuatu|WF Wallis and Futuna|WS Samoa|YE Yemen|YT Mayotte|"
    "ZA South Africa|ZM Zambia|ZW Zimbabwe"
)

COUNTRIES: list[tuple[str, str | Promise]] = [
    *_FIRST.items(),
    *sorted(((name[:2], name[3:]) for name in _NAMES.split("|")), key=lambda country: country[1]),
]
COUNTRY_NAMES: dict[str, str | Promise] = dict(COUNTRIES)
REGION_NAMES: dict[str, str | Promise] = dict(REGIONS)


def regions_of(country: str) -> list[str]:
    """The region codes an organisation of this country may name."""
    if country == "CN":
        return [*DIVISIONS, *PILOT_ZONES]
    return [country] if country in ("HK", "MO") else [OTHER]
