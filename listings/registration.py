"""The product register: an approved version gets its number and its certificate, and goes on sale, at once or after
a window in which anyone may object.

All of it is one transaction. A worker killed at any moment leaves either nothing or everything, and the next one finds
what is still due; the register's one entry per version is held by a unique index.
"""

from __future__ import annotations

import datetime as dt
import logging

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from listings import product_papers, publishing
from listings.models import Listing, Objection, Registration, Version
from listings.states import ListingState, ObjectionState, VersionState
from marketplace import clock, documents, journal
from marketplace.models import Annotation
from marketplace.numbers import new_number

logger = logging.getLogger(__name__)
AT_ONCE = 500


def due() -> QuerySet[Version]:
    """Approved versions that the register does not hold yet, the oldest first."""
    return (
        Version.objects.filter(state=VersionState.APPROVED, registration=None)
        .exclude(listing__state=ListingState.WITHDRAWN)
        .order_by("approved_at", "pk")
    )


def register_next() -> Registration | None:
    """Register the version that has waited longest and publish its product, or None where none is due."""
    oldest = due().values_list("pk", flat=True).first()
    return _register_if_due(oldest) if oldest else None


def register_due() -> int:
    """Register everything that is due; how many. One that fails is logged and does not hold up the others."""
    registered = 0
    for pk in list(due().values_list("pk", flat=True)):
        try:
            registered += _register_if_due(pk) is not None
        except Exception:
            logger.exception("version %s could not be registered", pk)
    return registered


@transaction.atomic
def _register_if_due(pk: int) -> Registration | None:
    """Locks the listing first, as every command does; None when another worker has it, or has done it."""
    listing = Listing.objects.filter(versions=pk).select_for_update(skip_locked=True, of=("self",), no_key=True).first()
    version = due().filter(pk=pk).select_related("release", "listing__seller").first() if listing else None
    return _register(version) if version else None


def _register(version: Version) -> Registration:
    listing = version.listing
    if version.release is None:
        raise ValueError(f"version {version.pk} was approved without a release")
    registration = Registration.objects.create(
        version=version,
        number=new_number("product"),
        holder=listing.seller,
        rights=version.rights,
        source_statement=version.source_statement,
        release_digest=version.release.digest,
        objections_until=_objections_until(listing),
    )
    before = listing.current_version
    listing = publishing.register(version)
    journal.record(
        "version.registered",
        version,
        by=None,
        listing=listing.pk,
        number=registration.number,
        release_digest=registration.release_digest,
    )
    product_papers.issue_registration_certificate(registration)
    if before is not None and hasattr(before, "registration"):
        documents.annotate(product_papers.certificates_of(before.registration), Annotation.Code.SUPERSEDED)
    if listing.state == ListingState.REGISTERED and registration.objections_until is None:
        listing = publishing.publish(listing)
    if listing.state == ListingState.LISTED:
        product_papers.issue_listing_certificate(listing)
    return registration


# --- after the publicity window ------------------------------------------------------------------------------------


def _objections_until(listing: Listing) -> dt.datetime | None:
    """Until when a registration is open to objections; None for what is on sale already, or without a window."""
    if not settings.PUBLICITY_DAYS or listing.state not in (ListingState.UNLISTED, ListingState.REGISTERED):
        return None
    return clock.now() + dt.timedelta(days=settings.PUBLICITY_DAYS)


def due_to_publish() -> QuerySet[Listing]:
    """Registered products whose window has passed without an objection that stands, the oldest first."""
    standing = Objection.objects.filter(registration__version=OuterRef("current_version")).exclude(
        state=ObjectionState.DISMISSED
    )
    passed = Q(current_version__registration__objections_until__lte=clock.now())
    return (
        Listing.objects.filter(passed, state=ListingState.REGISTERED)
        .exclude(Exists(standing))
        .order_by("current_version__registration__objections_until", "pk")
    )


def publish_due() -> int:
    """Put on sale everything whose window has passed; how many. One that fails is logged and holds up no other."""
    published = 0
    for pk in list(due_to_publish().values_list("pk", flat=True)[:AT_ONCE]):
        try:
            published += _publish_if_due(pk)
        except Exception:
            logger.exception("listing %s could not be published", pk)
    return published


@transaction.atomic
def _publish_if_due(pk: int) -> bool:
    """Locks the listing, as an objection does; False when another worker has it, or an objection came first."""
    locked = Listing.objects.filter(pk=pk).select_for_update(skip_locked=True, of=("self",), no_key=True).first()
    if locked is None or not due_to_publish().filter(pk=pk).exists():
        return False
    product_papers.issue_listing_certificate(publishing.publish(locked))
    return True
