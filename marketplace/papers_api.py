"""The API of papers: anyone checks one by its number and check code; their readers list and take theirs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace import documents, paper_checks, roles
from marketplace.api import acted, read
from marketplace.errors import RoleNeeded
from marketplace.models import Annotation, Paper, Revocation
from marketplace.paper_checks import Check, NoSuchPaper, WrongCode
from marketplace.participants import acting_or_none
from marketplace.scopes import require_scope
from marketplace.typesetting import LANGUAGES
from marketplace.verify_views import asker, pdf_answer

CODE = OpenApiParameter("code", description="The check code in the paper's QR code; its readers need none.")


class PaperOut(serializers.Serializer[Any]):
    """What anyone sees of a paper by its number."""

    number = serializers.CharField(source="paper.number")
    kind = serializers.ChoiceField(Paper.Kind.choices, source="paper.kind")
    title = serializers.CharField(source="paper.title", help_text="The product's title.")
    issued_at = serializers.DateTimeField(source="paper.issued_at")
    is_sandbox = serializers.BooleanField(source="paper.is_sandbox", help_text="No money moves behind this paper.")
    is_valid = serializers.BooleanField()
    revoked_at = serializers.DateTimeField(source="revocation.revoked_at", default=None, allow_null=True)
    revoked_because = serializers.CharField(source="revocation.reason", default=None, allow_null=True)
    lapsed_at = serializers.DateTimeField(allow_null=True, help_text="Since when what it offers, as a quote, is over.")


class AnnotationOut(serializers.ModelSerializer[Annotation]):
    class Meta:
        model = Annotation
        fields = ["code", "noted_at"]


class PaperInFullOut(PaperOut):
    """A paper with its record, for who has its check code and for its readers; for others these are null."""

    digest = serializers.CharField(source="paper.digest", allow_null=True, help_text="Of the record as canonical JSON.")
    record = serializers.JSONField(source="paper.record", allow_null=True)
    journal_position = serializers.IntegerField(
        source="position", allow_null=True, help_text="Where in the journal its issue stands, once it is sealed."
    )

    annotations = AnnotationOut(many=True, help_text="What became of what the paper is about.")

    def to_representation(self, instance: Check) -> dict[str, Any]:
        if instance.is_whole:
            return super().to_representation(instance)
        noted = AnnotationOut(instance.annotations(), many=True).data
        told = {**PaperOut(instance).data, "digest": None, "record": None, "journal_position": None}
        return {**told, "annotations": noted}


class RevocationIn(serializers.Serializer[Any]):
    reason = serializers.CharField(
        max_length=documents.LONGEST_REASON, help_text="Whoever checks the paper reads this."
    )


class RevocationOut(serializers.ModelSerializer[Revocation]):
    number = serializers.CharField(source="paper.number")

    class Meta:
        model = Revocation
        fields = ["number", "reason", "asked_at", "revoked_at"]


class Papers(ListAPIView[Paper]):
    """The papers your organisation may read, newest first."""

    serializer_class = PaperOut
    queryset = Paper.objects.none()

    def get_queryset(self) -> QuerySet[Paper]:
        rows = paper_checks.readable(self.request.user, acting_or_none(self.request))
        kind = self.request.query_params.get("kind")
        return rows.filter(kind=kind) if kind else rows

    @extend_schema(parameters=[OpenApiParameter("kind", enum=list(Paper.Kind.values))])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response(PaperOut([Check(paper, is_whole=True) for paper in page], many=True).data)


def _check(request: Request, number: str) -> Check:
    """The paper, whole for its readers and with its check code. Raises NoSuchPaper, WrongCode, TooMany."""
    if request.user.is_authenticated and not request.query_params.get("code"):
        try:
            found = paper_checks.own(number, request.user, acting_or_none(request))
        except (NoSuchPaper, RoleNeeded):
            pass  # a stranger to this paper sees what anyone sees
        else:
            require_scope(request, "read")
            return found
    check = paper_checks.look_up(number, request.query_params.get("code", ""), asker=asker(request))
    if check.is_code_wrong:
        raise WrongCode()
    return check


class OnePaper(APIView):
    """A paper."""

    permission_classes = [AllowAny]

    @extend_schema(parameters=[CODE], responses=PaperInFullOut)
    def get(self, request: Request, number: str) -> Response:
        """Whether a paper is valid; with its check code, or for its readers, all it says. Needs no account."""
        return Response(PaperInFullOut(_check(request, number)).data, headers={"Cache-Control": "no-store"})


class PaperPdf(APIView):
    """A paper as PDF."""

    permission_classes = [AllowAny]

    @extend_schema(
        parameters=[CODE, OpenApiParameter("language", enum=list(LANGUAGES), default="en")],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, number: str) -> HttpResponse:
        """The paper as PDF in one of three languages, with its check code or for its readers."""
        check = _check(request, number)
        if not check.is_whole:
            raise WrongCode()
        paper_checks.require_rendering(asker(request))
        return pdf_answer(check.paper, request.query_params.get("language", "en"))


class PaperRevocation(APIView):
    """The end of a paper's validity."""

    scope = "staff"

    @extend_schema(request=RevocationIn, responses={201: RevocationOut})
    def post(self, request: Request, number: str) -> Response:
        """Staff ask that a paper be revoked; it stays valid until another of the staff confirms."""
        paper = _staffs(request, number)
        asked = read(RevocationIn, request)
        return _revoked(request, asked, partial(documents.ask_revocation, paper, reason=asked["reason"]), status=201)


class PaperRevocationConfirmation(APIView):
    """The second word on a paper's revocation."""

    scope = "staff"

    @extend_schema(request=None, responses=RevocationOut)
    def post(self, request: Request, number: str) -> Response:
        """Another of the staff confirms: from now on the paper is not valid."""
        asked = getattr(_staffs(request, number), "revocation", None)
        if asked is None:
            raise NoSuchPaper(_("Nobody has asked to revoke this paper."))
        return _revoked(request, {}, partial(documents.confirm_revocation, asked))


def _staffs(request: Request, number: str) -> Paper:
    """The paper, for those of the staff who may revoke it. Raises RoleNeeded, NoSuchPaper."""
    roles.require_staff(request.user, "revoke_paper")
    return paper_checks.own(number, request.user, acting_or_none(request)).paper


def _revoked(request: Request, asked: Any, command: Callable[..., Revocation], *, status: int = 200) -> Response:
    return acted(request, None, asked, lambda: RevocationOut(command(by=request.user)).data, status=status)
