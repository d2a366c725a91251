"""Whether the seller of a product gives a sample of it away."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from listings.models import Listing
from marketplace import clock
from marketplace.guards import both_or_neither, never_changes, never_deleted
from marketplace.models import User


class PublishedSampleQuerySet(models.QuerySet["PublishedSample"]):
    def standing(self) -> PublishedSampleQuerySet:
        """Those nobody took back."""
        return self.filter(withdrawn_at=None)


class PublishedSample(models.Model):
    """The seller lets anybody have the first rows of the product's current release, until it takes that back."""

    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="samples")
    published_at = models.DateTimeField(default=clock.now)
    published_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    objects = PublishedSampleQuerySet.as_manager()

    class Meta:
        verbose_name = _("sample")
        verbose_name_plural = _("samples")
        ordering = ["-pk"]
        constraints = [
            both_or_neither("withdrawn_sample_says_by_whom", "withdrawn_at", "withdrawn_by"),
            models.UniqueConstraint(fields=["listing"], condition=Q(withdrawn_at=None), name="one_sample_per_product"),
        ]
        triggers = [
            never_changes("listing", "published_at", "published_by"),
            pgtrigger.Protect(
                name="withdrawn_sample_never_changes",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__withdrawn_at__isnull=False),
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.listing}"
