"""The file channel: the files of a release, by links that are signed, lapse, and are checked at every use.

The channel opens and closes nothing outside: the grant itself is the access, and the data plane (`download`) asks
at every request whether it may still be used. Where calls are sold, one call is one link to one file: whoever goes on
by the link, or fetches the file again while it holds, uses no other; the list of digests is no call.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from listings import storage
from settlement.channels import Access, CannotDeliver, TryLater, Use
from settlement.channels.files import links as signed_links

if TYPE_CHECKING:
    from listings.models import Offer, Version
    from marketplace.models import User
    from settlement.models import Grant

NEVER_AS_FILES = {"core": _("Core data"), "important": _("Important data"), "general_4": _("General data of grade 4")}


class Files:
    """Delivers a release's files over HTTP."""

    name = "files"

    def check(self, offer: Offer) -> list[str]:
        version = offer.listing.current_version
        if version is None:
            return [gettext("The product has no approved version yet.")]
        return _obstacles(version, has_files=version.release is not None and version.release.files.exists())

    def open(self, grant: Grant) -> Access:
        release = grant.trade.release
        stored = list(release.files.all())
        if obstacles := _obstacles(grant.trade.version, has_files=bool(stored)):
            raise CannotDeliver(" ".join(obstacles))
        files = []
        for file in stored:
            self._require_stored(file.stored_as, file.size_bytes)
            files.append({"path": file.path, "size_bytes": file.size_bytes, "sha256": file.sha256})
        return Access(facts={"files": files, "manifest_digest": release.digest})

    def links(self, grant: Grant, *, by: User) -> list[dict[str, Any]]:
        """Links to the files that lapse, for this person alone; see `files.links`. Raises what a use would raise."""
        return signed_links.links(grant, by=by)

    def close(self, grant: Grant) -> None:
        """Nothing stands outside our own books: the closed grant refuses the very next request."""

    def usage(self, grant: Grant, since: dt.datetime) -> Iterable[Use]:
        for receipt in grant.receipts.filter(at__gte=since).order_by("at", "pk"):
            yield Use(at=receipt.at, path=receipt.path, size_bytes=receipt.size_bytes)

    def health(self) -> str:
        return storage.store().health()

    def _require_stored(self, stored_as: str, size_bytes: int) -> None:
        """Raises CannotDeliver when a file is lost, TryLater when the whole storage is away."""
        try:
            is_whole = storage.size_of(stored_as) == size_bytes
        except OSError:
            is_whole = False
        if not is_whole:
            if illness := self.health():
                raise TryLater(illness)
            raise CannotDeliver("A file of this release is not in storage as it was registered.")


def _obstacles(version: Version, *, has_files: bool) -> list[str]:
    """Why this version's release may not leave as files; empty when it may."""
    obstacles = []
    if version.classification in NEVER_AS_FILES:
        kind = NEVER_AS_FILES[version.classification]
        obstacles.append(gettext("%(classification)s is never delivered as files.") % {"classification": kind})
    if not has_files:
        obstacles.append(gettext("Its release has no files."))
    return obstacles
