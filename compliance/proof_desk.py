"""On the desk of organisations: the pictures of a paper, its file to save, and papers about to expire."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from compliance import proofs
from compliance.models import Proof
from compliance.proof_views import file_of, picture_of
from marketplace import clock
from marketplace.desk_pages import ROWS_ON_A_PAGE, desk, render_desk


@desk("organisations")
@require_safe
def picture(request: HttpRequest, public_id: str, proof_id: int, page: int) -> HttpResponse:
    """A page of a paper, as we drew it."""
    return picture_of(_found(public_id, proof_id), page)


@desk("organisations")
@require_safe
def file(request: HttpRequest, public_id: str, proof_id: int) -> HttpResponse:
    """The paper as it came, to save."""
    return file_of(_found(public_id, proof_id))


def _found(public_id: str, proof_id: int) -> Proof:
    return get_object_or_404(Proof, organisation__public_id=public_id, pk=proof_id)


@desk("organisations")
@require_safe
def expiring(request: HttpRequest) -> HttpResponse:
    """Papers of members that expire soon or have expired, the nearest first."""
    page = Paginator(proofs.expiring(), ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "today": clock.today(), "days": proofs.WARN_DAYS}
    return render_desk(request, "organisations", "admin/desks/expiring_papers.html", context)
