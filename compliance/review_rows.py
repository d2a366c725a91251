"""What belongs to a review and is kept for ever: its decisions, the staff's notes, and questions with their answers."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.guards import append_only, both_or_neither, never_changes, never_deleted, sentence
from marketplace.models import User

IS_MEMBER_OF_SELLER = """
    EXISTS (
        SELECT FROM compliance_review r JOIN listings_version v ON v.id = r.version_id
        JOIN listings_listing l ON l.id = v.listing_id
        JOIN marketplace_membership m ON m.organisation_id = l.seller_id
        WHERE r.id = NEW.review_id AND m.user_id = {person}
    )
"""


class ReviewDecision(models.Model):
    """One decision: who, when, why, under which version of the rules, and how the checklist was answered."""

    class Act(models.TextChoices):
        APPROVE = "approve", _("Approved")
        REQUEST_CHANGES = "request_changes", _("Changes requested")
        REFUSE = "refuse", _("Refused")
        TAKE_BACK = "take_back", _("Taken back by the seller")

    review = models.ForeignKey("compliance.Review", on_delete=models.PROTECT, related_name="decisions")
    act = models.CharField(max_length=20, choices=Act.choices)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(default=clock.now)
    reason_code = models.CharField(max_length=40, blank=True)
    reason = models.TextField(blank=True)
    rules_version = models.CharField(max_length=20, blank=True)  # '' for a decision older than this table
    checklist_version = models.CharField(max_length=20, blank=True)
    answers = models.JSONField(default=list)  # [{item, answer, note}] of the checklist of that version

    class Meta:
        verbose_name = _("decision of a review")
        verbose_name_plural = _("decisions of reviews")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["review", "by"], condition=Q(act="approve"), name="nobody_approves_a_review_twice"
            ),
            models.UniqueConstraint(
                fields=["review"], condition=~Q(act="approve"), name="a_review_is_sent_or_taken_back_once"
            ),
            sentence(
                "sent_back_in_words", ~Q(act__in=["request_changes", "refuse"]) | (~Q(reason="") & ~Q(reason_code=""))
            ),
        ]
        triggers = [
            *append_only(),
            pgtrigger.Trigger(
                name="decided_by_a_stranger_to_the_seller",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func=f"""
                    IF (NEW.act = 'take_back') <> ({IS_MEMBER_OF_SELLER.format(person="NEW.by_id")}) THEN
                        RAISE 'a review is decided by strangers to the seller, and taken back by its members'
                        USING ERRCODE = 'check_violation';
                    END IF;
                    IF NEW.act <> 'take_back' AND EXISTS (
                        SELECT FROM compliance_review WHERE id = NEW.review_id AND submitted_by_id = NEW.by_id
                    ) THEN
                        RAISE 'nobody decides on their own submission' USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,  # noqa: S608  no value of anybody's
            ),
        ]


class ReviewNote(models.Model):
    """What one of the staff tells colleagues. The seller never sees it."""

    review = models.ForeignKey("compliance.Review", on_delete=models.PROTECT, related_name="notes")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)
    text = models.TextField()

    class Meta:
        verbose_name = _("note on a review")
        verbose_name_plural = _("notes on reviews")
        ordering = ["pk"]
        constraints = [sentence("a_note_has_words", ~Q(text=""))]
        triggers = [
            *append_only(),
            pgtrigger.Trigger(
                name="no_member_of_the_seller_notes",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func=f"""
                    IF {IS_MEMBER_OF_SELLER.format(person="NEW.by_id")} THEN
                        RAISE 'a member of the seller writes no note on its review' USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,  # noqa: S608  no value of anybody's
            ),
        ]


class ReviewQuestion(models.Model):
    """A question of the staff about one field of the manual; while it waits, the review's clock stands still."""

    review = models.ForeignKey("compliance.Review", on_delete=models.PROTECT, related_name="questions")
    field = models.CharField(max_length=40)  # of listings.models.MANUAL
    question = models.TextField()
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=clock.now)
    answer = models.TextField(blank=True)
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("question of a review")
        verbose_name_plural = _("questions of reviews")
        ordering = ["pk"]
        indexes = [
            models.Index(
                fields=["review"], condition=Q(answered_at=None, withdrawn_at=None), name="question_that_waits"
            )
        ]
        constraints = [
            both_or_neither("answered_question_says_by_whom", "answered_at", "answered_by"),
            both_or_neither("withdrawn_question_says_by_whom", "withdrawn_at", "withdrawn_by"),
            sentence(
                "answered_in_words", Q(answered_at=None, answer="") | (Q(answered_at__isnull=False) & ~Q(answer=""))
            ),
            sentence("answered_or_withdrawn_not_both", Q(answered_at=None) | Q(withdrawn_at=None)),
            sentence("a_question_has_words", ~Q(question="")),
            sentence("nobody_answers_their_own_question", ~Q(answered_by=F("asked_by"))),
        ]
        triggers = [
            never_changes("review", "field", "question", "asked_by", "asked_at"),
            pgtrigger.Protect(
                name="closed_question_never_changes",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__answered_at__isnull=False) | pgtrigger.Q(old__withdrawn_at__isnull=False),
            ),
            pgtrigger.Trigger(
                name="asked_of_a_review_in_hand",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NOT EXISTS (
                        SELECT FROM compliance_review WHERE id = NEW.review_id AND state IN ('taken', 'seconded')
                    ) THEN
                        RAISE 'review % is not in hand', NEW.review_id USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="asked_by_strangers_answered_by_members",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                func=f"""
                    IF TG_OP = 'INSERT' AND {IS_MEMBER_OF_SELLER.format(person="NEW.asked_by_id")} THEN
                        RAISE 'a member of the seller asks nothing at its review' USING ERRCODE = 'check_violation';
                    END IF;
                    IF NEW.answered_by_id IS NOT NULL AND NOT {IS_MEMBER_OF_SELLER.format(person="NEW.answered_by_id")}
                    THEN
                        RAISE 'only members of the seller answer' USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,  # noqa: S608  no value of anybody's
            ),
            *never_deleted(),
        ]

    @property
    def is_open(self) -> bool:
        """Whether it waits for the seller."""
        return self.answered_at is None and self.withdrawn_at is None
