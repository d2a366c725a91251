"""How much a submitted version needs a careful reviewer: a documented sum of points, each reason in words.

`weigh` is pure: the same facts give the same reasons. Points order a queue and decide nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy

from compliance.models import Review
from listings.models import Classification, Version
from listings.states import VersionState
from marketplace import marks
from marketplace.money import Money, exponent

HIGH, RAISED = 50, 25
LOW_QUALITY, FAIR_QUALITY = 0.6, 0.8
# A price from here on is high, in whole units of its currency.
HIGH_PRICE = {
    "CNY": 100_000, "HKD": 100_000, "MOP": 100_000, "USD": 14_000, "EUR": 13_000, "SGD": 18_000, "JPY": 2_000_000,
    "KWD": 4_000,
}  # fmt: skip
HIGH_PRICE_OTHERWISE = 14_000
MAINLAND = "CN"
MOST_NAMED = 5

POINTS = {
    "important_data": 40,
    "grade_4": 30,
    "grade_3": 15,
    "sensitive_information": 30,
    "personal_information": 20,
    "cross_border": 15,
    "quality_low": 20,
    "quality_fair": 10,
    "columns_missing": 15,
    "columns_undeclared": 10,
    "period_differs": 10,
    "first_product": 10,
    "sent_back_before": 5,
    "price_high": 10,
}
WORDS: dict[str, Any] = {
    "important_data": gettext_lazy("It is important data."),
    "grade_4": gettext_lazy("It is general data of grade 4."),
    "grade_3": gettext_lazy("It is general data of grade 3."),
    "sensitive_information": gettext_lazy("It holds sensitive personal information."),
    "personal_information": gettext_lazy("It holds personal information."),
    "cross_border": gettext_lazy("The seller means to offer mainland data outside the mainland."),
    "quality_low": gettext_lazy("The measured quality is low: %s."),
    "quality_fair": gettext_lazy("The measured quality is fair: %s."),
    "columns_missing": gettext_lazy("The manual explains fields that were not found in the data: %s."),
    "columns_undeclared": gettext_lazy("The data has columns the manual does not explain: %s."),
    "period_differs": gettext_lazy("The newest date measured, %s, lies outside the period the manual names."),
    "first_product": gettext_lazy("It is the seller’s first product."),
    "sent_back_before": gettext_lazy("An earlier version was sent back or refused."),
    "price_high": gettext_lazy("The price is high: %s."),
}
_GRADES = {
    Classification.IMPORTANT: "important_data",
    Classification.GENERAL_4: "grade_4",
    Classification.GENERAL_3: "grade_3",
}


@dataclass(frozen=True)
class Facts:
    """What the points are counted from: said in the manual, measured, and known of the seller."""

    classification: str
    has_personal_data: bool
    has_sensitive_data: bool
    leaves_mainland: bool
    seller_country: str
    quality: float | None
    declared_columns: Sequence[str]
    measured_columns: Sequence[str]
    coverage_from: dt.date | None
    coverage_until: dt.date | None
    newest_date: str | None
    prices: Sequence[Money]
    is_first_product: bool
    was_sent_back: bool


Reason = dict[str, Any]  # {code, points, value}: the value completes the sentence


def weigh(facts: Facts) -> list[Reason]:
    """Every reason for care, the heaviest first."""
    found = dict([*_said(facts), *_measured(facts), *_of_seller(facts)])
    reasons = [{"code": code, "points": POINTS[code], "value": value} for code, value in found.items()]
    return sorted(reasons, key=lambda reason: -reason["points"])


def _said(facts: Facts) -> list[tuple[str, str]]:
    found = []
    if grade := _GRADES.get(facts.classification):  # type: ignore[call-overload]
        found.append((grade, ""))
    if facts.has_sensitive_data:
        found.append(("sensitive_information", ""))
    elif facts.has_personal_data:
        found.append(("personal_information", ""))
    if facts.leaves_mainland and facts.seller_country == MAINLAND:
        found.append(("cross_border", ""))
    high = [price for price in facts.prices if _is_high(price)]
    if high:
        dearest = max(high, key=lambda price: price.minor)
        found.append(("price_high", str(dearest)))
    return found


def _measured(facts: Facts) -> list[tuple[str, str]]:
    found = []
    if facts.quality is not None and facts.quality < FAIR_QUALITY:
        code = "quality_low" if facts.quality < LOW_QUALITY else "quality_fair"
        found.append((code, marks.percent(f"{int(facts.quality * 1000) / 10:.1f}")))
    if facts.measured_columns and facts.declared_columns:
        declared, measured = list(facts.declared_columns), list(facts.measured_columns)
        if missing := [name for name in declared if name not in set(measured)]:
            found.append(("columns_missing", _named(missing)))
        if undeclared := [name for name in measured if name not in set(declared)]:
            found.append(("columns_undeclared", _named(undeclared)))
    if facts.newest_date and _lies_outside(facts.newest_date, facts.coverage_from, facts.coverage_until):
        found.append(("period_differs", facts.newest_date))
    return found


def _of_seller(facts: Facts) -> list[tuple[str, str]]:
    found = []
    if facts.is_first_product:
        found.append(("first_product", ""))
    if facts.was_sent_back:
        found.append(("sent_back_before", ""))
    return found


def _is_high(price: Money) -> bool:
    limit = HIGH_PRICE.get(price.currency, HIGH_PRICE_OTHERWISE)
    return price.minor >= limit * 10 ** exponent(price.currency)


def _named(names: list[str]) -> str:
    return ", ".join(names[:MOST_NAMED]) + (" …" if len(names) > MOST_NAMED else "")


def _lies_outside(newest: str, start: dt.date | None, end: dt.date | None) -> bool:
    """Whether the newest day measured is not of the period; the day before and after it may be of another clock."""
    day, clocks = dt.date.fromisoformat(newest[:10]), dt.timedelta(days=1)
    return bool((start and day + clocks < start) or (end and day - clocks > end))


def points(reasons: Sequence[Reason]) -> int:
    """Their sum."""
    return sum(int(reason["points"]) for reason in reasons)


def level(sum_of_points: int) -> str:
    """high, raised or low."""
    if sum_of_points >= HIGH:
        return "high"
    return "raised" if sum_of_points >= RAISED else "low"


def words(reasons: Sequence[Reason]) -> list[dict[str, Any]]:
    """The reasons in the reader's language, with their points."""
    return [
        one | {"text": str(WORDS[one["code"]]) % one["value"] if one["value"] else str(WORDS[one["code"]])}
        for one in reasons
        if one["code"] in WORDS
    ]


def facts_of(version: Version) -> Facts:
    """The facts of a version handed in, as they are now. Five statements."""
    listing, profile = version.listing, getattr(version.release, "profile", None)
    files = (profile.report or {}).get("files", []) if profile else []
    reviewed = Review.objects.filter(version__listing__seller=listing.seller_id).exclude(version=version)
    return Facts(
        classification=version.classification,
        has_personal_data=version.has_personal_data,
        has_sensitive_data=version.has_sensitive_data,
        leaves_mainland=version.leaves_mainland,
        seller_country=listing.seller.country,
        quality=float(profile.quality) if profile and profile.quality is not None else None,
        declared_columns=[field["name"] for field in version.fields],
        measured_columns=list(dict.fromkeys(column["name"] for file in files for column in file.get("columns", []))),
        coverage_from=version.coverage_from,
        coverage_until=version.coverage_until,
        newest_date=(profile.report or {}).get("newest_date") if profile else None,
        prices=[offer.price for offer in listing.offers.filter(closed_at=None)],
        is_first_product=not reviewed.filter(version__state=VersionState.APPROVED).exists(),
        was_sent_back=reviewed.filter(
            version__listing=listing, version__state__in=[VersionState.CHANGES_REQUESTED, VersionState.REFUSED]
        ).exists(),
    )
