"""The API of payout accounts: for members, and for the staff who stand in where a member has no second person."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace import reauthentication, roles
from marketplace.api import acted, read
from marketplace.bells import ring
from marketplace.participants import acting_organisation
from settlement import payout_accounts, tasks
from settlement.models import PayoutAccount
from settlement.staff_api import require_desk

COMMANDS = {"confirmation": payout_accounts.confirm, "dropping": payout_accounts.drop}


class PayoutAccountIn(serializers.Serializer[Any]):
    gateway = serializers.CharField(max_length=20)
    reference = serializers.CharField(max_length=120)


class PayoutAccountOut(serializers.ModelSerializer[PayoutAccount]):
    """An account: it waits for a second person until `confirmed_at`, and serves from `effective_at` on."""

    by = serializers.EmailField(source="by.email")
    confirmed_by = serializers.EmailField(source="confirmed_by.email", allow_null=True, default=None)

    class Meta:
        model = PayoutAccount
        fields = [
            "id", "gateway", "reference", "by", "created_at", "confirmed_by", "confirmed_at", "effective_at",
            "dropped_at",
        ]  # fmt: skip


class WaitingAccountOut(PayoutAccountOut):
    """An account that waits for the exchange's staff."""

    organisation = serializers.CharField(source="organisation.public_id")
    organisation_name = serializers.CharField(source="organisation.name")

    class Meta:
        model = PayoutAccount
        fields = [*PayoutAccountOut.Meta.fields, "organisation", "organisation_name"]


class PayoutAccounts(APIView):
    """GET: where your money goes, newest first. POST: name the account it should go to."""

    scope = "manage"

    @extend_schema(responses=PayoutAccountOut(many=True))
    def get(self, request: Request) -> Response:
        organisation = acting_organisation(request)
        roles.require(request.user, organisation, "see_money")
        rows = organisation.payout_accounts.select_related("by", "confirmed_by")[:50]
        return Response(PayoutAccountOut(rows, many=True).data)

    @extend_schema(request=PayoutAccountIn, responses={201: PayoutAccountOut})
    def post(self, request: Request) -> Response:
        """A second person confirms it. To change an account one must have signed in just now; a key cannot."""
        organisation = acting_organisation(request)
        roles.require(request.user, organisation, "manage_payout")
        body = read(PayoutAccountIn, request)
        if payout_accounts.account_of(organisation) is not None:
            reauthentication.require_fresh(request)
        name = partial(
            payout_accounts.name,
            organisation,
            gateway_name=body["gateway"],
            reference=body["reference"],
            by=request.user,
        )
        return acted(request, organisation, body, lambda: PayoutAccountOut(name()).data, status=201)


class AccountAct(APIView):
    """What is done with an account that does not serve yet."""

    scope = "manage"
    act = ""

    def post(self, request: Request, account_id: int) -> Response:
        organisation = acting_organisation(request)
        account = get_object_or_404(PayoutAccount.objects.filter(organisation=organisation), pk=account_id)
        roles.require(request.user, organisation, "manage_payout")
        command = partial(COMMANDS[self.act], account, by=request.user)
        answer = acted(request, organisation, {}, lambda: PayoutAccountOut(command()).data)
        ring(tasks.pay_members)
        return answer


class AccountConfirmation(AccountAct):
    """The second person's word."""

    act = "confirmation"

    @extend_schema(request=None, responses=PayoutAccountOut)
    def post(self, request: Request, account_id: int) -> Response:
        """Confirm an account a colleague named; a changed account serves after its wait."""
        return super().post(request, account_id)


class AccountDropping(AccountAct):
    """The end of an account before it serves."""

    act = "dropping"

    @extend_schema(request=None, responses=PayoutAccountOut)
    def post(self, request: Request, account_id: int) -> Response:
        """Stop an account that does not serve yet."""
        return super().post(request, account_id)


class WaitingAccounts(ListAPIView):
    """Accounts whose organisation has no second person, for the payments desk."""

    serializer_class = WaitingAccountOut
    queryset = PayoutAccount.objects.none()

    def get_queryset(self) -> QuerySet[PayoutAccount]:
        require_desk(self.request, "payments")
        return payout_accounts.waiting_for_staff().select_related("organisation", "by", "confirmed_by")


class WaitingAccountAct(APIView):
    """What the staff do with such an account."""

    scope = "staff"
    act = ""

    def post(self, request: Request, account_id: int) -> Response:
        roles.require_staff(request.user, "confirm_account")
        account = get_object_or_404(PayoutAccount, pk=account_id)
        command = partial(COMMANDS[self.act], account, by=request.user)
        answer = acted(request, None, {}, lambda: PayoutAccountOut(command()).data)
        ring(tasks.pay_members)
        return answer


class WaitingAccountConfirmation(WaitingAccountAct):
    """The word of the staff in place of the second person."""

    act = "confirmation"

    @extend_schema(request=None, responses=PayoutAccountOut)
    def post(self, request: Request, account_id: int) -> Response:
        """Confirm the account of an organisation that has nobody else to confirm it."""
        return super().post(request, account_id)


class WaitingAccountDropping(WaitingAccountAct):
    """The word of the staff against an account."""

    act = "dropping"

    @extend_schema(request=None, responses=PayoutAccountOut)
    def post(self, request: Request, account_id: int) -> Response:
        """Stop an account that does not serve yet."""
        return super().post(request, account_id)
