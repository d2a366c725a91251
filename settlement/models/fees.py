"""What the exchange takes of a trade: fee schedules, each for some trades and some time, none of them ever changed."""

from __future__ import annotations

import datetime as dt

import pgtrigger
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Length
from django.utils.translation import gettext_lazy as _

from listings.models import ProductType
from marketplace import clock, marks, regions
from marketplace.guards import both_or_neither, never_changes, never_deleted, sentence
from marketplace.models import User
from marketplace.money import EXPONENTS, Money, share

NARROWED_BY = ("product_type", "region", "tier", "currency")
# Cards take no third decimal, so the buyer's fee has none either: whole multiples of this many minor units.
THREE_DECIMALS = tuple(sorted(code for code, decimals in EXPONENTS.items() if decimals == 3))
STEP_OF_THREE_DECIMALS = 10
# What the schedule `f` takes of the buyer of a new trade, as `FeeSchedule.buyer_fee_minor` says; limits may be NULL.
BUYER_FEE = f"""
    SELECT fee - fee % CASE WHEN NEW.currency IN {THREE_DECIMALS} THEN {STEP_OF_THREE_DECIMALS} ELSE 1 END FROM (
        SELECT least(
            greatest(div(NEW.price_minor::numeric * f.buyer_basis_points + 5000, 10000), f.buyer_least_minor),
            f.buyer_most_minor, NEW.price_minor
        ) AS fee
    ) given
"""  # noqa: S608


class FeeScheduleQuerySet(models.QuerySet["FeeSchedule"]):
    def agreed(self) -> FeeScheduleQuerySet:
        """Those that two of the staff agreed on, and the one the exchange opened with, which nobody asked for."""
        return self.filter(Q(asked_by=None) | Q(confirmed_at__isnull=False))

    def in_force(self, moment: dt.datetime) -> FeeScheduleQuerySet:
        not_over = Q(valid_until=None) | Q(valid_until__gt=moment)
        return self.agreed().filter(not_over, valid_from__lte=moment)

    def coming(self, moment: dt.datetime) -> FeeScheduleQuerySet:
        return self.agreed().filter(valid_from__gt=moment)

    def waiting(self) -> FeeScheduleQuerySet:
        """Those that wait for a second person."""
        return self.filter(asked_by__isnull=False, confirmed_at=None, dropped_at=None)

    def narrowest_first(self) -> FeeScheduleQuerySet:
        """What says more about a trade goes before what says less, and of two that say as much, the newer."""
        says = sum((Case(When(**{name: ""}, then=Value(0)), default=Value(1)) for name in NARROWED_BY), Value(0))
        return self.annotate(says=says).order_by("-says", Length("region").desc(), "-valid_from", "-pk")


class FeeSchedule(models.Model):
    """Both sides' fees for the trades it fits, from one moment to another. A trade keeps the one it was proposed under.

    An empty condition fits every trade. Least and most are minor units of its currency. The seller's fee is taken off
    the price, the buyer's is added to it.
    """

    version = models.CharField(max_length=20, unique=True)
    seller_basis_points = models.PositiveIntegerField()
    least_minor = models.BigIntegerField(null=True, blank=True)
    most_minor = models.BigIntegerField(null=True, blank=True)
    buyer_basis_points = models.PositiveIntegerField(default=0)
    buyer_least_minor = models.BigIntegerField(null=True, blank=True)
    buyer_most_minor = models.BigIntegerField(null=True, blank=True)
    seller_bears_charges = models.BooleanField(default=False)  # what a gateway takes for the payment; else the exchange
    product_type = models.CharField(max_length=10, choices=ProductType.choices, blank=True, default="")
    region = models.CharField(max_length=20, blank=True, default="")  # of the seller
    tier = models.CharField(max_length=20, blank=True, default="")  # of the seller's membership, by its code
    currency = models.CharField(max_length=3, blank=True, default="")
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, default="")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    asked_at = models.DateTimeField(default=clock.now)
    confirmed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    dropped_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    dropped_at = models.DateTimeField(null=True, blank=True)

    objects = FeeScheduleQuerySet.as_manager()

    class Meta:
        verbose_name = _("fee schedule")
        verbose_name_plural = _("fee schedules")
        constraints = [
            sentence("fee_is_at_most_the_price", Q(seller_basis_points__lte=10_000, buyer_basis_points__lte=10_000)),
            sentence(
                "fee_limits_are_in_a_currency",
                Q(least_minor=None, most_minor=None, buyer_least_minor=None, buyer_most_minor=None) | ~Q(currency=""),
            ),
            sentence(
                "least_fee_is_at_most_the_most",
                (Q(least_minor=None) | Q(least_minor__gte=0))
                & (Q(most_minor=None) | Q(most_minor__gte=0))
                & (Q(least_minor=None) | Q(most_minor=None) | Q(least_minor__lte=F("most_minor"))),
            ),
            sentence(
                "least_buyer_fee_is_at_most_the_most",
                (Q(buyer_least_minor=None) | Q(buyer_least_minor__gte=0))
                & (Q(buyer_most_minor=None) | Q(buyer_most_minor__gte=0))
                & (
                    Q(buyer_least_minor=None)
                    | Q(buyer_most_minor=None)
                    | Q(buyer_least_minor__lte=F("buyer_most_minor"))
                ),
            ),
            sentence("fee_schedule_ends_after_it_begins", Q(valid_until=None) | Q(valid_until__gt=F("valid_from"))),
            sentence(
                "fee_schedule_for_every_trade_has_no_end",
                ~Q(product_type="", region="", tier="", currency="") | Q(valid_until=None),
            ),
            sentence("fee_schedule_is_asked_for_with_a_reason", Q(asked_by=None) | ~Q(reason="")),
            both_or_neither("confirmed_fee_schedule_says_by_whom", "confirmed_by", "confirmed_at"),
            both_or_neither("dropped_fee_schedule_says_by_whom", "dropped_by", "dropped_at"),
            sentence(
                "fee_schedule_takes_two_people",
                Q(confirmed_by=None) | Q(asked_by__isnull=False) & ~Q(confirmed_by=F("asked_by")),
            ),
            sentence("fee_schedule_is_confirmed_or_dropped", Q(confirmed_at=None) | Q(dropped_at=None)),
            sentence(
                "fee_schedule_is_confirmed_before_it_begins",
                Q(confirmed_at=None) | Q(confirmed_at__lt=F("valid_from")),
            ),
            models.UniqueConstraint(
                fields=["valid_from", *NARROWED_BY],
                condition=Q(dropped_at=None),
                name="one_fee_schedule_for_the_same_trades_begins_at_a_time",
            ),
        ]
        triggers = [
            never_changes(
                "version", "seller_basis_points", "least_minor", "most_minor", "seller_bears_charges",
                "buyer_basis_points", "buyer_least_minor", "buyer_most_minor", *NARROWED_BY,
                "valid_from", "valid_until", "reason", "asked_by", "asked_at",
            ),
            pgtrigger.Protect(
                name="decided_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__confirmed_at__isnull=False) | pgtrigger.Q(old__dropped_at__isnull=False),
            ),
            *never_deleted(),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.version} · {marks.percent(self.percent)}" + (
            f" + {marks.percent(self.buyer_percent)}" if self.takes_of_buyer else ""
        )

    @property
    def percent(self) -> str:
        return f"{self.seller_basis_points / 100:g}"

    @property
    def least(self) -> Money | None:
        return None if self.least_minor is None else Money(self.least_minor, self.currency)

    @property
    def most(self) -> Money | None:
        return None if self.most_minor is None else Money(self.most_minor, self.currency)

    @property
    def takes_of_buyer(self) -> bool:
        """Whether a buyer pays anything beside a price."""
        return bool(self.buyer_basis_points or self.buyer_least_minor) and self.buyer_most_minor != 0

    @property
    def buyer_percent(self) -> str:
        return f"{self.buyer_basis_points / 100:g}"

    @property
    def buyer_least(self) -> Money | None:
        return None if self.buyer_least_minor is None else Money(self.buyer_least_minor, self.currency)

    @property
    def buyer_most(self) -> Money | None:
        return None if self.buyer_most_minor is None else Money(self.buyer_most_minor, self.currency)

    @property
    def region_words(self) -> str:
        """The zone or territory whose sellers it is for; empty for all."""
        return str(regions.REGION_NAMES.get(self.region, self.region)) if self.region else ""

    def fee_minor(self, kept_minor: int) -> int:
        """The fee of what the seller keeps of a price, in minor units: a share, within its limits, never above it."""
        return fee_minor(kept_minor, self.seller_basis_points, self.least_minor, self.most_minor)

    def buyer_fee_minor(self, price_minor: int, currency: str) -> int:
        """The fee a buyer pays beside this price, in minor units: a share, within its limits, never above the price,
        and in a currency of three decimals rounded down to the second."""
        fee = fee_minor(price_minor, self.buyer_basis_points, self.buyer_least_minor, self.buyer_most_minor)
        return fee - fee % _step_of(currency)


def fee_back_minor(buyer_fee_minor: int, refund_minor: int, price_minor: int, currency: str) -> int:
    """What of the buyer's fee goes back with so much of the price: the same share, rounded up, and the whole with the
    whole price."""
    if not buyer_fee_minor:
        return 0
    step = _step_of(currency)
    return min(-(-buyer_fee_minor * refund_minor // (price_minor * step)) * step, buyer_fee_minor)


def _step_of(currency: str) -> int:
    return STEP_OF_THREE_DECIMALS if currency in THREE_DECIMALS else 1


def fee_minor(kept_minor: int, basis_points: int, least_minor: int | None, most_minor: int | None) -> int:
    """`FeeSchedule.fee_minor` of the schedule's numbers."""
    fee = max(share(kept_minor, basis_points), least_minor or 0)
    fee = fee if most_minor is None else min(fee, most_minor)
    return min(fee, max(kept_minor, 0))
