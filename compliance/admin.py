"""Records of vetting, review and holds. Deciding is done at the desks."""

from django.contrib import admin

from compliance import models
from compliance.manual_shown import FIELD_LABELS
from compliance.reasons import REASONS
from listings.admin import LONG_MANUAL
from marketplace.act_words import ACTS
from marketplace.looking import Looking, by
from marketplace.regions import REGION_NAMES

REASON_WORDS = {code: words for table in REASONS.values() for code, words in table.items()}


@admin.register(models.Verification)
class Verifications(Looking):
    list_display = ["organisation", "state", "applied_at", "changed_at"]
    list_filter = ["state"]
    search_fields = ["organisation__name", "organisation__latin_name", "organisation__registration_number"]


@admin.register(models.RulesAcceptance)
class RulesAcceptances(Looking):
    list_display = ["organisation", "rules_version", "by", "accepted_at", "rules_digest"]
    search_fields = ["organisation__name"]


@admin.register(models.Decision)
class Decisions(Looking):
    list_display = ["verification", "act", "reason_code", "by", "proposed_at", "second_by", "decided_at", "dropped_at"]
    list_filter = ["act"]
    search_fields = ["verification__organisation__name"]
    also = ("verification__organisation",)
    says = {"act": by(ACTS), "reason_code": by(REASON_WORDS)}


@admin.register(models.Review)
class Reviews(Looking):
    list_display = ["version", "state", "submitted_by", "opened_at", "assignee", "by", "second_by", "decided_at"]
    list_filter = ["state"]
    search_fields = ["=version__listing__public_id", "=version__registration__number"]
    unread = tuple(f"version__{name}" for name in LONG_MANUAL)
    says = {"reason_code": by(REASON_WORDS)}


@admin.register(models.ReviewDecision)
class ReviewDecisions(Looking):
    list_display = ["review", "act", "by", "decided_at", "reason_code", "rules_version", "checklist_version"]
    list_filter = ["act", "reason_code"]
    search_fields = ["=review__version__listing__public_id"]
    unread = ("answers",)
    says = {"act": by(ACTS), "reason_code": by(REASON_WORDS)}


@admin.register(models.ReviewQuestion)
class ReviewQuestions(Looking):
    list_display = ["review", "field", "asked_by", "asked_at", "answered_by", "answered_at", "withdrawn_at"]
    list_filter = ["field"]
    search_fields = ["=review__version__listing__public_id"]
    says = {"field": by(FIELD_LABELS)}


@admin.register(models.ReviewNote)
class ReviewNotes(Looking):
    list_display = ["review", "by", "at", "text"]
    search_fields = ["=review__version__listing__public_id"]


@admin.register(models.Hold)
class Holds(Looking):
    list_display = ["subject_kind", "subject_id", "reason_code", "reason", "placed_by", "placed_at", "lifted_at"]
    list_filter = ["subject_kind", "reason_code"]
    search_fields = ["=subject_id"]
    says = {"reason_code": by(REASON_WORDS)}


@admin.register(models.DossierSection)
class DossierSections(Looking):
    list_display = ["organisation", "section", "saved_by", "saved_at"]
    list_filter = ["section"]
    search_fields = ["organisation__name"]


@admin.register(models.FactChange)
class FactChanges(Looking):
    list_display = ["organisation", "section", "asked_by", "asked_at", "by", "second_by", "decided_at", "outcome"]
    list_filter = ["section", "outcome"]
    search_fields = ["organisation__name"]


@admin.register(models.Declaration)
class Declarations(Looking):
    list_display = ["organisation", "text_version", "is_restricted", "by", "declared_at"]
    search_fields = ["organisation__name"]


@admin.register(models.Proof)
class Proofs(Looking):
    list_display = ["organisation", "kind", "issuer", "number", "expires_on", "uploaded_by", "uploaded_at"]
    list_filter = ["kind"]
    search_fields = ["organisation__name"]


@admin.register(models.Tier)
class Tiers(Looking):
    list_display = ["code", "rank", "names"]


@admin.register(models.TierDecision)
class TierDecisions(Looking):
    list_display = ["organisation", "tier", "by", "decided_at"]
    search_fields = ["organisation__name"]


@admin.register(models.Note)
class Notes(Looking):
    list_display = ["organisation", "by", "written_at"]
    search_fields = ["organisation__name"]


@admin.register(models.ProofPicture)
class ProofPictures(Looking):
    list_display = ["proof", "page", "digest"]


@admin.register(models.Demand)
class Demands(Looking):
    list_display = ["title", "organisation", "sector", "is_public", "state", "posted_at", "open_until", "hidden_at"]
    list_filter = ["state", "sector", "is_public"]
    search_fields = ["title", "organisation__name"]
    says = {"region": by(REGION_NAMES)}


@admin.register(models.DemandMatch)
class DemandMatches(Looking):
    list_display = ["demand", "seller", "listing", "by", "matched_at"]


@admin.register(models.DemandResponse)
class DemandResponses(Looking):
    list_display = ["demand", "seller", "listing", "state", "by", "answered_at"]
    list_filter = ["state"]


@admin.register(models.DemandMessage)
class DemandMessages(Looking):
    list_display = ["response", "is_of_poster", "by", "written_at"]
