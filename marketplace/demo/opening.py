"""Opens the demo exchange: a year of it, by the commands a member would use and the tasks the workers run.

It happens before workers run, in one process whose clock is moved from day to day. Safe to run again: what is there
already is left as it is, so an opening that was cut off goes on where it was.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from listings.models import Listing, Offer
from marketplace import clock, heartbeats, journal
from marketplace.celery import app as celery
from marketplace.demo import hands, looks, market, people, products, shelves, shown
from marketplace.demo.cast import BUYERS, SELLERS
from marketplace.demo.products import Product
from marketplace.demo.queues import Queues
from marketplace.demo.year import Carrier
from marketplace.health import SIGN_OF_LIFE_SECONDS
from marketplace.journal_audit import Audit
from marketplace.models import Event, Organisation
from settlement import ledger
from settlement.models import Trade
from settlement.states import TradeState

Say = Callable[[str], None]
MORNING, EVENING = dt.time(9, 30), dt.time(16, 10)
YEAR_DAYS = 365
TOLD_DAYS = 21  # what people were told before is read and gone
PAUSE = dt.timedelta(minutes=10)  # longer than what a killed opening had claimed stays taken


class CannotOpen(Exception):
    """Something is not as it must be at the end: the books, the journal."""


class WorkersRun(CannotOpen):
    """Workers run here, which would carry the demo's past on as if it were today."""


def is_open() -> bool:
    """Whether the demo was opened here, to its end."""
    return Event.objects.filter(kind="demo.opened").exists()


def open_exchange(say: Say, *, days: int = YEAR_DAYS, keys: Collection[str] | None = None) -> None:
    """Open the demo, unless it is open; `say` is told how far it is.

    `days` is how long a past it has, `keys` the products it has (all of them). Raises WorkersRun, CannotOpen,
    CannotMeasure, PackageMissing, ClockFixed.
    """
    if not is_open():
        _require_alone()
        _Opening(say, days, keys).run()


def _require_alone() -> None:
    """Raises WorkersRun. A sign of life may outlast its worker, so whoever left one is asked."""
    age_seconds = heartbeats.age_seconds(heartbeats.WORKER)
    if age_seconds is not None and age_seconds < SIGN_OF_LIFE_SECONDS and celery.control.ping(timeout=2.0):
        raise WorkersRun("workers run, which would act today on what lies in its past; stop worker and beat first")


class _Opening:
    def __init__(self, say: Say, days: int, keys: Collection[str] | None) -> None:
        self._say = say
        begun = Event.objects.filter(kind="demo.begun").first()
        now = dt.datetime.fromisoformat(str((begun.facts or {})["until"])) if begun else clock.now()
        self._until = now
        self._zone = ZoneInfo(settings.TIME_ZONE)
        self._days = int((begun.facts or {})["days"]) if begun else days
        self._first = now.astimezone(self._zone).date() - dt.timedelta(days=self._days)
        self._reached = self._at(0, MORNING)
        if begun:
            carried = Event.objects.filter(at__lt=self._until).order_by("-at")
            self._reached = carried.values_list("at", flat=True)[0] + PAUSE
        self._products = [one for one in products.on_sale() if keys is None or one.key in keys]
        self._houses: dict[str, Organisation] = {}
        self._listings: dict[str, Listing] = {}
        self._offers: dict[str, list[Offer]] = {}
        self._renewed: set[str] = set()

    def run(self) -> None:
        with connection.cursor() as cursor:  # what a power cut would lose is carried again; the end is flushed
            cursor.execute("SET synchronous_commit TO off")
        try:
            self._carry_all()
        finally:
            with connection.cursor() as cursor:
                cursor.execute("RESET synchronous_commit")
        self._finish()

    def _carry_all(self) -> None:
        with clock.moved_to(self._reached) as self._move, hands.measuring():
            self._carry_days()

    def _carry_days(self) -> None:
        hands.follow_from_now()
        self._staff = people.staff()
        if not Event.objects.filter(kind="demo.begun").exists():
            anybody = self._staff["admin"]
            journal.record("demo.begun", anybody, by=None, until=self._until.isoformat(), days=self._days)
        deals = market.plan(self._products, self._first, self._days)
        self._carrier = Carrier(deals, self._houses, self._staff, self._offers)
        self._queues = Queues(self._houses, self._listings, self._staff)
        reached_on = (self._reached.astimezone(self._zone).date() - self._first).days
        told = ""
        for day in range(reached_on, self._days):
            date = self._first + dt.timedelta(days=day)
            if f"{date:%B %Y}" != told:
                told = f"{date:%B %Y}"
                self._tell(day, f"{told}: {Trade.objects.count()} trades so far")
            days_left = self._days - day
            is_session = market.is_session(date, days_left)
            self._carry(day, is_session=is_session, is_closed=is_session and market.is_closed(date, days_left))

    def _tell(self, day: int, sentence: str) -> None:
        self._say(f"[{100 * day // self._days:3d} %] {sentence}")

    def _at(self, day: int, time: dt.time) -> dt.datetime:
        return dt.datetime.combine(self._first + dt.timedelta(days=day), time, self._zone)

    def _go_on_to(self, moment: dt.datetime) -> None:
        """Let it be that moment, unless it is later: time never goes back."""
        if moment > clock.now():
            self._move(moment)

    def _carry(self, day: int, *, is_session: bool, is_closed: bool) -> None:
        """One day of the exchange; between the sessions only what one buys in a hurry is worked on."""
        self._go_on_to(self._at(day, MORNING) + dt.timedelta(minutes=day * 37 % 360))
        self._receive(day)
        self._shelve(day)
        self._queues.fill(self._days - day)
        if is_session:
            self._carrier.step(day)
        if self._carrier.propose(day) or is_session:
            hands.work()
        if is_session:
            self._carrier.match()
        if is_closed:
            self._go_on_to(self._at(day, EVENING))
            hands.tidy(is_told=self._days - day <= TOLD_DAYS)

    def _receive(self, day: int) -> None:
        """Those who join: vetted, and sellers bring what they sell."""
        new = [one for one in [*SELLERS, *BUYERS] if one.key not in self._houses and market.joins_on(one) <= day]
        for one in new:
            organisation = people.house(one)
            if one.is_seller:
                shown.papers(
                    one, organisation, expires_on=self._until.date() + dt.timedelta(days=one.papers_end_in_days)
                )
            people.joined(organisation, [self._houses[key] for key in one.members])
            people.verified(organisation, self._staff)
            self._houses[one.key] = organisation
        brought = [product for product in self._products if product.seller in {one.key for one in new}]
        for number, product in enumerate(sorted(brought, key=market.on_sale_on), 1):
            seller = self._houses[product.seller]
            if shelves.found(product, seller) is None:
                self._tell(day, f"upload {number} of {len(brought)}: {product.title}")
            self._listings[product.key] = shelves.uploaded(product, seller)

    def _shelve(self, day: int) -> None:
        """What goes on sale, or is renewed."""
        for product in self._products:
            if product.key in self._offers or market.on_sale_on(product) > day:
                continue
            listing = self._listings[product.key]
            first = listing.versions.order_by("number")[0]
            shelves.submitted(first)
            shelves.approved(first, self._staff)
            self._offers[product.key] = shelves.offered(product, listing)
        for product in self._products:
            if product.later and product.key not in self._renewed and self._is_renewed_by(product, day):
                shelves.renewed(product, self._listings[product.key], self._staff)
                self._renewed.add(product.key)

    def _is_renewed_by(self, product: Product, day: int) -> bool:
        return product.key in self._offers and market.on_sale_on(product) - product.day + product.later["day"] <= day

    def _finish(self) -> None:
        """Today: nothing is left to the workers but what waits for people; books and journal are right."""
        hands.work()
        hands.seal()
        if differences := ledger.reconcile():
            raise CannotOpen(f"the books are not right: {differences[0]}")
        for currency, kinds in ledger.totals().items():
            if sum(kinds.values()):
                raise CannotOpen(f"the accounts in {currency} do not sum to zero: {kinds}")
        looks.draw()
        journal.record("demo.opened", self._staff["admin"], by=None)
        hands.seal()
        for finding in Audit().findings():
            raise CannotOpen(f"the journal is not whole: {finding.sentence}")
        settled = Trade.objects.filter(state=TradeState.SETTLED).count()
        self._say(
            f"[100 %] {Trade.objects.count()} trades, {settled} of them settled; the books sum to zero, the journal of "
            f"{Event.objects.count()} events is whole"
        )
