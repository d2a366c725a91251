"""The API of an application's sections, the declaration, and changes of verified facts."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance import declaration_text, dossier, fact_changes
from compliance.models import Declaration, FactChange
from marketplace import roles
from marketplace.api import acted, read
from marketplace.models import Organisation
from marketplace.participants import own_organisation


class SectionIn(serializers.Serializer):
    """A section's facts; what is left out becomes empty."""

    facts = serializers.DictField(help_text="As GET dossier shows the section.")


class DeclarationIn(serializers.Serializer):
    """The declaration on sanctions and related parties; its text is in GET dossier."""

    text_version = serializers.CharField(max_length=20)
    is_restricted = serializers.BooleanField(help_text="Whether it, an owner or who directs it is on such a list.")
    related_parties = serializers.CharField(allow_blank=True, max_length=dossier.LONGEST_RELATED_CHARACTERS)


class DeclarationOut(serializers.ModelSerializer):
    by = serializers.EmailField(source="by.email")

    class Meta:
        model = Declaration
        fields = ["text_version", "text_digest", "is_restricted", "related_parties", "by", "declared_at"]


class FactChangeOut(serializers.ModelSerializer):
    """A change of verified facts, old and new side by side; open while `outcome` is empty."""

    asked_by = serializers.EmailField(source="asked_by.email")

    class Meta:
        model = FactChange
        fields = [
            "id", "section", "before", "after", "asked_by", "asked_at", "takes_two", "outcome", "reason", "decided_at",
        ]  # fmt: skip

    takes_two = serializers.BooleanField(help_text="Whether two of the staff have to confirm it.")


class StaffFactChangeOut(FactChangeOut):
    """A change as the vetting desk sees it, with who said the first and the second word."""

    organisation = serializers.CharField(source="organisation.public_id")
    by = serializers.EmailField(source="by.email", allow_null=True, default=None)
    second_by = serializers.EmailField(source="second_by.email", allow_null=True, default=None)

    class Meta:
        model = FactChange
        fields = [*FactChangeOut.Meta.fields, "organisation", "by", "second_by"]


class MissingOut(serializers.Serializer):
    """One thing that must be told before applying."""

    field = serializers.CharField()
    detail = serializers.CharField()
    next = serializers.CharField()


class DossierOut(serializers.Serializer):
    """All sections as they stand, what is missing, and changes that wait."""

    sections = serializers.DictField(child=serializers.DictField())
    missing = MissingOut(many=True)
    declaration = DeclarationOut(allow_null=True)
    declaration_version = serializers.CharField(help_text="The version to declare now.")
    declaration_texts = serializers.DictField(child=serializers.CharField())
    changes = FactChangeOut(many=True)


class FactChangeRefusalIn(serializers.Serializer):
    reason = serializers.CharField(max_length=2000, help_text="Words the organisation reads.")


def dossier_told(organisation: Organisation) -> dict[str, Any]:
    version = declaration_text.CURRENT_VERSION
    told = {
        "sections": dossier.facts_of(organisation),
        "missing": dossier.missing(organisation),
        "declaration": organisation.declarations.select_related("by").first(),
        "declaration_version": version,
        "declaration_texts": declaration_text.TEXTS[version],
        "changes": organisation.fact_changes.filter(outcome="").select_related("asked_by").order_by("pk"),
    }
    return dict(DossierOut(told).data)


class Dossier(APIView):
    """What one of your organisations tells of itself to be vetted."""

    @extend_schema(responses=DossierOut)
    def get(self, request: Request, public_id: str) -> Response:
        """Every section, what is still missing before it can apply, and changes that wait. Only owners may."""
        organisation = own_organisation(request, public_id)
        roles.require(request.user, organisation, "apply")
        return Response(dossier_told(organisation))


class DossierSectionSaving(APIView):
    """One section of it."""

    @extend_schema(request=SectionIn, responses=DossierOut)
    def post(self, request: Request, public_id: str, section: str) -> Response:
        """Save a section; once verified, ask for the change, which the exchange confirms. Only owners may."""
        organisation = own_organisation(request, public_id)
        asked = read(SectionIn, request)

        def tell() -> dict[str, Any]:
            dossier.tell(organisation, section, asked["facts"], by=request.user)
            organisation.refresh_from_db()
            return dossier_told(organisation)

        return acted(request, organisation, asked, tell)


class Declarations(APIView):
    """The declaration on sanctions and related parties."""

    @extend_schema(request=DeclarationIn, responses={201: DeclarationOut})
    def post(self, request: Request, public_id: str) -> Response:
        """Declare for the organisation; a later declaration replaces an earlier. Only owners may."""
        organisation = own_organisation(request, public_id)
        asked = read(DeclarationIn, request)
        declare = partial(dossier.declare, organisation, by=request.user, **asked)
        return acted(request, organisation, asked, lambda: DeclarationOut(declare()).data, status=201)


class FactChangeWithdrawal(APIView):
    """The end of a change that was asked for."""

    @extend_schema(request=None, responses=FactChangeOut)
    def post(self, request: Request, public_id: str, change_id: int) -> Response:
        """Take back a change that waits for the exchange. Only owners may."""
        organisation = own_organisation(request, public_id)
        change = get_object_or_404(FactChange.objects.filter(organisation=organisation), pk=change_id)
        withdraw = partial(fact_changes.withdraw, change, by=request.user)
        return acted(request, organisation, {}, lambda: FactChangeOut(withdraw()).data)
