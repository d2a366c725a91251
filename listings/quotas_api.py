"""The API of quotas: what a member may keep at the exchange; staff decide otherwise for one."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from listings import quotas
from listings.models import Quota
from marketplace import roles
from marketplace.api import acted, read
from marketplace.models import Organisation
from marketplace.participants import acting_organisation


class AllowanceOut(serializers.Serializer[Any]):
    most_bytes = serializers.IntegerField()
    most_files = serializers.IntegerField()
    used_bytes = serializers.IntegerField()
    used_files = serializers.IntegerField()


class QuotaIn(serializers.Serializer[Any]):
    most_bytes = serializers.IntegerField(min_value=0)
    most_files = serializers.IntegerField(min_value=0)
    reason = serializers.CharField(max_length=2000)


class QuotaOut(serializers.ModelSerializer[Quota]):
    class Meta:
        model = Quota
        fields = ["most_bytes", "most_files", "reason", "created_at"]


class OwnAllowance(APIView):
    """What the organisation one acts for may keep here."""

    @extend_schema(responses=AllowanceOut)
    def get(self, request: Request) -> Response:
        """Bytes and files: the most there may be, and how many there are, those on their way in included."""
        organisation = acting_organisation(request)
        roles.require(request.user, organisation, "look")
        return Response(AllowanceOut(quotas.allowance(organisation)).data)


class OrganisationQuota(APIView):
    """How much one organisation may keep here."""

    scope = "staff"

    @extend_schema(request=QuotaIn, responses=QuotaOut)
    def post(self, request: Request, public_id: str) -> Response:
        """Staff decide otherwise than the settings do for everybody, and say why."""
        roles.require_staff(request.user, "set_quota")
        body = read(QuotaIn, request)
        organisation = get_object_or_404(Organisation, public_id=public_id)
        decide = partial(quotas.set_quota, organisation, by=request.user, **body)
        return acted(request, None, body, lambda: QuotaOut(decide()).data)
