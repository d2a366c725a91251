"""The API of standing orders: a licence is renewed before it ends, until its buyer stops that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.api import acted
from marketplace.participants import acting_organisation
from settlement import renewals
from settlement.api import in_full
from settlement.models import Trade
from settlement.presenting import TradeInFullOut


class TradeRenewal(APIView):
    """POST: let the licence be renewed before it ends, until further notice.

    Answers 409 `not_renewable`, `renewed_already`, `wrong_state`.
    """

    scope = "trade"

    @extend_schema(request=None, responses=TradeInFullOut)
    def post(self, request: Request, trade_id: str) -> Response:
        return _acted(request, trade_id, lambda trade: renewals.keep(trade, by=request.user))


class RenewalStopping(APIView):
    """POST: the licence is not renewed any more; it lasts until its end. Answers 409 `wrong_state`."""

    scope = "trade"

    @extend_schema(request=None, responses=TradeInFullOut)
    def post(self, request: Request, trade_id: str) -> Response:
        return _acted(request, trade_id, lambda trade: renewals.stop(trade, by=request.user))


def _acted(request: Request, trade_id: str, command: Callable[[Trade], object]) -> Response:
    organisation = acting_organisation(request)
    trade = get_object_or_404(Trade.objects.bought_by(organisation), public_id=trade_id)

    def run() -> dict[str, Any]:
        command(trade)
        return in_full(trade, request)

    return acted(request, organisation, {}, run)
