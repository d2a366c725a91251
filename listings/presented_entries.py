"""How the API shows the catalogue: pages of products and of other exchanges' entries, and one entry."""

from __future__ import annotations

from typing import Any, Literal

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from listings.filters import NARROWING
from listings.models import CatalogueEntry
from listings.presented import ListedProductOut


class EntryOut(serializers.ModelSerializer[CatalogueEntry]):
    """What another exchange lists, as its catalogue says. It has no offers: it cannot be bought here."""

    type = serializers.SerializerMethodField(help_text="Of another exchange; not sold here.")
    read_at = serializers.DateTimeField(source="last_reading.read_at", help_text="When its row was last read.")

    class Meta:
        model = CatalogueEntry
        fields = [
            "type", "public_id", "exchange", "source", "identifier", "address", "title", "summary", "merchant",
            "category", "kind", "product_type", "sector", "price", "coverage", "update_frequency", "keywords",
            "read_at", "gone_at",
        ]  # fmt: skip

    def get_type(self, _entry: CatalogueEntry) -> Literal["catalogue_entry"]:
        return "catalogue_entry"


class OneEntryOut(EntryOut):
    """An entry in full."""

    first_read_at = serializers.DateTimeField(source="first_reading.read_at")

    class Meta(EntryOut.Meta):
        fields = [*EntryOut.Meta.fields, "details", "first_read_at"]


class FacetValueOut(serializers.Serializer[Any]):
    """A value of a filter."""

    value = serializers.CharField(help_text="What the filter is given.")
    label = serializers.CharField(help_text="In the reader's language.")  # type: ignore[assignment]
    count = serializers.IntegerField(help_text="Results with it, the filter's other values left out.")
    chosen = serializers.BooleanField(source="is_chosen")


class FacetOut(serializers.Serializer[Any]):
    """A filter with the values that narrow to anything; of merchants the most frequent."""

    name = serializers.ChoiceField(choices=NARROWING)
    label = serializers.CharField()  # type: ignore[assignment]
    values = FacetValueOut(many=True)


class CataloguePageOut(serializers.Serializer[Any]):
    """A page of the catalogue: products on sale here first, then other exchanges' entries."""

    count = serializers.IntegerField()
    products = serializers.IntegerField(help_text="Matching products, shown or not.")
    entries = serializers.IntegerField(help_text="Matching entries of other exchanges, shown or not.")
    page = serializers.IntegerField()
    pages = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    understood_as = serializers.CharField(
        allow_null=True, help_text="How a misspelt search was read; null where it was taken as typed."
    )
    has_some_words_only = serializers.BooleanField(help_text="Nothing says every word; the results say some of them.")
    facets = FacetOut(many=True)
    results = serializers.SerializerMethodField()

    @extend_schema_field(
        PolymorphicProxySerializer(
            component_name="CatalogueResult",
            serializers={"product": ListedProductOut, "catalogue_entry": EntryOut},
            resource_type_field_name="type",
            many=True,
        )
    )
    def get_results(self, page: dict[str, Any]) -> list[Any]:
        return [
            dict((EntryOut if isinstance(one, CatalogueEntry) else ListedProductOut)(one).data)
            for one in page["results"]
        ]
