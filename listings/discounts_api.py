"""The API of discounts, for the seller of an offer. Rules live in the commands."""

from __future__ import annotations

from functools import partial

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from listings import discounts
from listings.models import Discount, Offer
from listings.presented_prices import DiscountIn, OwnDiscountOut
from marketplace.api import acted, read
from marketplace.participants import acting_organisation


class Discounts(ListAPIView):
    """The discounts of an offer of yours, past and coming ones included."""

    scope = "sell"
    serializer_class = OwnDiscountOut
    queryset = Discount.objects.none()

    def get_queryset(self) -> QuerySet[Discount]:
        return self._offer(self.request).discounts.select_related("offer")

    def _offer(self, request: Request) -> Offer:
        own = Offer.objects.filter(listing__seller=acting_organisation(request)).select_related("listing__seller")
        return get_object_or_404(own, public_id=self.kwargs["public_id"])

    @extend_schema(request=DiscountIn, responses={201: OwnDiscountOut})
    def post(self, request: Request, public_id: str) -> Response:
        """Ask less for the offer for a time. Answers 422 `wrong_discount` with every reason."""
        offer, body = self._offer(request), read(DiscountIn, request)
        make = partial(discounts.set_discount, offer, by=request.user, **body)
        return acted(request, offer.listing.seller, body, lambda: OwnDiscountOut(make()).data, status=201)


class DiscountEnding(APIView):
    """The early end of a discount."""

    scope = "sell"

    @extend_schema(request=None, responses=OwnDiscountOut)
    def post(self, request: Request, public_id: str) -> Response:
        """End a discount of yours early; trades made under it keep their price."""
        own = Discount.objects.filter(offer__listing__seller=acting_organisation(request))
        discount = get_object_or_404(own.select_related("offer__listing__seller"), public_id=public_id)
        end = partial(discounts.end_discount, discount, by=request.user)
        return acted(request, discount.offer.listing.seller, {}, lambda: OwnDiscountOut(end()).data)
