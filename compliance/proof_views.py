"""Pages of an organisation's papers: show one, take it back, look at its pictures, save it as it came."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance import paper_files, proofs, tasks
from compliance.models import Proof
from compliance.proof_forms import ProofForm
from marketplace import roles
from marketplace.bells import ring
from marketplace.errors import Refused
from marketplace.forms import add_refusal
from marketplace.participants import acting_organisation
from marketplace.signed_in import person
from marketplace.storage import chunks_of, store


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def papers(request: HttpRequest) -> HttpResponse:
    """The organisation's papers and, for owners, the form to show another."""
    organisation = acting_organisation(request)
    roles.require(person(request), organisation, "apply")
    form = ProofForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            proofs.add(organisation, by=person(request), **form.said(paper_files.MOST_BYTES))
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            ring(tasks.draw_papers)
            messages.success(request, _("The paper is with the exchange."))
            return redirect("organisation_papers")
    papers = list(proofs.with_pictures(organisation))
    context = {
        "organisation": organisation,
        "papers": [shown(proof) for proof in papers],
        "expired": proofs.expired_reasons(papers),
        "form": form,
    }
    return render(request, "compliance/papers.html", context, status=422 if form.errors else 200)


def shown(proof: Proof, *, desk_of: str = "") -> dict[str, object]:
    """A paper with the addresses of its pictures and its file; at the desk of the organisation of this public id."""
    name = "desk_organisation_paper" if desk_of else "organisation_paper"
    place = [desk_of, proof.pk] if desk_of else [proof.pk]
    return {
        "proof": proof,
        "pictures": [reverse(f"{name}_picture", args=[*place, one.page]) for one in proof.pictures.all()],
        "file_url": reverse(f"{name}_file", args=place),
    }


@login_required
@require_POST
def withdrawal(request: HttpRequest, proof_id: int) -> HttpResponse:
    """Take a paper back."""
    proofs.withdraw(_own(request, proof_id), by=person(request))
    messages.success(request, _("The paper is withdrawn."))
    return redirect("organisation_papers")


@login_required
@require_safe
def picture(request: HttpRequest, proof_id: int, page: int) -> HttpResponse:
    """A page of a paper, as we drew it."""
    return picture_of(_own(request, proof_id), page)


@login_required
@require_safe
def file(request: HttpRequest, proof_id: int) -> HttpResponse:
    """The paper as it came, to save."""
    return file_of(_own(request, proof_id))


def _own(request: HttpRequest, proof_id: int) -> Proof:
    organisation = acting_organisation(request)
    proof = get_object_or_404(Proof.objects.filter(organisation=organisation), pk=proof_id)
    roles.require(person(request), organisation, "apply")
    return proof


def picture_of(proof: Proof, page: int) -> HttpResponse:
    """Our picture of a page; never the file."""
    found = proof.pictures.filter(page=page).first()
    if found is None:
        raise Http404
    with store().open(found.stored_as) as reading:
        answer = HttpResponse(b"".join(chunks_of(reading)), content_type="image/png")
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def file_of(proof: Proof) -> HttpResponse:
    """The file as it came, only ever to save: no browser opens it as a page of ours. Not before it was scanned."""
    if not proof.may_be_saved:
        raise Http404
    name = f"paper-{proof.pk}.{paper_files.SUFFIXES[proof.media_type]}"
    with store().open(proof.stored_as) as reading:
        answer = HttpResponse(b"".join(chunks_of(reading)), content_type="application/octet-stream")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["Cache-Control"] = "private, no-store"
    return answer
