"""What is bought in the demo's year: by whom, when, and what becomes of it. A plan; `year` carries it out.

Drawn from one seed, so that an opening that was cut off goes on with the same plan.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random

import chinese_calendar

from marketplace.demo.cast import BUYERS, SELLERS, House
from marketplace.demo.products import Product

SEED = 20_261_121
DAYS_TO_SETTLE_IN = 3  # nobody buys on the day they join
QUIET_AT_THE_END = 2
SESSION_WEEKDAYS = (2, 5)  # Tuesday and Friday
EVERY_WORKDAY_AT_THE_END = 14  # days
CLOSED_WEEKLY_UNTIL = 30  # days before the end
BUSIER_DAYS = 45  # the shorter the past, the more happens in a day of it, so that it shows something


class Fate(StrEnum):
    """What becomes of a trade."""

    ACCEPTED = "accepted"
    SILENT = "silent"  # nobody says a word: deemed accepted
    DECLINED = "declined"
    IGNORED = "ignored"  # the seller never answers: it expires
    CANCELLED = "cancelled"
    UNPAID = "unpaid"  # it expires
    PAID_AT_SECOND_TRY = "paid_at_second_try"
    PAID_TWICE = "paid_twice"
    PAID_IN_TWO = "paid_in_two"
    FOUND_GOOD = "found_good"  # an objection, decided for the seller
    FOUND_WANTING = "found_wanting"  # an objection, decided for the buyer
    FOUND_IN_PART = "found_in_part"
    CHARGEBACK_WON = "chargeback_won"
    CHARGEBACK_LOST = "chargeback_lost"
    HELD = "held"  # for a while
    # Those of the last days, which wait for somebody at the end.
    AWAITS_ANSWER = "awaits_answer"
    AWAITS_PAYMENT = "awaits_payment"
    AWAITS_INSTALMENT = "awaits_instalment"  # the first is paid, the second is due in some days
    AWAITS_INSPECTION = "awaits_inspection"
    AWAITS_REPLY = "awaits_reply"  # an objection the seller has not answered
    AWAITS_DECISION = "awaits_decision"  # one that the exchange decides
    AWAITS_MATCHING = "awaits_matching"  # too little arrived
    AWAITS_RETURN = "awaits_return"  # it was paid twice
    AWAITS_BANK = "awaits_bank"  # a chargeback
    AWAITS_ACCOUNT = "awaits_account"  # an objection decided for the buyer, whose bank sent the refund back


_WEIGHTS = {
    Fate.ACCEPTED: 64.0,
    Fate.SILENT: 13.0,
    Fate.CANCELLED: 3.5,
    Fate.UNPAID: 3.5,
    Fate.PAID_AT_SECOND_TRY: 3.0,
    Fate.PAID_TWICE: 1.5,
    Fate.PAID_IN_TWO: 1.5,
    Fate.FOUND_GOOD: 2.0,
    Fate.FOUND_WANTING: 2.0,
    Fate.FOUND_IN_PART: 2.0,
    Fate.CHARGEBACK_WON: 1.0,
    Fate.CHARGEBACK_LOST: 1.0,
    Fate.HELD: 2.0,
}
_WEIGHTS_ON_REQUEST = {Fate.DECLINED: 14.0, Fate.IGNORED: 8.0}
_WITHOUT_MONEY = (Fate.ACCEPTED, Fate.SILENT, Fate.CANCELLED)
_APPETITE = {"peak": 5, "logistics": 4, "insurer": 3, "retailer": 3, "bank": 3, "lion": 3, "institute": 2, "lotus": 1}


@dataclass(frozen=True)
class Deal:
    """One planned trade. Days count from the demo's beginning; `order` is the buyer's own number."""

    order: str
    day: int
    buyer: str
    product: Product
    offer: int  # its place among the product's offers
    fate: Fate
    pause: int  # days each party takes for its next step

    @property
    def is_on_request(self) -> bool:
        return self.product.offers[self.offer].get("audience") == "on_request"


def joins_on(house: House) -> int:
    """The day a house registers."""
    return house.joins_month * 30


def on_sale_on(product: Product) -> int:
    """The day a product is listed."""
    return joins_on(next(seller for seller in SELLERS if seller.key == product.seller)) + product.day


def is_session(date: dt.date, days_left: int) -> bool:
    """Whether people trade on this day: two days a week, in the last fortnight every workday, and the last two.

    What falls due between two sessions is done at the next, many rows at once, as by workers who were away.
    """
    if days_left <= EVERY_WORKDAY_AT_THE_END:
        return date.isoweekday() <= 5 or days_left <= QUIET_AT_THE_END
    return date.isoweekday() in SESSION_WEEKDAYS


def is_closed(date: dt.date, days_left: int) -> bool:
    """Whether deadlines, clearing and payouts are seen to after this day's session: at first after each week's last."""
    return days_left <= CLOSED_WEEKLY_UNTIL or date.isoweekday() == SESSION_WEEKDAYS[-1]


def plan(products: Sequence[Product], begins: dt.date, days: int) -> list[Deal]:
    """Every trade of `days` days from `begins`, oldest first."""
    draw = Random(SEED)  # noqa: S311 - a play, not a secret
    deals: list[Deal] = []
    wanted = 0.0  # trades since the last session
    for day in range(DAYS_TO_SETTLE_IN, days - QUIET_AT_THE_END):
        date = begins + dt.timedelta(days=day)
        wanted += (0.08 + 0.15 * day / days) * (1 + BUSIER_DAYS / days) * _pace(date)
        if not is_session(date, days - day):
            continue
        number, wanted = int(wanted) + (draw.random() < wanted % 1), 0.0
        for _trade in range(number):
            if deal := _drawn(draw, products, day, f"PO-{len(deals) + 1:04d}"):
                deals.append(deal)
    return [*_with_every_fate(deals), *_last_days(products, days)]


def _with_every_fate(deals: list[Deal]) -> list[Deal]:
    """The same, but in a plan of thirty or more each fate that was not drawn befalls a deal of the commonest."""
    times = Counter(deal.fate for deal in deals)
    for fate in (*_WEIGHTS_ON_REQUEST, *_WEIGHTS) if len(deals) >= 30 else ():
        if not times[fate]:
            place = max(
                (place for place, deal in enumerate(deals) if _may_meet(deal, fate)),
                key=lambda place: times[deals[place].fate],
            )
            times[deals[place].fate] -= 1
            times[fate] += 1
            deals[place] = replace(deals[place], fate=fate)
    return deals


def _may_meet(deal: Deal, fate: Fate) -> bool:
    if fate in _WEIGHTS_ON_REQUEST:
        return deal.is_on_request
    return bool(deal.product.offers[deal.offer]["price_minor"]) or fate in _WITHOUT_MONEY


def _pace(day: dt.date) -> float:
    """How much is bought on such a day, against an ordinary workday."""
    try:
        is_workday = chinese_calendar.is_workday(day)
    except NotImplementedError:  # the calendar of that year is not announced yet
        is_workday = day.isoweekday() <= 5
    return 1.0 if is_workday else 0.12


def _drawn(draw: Random, products: Sequence[Product], day: int, order: str) -> Deal | None:
    buyers = [house for house in BUYERS if joins_on(house) + DAYS_TO_SETTLE_IN <= day]
    buyer = draw.choices(buyers, [_APPETITE[house.key] for house in buyers])[0]
    choice = [
        (product, place)
        for product in products
        if on_sale_on(product) < day and _may_buy(buyer, product)
        for place, offer in enumerate(product.offers)
        if not any(offer.get(name) for name in ("licences_total", "steps", "instalments"))  # plain licences alone
    ]
    if not choice:
        return None
    product, place = draw.choice(choice)
    offer = product.offers[place]
    fates = dict(_WEIGHTS)
    if offer.get("audience") == "on_request":
        fates |= _WEIGHTS_ON_REQUEST
    if not offer["price_minor"]:
        fates = {fate: weight for fate, weight in fates.items() if fate in _WITHOUT_MONEY}
    fate = draw.choices(list(fates), list(fates.values()))[0]
    return Deal(order, day, buyer.key, product, place, fate, draw.choice((0, 1, 1, 2, 3)))


def _may_buy(buyer: House, product: Product) -> bool:
    seller = next(one for one in SELLERS if one.key == product.seller)
    return seller.country != "CN" or buyer.country == "CN" or product.may_leave_the_mainland


def _last_days(products: Sequence[Product], days: int) -> list[Deal]:
    """What waits for somebody when the demo opens; the product is left out where a slice of the demo lacks it."""
    wanted = [
        (14, "logistics", "workdays", 0, Fate.AWAITS_ACCOUNT),
        (9, "insurer", "flights", 2, Fate.ACCEPTED),  # large: its cycle waits for two people
        (7, "insurer", "stations", 0, Fate.AWAITS_REPLY),
        (8, "retailer", "stations", 0, Fate.AWAITS_DECISION),
        (7, "insurer", "flights", 0, Fate.AWAITS_REPLY),
        (6, "bank", "closings", 0, Fate.AWAITS_MATCHING),
        (6, "peak", "prices", 0, Fate.AWAITS_RETURN),
        (6, "lion", "airports", 0, Fate.AWAITS_BANK),
        (5, "peak", "prices", 0, Fate.ACCEPTED),
        (4, "logistics", "flights", 0, Fate.AWAITS_INSPECTION),
        (3, "lotus", "airports", 0, Fate.AWAITS_INSPECTION),
        (3, "logistics", "workdays", 0, Fate.AWAITS_PAYMENT),
        (2, "peak", "cities", 0, Fate.AWAITS_PAYMENT),
        (4, "peak", "prices", 1, Fate.AWAITS_ANSWER),
        (3, "logistics", "planes", 0, Fate.AWAITS_ANSWER),
        (2, "insurer", "charging", 1, Fate.AWAITS_ANSWER),
        (8, "logistics", "closings", 1, Fate.AWAITS_INSTALMENT),
    ]
    known = {product.key: product for product in products}
    joined = {house.key: joins_on(house) for house in BUYERS}
    return [
        Deal(f"PO-9{number:03d}", days - before, buyer, known[key], offer, fate, 1)
        for number, (before, buyer, key, offer, fate) in enumerate(wanted, 1)
        if key in known and max(on_sale_on(known[key]), joined[buyer]) < days - before
    ]
