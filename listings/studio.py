"""The seller's pages: their products, and of each the manual, releases and offers.

A version is handed in for review by compliance's own route; its answer is read from the version's review.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from listings import (
    checksums,
    differences,
    licence_contract,
    offers,
    product_page,
    publishing,
    quotas,
    release_progress,
    samples,
    tasks,
    uploads,
)
from listings.form_files import IntoRelease
from listings.forms import ReasonForm, ReleaseForm
from listings.models import Listing, Offer, Release, Version
from listings.offer_form import OfferForm
from listings.states import LISTING_MOVES, ListingState, VersionState
from marketplace import posted, roles
from marketplace.bells import ring
from marketplace.errors import Refused
from marketplace.forms import add_refusal
from marketplace.participants import acting_organisation


def own_listing(request: HttpRequest, public_id: str) -> Listing:
    """A product of the organisation one acts for. Raises Http404."""
    own = Listing.objects.sold_by(acting_organisation(request)).select_related("seller", "current_version")
    return get_object_or_404(own, public_id=public_id)


def may_do(request: HttpRequest, listing: Listing) -> dict[str, bool]:
    """Which acts of the studio this person's role allows."""
    acts = ("edit_listing", "submit", "offer", "withdraw_listing")
    role = request.user.role_in(listing.seller)  # type: ignore[union-attr]
    return {act: role in roles.MEMBER_ACTS[act] for act in acts}


# --- products ------------------------------------------------------------------------------------------------------


@login_required
@require_safe
def product(request: HttpRequest, public_id: str) -> HttpResponse:
    """One product with everything that belongs to it, and what to do next."""
    listing = own_listing(request, public_id)
    versions = list(listing.versions.select_related("release", "registration").order_by("-number"))
    may = may_do(request, listing)
    context = {
        "listing": listing,
        "title": product_page.title_of(listing),
        "versions": [{"version": version, "sent_back": sent_back(version)} for version in versions],
        "newest": versions[0] if versions else None,
        "releases": listing.releases.select_related("profile"),
        "offers": listing.offers.with_discounts()
        .select_related("converts_to")
        .prefetch_related("buyers")
        .order_by("closed_at", "-pk"),
        "may": may,
        "is_withdrawn": listing.state == ListingState.WITHDRAWN,
        "release_form": ReleaseForm(),
        "key": posted.new_key(),
        "acts": _acts(listing, may),
        **_sample(listing, may),
    }
    return render(request, "listings/studio_product.html", context)


def _acts(listing: Listing, may: dict[str, bool]) -> list[dict[str, Any]]:
    if "withdraw" not in LISTING_MOVES[listing.state] or not may["withdraw_listing"]:
        return []
    return [
        {
            "label": _("Withdraw the product"),
            "url": reverse("studio_withdrawal", args=[listing.public_id]),
            "tone": "danger",
            "confirm": _("It goes off sale for ever, its offers too. Trades under way go on."),
            "form": ReasonForm(auto_id="withdraw_%s"),
        }
    ]


def _sample(listing: Listing, may: dict[str, bool]) -> dict[str, Any]:
    """The sample given away, and the switch for it."""
    standing = samples.standing_of(listing)
    label, name = (
        (_("Take the sample back"), "studio_sample_withdrawal")
        if standing
        else (_("Give a sample away"), "studio_sample")
    )
    may_switch = may["edit_listing"] and listing.state != ListingState.WITHDRAWN
    url = reverse(name, args=[listing.public_id])
    return {"sample": standing, "sample_acts": [{"label": label, "url": url}] if may_switch else []}


def sent_back(version: Version) -> Any:
    """The review that sent this version back, with its reason in words."""
    if version.state not in (VersionState.CHANGES_REQUESTED, VersionState.REFUSED):
        return None
    return getattr(version, "review", None)


@login_required
@require_POST
def withdrawal(request: HttpRequest, public_id: str) -> HttpResponse:
    """Withdraw a product."""
    listing = own_listing(request, public_id)
    publishing.withdraw(listing, reason=request.POST.get("reason", ""), by=request.user)  # type: ignore[arg-type]
    messages.success(request, _("The product was withdrawn."))
    return redirect("studio_product", public_id)


# --- the manual ----------------------------------------------------------------------------------------------------


@login_required
@require_POST
def new_draft(request: HttpRequest, public_id: str) -> HttpResponse:
    """Open a draft of the next version."""
    draft = publishing.draft(own_listing(request, public_id), by=request.user)  # type: ignore[arg-type]
    return redirect("studio_version", public_id, draft.number)


# --- releases ------------------------------------------------------------------------------------------------------


@login_required
@require_POST
def new_release(request: HttpRequest, public_id: str) -> HttpResponse:
    """Open a release."""
    listing = own_listing(request, public_id)
    form = ReleaseForm(request.POST)
    facts = form.cleaned_data if form.is_valid() else {"label": request.POST.get("label", "")}

    def open_release() -> int:
        return uploads.open_release(listing, by=request.user, **facts).pk  # type: ignore[arg-type]

    return redirect("studio_release", public_id, posted.posted_once(request, listing.seller, open_release))


def _own_release(request: HttpRequest, public_id: str, release_id: int) -> Release:
    releases = own_listing(request, public_id).releases.select_related("listing__seller", "profile")
    return get_object_or_404(releases, pk=release_id)


@login_required
@require_safe
def release(request: HttpRequest, public_id: str, release_id: int) -> HttpResponse:
    """One release: its files, what is on its way in, and what the exchange measured."""
    return _release_page(request, _own_release(request, public_id, release_id))


def _release_page(request: HttpRequest, shown: Release, refusals: list[Refused] | None = None) -> HttpResponse:
    listing = shown.listing
    is_open = shown.sealed_at is None and listing.state != ListingState.WITHDRAWN
    context = {
        "listing": listing,
        "title": product_page.title_of(listing),
        "release": shown,
        "files": shown.files.all(),
        "progress": release_progress.of(shown),
        "allowance": quotas.allowance(listing.seller),
        "is_open": is_open,
        "may_edit": may_do(request, listing)["edit_listing"],
        "profile": getattr(shown, "profile", None),
        "measured": product_page.measured(shown),
        "differences": differences.shown(shown),
        "refusals": refusals or [],
    }
    status = max((refusal.status for refusal in refusals), default=200) if refusals else 200
    return render(request, "listings/studio_release.html", context, status=status)


@csrf_exempt  # the token is checked by `_take_files`, once the handler that takes the files is in place
@login_required
@require_POST
def files(request: HttpRequest, public_id: str, release_id: int) -> HttpResponse:
    """Take the files of a form into a release, as they stream."""
    into = _own_release(request, public_id, release_id)
    roles.require(request.user, into.listing.seller, "edit_listing")  # type: ignore[arg-type]
    request.upload_handlers = [IntoRelease(into, request.user)]  # type: ignore[arg-type]
    return _take_files(request, into)


@csrf_protect
def _take_files(request: HttpRequest, into: Release) -> HttpResponse:
    handler: Any = request.upload_handlers[0]
    arrived: list[Any] = request.FILES.getlist("files")
    refusals: list[Refused] = list(handler.refusals)
    digests = checksums.read(request.POST.get("sums", ""))
    for file in arrived:
        file.upload.expected_sha256 = checksums.expected(file.upload.path, digests)
        try:
            uploads.finish(file.upload, sha256_hex=file.sha256_hex, by=request.user)  # type: ignore[arg-type]
        except Refused as refusal:
            refusals.append(refusal)
    if refusals:
        return _release_page(request, into, refusals)
    ring(tasks.check_files)
    if arrived:
        messages.success(request, _("The files have arrived."))
    return redirect("studio_release", into.listing.public_id, into.pk)


@login_required
@require_safe
def progress(request: HttpRequest, public_id: str, release_id: int) -> HttpResponse:
    """How far a release is, for the page that shows it."""
    told = release_progress.of(_own_release(request, public_id, release_id))
    shares = {one["upload"].public_id: one["share"] for one in told["uploads"]}
    if told["measuring"] is not None:
        shares["measuring"] = told["measuring"]
    answer = JsonResponse({"mark": told["mark"], "shares": shares})
    answer.headers["Cache-Control"] = "no-store"
    return answer


@login_required
@require_POST
def seal(request: HttpRequest, public_id: str, release_id: int) -> HttpResponse:
    """Close a release for ever; the exchange then measures it."""
    uploads.seal_release(_own_release(request, public_id, release_id), by=request.user)  # type: ignore[arg-type]
    ring(tasks.profile_releases)
    messages.success(request, _("The release is sealed. The exchange measures it now."))
    return redirect("studio_release", public_id, release_id)


@login_required
@require_POST
def upload_cancellation(request: HttpRequest, public_id: str, release_id: int, upload_id: str) -> HttpResponse:
    """Cancel a file on its way in."""
    upload = get_object_or_404(_own_release(request, public_id, release_id).uploads, public_id=upload_id)
    uploads.cancel_upload(upload, by=request.user)  # type: ignore[arg-type]
    return redirect("studio_release", public_id, release_id)


# --- offers --------------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_offer(request: HttpRequest, public_id: str) -> HttpResponse:
    """Make an offer."""
    listing = own_listing(request, public_id)
    if request.method == "POST":
        roles.require(request.user, listing.seller, "offer")  # type: ignore[arg-type]
    begun = {"jurisdiction": licence_contract.default_jurisdiction(listing.seller.country)}
    if buyers := request.GET.get("buyers", "")[:1000]:
        begun |= {"audience": Offer.Audience.NAMED, "buyers": buyers, "note": request.GET.get("note", "")[:2000]}
    form = OfferForm(listing, request.POST or None, initial=begun)
    if request.method == "POST" and form.is_valid() and _offered(request, listing, form):
        return redirect("studio_product", public_id)
    context = {
        "listing": listing,
        "title": product_page.title_of(listing),
        "form": form,
        "key": posted.new_key(),
        "takes_money": bool(settings.DEFAULT_GATEWAY),
    }
    return render(request, "listings/studio_offer.html", context, status=422 if form.errors else 200)


def _offered(request: HttpRequest, listing: Listing, form: OfferForm) -> bool:
    make: Callable[[], int] = lambda: offers.make_offer(listing, by=request.user, **form.facts()).pk  # type: ignore[arg-type]  # noqa: E731
    try:
        posted.posted_once(request, listing.seller, make)
    except Refused as refusal:
        add_refusal(form, refusal)
        return False
    messages.success(request, _("The offer was made."))
    return True


@login_required
@require_POST
def offer_closing(request: HttpRequest, public_id: str, offer_id: str) -> HttpResponse:
    """Take an offer off sale."""
    own = Offer.objects.filter(listing=own_listing(request, public_id))
    offers.close_offer(get_object_or_404(own, public_id=offer_id), by=request.user)  # type: ignore[arg-type]
    messages.success(request, _("The offer was closed. Trades made under it go on."))
    return redirect("studio_product", public_id)
