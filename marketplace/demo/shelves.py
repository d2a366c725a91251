"""Brings the demo's products onto the exchange: uploaded, measured, reviewed, registered, offered."""

from __future__ import annotations

from django.db import transaction

from compliance import checklists, reviews
from compliance.models import Review
from compliance.states import ReviewState
from listings import offers, publishing, uploads
from listings.models import Listing, Offer, Profile, Release, Version
from listings.states import ProfileState, UploadState, VersionState
from marketplace.demo import hands, sources
from marketplace.demo.products import Product
from marketplace.models import Organisation, User

FIRST = "1"


class CannotMeasure(Exception):
    """The exchange could not measure what a seller of the demo brought."""


def uploaded(product: Product, seller: Organisation) -> Listing:
    """The product with its first manual and a sealed release, to be measured."""
    by = seller.created_by
    listing = found(product, seller)
    if listing is None:
        with transaction.atomic():  # without its title it would not be found again
            listing = publishing.create_listing(seller=seller, product_type=product.product_type, by=by)
            publishing.edit(publishing.draft(listing, by=by), by=by, **product.manual)
    release = _sealed(product, listing, FIRST, "First release. 首次发布。", is_later=False)
    version = listing.versions.order_by("-number")[0]
    if version.state == VersionState.DRAFT and version.release_id is None:
        publishing.edit(version, by=by, release=release)
    return listing


def found(product: Product, seller: Organisation) -> Listing | None:
    """The product's listing, if its seller has begun it."""
    versions = Version.objects.filter(listing__seller=seller, titles__en=product.title)
    first = versions.select_related("listing__seller").order_by("pk").first()
    return first.listing if first else None


def _sealed(product: Product, listing: Listing, label: str, notes: str, *, is_later: bool) -> Release:
    by = listing.seller.created_by
    release = listing.releases.filter(label=label).first()
    release = release or uploads.open_release(listing, label=label, notes=notes, by=by)
    if release.sealed_at is None:
        for broken_off in release.uploads.filter(state=UploadState.ARRIVING):
            uploads.cancel_upload(broken_off, by=by)
        hands.check()
        there = set(release.files.values_list("path", flat=True))
        for path, stream in sources.files_of(product.source, is_later=is_later):
            if path not in there:
                uploads.put_file(release, path=path, stream=stream, by=by)
        hands.check()
        release = uploads.seal_release(release, by=by)
        hands.wake_measurers()
    return release


def renewed(product: Product, listing: Listing, staff: dict[str, User]) -> None:
    """The product's later release, with a manual that names it."""
    by, told = listing.seller.created_by, product.later
    release = _sealed(product, listing, told["label"], told["notes"], is_later=True)
    latest = listing.versions.order_by("-number")[0]
    if latest.release_id != release.pk:
        draft = publishing.draft(listing, by=by)
        latest = publishing.edit(draft, by=by, release=release, coverage_until=told["until"])
    submitted(latest)
    approved(latest, staff)


def submitted(version: Version) -> None:
    """The seller hands the manual in once its release is measured. Raises CannotMeasure."""
    if version.state == VersionState.DRAFT:
        hands.await_measured(version.release_id)
        profile = Profile.objects.filter(release=version.release_id).first()
        if profile is None or profile.state != ProfileState.DONE:
            raise CannotMeasure(f"{version}: {profile.error if profile else 'it has no release'}")
        reviews.submit(version, by=version.listing.seller.created_by)


def approved(version: Version, staff: dict[str, User]) -> None:
    """Two of the staff approve it; it is registered, and its product listed."""
    review = Review.objects.get(version=version)
    if review.state == ReviewState.OPEN:
        review = reviews.take(review, by=staff["review"])
    answers = checklists.all_yes(reviews.checklist_of(review))
    if review.state == ReviewState.TAKEN:
        review = reviews.approve(review, answers=answers, by=staff["review"])
    if review.state == ReviewState.SECONDED:
        reviews.approve(review, answers=answers, by=staff["review2"])
    hands.register()


def offered(product: Product, listing: Listing) -> list[Offer]:
    """The product's offers, in the order its merchant tells them."""
    known = {offer.name: offer for offer in listing.offers.all()}
    by = listing.seller.created_by
    return [known.get(plan["name"]) or offers.make_offer(listing, by=by, **plan) for plan in product.offers]
