"""What the API takes and answers of vetting, reviews and holds."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from compliance import clearance, reviews, verification
from compliance.models import TWO_PERSON_ACTS, Decision, Hold, Review, RulesAcceptance, Verification
from compliance.reasons import LONGEST_REASON_CHARACTERS, REASONS
from compliance.states import VerificationState
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


class ApplicationOut(serializers.Serializer):
    """Where an organisation stands, why it may not list or trade yet, and what to do next."""

    organisation = serializers.CharField(source="public_id")
    state = serializers.SerializerMethodField()
    reasons = serializers.SerializerMethodField()
    decisions = serializers.SerializerMethodField()
    acceptances = AcceptanceOut(many=True, source="rules_acceptances")

    @extend_schema_field(serializers.ChoiceField(VerificationState.choices, allow_null=True))
    def get_state(self, organisation: Organisation) -> str | None:
        row = Verification.objects.filter(organisation=organisation).first()
        return row.state if row else None

    @extend_schema_field(ReasonOut(many=True))
    def get_reasons(self, organisation: Organisation) -> list[dict[str, str]]:
        return clearance.reasons_against_listing(organisation)

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
    acts = serializers.SerializerMethodField()

    class Meta:
        model = Review
        fields = [
            "id", "listing", "version", "title", "seller", "state", "submitted_by", "opened_at", "assignee", "by",
            "first_at", "second_by", "decided_at", "reason_code", "reason", "acts",
        ]  # fmt: skip

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_acts(self, review: Review) -> list[str]:
        return reviews.possible_acts(review, self.context["request"].user)


class OwnReviewOut(serializers.ModelSerializer):
    """A review as the seller sees it: its state and, when sent back, why."""

    class Meta:
        model = Review
        fields = ["id", "state", "opened_at", "decided_at", "reason_code", "reason"]


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
