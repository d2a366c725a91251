"""The product register: an approved version gets its number and its certificate, and goes on sale.

All of it is one transaction. A worker killed at any moment leaves either nothing or everything, and the next one finds
what is still due; the register's one entry per version is held by a unique index.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from listings import publishing
from listings.models import Listing, Registration, Version
from listings.states import ListingState, VersionState
from marketplace import documents, journal
from marketplace.numbers import new_number

logger = logging.getLogger(__name__)


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
    )
    listing = publishing.register(version)
    journal.record(
        "version.registered",
        version,
        by=None,
        listing=listing.pk,
        number=registration.number,
        release_digest=registration.release_digest,
    )
    documents.issue(
        "registration_certificate",
        registration,
        title=version.title,
        record=certificate_record(registration),
        readers=[listing.seller],
    )
    if listing.state == ListingState.REGISTERED:
        publishing.publish(listing)
    return registration


def certificate_record(registration: Registration) -> dict[str, Any]:
    """What the registration certificate states."""
    version = registration.version
    return {
        "register_number": registration.number,
        "holder": documents.party(registration.holder),
        "titles": version.titles,
        "product_type": version.listing.product_type,
        "version": version.number,
        "rights": registration.rights,
        "source_statement": registration.source_statement,
        "lawful_basis": version.lawful_basis,
        "classification": version.classification,
        "has_personal_data": version.has_personal_data,
        "release_digest": registration.release_digest,
        "registered_at": timezone.localtime(registration.registered_at).isoformat(timespec="seconds"),
    }
