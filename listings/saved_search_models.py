"""A person's saved searches, and the new products each has found."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from listings.models import Listing
from marketplace import clock
from marketplace.claims import Claimable
from marketplace.guards import never_changes, sentence
from marketplace.models import Organisation, User

LONGEST_NAME = 80
LONGEST_QUERY = 4000


class SavedSearchQuerySet(models.QuerySet["SavedSearch"]):
    def of(self, person: User) -> SavedSearchQuerySet:
        """A person's own; nobody else sees them."""
        return self.filter(user=person)


class SavedSearch(Claimable):
    """What a person looks for in the catalogue: the query of its address, kept as the filters read it."""

    class Frequency(models.TextChoices):
        AT_ONCE = "at_once", pgettext_lazy("how often", "At once")
        DAILY = "daily", pgettext_lazy("how often", "Once a day")
        WEEKLY = "weekly", pgettext_lazy("how often", "Once a week")
        NEVER = "never", pgettext_lazy("how often", "Never")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_searches")
    # For whom it looks: offers that name this organisation count while the person belongs to it.
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    name = models.CharField(max_length=LONGEST_NAME)
    query = models.CharField(max_length=LONGEST_QUERY, blank=True)  # '' is the whole catalogue
    frequency = models.CharField(max_length=10, choices=Frequency.choices, default=Frequency.DAILY)
    created_at = models.DateTimeField(default=clock.now)
    seen_at = models.DateTimeField(default=clock.now)  # when its owner last looked at what it finds
    looked_until = models.DateTimeField(default=clock.now)  # products listed until then were looked at
    next_alert_at = models.DateTimeField(default=clock.now)

    objects = SavedSearchQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved search")
        verbose_name_plural = _("saved searches")
        indexes = [models.Index(fields=["looked_until"]), models.Index(fields=["next_alert_at"])]
        constraints = [
            models.UniqueConstraint(fields=["user", "query"], name="one_saved_search_per_person_and_query"),
            sentence("saved_search_has_a_name", ~Q(name="")),
        ]
        triggers = [never_changes("user", "organisation", "query", "created_at")]

    def __str__(self) -> str:
        return self.name


class FoundProduct(models.Model):
    """A product listed since a search was saved that it finds; each is told of once."""

    search = models.ForeignKey(SavedSearch, on_delete=models.CASCADE, related_name="found")
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="+")
    found_at = models.DateTimeField(default=clock.now)
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("product found by a saved search")
        verbose_name_plural = _("products found by saved searches")
        constraints = [models.UniqueConstraint(fields=["search", "listing"], name="a_search_finds_a_product_once")]
        indexes = [models.Index(fields=["search"], condition=Q(told_at=None), name="found_and_not_told")]
        triggers = [never_changes("search", "listing", "found_at")]

    def __str__(self) -> str:
        return f"{self.search} · {self.listing_id}"
