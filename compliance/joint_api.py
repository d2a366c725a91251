"""The API of joint merchants: their members, naming one, and the consent of the other organisation."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance import joint_members
from marketplace import roles
from marketplace.api import acted, read
from marketplace.models import JointMember, Organisation
from marketplace.participants import own_organisation

MOST_SHOWN = 200


class JointMemberIn(serializers.Serializer):
    """The organisation to be named, by its public id."""

    member = serializers.CharField(max_length=20)


class JointMemberOut(serializers.ModelSerializer):
    """A member of a joint merchant; it is one once `consented_at` is set."""

    joint = serializers.CharField(source="joint.public_id")
    joint_name = serializers.CharField(source="joint.name")
    member = serializers.CharField(source="member.public_id")
    member_name = serializers.CharField(source="member.name")

    class Meta:
        model = JointMember
        fields = ["id", "joint", "joint_name", "member", "member_name", "named_at", "consented_at", "withdrawn_at"]


class JointMembers(APIView):
    """The joint merchants one of your organisations is or belongs to."""

    @extend_schema(responses=JointMemberOut(many=True))
    def get(self, request: Request, public_id: str) -> Response:
        """Members that stand, and those whose consent is awaited. Only owners may."""
        organisation = own_organisation(request, public_id)
        roles.require(request.user, organisation, "apply")
        return Response(JointMemberOut(joint_members.of(organisation)[:MOST_SHOWN], many=True).data)

    @extend_schema(request=JointMemberIn, responses={201: JointMemberOut})
    def post(self, request: Request, public_id: str) -> Response:
        """Name a member of your joint merchant; one of its owners then consents. Only owners may."""
        organisation = own_organisation(request, public_id)
        asked = read(JointMemberIn, request)

        def name() -> dict[str, Any]:
            return dict(JointMemberOut(joint_members.name(organisation, asked["member"], by=request.user)).data)

        return acted(request, organisation, asked, name, status=201)


class JointConsent(APIView):
    """The consent of a member."""

    @extend_schema(request=None, responses=JointMemberOut)
    def post(self, request: Request, public_id: str, row_id: int) -> Response:
        """Consent for your organisation. Only its owners may."""
        organisation = own_organisation(request, public_id)
        row = get_object_or_404(joint_members.of(organisation).filter(member=organisation), pk=row_id)
        consent = partial(joint_members.consent, row, by=request.user)
        return acted(request, organisation, {}, lambda: dict(JointMemberOut(consent()).data))


class JointWithdrawal(APIView):
    """The end of a membership before the exchange verified it."""

    @extend_schema(request=None, responses=JointMemberOut)
    def post(self, request: Request, public_id: str, row_id: int) -> Response:
        """Decline, withdraw the consent, or take out a member you named. Only owners may."""
        organisation: Organisation = own_organisation(request, public_id)
        row = get_object_or_404(joint_members.of(organisation), pk=row_id)
        withdraw = partial(joint_members.withdraw, row, by=request.user)
        return acted(request, organisation, {}, lambda: dict(JointMemberOut(withdraw()).data))
