"""One whole trade over HTTP, from a merchant's empty studio to a certificate that a stranger checks.

The same road for the tests, with workers in the test's process, and for the first start of a clean clone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.journeys.visitor import Refusal, Visitor

Wait = Callable[[Callable[[], Any], str], Any]

TABLE = (
    "port,arrived,ship,teu\n"
    + "".join(
        f"洋山,2026-{month:02}-{day:02},SHIP{month}{day},{month * day}\n"
        for month in range(1, 13)
        for day in range(1, 29)
    )
).encode()
CLAIM = {"held": True, "basis": "Own collection", "evidence": "Gate log"}
MANUAL: dict[str, Any] = {
    "titles": {"en": "Arrivals at Yangshan", "zh-hans": "洋山港船舶到港数据", "zh-hant": "洋山港船舶到港數據"},
    "summaries": {"en": "Ships and boxes by day.", "zh-hans": "逐日船舶与箱量。", "zh-hant": "逐日船舶與箱量。"},
    "sector": "transport",
    "coverage_from": "2026-01-01",
    "coverage_until": "2026-12-31",
    "coverage_area": {"en": "Shanghai", "zh-hans": "上海", "zh-hant": "上海"},
    "update_frequency": "monthly",
    "fields": [
        {"name": "port", "type": "text", "meaning": "Terminal", "unit": ""},
        {"name": "arrived", "type": "date", "meaning": "Day of arrival", "unit": ""},
        {"name": "ship", "type": "text", "meaning": "Name of the ship", "unit": ""},
        {"name": "teu", "type": "integer", "meaning": "Boxes", "unit": "TEU"},
    ],
    "use_scenarios": "Berth planning.",
    "forbidden_uses": "Navigation.",
    "source_statement": "Generated for a test; no real ship.",
    "lawful_basis": "self_produced",
    "rights": {"holding": CLAIM, "use": CLAIM, "operation": CLAIM},
    "classification": "general_1",
    "has_personal_data": False,
    "has_sensitive_data": False,
    "persons_count": 0,
    "leaves_mainland": True,
    "support_contact": "data@seller.example",
}
TERMS = {
    "purposes": ["internal_analysis"],
    "territory": ["*"],
    "term_months": 12,
    "derived_works": "internal",
    "redistribution": "none",
    "seats": None,
    "personal_data": "none",
}


@dataclass
class People:
    """Signed in, each in a browser of their own."""

    seller: Visitor
    buyer: Visitor
    reviewers: tuple[Visitor, Visitor]
    officer: Visitor
    stranger: Visitor


def list_product(people: People, wait: Wait, **manual: Any) -> str:
    """Manual, release, profile, review by two, register: the listed product's id."""
    seller = people.seller
    listing = seller.post("listings", {"product_type": "dataset"})["public_id"]
    version = seller.post(f"listings/{listing}/versions")["number"]
    release = seller.post(f"listings/{listing}/releases", {"label": "2026-11"})["id"]
    seller.put(f"listings/{listing}/releases/{release}/files/arrivals.csv", TABLE)
    seller.post(f"listings/{listing}/releases/{release}/seal")
    seller.patch(f"listings/{listing}/versions/{version}", {**MANUAL, **manual, "release": release})
    wait(lambda: seller.get(f"listings/{listing}/releases/{release}")["profile_state"] == "done", "the profile")
    seller.post(f"listings/{listing}/versions/{version}/submission")
    first, second = people.reviewers
    review = next(row for row in first.get("reviews", state="open")["results"] if row["listing"] == listing)["id"]
    first.post(f"reviews/{review}/assignment")
    checked = [{"item": item["id"], "answer": "yes"} for item in first.get(f"reviews/{review}")["checklist"]]
    first.post(f"reviews/{review}/approval", {"answers": checked})
    try:
        first.post(f"reviews/{review}/approval", {"answers": checked})
        raise AssertionError("one person approved twice")
    except Refusal as refusal:
        assert refusal.code == "same_person", refusal
    second.post(f"reviews/{review}/approval", {"answers": checked})
    wait(lambda: seller.get(f"listings/{listing}")["state"] == "listed", "the register")
    return str(listing)


def offer(people: People, listing: str, **changes: Any) -> str:
    body = {"name": "One year", "price_minor": 125_000, "currency": "CNY", "terms": TERMS, **changes}
    return str(people.seller.post(f"listings/{listing}/offers", body)["public_id"])


def propose(people: People, offer_id: str) -> str:
    return str(people.buyer.post("trades", {"offer": offer_id, "purpose": "Berth planning"})["public_id"])


def state_of(person: Visitor, trade: str) -> str:
    return str(person.get(f"trades/{trade}")["state"])


def act_at_the_bank(people: People, trade: str, wait: Wait, act: str = "pay", **how: Any) -> None:
    """What the buyer's bank does with the newest payment."""

    def pay_page() -> str:
        payments = people.buyer.get(f"trades/{trade}")["payments"]
        return str(payments[-1]["pay_at_url"]) if payments else ""

    reference = wait(pay_page, "the payment's start").rstrip("/").rsplit("/", 1)[-1]
    people.buyer.post(f"sandbox/orders/{reference}/acts", {"act": act, **how})


def download(people: People, trade: str) -> None:
    """With an interruption: the first half, then the rest; the digest must be the one the exchange promised."""
    files = people.buyer.get(f"trades/{trade}/access")["files"]
    file = next(one for one in files if one["path"] == "arrivals.csv")
    half = file["size_bytes"] // 2
    first = people.buyer.http.get(file["url"], headers={"Range": f"bytes=0-{half - 1}"})
    assert first.status_code == 206 and len(first.content) == half
    rest = people.buyer.http.get(file["url"], headers={"Range": f"bytes={half}-", "If-Range": first.headers["ETag"]})
    assert rest.status_code == 206
    whole = first.content + rest.content
    assert hashlib.sha256(whole).hexdigest() == file["sha256"] == hashlib.sha256(TABLE).hexdigest()


def clear(people: People, currency: str = "CNY") -> None:
    """Staff close the open cycle of a currency and release it."""
    cycle = people.officer.post("cycles/current/closing", {"currency": currency})
    if cycle["state"] == "closed":
        try:
            people.officer.post(f"cycles/{cycle['number']}/release")
        except Refusal as refusal:
            assert refusal.code == "wrong_state", refusal  # a worker released it first


def drive(people: People, wait: Wait) -> str:
    """From the empty studio to the certificate, checked by a stranger; the certificate's number."""
    listing = list_product(people, wait)
    for query in ("洋山", "洋山港船舶", "到港數據", "arrivals yangshan", "Yangshan"):
        found = [row["public_id"] for row in people.stranger.get("catalogue", q=query)["results"]]
        assert listing in found, f"{query!r} did not find the product"
    trade = propose(people, offer(people, listing))
    act_at_the_bank(people, trade, wait)
    wait(lambda: state_of(people.buyer, trade) == "delivered", "the delivery")
    download(people, trade)
    people.buyer.post(f"trades/{trade}/acceptance")
    clear(people)
    wait(lambda: people.buyer.get(f"trades/{trade}")["certificate"], "the certificate")
    whole = people.seller.get(f"trades/{trade}")
    assert [step["kind"] for step in whole["steps"]] == [
        f"trade.{state}"
        for state in ("proposed", "agreed", "registered", "funded", "delivered", "accepted", "cleared", "settled")
    ]
    statement = people.seller.get("statements")["results"][0]
    assert (statement["gross_minor"], statement["fee_minor"], statement["net_minor"]) == (125_000, 3_125, 121_875)
    number = str(whole["certificate"])
    checked = people.stranger.get(f"papers/{number}")
    assert checked["is_valid"] and checked["record"] is None, checked
    return number
