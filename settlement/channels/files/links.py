"""Signed links: who may fetch which file of which grant, and until when. A link is a secret: show it, never log it."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from listings.models import ReleaseFile
from marketplace import roles
from marketplace.errors import Refused
from marketplace.models import User
from settlement import deliveries
from settlement.models import Grant

MANIFEST = "SHA256SUMS"
_SIGNER = TimestampSigner(salt="settlement.channels.files", sep=".")


class LinkForged(Refused):
    """This link was not made by the exchange, or is not whole."""

    code = "link_forged"
    status = 403
    says = _("This link was not made by the exchange, or is not whole.")
    next = _("Copy the whole link again from your order.")


class LinkLapsed(Refused):
    """This link has lapsed."""

    code = "link_lapsed"
    status = 403
    says = _("This link has lapsed.")
    next = _("Ask for a new link in your order; a download goes on from where it stopped.")


class LinkForeign(Refused):
    """This link was made for another person."""

    code = "link_foreign"
    status = 403
    says = _("This link was made for another person.")
    next = _("Ask for a link of your own in your order.")


@dataclass(frozen=True)
class Signed:
    """What a link says: the file of the grant of a trade (None for the manifest), and the person it was made for."""

    trade: str
    file_id: int | None
    user_id: int


def links(grant: Grant, *, by: User) -> list[dict[str, Any]]:
    """A link to each file of the grant and to its SHA256SUMS: `{path, size_bytes, sha256, url, expires_at}`.

    Raises RoleNeeded, and what `deliveries.require_use` raises.
    """
    roles.require(by, grant.trade.buyer, "download")
    deliveries.require_use(grant, by=by)
    now = int(time.time())
    expires_at = dt.datetime.fromtimestamp(now + settings.LINK_SECONDS, dt.UTC)
    files = list(grant.trade.release.files.order_by("path"))
    manifest = manifest_of(files)
    listed: list[tuple[int | None, str, int, str]] = [
        (file.pk, file.path, file.size_bytes, file.sha256) for file in files
    ]
    listed.append((None, MANIFEST, len(manifest), hashlib.sha256(manifest).hexdigest()))
    return [
        {
            "path": path,
            "size_bytes": size_bytes,
            "sha256": sha256,
            "url": _url(Signed(grant.trade.public_id, file_id, by.pk), path),
            "expires_at": expires_at,
        }
        for file_id, path, size_bytes, sha256 in listed
    ]


def read(token: str) -> Signed:
    """What the link's token says. Raises LinkForged, LinkLapsed."""
    try:
        return Signed(*_SIGNER.unsign_object(token, max_age=settings.LINK_SECONDS))
    except SignatureExpired as error:
        raise LinkLapsed() from error
    except BadSignature as error:
        raise LinkForged() from error


def last_name(path: str) -> str:
    """The name a file is saved under: the last part of its path in the release."""
    return path.rsplit("/", 1)[-1]


def manifest_of(files: list[ReleaseFile]) -> bytes:
    """What `sha256sum --check` reads; it wants names with a backslash or a line break escaped."""
    lines = []
    for file in files:
        escaped = file.path.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
        lines.append(f"{'' if escaped == file.path else chr(92)}{file.sha256}  {escaped}\n")
    return "".join(lines).encode()


def _url(signed: Signed, path: str) -> str:
    token = _SIGNER.sign_object([signed.trade, signed.file_id, signed.user_id])
    return f"{settings.BASE_URL}{reverse('data_file', args=[token, last_name(path)])}"
