"""How often a product was seen, opened and sampled on a day: one row for each product and day."""

from __future__ import annotations

import datetime as dt

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from listings.models import Listing
from marketplace import clock
from marketplace.guards import never_changes, never_deleted, sentence
from marketplace.models import Organisation


class DailyCountQuerySet(models.QuerySet["DailyCount"]):
    def visible_to(self, organisation: Organisation | None) -> DailyCountQuerySet:
        """What only the seller may know of its own products."""
        return self.filter(listing__seller=organisation) if organisation else self.none()

    def since(self, day: dt.date) -> DailyCountQuerySet:
        """That day's counts and later ones."""
        return self.filter(day__gte=day)


class DailyCount(models.Model):
    """How often pages showed a product on one day, in the exchange's time zone; not to how many people."""

    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="daily_counts")
    day = models.DateField()
    seen = models.PositiveBigIntegerField(default=0)  # as a card of the catalogue
    opened = models.PositiveBigIntegerField(default=0)  # its own page
    sampled = models.PositiveBigIntegerField(default=0)  # its sample was taken

    objects = DailyCountQuerySet.as_manager()

    class Meta:
        verbose_name = _("daily count")
        verbose_name_plural = _("daily counts")
        constraints = [
            models.UniqueConstraint(fields=["listing", "day"], name="one_daily_count_per_product_and_day"),
            sentence("daily_count_counts_something", ~Q(seen=0, opened=0, sampled=0)),
        ]
        triggers = [
            never_changes("listing", "day"),
            pgtrigger.Protect(
                name="daily_counts_never_fall",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__seen__lt=pgtrigger.F("old__seen"))
                | pgtrigger.Q(new__opened__lt=pgtrigger.F("old__opened"))
                | pgtrigger.Q(new__sampled__lt=pgtrigger.F("old__sampled")),
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.listing} · {self.day}"


class CountedBatch(models.Model):
    """A batch of counts that was written down, so that a worker who finds it once more lets it be."""

    key = models.CharField(max_length=32, primary_key=True)
    counted_at = models.DateTimeField(default=clock.now, db_index=True)
