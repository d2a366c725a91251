"""What the staff announce to all or some, from one moment until another."""

from __future__ import annotations

import secrets

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.guards import append_only, both_or_neither, never_changes, never_deleted, sentence


def new_public_id() -> str:
    """A name for URLs: 40 random bits."""
    return secrets.token_hex(5)


class Announcement(models.Model):
    """Said once and never changed: to correct one, it is withdrawn and another written. Texts by language code."""

    class Kind(models.TextChoices):
        NEWS = "news", _("News")
        MAINTENANCE = "maintenance", _("Planned maintenance")

    class Severity(models.TextChoices):
        INFO = "info", _("For information")
        WARNING = "warning", _("Important")
        URGENT = "urgent", _("Urgent")

    class Audience(models.TextChoices):
        EVERYBODY = "everybody", _("Everybody")
        MEMBERS = "members", _("Members")
        SELLERS = "sellers", _("Sellers")
        BUYERS = "buyers", _("Buyers")
        STAFF = "staff", _("The exchange’s staff")

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    severity = models.CharField(_("severity"), max_length=10, choices=Severity.choices)
    audience = models.CharField(_("audience"), max_length=10, choices=Audience.choices)
    titles = models.JSONField()
    texts = models.JSONField()
    starts_at = models.DateTimeField(_("shown from"))
    ends_at = models.DateTimeField(_("shown until"))
    why = models.TextField()
    written_by = models.ForeignKey("marketplace.User", on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField(default=clock.now)
    withdrawn_by = models.ForeignKey(
        "marketplace.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_why = models.TextField(blank=True)

    class Meta:
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["ends_at"], condition=Q(withdrawn_at=None), name="announcement_that_stands"),
        ]
        constraints = [
            sentence("announced_from_before_until", Q(starts_at__lt=F("ends_at"))),
            sentence(
                "announcement_is_of_a_kind_for_an_audience",
                Q(
                    kind__in=["news", "maintenance"],
                    severity__in=["info", "warning", "urgent"],
                    audience__in=["everybody", "members", "sellers", "buyers", "staff"],
                ),
            ),
            sentence("announcement_has_a_title", ~Q(titles={})),
            sentence("announcement_says_why", ~Q(why="")),
            both_or_neither("withdrawn_announcement_says_by_whom", "withdrawn_at", "withdrawn_by"),
            sentence("withdrawn_announcement_says_why", Q(withdrawn_at=None) | ~Q(withdrawn_why="")),
        ]
        triggers = [
            never_changes(
                "public_id",
                "kind",
                "severity",
                "audience",
                "titles",
                "texts",
                "starts_at",
                "ends_at",
                "why",
                "written_by",
                "written_at",
            ),
            pgtrigger.Protect(
                name="withdrawn_once_and_for_ever",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__withdrawn_at__isnull=False),
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return next(iter(self.titles.values()), self.public_id)


class AnnouncementDismissal(models.Model):
    """Somebody does not want to see the notice of an announcement any more."""

    announcement = models.ForeignKey(Announcement, on_delete=models.PROTECT, related_name="dismissals")
    user = models.ForeignKey("marketplace.User", on_delete=models.PROTECT, related_name="+")
    dismissed_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("dismissal of an announcement")
        verbose_name_plural = _("dismissals of announcements")
        constraints = [models.UniqueConstraint(fields=["user", "announcement"], name="dismissed_once")]
        triggers = append_only()
