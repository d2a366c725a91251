"""The API of revenue splits: for who lays them down, and for who gets a share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from listings.api import own_listing
from marketplace import reauthentication, roles
from marketplace.api import acted, read
from marketplace.errors import Invalid
from marketplace.participants import acting_organisation
from settlement import splits
from settlement.models import RevenueShare, RevenueSplit


class ShareIn(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=RevenueShare.Kind.choices)
    basis_points = serializers.IntegerField(min_value=0, max_value=10_000)
    organisation = serializers.CharField(max_length=20, allow_null=True, default=None, help_text="Its public id.")
    product = serializers.CharField(max_length=20, allow_null=True, default=None, help_text="Upstream: its public id.")


class SplitIn(serializers.Serializer[Any]):
    shares = serializers.ListField(child=ShareIn(), min_length=1, max_length=splits.MOST_SHARES)


class ShareOut(serializers.ModelSerializer[RevenueShare]):
    """A share, in basis points of what its product got after the exchange's fee."""

    organisation = serializers.CharField(source="payee.public_id")
    product = serializers.CharField(source="upstream.public_id", allow_null=True, default=None)

    class Meta:
        model = RevenueShare
        fields = ["kind", "basis_points", "organisation", "product", "agreed_at"]


class SplitOut(serializers.ModelSerializer[RevenueSplit]):
    """It counts for trades proposed while it is `in_force`."""

    shares = ShareOut(many=True)

    class Meta:
        model = RevenueSplit
        fields = ["id", "state", "proposed_at", "in_force_at", "ended_at", "shares"]


class OwnShareOut(serializers.ModelSerializer[RevenueShare]):
    """What you get of another's product."""

    split = serializers.IntegerField(source="split_id")
    state = serializers.CharField(source="split.state")
    of_product = serializers.CharField(source="split.listing.public_id")
    seller = serializers.CharField(source="split.listing.seller.public_id")
    product = serializers.CharField(source="upstream.public_id", allow_null=True, default=None)

    class Meta:
        model = RevenueShare
        fields = ["split", "state", "of_product", "seller", "kind", "basis_points", "product", "agreed_at"]


class AnsweredSplitOut(serializers.Serializer[RevenueSplit]):
    """A split after your answer, with your own shares of it alone."""

    id = serializers.IntegerField()
    state = serializers.CharField()
    shares = OwnShareOut(many=True)


class Splits(APIView):
    """GET: how a product's revenue is shared, newest first. POST: lay down another split."""

    scope = "manage"

    @extend_schema(responses=SplitOut(many=True))
    def get(self, request: Request, public_id: str) -> Response:
        listing = own_listing(request, public_id)
        roles.require(request.user, listing.seller, "see_money")
        rows = listing.splits.prefetch_related("shares__payee", "shares__upstream")[:50]
        return Response(SplitOut(rows, many=True).data)

    @extend_schema(request=SplitIn, responses={201: SplitOut})
    def post(self, request: Request, public_id: str) -> Response:
        """It gives money away: one must have signed in just now; a key cannot.

        Answers 400 `wrong_split`, 409 `split_waits`, `share_left_out`, `split_in_a_circle`.
        """
        listing = own_listing(request, public_id)
        roles.require(request.user, listing.seller, "split_revenue")
        body = read(SplitIn, request)
        reauthentication.require_fresh(request)
        wanted = _wanted(body["shares"])
        command = partial(splits.propose, listing, wanted, by=request.user)
        return acted(request, listing.seller, body, lambda: SplitOut(command()).data, status=201)


def _wanted(said: list[dict[str, Any]]) -> list[splits.Wanted]:
    """The shares as the command takes them. Raises Invalid, naming what nobody knows."""
    payees = splits.organisations(_named(said, "organisation"))
    products = splits.products(_named(said, "product"))
    for names, known in ((_named(said, "organisation"), payees), (_named(said, "product"), products)):
        if unknown := next((name for name in names if name not in known), None):
            raise Invalid(_("Nothing here has the number %(number)s."), code="wrong_split", number=repr(unknown))
    return [
        splits.Wanted(one["kind"], one["basis_points"], payees.get(one["organisation"]), products.get(one["product"]))
        for one in said
    ]


def _named(said: list[dict[str, Any]], what: str) -> list[str]:
    return [one[what] for one in said if one[what]]


class SplitWithdrawal(APIView):
    """POST: take back a split that waits for agreement. Answers 409 `wrong_state`."""

    scope = "manage"

    @extend_schema(request=None, responses=SplitOut)
    def post(self, request: Request, split_id: int) -> Response:
        organisation = acting_organisation(request)
        found = get_object_or_404(RevenueSplit.objects.filter(listing__seller=organisation), pk=split_id)
        command = partial(splits.withdraw, found, by=request.user)
        return acted(request, organisation, {}, lambda: SplitOut(command()).data)


class OwnShares(ListAPIView):
    """What your organisation gets of others' products, newest first."""

    serializer_class = OwnShareOut
    queryset = RevenueShare.objects.none()

    def get_queryset(self) -> QuerySet[RevenueShare]:
        organisation = acting_organisation(self.request)
        roles.require(self.request.user, organisation, "see_money")
        named = RevenueShare.objects.visible_to(organisation).select_related("split__listing__seller", "upstream")
        return named.order_by("-pk")


class SplitAgreement(APIView):
    """POST: agree to your shares of a split. Answers 409 `agreed_already`, `wrong_state`, `split_in_a_circle`."""

    scope = "manage"

    @extend_schema(request=None, responses=AnsweredSplitOut)
    def post(self, request: Request, split_id: int) -> Response:
        return _answered(request, split_id, splits.agree)


class SplitRefusal(APIView):
    """POST: decline a split that names you. Answers 409 `agreed_already`, `wrong_state`."""

    scope = "manage"

    @extend_schema(request=None, responses=AnsweredSplitOut)
    def post(self, request: Request, split_id: int) -> Response:
        return _answered(request, split_id, splits.decline)


def _answered(request: Request, split_id: int, command: Callable[..., RevenueSplit]) -> Response:
    organisation = acting_organisation(request)
    named = RevenueSplit.objects.filter(shares__payee=organisation).distinct()
    found = get_object_or_404(named, pk=split_id)

    def run() -> dict[str, Any]:
        split = command(found, payee=organisation, by=request.user)
        rows = RevenueShare.objects.visible_to(organisation).filter(split=split)
        shares = OwnShareOut(rows.select_related("split__listing__seller", "upstream"), many=True).data
        return {"id": split.pk, "state": split.state, "shares": shares}

    return acted(request, organisation, {}, run)
