"""What the API takes and answers of vetting, reviews and holds."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from compliance import checklists, clearance, review_questions, review_targets, reviews, risk, tiers, verification
from compliance.models import (
    TWO_PERSON_ACTS,
    Decision,
    Hold,
    Review,
    ReviewDecision,
    ReviewNote,
    ReviewQuestion,
    RulesAcceptance,
    Tier,
    Verification,
)
from compliance.reasons import LONGEST_REASON_CHARACTERS, REASONS
from compliance.states import VerificationState
from marketplace import desk_targets
from marketplace.members_api import OrganisationOut
from marketplace.models import Organisation


class ReasonOut(serializers.Serializer):
    """One thing that stands in the way, and what would remedy it."""

    code = serializers.CharField()
    detail = serializers.CharField()
    next = serializers.CharField(allow_blank=True)


class RulesOut(serializers.Serializer):
    """The rules of the exchange: Markdown by language, and the digest an acceptance keeps."""

    version = serializers.CharField()
    digest = serializers.CharField()
    texts = serializers.DictField(child=serializers.CharField())


class ApplicationIn(serializers.Serializer):
    rules_version = serializers.CharField(max_length=20, help_text="The version of the rules you read and accept.")


class AcceptanceOut(serializers.ModelSerializer):
    by = serializers.EmailField(source="by.email")

    class Meta:
        model = RulesAcceptance
        fields = ["rules_version", "rules_digest", "by", "accepted_at"]


class DecisionOut(serializers.ModelSerializer):
    """What was decided of the organisation and why; who decided is the staff's to see."""

    class Meta:
        model = Decision
        fields = ["id", "act", "reason_code", "reason", "proposed_at", "decided_at"]


class StaffDecisionOut(serializers.ModelSerializer):
    """A decision with its one or two persons; it waits while neither decided nor dropped."""

    by = serializers.EmailField(source="by.email")
    second_by = serializers.EmailField(source="second_by.email", allow_null=True, default=None)

    class Meta:
        model = Decision
        fields = [
            "id", "act", "reason_code", "reason", "by", "proposed_at", "second_by", "decided_at", "dropped_at"
        ]  # fmt: skip


class TierOut(serializers.ModelSerializer):
    """A tier of membership, named in three languages."""

    class Meta:
        model = Tier
        fields = ["code", "rank", "names"]


class ApplicationOut(serializers.Serializer):
    """Where an organisation stands, why it may not list or trade yet, and what to do next."""

    organisation = serializers.CharField(source="public_id")
    state = serializers.SerializerMethodField()
    reasons = serializers.SerializerMethodField()
    decisions = serializers.SerializerMethodField()
    tier = serializers.SerializerMethodField()
    acceptances = AcceptanceOut(many=True, source="rules_acceptances")

    @extend_schema_field(serializers.ChoiceField(VerificationState.choices, allow_null=True))
    def get_state(self, organisation: Organisation) -> str | None:
        row = Verification.objects.filter(organisation=organisation).first()
        return row.state if row else None

    @extend_schema_field(ReasonOut(many=True))
    def get_reasons(self, organisation: Organisation) -> list[dict[str, str]]:
        return clearance.reasons_against_listing(organisation)

    @extend_schema_field(TierOut(allow_null=True))
    def get_tier(self, organisation: Organisation) -> Any:
        tier = tiers.tier_of(organisation)
        return TierOut(tier).data if tier else None

    @extend_schema_field(DecisionOut(many=True))
    def get_decisions(self, organisation: Organisation) -> Any:
        """Decided ones only: what one person proposed is not yet the exchange's word."""
        decided = Decision.objects.filter(verification__organisation=organisation, decided_at__isnull=False)
        return DecisionOut(decided, many=True).data


class VerificationOut(serializers.ModelSerializer):
    """An organisation as the vetting desk sees it."""

    organisation = OrganisationOut()
    acts = serializers.SerializerMethodField()
    pending = serializers.SerializerMethodField()

    class Meta:
        model = Verification
        fields = ["organisation", "state", "applied_at", "changed_at", "acts", "pending"]

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_acts(self, row: Verification) -> list[str]:
        return verification.possible_acts(row)

    @extend_schema_field(StaffDecisionOut(allow_null=True))
    def get_pending(self, row: Verification) -> Any:
        pending = verification.pending_decision(row)
        return StaffDecisionOut(pending).data if pending else None


class DecisionIn(serializers.Serializer):
    """A decision of the vetting staff; approving and expelling wait for a second person."""

    act = serializers.ChoiceField(sorted({*TWO_PERSON_ACTS, "request_more", "refuse", "suspend", "reinstate"}))
    reason_code = serializers.CharField(max_length=40, help_text="See /reasons.")
    reason = serializers.CharField(max_length=LONGEST_REASON_CHARACTERS, help_text="Words the organisation reads.")


class CodedReasonIn(serializers.Serializer):
    """Why, as a code and in words the other side reads."""

    reason_code = serializers.CharField(max_length=40, help_text="See /reasons.")
    reason = serializers.CharField(max_length=LONGEST_REASON_CHARACTERS)


class ChecklistAnswerIn(serializers.Serializer):
    """One item of the checklist, answered."""

    item = serializers.CharField(max_length=40, help_text="Its id: see the review's checklist.")
    answer = serializers.ChoiceField(checklists.ANSWERS)
    note = serializers.CharField(max_length=checklists.LONGEST_NOTE, allow_blank=True, default="")


class ApprovalIn(serializers.Serializer):
    """An approval with the answers to the checklist; each required item is answered yes."""

    answers = serializers.ListField(child=ChecklistAnswerIn(), max_length=100)


class SendingBackIn(CodedReasonIn):
    """Why a version is sent back, with the answers to the checklist as far as it was filled in."""

    answers = serializers.ListField(child=ChecklistAnswerIn(), max_length=100, required=False)


class QuestionIn(serializers.Serializer):
    """A question to the seller about one field of the manual, or about the offers."""

    field = serializers.CharField(max_length=40)
    question = serializers.CharField(max_length=review_questions.LONGEST_TEXT_CHARACTERS)


class QuestionAnswerIn(serializers.Serializer):
    answer = serializers.CharField(max_length=review_questions.LONGEST_TEXT_CHARACTERS)


class NoteIn(serializers.Serializer):
    """A note for colleagues; the seller never sees it."""

    text = serializers.CharField(max_length=review_questions.LONGEST_TEXT_CHARACTERS)


class NoteOut(serializers.ModelSerializer):
    by = serializers.EmailField(source="by.email")

    class Meta:
        model = ReviewNote
        fields = ["id", "text", "by", "at"]


class QuestionOut(serializers.ModelSerializer):
    """A question and its answer, as both sides see them; it waits while neither answered nor withdrawn."""

    class Meta:
        model = ReviewQuestion
        fields = ["id", "field", "question", "asked_at", "answer", "answered_at", "withdrawn_at"]


class ReviewDecisionOut(serializers.ModelSerializer):
    """A decision with the versions of the rules and of the checklist it was made by, and the checklist's answers."""

    by = serializers.EmailField(source="by.email")

    class Meta:
        model = ReviewDecision
        fields = [
            "act", "by", "decided_at", "reason_code", "reason", "rules_version", "checklist_version", "answers"
        ]  # fmt: skip


class RiskOut(serializers.Serializer):
    """One reason for care."""

    code = serializers.CharField()
    points = serializers.IntegerField()
    text = serializers.CharField()


class CheckOut(serializers.Serializer):
    """One item of the checklist."""

    id = serializers.CharField()
    is_required = serializers.BooleanField()
    text = serializers.CharField()


class ReviewOut(serializers.ModelSerializer):
    """A review as the reviewers see it."""

    listing = serializers.CharField(source="version.listing.public_id")
    version = serializers.IntegerField(source="version.number")
    title = serializers.CharField(source="version.title")
    seller = serializers.CharField(source="version.listing.seller.name")
    submitted_by = serializers.EmailField(source="submitted_by.email")
    assignee = serializers.EmailField(source="assignee.email", allow_null=True, default=None)
    by = serializers.EmailField(source="by.email", allow_null=True, default=None)
    second_by = serializers.EmailField(source="second_by.email", allow_null=True, default=None)
    risk = serializers.SerializerMethodField()
    target_state = serializers.SerializerMethodField()
    acts = serializers.SerializerMethodField()

    class Meta:
        model = Review
        fields = [
            "id", "listing", "version", "title", "seller", "state", "submitted_by", "opened_at", "target_hours",
            "due_at", "stands_still_since", "target_state", "risk_points", "risk", "assignee", "by", "first_at",
            "second_by", "decided_at", "reason_code", "reason", "acts",
        ]  # fmt: skip

    @extend_schema_field(RiskOut(many=True))
    def get_risk(self, review: Review) -> Any:
        return RiskOut(risk.words(review.risk), many=True).data

    @extend_schema_field(
        serializers.ChoiceField(
            [
                desk_targets.OVERDUE,
                desk_targets.SOON,
                desk_targets.IN_TIME,
                desk_targets.STANDS_STILL,
                desk_targets.DECIDED,
            ]
        )
    )
    def get_target_state(self, review: Review) -> str:
        return review_targets.age_of(review).state

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_acts(self, review: Review) -> list[str]:
        return reviews.possible_acts(review, self.context["request"].user)


class WholeReviewOut(ReviewOut):
    """One review with its checklist, decisions, questions and the staff's notes."""

    checklist = serializers.SerializerMethodField()
    checklist_version = serializers.SerializerMethodField()
    decisions = ReviewDecisionOut(many=True)
    questions = QuestionOut(many=True)
    notes = NoteOut(many=True)

    class Meta(ReviewOut.Meta):
        fields = [*ReviewOut.Meta.fields, "checklist_version", "checklist", "decisions", "questions", "notes"]

    @extend_schema_field(CheckOut(many=True))
    def get_checklist(self, review: Review) -> Any:
        return CheckOut(reviews.checklist_of(review), many=True).data

    def get_checklist_version(self, review: Review) -> str:
        return checklists.CURRENT_VERSION


class OwnReviewOut(serializers.ModelSerializer):
    """A review as the seller sees it: its state, when sent back why, and what the reviewers ask."""

    questions = QuestionOut(many=True)

    class Meta:
        model = Review
        fields = ["id", "state", "opened_at", "decided_at", "reason_code", "reason", "questions"]


class HoldIn(serializers.Serializer):
    """A hold on an organisation or a listing; one on a trade is placed at the trade."""

    subject_kind = serializers.ChoiceField([Hold.Subject.ORGANISATION.value, Hold.Subject.LISTING.value])
    subject = serializers.CharField(max_length=20, help_text="Its public id.")
    reason_code = serializers.ChoiceField(sorted(REASONS["hold"]))
    reason = serializers.CharField(max_length=LONGEST_REASON_CHARACTERS)


class LiftingIn(serializers.Serializer):
    reason = serializers.CharField(max_length=LONGEST_REASON_CHARACTERS)


class HoldOut(serializers.ModelSerializer):
    """A hold, open while `lifted_at` is null."""

    placed_by = serializers.EmailField(source="placed_by.email")
    lifted_by = serializers.EmailField(source="lifted_by.email", allow_null=True, default=None)

    class Meta:
        model = Hold
        fields = [
            "id", "subject_kind", "subject_id", "reason_code", "reason", "placed_by", "placed_at", "lifted_by",
            "lifted_at", "lift_reason",
        ]  # fmt: skip
