"""A listing from its first draft to its withdrawal: the commands that move listings and versions.

Each locks the listing first, then the version; whoever locks an offer too does so last. `register` and the moves of a
version under review have no check of roles: the registration worker and `compliance.reviews` call them.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from listings import manual, offers, plain_text, product_papers, profiling, shelf
from listings.models import MANUAL, Listing, Offer, ProductType, Release, Version
from listings.states import LISTING_MOVES, VERSION_MOVES, ListingState, VersionState
from marketplace import clock, joint_merchants, journal, roles
from marketplace.act_words import ACTS
from marketplace.errors import Invalid, RoleNeeded, WrongState, in_words
from marketplace.models import Organisation, User

LONGEST_REASON = 2000
UNDER_REVIEW = (VersionState.SUBMITTED, VersionState.IN_REVIEW)


@transaction.atomic
def create_listing(*, seller: Organisation, product_type: str, by: User) -> Listing:
    """Begin a data product of one of the types of ProductType. Raises RoleNeeded, Invalid."""
    roles.require(by, seller, "edit_listing")
    if product_type not in ProductType.values:
        raise Invalid(
            _("A product is one of %(known)s."), code="wrong_product_type", known=", ".join(ProductType.values)
        )
    listing = Listing.objects.create(seller=seller, product_type=product_type, created_by=by)
    journal.record("listing.created", listing, by=by, seller=seller.pk, product_type=product_type)
    return listing


@transaction.atomic
def draft(listing: Listing, *, by: User) -> Version:
    """The open draft of the manual, or a new one that begins as a copy of the latest version.

    Raises RoleNeeded, and WrongState for a withdrawn product.
    """
    listing = _locked(listing)
    roles.require(by, listing.seller, "edit_listing")
    _require_not_withdrawn(listing)
    latest = listing.versions.order_by("-number").first()
    if latest is not None and latest.state == VersionState.DRAFT:
        return latest
    copied = {field: getattr(latest, field) for field in MANUAL} if latest else {}
    version = Version.objects.create(
        listing=listing, number=latest.number + 1 if latest else 1, created_by=by, **copied
    )
    journal.record("version.drafted", version, by=by, listing=listing.pk, number=version.number)
    return version


@transaction.atomic
def edit(version: Version, *, by: User, seen: str = "", **fields: Any) -> Version:
    """Change fields of a draft's manual; `release` is a Release of the same product, or None.

    `seen` is the `manual.mark` of the draft the writer began from; empty where it does not matter. Raises RoleNeeded,
    WrongState once it was submitted or `changed_meanwhile` by somebody else, and Invalid naming every wrong field.
    """
    version = _locked_version(version)
    require_draft(version, by=by)
    values = manual.cleaned(fields)
    release = values.get("release")
    if release is not None and not (isinstance(release, Release) and release.listing_id == version.listing_id):
        raise Invalid(
            _("This release belongs to another product."),
            code="wrong_manual",
            reasons=[
                {"code": "wrong_release", "detail": gettext("Choose a release of this product."), "field": "release"}
            ],
        )
    before = manual.mark(version)
    for field, value in values.items():
        setattr(version, field, value)
    # Who writes what stands there already takes nothing from anybody: the same form, sent twice.
    if seen and seen != before != manual.mark(version):
        raise WrongState(
            _("The draft was changed meanwhile, in another window or by a colleague."),
            code="changed_meanwhile",
            next=_(
                "What you wrote still stands in the form. Open the page in another window to see what changed; "
                "save again to put yours in its place."
            ),
        )
    version.save(update_fields=list(values))
    if {"fields", "release"} & values.keys():
        profiling.measure_again(version, by=by)
    return version


def require_draft(version: Version, *, by: User) -> None:
    """Whether `by` may change this version now. Raises RoleNeeded, WrongState."""
    roles.require(by, version.listing.seller, "edit_listing")
    _require_not_withdrawn(version.listing)
    if version.state != VersionState.DRAFT:
        raise WrongState(
            _("Version %(number)s was submitted and never changes; open a new draft."), number=version.number
        )


def problems(version: Version) -> list[manual.Problem]:
    """Everything that keeps this version from being submitted: `{code, detail, field}`, empty when nothing does."""
    return problems_of([version])[version.pk]


def problems_of(versions: list[Version]) -> dict[int, list[manual.Problem]]:
    """The same of each of several versions, by its id. Two statements, besides each release's profile."""
    listings = {version.listing_id for version in versions}
    waiting = set(
        Version.objects.filter(listing__in=listings, state__in=UNDER_REVIEW).values_list("listing_id", flat=True)
    )
    found: dict[int, list[manual.Problem]] = {}
    for version in versions:
        detail = gettext("Another version of this product is under review.")
        other: manual.Problem = {"code": "already_in_review", "detail": detail, "field": ""}
        found[version.pk] = [*([other] if version.listing_id in waiting else []), *manual.lacks(version)]
    for offer in Offer.objects.filter(listing__in=listings, closed_at=None):
        for version in (one for one in versions if one.listing_id == offer.listing_id):
            for reason in offers.contradictions(version, channel=offer.channel, terms=offer.terms):
                detail = gettext("Offer “%(offer)s”: %(why)s") % {"offer": offer.name, "why": reason["detail"]}
                found[version.pk].append({"code": reason["code"], "detail": detail, "field": "classification"})
    return found


@transaction.atomic
def submit(version: Version, *, by: User) -> Version:
    """Hand a draft in for review; it never changes again. Compliance calls this once it has cleared the seller.

    Raises RoleNeeded, WrongState, and Invalid `manual_incomplete` with all its problems.
    """
    version = _locked_version(version)
    listing = version.listing
    roles.require(by, listing.seller, "submit")
    _require_not_withdrawn(listing)
    after = _next(version, VERSION_MOVES, "submit")
    missing = problems(version)
    if missing and missing[0]["code"] == "already_in_review":
        raise WrongState(
            _("Another version of this product is under review."),
            code="already_in_review",
            next=_("Wait for its review; then submit this one."),
        )
    if missing:
        raise Invalid(
            _("The manual is not complete: %(why)s"),
            code="manual_incomplete",
            next=_("Complete what is named, then submit again."),
            reasons=[dict(problem) for problem in missing],  # type: ignore[arg-type]
            why=missing[0]["detail"],
        )
    version.state, version.submitted_at, version.submitted_by = after, clock.now(), by
    version.save(update_fields=["state", "submitted_at", "submitted_by"])
    journal.record(
        "version.submitted", version, by=by, listing=listing.pk, number=version.number, release=version.release_id
    )
    return version


def take(version: Version, *, by: User) -> Version:
    """A reviewer begins the review. Raises WrongState."""
    return _move_version(version, "take", "version.taken", by=by)


def approve(version: Version, *, by: User) -> Version:
    """The second reviewer has approved; the registration worker takes it from here. Raises WrongState."""
    return _move_version(version, "approve", "version.approved", by=by)


def request_changes(version: Version, *, by: User) -> Version:
    """The review sends it back; the seller answers with a new draft. Raises WrongState."""
    return _move_version(version, "request_changes", "version.changes_requested", by=by)


def refuse(version: Version, *, by: User) -> Version:
    """The review refuses it. Raises WrongState."""
    return _move_version(version, "refuse", "version.refused", by=by)


def take_back(version: Version, *, by: User) -> Version:
    """The seller takes it out of review. Raises WrongState once it was decided."""
    return _move_version(version, "take_back", "version.taken_back", by=by)


@transaction.atomic
def register(version: Version) -> Listing:
    """Make an approved version, which the caller has just entered in the register, the current one.

    A new product is then registered; one on sale goes on being sold, by its new version. Raises WrongState.
    """
    version = _locked_version(version)
    listing = version.listing
    _require_not_withdrawn(listing)
    if version.state != VersionState.APPROVED:
        raise WrongState(
            _("Version %(number)s is %(state)s, not approved."),
            number=version.number,
            state=in_words(VersionState(version.state).label),
        )
    listing.current_version = version
    if listing.state == ListingState.UNLISTED:
        listing.state = _next(listing, LISTING_MOVES, "register")
    listing.save(update_fields=["current_version", "state"])
    shelf.index(listing)
    return listing


@transaction.atomic
def publish(listing: Listing) -> Listing:
    """Put a registered product on sale. Raises WrongState."""
    listing = _locked(listing)
    listing.state, listing.listed_at = _next(listing, LISTING_MOVES, "publish"), clock.now()
    listing.save(update_fields=["state", "listed_at"])
    shelf.index(listing)
    journal.record("listing.published", listing, by=None, version=listing.current_version_id)
    return listing


@transaction.atomic
def suspend(listing: Listing, *, reason: str, by: User) -> Listing:
    """The staff stop new trades of a product; those under way go on.

    Raises RoleNeeded (also for whoever belongs or belonged to the seller), WrongState, Invalid.
    """
    listing = _locked(listing)
    roles.require_staff(by, "suspend_listing")
    _require_no_own_interest(listing, by)
    return _move_listing(listing, "suspend", "listing.suspended", reason=_reason(reason), by=by)


@transaction.atomic
def resume(listing: Listing, *, by: User) -> Listing:
    """The staff put a suspended product back on sale. Raises RoleNeeded, WrongState."""
    listing = _locked(listing)
    roles.require_staff(by, "suspend_listing")
    _require_no_own_interest(listing, by)
    return _move_listing(listing, "resume", "listing.resumed", reason="", by=by)


@transaction.atomic
def withdraw(listing: Listing, *, reason: str, by: User) -> Listing:
    """The seller, or the staff, take a product off sale for ever, its offers too; trades under way go on.

    Raises RoleNeeded, WrongState, Invalid.
    """
    listing = _locked(listing)
    if not roles.staff_may(by, "suspend_listing") or _belongs_to_seller(listing, by):
        roles.require(by, listing.seller, "withdraw_listing")
    listing = _move_listing(listing, "withdraw", "listing.withdrawn", reason=_reason(reason), by=by)
    offers.close_all(listing, by=by)
    return listing


def _locked(listing: Listing) -> Listing:
    """FOR NO KEY UPDATE: a trade that points at the product need not wait."""
    return Listing.objects.select_for_update(no_key=True, of=("self",)).select_related("seller").get(pk=listing.pk)


def _locked_version(version: Version) -> Version:
    listing = _locked(version.listing)
    version = Version.objects.select_for_update(no_key=True, of=("self",)).get(pk=version.pk)
    version.listing = listing
    return version


def _next(subject: Listing | Version, moves: Any, act: str) -> str:
    after = moves[subject.state].get(act)
    if after is None:
        name = (
            _("Version %(number)s") % {"number": subject.number} if isinstance(subject, Version) else _("This product")
        )
        raise WrongState(
            _("%(name)s is %(state)s; “%(act)s” cannot be done now."),
            name=name,
            state=in_words(subject.get_state_display()),
            act=ACTS[act],
        )
    return str(after)


@transaction.atomic
def _move_version(version: Version, act: str, event: str, *, by: User) -> Version:
    version = _locked_version(version)
    version.state = _next(version, VERSION_MOVES, act)
    if version.state == VersionState.APPROVED:
        _require_not_withdrawn(version.listing)
        version.approved_at = clock.now()
    version.save(update_fields=["state", "approved_at"])
    journal.record(event, version, by=by, listing=version.listing_id, number=version.number)
    return version


def _move_listing(listing: Listing, act: str, event: str, *, reason: str, by: User) -> Listing:
    listing.state, listing.reason = _next(listing, LISTING_MOVES, act), reason
    listing.save(update_fields=["state", "reason"])
    shelf.put(listing)
    journal.record(event, listing, by=by)
    product_papers.note_listing(listing, listing.state if listing.state != ListingState.LISTED else "resumed")
    return listing


def _belongs_to_seller(listing: Listing, by: User) -> bool:
    """Whether this person is or ever was one of the seller's."""
    return joint_merchants.has_interest(by, listing.seller_id)


def _require_no_own_interest(listing: Listing, by: User) -> None:
    if _belongs_to_seller(listing, by):
        raise RoleNeeded(
            _("You belong or belonged to the seller."),
            code="own_organisation",
            next=_("Let a colleague who does not decide."),
        )


def _require_not_withdrawn(listing: Listing) -> None:
    if listing.state == ListingState.WITHDRAWN:
        raise WrongState(_("This product was withdrawn."))


def _reason(reason: object) -> str:
    try:
        return plain_text.cleaned(reason, LONGEST_REASON, shortest=1)
    except plain_text.NotPlain as wrong:
        raise Invalid(
            _("Give a reason in words the seller sees. %(wrong)s"), code="reason_needed", wrong=wrong
        ) from None
