"""The API of the exchange's own desks: clearing, money that did not match, refunds that bounced."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance import holds
from compliance.presented import HoldOut
from compliance.reasons import LONGEST_REASON_CHARACTERS, REASONS
from marketplace import roles
from marketplace.api import acted, read
from marketplace.bells import ring
from marketplace.errors import RoleNeeded
from settlement import clearing, mendings, payments, tasks, trades
from settlement.models import ClearingCycle, Refund, RefundMending, Trade, Unmatched
from settlement.presenting import RefundOut, TradeOut
from settlement.states import CycleState, OutgoingState


def require_desk(request: Request, desk: str) -> None:
    """Raises RoleNeeded unless the person sees this desk."""
    if not roles.sees_desk(request.user, desk):
        raise RoleNeeded(_("The desk “%(desk)s” is for those of the staff who work there."), desk=desk)


class CycleOut(serializers.ModelSerializer[ClearingCycle]):
    class Meta:
        model = ClearingCycle
        fields = ["number", "currency", "state", "opened_at", "cut_off_at", "closed_at", "released_at"]


class ClosingIn(serializers.Serializer[Any]):
    currency = serializers.RegexField(r"^[A-Z]{3}\Z", help_text="Of which the open cycle is closed.")


class UnmatchedOut(serializers.ModelSerializer[Unmatched]):
    trade = serializers.CharField(source="payment.trade.public_id", allow_null=True, default=None)

    class Meta:
        model = Unmatched
        fields = [
            "id", "gateway", "payer_reference", "amount_minor", "currency", "why", "trade", "arrived_at", "decided_at",
            "decision",
        ]  # fmt: skip


class ResendingIn(serializers.Serializer[Any]):
    payer_reference = serializers.CharField(
        max_length=120, allow_blank=True, default="", help_text="The payer's mended account, if it changed."
    )


class TradeHoldIn(serializers.Serializer[Any]):
    reason_code = serializers.ChoiceField(sorted(REASONS["hold"]))
    reason = serializers.CharField(max_length=LONGEST_REASON_CHARACTERS)


class Cycles(ListAPIView):
    """GET: the clearing cycles, newest first; of one state or currency if asked."""

    serializer_class = CycleOut
    queryset = ClearingCycle.objects.none()

    def get_queryset(self) -> QuerySet[ClearingCycle]:
        require_desk(self.request, "clearing")
        asked = {name: self.request.query_params.get(name) for name in ("state", "currency")}
        return ClearingCycle.objects.filter(**{name: value for name, value in asked.items() if value})

    @extend_schema(parameters=[OpenApiParameter("state", enum=CycleState.values), OpenApiParameter("currency")])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class CycleClosing(APIView):
    """POST: close the open cycle of a currency now, before its cut-off; `nothing_to_clear` where it would be empty."""

    scope = "staff"

    @extend_schema(request=ClosingIn, responses={201: CycleOut})
    def post(self, request: Request) -> Response:
        roles.require_staff(request.user, "release_clearing")
        asked = read(ClosingIn, request)

        def close() -> dict[str, Any]:
            return dict(CycleOut(clearing.close(clearing.open_cycle(asked["currency"]), by=request.user)).data)

        return acted(request, None, asked, close, status=201)


class CycleRelease(APIView):
    """POST: release a closed cycle; above the limit a second person must do so too."""

    scope = "staff"

    @extend_schema(request=None, responses=CycleOut)
    def post(self, request: Request, number: int) -> Response:
        roles.require_staff(request.user, "release_clearing")
        cycle = get_object_or_404(ClearingCycle, number=number)
        answer = acted(request, None, {}, lambda: dict(CycleOut(trades.release(cycle, by=request.user)).data))
        ring(tasks.pay_members)
        ring(tasks.issue_statements)
        return answer


class UnmatchedMoney(ListAPIView):
    """GET: money in suspense, newest first."""

    serializer_class = UnmatchedOut
    queryset = Unmatched.objects.none()

    def get_queryset(self) -> QuerySet[Unmatched]:
        require_desk(self.request, "payments")
        return Unmatched.objects.select_related("payment__trade")


class UnmatchedReturn(APIView):
    """POST: send money in suspense back to its payer."""

    scope = "staff"

    @extend_schema(request=None, responses={201: RefundOut})
    def post(self, request: Request, unmatched_id: int) -> Response:
        roles.require_staff(request.user, "match_payment")
        unmatched = get_object_or_404(Unmatched, pk=unmatched_id)
        answer = acted(
            request,
            None,
            {},
            lambda: dict(RefundOut(payments.return_unmatched(unmatched, by=request.user)).data),
            status=201,
        )
        ring(tasks.pay_refunds)
        return answer


class TradeFundingFromSuspense(APIView):
    """POST: fund a registered trade from what its buyer sent, once the sum covers the price."""

    scope = "staff"

    @extend_schema(request=None, responses=TradeOut)
    def post(self, request: Request, trade_id: str) -> Response:
        roles.require_staff(request.user, "match_payment")
        trade = get_object_or_404(Trade, public_id=trade_id)
        answer = acted(request, None, {}, lambda: dict(TradeOut(trades.apply_suspense(trade, by=request.user)).data))
        ring(tasks.open_grants)
        return answer


class TradeHold(APIView):
    """POST: place a hold on one trade. It is lifted like any other hold."""

    scope = "staff"

    @extend_schema(request=TradeHoldIn, responses={201: HoldOut})
    def post(self, request: Request, trade_id: str) -> Response:
        roles.require_staff(request.user, "hold")
        asked = read(TradeHoldIn, request)
        trade = get_object_or_404(Trade, public_id=trade_id)
        return acted(
            request,
            None,
            asked,
            lambda: dict(HoldOut(holds.place("trade", trade.pk, by=request.user, **asked)).data),
            status=201,
        )


class BouncedRefunds(ListAPIView):
    """GET: refunds that came back and were not sent again, newest first."""

    serializer_class = RefundOut
    queryset = Refund.objects.none()

    def get_queryset(self) -> QuerySet[Refund]:
        require_desk(self.request, "payments")
        return Refund.objects.filter(state=OutgoingState.BOUNCED, replaced_by=None).select_related("payment")


class MendingOut(serializers.ModelSerializer[RefundMending]):
    """Another account for a bounced refund; it waits for a second person."""

    refund = serializers.CharField(source="refund.key")
    by = serializers.EmailField(source="by.email")

    class Meta:
        model = RefundMending
        fields = ["id", "refund", "payer_reference", "by", "named_at", "confirmed_at", "dropped_at"]


class Mendings(ListAPIView):
    """GET: other accounts for bounced refunds that wait for a second person."""

    serializer_class = MendingOut
    queryset = RefundMending.objects.none()

    def get_queryset(self) -> QuerySet[RefundMending]:
        require_desk(self.request, "payments")
        rows = RefundMending.objects.filter(confirmed_at=None, dropped_at=None)
        return rows.select_related("refund", "by")


class MendingConfirmation(APIView):
    """POST: be the second person; the refund goes to the other account."""

    scope = "staff"

    @extend_schema(request=None, responses={201: RefundOut})
    def post(self, request: Request, mending_id: int) -> Response:
        roles.require_staff(request.user, "match_payment")
        mending = get_object_or_404(RefundMending.objects.select_related("refund"), pk=mending_id)
        confirm = partial(mendings.confirm, mending, by=request.user)
        answer = acted(request, None, {}, lambda: dict(RefundOut(confirm()).data), status=201)
        ring(tasks.pay_refunds)
        return answer


class MendingDropping(APIView):
    """POST: drop an account that waits for its second person."""

    scope = "staff"

    @extend_schema(request=None, responses=MendingOut)
    def post(self, request: Request, mending_id: int) -> Response:
        roles.require_staff(request.user, "match_payment")
        mending = get_object_or_404(RefundMending.objects.select_related("refund"), pk=mending_id)
        drop = partial(mendings.drop, mending, by=request.user)
        return acted(request, None, {}, lambda: dict(MendingOut(drop()).data))


class RefundResending(APIView):
    """POST: send a bounced refund anew; to another account it waits for a second person (see /mendings)."""

    scope = "staff"

    @extend_schema(request=ResendingIn, responses={201: RefundOut})
    def post(self, request: Request, key: str) -> Response:
        roles.require_staff(request.user, "match_payment")
        asked = read(ResendingIn, request)
        refund = get_object_or_404(Refund, key=key)
        reference = asked["payer_reference"]
        answer = acted(
            request,
            None,
            asked,
            lambda: dict(RefundOut(mendings.send_again(refund, payer_reference=reference, by=request.user)).data),
            status=201,
        )
        ring(tasks.pay_refunds)
        return answer
