"""The API of the public register, open to anyone; objecting needs an account."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from listings import catalogue, objections, register
from listings.models import Objection, Registration
from listings.presented import SellerOut, TextsField
from marketplace.api import acted, read


class RegisterEntryOut(serializers.ModelSerializer[Registration]):
    """A registration, as anyone may see it."""

    holder = SellerOut()
    titles = TextsField(source="version.titles")
    product_type = serializers.CharField(source="version.listing.product_type")
    version = serializers.IntegerField(source="version.number")
    standing = serializers.SerializerMethodField(
        help_text="public, objected, objection_upheld, superseded, registered, listed, suspended or withdrawn."
    )

    class Meta:
        model = Registration
        fields = [
            "number", "holder", "titles", "product_type", "version", "standing", "registered_at", "objections_until",
        ]  # fmt: skip

    def get_standing(self, entry: Registration) -> str:
        return register.standing(entry, self.context["objected"]).code


class HappenedOut(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    what = serializers.CharField(source="code")
    number = serializers.CharField(help_text="Of the registration it concerns, or ''.")


class CertificateOut(serializers.Serializer[Any]):
    number = serializers.CharField()
    kind = serializers.CharField()
    issued_at = serializers.DateTimeField()


class EntryInFullOut(RegisterEntryOut):
    """A registration with its rights, source, certificates and history."""

    rights_held = serializers.SerializerMethodField(help_text="Of holding, use and operation those claimed.")
    classification = serializers.CharField(source="version.classification")
    has_personal_data = serializers.BooleanField(source="version.has_personal_data")
    certificates = serializers.SerializerMethodField()
    history = serializers.SerializerMethodField()

    class Meta(RegisterEntryOut.Meta):
        fields = [
            *RegisterEntryOut.Meta.fields, "rights_held", "source_statement", "classification", "has_personal_data",
            "release_digest", "certificates", "history",
        ]  # fmt: skip

    def get_rights_held(self, entry: Registration) -> list[str]:
        return [name for name in ("holding", "use", "operation") if entry.rights.get(name, {}).get("held")]

    @extend_schema_field(CertificateOut(many=True))
    def get_certificates(self, entry: Registration) -> list[dict[str, Any]]:
        return [dict(CertificateOut(paper).data) for paper in register.certificates(entry)]

    @extend_schema_field(HappenedOut(many=True))
    def get_history(self, entry: Registration) -> list[dict[str, Any]]:
        return [dict(HappenedOut(one).data) for one in register.history(entry)]


class RegisterPageOut(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    page = serializers.IntegerField()
    pages = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = RegisterEntryOut(many=True)


class ObjectionIn(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=objections.LONGEST_TEXT)
    evidence = serializers.CharField(max_length=objections.LONGEST_TEXT, allow_blank=True, default="")


class ObjectionOut(serializers.ModelSerializer[Objection]):
    registration = serializers.CharField(source="registration.number")

    class Meta:
        model = Objection
        fields = ["id", "registration", "state", "reason", "evidence", "filed_at", "decision", "decided_at"]


class Register(APIView):
    """The public register."""

    permission_classes = [AllowAny]

    @extend_schema(
        parameters=[
            OpenApiParameter("q", description="A number, a holder's name, or words of the product."),
            OpenApiParameter("page", int, description=f"{catalogue.ON_A_PAGE} a page."),
        ],
        responses=RegisterPageOut,
    )
    def get(self, request: Request) -> Response:
        """Registrations, the newest first."""
        text = request.query_params.get("q", "").replace("\0", "")[:200]
        page = catalogue.page_of(register.search(text), request.query_params.get("page", "1"))
        here = request.build_absolute_uri()
        found = list(page)
        told = {
            "count": page.paginator.count,
            "page": page.number,
            "pages": page.paginator.num_pages,
            "next": replace_query_param(here, "page", page.number + 1) if page.has_next() else None,
            "previous": replace_query_param(here, "page", page.number - 1) if page.has_previous() else None,
            "results": found,
        }
        return Response(RegisterPageOut(told, context={"objected": register.objected_to(found)}).data)


class OneEntry(APIView):
    """One registration."""

    permission_classes = [AllowAny]

    @extend_schema(operation_id="register_entry", responses=EntryInFullOut)
    def get(self, request: Request, number: str) -> Response:
        """What is registered, where it stands, its certificates and its history."""
        entry = _found(number)
        return Response(EntryInFullOut(entry, context={"objected": register.objected_to([entry])}).data)


class Objections(APIView):
    """Objections to a registration."""

    @extend_schema(request=ObjectionIn, responses={201: ObjectionOut})
    def post(self, request: Request, number: str) -> Response:
        """Object while the window is open; the product is not listed before this is decided."""
        entry, body = _found(number), read(ObjectionIn, request)
        make = partial(objections.file, entry, by=request.user, **body)
        return acted(request, None, body, lambda: ObjectionOut(make()).data, status=201)


def _found(number: str) -> Registration:
    entry = register.one(number)
    if entry is None:
        raise Http404
    return entry
