"""What people are told in the app, and what they do not want to be told of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.guards import never_changes, never_truncated

if TYPE_CHECKING:
    from marketplace.models import User


class NotificationQuerySet(models.QuerySet["Notification"]):
    def visible_to(self, user: User) -> NotificationQuerySet:
        """What this person was told: personally, or for an organisation they still belong to."""
        return self.visible_to_member(user, user.memberships.filter(ended_at=None).values("organisation"))

    def visible_to_member(self, user: User, organisations: Any) -> NotificationQuerySet:
        """`visible_to`, where the organisations this person belongs to now are known already."""
        return self.filter(Q(organisation=None) | Q(organisation__in=organisations), to=user)


class Notification(models.Model):
    """One person is told of something once. Its words are made from `facts` when it is read, in the reader's language.

    `path` leads to the object, on this exchange. What was read is deleted when its time is over.
    """

    to = models.ForeignKey("marketplace.User", on_delete=models.PROTECT, related_name="notifications")
    organisation = models.ForeignKey(
        "marketplace.Organisation", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )  # that `to` belonged to, and is told for; None: told personally
    kind = models.CharField(max_length=60)
    facts = models.JSONField(default=dict)
    path = models.CharField(max_length=300)
    told_at = models.DateTimeField(default=clock.now)
    read_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        indexes = [
            models.Index(fields=["to", "-id"], name="notifications_of_a_person"),
            models.Index(fields=["to"], condition=Q(read_at=None), name="notifications_unread"),
            models.Index(fields=["read_at"], condition=Q(read_at__isnull=False), name="notifications_read"),
        ]
        triggers = [
            never_changes("to", "organisation", "kind", "facts", "path", "told_at"),
            pgtrigger.Protect(
                name="read_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__read_at__isnull=False)
            ),
            pgtrigger.Protect(
                name="unread_is_kept", operation=pgtrigger.Delete, condition=pgtrigger.Q(old__read_at__isnull=True)
            ),
            never_truncated(),
        ]

    def __str__(self) -> str:
        return f"{self.kind} → {self.to}"


class NotificationSwitch(models.Model):
    """A person chose where a kind of notification reaches them; without a row the kind's own way stands."""

    user = models.ForeignKey("marketplace.User", on_delete=models.PROTECT, related_name="notification_switches")
    kind = models.CharField(max_length=60)
    in_app = models.BooleanField()
    by_mail = models.BooleanField()

    class Meta:
        verbose_name = _("switch of a notification")
        verbose_name_plural = _("switches of notifications")
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="one_switch_a_kind")]
        triggers = [never_changes("user", "kind")]

    def __str__(self) -> str:
        return f"{self.kind} · {self.user}"
