"""The REST API of settlement: one class per resource or act; acts are nouns. Rules live in the commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace import roles
from marketplace.api import acted, read
from marketplace.bells import ring
from marketplace.errors import NotReady, Refused
from marketplace.participants import acting_organisation
from marketplace.scopes import require_scope
from settlement import payments, proposals, tasks, trades
from settlement.channels.files.links import links as file_links
from settlement.models import Dispute, Receipt, Trade
from settlement.presenting import (
    AccessOut,
    FileOut,
    PaymentOut,
    ReceiptOut,
    TradeInFullOut,
    TradeOut,
)
from settlement.states import GrantState, TradeState

PARTS = (
    "offer__converts_to",
    "discount",
    "listing",
    "version",
    "release",
    "seller",
    "buyer",
    "certificate",
    "renews",
    "upgrades",
    "bills",
)
NOTICE_LIMIT_BYTES = 256 * 1024


class ReasonIn(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=4000, allow_blank=True, default="")


class AnswerIn(serializers.Serializer[Any]):
    answer = serializers.CharField(max_length=4000)


class AwardIn(serializers.Serializer[Any]):
    refund_minor = serializers.IntegerField(
        min_value=0, help_text="What goes back of the price, in minor units; the same share of the buyer's fee with it."
    )
    resolution = serializers.CharField(max_length=4000)
    ends_access = serializers.BooleanField(default=False, help_text="Only for a free product: decide for the buyer.")


def in_full(trade: Trade, request: Request) -> dict[str, Any]:
    """The trade as the acting organisation sees it."""
    context = {"organisation": acting_organisation(request), "user": request.user}
    return dict(TradeInFullOut(Trade.objects.select_related(*PARTS).get(pk=trade.pk), context=context).data)


class Trades(ListAPIView):
    """GET: the trades your organisation is a party to. POST: propose a trade."""

    scope = "trade"
    serializer_class = TradeOut

    def get_queryset(self):  # type: ignore[no-untyped-def]
        if getattr(self, "swagger_fake_view", False):
            return Trade.objects.none()
        rows = Trade.objects.visible_to(acting_organisation(self.request)).select_related(*PARTS)
        state, side = self.request.query_params.get("state"), self.request.query_params.get("side")
        if state:
            rows = rows.filter(state=state)
        if side in ("buyer", "seller"):
            rows = rows.filter(**{side: acting_organisation(self.request)})
        return rows

    @extend_schema(
        parameters=[
            OpenApiParameter("state", enum=TradeState.values),
            OpenApiParameter("side", enum=["buyer", "seller"], description="Only what you buy, or sell."),
        ]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(request=proposals.ProposalIn, responses={201: TradeInFullOut})
    def post(self, request: Request) -> Response:
        organisation = acting_organisation(request)
        body = read(proposals.ProposalIn, request)
        propose = proposals.command(body, organisation, by=request.user)
        answer = acted(request, organisation, body, lambda: in_full(propose(), request), status=201)
        ring(tasks.register_trades)
        return answer


class OneTrade(APIView):
    """GET: one trade, with its timeline and what you may do."""

    @extend_schema(responses=TradeInFullOut)
    def get(self, request: Request, trade_id: str) -> Response:
        visible = Trade.objects.visible_to(acting_organisation(request))
        return Response(in_full(get_object_or_404(visible, public_id=trade_id), request))


class _Act(APIView):
    """An act of one side on a trade."""

    scope = "trade"

    def act(
        self, request: Request, trade_id: str, *, side: str, body: dict[str, Any], command: Callable[[Trade], object]
    ) -> Response:
        organisation = acting_organisation(request)
        rows = Trade.objects.sold_by(organisation) if side == "seller" else Trade.objects.bought_by(organisation)
        trade = get_object_or_404(rows, public_id=trade_id)

        def run() -> dict[str, Any]:
            command(trade)
            return in_full(trade, request)

        return acted(request, organisation, body, run)


class TradeAgreement(_Act):
    """POST: the seller agrees to a proposed trade. Answers 409 `wrong_state`, `sold_out`, 403 `not_cleared`."""

    @extend_schema(request=None, responses=TradeInFullOut)
    def post(self, request: Request, trade_id: str) -> Response:
        answer = self.act(
            request, trade_id, side="seller", body={}, command=lambda trade: trades.agree(trade, by=request.user)
        )
        ring(tasks.register_trades)
        return answer


class TradeRefusal(_Act):
    """POST: the seller declines a proposed trade."""

    @extend_schema(request=ReasonIn, responses=TradeInFullOut)
    def post(self, request: Request, trade_id: str) -> Response:
        body = read(ReasonIn, request)
        return self.act(
            request,
            trade_id,
            side="seller",
            body=body,
            command=lambda trade: trades.decline(trade, reason=body["reason"], by=request.user),
        )


class TradeCancellation(_Act):
    """POST: the buyer withdraws before money has arrived."""

    @extend_schema(request=ReasonIn, responses=TradeInFullOut)
    def post(self, request: Request, trade_id: str) -> Response:
        body = read(ReasonIn, request)
        return self.act(
            request,
            trade_id,
            side="buyer",
            body=body,
            command=lambda trade: trades.cancel(trade, reason=body["reason"], by=request.user),
        )


class TradePayments(_Act):
    """POST: the buyer starts another payment after one failed."""

    @extend_schema(request=None, responses={201: PaymentOut})
    def post(self, request: Request, trade_id: str) -> Response:
        organisation = acting_organisation(request)
        trade = get_object_or_404(Trade.objects.bought_by(organisation), public_id=trade_id)
        answer = acted(
            request,
            organisation,
            {},
            lambda: dict(PaymentOut(trades.pay_again(trade, by=request.user)).data),
            status=201,
        )
        ring(tasks.start_payments)
        return answer


class TradeAcceptance(_Act):
    """POST: the buyer accepts what was delivered."""

    @extend_schema(request=None, responses=TradeInFullOut)
    def post(self, request: Request, trade_id: str) -> Response:
        return self.act(
            request, trade_id, side="buyer", body={}, command=lambda trade: trades.accept(trade, by=request.user)
        )


class TradeDispute(_Act):
    """POST: the buyer objects within the inspection period."""

    @extend_schema(request=ReasonIn, responses=TradeInFullOut)
    def post(self, request: Request, trade_id: str) -> Response:
        body = read(ReasonIn, request)
        return self.act(
            request,
            trade_id,
            side="buyer",
            body=body,
            command=lambda trade: trades.dispute(trade, reason=body["reason"], by=request.user),
        )


class TradeDisputeAnswer(_Act):
    """POST: the seller answers the objection."""

    @extend_schema(request=AnswerIn, responses=TradeInFullOut)
    def post(self, request: Request, trade_id: str) -> Response:
        body = read(AnswerIn, request)
        return self.act(
            request,
            trade_id,
            side="seller",
            body=body,
            command=lambda trade: trades.answer_dispute(
                get_object_or_404(Dispute, trade=trade), answer=body["answer"], by=request.user
            ),
        )


class TradeAward(APIView):
    """POST: the exchange's staff decide a dispute; the whole price back ends the trade."""

    scope = "staff"

    @extend_schema(request=AwardIn, responses=TradeOut)
    def post(self, request: Request, trade_id: str) -> Response:
        roles.require_staff(request.user, "resolve")
        body = read(AwardIn, request)
        dispute = get_object_or_404(Dispute.objects.select_related("trade"), trade__public_id=trade_id)

        def run() -> dict[str, Any]:
            if body["ends_access"] and dispute.trade.price_minor == 0:
                trade = trades.end_free_dispute(dispute, resolution=body["resolution"], by=request.user)
            else:
                trade = trades.resolve(
                    dispute, refund_minor=body["refund_minor"], resolution=body["resolution"], by=request.user
                )
            return dict(TradeOut(trade).data)

        return acted(request, None, body, run)


class TradeAccess(APIView):
    """GET: the buyer's access to the files, with links that lapse. Answers 409 `not_ready`, 403 `grant_closed`.

    Links are downloads: a token needs the scope `trade` for them.
    """

    @extend_schema(responses=AccessOut)
    def get(self, request: Request, trade_id: str) -> Response:
        organisation = acting_organisation(request)
        trade = get_object_or_404(Trade.objects.bought_by(organisation).select_related("grant"), public_id=trade_id)
        roles.require(request.user, organisation, "download")
        if not hasattr(trade, "grant"):
            raise NotReady(_("Nothing was delivered yet."))
        answer = dict(AccessOut(trade.grant).data)
        answer["files"] = []
        if trade.grant.state == GrantState.OPEN:
            require_scope(request, "trade")
            answer["files"] = FileOut(file_links(trade.grant, by=request.user), many=True).data
        return Response(answer)


class TradeReceipts(ListAPIView):
    """GET: every use of the access, newest first; both parties may see it."""

    serializer_class = ReceiptOut

    def get_queryset(self):  # type: ignore[no-untyped-def]
        visible = Trade.objects.visible_to(acting_organisation(self.request))
        trade = get_object_or_404(visible, public_id=self.kwargs["trade_id"])
        return Receipt.objects.filter(grant__trade=trade)


@csrf_exempt
@require_POST
def gateway_notices(request: HttpRequest, name: str) -> JsonResponse:
    """The inbox every gateway uses: check the signature, keep the body, answer 200, read later."""
    if int(request.headers.get("Content-Length") or 0) > NOTICE_LIMIT_BYTES:
        return JsonResponse({"code": "too_large", "detail": "A notice is small.", "next": ""}, status=413)
    try:
        payments.note(name, request.body, request.headers)
    except Refused as refusal:
        status = 404 if refusal.code == "no_gateway" else refusal.status
        return JsonResponse(refusal.as_json(), status=status)
    ring(tasks.read_notices)
    return JsonResponse({"kept": True})
