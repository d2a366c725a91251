"""What becomes of a file that has arrived whole: checked, then part of its release; or refused, or in quarantine.

A check reads the file from the store: hashes it where its bytes did not pass through us, compares the seller's
checksum, and lets the scanners see it. A worker does it: claim, read, record. Until then the file belongs to nothing,
so nothing can sell, show or send it. What was never finished is swept away.
"""

from __future__ import annotations

import datetime as dt
import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from listings import direct, file_names, storage
from listings.models import Release, ReleaseFile, Upload
from listings.states import UploadState
from marketplace import clock, journal, roles, scanning
from marketplace.claims import kept, postponed_on_failure
from marketplace.errors import Invalid, Refused, WrongState
from marketplace.models import User
from marketplace.storage import Reading, chunks_of

# How often a check writes down how far it has read.
NOTED_EVERY_BYTES = 64 * 1024**2


class Gone(WrongState):
    """This upload has lapsed or ended."""

    code = "upload_gone"
    status = 410
    says = _("This upload has lapsed or ended.")
    next = _("Start a new upload.")


class WrongChecksum(Invalid):
    """The file that arrived is not the one whose SHA-256 was given."""

    code = "wrong_checksum"
    says = _("The file that arrived is not the one whose SHA-256 was given.")
    next = _("Send the file again, or correct the checksum.")


class MalwareFound(Invalid):
    """A scanner found malware in this file."""

    code = "malware_found"
    says = _("A scanner found malware in this file.")
    next = _("Clean the file at its source and send it again; the exchange keeps this one locked away for a while.")


class ClaimLost(Exception):
    """It took so long that another worker has taken the check over, or the seller ended the upload."""


def hand_over(upload: Upload, *, sha256_hex: str, by: User) -> Upload | ReleaseFile:
    """A file is whole and in the store: part of its release at once where nothing is left to check, else checked next.

    `sha256_hex` is '' where nobody has read it yet. Raises WrongChecksum, Invalid, WrongState; then the upload is gone.
    """
    try:
        if sha256_hex:
            _require_expected(upload, sha256_hex)
            if not scanning.names():
                return add_file(upload, sha256_hex, by=by)
        return _wait_for_check(upload, sha256_hex)
    except (Invalid, WrongState):
        discard(upload)
        raise


@transaction.atomic
def _wait_for_check(upload: Upload, sha256_hex: str) -> Upload:
    release = locked(upload.release)
    require_open(release)
    found = Upload.objects.select_for_update().filter(pk=upload.pk).first()
    if found is None:
        raise Gone()
    if found.state == UploadState.ARRIVING:
        found.state, found.sha256, found.next_try_at = UploadState.CHECKING, sha256_hex, clock.now()
        found.received_bytes = found.size_bytes
        found.save()
    return found


@transaction.atomic
def add_file(upload: Upload, sha256_hex: str, *, by: User) -> ReleaseFile:
    """Make it a file of its release. Raises Gone, RoleNeeded, WrongState, Invalid."""
    release = locked(upload.release)
    roles.require(by, release.listing.seller, "edit_listing")
    if not Upload.objects.select_for_update().filter(pk=upload.pk).exists():
        raise Gone()
    require_open(release)
    require_new_path(release, upload.path)
    file = ReleaseFile.objects.create(
        release=release,
        path=upload.path,
        size_bytes=upload.size_bytes,
        sha256=sha256_hex,
        stored_as=upload.public_id,
        media_type=_media_type(upload.path),
    )
    Upload.objects.filter(pk=upload.pk).delete()
    journal.record("release.file_added", release, by=by, file=file.pk, size_bytes=file.size_bytes, sha256=file.sha256)
    return file


# --- the check -----------------------------------------------------------------------------------------------------


def check_next() -> Upload | None:
    """Check the file that has waited longest, or None. Safe to run late, twice and in parallel."""
    waiting = Upload.objects.filter(state=UploadState.CHECKING).select_related("release", "created_by")
    upload = Upload.claim_next(waiting)
    if upload is None:
        return None
    with postponed_on_failure(upload), kept(upload):
        try:
            found = _examined(upload)
            add_file(upload, found, by=upload.created_by)
        except (Gone, ClaimLost):
            pass
        except Refused as refusal:
            _refuse(upload, refusal)
    return upload


def _examined(upload: Upload) -> str:
    """The SHA-256 of a file that may be sold. Raises WrongChecksum, MalwareFound, ClaimLost, TryLater, OSError."""
    read_before = 0
    if not upload.sha256:
        digest = sha256()
        with _watched(upload, read_before) as stream:
            for chunk in chunks_of(stream):
                digest.update(chunk)
        upload.sha256 = digest.hexdigest()
        _mine(upload).update(sha256=upload.sha256)
    _require_expected(upload, upload.sha256)
    if found := scanning.found_in(lambda: _watched(upload, upload.size_bytes)):
        raise MalwareFound(_("A scanner found %(found)s in %(path)s."), found=found[:200], path=upload.path)
    return upload.sha256


class _Watched:
    """A reading that writes down how far it is."""

    def __init__(self, upload: Upload, reading: Reading, read_before: int) -> None:
        self._upload, self._reading = upload, reading
        self._at = self._noted = read_before

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._reading.read(size)
        self._at += len(chunk)
        if self._at - self._noted >= NOTED_EVERY_BYTES:
            self._noted = self._at
            if not _mine(self._upload).update(checked_bytes=self._at):
                raise ClaimLost
        return chunk

    def close(self) -> None:
        self._reading.close()


@contextmanager
def _watched(upload: Upload, read_before: int) -> Iterator[_Watched]:
    with storage.opened(upload.public_id) as reading:
        yield _Watched(upload, reading, read_before)


def _mine(upload: Upload) -> QuerySet[Upload]:
    return Upload.objects.filter(pk=upload.pk, state=UploadState.CHECKING, tries=upload.tries)


def share_checked(upload: Upload) -> float:
    """How much of the check is done, 0 to 1: one reading to hash it, one for each scanner."""
    readings = 1 + len(scanning.names())
    return min(1.0, upload.checked_bytes / (upload.size_bytes * readings))


def _require_expected(upload: Upload, found: str) -> None:
    if upload.expected_sha256 and found != upload.expected_sha256:
        raise WrongChecksum(
            _("%(path)s arrived with the SHA-256 %(found)s, not %(expected)s."),
            path=upload.path,
            found=found,
            expected=upload.expected_sha256,
        )


def _refuse(claimed: Upload, refusal: Refused) -> None:
    """Nothing of it is kept but the reason, which its seller sees; malware stays locked away for a time."""
    is_malware = isinstance(refusal, MalwareFound)
    if _record_refusal(claimed, refusal, is_malware=is_malware) and not is_malware:
        storage.remove(claimed.public_id)


@transaction.atomic
def _record_refusal(claimed: Upload, refusal: Refused, *, is_malware: bool) -> bool:
    release = locked(claimed.release)
    upload = _mine(claimed).select_for_update().first()
    if upload is None:
        return False
    lapse_seconds = settings.QUARANTINE_SECONDS if is_malware else settings.UPLOAD_LAPSE_SECONDS
    upload.state = UploadState.QUARANTINED if is_malware else UploadState.REFUSED
    upload.refusal_code, upload.refusal = refusal.code, str(refusal)
    upload.lapses_at = clock.now() + dt.timedelta(seconds=lapse_seconds)
    upload.claimed_until, upload.error = None, ""
    upload.save()
    journal.record("release.file_refused", release, by=None, upload=upload.public_id, code=refusal.code)
    return True


# --- the rows ------------------------------------------------------------------------------------------------------


def locked(release: Release) -> Release:
    return (
        Release.objects.select_for_update(no_key=True, of=("self",))
        .select_related("listing__seller")
        .get(pk=release.pk)
    )


def require_open(release: Release) -> None:
    if release.sealed_at is not None:
        raise WrongState(
            _("Release %(label)s is sealed and never changes."),
            label=release.label,
            code="release_sealed",
            next=_("Open a new release."),
        )


def require_new_path(release: Release, path: str) -> None:
    if file_names.alike(path) in {file_names.alike(name) for name in release.files.values_list("path", flat=True)}:
        raise Invalid(
            _("This release has a file “%(path)s” already, or one that differs in capitals only."),
            path=path,
            code="duplicate_path",
        )


def under_way(release: Release) -> bool:
    """Whether files are arriving or being checked, so that the release cannot be sealed yet."""
    is_arriving = Q(state=UploadState.ARRIVING, lapses_at__gt=clock.now())
    return release.uploads.filter(is_arriving | Q(state=UploadState.CHECKING)).exists()


def _media_type(path: str) -> str:
    return {"jsonl": "application/jsonl", "parquet": "application/vnd.apache.parquet"}.get(
        path.rpartition(".")[2].lower(), mimetypes.guess_type(path)[0] or "application/octet-stream"
    )


# --- what never arrived --------------------------------------------------------------------------------------------


def discard(upload: Upload) -> bool:
    """End an upload and take away what arrived. The row first: should bytes stay behind, their age betrays them."""
    deleted, _rows = Upload.objects.filter(pk=upload.pk).delete()
    if deleted:
        direct.abort(upload)
        storage.remove(upload.public_id)
    return bool(deleted)


def remove_abandoned() -> int:
    """Remove lapsed uploads, and files that belong to nothing; how many. Safe to run at any time, and twice."""
    removed = 0
    lapsed = Upload.objects.filter(lapses_at__lte=clock.now()).exclude(state=UploadState.CHECKING)
    for upload in lapsed.iterator():
        removed += discard(upload)
    for name in list(storage.untouched_for(settings.UPLOAD_LAPSE_SECONDS)):
        # In this order: a row moves from the first table to the second in one transaction, never back.
        refused = Q(state=UploadState.REFUSED)  # its row stays for its words, its bytes do not
        if Upload.objects.filter(public_id=name).exclude(refused).exists():
            continue
        if ReleaseFile.objects.filter(stored_as=name).exists():
            storage.clear_the_grounds(name)
        else:
            storage.remove(name)
            removed += 1
    return removed + direct.abort_abandoned()
