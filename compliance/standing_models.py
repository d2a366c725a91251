"""What the staff add to an organisation: its tier of membership, and notes among themselves."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.guards import append_only, never_changes, never_deleted, sentence
from marketplace.models import Organisation, User


class Tier(models.Model):
    """A tier of membership, named in three languages. Which there are is data, not code."""

    code = models.SlugField(max_length=20, unique=True)
    rank = models.PositiveSmallIntegerField(unique=True)
    names = models.JSONField()  # by language

    class Meta:
        ordering = ["rank"]
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")
        constraints = [
            sentence("tier_is_named_in_three_languages", Q(names__has_keys=["en", "zh-hans", "zh-hant"])),
        ]
        triggers = [never_changes("code"), *never_deleted()]

    def __str__(self) -> str:
        return str(self.names.get(get_language() or "en") or self.names["en"])


class TierDecision(models.Model):
    """The staff put an organisation into a tier; the newest counts, and all are kept."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="tier_decisions")
    tier = models.ForeignKey(Tier, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-pk"]
        constraints = [sentence("tier_is_decided_for_a_reason", ~Q(reason=""))]
        triggers = append_only()


class Note(models.Model):
    """A note of the staff about an organisation, for the staff alone."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="staff_notes")
    text = models.TextField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-pk"]
        constraints = [sentence("note_says_something", ~Q(text=""))]
        triggers = append_only()
