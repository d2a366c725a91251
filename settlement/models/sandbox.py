"""The sandbox's own bank. It is outside our books, and no money moves."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.claims import Claimable


class SandboxOrder(Claimable):
    """The sandbox's own bank: what was asked of it and what it will tell us. Outside our books, and no money moves."""

    class Kind(models.TextChoices):
        PAYMENT = "payment", "payment"
        REFUND = "refund", "refund"
        PAYOUT = "payout", "payout"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    key = models.CharField(max_length=60, unique=True)  # our stable key: asking twice gives the same order
    reference = models.CharField(max_length=40, unique=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    payer_reference = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=12, default="open")  # open | stopped | done
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("order of the sandbox")
        verbose_name_plural = _("orders of the sandbox")


class SandboxNotice(Claimable):
    """A signed notice the sandbox is about to post to the inbox every gateway uses."""

    order = models.ForeignKey(SandboxOrder, on_delete=models.CASCADE, related_name="notices")
    event_id = models.CharField(max_length=60, unique=True)
    body = models.TextField()
    posted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("notice of the sandbox")
        verbose_name_plural = _("notices of the sandbox")
        indexes = [models.Index(fields=["next_try_at"], condition=Q(posted_at=None), name="sandbox_notice_unposted")]
