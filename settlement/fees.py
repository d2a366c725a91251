"""The exchange's fee: which schedule a trade is proposed under, and how two of the staff agree on a new one.

Of the schedules in force the narrowest fits: one for datasets of a zone goes before one for datasets, that before one
for every trade. A trade keeps its schedule, so a new one touches nothing that was proposed before it begins.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from compliance import tiers
from compliance.models import Tier
from compliance.reasons import require_sentence
from compliance.verification import SamePerson
from listings.models import Listing, ProductType
from marketplace import clock, journal, regions, roles
from marketplace.errors import Invalid, Refused, WrongState
from marketplace.models import Organisation, User
from marketplace.money import Money
from settlement.models import FeeSchedule
from settlement.models.fees import NARROWED_BY

MOST_BASIS_POINTS = 10_000
OF_THE_BUYER = ("buyer_basis_points", "buyer_least_minor", "buyer_most_minor")


class BeginsTooEarly(Refused):
    """A schedule begins on a later day than it is agreed on."""

    code = "begins_too_early"
    says = _("A schedule begins on a later day than it is agreed on: nobody’s fee changes behind their back.")
    next = _("Name tomorrow or a later day.")


class FeeChanged(Refused):
    """The exchange's fee for the buyer is another than the buyer saw."""

    code = "fee_changed"
    says = _("The exchange’s fee is another now.")
    next = _("Look at the total again; what you see now is what you pay.")


def schedule_for(listing: Listing, currency: str, *, moment: dt.datetime | None = None) -> FeeSchedule:
    """The schedule a trade of this product in this currency is proposed under. Two statements."""
    seller = listing.seller
    tier = tiers.tier_of(seller)
    fitting = FeeSchedule.objects.in_force(moment or clock.now()).filter(
        product_type__in=["", listing.product_type],
        region__in=["", *_within(seller.region)],
        tier__in=["", tier.code if tier else ""],
        currency__in=["", currency],
    )
    return fitting.narrowest_first()[0]


class InForce:
    """The schedules in force now and the tiers of these sellers: `schedule_for` for many products. Two statements."""

    def __init__(self, sellers: Iterable[Organisation]) -> None:
        self._schedules = list(FeeSchedule.objects.in_force(clock.now()).narrowest_first())
        self._tiers = tiers.codes_of(sellers)

    def of(self, listing: Listing, currency: str) -> FeeSchedule:
        """The one a trade of this product in this currency would be proposed under."""
        seller = listing.seller
        fitting = {
            "product_type": {"", listing.product_type},
            "region": {"", *_within(seller.region)},
            "tier": {"", self._tiers.get(seller.pk, "")},
            "currency": {"", currency},
        }
        return next(
            one for one in self._schedules if all(getattr(one, name) in values for name, values in fitting.items())
        )


def _within(region: str) -> list[str]:
    """The region and, for a zone, its division: `CN-SH-LINGANG` lies in `CN-SH`."""
    division = "-".join(region.split("-")[:2])
    return [region] if division == region else [region, division]


def require_same(seen: str, schedule: FeeSchedule, price: Money, *, is_postpaid: bool) -> None:
    """What a buyer saw by the schedule of this version is what it pays now: of this price, or of any bill.

    Raises FeeChanged.
    """
    before = FeeSchedule.objects.filter(version=seen).first()
    if before is None:
        raise FeeChanged()
    if is_postpaid:
        is_same = all(getattr(before, name) == getattr(schedule, name) for name in OF_THE_BUYER)
    else:
        taken = [one.buyer_fee_minor(price.minor, price.currency) for one in (before, schedule)]
        is_same = taken[0] == taken[1]
    if not is_same:
        raise FeeChanged()


@transaction.atomic
def ask(
    *,
    basis_points: int,
    begins_on: dt.date,
    ends_on: dt.date | None = None,
    product_type: str = "",
    region: str = "",
    tier: str = "",
    currency: str = "",
    least_minor: int | None = None,
    most_minor: int | None = None,
    seller_bears_charges: bool = False,
    buyer_basis_points: int = 0,
    buyer_least_minor: int | None = None,
    buyer_most_minor: int | None = None,
    reason: str,
    by: User,
) -> FeeSchedule:
    """One of the staff writes a schedule; it waits for a second person.

    What a gateway takes for a payment is the seller's to bear where the schedule says so, else the exchange's. The
    buyer's fee, none unless it is named, is paid beside the price; its limits are in `currency` too.
    It is in force from the first moment of `begins_on` to the last of `ends_on`, by the exchange's clock. Raises
    RoleNeeded, Invalid, BeginsTooEarly, WrongState `begins_already`.
    """
    roles.require_staff(by, "set_fees")
    reason = require_sentence(reason)
    narrowed = {"product_type": product_type, "region": region, "tier": tier, "currency": currency}
    _require_known(narrowed)
    _require_sound(basis_points, least_minor, most_minor, narrowed)
    _require_sound(buyer_basis_points, buyer_least_minor, buyer_most_minor, narrowed)
    if begins_on <= clock.today():
        raise BeginsTooEarly()
    if ends_on is not None and not any(narrowed.values()):
        raise Invalid(
            _("A schedule for every trade has no last day: there is always a fee."),
            code="fee_without_end",
            next=_("Leave the last day empty; a newer schedule takes over on its first day."),
        )
    if ends_on is not None and ends_on < begins_on:
        raise Invalid(_("It ends before it begins."), code="wrong_time", next=_("Name a later last day."))
    FeeSchedule.objects.select_for_update().order_by("pk")[0]  # one number after the other
    year = begins_on.year
    number = FeeSchedule.objects.filter(version__startswith=f"{year}-").count() + 1
    try:
        with transaction.atomic():
            schedule = FeeSchedule.objects.create(
                version=f"{year}-{number}",
                seller_basis_points=basis_points,
                least_minor=least_minor,
                most_minor=most_minor,
                seller_bears_charges=seller_bears_charges,
                buyer_basis_points=buyer_basis_points,
                buyer_least_minor=buyer_least_minor,
                buyer_most_minor=buyer_most_minor,
                valid_from=_first_moment(begins_on),
                valid_until=_first_moment(ends_on + dt.timedelta(days=1)) if ends_on else None,
                reason=reason,
                asked_by=by,
                **narrowed,
            )
    except IntegrityError as clash:
        if "one_fee_schedule_for_the_same_trades" not in str(clash):
            raise
        raise WrongState(
            _("Another schedule for the same trades begins on that day."),
            code="begins_already",
            next=_("Drop the other one, or name another day."),
        ) from clash
    facts = {"buyer_basis_points": buyer_basis_points} if schedule.takes_of_buyer else {}
    journal.record("fees.asked", schedule, by=by, version=schedule.version, basis_points=basis_points, **facts)
    return schedule


@transaction.atomic
def confirm(schedule: FeeSchedule, *, by: User) -> FeeSchedule:
    """A second person agrees: it is in force from its first day. Raises RoleNeeded,
    SamePerson, BeginsTooEarly, WrongState."""
    roles.require_staff(by, "set_fees")
    schedule = _locked(schedule)
    if schedule.asked_by_id == by.pk:
        raise SamePerson()
    if schedule.valid_from <= clock.now():
        raise BeginsTooEarly()
    schedule.confirmed_by, schedule.confirmed_at = by, clock.now()
    schedule.save(update_fields=["confirmed_by", "confirmed_at"])
    journal.record("fees.confirmed", schedule, by=by, version=schedule.version)
    return schedule


@transaction.atomic
def drop(schedule: FeeSchedule, *, by: User) -> FeeSchedule:
    """Give up a schedule that waits for its second person. Raises RoleNeeded, WrongState."""
    roles.require_staff(by, "set_fees")
    schedule = _locked(schedule)
    schedule.dropped_by, schedule.dropped_at = by, clock.now()
    schedule.save(update_fields=["dropped_by", "dropped_at"])
    journal.record("fees.dropped", schedule, by=by, version=schedule.version)
    return schedule


def published() -> QuerySet[FeeSchedule]:
    """What counts now, and what was agreed on and comes; without those a newer one for the same trades has replaced."""
    now = clock.now()
    same = {name: OuterRef(name) for name in NARROWED_BY}
    newer = FeeSchedule.objects.in_force(now).filter(**same, valid_from__gt=OuterRef("valid_from"))
    counting = FeeSchedule.objects.in_force(now).filter(~Exists(newer))
    return (counting | FeeSchedule.objects.coming(now)).narrowest_first()


def _locked(schedule: FeeSchedule) -> FeeSchedule:
    schedule = FeeSchedule.objects.select_for_update().get(pk=schedule.pk)
    if schedule.asked_by_id is None or schedule.confirmed_at or schedule.dropped_at:
        raise WrongState(_("This schedule was decided on already."))
    return schedule


def _require_known(narrowed: dict[str, str]) -> None:
    known: dict[str, Any] = {
        "product_type": ProductType.values,
        "region": regions.REGION_NAMES,
        "tier": [*Tier.objects.values_list("code", flat=True)] if narrowed["tier"] else [],
        "currency": settings.CURRENCIES,
    }
    for name, value in narrowed.items():
        if value and value not in known[name]:
            raise Invalid(
                _("There is nothing “%(value)s” to narrow a fee by."),
                code="wrong_condition",
                next=_("Choose one that the desk offers."),
                value=value,
            )


def _require_sound(basis_points: int, least: int | None, most: int | None, narrowed: dict[str, str]) -> None:
    if not 0 <= basis_points <= MOST_BASIS_POINTS:
        raise Invalid(
            _("A fee is between 0 and 100 percent of the price."),
            code="wrong_fee",
            next=_("Write the share in percent, such as 2.5."),
        )
    limits = [limit for limit in (least, most) if limit is not None]
    if limits and not narrowed["currency"]:
        raise Invalid(
            _("A least or a most is a sum of one currency."), code="currency_needed", next=_("Name the currency.")
        )
    if limits != sorted(limits) or any(limit < 0 for limit in limits):
        raise Invalid(
            _("The least is at most the most, and neither is below zero."),
            code="wrong_fee",
            next=_("Write sums such as 10.00; leave empty what there is not."),
        )


def _first_moment(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), ZoneInfo(settings.TIME_ZONE))
