"""The sandbox's bank for scripts: the acts of its page."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.api import acted
from marketplace.bells import ring
from settlement.gateways import sandbox_bank
from settlement.gateways.sandbox_pages import known_order
from settlement.tasks import post_sandbox_notices


class SandboxActIn(serializers.Serializer[Any]):
    act = serializers.ChoiceField(choices=sandbox_bank.ACTS)
    amount_minor = serializers.IntegerField(required=False, min_value=1)
    delay_seconds = serializers.IntegerField(
        required=False, min_value=0, max_value=sandbox_bank.LONGEST_DELAY_SECONDS, default=0
    )
    account = serializers.CharField(required=False, max_length=120, default="")


class SandboxActOut(serializers.Serializer[Any]):
    reference = serializers.CharField()
    state = serializers.CharField()
    possible_acts = serializers.ListField(child=serializers.CharField())


class SandboxActs(APIView):
    """POST: act out what the sandbox's bank, or its customer, does with an order. No money moves.

    Answers 404 `unknown_reference`, 409 `order_finished`, 422 `bad_amount`, `bad_delay`.
    """

    scope = "trade"

    @extend_schema(request=SandboxActIn, responses=SandboxActOut)
    def post(self, request: Request, reference: str) -> Response:
        asked = SandboxActIn(data=request.data)
        asked.is_valid(raise_exception=True)
        known_order(reference, request.user)  # type: ignore[arg-type]
        what, told = asked.validated_data["act"], {k: v for k, v in asked.validated_data.items() if k != "act"}

        def command() -> dict[str, Any]:
            order = sandbox_bank.act(reference, what, **told)
            return {
                "reference": order.reference,
                "state": order.state,
                "possible_acts": sandbox_bank.possible_acts(order),
            }

        response = acted(request, None, asked.validated_data, command)
        ring(post_sandbox_notices)
        return response
