"""The staff's API of the demand board: all demands, matched with sellers or hidden."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance import demands
from compliance.demand_api import DemandOut
from compliance.demand_desk import seller_of
from compliance.models import Demand, DemandMatch
from compliance.staff_api import require_desk
from compliance.states import DemandState
from marketplace import roles
from marketplace.api import acted, read


class StaffDemandOut(DemandOut):
    """A demand with who posted it, and why it is hidden."""

    organisation = serializers.CharField(source="organisation.public_id")

    class Meta(DemandOut.Meta):
        fields = [*DemandOut.Meta.fields, "organisation", "hidden_reason"]


class DemandMatchOut(serializers.ModelSerializer[DemandMatch]):
    seller = serializers.CharField(source="seller.public_id")
    product = serializers.CharField(source="listing.public_id", allow_null=True, default=None)

    class Meta:
        model = DemandMatch
        fields = ["id", "seller", "product", "note", "matched_at"]


class DemandMatchIn(serializers.Serializer[Any]):
    """Whom the staff think of: a seller, a product, or both."""

    seller = serializers.CharField(max_length=40, default="", allow_blank=True)
    product = serializers.CharField(max_length=40, default="", allow_blank=True)
    note = serializers.CharField(max_length=demands.LONGEST_NOTE, default="", allow_blank=True)


class DemandHidingIn(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=demands.LONGEST_NOTE)


class StaffDemands(ListAPIView):
    """Every demand, private ones too, for the desk of demands."""

    serializer_class = StaffDemandOut
    queryset = Demand.objects.none()

    def get_queryset(self) -> QuerySet[Demand]:
        require_desk(self.request.user, "demands")
        state = self.request.query_params.get("state")
        rows = Demand.objects.select_related("organisation", "met_by")
        return rows.filter(state=state) if state else rows

    @extend_schema(parameters=[OpenApiParameter("state", enum=DemandState.values)])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Newest first."""
        return super().get(request, *args, **kwargs)


class DemandMatches(ListAPIView):
    """Whom a demand was matched with."""

    scope = "staff"
    serializer_class = DemandMatchOut
    queryset = DemandMatch.objects.none()

    def get_queryset(self) -> QuerySet[DemandMatch]:
        require_desk(self.request.user, "demands")
        found = get_object_or_404(Demand, public_id=self.kwargs["public_id"])
        return found.matches.select_related("seller", "listing")

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=DemandMatchIn, responses={201: DemandMatchOut})
    def post(self, request: Request, public_id: str) -> Response:
        """Show the demand to a seller, who is written to."""
        roles.require_staff(request.user, "match_demand")
        found, body = get_object_or_404(Demand, public_id=public_id), read(DemandMatchIn, request)
        seller = seller_of(body["seller"], body["product"])
        make = partial(demands.match, found, seller=seller, product=body["product"], note=body["note"], by=request.user)
        return acted(request, None, body, lambda: DemandMatchOut(make()).data, status=201)


class DemandHiding(APIView):
    """Takes a demand off the board."""

    scope = "staff"

    @extend_schema(request=DemandHidingIn, responses=StaffDemandOut)
    def post(self, request: Request, public_id: str) -> Response:
        """Hide it from all but its poster and those who answered; the poster reads the reason."""
        roles.require_staff(request.user, "hide_demand")
        found, body = get_object_or_404(Demand, public_id=public_id), read(DemandHidingIn, request)
        run = partial(demands.hide, found, by=request.user, **body)
        return acted(request, None, body, lambda: StaffDemandOut(run()).data)
