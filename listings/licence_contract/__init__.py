"""The licence contract: sixteen articles as dated data, filled from an offer and a product manual.

The heads follow the national model contract for data provision, GF-2025-2615; the wording is the exchange's own. Each
version is a file named by its month and never changes once a trade was proposed under it: what is new is a new file.
The articles name no party, so that their digest is the same from the page where a buyer reads them to the paper.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, TypedDict

from django.utils.translation import get_language

from listings import payment_plans, pricing
from listings.models import Discount, Offer, Version
from listings.terms import ANYWHERE, Terms, plain_words, term_of
from listings.terms_words import LANGUAGES
from marketplace.canonical import digest_of
from marketplace.typesetting import in_language

FOLDER = Path(__file__).parent
CURRENT_VERSION = "2026-11"
# The forum nearest to a seller of this seat; every other seat begins with its own law and courts.
NEAREST = {"CN": "cn_court", "HK": "hk_court", "MO": "mo_court"}
ELSEWHERE = "seat"

Texts = dict[str, str]


class Article(TypedDict):
    """An article as it is read: its head and its clauses, in one language."""

    head: str
    clauses: list[str]


class NoSuchVersion(Exception):
    """There is no licence contract of this version."""


@cache
def _data(version: str) -> dict[str, Any]:
    if version not in versions():
        raise NoSuchVersion(version)
    return dict(json.loads((FOLDER / f"{version}.json").read_text("utf-8")))


@cache
def versions() -> list[str]:
    """Every version there is, the newest first."""
    return sorted((path.stem for path in FOLDER.glob("*.json")), reverse=True)


def jurisdictions(version: str = CURRENT_VERSION) -> dict[str, dict[str, Texts]]:
    """What a seller may choose as governing law and forum: by code, `{label, law, forum}` in each language."""
    return dict(_data(version)["jurisdictions"])


def choices() -> list[tuple[str, str]]:
    """What a seller may choose, in the reader's language."""
    language = get_language() or "en"
    return [(code, in_language(texts["label"], language)) for code, texts in jurisdictions().items()]


def jurisdiction_label(code: str, language: str) -> str:
    """Governing law and forum in a few words."""
    named = jurisdictions().get(code)
    return str(in_language(named["label"], language)) if named else code


def default_jurisdiction(country: str) -> str:
    """What an offer of a seller of this country begins with."""
    return NEAREST.get(country, ELSEWHERE)


def articles(offer: Offer, version: Version, discount: Discount | None = None) -> dict[str, list[Article]]:
    """The articles of a contract made under this offer and discount for this manual, in each language; {} for an old
    offer that was made before there was a licence contract.
    """
    if not offer.contract_version:
        return {}
    data = _data(offer.contract_version)
    conditions = _conditions(offer)
    return {
        language: [
            {
                "head": article["head"][language],
                "clauses": [
                    clause[language].format_map(_facts(offer, version, language, discount))
                    for clause in article["clauses"]
                    if clause.get("when") is None or clause["when"] in conditions
                ],
            }
            for article in data["articles"]
        ]
        for language in LANGUAGES
    }


def digest(offer: Offer, version: Version, discount: Discount | None = None) -> str:
    """The digest of the text both parties agree to, in all its languages; "" for an old offer without one."""
    text = articles(offer, version, discount)
    return digest_of({"version": offer.contract_version, "articles": text}) if text else ""


def _conditions(offer: Offer) -> set[str]:
    terms: Terms = offer.terms
    return {
        "priced" if offer.price_minor else "free",
        "term" if term_of(terms, LANGUAGES[0]) else "no_term",
        f"derive_{terms['derived_works']}",
        f"share_{terms['redistribution']}",
        f"personal_{terms['personal_data']}",
        "territory_anywhere" if terms["territory"] == [ANYWHERE] else "territory_named",
    }


def _facts(offer: Offer, version: Version, language: str, discount: Discount | None) -> dict[str, str]:
    """What the braces of a clause stand for. A member's words are put in as they are and never read as a pattern."""
    named = jurisdictions(offer.contract_version)[offer.jurisdiction]
    channels = _data(offer.contract_version)["channels"]
    return {
        "title": in_language(version.titles, language),
        "version": str(version.number),
        "digest": version.release.digest if version.release else "",
        "price": pricing.in_contract(offer, language, discount)
        + payment_plans.in_contract(offer.instalments, language),
        "inspection_days": str(offer.inspection_days),
        "channel": channels[offer.channel][language] if offer.channel in channels else offer.channel,
        "term": term_of(offer.terms, language),
        "law": named["law"][language],
        "forum": named["forum"][language],
    }


def shown(offer: Offer, version: Version, discount: Discount | None) -> dict[str, Any]:
    """The contract for a page, in the reader's language: what it is, its licence in plain words, its articles."""
    language = get_language() or "en"
    language = language if language in LANGUAGES else "en"
    text = articles(offer, version, discount)
    return {
        "version": offer.contract_version,
        "jurisdiction": jurisdiction_label(offer.jurisdiction, language),
        "digest": digest(offer, version, discount),
        "licence": plain_words(offer.terms, language),
        "articles": text.get(language, []),
    }
