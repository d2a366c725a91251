"""The page on which a seller writes a manual: what is left beside each section, saved while one types, and a preview.

A script that saves asks for JSON and gets the parts of the page that change; without one the button does the same.
"""

from __future__ import annotations

from typing import Any

from csp.constants import SELF
from csp.decorators import csp_replace, csp_update
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe

from compliance import manual_left, review_targets
from compliance.models import Review
from listings import dictionary, manual, product_page, publishing, question_page
from listings.catalogue import Product
from listings.forms import ManualForm
from listings.models import Offer, Version
from listings.states import ListingState, VersionState
from listings.studio import may_do, own_listing, sent_back
from marketplace import clock, desk_targets
from marketplace.errors import Refused
from marketplace.forms import add_refusal
from marketplace.signed_in import person


def _own_version(request: HttpRequest, public_id: str, number: int) -> Version:
    versions = own_listing(request, public_id).versions.select_related("listing__seller", "release__profile")
    return get_object_or_404(versions, number=number)


@login_required
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]
@require_http_methods(["GET", "HEAD", "POST"])
def version(request: HttpRequest, public_id: str, number: int) -> HttpResponse:
    """One version of the manual: a draft to be written, or one that was handed in, to be read."""
    shown = _own_version(request, public_id, number)
    if request.method == "POST":
        return _answered(request, shown) if _is_script(request) else _save(request, shown)
    is_open = shown.state == VersionState.DRAFT and shown.listing.state != ListingState.WITHDRAWN
    may_edit = may_do(request, shown.listing)["edit_listing"]
    return _page(request, shown, ManualForm(version=shown) if is_open and may_edit else None, is_open=is_open)


def _is_script(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "") == "application/json"


def _kept(request: HttpRequest, shown: Version, form: ManualForm) -> int:
    """Save what the form says: 200, else the status of what was wrong, which then stands on the form."""
    by = person(request)
    publishing.require_draft(shown, by=by)
    if not form.is_valid():
        return 422
    try:
        publishing.edit(shown, by=by, seen=request.POST.get("seen", ""), **form.facts())
        if "draft_dictionary" in request.POST:
            dictionary.draft_from_profile(shown, by=by)
    except Refused as refusal:
        add_refusal(form, refusal)
        return refusal.status
    return 200


def _save(request: HttpRequest, shown: Version) -> HttpResponse:
    """Save the form. What cannot be saved stays in it, with the reasons beside it."""
    form = ManualForm(request.POST, version=shown)
    status = _kept(request, shown, form)
    if status != 200:
        return _page(request, shown, form, is_open=True, status=status)
    messages.success(request, _("The draft was saved."))
    return redirect("studio_version", shown.listing.public_id, shown.number)


def _answered(request: HttpRequest, shown: Version) -> HttpResponse:
    """The same for a script: when it was saved, the draft's new mark, and the parts of the page that change."""
    form = ManualForm(request.POST, version=shown)
    try:
        status = _kept(request, shown, form)
    except Refused as refusal:
        return JsonResponse(refusal.as_json() | {"said": refusal.detail}, status=refusal.status)
    if status != 200:
        errors = {name: [str(error) for error in found] for name, found in form.errors.items()}
        why = " ".join(sentence for found in errors.values() for sentence in found)
        told = {"said": _("Not saved: %s") % why, "errors": errors, "seen": manual.mark(shown)}
        return JsonResponse(told, status=status)
    shown = _own_version(request, shown.listing.public_id, shown.number)
    said = _("Saved at %s") % formats.time_format(timezone.localtime(clock.now()), "H:i:s")
    return JsonResponse({"said": said, "seen": manual.mark(shown), "parts": _parts(request, shown)})


def _parts(request: HttpRequest, shown: Version) -> dict[str, str]:
    """By id, the parts of the page that say what is left."""
    left = manual_left.of(shown)
    context = {"left": left, "version": shown, "listing": shown.listing, "may": may_do(request, shown.listing)}
    parts: dict[str, str] = {"left": render_to_string("compliance/_left.html", context, request)}
    for section in manual_left.by_section(left, ManualForm(version=shown).sections()):
        parts[f"{section['id']}-left"] = render_to_string("compliance/_left_here.html", {"section": section}, request)
    return parts


def _page(
    request: HttpRequest, shown: Version, form: ManualForm | None, *, is_open: bool, status: int = 200
) -> HttpResponse:
    facts = product_page.measured(shown.release)
    review = getattr(shown, "review", None)
    left = manual_left.of(shown) if is_open else []
    context = {
        "listing": shown.listing,
        "version": shown,
        "title": shown.title or product_page.title_of(shown.listing),
        "form": form,
        "seen": manual.mark(shown),
        "sections": manual_left.by_section(left, form.sections()) if form else [],
        "left": left,
        "is_open": is_open,
        "may": may_do(request, shown.listing),
        "sent_back": sent_back(shown),
        "review": review if shown.state in publishing.UNDER_REVIEW else None,
        "is_late": review is not None and review_targets.age_of(review).state == desk_targets.OVERDUE,
        "asked": _asked(review),
        "measured": facts,
        "fields": product_page.field_rows(shown, facts),
        "rights": [(name, shown.rights.get(name, {})) for name in manual.RIGHTS],
    }
    return render(request, "compliance/studio_version.html", context, status=status)


def _asked(review: Review | None) -> dict[str, list[Any]]:
    """What the reviewers asked of this version, by field, with the answers."""
    asked: dict[str, list[Any]] = {}
    for question in review.questions.select_related("answered_by") if review else ():
        asked.setdefault(question.field, []).append(question)
    return asked


@login_required
@never_cache
@xframe_options_sameorigin
@csp_replace({"frame-ancestors": [SELF]})  # type: ignore[arg-type]
@require_safe
def preview(request: HttpRequest, public_id: str, number: int) -> HttpResponse:
    """The product's page as a buyer would see it with this version; only the seller may look."""
    shown = _own_version(request, public_id, number)
    product = Product(
        listing=shown.listing,
        version=shown,
        registration=getattr(shown, "registration", None),
        profile=getattr(shown.release, "profile", None),
        offers=list(Offer.objects.filter(listing=shown.listing, closed_at=None)),
    )
    context = product_page.context(product, is_own=False) | question_page.beside_product(shown.listing, request)
    return render(request, "listings/product.html", context | {"is_preview": True})
