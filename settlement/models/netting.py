"""Netting: members who asked to be paid one net sum for a clearing cycle instead of trade by trade."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.guards import both_or_neither, never_changes, never_deleted, sentence
from marketplace.models import Organisation, User


class Netting(models.Model):
    """A member's domestic trades are paid as one net sum, in the cycles that close from `granted_at` to `stopped_at`.

    Asked for by its owner and granted by the clearing desk, on a legal opinion that netting holds if the member fails.
    One that was stopped before it was granted was withdrawn or refused.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="nettings")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=clock.now)
    opinion = models.TextField(blank=True, default="")
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    granted_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, default="")  # of the desk that refused or ended it
    stopped_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("netting")
        verbose_name_plural = _("nettings")
        constraints = [
            both_or_neither("granted_netting_says_by_whom", "granted_by", "granted_at"),
            both_or_neither("stopped_netting_says_by_whom", "stopped_by", "stopped_at"),
            sentence("netting_rests_on_an_opinion", Q(granted_at=None) | ~Q(opinion="")),
            sentence("netting_takes_two_people", Q(granted_by=None) | ~Q(granted_by=F("asked_by"))),
            sentence(
                "netting_stops_after_it_begins",
                Q(granted_at=None) | Q(stopped_at=None) | Q(stopped_at__gte=F("granted_at")),
            ),
            models.UniqueConstraint(
                fields=["organisation"], condition=Q(stopped_at=None), name="one_netting_of_a_member_at_a_time"
            ),
            ExclusionConstraint(
                name="nettings_of_a_member_do_not_overlap",
                expressions=[
                    # A range of one number, so that GiST compares it without an extension.
                    (Func(F("organisation"), F("organisation"), Value("[]"), function="int8range"), "&&"),
                    (
                        Func(
                            F("granted_at"), F("stopped_at"), function="tstzrange", output_field=DateTimeRangeField(),
                        ),
                        "&&",
                    ),
                ],
                condition=Q(granted_at__isnull=False),
            ),
        ]  # fmt: skip
        triggers = [
            never_changes("organisation", "asked_by", "asked_at"),
            pgtrigger.Trigger(
                name="asked_then_granted_to_a_domestic_member",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF TG_OP = 'INSERT' THEN
                        IF NEW.granted_at IS NOT NULL OR NEW.stopped_at IS NOT NULL THEN
                            RAISE 'a netting is born asked for' USING ERRCODE = 'check_violation';
                        END IF;
                    ELSIF OLD.stopped_at IS NOT NULL THEN
                        RAISE 'netting % was stopped', OLD.id USING ERRCODE = 'check_violation';
                    ELSIF OLD.granted_at IS NOT NULL AND (NEW.granted_at, NEW.granted_by_id, NEW.opinion)
                    IS DISTINCT FROM (OLD.granted_at, OLD.granted_by_id, OLD.opinion) THEN
                        RAISE 'netting % was granted', OLD.id USING ERRCODE = 'check_violation';
                    ELSIF OLD.granted_at IS NULL AND NEW.granted_at IS NOT NULL AND NOT EXISTS (
                        SELECT FROM marketplace_organisation o WHERE o.id = NEW.organisation_id AND o.country = 'CN'
                    ) THEN
                        RAISE 'netting % is of no domestic member', OLD.id USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} · {self.asked_at:%Y-%m-%d}"
