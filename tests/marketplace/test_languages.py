"""简体 and 繁體 say everything the English pages say, each in its own words, and what Django reads is up to date."""

from __future__ import annotations

import functools
import gettext
import html
import json
import re
from collections import Counter
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma
from django.test import Client
from django.urls import reverse
from django.utils import translation

from listings.terms_words import LANGUAGES, PURPOSES, TERRITORIES
from marketplace.models import Paper, User
from marketplace.regions import COUNTRY_NAMES
from marketplace.typesetting import SCHEMA
from tests import sentences
from tests.factories import make_listed_product, make_user, make_verified, owner_of
from tests.source import ROOT

FOLDERS = {"zh-hans": "zh_Hans", "zh-hant": "zh_Hant"}
EACH_LANGUAGE = pytest.mark.parametrize("language", FOLDERS)

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w+\}")
MARKUP = re.compile(r"</?\w+[^>]*>")

ONLY_SIMPLIFIED = set(
    "个这们来时说过还进数据产权证书审员发报价账结买卖验签约协议处请总间问关闭开无见认为从对应该动务质检测内"
    "录档载传连单项记实样与义续钥设备应码错误长东车马鸟鱼龙门风飞饮饭场师区医华历厂广"
)
ONLY_TRADITIONAL = set(
    "個這們來時說過還進數據產權證書審員發報價賬帳結買賣驗簽約協議處請總間問關閉開無見認為從對應該動務質檢測內"
    "錄檔載傳連單項記實樣與義續鑰設備應碼錯誤長東車馬鳥魚龍門風飛飲飯場師區醫華歷廠廣"
)
# What the mainland says and Hong Kong does not, and Taiwan's words; and the other way round.
FOREIGN_WORDS = {
    "zh-hant": ["信息", "質量", "清算", "登錄", "註冊賬", "文件夾", "資訊", "網路", "使用者", "帳號", "品質", "您"],
    "zh-hans": ["你", "登入", "交收", "档案", "电邮", "质素", "个人资料", "帐"],
}
# Where a word of the glossary has another sense.
OTHER_SENSES = {"listed": ("Listed company", "If it is listed", "Listed elsewhere")}
# What the exchange calls a thing at the head of a page, column or button, letter for letter.
HEADINGS = {
    "Clearing": ("清算", "結算"),
    "Settled": ("已结算", "已交收"),
    "Personal information": ("个人信息", "個人資料"),
    "Quality": ("质量", "質素"),
    "Listed": ("已挂牌", "已掛牌"),
    "Registered": ("已登记", "已登記"),
    "Settlement statement": ("结算单", "結算單"),
    "Seller": ("供方", "提供方"),
    "Buyer": ("需方", "需求方"),
    "Manual": ("说明书", "說明書"),
    "Sign in": ("登录", "登入"),
}
# Of the papers' words those that name things, so that page and paper call a thing alike.
NAMES_IN_PAPERS = ("title_", "type_", "number_", "right_", "basis_", "class_")


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    """A page read in Chinese leaves its thread speaking Chinese, which no other test expects."""
    with translation.override("en"):
        yield


def catalogue(language: str) -> gettext.GNUTranslations:
    with sentences.compiled(FOLDERS[language]).open("rb") as file:
        return gettext.GNUTranslations(file)


def said(language: str, text: str, context: str = "") -> str:
    found = catalogue(language)
    return found.pgettext(context, text) if context else found.gettext(text)


@EACH_LANGUAGE
def test_every_sentence_of_our_sources_is_in_the_catalogue(language: str) -> None:
    asked = [*sentences.asked_in_python(), *sentences.asked_in_templates()]
    assert len(asked) > 1500, "The walk through our sources finds too little to be believed."
    known = {entry.asked for entry in sentences.entries(FOLDERS[language])}
    missing = sorted({f"{where}: {one.text!r} {one.context}" for one, where in asked if one not in known})
    assert not missing, "Run makemessages, translate and compilemessages:\n" + "\n".join(missing)


@EACH_LANGUAGE
def test_every_entry_is_translated_and_none_is_a_guess(language: str) -> None:
    found = sentences.entries(FOLDERS[language])
    assert [entry.asked for entry in found if not entry.answers or not all(entry.answers)] == []
    assert [entry.asked for entry in found if "fuzzy" in entry.flags] == []


@EACH_LANGUAGE
def test_a_translation_keeps_placeholders_and_markup(language: str) -> None:
    for entry in sentences.entries(FOLDERS[language]):
        # Chinese has one form for any number, so it must fit the plural where there is one.
        original = entry.plural or entry.asked.text
        for answer in entry.answers:
            assert Counter(PLACEHOLDER.findall(answer)) == Counter(PLACEHOLDER.findall(original)), entry
            assert sorted(MARKUP.findall(answer)) == sorted(MARKUP.findall(original)), entry


@EACH_LANGUAGE
def test_what_django_reads_is_what_the_catalogue_says(language: str) -> None:
    expected = {}
    for entry in sentences.entries(FOLDERS[language]):
        key = f"{entry.asked.context}\x04{entry.asked.text}" if entry.asked.context else entry.asked.text
        expected[(key, 0) if entry.plural else key] = entry.answers[0]
    read = {key: words for key, words in catalogue(language)._catalog.items() if key != ""}  # type: ignore[attr-defined]
    assert read == expected


@EACH_LANGUAGE
def test_no_character_or_word_of_the_other_chinese(language: str) -> None:
    foreign = ONLY_TRADITIONAL if language == "zh-hans" else ONLY_SIMPLIFIED
    for entry in sentences.entries(FOLDERS[language]):
        for answer in entry.answers:
            assert not foreign & set(answer), (answer, foreign & set(answer))
            assert not [word for word in FOREIGN_WORDS[language] if word in answer], answer


@pytest.mark.parametrize(("english", "chinese"), HEADINGS.items())
def test_a_heading_says_the_word_of_the_glossary(english: str, chinese: tuple[str, str]) -> None:
    assert (said("zh-hans", english), said("zh-hant", english)) == chinese


def glossary() -> list[tuple[str, list[str]]]:
    """Each row of docs/glossary.md: the English word and, for each Chinese, the words that may stand for it."""
    lines = (ROOT / "docs/glossary.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return [(row[0], row[1:3]) for row in cells[2:]]


@functools.cache
def plain_sentences(language: str) -> list[tuple[str, sentences.Entry]]:
    """Each sentence of the catalogue without what is put into it."""
    return [(PLACEHOLDER.sub("", entry.asked.text), entry) for entry in sentences.entries(FOLDERS[language])]


@pytest.mark.parametrize(("english", "chinese"), glossary(), ids=lambda value: value if isinstance(value, str) else "")
@EACH_LANGUAGE
def test_the_glossary_binds_every_sentence(english: str, chinese: list[str], language: str) -> None:
    """Wherever a sentence names the thing, its translation calls it by a word of the row."""
    words = chinese[list(FOLDERS).index(language)].split("／")
    named = re.compile(rf"(?<![\w-]){re.escape(english)}s?(?![\w-])", re.IGNORECASE)
    about = [entry for text, entry in plain_sentences(language) if named.search(text)]
    others = OTHER_SENSES.get(english, ())
    wrong = [
        f"{entry.asked.text!r}: {answer!r}"
        for entry in about
        for answer in entry.answers
        if not any(word in answer for word in words) and not any(other in entry.asked.text for other in others)
    ]
    assert not wrong, f"{words}\n" + "\n".join(wrong)
    assert about, f"No sentence says “{english}”: it needs no row."


@EACH_LANGUAGE
def test_pages_call_a_thing_as_papers_and_licences_do(language: str) -> None:
    on_pages = {entry.asked.text.lower(): entry.answers[0] for entry in sentences.entries(FOLDERS[language])}
    words = json.loads((ROOT / f"marketplace/papers/{SCHEMA}/words.json").read_text())
    named = [word for key, word in words.items() if key.startswith(NAMES_IN_PAPERS) and word["en"].lower() in on_pages]
    assert len(named) > 20
    assert [word for word in named if on_pages[word["en"].lower()] != word[language]] == []
    assert {kind.label.lower() for kind in Paper.Kind} <= {word["en"].lower() for word in named}
    licence_names = {english: names[list(FOLDERS).index(language)] for english, *names in PURPOSES.values()}
    assert [name for name, own in licence_names.items() if on_pages.get(name.lower(), own) != own] == []


@EACH_LANGUAGE
def test_a_territory_of_a_licence_is_called_as_the_country_of_a_member(language: str) -> None:
    with translation.override(language):
        names = {code: str(COUNTRY_NAMES[code]) for code in TERRITORIES}
    assert names == {code: own[LANGUAGES.index(language)] for code, own in TERRITORIES.items()}


@EACH_LANGUAGE
def test_thousands_stand_apart_in_every_language(language: str) -> None:
    with translation.override(language):
        assert intcomma(336_776) == "336,776"


def test_words_borrowed_from_packages_are_our_own() -> None:
    with translation.override("zh-hant"):
        assert translation.gettext("Email address") == "電郵地址"
    with translation.override("zh-hans"):
        assert translation.gettext("Email address") == "电子邮箱"


# --- the pages -----------------------------------------------------------------------------------------------------
PAGES = {
    "home": ("数据在此交易，双方皆可证明。", "數據在此易手，雙方皆可證明。"),
    "catalogue": ("产品目录", "產品目錄"),
    "account_login": ("忘记密码？", "忘記密碼？"),
    "account_signup": ("注册账号", "開立帳戶"),
    "verify": ("这份文书是真的吗？", "這份文件是真的嗎？"),
    "rules": ("各语言文本的摘要", "各語言文本的摘要"),
}
ENGLISH_WORDS = re.compile(r"\b(the|of|your|you|is|and|for|with|Sign|Search|Catalogue|Price|Seller|Email|Password)\b")


def in_language(language: str, url: str, reader: User | None = None) -> list[str]:
    """What a page says to this reader: its pieces of text, titles, labels and placeholders."""
    client = Client()
    if reader:
        client.force_login(reader)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    page = client.get(url)
    assert page.status_code == 200
    source = re.sub(r"<(script|style)\b.*?</\1>|<!--.*?-->", "", page.content.decode(), flags=re.S)
    attributes = re.findall(r'\b(?:aria-label|title|alt|placeholder|data-label)="([^"]*)"', source)
    pieces = [*re.split(r"<[^>]+>", source), *attributes]
    return [html.unescape(piece).strip() for piece in pieces if piece.strip()]


@pytest.mark.django_db
@EACH_LANGUAGE
@pytest.mark.parametrize("page", PAGES)
def test_a_page_speaks_its_readers_language_and_no_english(language: str, page: str) -> None:
    pieces = in_language(language, reverse(page))
    assert PAGES[page][list(FOLDERS).index(language)] in pieces
    assert [piece for piece in pieces if ENGLISH_WORDS.search(piece)] == []


@pytest.mark.django_db
@EACH_LANGUAGE
def test_a_product_page_leaves_only_the_sellers_own_words_in_english(language: str) -> None:
    pieces = in_language(language, make_listed_product().get_absolute_url())
    words = {
        "zh-hans": ["纽约航班离港数据", "供方", "登记编号", "购买此许可"],
        "zh-hant": ["紐約航班離港數據", "提供方", "登記編號", "購買此許可"],
    }
    assert set(words[language]) <= set(pieces)
    ours = {entry.asked.text for entry in sentences.entries(FOLDERS[language]) if entry.asked.text not in entry.answers}
    # Whoever chooses a language finds it by its own name, whatever the page's.
    own_names = {name for _, name in settings.LANGUAGES}
    assert set(pieces) & ours - own_names == set()


@pytest.mark.django_db
@EACH_LANGUAGE
@pytest.mark.parametrize("page", ["home", "apply", "tokens", "papers", "orders", "money", "account_email", "mfa_index"])
def test_a_members_pages_speak_no_english(language: str, page: str) -> None:
    reader = (
        make_user("reader@example.com", name="甲") if page == "apply" else owner_of(make_verified("海港圖集有限公司"))
    )
    pieces = in_language(language, reverse(page), reader)
    assert [piece for piece in pieces if ENGLISH_WORDS.search(piece)] == []
