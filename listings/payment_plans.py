"""Payment plans: an offer whose price is paid in several instalments before delivery, each due so many days after the
trade is registered.

Each instalment is a share in basis points, the whole together exactly; of an amount it is rounded down to the whole
minor unit, and the last takes what is left, so that they sum to the price.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from django.conf import settings
from django.utils.translation import gettext

from listings.models import Offer
from marketplace.money import Money

LEAST_PARTS, MOST_PARTS = 2, 12
WHOLE = 10_000  # basis points


class Part(TypedDict):
    """Which share of the price is due how many days after registration."""

    basis_points: int
    due_days: int


def amounts(price_minor: int, plan: Sequence[Part]) -> list[int]:
    """What each instalment of a price is, in minor units; their sum is the price."""
    parts = [price_minor * part["basis_points"] // WHOLE for part in plan[:-1]]
    return [*parts, price_minor - sum(parts)]


def shown(price_minor: int, currency: str, plan: Sequence[Part]) -> list[dict[str, Any]]:
    """The instalments of a price for a page, before anybody is bound."""
    return (
        [
            {
                "number": number,
                "percent": percent(part["basis_points"]),
                "amount": Money(minor, currency),
                "due_days": part["due_days"],
            }
            for number, (minor, part) in enumerate(zip(amounts(price_minor, plan), plan, strict=True), 1)
        ]
        if plan
        else []
    )


def percent(basis_points: int) -> str:
    """A share as people write it."""
    return f"{basis_points / 100:g}"


def wrong_plan(plan: Any, offer: Offer) -> list[dict[str, str]]:
    """Why this offer, not saved yet, cannot be paid so; nothing where it can or there is no plan."""
    if not plan:
        return []
    if not offer.price_minor or offer.steps or offer.converts_to is not None:
        return [_reason(gettext("Only an offer with one price is paid in instalments, no free one and none per call."))]
    if not isinstance(plan, list) or not LEAST_PARTS <= len(plan) <= MOST_PARTS or not all(map(_is_part, plan)):
        detail = gettext(
            "Give %(least)s to %(most)s instalments, each with its share of the price and the days after registration"
            " until which it is due, at most %(days)s."
        ) % {"least": LEAST_PARTS, "most": MOST_PARTS, "days": settings.INSTALMENTS_WITHIN_DAYS}
        return [_reason(detail)]
    if sum(part["basis_points"] for part in plan) != WHOLE:
        return [_reason(gettext("The shares of all instalments together are the whole price."))]
    days = [part["due_days"] for part in plan]
    if days != sorted(set(days)):
        return [_reason(gettext("From instalment to instalment the days rise."))]
    if not all(amounts(offer.price_minor, plan)):
        return [_reason(gettext("Each instalment is one minor unit of the currency at least."))]
    return []


def _reason(detail: str) -> dict[str, str]:
    return {"code": "wrong_instalments", "detail": detail, "field": "instalments"}


def _is_part(part: Any) -> bool:
    return (
        isinstance(part, dict)
        and part.keys() == {"basis_points", "due_days"}
        and all(isinstance(value, int) and not isinstance(value, bool) for value in part.values())
        and 1 <= part["basis_points"] < WHOLE
        and 0 <= part["due_days"] <= settings.INSTALMENTS_WITHIN_DAYS
    )


# What the licence contract says after its price. Not from the catalogue of translations: a contract's text, and so its
# digest, must not change with a better translation.
_IN_CONTRACT = {
    "en": (
        "{percent} % on registration of the trade",
        "{percent} % within {days} days of registration",
        ", ",
        ", payable in {number} instalments: {parts}; each is rounded down to the whole minor unit of the currency and "
        "the last one takes what is left, and none is due before the exchange's usual time for payment has passed. "
        "Delivery follows once all are paid; if one is not paid in time, this contract ends and what was paid goes "
        "back to the buyer",
    ),
    "zh-hans": (
        "交易登记时{percent}%",
        "登记后{days}日内{percent}%",
        "，",
        "，分{number}期支付：{parts}；各期金额向下取整至货币最小单位，余数计入末期，且任何一期的到期时间均不早于交易所通常的付款期限。"
        "全部付清后交付；任何一期逾期未付的，本合同终止，已付款项退还需方",
    ),
    "zh-hant": (
        "交易登記時{percent}%",
        "登記後{days}日內{percent}%",
        "，",
        "，分{number}期支付：{parts}；各期金額向下取整至貨幣最小單位，餘數計入末期，且任何一期的到期時間均不早於交易所通常的付款期限。"
        "全部付清後交付；任何一期逾期未付的，本合約終止，已付款項退還需求方",
    ),
}  # fmt: skip


def in_contract(plan: Sequence[Part], language: str) -> str:
    """How the price is paid, as the licence contract says it after the price; "" where it is paid at once."""
    if not plan:
        return ""
    at_once, later, comma, whole = _IN_CONTRACT[language]
    parts = comma.join(
        (later if part["due_days"] else at_once).format(percent=percent(part["basis_points"]), days=part["due_days"])
        for part in plan
    )
    return whole.format(number=len(plan), parts=parts)
