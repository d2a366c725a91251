"""What somebody reports to be wrong with a product on sale, and what the exchange decided."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from listings.models import Listing
from listings.states import REPORT_MOVES, ReportState
from marketplace import clock
from marketplace.guards import born_in, both_or_neither, never_changes, never_deleted, only_moves, sentence
from marketplace.models import User


class ReportCategory(models.TextChoices):
    """What a report is about."""

    DESCRIPTION = "description", _("Wrong description")
    PERSONAL_DATA = "personal_data", _("Personal data")
    RIGHTS = "rights", _("Somebody else's rights")
    SECURITY = "security", _("Security")
    OTHER = "other", pgettext_lazy("of a report", "Something else")


class ListingReport(models.Model):
    """A report about a product; only its reporter and the exchange's staff read it."""

    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="reports")
    state = models.CharField(max_length=10, choices=ReportState.choices, default=ReportState.OPEN)
    category = models.CharField(max_length=15, choices=ReportCategory.choices)
    text = models.TextField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reported_at = models.DateTimeField(default=clock.now)
    decision = models.TextField(blank=True)  # in words the reporter reads
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("report of a product")
        verbose_name_plural = _("reports of products")
        indexes = [models.Index(fields=["state", "reported_at"]), models.Index(fields=["by", "reported_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["listing", "by"], condition=Q(state=ReportState.OPEN), name="one_open_report_per_person"
            ),
            sentence("report_says_something", ~Q(text="")),
            both_or_neither("decided_report_says_by_whom", "decided_at", "decided_by"),
            sentence(
                "open_report_is_not_decided",
                Q(state=ReportState.OPEN, decided_at=None, decision="")
                | ~Q(state=ReportState.OPEN) & Q(decided_at__isnull=False) & ~Q(decision=""),
            ),
        ]
        triggers = [
            only_moves(REPORT_MOVES),
            born_in(ReportState.OPEN),
            never_changes("listing", "category", "text", "by", "reported_at"),
            pgtrigger.Protect(
                name="decided_never_changes",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state="open"),
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.listing} · {self.pk}"
