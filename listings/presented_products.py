"""What the API answers of a product as anybody sees it, alone or beside others."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from listings import catalogue
from listings.presented import ManualOut, OfferOut, ProfileOut, ReleaseOut, SellerOut


class ProductOut(serializers.Serializer[Any]):
    """A product as anybody sees it: what the seller says, what the exchange measured, and what may be bought."""

    public_id = serializers.CharField(source="listing.public_id")
    product_type = serializers.CharField(source="listing.product_type")
    state = serializers.CharField(source="listing.state")
    listed_at = serializers.DateTimeField(source="listing.listed_at")
    seller = SellerOut(source="listing.seller")
    registration = serializers.CharField(source="registration.number")
    registered_at = serializers.DateTimeField(source="registration.registered_at")
    manual = serializers.SerializerMethodField()
    release = ReleaseOut(source="version.release")
    measured = serializers.SerializerMethodField()
    samples = serializers.SerializerMethodField(help_text="Tables anybody may download, where the seller lets them.")
    offers = OfferOut(many=True)

    class SampleTableOut(serializers.Serializer[Any]):
        """One table of the sample."""

        path = serializers.CharField()
        url = serializers.CharField(help_text="CSV: UTF-8, the first row holds the columns' names.")

    @extend_schema_field(ProfileOut(allow_null=True))
    def get_measured(self, product: catalogue.Product) -> dict[str, Any] | None:
        """Without the first rows where they are withheld."""
        if product.profile is None:
            return None
        told = dict(ProfileOut(product.profile).data)
        if product.rows_withheld and told["report"]:
            files = [
                {name: value for name, value in one.items() if name != "preview"} for one in told["report"]["files"]
            ]
            told["report"] = told["report"] | {"files": files}
        return told

    @extend_schema_field(SampleTableOut(many=True))
    def get_samples(self, product: catalogue.Product) -> list[dict[str, str]]:
        return [
            {"path": table.path, "url": reverse("product_sample", args=[product.listing.public_id, table.number])}
            for table in product.sample
        ]

    @extend_schema_field(ManualOut)
    def get_manual(self, product: catalogue.Product) -> dict[str, Any]:
        """The evidence of rights is for the reviewers."""
        manual = dict(ManualOut(product.version).data)
        manual["rights"] = {
            right: {name: value for name, value in claim.items() if name != "evidence"}
            for right, claim in manual["rights"].items()
        }
        return manual


class ComparisonOut(serializers.Serializer[Any]):
    """Products side by side."""

    products = ProductOut(many=True)
    columns_in_common = serializers.ListField(child=serializers.CharField())
    columns_elsewhere = serializers.ListField(child=serializers.CharField(), help_text="Columns that not all have.")
