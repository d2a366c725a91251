"""Records of products, their manuals, releases and offers."""

from django.contrib import admin
from django.utils.translation import get_language

from listings import models
from listings.licence_contract import jurisdiction_label
from listings.offers import channel_choices
from marketplace.looking import Looking

LONG_MANUAL = ("summaries", "fields", "use_scenarios", "forbidden_uses", "source_statement", "rights")


def channel_words(code: str) -> str:
    return str(dict(channel_choices()).get(code, code))


def jurisdiction_words(code: str) -> str:
    return jurisdiction_label(code, get_language() or "en")


@admin.register(models.Listing)
class Listings(Looking):
    list_display = ["__str__", "seller", "product_type", "state", "created_at", "listed_at"]
    list_filter = ["state", "product_type"]
    search_fields = ["=public_id", "seller__name", "=current_version__registration__number"]
    also = ("current_version",)
    unread = tuple(f"current_version__{name}" for name in LONG_MANUAL)


@admin.register(models.Version)
class Versions(Looking):
    list_display = ["__str__", "listing", "state", "classification", "sector", "submitted_by", "submitted_at"]
    list_filter = ["state", "classification", "sector"]
    search_fields = ["=listing__public_id", "=registration__number"]
    also = ("listing__current_version",)
    unread = LONG_MANUAL


@admin.register(models.Release)
class Releases(Looking):
    list_display = ["label", "listing", "size_bytes", "digest", "created_by", "created_at", "sealed_at"]
    search_fields = ["=listing__public_id", "label", "=digest"]
    also = ("listing__current_version",)


@admin.register(models.ReleaseFile)
class ReleaseFiles(Looking):
    list_display = ["path", "release", "size_bytes", "sha256", "created_at"]
    search_fields = ["=sha256", "path"]


@admin.register(models.Upload)
class Uploads(Looking):
    list_display = ["path", "release", "size_bytes", "received_bytes", "created_by", "created_at", "lapses_at"]


@admin.register(models.Profile)
class Profiles(Looking):
    list_display = ["release", "state", "quality", "tries", "next_try_at", "error_code", "measured_at"]
    list_filter = ["state"]
    unread = ("report",)


@admin.register(models.Offer)
class Offers(Looking):
    list_display = [
        "name", "listing", "price_minor", "currency", "audience", "channel", "licences_left", "licences_total",
        "created_at", "closed_at",
    ]  # fmt: skip
    list_filter = ["audience", "currency", "channel"]
    search_fields = ["=public_id", "=listing__public_id", "name"]
    also = ("listing__current_version",)
    unread = ("terms",)
    says = {"channel": channel_words, "jurisdiction": jurisdiction_words}


@admin.register(models.Discount)
class Discounts(Looking):
    list_display = ["offer", "percent", "valid_from", "valid_until", "ended_at", "created_by"]
    search_fields = ["=public_id", "=offer__public_id", "=offer__listing__public_id"]
    also = ("offer",)


@admin.register(models.OfferBuyer)
class OfferBuyers(Looking):
    list_display = ["offer", "organisation"]


@admin.register(models.Registration)
class Registrations(Looking):
    list_display = ["number", "version", "holder", "release_digest", "registered_at"]
    search_fields = ["=number", "holder__name"]
    unread = ("rights", "source_statement")


@admin.register(models.CatalogueEntry)
class CatalogueEntries(Looking):
    list_display = ["title", "exchange", "identifier", "merchant", "product_type", "sector", "gone_at", "withdrawn_at"]
    list_filter = ["exchange", "product_type", "sector"]
    search_fields = ["=public_id", "=identifier", "title", "merchant"]
    exclude = ["digest"]
    unread = ("details", "summary")


@admin.register(models.CatalogueReading)
class CatalogueReadings(Looking):
    list_display = ["pk", "read_at", "digest", "counts"]


@admin.register(models.Quota)
class Quotas(Looking):
    list_display = ["organisation", "most_bytes", "most_files", "created_by", "created_at"]
    search_fields = ["organisation__name"]


@admin.register(models.Objection)
class Objections(Looking):
    list_display = ["registration", "state", "by", "filed_at", "decided_by", "decided_at"]
    list_filter = ["state"]
    search_fields = ["=registration__number"]


@admin.register(models.Question)
class Questions(Looking):
    list_display = ["listing", "asked_for", "by", "asked_at", "answered_at", "hidden_at"]
    search_fields = ["=listing__public_id"]


@admin.register(models.Answer)
class Answers(Looking):
    list_display = ["question", "by", "answered_at"]


@admin.register(models.ListingReport)
class ListingReports(Looking):
    list_display = ["listing", "category", "state", "by", "reported_at", "decided_by", "decided_at"]
    list_filter = ["state", "category"]
    search_fields = ["=listing__public_id"]


@admin.register(models.PublishedSample)
class PublishedSamples(Looking):
    list_display = ["listing", "published_by", "published_at", "withdrawn_by", "withdrawn_at"]
    search_fields = ["=listing__public_id"]


@admin.register(models.DailyCount)
class DailyCounts(Looking):
    list_display = ["listing", "day", "seen", "opened", "sampled"]
    search_fields = ["=listing__public_id"]


@admin.register(models.CountedBatch)
class CountedBatches(Looking):
    list_display = ["key", "counted_at"]


@admin.register(models.SavedSearch)
class SavedSearches(Looking):
    list_display = ["user", "name", "frequency", "created_at", "seen_at"]
    search_fields = ["=user__email"]


@admin.register(models.FoundProduct)
class FoundProducts(Looking):
    list_display = ["search", "listing", "found_at"]
    search_fields = ["=listing__public_id"]
