"""Joint merchants: several organisations that sell as one, each by the consent of an owner of its own."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.guards import both_or_neither, never_changes, never_deleted, sentence


class JointMemberQuerySet(models.QuerySet["JointMember"]):
    def standing(self) -> JointMemberQuerySet:
        """Rows nobody took back, consented or not."""
        return self.filter(withdrawn_at=None)

    def in_force(self) -> JointMemberQuerySet:
        """Members that consented and were not taken out again."""
        return self.filter(withdrawn_at=None, consented_at__isnull=False)


class JointMember(models.Model):
    """An organisation is named as a member of a joint merchant; it is one from its consent until it is withdrawn."""

    joint = models.ForeignKey("marketplace.Organisation", on_delete=models.PROTECT, related_name="joint_members")
    member = models.ForeignKey("marketplace.Organisation", on_delete=models.PROTECT, related_name="joint_merchants")
    named_by = models.ForeignKey("marketplace.User", on_delete=models.PROTECT, related_name="+")
    named_at = models.DateTimeField(default=clock.now)
    consented_by = models.ForeignKey(
        "marketplace.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    consented_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        "marketplace.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    withdrawal_reason = models.TextField(blank=True, default="")  # of the staff, where they released it

    objects = JointMemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("member of a joint merchant")
        verbose_name_plural = _("members of joint merchants")
        ordering = ["pk"]
        constraints = [
            sentence("joint_merchant_is_not_its_own_member", ~Q(joint=F("member"))),
            both_or_neither("joint_consent_says_by_whom", "consented_at", "consented_by"),
            both_or_neither("joint_withdrawal_says_by_whom", "withdrawn_at", "withdrawn_by"),
            models.UniqueConstraint(
                fields=["joint", "member"], condition=Q(withdrawn_at=None), name="named_once_in_a_joint_merchant"
            ),
        ]
        triggers = [
            never_changes("joint", "member", "named_by", "named_at"),
            pgtrigger.Protect(
                name="consent_and_withdrawal_are_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__withdrawn_at__isnull=False)
                | pgtrigger.Q(old__consented_at__isnull=False)
                & pgtrigger.Q(old__consented_at__df=pgtrigger.F("new__consented_at")),
            ),
            pgtrigger.Trigger(
                name="joint_merchants_have_single_members",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NOT EXISTS (
                        SELECT FROM marketplace_organisation WHERE id = NEW.joint_id AND 'joint' = ANY(kinds)
                    ) OR EXISTS (
                        SELECT FROM marketplace_organisation WHERE id = NEW.member_id AND 'joint' = ANY(kinds)
                    ) THEN
                        RAISE 'a joint merchant has members that are none themselves' USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.joint} · {self.member}"
