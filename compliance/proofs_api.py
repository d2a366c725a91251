"""The API of an organisation's papers: list them, show one, take it back, save it as it came."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance import paper_files, proofs, tasks
from compliance.models import Proof
from compliance.proof_views import file_of
from marketplace import roles
from marketplace.api import acted, read
from marketplace.bells import ring
from marketplace.models import Organisation
from marketplace.participants import own_organisation


class ProofIn(serializers.Serializer):
    """A paper and what stands on it, as a form with a file (`multipart/form-data`)."""

    kind = serializers.ChoiceField(Proof.Kind.choices)
    issuer = serializers.CharField(max_length=200)
    number = serializers.CharField(max_length=100, allow_blank=True, default="", help_text="The number on the paper.")
    issued_on = serializers.DateField(allow_null=True, default=None)
    expires_on = serializers.DateField(allow_null=True, default=None, help_text="Left out where it does not expire.")
    file = serializers.FileField(
        allow_empty_file=True, help_text="PDF, PNG or JPEG, or an electronic licence as OFD or XML; at most 10 MB."
    )


class ProofOut(serializers.ModelSerializer):
    """A paper with its digest; `failure` is a stable code that says why no picture of it could be drawn."""

    uploaded_by = serializers.EmailField(source="uploaded_by.email")
    may_be_saved = serializers.BooleanField(help_text="False until it was scanned, and where something was found.")

    class Meta:
        model = Proof
        fields = [
            "id", "kind", "issuer", "number", "issued_on", "expires_on", "media_type", "size_bytes", "digest",
            "uploaded_by", "uploaded_at", "drawn_at", "failure", "may_be_saved", "withdrawn_at",
        ]  # fmt: skip


class Proofs(APIView):
    """Papers of one of your organisations, at most forty at a time. Only owners may."""

    parser_classes = [MultiPartParser]

    @extend_schema(responses=ProofOut(many=True))
    def get(self, request: Request, public_id: str) -> Response:
        """Papers that were not withdrawn, newest first."""
        organisation = own_organisation(request, public_id)
        roles.require(request.user, organisation, "apply")
        rows = proofs.standing(organisation).select_related("uploaded_by").order_by("-pk")
        return Response(ProofOut(rows, many=True).data)

    @extend_schema(request={"multipart/form-data": ProofIn}, responses={201: ProofOut})
    def post(self, request: Request, public_id: str) -> Response:
        """Show a paper. Its kind of file is told by its content; a worker scans and draws it."""
        organisation = own_organisation(request, public_id)
        roles.require(request.user, organisation, "apply")
        asked = read(ProofIn, request)
        content = asked.pop("file").read(paper_files.MOST_BYTES + 1)
        with proofs.held(content) as file:
            show = partial(proofs.show, organisation, **asked, file=file, by=request.user)
            body = {**asked, "sha256": hashlib.sha256(content).hexdigest()}
            answer = acted(request, organisation, body, lambda: dict(ProofOut(show()).data), status=201)
        ring(tasks.draw_papers)
        return answer


class ProofWithdrawal(APIView):
    """The end of a paper."""

    @extend_schema(request=None, responses=ProofOut)
    def post(self, request: Request, public_id: str, proof_id: int) -> Response:
        """Take a paper back; the exchange keeps what it saw. Only owners may."""
        organisation, proof = _own(request, public_id, proof_id)
        withdraw = partial(proofs.withdraw, proof, by=request.user)
        return acted(request, organisation, {}, lambda: dict(ProofOut(withdraw()).data))


class ProofFile(APIView):
    """A paper as it came."""

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, public_id: str, proof_id: int) -> HttpResponse:
        """The file, to save. Not before it was scanned. Only owners may."""
        _organisation, proof = _own(request, public_id, proof_id)
        return file_of(proof)


def _own(request: Request, public_id: str, proof_id: int) -> tuple[Organisation, Proof]:
    organisation = own_organisation(request, public_id)
    proof: Any = get_object_or_404(Proof.objects.filter(organisation=organisation), pk=proof_id)
    roles.require(request.user, organisation, "apply")
    return organisation, proof
