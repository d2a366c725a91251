"""Where the parties of a trade, and the staff who see every paper, take its evidence away."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from marketplace import paper_checks, paper_words, roles
from marketplace.models import Organisation, User
from marketplace.participants import acting_or_none
from marketplace.signed_in import person
from settlement import evidence


@login_required
@require_safe
@never_cache
def evidence_pack(request: HttpRequest, trade_id: str) -> StreamingHttpResponse:
    """The evidence of a trade as a zip, its PDFs in the reader's language."""
    return _answer(trade_id, person(request), acting_or_none(request))


class TradeEvidence(APIView):
    """GET: the evidence of a trade as a zip that verifies itself offline."""

    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    def get(self, request: Request, trade_id: str) -> StreamingHttpResponse:
        """Its papers, its journal entries and their proofs; README.md in it tells how to check them."""
        return _answer(trade_id, request.user, acting_or_none(request))  # type: ignore[arg-type]


def _answer(trade_id: str, by: User, organisation: Organisation | None) -> StreamingHttpResponse:
    sees_all = paper_checks.sees_every_paper(by)
    trade = get_object_or_404(evidence.readable(by, organisation), public_id=trade_id)
    if organisation is not None and not sees_all:
        roles.require(by, organisation, "look")
    paper_checks.require_rendering(f"person-{by.pk}")
    is_buyer = organisation is not None and organisation.pk == trade.buyer_id and not sees_all
    language = paper_words.language_of(get_language())
    parts = evidence.pack(trade, language=language, withheld=evidence.SELLERS_ALONE if is_buyer else ())
    answer = StreamingHttpResponse(parts, content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="evidence-{trade}.zip"'
    return answer
