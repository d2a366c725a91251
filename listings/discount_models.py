"""A seller's discount on one of its offers, for a time."""

from __future__ import annotations

import datetime as dt

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Greatest, Least
from django.utils.translation import gettext_lazy as _

from marketplace import clock, marks
from marketplace.guards import both_or_neither, never_changes, never_deleted, sentence
from marketplace.models import User, new_public_id

MOST_PERCENT = 99
# When a discount is over: at its end or, ended before, then. PostgreSQL's least() and greatest() pass over NULL.
_OVER_AT = Greatest("valid_from", Least("valid_until", "ended_at"))


class DiscountQuerySet(models.QuerySet["Discount"]):
    def in_force(self, at: dt.datetime | None = None) -> DiscountQuerySet:
        """Those by which an offer costs less at this moment, now by default; one of an offer at most."""
        at = at or clock.now()
        return self.filter(Q(ended_at=None) | Q(ended_at__gt=at), valid_from__lte=at, valid_until__gt=at)

    def not_over(self) -> DiscountQuerySet:
        """Those in force and those to come."""
        return self.filter(ended_at=None, valid_until__gt=clock.now())


class Discount(models.Model):
    """So many percent less for an offer, from one moment until before another; it may be ended early, never changed.

    An offer never changes either: what a buyer pays is its price less the discount in force (see `listings.pricing`).
    """

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    offer = models.ForeignKey("listings.Offer", on_delete=models.PROTECT, related_name="discounts")
    percent = models.PositiveSmallIntegerField()
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField()
    created_at = models.DateTimeField(default=clock.now)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    objects = DiscountQuerySet.as_manager()

    class Meta:
        verbose_name = _("discount")
        verbose_name_plural = _("discounts")
        ordering = ["-valid_from", "-pk"]
        constraints = [
            sentence("discount_leaves_a_price", Q(percent__gte=1, percent__lte=MOST_PERCENT)),
            sentence("discount_is_for_some_time", Q(valid_until__gt=F("valid_from"))),
            sentence("discount_begins_no_earlier_than_it_is_made", Q(valid_from__gte=F("created_at"))),
            both_or_neither("ended_discount_says_by_whom", "ended_at", "ended_by"),
            ExclusionConstraint(
                name="one_discount_of_an_offer_at_a_time",
                expressions=[
                    # A range of one number, so that GiST compares it without an extension.
                    (Func(F("offer"), F("offer"), Value("[]"), function="int8range"), "&&"),
                    (
                        Func(
                            F("valid_from"), _OVER_AT, function="tstzrange", output_field=DateTimeRangeField(),
                        ),
                        "&&",
                    ),
                ],
            ),
        ]  # fmt: skip
        triggers = [
            never_changes("public_id", "offer", "percent", "valid_from", "valid_until", "created_at", "created_by"),
            pgtrigger.Trigger(
                name="discount_is_ended_once",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.AnyChange("ended_at", "ended_by"),
                func="""
                    IF OLD.ended_at IS NOT NULL OR NEW.ended_at >= NEW.valid_until THEN
                        RAISE 'discount % is over', OLD.public_id USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="discount_is_of_an_open_offer_that_costs_money",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NOT EXISTS (
                        SELECT FROM listings_offer o
                        WHERE o.id = NEW.offer_id AND o.price_minor > 0 AND o.closed_at IS NULL
                    ) THEN
                        RAISE 'offer % takes no discount', NEW.offer_id USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return marks.percent(self.percent)

    @property
    def is_over(self) -> bool:
        """Whether its time has passed or it was ended."""
        return self.ended_at is not None or self.valid_until <= clock.now()

    @property
    def is_coming(self) -> bool:
        """Whether it has yet to begin."""
        return not self.is_over and self.valid_from > clock.now()
