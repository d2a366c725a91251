"""Webhooks of members (Standard Webhooks): where they want events sent, what is sent, and how each try went."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace import clock
from marketplace.claims import Claimable
from marketplace.guards import both_or_neither, never_changes, never_deleted, never_truncated, sentence

if TYPE_CHECKING:
    from marketplace.models import Organisation


def new_message_id() -> str:
    """A name of an event for its receivers: the same at every try, and at a replay."""
    return f"msg_{secrets.token_urlsafe(18)}"


class WebhookEndpointQuerySet(models.QuerySet["WebhookEndpoint"]):
    def visible_to(self, organisation: Organisation) -> WebhookEndpointQuerySet:
        """An organisation's endpoints, without those it removed."""
        return self.filter(organisation=organisation, removed_at=None)


class WebhookEndpoint(models.Model):
    """An address of a member that is told of events. Its secrets are kept encrypted (sealed_secrets)."""

    class Stopped(models.TextChoices):
        PAUSED = "paused", pgettext_lazy("webhook", "Paused by you")
        GONE = "gone", pgettext_lazy("webhook", "Your server answered 410 Gone")
        FAILING = "failing", pgettext_lazy("webhook", "It failed for days")

    organisation = models.ForeignKey("marketplace.Organisation", on_delete=models.PROTECT, related_name="webhooks")
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=200, blank=True)
    kinds = ArrayField(models.CharField(max_length=60), default=list, blank=True)  # empty: all
    sealed_secret = models.TextField()
    former_sealed_secret = models.TextField(blank=True, default="")
    former_until = models.DateTimeField(null=True, blank=True)  # until then both secrets sign
    stopped_at = models.DateTimeField(null=True, blank=True)
    stopped_why = models.CharField(max_length=10, choices=Stopped.choices, null=True, blank=True)  # noqa: DJ001
    failing_since = models.DateTimeField(null=True, blank=True)
    rests_until = models.DateTimeField(null=True, blank=True)  # it did not answer: its neighbours go first
    created_at = models.DateTimeField(default=clock.now)
    created_by = models.ForeignKey("marketplace.User", on_delete=models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = WebhookEndpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        constraints = [both_or_neither("stopped_webhook_says_why", "stopped_at", "stopped_why")]
        triggers = [
            never_changes("organisation", "created_at", "created_by"),
            pgtrigger.Protect(
                name="removed_for_good",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__removed_at__isnull=False),
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return self.url


class WebhookMessage(models.Model):
    """An event as an organisation's endpoints are told of it: the very bytes that are signed."""

    organisation = models.ForeignKey("marketplace.Organisation", on_delete=models.PROTECT, related_name="+")
    event = models.ForeignKey("marketplace.Event", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    message_id = models.CharField(max_length=40, unique=True, default=new_message_id)
    kind = models.CharField(max_length=60)
    body = models.TextField()
    written_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("message of a webhook")
        verbose_name_plural = _("messages of webhooks")
        constraints = [
            models.UniqueConstraint(fields=["event", "organisation"], name="one_message_an_event_and_organisation")
        ]
        # Deleted when its time is over; the database keeps one that a delivery still names.
        triggers = [
            never_changes("organisation", "event", "message_id", "kind", "body", "written_at"),
            never_truncated(),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"


class WebhookDelivery(Claimable):
    """A message on its way to one endpoint: waiting until it was delivered or given up."""

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries")
    message = models.ForeignKey(WebhookMessage, on_delete=models.PROTECT, related_name="deliveries")
    delivered_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("delivery of a webhook")
        verbose_name_plural = _("deliveries of webhooks")
        indexes = [
            models.Index(fields=["endpoint", "-id"], name="deliveries_of_a_webhook"),
            models.Index(
                fields=["next_try_at"], condition=Q(delivered_at=None, given_up_at=None), name="webhooks_to_deliver"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "message"], name="one_delivery_a_message_and_endpoint"),
            sentence("delivered_or_given_up_not_both", Q(delivered_at=None) | Q(given_up_at=None)),
        ]
        triggers = [
            never_changes("endpoint", "message"),
            pgtrigger.Protect(
                name="waiting_is_kept",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__delivered_at__isnull=True, old__given_up_at__isnull=True),
            ),
            never_truncated(),
        ]

    def __str__(self) -> str:
        return f"{self.message} → {self.endpoint}"

    @property
    def outcome(self) -> str:
        """delivered, failed or waiting."""
        return "delivered" if self.delivered_at else "failed" if self.given_up_at else "waiting"


class WebhookAttempt(models.Model):
    """One try of a delivery: what was answered, how long it took. `error` says why there was no answer."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.PROTECT, related_name="attempts")
    at = models.DateTimeField(default=clock.now)
    status = models.IntegerField(null=True, blank=True)
    duration_ms = models.IntegerField()
    excerpt = models.TextField(blank=True)
    error = models.CharField(max_length=60, blank=True)

    class Meta:
        verbose_name = _("try of a webhook")
        verbose_name_plural = _("tries of webhooks")
        ordering = ["-pk"]
        triggers = [
            pgtrigger.Protect(name="never_updated", operation=pgtrigger.Update),
            pgtrigger.Trigger(
                name="tries_of_what_waits_are_kept",
                operation=pgtrigger.Delete,
                when=pgtrigger.Before,
                func="""
                    IF EXISTS (
                        SELECT FROM marketplace_webhookdelivery d
                        WHERE d.id = OLD.delivery_id AND d.delivered_at IS NULL AND d.given_up_at IS NULL
                    ) THEN
                        RAISE 'delivery % still waits', OLD.delivery_id USING ERRCODE = 'check_violation';
                    END IF; RETURN OLD;
                """,
            ),
            never_truncated(),
        ]

    def __str__(self) -> str:
        return f"{self.delivery} · {self.status or self.error}"
