"""The licence contract: sixteen articles in three languages, filled from offer and manual; versions never change."""

from __future__ import annotations

import hashlib
import json

import pytest
from django.test import Client

from listings import licence_contract, offers
from listings.terms_words import LANGUAGES
from marketplace.errors import Invalid
from tests import factories

# What trades were proposed under. A change of wording is a new version, never a new digest here.
DIGESTS = {"2026-11": "8cbfa7e4ecbd4a65a2bc8db1bcda772d07fea8d0c2b944a5b01008b37e0f7b02"}


@pytest.mark.parametrize("version", licence_contract.versions())
def test_a_version_never_changes(version):
    content = (licence_contract.FOLDER / f"{version}.json").read_bytes()
    assert hashlib.sha256(content).hexdigest() == DIGESTS[version]


@pytest.mark.parametrize("version", licence_contract.versions())
def test_every_clause_is_written_in_three_languages_and_stands_under_a_known_condition(version):
    data = json.loads((licence_contract.FOLDER / f"{version}.json").read_text())
    assert len(data["articles"]) == 16
    known = {"priced", "free", "term", "no_term", "territory_named", "territory_anywhere"}
    known |= {f"derive_{one}" for one in ("none", "internal", "free")}
    known |= {f"share_{one}" for one in ("none", "group", "same_terms")}
    known |= {f"personal_{one}" for one in ("none", "deidentified", "personal")}
    for article in data["articles"]:
        assert list(article["head"]) == list(LANGUAGES)
        for clause in article["clauses"]:
            assert set(clause) - {"when"} == set(LANGUAGES)
            assert clause.get("when", "priced") in known
            braces = [sorted(part.split("}")[0] for part in clause[one].split("{")[1:]) for one in LANGUAGES]
            assert braces[0] == braces[1] == braces[2], clause["en"]
    for named in data["jurisdictions"].values():
        assert [list(texts) for texts in named.values()] == [list(LANGUAGES)] * 3


@pytest.fixture
def offer(db):
    return factories.make_listed_product(factories.make_verified(country="HK")).offers.get()


def _articles(offer, language="en"):
    return licence_contract.articles(offer, offer.listing.current_version)[language]


def test_the_articles_are_filled_from_the_offer_and_the_manual(offer):
    version = offer.listing.current_version
    text = " ".join(clause for article in _articles(offer) for clause in article["clauses"])
    assert "{" not in text and "}" not in text
    assert f"“{version.titles['en']}”, version 1 of its product manual" in text
    assert version.release.digest in text
    assert "The price is HKD 1,250.00." in text
    assert "The licence lasts 1 year from delivery." in text
    assert "The buyer has 7 days from delivery" in text
    assert "the law of the Hong Kong Special Administrative Region" in text
    assert "the courts of the Hong Kong Special Administrative Region" in text
    assert "free of charge" not in text
    chinese = " ".join(clause for article in _articles(offer, "zh-hant") for clause in article["clauses"])
    assert "香港特別行政區法院" in chinese and "個人資料" in chinese and "個人信息" not in chinese


def test_every_term_of_the_licence_changes_the_text(offer):
    version = offer.listing.current_version
    digest = licence_contract.digest(offer, version)
    for field, value in [
        ("price_minor", 0),
        ("currency", "CNY"),
        ("inspection_days", 8),
        ("jurisdiction", "hk_hkiac"),
        ("terms", offer.terms | {"term_months": None}),
        ("terms", offer.terms | {"derived_works": "free"}),
        ("terms", offer.terms | {"redistribution": "group"}),
        ("terms", offer.terms | {"personal_data": "deidentified"}),
    ]:
        before = getattr(offer, field)
        setattr(offer, field, value)
        assert licence_contract.digest(offer, version) != digest, field
        setattr(offer, field, before)
    assert licence_contract.digest(offer, version) == digest


def test_a_title_in_braces_is_shown_and_never_filled(offer):
    offer.listing.current_version.titles = {"en": "{price} {0} {x.__class__}"}
    assert "“{price} {0} {x.__class__}”" in _articles(offer)[1]["clauses"][0]


@pytest.mark.parametrize(
    ("country", "code"), [("CN", "cn_court"), ("HK", "hk_court"), ("MO", "mo_court"), ("SG", "seat")]
)
def test_an_offer_begins_with_the_forum_nearest_to_its_seller(country, code):
    assert licence_contract.default_jurisdiction(country) == code


def test_a_seller_chooses_the_forum_and_an_unknown_one_is_refused(offer):
    by = factories.owner_of(offer.listing.seller)
    facts = {"name": "Two", "price_minor": 0, "currency": "HKD", "terms": offer.terms, "by": by}
    chosen = offers.make_offer(offer.listing, jurisdiction="cn_shiac", **facts)
    assert (chosen.jurisdiction, chosen.contract_version) == ("cn_shiac", licence_contract.CURRENT_VERSION)
    with pytest.raises(Invalid) as refusal:
        offers.make_offer(offer.listing, jurisdiction="the moon", **facts)
    assert [reason["code"] for reason in refusal.value.reasons] == ["wrong_jurisdiction"]
    assert offer.listing.offers.count() == 2


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "Governing law and forum"), ("zh-hans", "适用法律与争议解决"), ("zh-hant", "適用法律及爭議解決")],
)
def test_anyone_reads_the_contract_before_committing(offer, language, said):
    client = Client(headers={"accept-language": language})
    page = client.get(f"/offers/{offer.public_id}/contract/")
    text = page.content.decode()
    assert page.status_code == 200
    assert said in text and licence_contract.digest(offer, offer.listing.current_version) in text
    assert text.count("<h3>") >= 16
    assert client.get(f"/offers/{offer.public_id[:-1]}x/contract/").status_code == 404
