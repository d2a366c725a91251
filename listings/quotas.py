"""How much a member may keep at the exchange: bytes and files, those on their way in included.

The settings say it for everybody; staff may decide otherwise for one organisation, with a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Sum
from django.utils.translation import gettext_lazy as _

from listings.models import Quota, ReleaseFile, Upload
from marketplace import journal, roles
from marketplace.errors import Invalid, TooLarge
from marketplace.models import Organisation, User


@dataclass(frozen=True)
class Allowance:
    """What an organisation may keep, and what it keeps."""

    most_bytes: int
    most_files: int
    used_bytes: int
    used_files: int
    reason: str = ""

    @property
    def share(self) -> float:
        """How full it is, 0 to 1: by bytes or by files, whichever is fuller."""
        bytes_share = self.used_bytes / self.most_bytes if self.most_bytes else 1.0
        files_share = self.used_files / self.most_files if self.most_files else 1.0
        return min(1.0, max(bytes_share, files_share))


def allowance(organisation: Organisation) -> Allowance:
    """What this organisation may keep and keeps now."""
    decided = Quota.objects.filter(organisation=organisation).first()
    kept = ReleaseFile.objects.filter(release__listing__seller=organisation)
    arriving = Upload.objects.filter(release__listing__seller=organisation)
    sums = [rows.aggregate(bytes=Sum("size_bytes", default=0), files=Count("pk")) for rows in (kept, arriving)]
    return Allowance(
        most_bytes=decided.most_bytes if decided else settings.SELLER_MAX_BYTES,
        most_files=decided.most_files if decided else settings.MEMBER_MAX_FILES,
        used_bytes=sum(one["bytes"] for one in sums),
        used_files=sum(one["files"] for one in sums),
        reason=decided.reason if decided else "",
    )


def require_room(organisation: Organisation, size_bytes: int) -> None:
    """Called in a transaction; of two announcements the second counts the first. Raises TooLarge `seller_full`."""
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    now = allowance(organisation)
    if now.used_bytes + size_bytes > now.most_bytes:
        left = max(0, now.most_bytes - now.used_bytes)
        full = _("Your files have at most %(most)s bytes together; %(left)s are left.")
        facts: dict[str, Any] = {"most": f"{now.most_bytes:,}", "left": f"{left:,}"}
    elif now.used_files + 1 > now.most_files:
        full, facts = _("You keep at most %(most)s files here."), {"most": f"{now.most_files:,}"}
    else:
        return
    raise TooLarge(
        full,
        code="seller_full",
        next=_("Cancel uploads you do not need, or ask the exchange's staff for more room."),
        **facts,
    )


@transaction.atomic
def set_quota(organisation: Organisation, *, most_bytes: int, most_files: int, reason: str, by: User) -> Quota:
    """Decide how much one organisation may keep. Raises RoleNeeded, Invalid."""
    roles.require_staff(by, "set_quota")
    reason = reason.strip()
    if not reason or len(reason) > 2000:
        raise Invalid(_("Say why, in at most 2,000 characters."), code="reason_needed")
    for number, most in ((most_bytes, 2**62), (most_files, 2**31 - 1)):
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= most:
            raise Invalid(_("A quota is a whole number, not below 0."), code="wrong_quota")
    quota = Quota.objects.create(
        organisation=organisation, most_bytes=most_bytes, most_files=most_files, reason=reason, created_by=by
    )
    journal.record("organisation.quota_set", organisation, by=by, most_bytes=most_bytes, most_files=most_files)
    return quota
