"""The API of the desk of stuck work: what backs off and why, and to try it now."""

from __future__ import annotations

from itertools import islice
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace import health, roles
from marketplace.api import acted, read
from marketplace.errors import RoleNeeded

SHOWN_AT_MOST = 200


class StuckOut(serializers.Serializer[Any]):
    work = serializers.CharField()
    row = serializers.CharField(source="row.pk")
    error = serializers.CharField(source="kind", help_text="The kind of the error.")
    detail = serializers.CharField(source="words", help_text="What went wrong, in words.")
    tries = serializers.IntegerField()
    next_try_at = serializers.DateTimeField()


class AttemptIn(serializers.Serializer[Any]):
    work = serializers.CharField(max_length=80, help_text="As listed.")
    row = serializers.CharField(max_length=40)


class StuckWork(APIView):
    """GET: the rows a worker could not finish, the longest-waiting kinds first; at most 200."""

    @extend_schema(responses=StuckOut(many=True))
    def get(self, request: Request) -> Response:
        if not roles.sees_desk(request.user, "stuck"):
            raise RoleNeeded(_("Only the staff of the desk “stuck” see this."))
        return Response(StuckOut(list(islice(health.stuck(), SHOWN_AT_MOST)), many=True).data)


class StuckAttempt(APIView):
    """POST: let a row that backs off be tried at once."""

    scope = "staff"

    @extend_schema(request=AttemptIn, responses=AttemptIn)
    def post(self, request: Request) -> Response:
        roles.require_staff(request.user, "try_again")
        asked = read(AttemptIn, request)

        def attempt() -> dict[str, Any]:
            health.try_now(health.row_of(asked["work"], asked["row"]), by=request.user)
            return dict(asked)

        return acted(request, None, asked, attempt)
