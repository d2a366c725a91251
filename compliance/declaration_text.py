"""The declaration on sanctions and related parties: its text by version, in three languages.

A published version's texts never change: a correction is a new version.
"""

from __future__ import annotations

from django.utils.translation import get_language

from marketplace.canonical import digest_of

CURRENT_VERSION = "2026-11"
TEXTS: dict[str, dict[str, str]] = {
    "2026-11": {
        "en": (
            "I declare for the organisation, after due inquiry: (1) whether the organisation, any of its beneficial "
            "owners or any person who directs it is named on a sanctions list or list of restricted parties of the "
            "United Nations Security Council, of the People's Republic of China or of another jurisdiction in which "
            "it does business; (2) every member of the exchange, and every person on the exchange's staff, to whom "
            "it is related by ownership, control, office or family. The organisation tells the exchange without "
            "delay when this changes."
        ),
        "zh-hans": (
            "本人经合理查证，代表本机构声明：（一）本机构、其任何受益所有人或任何实际管理人员，是否被列入联合国安全理事会、"
            "中华人民共和国或本机构开展业务的其他法域的制裁名单或受限制主体名单；（二）与本机构存在股权、控制、任职或亲属关系的"
            "全部交易所会员及交易所工作人员。上述情况如有变化，本机构将立即告知交易所。"
        ),
        "zh-hant": (
            "本人經合理查證，代表本機構聲明：（一）本機構、其任何實益擁有人或任何管理本機構的人士，是否被列入聯合國安全理事會、"
            "中華人民共和國或本機構經營業務的其他司法管轄區的制裁名單或受限制人士名單；（二）與本機構有股權、控制、職務或親屬關係的"
            "所有交易所會員及交易所職員。上述情況如有變更，本機構會立即通知交易所。"
        ),
    }
}


def text() -> str:
    """The current text in the reader's language, else in English."""
    by_language = TEXTS[CURRENT_VERSION]
    return by_language.get(get_language() or "en", by_language["en"])


def digest(version: str) -> str:
    """The digest of all language versions together."""
    return digest_of({"version": version, "texts": TEXTS[version]})
