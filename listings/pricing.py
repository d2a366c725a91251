"""What an offer costs: its list price less the discount in force, whole or for a block of calls; asked here alone.

A block is paid before it is used: one trade, never a balance. All its calls cost the unit price of the highest step
their number reaches, so its price is one multiplication of whole minor units. A discount lowers the one price, or the
price of each call; what remains is rounded down to the whole minor unit, in the buyer's favour, and is 1 at least.

Calls that are billed afterwards (`is_postpaid`) have one step, which begins with 1: taking the offer costs nothing, and
every call its price. Their most number is of calls that are not paid yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from listings.models import Discount, Offer
from marketplace.errors import Invalid
from marketplace.money import LARGEST_MINOR, Money, format_minor

MOST_STEPS = 10
MOST_QUANTITY = 1_000_000_000


class Step(TypedDict):
    """From how many calls on a call costs how much."""

    from_quantity: int
    unit_price_minor: int


@dataclass(frozen=True)
class Priced:
    """What is paid for an offer: `quantity` calls at a unit price each, or its one price where both are None. An offer
    that is billed afterwards costs nothing to take, and has a unit price alone.

    `list_price_minor` is what it would be without `discount`.
    """

    price_minor: int
    currency: str
    quantity: int | None = None
    unit_price_minor: int | None = None
    discount: Discount | None = None
    list_price_minor: int = 0

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.currency)

    @property
    def unit_price(self) -> Money | None:
        return None if self.unit_price_minor is None else Money(self.unit_price_minor, self.currency)

    @property
    def list_price(self) -> Money:
        return Money(self.list_price_minor, self.currency)


@dataclass(frozen=True)
class PriceNow:
    """An offer's price for a page: that of the whole licence or, per call, of the least block and of a call at least;
    each beside its list price. Without a discount the two are the same."""

    price: Money
    list_price: Money
    unit_price: Money | None
    list_unit_price: Money | None
    discount: Discount | None


def less(minor: int, discount: Discount | None) -> int:
    """A list price, or one of a call, less a discount; what is free stays free."""
    if discount is None or not minor:
        return minor
    return max(1, minor * (100 - discount.percent) // 100)


def less_sql(minor: str, discount: str) -> str:
    """`less` in SQL: of the expression `minor`, where `discount` names a row of discounts or one of NULLs."""
    return f"least({minor}, greatest(1, {minor} * (100 - coalesce({discount}.percent, 0)) / 100))"


def discount_of(offer: Offer) -> Discount | None:
    """The discount in force now; no statement where the offer came with it (`OfferQuerySet.with_discounts`)."""
    found = getattr(offer, "discounts_in_force", None)
    if found is None:
        return offer.discounts.in_force().first() if offer.price_minor and offer.pk else None
    return found[0] if found else None


def is_felt(offer: Offer, percent: int) -> bool:
    """Whether so many percent less lower every price of the offer."""
    one = Discount(percent=percent)
    prices = [step["unit_price_minor"] for step in offer.steps] or [offer.price_minor]
    return all(less(price, one) < price for price in prices)


def now(offer: Offer) -> PriceNow:
    """What the offer costs at this moment, beside its list price."""
    discount = discount_of(offer)
    list_unit = offer.least_unit_price
    unit = Money(less(list_unit.minor, discount), offer.currency) if list_unit is not None else None
    if offer.is_postpaid and unit is not None:
        return PriceNow(unit, offer.price, unit, list_unit, discount)
    least = priced(offer, offer.least_quantity or None, discount)
    return PriceNow(least.price, offer.price, unit, list_unit, discount)


def priced(offer: Offer, quantity: int | None, discount: Discount | None = None) -> Priced:
    """What this offer costs under `discount`, for so many calls where it is priced per call.

    Raises Invalid `quantity_needed`, `quantity_out_of_range` or, at one price, `quantity_not_wanted`.
    """
    if offer.is_postpaid:
        if quantity is not None:
            raise Invalid(
                _("The calls of this offer are counted as they are made, and billed afterwards."),
                code="quantity_not_wanted",
                next=_("Leave the number of calls out."),
            )
        unit = less(offer.steps[0]["unit_price_minor"], discount)
        return Priced(0, offer.currency, unit_price_minor=unit, discount=discount)
    if not offer.steps:
        if quantity is not None:
            raise Invalid(
                _("This offer has one price for the whole licence."),
                code="quantity_not_wanted",
                next=_("Leave the number of calls out."),
            )
        price = less(offer.price_minor, discount)
        return Priced(price, offer.currency, discount=discount, list_price_minor=offer.price_minor)
    range_said = _("Take %(least)s to %(most)s calls.")
    facts = {"least": f"{offer.least_quantity:,}", "most": f"{offer.most_quantity:,}"}
    if quantity is None:
        raise Invalid(_("Say how many calls you take."), code="quantity_needed", next=str(range_said) % facts)
    if not offer.least_quantity <= quantity <= (offer.most_quantity or 0):
        raise Invalid(
            _("This offer sells blocks of %(least)s to %(most)s calls."),
            code="quantity_out_of_range",
            next=str(range_said) % facts,
            least=facts["least"],
            most=facts["most"],
        )
    return _block(offer, quantity, discount)


def _block(offer: Offer, quantity: int, discount: Discount | None) -> Priced:
    list_unit = [step["unit_price_minor"] for step in offer.steps if step["from_quantity"] <= quantity][-1]
    unit = less(list_unit, discount)
    return Priced(quantity * unit, offer.currency, quantity, unit, discount, quantity * list_unit)


def cheaper(offer: Offer, block: Priced) -> Priced | None:
    """A larger block that costs less, at the start of a step; None where there is none."""
    if block.quantity is None:
        return None
    starts = [step["from_quantity"] for step in offer.steps if step["from_quantity"] > block.quantity]
    found = min(
        (_block(offer, start, block.discount) for start in starts), key=lambda one: one.price_minor, default=None
    )
    return found if found is not None and found.price_minor < block.price_minor else None


def steps_now(offer: Offer) -> list[Step]:
    """From how many calls on a call costs how much now."""
    discount = discount_of(offer)
    return [
        {"from_quantity": step["from_quantity"], "unit_price_minor": less(step["unit_price_minor"], discount)}
        for step in offer.steps
    ]


def steps_shown(offer: Offer, discount: Discount | None) -> list[dict[str, Any]]:
    """The steps for a page: from which number on, and the price of one call beside its list price."""
    return [
        {
            "from": step["from_quantity"],
            "unit_price": Money(less(step["unit_price_minor"], discount), offer.currency),
            "list_unit_price": Money(step["unit_price_minor"], offer.currency),
        }
        for step in offer.steps
    ]


def wrong_steps(steps: Any, most: Any, price_minor: Any, *, is_postpaid: bool = False) -> list[dict[str, str]]:
    """Why an offer cannot be priced by these steps; nothing where they are sound or there are none."""
    if is_postpaid and not (isinstance(steps, list) and [_starts_with_one(step) for step in steps] == [True]):
        detail = gettext("Calls that are billed monthly have one price: write one step that begins with 1 call.")
        return [_reason("steps", detail)]
    if not steps:
        if most is None:
            return []
        return [_reason("most_quantity", gettext("Only an offer priced per call has a most number of calls."))]
    if price_minor is not None:
        detail = gettext("Give one price, or prices per call, not both.")
        return [_reason("price_minor", detail)]
    if not isinstance(steps, list) or len(steps) > MOST_STEPS or not all(_is_step(step) for step in steps):
        detail = gettext(
            "Each step says from how many calls on a call costs how many minor units, in whole numbers from 1;"
            " at most %(most)s steps."
        ) % {"most": MOST_STEPS}
        return [_reason("steps", detail)]
    for before, after in zip(steps, steps[1:], strict=False):
        if after["from_quantity"] <= before["from_quantity"] or after["unit_price_minor"] >= before["unit_price_minor"]:
            detail = gettext("From step to step the number of calls rises and the price of one falls.")
            return [_reason("steps", detail)]
    if not _is_whole(most, steps[-1]["from_quantity"], MOST_QUANTITY):
        detail = gettext("Say how many calls one may take at most: at least as many as the last step begins with.")
        return [_reason("most_quantity", detail)]
    last = steps[-1]
    ends = [step["from_quantity"] - 1 for step in steps[1:]] + [most]
    dearest = max(end * step["unit_price_minor"] for end, step in zip(ends, steps, strict=True))
    if dearest > LARGEST_MINOR or last["unit_price_minor"] > LARGEST_MINOR:
        return [_reason("steps", gettext("The price of the largest block is more than can be paid."))]
    return []


def _reason(field: str, detail: str) -> dict[str, str]:
    return {"code": f"wrong_{field}", "detail": detail, "field": field}


def _starts_with_one(step: Any) -> bool:
    return _is_step(step) and step["from_quantity"] == 1


def _is_step(step: Any) -> bool:
    return (
        isinstance(step, dict)
        and step.keys() == {"from_quantity", "unit_price_minor"}
        and _is_whole(step["from_quantity"], 1, MOST_QUANTITY)
        and _is_whole(step["unit_price_minor"], 1, LARGEST_MINOR)
    )


def _is_whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


# What the licence contract says in the place of its price. Not from the catalogue of translations: a contract's text,
# and so its digest, must not change with a better translation.
_IN_CONTRACT = {
    "en": (
        "{currency} {price} a call from {quantity} calls on",
        ", ",
        "that of one call times the number of calls named at the head of this contract, all at the unit price of the "
        "highest step it reaches: {steps}, at most {most} calls. A call is one download of one file; what is not used "
        "when the licence ends lapses",
    ),
    "zh-hans": (
        "{quantity}次起每次{currency} {price}",
        "，",
        "单次调用价格乘以本合同首部所列的调用次数，全部调用均按该次数所达到的最高一档单价计价：{steps}，最多{most}次。"
        "下载一个文件一次计为一次调用；许可期满时未使用的次数作废",
    ),
    "zh-hant": (
        "{quantity}次起每次{currency} {price}",
        "，",
        "單次調用價格乘以本合約首部所列的調用次數，全部調用均按該次數所達到的最高一級單價計價：{steps}，最多{most}次。"
        "下載一個檔案一次計為一次調用；許可期滿時未使用的次數作廢",
    ),
}


# The same of calls that are billed afterwards.
_BILLED_IN_CONTRACT = {
    "en": (
        "{currency} {price} for each call that is counted. Taking the licence costs nothing. The exchange bills the "
        "calls after the end of each calendar month by China Standard Time, after the end of the licence, and earlier "
        "where the buyer asks for it; each bill is a trade of its own, to which both parties agree by this contract. "
        "What is too little to be paid is carried over to the next bill, and waived when the licence ends. At most "
        "{most} calls may be unpaid; at that number, and while a bill that was due is unpaid, access rests until it is "
        "paid. The buyer may end the licence at any time, the provider to the end of the following calendar month. A "
        "call is one download of one file, and a bill is delivered by its usage statement"
    ),
    "zh-hans": (
        "按实际计数的每次调用{currency} {price}计算，取得许可本身不收费。交易所于每个自然月（北京时间）结束后、"
        "许可终止后以及需方提前要求时就已发生的调用出账；每期账单为一笔独立交易，双方以本合同对其表示同意。"
        "金额过小无法支付的，结转至下一期账单，许可终止时予以免除。未付款的调用最多{most}次；达到该次数时，"
        "或到期账单未付款期间，暂停访问，付款后恢复。需方可随时终止许可，供方可终止至下一自然月末。"
        "下载一个文件一次计为一次调用，账单以用量明细作为交付"
    ),
    "zh-hant": (
        "按實際計數的每次調用{currency} {price}計算，取得許可本身不收費。交易所於每個曆月（北京時間）結束後、"
        "許可終止後以及需求方提前要求時，就已發生的調用發出帳單；每期帳單為一宗獨立交易，雙方以本合約對其表示同意。"
        "金額過小無法支付的，結轉至下一期帳單，許可終止時予以豁免。未付款的調用最多{most}次；達到該次數時，"
        "或到期帳單未付款期間，暫停存取，付款後恢復。需求方可隨時終止許可，提供方可終止至下一曆月底。"
        "下載一個檔案一次計為一次調用，帳單以用量明細作為交付"
    ),
}


# The same of a price under a discount, each put where the price alone stands otherwise.
_LESS_IN_CONTRACT = {
    "en": "{price} (list price {list_price} less a discount of {percent} per cent)",
    "zh-hans": "{price}（标价{list_price}减去{percent}%的折扣）",
    "zh-hant": "{price}（標價{list_price}減去{percent}%的折扣）",
}


def in_contract(offer: Offer, language: str, discount: Discount | None = None) -> str:
    """The price under `discount` as the licence contract names it, in one of its languages."""
    if not offer.steps:
        return f"{offer.currency} {_written(offer.price_minor, offer, language, discount)}"
    if offer.is_postpaid:
        price = _written(offer.price_minor, offer, language, discount)
        said = _BILLED_IN_CONTRACT[language]
        return said.format(currency=offer.currency, price=price, most=f"{offer.most_quantity:,}")
    one, comma, whole = _IN_CONTRACT[language]
    steps = comma.join(
        one.format(
            currency=offer.currency,
            price=_written(step["unit_price_minor"], offer, language, discount),
            quantity=f"{step['from_quantity']:,}",
        )
        for step in offer.steps
    )
    return whole.format(steps=steps, most=f"{offer.most_quantity:,}")


def _written(minor: int, offer: Offer, language: str, discount: Discount | None) -> str:
    amount = format_minor(less(minor, discount), offer.currency)
    if discount is None:
        return amount
    listed = f"{offer.currency} {format_minor(minor, offer.currency)}"
    return _LESS_IN_CONTRACT[language].format(price=amount, list_price=listed, percent=discount.percent)


def least_price_minor(steps: Sequence[Step]) -> int:
    """What the least block costs, which is what an offer's `price_minor` says."""
    return steps[0]["from_quantity"] * steps[0]["unit_price_minor"]
