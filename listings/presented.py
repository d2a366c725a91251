"""What the API takes and answers of products, manuals, releases and offers."""

from __future__ import annotations

from typing import Any, Literal

from django.conf import settings
from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from listings import arrivals, publishing, terms, uploads
from listings.models import (
    Classification,
    Listing,
    Offer,
    ProductType,
    Profile,
    Release,
    ReleaseFile,
    Upload,
    Version,
)
from listings.presented_prices import PartField, PricedNow, StepField
from listings.states import LISTING_MOVES, VersionState
from listings.terms_words import LANGUAGES
from marketplace.models import Organisation

TEXTS = {"type": "object", "additionalProperties": {"type": "string"}, "description": f"By language: {LANGUAGES}."}
RIGHT = {
    "type": "object",
    "properties": {"held": {"type": "boolean"}, "basis": {"type": "string"}, "evidence": {"type": "string"}},
}
RIGHTS = {"type": "object", "properties": {"holding": RIGHT, "use": RIGHT, "operation": RIGHT}}
FIELD = {
    "type": "object",
    "required": ["name", "meaning"],
    "properties": {
        "name": {"type": "string"},
        "type": {"type": "string"},
        "meaning": {"type": "string"},
        "unit": {"type": "string"},
        "example": {"type": "string"},
        "is_key": {"type": "boolean", "description": "Whether it helps to tell one row from another."},
    },
}
TERMS = {"type": "object", "description": terms.__doc__}
WORDS = {
    "type": "object",
    "description": "The licence in plain words of the request's language: may, may_not, must.",
}
REPORT = {
    "type": "object",
    "description": "What the exchange measured: `files`, `rows`, `newest_date`, `personal_columns`, `quality`.",
    "nullable": True,
}


@extend_schema_field(TEXTS)
class TextsField(serializers.JSONField):
    """Texts by language."""


@extend_schema_field(RIGHTS)
class RightsField(serializers.JSONField):
    """The three rights a seller claims."""


@extend_schema_field({"type": "array", "items": FIELD})
class FieldsField(serializers.JSONField):
    """The field dictionary."""


@extend_schema_field(TERMS)
class TermsField(serializers.JSONField):
    """Licence terms as data; see listings.terms."""


@extend_schema_field(REPORT)
class ReportField(serializers.JSONField):
    """The profile's report."""


# --- in ------------------------------------------------------------------------------------------------------------


class ListingIn(serializers.Serializer[Any]):
    product_type = serializers.ChoiceField(ProductType.choices)


class ListingReasonIn(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=publishing.LONGEST_REASON, help_text="In words the seller sees.")


class ManualIn(serializers.Serializer[Any]):
    """Fields of the manual to change; those left out stay. The command checks each by its exact type."""

    titles = TextsField(required=False)
    summaries = TextsField(required=False)
    sector = serializers.ChoiceField(Version.Sector.choices, required=False)
    coverage_from = serializers.DateField(required=False, allow_null=True, help_text="The first day the data covers.")
    coverage_until = serializers.DateField(required=False, allow_null=True, help_text="The last; null: it goes on.")
    coverage_area = TextsField(required=False)
    coverage_population = serializers.CharField(required=False)
    update_frequency = serializers.ChoiceField(Version.Frequency.choices, required=False)
    fields_ = FieldsField(required=False)
    use_scenarios = serializers.CharField(required=False)
    forbidden_uses = serializers.CharField(required=False)
    source_statement = serializers.CharField(required=False)
    lawful_basis = serializers.ChoiceField(Version.Basis.choices, required=False)
    rights = RightsField(required=False)
    classification = serializers.ChoiceField(Classification.choices, required=False)
    has_personal_data = serializers.BooleanField(required=False)
    has_sensitive_data = serializers.BooleanField(required=False)
    persons_count = serializers.IntegerField(required=False)
    leaves_mainland = serializers.BooleanField(required=False)
    support_contact = serializers.CharField(required=False)
    release = serializers.IntegerField(required=False, allow_null=True, help_text="Id of a release of this product.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`fields` is a manual's field, and a serializer's own attribute."""
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}


class ReleaseIn(serializers.Serializer[Any]):
    label = serializers.CharField(max_length=60)  # type: ignore[assignment]
    notes = serializers.CharField(max_length=4000, allow_blank=True, default="", help_text="What changed.")


class UploadIn(serializers.Serializer[Any]):
    path = serializers.CharField(max_length=300, trim_whitespace=False, help_text="Name within the release.")
    size_bytes = serializers.IntegerField()
    sha256 = serializers.CharField(
        max_length=80, allow_blank=True, default="", help_text="If given, a file that differs is refused at its end."
    )
    in_parts = serializers.BooleanField(
        default=False, help_text="Send it straight to the store, where the exchange has one that takes parts."
    )


class OfferIn(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120)
    price_minor = serializers.IntegerField(
        allow_null=True,
        default=None,
        help_text="In minor units of the currency (cents); 0 is free; null where it is priced per call.",
    )
    steps = StepField(many=True, default=list, help_text="Prices per call; empty for one price.")
    most_quantity = serializers.IntegerField(
        allow_null=True, default=None, help_text="The most calls in one purchase, where priced per call."
    )
    instalments = PartField(many=True, default=list, help_text="2 to 12, paid before delivery; empty for at once.")
    is_postpaid = serializers.BooleanField(
        default=False,
        help_text="Calls are billed monthly: one step from 1; `most_quantity` is how many may be unpaid.",
    )
    currency = serializers.CharField(max_length=3, help_text="ISO 4217.")
    terms = TermsField()
    channel = serializers.CharField(max_length=20, default="files")
    inspection_days = serializers.IntegerField(default=7)
    jurisdiction = serializers.CharField(
        max_length=20,
        allow_blank=True,
        default="",
        help_text="Governing law and forum; '' is the nearest to your seat.",
    )
    audience = serializers.ChoiceField(Offer.Audience.choices, default=Offer.Audience.EVERYONE)
    buyers = serializers.ListField(
        child=serializers.CharField(max_length=20), default=list, help_text="Public ids of the buyers an offer names."
    )
    licences_total = serializers.IntegerField(allow_null=True, default=None, help_text="null for no limit.")
    open_until = serializers.DateTimeField(allow_null=True, default=None, help_text="null until it is closed.")
    note = serializers.CharField(allow_blank=True, default="", help_text="Read by named buyers alone.")
    converts_to = serializers.CharField(
        max_length=20,
        allow_blank=True,
        default="",
        help_text="Of a free trial: the paid offer it goes on with. Its terms say `term_days`.",
    )


# --- out -----------------------------------------------------------------------------------------------------------


class SellerOut(serializers.ModelSerializer[Organisation]):
    class Meta:
        model = Organisation
        fields = ["public_id", "name", "latin_name", "country"]


class ProblemOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()
    field = serializers.CharField()
    at = serializers.CharField(required=False, help_text="Where in the field: a language, or a right.")


class ReleaseFileOut(serializers.ModelSerializer[ReleaseFile]):
    class Meta:
        model = ReleaseFile
        fields = ["path", "size_bytes", "sha256", "media_type"]


class UploadOut(serializers.ModelSerializer[Upload]):
    offset = serializers.SerializerMethodField(help_text="How many bytes have arrived; send on from here.")
    checked = serializers.SerializerMethodField(help_text="How much of its check is done, 0 to 1.")
    part_bytes = serializers.IntegerField(help_text="Size of the parts that go to the store; 0: send by offset.")

    class Meta:
        model = Upload
        fields = [
            "public_id", "path", "size_bytes", "state", "offset", "part_bytes", "checked", "refusal_code", "refusal",
            "lapses_at",
        ]  # fmt: skip

    def get_checked(self, upload: Upload) -> float:
        return arrivals.share_checked(upload)

    def get_offset(self, upload: Upload) -> int:
        return uploads.offset_of(upload)


class ProfileOut(serializers.ModelSerializer[Profile]):
    error = serializers.CharField(source="why", help_text="In the request's language.")
    report = ReportField()

    class Meta:
        model = Profile
        fields = ["state", "quality", "measured_at", "bytes_done", "error_code", "error", "report"]


class ReleaseOut(serializers.ModelSerializer[Release]):
    class Meta:
        model = Release
        fields = ["id", "label", "notes", "created_at", "sealed_at", "digest", "size_bytes"]


class ReleaseInFullOut(ReleaseOut):
    files = ReleaseFileOut(many=True)
    uploads = UploadOut(many=True, help_text="Files on their way in.")
    profile_state = serializers.CharField(source="profile.state", default="", help_text="due, done, failed, or ''.")

    class Meta(ReleaseOut.Meta):
        fields = [*ReleaseOut.Meta.fields, "files", "uploads", "profile_state"]


class OfferOut(PricedNow, serializers.ModelSerializer[Offer]):  # type: ignore[misc]
    terms = TermsField()
    licence = serializers.SerializerMethodField()
    converts_to = serializers.CharField(
        source="converts_to.public_id",
        allow_null=True,
        default=None,
        help_text="Of a free trial: the paid offer it goes on with where the buyer so orders.",
    )

    class Meta:
        model = Offer
        fields = [
            "public_id", "name", "price_minor", "discount", "price_now_minor", "currency", "steps", "steps_now",
            "most_quantity", "is_postpaid", "instalments", "terms", "licence", "channel", "inspection_days",
            "jurisdiction", "contract_version", "audience", "licences_total", "licences_left", "created_at",
            "open_until", "note", "closed_at", "converts_to",
        ]  # fmt: skip

    @extend_schema_field(WORDS)
    def get_licence(self, offer: Offer) -> dict[str, Any]:
        return dict(terms.plain_words(offer.terms, get_language() or settings.LANGUAGE_CODE))


class OwnOfferOut(OfferOut):
    buyers: Any = serializers.SlugRelatedField("public_id", many=True, read_only=True)
    listing = serializers.CharField(source="listing.public_id")

    class Meta(OfferOut.Meta):
        fields = [*OfferOut.Meta.fields, "buyers", "listing"]


class ManualOut(serializers.ModelSerializer[Version]):
    """What the seller says of the product."""

    titles = TextsField()
    summaries = TextsField()
    fields_ = FieldsField()
    rights = RightsField()

    class Meta:
        model = Version
        fields = [
            "number", "titles", "summaries", "sector", "coverage_from", "coverage_until", "coverage_area",
            "coverage_population", "update_frequency", "fields_", "use_scenarios", "forbidden_uses",
            "source_statement", "lawful_basis", "rights", "classification", "has_personal_data", "has_sensitive_data",
            "persons_count", "leaves_mainland", "support_contact",
        ]  # fmt: skip

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`fields` is a manual's field, and a serializer's own attribute."""
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}


class VersionOut(ManualOut):
    """A version as its seller sees it; a draft with everything that keeps it from being submitted."""

    release: Any = serializers.PrimaryKeyRelatedField(read_only=True, allow_null=True)
    registration = serializers.CharField(source="registration.number", default=None, allow_null=True)
    problems = serializers.SerializerMethodField()

    class Meta(ManualOut.Meta):
        fields = [
            *ManualOut.Meta.fields,
            "release", "state", "created_at", "submitted_at", "approved_at", "registration", "problems",
        ]  # fmt: skip

    @extend_schema_field(ProblemOut(many=True))
    def get_problems(self, version: Version) -> list[Any]:
        return list(publishing.problems(version)) if version.state == VersionState.DRAFT else []


class ListingOut(serializers.ModelSerializer[Listing]):
    """A product as its seller sees it."""

    title = serializers.CharField(source="__str__")
    current_version = serializers.IntegerField(source="current_version.number", default=None, allow_null=True)
    possible_acts = serializers.SerializerMethodField(help_text="Acts its state allows now, whoever may do them.")

    class Meta:
        model = Listing
        fields = [
            "public_id", "product_type", "title", "state", "reason", "current_version", "created_at", "listed_at",
            "possible_acts",
        ]  # fmt: skip

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_possible_acts(self, listing: Listing) -> list[str]:
        return list(LISTING_MOVES[listing.state])


class ListedProductOut(serializers.ModelSerializer[Listing]):
    """A product in the catalogue."""

    type = serializers.SerializerMethodField(help_text="On sale here.")
    title = serializers.CharField(source="current_version.title")
    titles = TextsField(source="current_version.titles")
    summary = serializers.CharField(source="current_version.summary")
    sector = serializers.CharField(source="current_version.sector")
    classification = serializers.CharField(source="current_version.classification")
    registration = serializers.CharField(source="current_version.registration.number")
    seller = SellerOut()
    rows = serializers.IntegerField(allow_null=True, help_text="Rows of its release, as measured.")
    offers = serializers.SerializerMethodField()

    class Meta:
        model = Listing
        fields = [
            "type", "public_id", "product_type", "title", "titles", "summary", "sector", "classification",
            "registration", "seller", "rows", "listed_at", "offers",
        ]  # fmt: skip

    class PriceOut(PricedNow):
        """An offer's price."""

        public_id = serializers.CharField()
        currency = serializers.CharField()

    def get_type(self, _listing: Listing) -> Literal["product"]:
        return "product"

    @extend_schema_field(PriceOut(many=True))
    def get_offers(self, listing: Any) -> list[dict[str, Any]]:
        return [dict(self.PriceOut(offer).data) for offer in listing.open_offers if not offer.is_trial]
