"""What possible buyers ask about a product, and what its seller answers: words that never change."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from listings.models import Listing
from marketplace import clock
from marketplace.guards import append_only, both_or_neither, never_changes, never_deleted, sentence
from marketplace.models import Organisation, User


class QuestionQuerySet(models.QuerySet["Question"]):
    def visible_to(self, organisation: Organisation | None) -> QuestionQuerySet:
        """What was answered and is not hidden, and in any state what one's own organisation asked or was asked.

        Whether the product itself may be seen is asked of the listing.
        """
        public = Q(answered_at__isnull=False, hidden_at=None)
        own = Q(asked_for=organisation) | Q(listing__seller=organisation)
        return self.filter(public | own if organisation else public)

    def open(self) -> QuestionQuerySet:
        """What waits for its first answer."""
        return self.filter(answered_at=None, hidden_at=None)


class Question(models.Model):
    """A question about a product, asked for an organisation; public, without its name, once it is answered."""

    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="questions")
    asked_for = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=clock.now)
    answered_at = models.DateTimeField(null=True, blank=True)  # for the first time
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    hidden_reason = models.TextField(blank=True)  # in words both sides read

    objects = QuestionQuerySet.as_manager()

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        indexes = [
            models.Index(F("listing"), F("answered_at").desc(nulls_first=True), F("id").desc(), name="questions_shown"),
            models.Index(fields=["by", "asked_at"]),
        ]
        constraints = [
            sentence("question_says_something", ~Q(text="")),
            both_or_neither("hidden_question_says_by_whom", "hidden_at", "hidden_by"),
            sentence(
                "hidden_question_says_why",
                Q(hidden_at=None, hidden_reason="") | Q(hidden_at__isnull=False) & ~Q(hidden_reason=""),
            ),
        ]
        triggers = [
            never_changes("listing", "asked_for", "text", "by", "asked_at"),
            pgtrigger.Trigger(
                name="asked_of_another_about_what_is_on_sale",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NEW.answered_at IS NOT NULL OR NEW.hidden_at IS NOT NULL OR NOT EXISTS (
                        SELECT FROM listings_listing l
                        WHERE l.id = NEW.listing_id AND l.state = 'listed' AND l.seller_id <> NEW.asked_for_id
                    ) THEN
                        RAISE 'listing % takes no such question', NEW.listing_id USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="answered_by_an_answer_for_good",
                operation=pgtrigger.UpdateOf("answered_at"),
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__answered_at__df=pgtrigger.F("new__answered_at")),
                func="""
                    IF OLD.answered_at IS NOT NULL
                    OR NOT EXISTS (SELECT FROM listings_answer a WHERE a.question_id = NEW.id) THEN
                        RAISE 'question % is answered once, by an answer', NEW.id USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Protect(
                name="hidden_never_changes",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__hidden_at__isnull=False),
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.listing} · {self.pk}"

    @property
    def is_public(self) -> bool:
        return self.answered_at is not None and self.hidden_at is None


class Answer(models.Model):
    """What the seller says to a question; said for ever, and added to by a further one."""

    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="answers")
    text = models.TextField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        ordering = ["pk"]
        constraints = [sentence("answer_says_something", ~Q(text=""))]
        triggers = [
            pgtrigger.Trigger(
                name="no_answer_to_what_is_hidden",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF EXISTS (
                        SELECT FROM listings_question q WHERE q.id = NEW.question_id AND q.hidden_at IS NOT NULL
                    ) THEN
                        RAISE 'question % is hidden', NEW.question_id USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            *append_only(),
        ]

    def __str__(self) -> str:
        return f"{self.question} · {self.pk}"
