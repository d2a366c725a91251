"""The API of the demand board: look, post, answer, write to each other, end."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.permissions import SAFE_METHODS, AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance import demand_answers, demand_facts, demand_page, demands
from compliance.demand_views import own_answer
from compliance.models import Demand, DemandMessage, DemandResponse
from listings.models import Version
from marketplace.api import acted, read
from marketplace.models import Organisation
from marketplace.money import LARGEST_MINOR
from marketplace.participants import acting_or_none, acting_organisation
from marketplace.regions import REGION_NAMES
from marketplace.scopes import SignedInWithScope

_MINOR = {"min_value": 0, "max_value": LARGEST_MINOR, "allow_null": True, "default": None}
_CURRENCY = {"choices": [(code, code) for code in settings.CURRENCIES], "default": "", "allow_blank": True}


class DemandOut(serializers.ModelSerializer[Demand]):
    """A demand. `posted_by` is null unless its poster chose to be named; amounts are in minor units of `currency`."""

    posted_by = serializers.SerializerMethodField()
    met_by = serializers.CharField(source="met_by.public_id", allow_null=True, default=None)

    class Meta:
        model = Demand
        fields = [
            "public_id", "title", "description", "sector", "region", "columns", "coverage", "frequency",
            "budget_from_minor", "budget_until_minor", "currency", "needed_by", "is_public", "posted_by", "state",
            "posted_at", "open_until", "ended_at", "met_by", "hidden_at",
        ]  # fmt: skip

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_posted_by(self, demand: Demand) -> str | None:
        reader: Organisation | None = self.context.get("reader")
        is_own = reader is not None and reader.pk == demand.organisation_id
        return demand.organisation.public_id if demand.is_named or is_own else None


class DemandIn(serializers.Serializer[Any]):
    """What an organisation needs."""

    title = serializers.CharField(max_length=demand_facts.LONGEST_TITLE)
    description = serializers.CharField(max_length=demand_facts.LONGEST_DESCRIPTION)
    sector = serializers.ChoiceField(choices=Version.Sector.choices)
    region = serializers.ChoiceField(choices=list(REGION_NAMES.items()), default="", allow_blank=True)
    columns = serializers.CharField(max_length=demand_facts.LONGEST_COLUMNS, default="", allow_blank=True)
    coverage = serializers.CharField(max_length=demand_facts.LONGEST_COVERAGE, default="", allow_blank=True)
    frequency = serializers.ChoiceField(choices=Version.Frequency.choices, default="", allow_blank=True)
    budget_from_minor = serializers.IntegerField(**_MINOR)
    budget_until_minor = serializers.IntegerField(**_MINOR)
    currency = serializers.ChoiceField(**_CURRENCY)
    needed_by = serializers.DateField(allow_null=True, default=None)
    is_public = serializers.BooleanField(default=True)
    is_named = serializers.BooleanField(default=False)


class DemandMessageOut(serializers.ModelSerializer[DemandMessage]):
    class Meta:
        model = DemandMessage
        fields = ["id", "is_of_poster", "text", "written_at"]


class DemandResponseOut(serializers.ModelSerializer[DemandResponse]):
    """A seller's answer; `product` is null for a proposal."""

    seller = serializers.CharField(source="seller.public_id")
    product = serializers.CharField(source="listing.public_id", allow_null=True, default=None)
    messages = DemandMessageOut(many=True)

    class Meta:
        model = DemandResponse
        fields = [
            "id", "seller", "product", "text", "price_minor", "currency", "ready_on", "state", "answered_at",
            "ended_at", "reason", "messages",
        ]  # fmt: skip


class DemandResponseIn(serializers.Serializer[Any]):
    """An answer: one of your products on sale by its public_id, or a proposal."""

    product = serializers.CharField(max_length=40, default="", allow_blank=True)
    text = serializers.CharField(max_length=demand_facts.LONGEST_ANSWER)
    price_minor = serializers.IntegerField(**_MINOR)
    currency = serializers.ChoiceField(**_CURRENCY)
    ready_on = serializers.DateField(allow_null=True, default=None)


class DemandMessageIn(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=demand_answers.LONGEST_MESSAGE)


class DemandDecliningIn(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=demand_answers.LONGEST_MESSAGE, default="", allow_blank=True)


class DemandProductIn(serializers.Serializer[Any]):
    product = serializers.CharField(max_length=40, help_text="The public_id of the product that met it.")


class _ReadByAnybody:
    """Looking is for anybody; a token needs the scope of the act for the rest."""

    request: Request

    def get_permissions(self) -> list[BasePermission]:
        return [AllowAny()] if self.request.method in SAFE_METHODS else [SignedInWithScope()]


def _visible(public_id: str, reader: Organisation | None) -> Demand:
    rows = Demand.objects.visible_to(reader).select_related("organisation", "met_by")
    return get_object_or_404(rows, public_id=public_id)


def _own(organisation: Organisation, public_id: str) -> Demand:
    return get_object_or_404(Demand.objects.filter(organisation=organisation), public_id=public_id)


def told(demand: Demand, reader: Organisation | None) -> dict[str, Any]:
    """A demand as this reader is told of it."""
    return dict(DemandOut(demand, context={"reader": reader}).data)


class Demands(_ReadByAnybody, ListAPIView):
    """The demand board."""

    scope = "trade"
    serializer_class = DemandOut
    queryset = Demand.objects.none()

    def get_queryset(self) -> QuerySet[Demand]:
        reader = acting_or_none(self.request)
        show, sector = self.request.query_params.get("show", "open"), self.request.query_params.get("sector", "")
        rows = demand_page.shown(reader, show if reader is not None else "open", sector)
        return rows.select_related("met_by")

    def get_serializer_context(self) -> dict[str, Any]:
        return super().get_serializer_context() | {"reader": acting_or_none(self.request)}

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "show", enum=list(demand_page.SHOWS), description="All but `open` are your organisation’s."
            ),
            OpenApiParameter("sector", enum=Version.Sector.values),
        ]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Open demands, newest first; signed in also what you posted, were matched with or answered."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=DemandIn, responses={201: DemandOut})
    def post(self, request: Request) -> Response:
        """Say what your organisation needs."""
        organisation, body = acting_organisation(request), read(DemandIn, request)
        make = partial(demands.post, organisation, by=request.user, **body)
        return acted(request, organisation, body, lambda: told(make(), organisation), status=201)


class OneDemand(APIView):
    """One demand."""

    permission_classes = [AllowAny]

    @extend_schema(responses=DemandOut)
    def get(self, request: Request, public_id: str) -> Response:
        """A demand you may see: public, your own, matched with you or answered by you."""
        reader = acting_or_none(request)
        return Response(told(_visible(public_id, reader), reader))


class DemandFulfilment(APIView):
    """The end of a demand that was met."""

    scope = "trade"

    @extend_schema(request=DemandProductIn, responses=DemandOut)
    def post(self, request: Request, public_id: str) -> Response:
        """A product on sale here meets it. Only its poster may."""
        organisation = acting_organisation(request)
        found, body = _own(organisation, public_id), read(DemandProductIn, request)
        run = partial(demands.meet, found, by=request.user, **body)
        return acted(request, organisation, body, lambda: told(run(), organisation))


class DemandClosing(APIView):
    """The end of a demand that is no longer needed."""

    scope = "trade"

    @extend_schema(request=None, responses=DemandOut)
    def post(self, request: Request, public_id: str) -> Response:
        """It takes no more answers. Only its poster may."""
        organisation = acting_organisation(request)
        run = partial(demands.close, _own(organisation, public_id), by=request.user)
        return acted(request, organisation, {}, lambda: told(run(), organisation))


class DemandResponses(ListAPIView):
    """Answers to a demand: its poster reads all, a seller its own."""

    scope = "sell"
    serializer_class = DemandResponseOut
    queryset = DemandResponse.objects.none()

    def get_queryset(self) -> QuerySet[DemandResponse]:
        reader = acting_organisation(self.request)
        return demand_page.responses(_visible(self.kwargs["public_id"], reader), reader)

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Newest first, each with what both sides wrote."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=DemandResponseIn, responses={201: DemandResponseOut})
    def post(self, request: Request, public_id: str) -> Response:
        """Answer with one of your products, or with what you propose."""
        seller = acting_organisation(request)
        found, body = _visible(public_id, seller), read(DemandResponseIn, request)
        give = partial(demand_answers.answer, found, seller=seller, by=request.user, **body)
        return acted(request, seller, body, lambda: DemandResponseOut(give()).data, status=201)


class DemandResponseMessages(APIView):
    """What both sides of an answer write to each other."""

    scope = "trade"

    @extend_schema(request=DemandMessageIn, responses={201: DemandMessageOut})
    def post(self, request: Request, public_id: str, answer_id: int) -> Response:
        """Write to the other side."""
        organisation = acting_organisation(request)
        found, body = own_answer(organisation, public_id, answer_id, "message"), read(DemandMessageIn, request)
        run = partial(demand_answers.write, found, acting_for=organisation, by=request.user, **body)
        return acted(request, organisation, body, lambda: DemandMessageOut(run()).data, status=201)


class DemandResponseRefusal(APIView):
    """The poster's no to an answer."""

    scope = "trade"

    @extend_schema(request=DemandDecliningIn, responses=DemandResponseOut)
    def post(self, request: Request, public_id: str, answer_id: int) -> Response:
        """Decline an answer. Only the poster may."""
        organisation = acting_organisation(request)
        found, body = own_answer(organisation, public_id, answer_id, "refusal"), read(DemandDecliningIn, request)
        run = partial(demand_answers.decline, found, by=request.user, **body)
        return acted(request, organisation, body, lambda: DemandResponseOut(run()).data)


class DemandResponseWithdrawal(APIView):
    """The seller takes an answer back."""

    scope = "sell"

    @extend_schema(request=None, responses=DemandResponseOut)
    def post(self, request: Request, public_id: str, answer_id: int) -> Response:
        """Take an answer back. Only its seller may."""
        seller = acting_organisation(request)
        found = own_answer(seller, public_id, answer_id, "withdrawal")
        run = partial(demand_answers.withdraw, found, by=request.user)
        return acted(request, seller, {}, lambda: DemandResponseOut(run()).data)
