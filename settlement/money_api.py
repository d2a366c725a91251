"""The API of a member's money: where it is, statements, what is kept in reserve, payouts."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace import roles
from marketplace.participants import acting_organisation
from settlement import member_money, reserve_terms, statements
from settlement.models import Payout, Reserve, ReserveTerms, Statement
from settlement.presenting import PayoutOut, ReserveOut, StatementOut


class Statements(ListAPIView):
    """GET: your organisation's settlement statements."""

    serializer_class = StatementOut

    def get_queryset(self):  # type: ignore[no-untyped-def]
        organisation = acting_organisation(self.request)
        roles.require(self.request.user, organisation, "see_money")
        return Statement.objects.filter(organisation=organisation).select_related("cycle", "paper")


class StatementLines(APIView):
    """GET: a settlement statement's lines as CSV, adding up to the cent."""

    @extend_schema(responses={(200, "text/csv"): str})
    def get(self, request: Request, statement_id: int) -> HttpResponse:
        organisation = acting_organisation(request)
        statement = get_object_or_404(Statement.objects.filter(organisation=organisation), pk=statement_id)
        roles.require(request.user, organisation, "see_money")
        answer = HttpResponse(statements.as_csv(statement), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = (
            f'attachment; filename="statement-{statement.cycle.number}-{statement.currency}.csv"'
        )
        return answer


class Reserves(ListAPIView):
    """GET: what clearing cycles kept back of what they brought your organisation, with each day of release."""

    serializer_class = ReserveOut

    def get_queryset(self):  # type: ignore[no-untyped-def]
        organisation = acting_organisation(self.request)
        roles.require(self.request.user, organisation, "see_money")
        return Reserve.objects.filter(organisation=organisation).select_related("cycle", "released_in")


class StandingOut(serializers.Serializer[Any]):
    """One currency, in minor units. What is held or to be cleared is before the fee; `tax` is withheld nowhere."""

    currency = serializers.CharField()
    held_minor = serializers.IntegerField(help_text="In escrow for trades that are not accepted yet.")
    to_clear_minor = serializers.IntegerField(help_text="In escrow for accepted trades.")
    on_its_way_minor = serializers.IntegerField(help_text="Cleared, and not arrived yet.")
    paid_minor = serializers.IntegerField(help_text="Paid out so far.")
    last_paid_at = serializers.DateTimeField(allow_null=True)
    in_reserve_minor = serializers.IntegerField(
        help_text="Cleared and kept back; see `reserves` for each day of release."
    )
    owed_by_it_minor = serializers.IntegerField(help_text="What you owe; the next clearings take it off.")


class ReserveTermsOut(serializers.ModelSerializer[ReserveTerms]):
    """What is kept back of what you get, now or from `begins_on`; an empty currency is every one without terms of its
    own."""

    class Meta:
        model = ReserveTerms
        fields = ["currency", "basis_points", "days", "begins_on", "ends_on", "reason"]


class MoneyOut(serializers.Serializer[Any]):
    next_clearing_at = serializers.DateTimeField()
    reserve_terms = ReserveTermsOut(many=True)
    currencies = StandingOut(many=True)


class MemberMoney(APIView):
    """GET: where the money of your sales is, by currency, and when the next clearing is."""

    @extend_schema(responses=MoneyOut)
    def get(self, request: Request) -> Response:
        organisation = acting_organisation(request)
        roles.require(request.user, organisation, "see_money")
        told = {
            "next_clearing_at": member_money.next_clearing_at(),
            "reserve_terms": reserve_terms.told_to(organisation),
            "currencies": member_money.standing(organisation),
        }
        return Response(MoneyOut(told).data)


class Payouts(ListAPIView):
    """GET: what the exchange paid or owes your organisation."""

    serializer_class = PayoutOut

    def get_queryset(self):  # type: ignore[no-untyped-def]
        organisation = acting_organisation(self.request)
        roles.require(self.request.user, organisation, "see_money")
        return Payout.objects.filter(organisation=organisation).select_related("cycle", "trade")
