"""What a product leaves on paper: the certificate of its registration, and that of its listing."""

from __future__ import annotations

from typing import Any

from listings import terms as licence_terms
from listings import terms_words
from listings.models import Listing, Registration
from marketplace import documents
from marketplace.models import Paper

Kind = Paper.Kind


def issue_registration_certificate(registration: Registration) -> Paper:
    """The certificate of an entry of the register, for its holder."""
    return documents.issue(
        Kind.REGISTRATION_CERTIFICATE,
        registration,
        title=registration.version.title,
        record=certificate_record(registration),
        readers=[registration.holder],
    )


def certificates_of(registration: Registration) -> list[Paper]:
    """Both certificates, as far as they are issued."""
    about = Paper.objects.filter(subject_kind="registration", subject_id=registration.pk)
    return list(about.filter(kind__in=[Kind.REGISTRATION_CERTIFICATE, Kind.LISTING_CERTIFICATE]).order_by("pk"))


def note_listing(listing: Listing, code: str) -> None:
    """Note on the listing certificates of the current version what became of the listing."""
    version = listing.current_version
    registration = getattr(version, "registration", None) if version else None
    if registration is not None:
        about = Paper.objects.filter(subject_kind="registration", subject_id=registration.pk)
        documents.annotate(about.filter(kind=Kind.LISTING_CERTIFICATE), code)


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
        "registered_at": registration.registered_at.isoformat(timespec="seconds"),
        "coverage_area": version.coverage_area,
        "covers_from_on": version.coverage_from.isoformat() if version.coverage_from else None,
        "covers_until_on": version.coverage_until.isoformat() if version.coverage_until else None,
    } | _window(registration)


def _window(registration: Registration) -> dict[str, str]:
    until = registration.objections_until
    return {"objections_until_at": until.isoformat(timespec="seconds")} if until else {}


def issue_listing_certificate(listing: Listing) -> Paper:
    """The certificate that the registered version of this product is on sale; one for each version."""
    version = listing.current_version
    if version is None or listing.listed_at is None:
        raise ValueError(f"listing {listing.pk} is not on sale")
    registration = version.registration
    certificate = Paper.objects.filter(
        kind=Paper.Kind.REGISTRATION_CERTIFICATE, subject_kind="registration", subject_id=registration.pk
    )
    listed_at = max(listing.listed_at, registration.registered_at)
    return documents.issue(
        Kind.LISTING_CERTIFICATE,
        registration,
        title=version.title,
        record={
            "register_number": registration.number,
            "certificate_number": certificate.values_list("number", flat=True).first() or "",
            "holder": documents.party(registration.holder),
            "titles": version.titles,
            "product_type": listing.product_type,
            "version": version.number,
            "classification": version.classification,
            "listed_at": listed_at.isoformat(timespec="seconds"),
            "plans": _plans(listing),
        },
        readers=[registration.holder],
    )


def _plans(listing: Listing) -> dict[str, Any] | None:
    """On what kind of plans the product is on sale, amounts and names of plans left out; None without a plan."""
    offers = list(listing.offers.filter(closed_at=None))
    if not offers:
        return None
    territory = {code for offer in offers for code in offer.terms["territory"]}
    plans = [offer for offer in offers if not offer.is_trial]
    named = ["*"] if "*" in territory else sorted(territory)
    return {
        "prices": sorted({"per_call" if offer.steps else "fixed" if offer.price_minor else "free" for offer in plans}),
        "audiences": sorted({offer.audience for offer in offers}),
        "channels": sorted({offer.channel for offer in offers}),
        "territory": {language: licence_terms.territory_words(named, language) for language in terms_words.LANGUAGES},
    }
