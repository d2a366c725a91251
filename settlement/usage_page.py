"""Where the parties of a licence read its calls and bills, ask for a bill, end the access, and fetch statements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.api import acted
from marketplace.bells import ring
from marketplace.errors import NotReady
from marketplace.models import Organisation
from marketplace.participants import acting_organisation
from marketplace.signed_in import person
from settlement import billing, metering, tasks
from settlement.api import in_full
from settlement.models import Trade
from settlement.presenting import TradeInFullOut


class BillOut(serializers.ModelSerializer[Trade]):
    """A bill: a trade of its own that is paid as any other."""

    class Meta:
        model = Trade
        fields = [
            "public_id", "register_number", "state", "first_call", "quantity", "price_minor", "currency",
            "billed_until",
        ]  # fmt: skip


class UsageOut(serializers.Serializer[Any]):
    """The calls of a licence that are billed monthly."""

    counted = serializers.IntegerField(help_text="All calls so far.")
    this_month = serializers.IntegerField()
    billed = serializers.IntegerField(help_text="On bills, paid or to be paid.")
    paid = serializers.IntegerField()
    unbilled = serializers.IntegerField()
    limit = serializers.IntegerField(help_text="How many calls may be unpaid.")
    left = serializers.IntegerField(help_text="How many calls may be made before something is paid.")
    unit_price_minor = serializers.IntegerField(source="unit_price.minor")
    currency = serializers.CharField(source="unit_price.currency")
    is_overdue = serializers.BooleanField(help_text="A bill was not paid in time: access rests until it is.")
    bills = serializers.SerializerMethodField()

    @extend_schema_field(BillOut(many=True))
    def get_bills(self, _usage: metering.Usage) -> list[dict[str, Any]]:
        return [dict(row) for row in BillOut(metering.bills(self.context["trade"]), many=True).data]


def _own(trade_id: str, organisation: Organisation) -> Trade:
    rows = Trade.objects.visible_to(organisation).select_related("offer", "grant", "buyer", "seller")
    return get_object_or_404(rows, public_id=trade_id)


class TradeUsage(APIView):
    """GET: the calls of a licence billed monthly and its bills. Answers 409 `not_ready` where there are none."""

    @extend_schema(responses=UsageOut)
    def get(self, request: Request, trade_id: str) -> Response:
        trade = _own(trade_id, acting_organisation(request))
        usage = metering.of(trade)
        if usage is None:
            raise NotReady(_("No calls are billed under this order."))
        return Response(UsageOut(usage, context={"trade": trade}).data)


class TradeBills(APIView):
    """POST: the buyer asks for the bill of every call that stands on none. Answers the bill, a trade.

    409 `bill_open`, 422 `nothing_to_bill`.
    """

    scope = "trade"

    @extend_schema(request=None, responses={201: TradeInFullOut})
    def post(self, request: Request, trade_id: str) -> Response:
        organisation = acting_organisation(request)
        trade = get_object_or_404(Trade.objects.bought_by(organisation), public_id=trade_id)
        by = person(request)
        answer = acted(request, organisation, {}, lambda: in_full(billing.ask(trade, by=by), request), status=201)
        ring(tasks.register_trades)
        return answer


class AccessEnding(APIView):
    """POST: the buyer ends the access now, the seller to the end of the following month. Answers 409 `wrong_state`."""

    scope = "trade"

    @extend_schema(request=None, responses=TradeInFullOut)
    def post(self, request: Request, trade_id: str) -> Response:
        organisation = acting_organisation(request)
        trade = _own(trade_id, organisation)
        command: Callable[..., Trade] = billing.end if trade.buyer_id == organisation.pk else billing.give_notice
        return acted(request, organisation, {}, lambda: in_full(command(trade, by=request.user), request))


class UsageStatement(APIView):
    """GET: the usage statement of a bill, as CSV: its calls by day. Answers 409 `not_ready` before its delivery."""

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.BINARY})
    def get(self, request: Request, trade_id: str) -> HttpResponse:
        return _statement(trade_id, acting_organisation(request))


@login_required
@require_safe
@never_cache
def usage_statement(request: HttpRequest, trade_id: str) -> HttpResponse:
    """The same for a page; its digest stands on the delivery record."""
    return _statement(trade_id, acting_organisation(request))


def _statement(trade_id: str, organisation: Organisation) -> HttpResponse:
    trade = _own(trade_id, organisation)
    access: dict[str, Any] = trade.grant.access if trade.bills_id and hasattr(trade, "grant") else {}
    if "statement" not in access:
        raise NotReady(_("There is no usage statement of this order."))
    answer = HttpResponse(access["statement"], content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{access["files"][0]["path"]}"'
    return answer
