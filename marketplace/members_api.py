"""The API of members: oneself, one's organisations, their people and invitations."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace import letters, participants, roles
from marketplace.api import acted, read
from marketplace.models import Invitation, Membership, Organisation
from marketplace.participants import own_organisation
from marketplace.roles import Role, StaffRole
from marketplace.scopes import require_unbound

# --- what goes in and out ------------------------------------------------------------------------------------------


class OrganisationFacts(serializers.Serializer):
    """What an organisation says of itself; the command checks each fact."""

    kinds = serializers.ListField(child=serializers.ChoiceField(Organisation.Kind.choices), max_length=7)
    name = serializers.CharField(max_length=200, help_text="In its own script.")
    latin_name = serializers.CharField(max_length=200, help_text="In Latin script.")
    country = serializers.CharField(max_length=2, help_text="ISO 3166-1; CN, HK and MO are different here.")
    region = serializers.CharField(
        max_length=40, help_text="On the mainland ISO 3166-2:CN or a pilot zone; else HK, MO or `other`."
    )
    number_kind = serializers.ChoiceField(Organisation.NumberKind.choices)
    registration_number = serializers.CharField(max_length=60)


class OrganisationOut(serializers.ModelSerializer):
    class Meta:
        model = Organisation
        fields = [
            "public_id", "kinds", "name", "latin_name", "country", "region", "number_kind", "registration_number",
            "created_at",
        ]  # fmt: skip


class MembershipOut(serializers.ModelSerializer):
    """A person's place in an organisation."""

    email = serializers.EmailField(source="user.email")
    name = serializers.CharField(source="user.name")

    class Meta:
        model = Membership
        fields = ["id", "email", "name", "role", "created_at", "ended_at"]


class RoleIn(serializers.Serializer):
    role = serializers.ChoiceField(Role.choices)


class InvitationIn(serializers.Serializer):
    email = serializers.EmailField()
    role = serializers.ChoiceField(Role.choices)


class InvitationOut(serializers.ModelSerializer):
    class Meta:
        model = Invitation
        fields = ["id", "email", "role", "created_at", "lapses_at", "accepted_at", "withdrawn_at"]


class AcceptanceIn(serializers.Serializer):
    secret = serializers.CharField(max_length=100, help_text="The last part of the link in the letter.")


class OwnMembershipOut(serializers.ModelSerializer):
    """One of one's own places."""

    organisation = OrganisationOut()

    class Meta:
        model = Membership
        fields = ["id", "organisation", "role", "created_at"]


class MeOut(serializers.Serializer):
    """Who asks, for whom they act, and what they may do for it."""

    email = serializers.EmailField()
    name = serializers.CharField()
    is_staff = serializers.BooleanField()
    staff_roles = serializers.ListField(child=serializers.ChoiceField(StaffRole.choices))
    memberships = OwnMembershipOut(many=True)
    acting = serializers.CharField(allow_null=True, help_text="Public id of the organisation acted for.")
    may = serializers.ListField(child=serializers.CharField(), help_text="Acts one's role allows there.")


# --- routes --------------------------------------------------------------------------------------------------------


class Me(APIView):
    """Who you are here, for which organisation you act, and what you may do for it."""

    @extend_schema(responses=MeOut)
    def get(self, request: Request) -> Response:
        acting = participants.acting_or_none(request)
        role = request.user.role_in(acting) if acting else None
        told = {
            "email": request.user.email,
            "name": request.user.name,
            "is_staff": request.user.is_staff,
            "staff_roles": request.user.staff_roles,
            "memberships": participants.memberships_of(request),
            "acting": acting.public_id if acting else None,
            "may": [act for act, allowed in roles.MEMBER_ACTS.items() if role in allowed],
        }
        return Response(MeOut(told).data)


class Organisations(ListAPIView):
    """Your organisations."""

    serializer_class = OrganisationOut
    queryset = Organisation.objects.none()

    def get_queryset(self) -> QuerySet[Organisation]:
        own = [membership.organisation_id for membership in participants.memberships_of(self.request)]
        return Organisation.objects.of(self.request.user).filter(pk__in=own)

    @extend_schema(request=OrganisationFacts, responses={201: OrganisationOut})
    def post(self, request: Request) -> Response:
        """Register an organisation; you become its owner. To list or trade it then applies to be verified."""
        require_unbound(request)
        facts = read(OrganisationFacts, request)
        return acted(
            request,
            None,
            facts,
            lambda: OrganisationOut(participants.register_organisation(by=request.user, **facts)).data,
            status=201,
        )


class OneOrganisation(APIView):
    """One of your organisations."""

    @extend_schema(responses=OrganisationOut)
    def get(self, request: Request, public_id: str) -> Response:
        return Response(OrganisationOut(own_organisation(request, public_id)).data)


class Members(ListAPIView):
    """Who belongs to one of your organisations, those who left included."""

    serializer_class = MembershipOut
    queryset = Membership.objects.none()

    def get_queryset(self) -> QuerySet[Membership]:
        organisation = own_organisation(self.request, self.kwargs["public_id"])
        return organisation.memberships.select_related("user")


def _membership(request: Request, public_id: str, membership_id: int) -> tuple[Organisation, Membership]:
    organisation = own_organisation(request, public_id)
    return organisation, get_object_or_404(organisation.memberships.select_related("user"), pk=membership_id)


class MemberRole(APIView):
    """A member's role."""

    @extend_schema(request=RoleIn, responses=MembershipOut)
    def post(self, request: Request, public_id: str, membership_id: int) -> Response:
        """Give a member another role. Only owners may; the last owner stays one."""
        organisation, membership = _membership(request, public_id, membership_id)
        asked = read(RoleIn, request)
        change = partial(participants.change_role, membership, asked["role"], by=request.user)
        return acted(request, organisation, asked, lambda: MembershipOut(change()).data)


class MemberDeparture(APIView):
    """The end of a membership."""

    @extend_schema(request=None, responses=MembershipOut)
    def post(self, request: Request, public_id: str, membership_id: int) -> Response:
        """End a membership: an owner any, anybody their own. Their tokens for the organisation end with it."""
        organisation, membership = _membership(request, public_id, membership_id)
        end = partial(participants.end_membership, membership, by=request.user)
        return acted(request, organisation, {}, lambda: MembershipOut(end()).data)


class Invitations(ListAPIView):
    """The invitations of one of your organisations; only owners see them."""

    serializer_class = InvitationOut
    queryset = Invitation.objects.none()

    def get_queryset(self) -> QuerySet[Invitation]:
        organisation = own_organisation(self.request, self.kwargs["public_id"])
        roles.require(self.request.user, organisation, "manage_members")
        return organisation.invitations.all()

    @extend_schema(request=InvitationIn, responses={201: InvitationOut})
    def post(self, request: Request, public_id: str) -> Response:
        """Invite a person by letter; an earlier open invitation to them is withdrawn."""
        organisation = own_organisation(request, public_id)
        asked = read(InvitationIn, request)

        def invite() -> dict[str, Any]:
            invitation, secret = participants.invite(organisation, by=request.user, **asked)
            transaction.on_commit(partial(letters.send_invitation, invitation, secret))
            return InvitationOut(invitation).data

        return acted(request, organisation, asked, invite, status=201)


class InvitationWithdrawal(APIView):
    """The end of an open invitation."""

    @extend_schema(request=None, responses=InvitationOut)
    def post(self, request: Request, public_id: str, invitation_id: int) -> Response:
        """Withdraw an open invitation."""
        organisation = own_organisation(request, public_id)
        roles.require(request.user, organisation, "manage_members")
        invitation = get_object_or_404(organisation.invitations.all(), pk=invitation_id)
        withdraw = partial(participants.withdraw_invitation, invitation, by=request.user)
        return acted(request, organisation, {}, lambda: InvitationOut(withdraw()).data)


class InvitationAcceptance(APIView):
    """Joining an organisation."""

    @extend_schema(request=AcceptanceIn, responses={201: OwnMembershipOut})
    def post(self, request: Request) -> Response:
        """Join the organisation that invited you; the letter must have come to an address of yours."""
        require_unbound(request)
        asked = read(AcceptanceIn, request)
        accept = partial(participants.accept_invitation, asked["secret"], by=request.user)
        return acted(request, None, asked, lambda: OwnMembershipOut(accept()).data, status=201)
