"""Notices to licensees: a new release, a delay, a change of the schema, the end of a product. Given once, for good."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from listings import differences, plain_text
from listings.models import Listing, Release
from listings.states import ProfileState
from marketplace import clock, journal, notifications, roles
from marketplace.errors import Invalid, WrongState
from marketplace.models import Organisation, User
from settlement.models import Grant, LicenseeNotice
from settlement.states import GrantState

LONGEST_TEXT = 4_000
FARTHEST_DAYS = 3_660
MOST_CHANGES = 100
TOLD_AT_ONCE = 500
Kind = LicenseeNotice.Kind


@transaction.atomic
def give(
    listing: Listing,
    *,
    kind: str,
    text: str,
    language: str,
    effective_on: dt.date,
    release: Release | None = None,
    by: User,
) -> LicenseeNotice:
    """Tell every organisation that holds an open access to the product; the notice stays in its history.

    `release` is the one a new release or a change of the schema is about; the change itself is computed from what was
    measured of it and of the one before. Raises RoleNeeded, WrongState before the product was ever listed or where
    this was told, Invalid with the reason.
    """
    listing = (
        Listing.objects.select_for_update(no_key=True, of=("self",))
        .select_related("seller", "current_version")
        .get(pk=listing.pk)
    )
    roles.require(by, listing.seller, "edit_listing")
    if listing.listed_at is None or listing.current_version is None:
        raise WrongState(_("This product was never listed; it has no licensees."))
    words = _checked(listing, kind, text, language, effective_on, release)
    if release is not None and LicenseeNotice.objects.filter(listing=listing, release=release, kind=kind).exists():
        raise WrongState(_("Licensees were told of this already."))
    told = sorted(licensees(listing))
    notice = LicenseeNotice.objects.create(
        listing=listing,
        kind=kind,
        text=words,
        language=language,
        effective_on=effective_on,
        release=release,
        changes=schema_changes(release) if kind == Kind.SCHEMA_CHANGE else {},
        licensees=len(told),
        by=by,
    )
    journal.record("licensee_notice.given", notice, by=by, listing=listing.pk, what=kind, licensees=len(told))
    for first in range(0, len(told), TOLD_AT_ONCE):
        notifications.tell_each(
            f"licensees.{kind}",
            organisations=told[first : first + TOLD_AT_ONCE],
            path=f"{reverse('product', args=[listing.public_id])}#notice-{notice.pk}",
            facts={
                "title": listing.current_version.titles,
                "seller": listing.seller,
                "on": effective_on,
                "quote": words,
            },
            by=by,
        )
    return notice


def licensees(listing: Listing) -> set[int]:
    """The ids of the organisations that hold an open access to the product now."""
    open_to = Grant.objects.filter(trade__listing=listing, state__in=[GrantState.OPEN, GrantState.SUSPENDED])
    return set(open_to.values_list("trade__buyer", flat=True))


def told(notice: LicenseeNotice) -> QuerySet[Grant]:
    """The accesses that were open when the notice was given."""
    open_then = Grant.objects.filter(trade__listing=notice.listing_id, opened_at__lte=notice.given_at)
    return open_then.filter(Q(closed_at=None) | Q(closed_at__gt=notice.given_at))


def of(listing: Listing, reader: Organisation | None) -> QuerySet[LicenseeNotice]:
    """What this reader may see of a product's notices, the newest first."""
    return LicenseeNotice.objects.visible_to(reader).filter(listing=listing).select_related("release")


@dataclass(frozen=True)
class Proposal:
    """A notice a seller may want to give: of which kind, about which release, with which changes of the schema."""

    kind: str
    release: Release
    changes: dict[str, list[str]]

    @property
    def label(self) -> str:
        return str(Kind(self.kind).label)


def proposals(listing: Listing) -> list[Proposal]:
    """What licensees were not told of the release that is on sale: that it is there, and what it breaks."""
    version = listing.current_version
    release = version.release if version else None
    if release is None or listing.listed_at is None:
        return []
    others = Grant.objects.filter(trade__listing=listing).exclude(trade__release=release)
    if not others.exists():
        return []
    told = set(LicenseeNotice.objects.filter(listing=listing, release=release).values_list("kind", flat=True))
    changes = schema_changes(release)
    wanted = [Kind.NEW_RELEASE, *([Kind.SCHEMA_CHANGE] if changes else [])]
    return [
        Proposal(kind, release, changes if kind == Kind.SCHEMA_CHANGE else {}) for kind in wanted if kind not in told
    ]


def schema_changes(release: Release | None) -> dict[str, list[str]]:
    """The columns that came, went or changed their kind since the approved release before; {} where nothing breaks."""
    profile = getattr(release, "profile", None)
    if release is None or profile is None or profile.state != ProfileState.DONE:
        return {}
    earlier = Release.objects.filter(
        listing=release.listing_id,
        pk__lt=release.pk,
        profile__state=ProfileState.DONE,
        versions__approved_at__isnull=False,
    )
    before = earlier.select_related("profile").order_by("-pk").first()
    if before is None or not before.profile.report or not profile.report:
        return {}
    found = differences.between(before.profile.report, profile.report)
    if not found.breaks_schema:
        return {}
    lines = {
        "removed": [*found.tables_removed, *(f"{table}: {column}" for table, column in found.removed)],
        "retyped": [f"{table}: {column} ({old} → {new})" for table, column, old, new in found.retyped],
        "added": [*found.tables_added, *(f"{table}: {column}" for table, column in found.added)],
    }
    return {what: columns[:MOST_CHANGES] for what, columns in lines.items() if columns}


def _checked(listing: Listing, kind: Any, text: Any, language: Any, effective_on: Any, release: Release | None) -> str:
    """The words, cleaned. Raises Invalid."""
    if kind not in Kind.values or language not in dict(settings.LANGUAGES):
        raise Invalid(_("Choose what the notice is about and its language."), code="wrong_notice")
    today = clock.today()
    days = dt.timedelta(days=FARTHEST_DAYS)
    if not today - days <= effective_on <= today + days:
        raise Invalid(_("The day lies too far from today."), code="wrong_notice")
    if kind == Kind.NEW_RELEASE and release is None:
        raise Invalid(_("Say which release is new."), code="wrong_notice")
    if release is not None and (
        kind not in LicenseeNotice.OF_A_RELEASE or release.listing_id != listing.pk or release.sealed_at is None
    ):
        raise Invalid(_("This notice is not about that release."), code="wrong_notice")
    try:
        return plain_text.cleaned(text, LONGEST_TEXT, shortest=1)
    except plain_text.NotPlain as wrong:
        raise Invalid(_("The notice: %(wrong)s"), code="wrong_notice", wrong=str(wrong)) from wrong


def waiting_proposals(seller: Organisation) -> QuerySet[Listing]:
    """Products on sale with a release their licensees were not told of."""
    told = LicenseeNotice.objects.filter(kind=Kind.NEW_RELEASE).values("release")
    untold = Listing.objects.sold_by(seller).on_sale().filter(~Q(current_version__release__in=told))
    older = Grant.objects.filter(trade__seller=seller).exclude(
        trade__release=F("trade__listing__current_version__release")
    )
    return untold.filter(pk__in=older.values("trade__listing")).select_related("current_version")
