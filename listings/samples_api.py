"""The API of samples: a seller gives one away, or takes it back."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from listings import samples
from listings.api import own_listing
from listings.models import PublishedSample
from marketplace.api import acted


class SampleOut(serializers.ModelSerializer[PublishedSample]):
    """Since when a sample is given away, and until when it was."""

    listing = serializers.CharField(source="listing.public_id")

    class Meta:
        model = PublishedSample
        fields = ["listing", "published_at", "withdrawn_at"]


class Sample(APIView):
    """A sample of a product: the first rows of its current release, as its page previews them."""

    scope = "sell"

    @extend_schema(request=None, responses={201: SampleOut})
    def post(self, request: Request, public_id: str) -> Response:
        """Let anybody download it, from now on and of later releases too. Answers 409 `sample_withheld`,
        `nothing_to_sample`."""
        listing = own_listing(request, public_id)
        return acted(
            request,
            listing.seller,
            {},
            lambda: _shown(samples.publish(listing, by=request.user)),  # type: ignore[arg-type]
            status=201,
        )


class SampleWithdrawal(APIView):
    """The end of a sample."""

    scope = "sell"

    @extend_schema(request=None, responses=SampleOut)
    def post(self, request: Request, public_id: str) -> Response:
        """Offer it no more. What was downloaded stays counted."""
        listing = own_listing(request, public_id)
        return acted(request, listing.seller, {}, lambda: _shown(samples.withdraw(listing, by=request.user)))  # type: ignore[arg-type]


def _shown(published: PublishedSample) -> dict[str, Any]:
    return dict(SampleOut(published).data)
