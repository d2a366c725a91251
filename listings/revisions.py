"""The releases of a product that were on sale, the newest first, each with what changed since the one before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Min
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from listings import differences
from listings.differences import Differences
from listings.models import Listing, Release
from listings.states import ProfileState

MOST = 6


@dataclass(frozen=True)
class Revision:
    """One release; `changes` as listings.differences.told gives them, None for the first or an unmeasured one."""

    release: Any
    rows: int | None
    changes: dict[str, Any] | None

    @property
    def words(self) -> list[str]:
        """What changed, in a few words each."""
        return in_short(self.changes["found"]) if self.changes else []


def of(listing: Listing) -> list[Revision]:
    """The last MOST releases that approved versions named. One statement."""
    approved = Release.objects.filter(listing=listing, versions__approved_at__isnull=False)
    found = list(
        approved.select_related("profile")
        .annotate(approved_at=Min("versions__approved_at"))
        .order_by("-pk")[: MOST + 1]
    )
    pairs = zip(found, [*found[1:], None], strict=False)  # the oldest has none before it; a draft may have none at all
    return [Revision(one, _rows(one), differences.told(before, one)) for one, before in pairs][:MOST]


def _rows(release: Release) -> int | None:
    profile = getattr(release, "profile", None)
    return profile.report["rows"] if profile is not None and profile.state == ProfileState.DONE else None


def in_short(found: Differences) -> list[str]:
    """The schema's changes as counts, or that it stayed."""
    counted = [
        (len(found.tables_added), ngettext("%(n)s table added", "%(n)s tables added", len(found.tables_added))),
        (len(found.tables_removed), ngettext("%(n)s table removed", "%(n)s tables removed", len(found.tables_removed))),
        (len(found.added), ngettext("%(n)s column added", "%(n)s columns added", len(found.added))),
        (len(found.removed), ngettext("%(n)s column removed", "%(n)s columns removed", len(found.removed))),
        (
            len(found.retyped),
            ngettext("%(n)s column of another kind", "%(n)s columns of another kind", len(found.retyped)),
        ),
    ]
    said = [words % {"n": number} for number, words in counted if number]
    return said or [_("The columns are the same.")]
