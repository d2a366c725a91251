"""How far a release is, for its page: files on their way in and being checked, and its measuring."""

from __future__ import annotations

from typing import Any

from listings import arrivals, uploads
from listings.models import Release, Upload
from listings.states import ProfileState, UploadState

# What is stored of a refusal is English; this is said in the reader's language.
REFUSED_AS = {kind.code: kind.says for kind in (arrivals.WrongChecksum, arrivals.MalwareFound)}


def of(release: Release) -> dict[str, Any]:
    """`uploads` with their share, `measuring` (0 to 1, or None), whether anything `moves` by itself, whether anything
    `waits` for its seller, and a `mark` that changes when something came to its end.
    """
    arriving = list(release.uploads.order_by("pk"))
    profile = getattr(release, "profile", None)
    shown = [
        {
            "upload": upload,
            "offset": uploads.offset_of(upload),
            "share": _share(upload),
            "refused_as": REFUSED_AS.get(upload.refusal_code, ""),
        }
        for upload in arriving
    ]
    is_measuring = profile is not None and profile.state == ProfileState.DUE
    states = [f"{upload.public_id}:{upload.state}" for upload in arriving]
    return {
        "uploads": shown,
        "measuring": _measured(release) if is_measuring else None,
        "moves": is_measuring or any(upload.state == UploadState.CHECKING for upload in arriving),
        "waits": any(upload.state == UploadState.ARRIVING for upload in arriving),
        "mark": " ".join([*states, profile.state if profile else "open", str(release.sealed_at is not None)]),
    }


def _share(upload: Upload) -> float:
    if upload.state == UploadState.CHECKING:
        return arrivals.share_checked(upload)
    return uploads.offset_of(upload) / upload.size_bytes


def _measured(release: Release) -> float:
    return min(1.0, release.profile.bytes_done / release.size_bytes) if release.size_bytes else 0.0
