"""Who may sell, publish and trade, and who decided it."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from compliance import reasons
from compliance.demand_models import Demand as Demand
from compliance.demand_models import DemandMatch as DemandMatch
from compliance.demand_models import DemandMessage as DemandMessage
from compliance.demand_models import DemandResponse as DemandResponse
from compliance.dossier_models import Declaration as Declaration
from compliance.dossier_models import DossierSection as DossierSection
from compliance.dossier_models import FactChange as FactChange
from compliance.proof_models import Proof as Proof
from compliance.proof_models import ProofPicture as ProofPicture
from compliance.standing_models import Note as Note
from compliance.standing_models import Tier as Tier
from compliance.standing_models import TierDecision as TierDecision
from compliance.states import REVIEW_MOVES, VERIFICATION_MOVES, ReviewState, VerificationState
from listings.models import Version
from marketplace import clock
from marketplace.guards import append_only, born_in, both_or_neither, never_changes, never_deleted, only_moves, sentence
from marketplace.models import Organisation, User

TWO_PERSON_ACTS = ["approve", "expel"]


class Verification(models.Model):
    """Where an organisation stands with the exchange.

    `number_claim` is the registration number it was verified under: no other is verified under it, not even after an
    expulsion.
    """

    organisation = models.OneToOneField(Organisation, on_delete=models.PROTECT, related_name="verification")
    state = models.CharField(
        _("state"), max_length=16, choices=VerificationState.choices, default=VerificationState.APPLIED
    )
    applied_at = models.DateTimeField(default=clock.now)
    changed_at = models.DateTimeField(default=clock.now)
    number_claim = models.CharField(max_length=60, blank=True, default="", editable=False)

    class Meta:
        verbose_name = _("verification")
        verbose_name_plural = _("verifications")
        constraints = [
            models.UniqueConstraint(
                fields=["number_claim"], condition=~Q(number_claim=""), name="one_member_per_registration_number"
            ),
            sentence(
                "members_hold_their_registration_number",
                ~Q(state__in=["verified", "suspended", "expelled"]) | ~Q(number_claim=""),
            ),
        ]
        triggers = [
            only_moves(VERIFICATION_MOVES),
            born_in(VerificationState.APPLIED),
            never_changes("organisation"),
            pgtrigger.Trigger(
                name="verified_or_expelled_by_two_strangers",
                operation=pgtrigger.UpdateOf("state"),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(new__state="expelled") | pgtrigger.Q(old__state="applied", new__state="verified"),
                func="""
                    IF NOT EXISTS (
                        SELECT FROM compliance_decision d WHERE d.verification_id = NEW.id
                        AND d.act = CASE NEW.state WHEN 'expelled' THEN 'expel' ELSE 'approve' END
                        AND d.decided_at >= NEW.changed_at AND d.second_by_id IS NOT NULL AND d.second_by_id <> d.by_id
                    ) THEN
                        RAISE 'verification % became % without the decision of two persons', NEW.id, NEW.state
                        USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} · {self.get_state_display()}"


class RulesAcceptance(models.Model):
    """Who accepted which version of the exchange rules for an organisation, and its digest."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="rules_acceptances")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    rules_version = models.CharField(max_length=20)
    rules_digest = models.CharField(max_length=80)
    accepted_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("acceptance of the rules")
        verbose_name_plural = _("acceptances of the rules")
        ordering = ["pk"]
        triggers = append_only()


class Decision(models.Model):
    """What the staff decided of an organisation, why, and who. Approving and expelling take two people."""

    verification = models.ForeignKey(Verification, on_delete=models.PROTECT, related_name="decisions")
    act = models.CharField(max_length=20)
    reason_code = models.CharField(max_length=40)
    reason = models.TextField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(default=clock.now)
    second_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    dropped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["-pk"]
        constraints = [
            sentence("decided_by_two_different_people", Q(second_by=None) | ~Q(second_by=F("by"))),
            sentence(
                "approving_and_expelling_take_two",
                Q(decided_at=None) | ~Q(act__in=TWO_PERSON_ACTS) | Q(second_by__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["verification"],
                condition=Q(decided_at=None, dropped_at=None),
                name="one_pending_decision_at_a_time",
            ),
        ]
        triggers = [
            never_changes("verification", "act", "reason_code", "reason", "by", "proposed_at"),
            pgtrigger.Trigger(
                name="no_member_decides_on_their_own",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF EXISTS (
                        SELECT FROM marketplace_membership m
                        JOIN compliance_verification v ON v.organisation_id = m.organisation_id
                        WHERE v.id = NEW.verification_id AND m.user_id IN (NEW.by_id, NEW.second_by_id)
                    ) THEN
                        RAISE 'a member of the organisation cannot decide on it' USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Protect(
                name="decided_never_changes",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__decided_at__isnull=False),
            ),
            *never_deleted(),
        ]

    @property
    def outcome(self) -> str:
        """The standing that this act leads to, in words."""
        becomes = {act: state for moves in VERIFICATION_MOVES.values() for act, state in moves.items()}
        return str(VerificationState(becomes[self.act]).label)

    @property
    def reason_words(self) -> str:
        """The reason code in words."""
        return reasons.label(self.act, self.reason_code)


class Review(models.Model):
    """The review of one submitted version by two people, neither the submitter nor a member of the seller."""

    version = models.OneToOneField(Version, on_delete=models.PROTECT, related_name="review")
    state = models.CharField(_("state"), max_length=20, choices=ReviewState.choices, default=ReviewState.OPEN)
    submitted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(default=clock.now)
    target_hours = models.PositiveSmallIntegerField(default=0)  # of working time, as it was set when it was opened
    due_at = models.DateTimeField(default=clock.now)  # moved on by the time a question waited for its answer
    stands_still_since = models.DateTimeField(null=True, blank=True)  # a question waits for the seller's answer
    risk_points = models.PositiveSmallIntegerField(default=0)
    risk = models.JSONField(default=list)  # [{code, points, value}]: see compliance.risk
    assignee = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    first_at = models.DateTimeField(null=True, blank=True)
    second_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    reason_code = models.CharField(max_length=40, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        indexes = [
            models.Index(fields=["state", "due_at", "id"], name="review_by_target"),
            models.Index(fields=["state", "-risk_points", "due_at", "id"], name="review_by_risk"),
        ]
        constraints = [
            sentence(
                "approved_by_two_different_people",
                ~Q(state=ReviewState.APPROVED) | (Q(by__isnull=False, second_by__isnull=False) & ~Q(by=F("second_by"))),
            ),
            sentence("nobody_reviews_their_own_submission", ~Q(by=F("submitted_by")) & ~Q(second_by=F("submitted_by"))),
            sentence(
                "sent_back_with_a_reason",
                ~Q(state__in=[ReviewState.CHANGES_REQUESTED, ReviewState.REFUSED])
                | (~Q(reason="") & ~Q(reason_code="")),
            ),
            sentence(
                "clock_stands_still_only_in_hand",
                Q(stands_still_since=None) | Q(state__in=[ReviewState.TAKEN, ReviewState.SECONDED]),
            ),
        ]
        triggers = [
            only_moves(REVIEW_MOVES),
            born_in(ReviewState.OPEN),
            never_changes("version", "submitted_by", "opened_at", "target_hours"),
            pgtrigger.Trigger(
                name="no_member_reviews_their_own",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF EXISTS (
                        SELECT FROM listings_version v JOIN listings_listing l ON l.id = v.listing_id
                        JOIN marketplace_membership m ON m.organisation_id = l.seller_id
                        WHERE v.id = NEW.version_id AND m.user_id IN (NEW.by_id, NEW.second_by_id)
                    ) THEN
                        RAISE 'a member of the seller cannot review its product' USING ERRCODE = 'check_violation';
                    END IF; RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="moved_by_decisions_that_are_kept",
                operation=pgtrigger.UpdateOf("state"),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(
                    new__state__in=["seconded", "approved", "changes_requested", "refused", "withdrawn"]
                ),
                func="""
                    IF (CASE NEW.state WHEN 'approved' THEN 2 ELSE 1 END)
                    > (
                        SELECT count(*) FROM compliance_reviewdecision d WHERE d.review_id = NEW.id AND CASE NEW.state
                            WHEN 'changes_requested' THEN d.act = 'request_changes'
                            WHEN 'refused' THEN d.act = 'refuse'
                            WHEN 'withdrawn' THEN d.act = 'take_back'
                            ELSE d.act = 'approve' AND d.by_id IN (NEW.by_id, NEW.second_by_id) END
                    ) THEN
                        RAISE 'review % became % without the decisions that are kept', NEW.id, NEW.state
                        USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,
            ),
            pgtrigger.Trigger(
                name="approved_without_open_question",
                operation=pgtrigger.UpdateOf("state"),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(new__state="approved"),
                func="""
                    IF EXISTS (
                        SELECT FROM compliance_reviewquestion q
                        WHERE q.review_id = NEW.id AND q.answered_at IS NULL AND q.withdrawn_at IS NULL
                    ) THEN
                        RAISE 'review % was approved while a question waits', NEW.id USING ERRCODE = 'check_violation';
                    END IF; RETURN NULL;
                """,
            ),
            *never_deleted(),
        ]

    @property
    def reason_words(self) -> str:
        """The reason code in words, if it was sent back or withdrawn; else ''."""
        acts = {"changes_requested": "request_changes", "refused": "refuse", "withdrawn": "take_back"}
        return reasons.label(acts[self.state], self.reason_code) if self.state in acts else ""


class Hold(models.Model):
    """A compliance hold on an organisation, a listing or a trade: a row, not a state."""

    class Subject(models.TextChoices):
        ORGANISATION = "organisation", _("Organisation")
        LISTING = "listing", _("Listing")
        TRADE = "trade", _("Trade")

    subject_kind = models.CharField(max_length=20, choices=Subject.choices)
    subject_id = models.BigIntegerField()
    reason_code = models.CharField(max_length=40)
    reason = models.TextField()
    placed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField(default=clock.now)
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lift_reason = models.TextField(blank=True)

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        indexes = [models.Index(fields=["subject_kind", "subject_id"])]
        constraints = [
            both_or_neither("lifted_hold_says_by_whom", "lifted_at", "lifted_by"),
            models.UniqueConstraint(
                fields=["subject_kind", "subject_id"], condition=Q(lifted_at=None), name="one_open_hold"
            ),
        ]
        triggers = [
            never_changes("subject_kind", "subject_id", "reason_code", "reason", "placed_by", "placed_at"),
            pgtrigger.Protect(
                name="lifted_never_changes",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__lifted_at__isnull=False),
            ),
            *never_deleted(),
        ]

    @property
    def reason_words(self) -> str:
        """The reason code in words."""
        return reasons.label("hold", self.reason_code)


# A review's own rows have a module of their own; Django finds them through this one.
from compliance.review_rows import ReviewDecision, ReviewNote, ReviewQuestion  # noqa: E402

__all__ = [
    "TWO_PERSON_ACTS",
    "Decision",
    "Hold",
    "Review",
    "ReviewDecision",
    "ReviewNote",
    "ReviewQuestion",
    "RulesAcceptance",
    "Verification",
]
