"""The API of reports of products."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from listings import listing_reports
from listings.models import Listing, ListingReport, ReportCategory
from marketplace.api import acted, read
from marketplace.participants import acting_or_none


class ListingReportIn(serializers.Serializer[Any]):
    category = serializers.ChoiceField(choices=ReportCategory.choices)
    text = serializers.CharField(max_length=listing_reports.LONGEST_TEXT)


class ListingReportOut(serializers.ModelSerializer[ListingReport]):
    class Meta:
        model = ListingReport
        fields = ["id", "category", "text", "state", "reported_at"]


class ListingReports(APIView):
    """Reports of a product."""

    scope = "trade"

    @extend_schema(request=ListingReportIn, responses={201: ListingReportOut})
    def post(self, request: Request, public_id: str) -> Response:
        """Report a product to the exchange; you are told by letter what it decides."""
        visible = Listing.objects.visible_to(acting_or_none(request)).filter(current_version__isnull=False)
        listing, body = visible.filter(public_id=public_id).first(), read(ListingReportIn, request)
        if listing is None:
            raise Http404
        make = partial(listing_reports.report, listing, by=request.user, **body)
        return acted(request, None, body, lambda: ListingReportOut(make()).data, status=201)
