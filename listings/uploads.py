"""Releases and the files that come into them: streamed, hashed as they stream, resumable by offset as in tus 1.0.

The row of an upload exists before the first byte and goes in the same transaction that makes the file part of the
release (`arrivals`). So whatever stops an upload, its row or its file's age betrays it, and it is swept away.
"""

from __future__ import annotations

import datetime as dt
import errno
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import BinaryIO

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from listings import arrivals, direct, file_names, plain_text, quotas, storage
from listings.arrivals import discard
from listings.models import Listing, Profile, Release, ReleaseFile, Upload
from listings.states import ListingState, UploadState
from marketplace import clock, journal, roles
from marketplace.canonical import digest_of
from marketplace.errors import Invalid, NotReady, TooLarge, WrongState
from marketplace.models import User
from marketplace.storage import chunks_of

MOST_FILES = 1000
MOST_OPEN_UPLOADS = 100
# How often progress is written down: what a broken connection loses at most.
NOTED_EVERY_BYTES = 8 * 1024**2
_SHA256 = re.compile(r"[0-9a-f]{64}")


class WrongOffset(WrongState):
    """These bytes do not follow on what has arrived."""

    code = "wrong_offset"
    says = _("These bytes do not follow on what has arrived.")
    next = _("Ask for the offset (HEAD) and send on from there.")


@transaction.atomic
def open_release(listing: Listing, *, label: str, by: User, notes: str = "") -> Release:
    """Open a release that files can be sent to. Raises RoleNeeded, WrongState, Invalid."""
    listing = Listing.objects.select_for_update(no_key=True, of=("self",)).select_related("seller").get(pk=listing.pk)
    roles.require(by, listing.seller, "edit_listing")
    if listing.state == ListingState.WITHDRAWN:
        raise WrongState(_("This product was withdrawn; it takes no new release."))
    label = _text(label, 60, "label", is_one_line=True)
    notes = _text(notes, 4000, "notes", is_one_line=False)
    if listing.releases.filter(label=label).exists():
        raise Invalid(_("This product has a release “%(label)s” already."), label=label, code="duplicate_label")
    release = Release.objects.create(listing=listing, label=label, notes=notes, created_by=by)
    journal.record("release.opened", release, by=by, listing=listing.pk)
    return release


@transaction.atomic
def start_upload(
    release: Release, *, path: str, size_bytes: int, by: User, expected_sha256: str = "", in_parts: bool = False
) -> Upload:
    """Announce a file of `size_bytes`; its bytes come by `append`, or, where the store takes them and `in_parts` asks
    for it, as `direct.parts` says. `expected_sha256` (hex) is checked at its end.

    Raises RoleNeeded, WrongState once the release is sealed, Invalid, TooLarge, StorageFull.
    """
    release = arrivals.locked(release)
    roles.require(by, release.listing.seller, "edit_listing")
    arrivals.require_open(release)
    path = file_names.cleaned(path)
    if not isinstance(size_bytes, int) or isinstance(size_bytes, bool) or size_bytes < 1:
        raise Invalid(_("Say how many bytes the file has; an empty file cannot be sold."), code="wrong_size")
    if size_bytes > settings.UPLOAD_MAX_BYTES:
        raise TooLarge(
            _("A file has at most %(most)s bytes, this one %(size)s."),
            most=f"{settings.UPLOAD_MAX_BYTES:,}",
            size=f"{size_bytes:,}",
        )
    expected_sha256 = str(expected_sha256).lower().removeprefix("sha256:")
    if expected_sha256 and not _SHA256.fullmatch(expected_sha256):
        raise Invalid(_("The expected SHA-256 is 64 hexadecimal digits."), code="wrong_sha256")
    arrivals.require_new_path(release, path)
    if release.files.count() >= MOST_FILES:
        raise TooLarge(_("A release has at most %(most)s files."), most=f"{MOST_FILES:,}", code="too_many_files")
    if release.uploads.filter(state=UploadState.ARRIVING, lapses_at__gt=clock.now()).count() >= MOST_OPEN_UPLOADS:
        raise TooLarge(
            _("At most %(most)s uploads are open at once."),
            most=MOST_OPEN_UPLOADS,
            code="too_many_uploads",
            next=_("End some."),
        )
    quotas.require_room(release.listing.seller, size_bytes)
    part_bytes = direct.part_bytes_for(size_bytes) if in_parts else 0
    if not part_bytes:
        storage.require_room(size_bytes)
    return Upload.objects.create(
        release=release,
        path=path,
        size_bytes=size_bytes,
        expected_sha256=expected_sha256,
        part_bytes=part_bytes,
        created_by=by,
        lapses_at=_lapse(),
    )


def offset_of(upload: Upload) -> int:
    """How many bytes have arrived for certain: what is written down, or less if the disk kept less."""
    if upload.part_bytes or upload.state != UploadState.ARRIVING:
        return upload.received_bytes
    return min(upload.received_bytes, storage.arrived_bytes(upload.public_id))


def append(upload: Upload, *, offset: int, chunks: Iterable[bytes], by: User) -> Upload | ReleaseFile:
    """Write `chunks` at `offset`, which must be where the upload stands; the ReleaseFile once it is whole.

    What arrived before a connection broke is kept. Raises RoleNeeded, WrongOffset, Gone, Busy, TooLarge (then nothing
    of these chunks is kept), and at the end Invalid for a wrong checksum (then the upload is gone).
    """
    roles.require(by, upload.release.listing.seller, "edit_listing")
    if upload.part_bytes:
        raise WrongState(
            _("This upload goes to the store in parts."), code="goes_in_parts", next=_("Ask for its parts.")
        )
    with receiving(upload, offset) as receiver:
        for chunk in chunks:
            receiver.write(chunk)
    if upload.received_bytes < upload.size_bytes:
        return upload
    return finish(upload, sha256_hex=receiver.sha256_hex, by=by)


class Receiving:
    """Writes one run of bytes of an upload, counting, hashing and noting progress as they come."""

    def __init__(self, upload: Upload, offset: int, file: BinaryIO) -> None:
        self._upload, self._offset, self._file = upload, offset, file
        self._digest = sha256() if offset == 0 else None
        self._at, self._noted = offset, offset

    @property
    def sha256_hex(self) -> str:
        """The digest of the whole file if all of it came in this run, else ''."""
        return self._digest.hexdigest() if self._digest and self._at == self._upload.size_bytes else ""

    def write(self, chunk: bytes) -> None:
        """Raises TooLarge, after taking this run's bytes back, when more comes than was announced."""
        if self._at + len(chunk) > self._upload.size_bytes:
            self._at = self._offset
            self._file.truncate(self._at)
            raise TooLarge(
                _("More than the announced %(size)s bytes were sent."),
                size=f"{self._upload.size_bytes:,}",
                code="more_than_announced",
            )
        view = memoryview(chunk)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise storage.StorageFull() from error
            raise
        if self._digest:
            self._digest.update(chunk)
        self._at += len(chunk)
        if self._at - self._noted >= NOTED_EVERY_BYTES:
            self.note()

    def note(self) -> None:
        """Write down how far it came, and that the upload is not abandoned. Raises Gone if it was ended meanwhile."""
        self._upload.received_bytes, self._upload.lapses_at = self._at, _lapse()
        self._noted = self._at
        noted = {"received_bytes": self._at, "lapses_at": self._upload.lapses_at}
        if not Upload.objects.filter(pk=self._upload.pk).update(**noted):
            raise arrivals.Gone()


@contextmanager
def receiving(upload: Upload, offset: int) -> Iterator[Receiving]:
    """A place to write an upload's next bytes. Raises Gone, Busy, WrongOffset.

    The file's lock is taken before its row is read again: of two connections at one offset the second finds it taken,
    or its offset passed. A file that was finished meanwhile is not written to.
    """
    with storage.growing(upload.public_id) as file:
        try:
            upload.refresh_from_db()
        except Upload.DoesNotExist:
            if not ReleaseFile.objects.filter(stored_as=upload.public_id).exists():
                storage.remove(upload.public_id)
            raise arrivals.Gone() from None
        if upload.state != UploadState.ARRIVING:
            raise arrivals.Gone(_("All of this upload has arrived."))
        if upload.lapses_at <= clock.now():
            raise arrivals.Gone(_("This upload was abandoned and has lapsed."))
        arrived = offset_of(upload)
        if offset != arrived:
            raise WrongOffset(
                _("%(arrived)s bytes have arrived; these begin at %(offset)s."),
                arrived=f"{arrived:,}",
                offset=f"{offset:,}",
            )
        file.truncate(offset)
        file.seek(offset)
        receiver = Receiving(upload, offset, file)
        try:
            yield receiver
        finally:
            receiver.note()


def finish(upload: Upload, *, by: User, sha256_hex: str = "") -> Upload | ReleaseFile:
    """Make a whole upload a file of its release; where a check comes first, the upload that waits for it.

    `sha256_hex` is what was hashed on the way in; '' reads it again. Safe to repeat after a crash. Raises NotReady,
    WrongState when the release was sealed meanwhile, WrongChecksum, and Invalid when another file took the name; then
    the upload is gone.
    """
    if upload.state != UploadState.ARRIVING:
        return upload
    if upload.part_bytes:
        direct.complete(upload)
        return arrivals.hand_over(upload, sha256_hex="", by=by)
    if offset_of(upload) != upload.size_bytes:
        raise NotReady(
            _("%(arrived)s of %(size)s bytes have arrived."),
            arrived=f"{offset_of(upload):,}",
            size=f"{upload.size_bytes:,}",
            code="upload_not_whole",
        )
    found = sha256_hex or storage.sha256_of(upload.public_id)
    if upload.expected_sha256 in ("", found):
        try:
            storage.make_lasting(upload.public_id)
        except OSError as error:
            raise direct.StoreAway() from error
    handed_over = arrivals.hand_over(upload, sha256_hex=found, by=by)
    storage.clear_the_grounds(upload.public_id)
    return handed_over


def put_file(
    release: Release, *, path: str, stream: BinaryIO, by: User, size_bytes: int | None = None, expected_sha256: str = ""
) -> Upload | ReleaseFile:
    """Take a whole file from `stream`; a stream that cannot tell its size needs `size_bytes`. Raises as `append`.

    Nothing is kept of a file that ends early: Invalid `ended_early`.
    """
    if size_bytes is None:
        here = stream.tell()
        size_bytes = stream.seek(0, 2) - here
        stream.seek(here)
    upload = start_upload(release, path=path, size_bytes=size_bytes, by=by, expected_sha256=expected_sha256)
    try:
        added = append(upload, offset=0, chunks=chunks_of(stream), by=by)
    except BaseException:
        discard(upload)
        raise
    if isinstance(added, Upload) and added.state == UploadState.ARRIVING:
        arrived = added.received_bytes
        discard(upload)
        raise Invalid(
            _("Only %(arrived)s of %(size)s bytes came."),
            arrived=f"{arrived:,}",
            size=f"{size_bytes:,}",
            code="ended_early",
            next=_("Send it again."),
        )
    return added


def end_here(upload: Upload) -> None:
    """What has arrived is the whole file: for a form, which does not tell the size of its files beforehand."""
    upload.size_bytes = upload.received_bytes
    upload.save(update_fields=["size_bytes"])


def cancel_upload(upload: Upload, *, by: User) -> None:
    """End an upload and remove what arrived; safe to repeat. Raises RoleNeeded, WrongState for what is locked away."""
    roles.require(by, upload.release.listing.seller, "edit_listing")
    if upload.state == UploadState.QUARANTINED:
        raise WrongState(_("What is in quarantine stays there until the exchange removes it."), code="in_quarantine")
    discard(upload)


@transaction.atomic
def seal_release(release: Release, *, by: User) -> Release:
    """Close a release for ever under the digest of its manifest; a worker then measures it.

    Raises RoleNeeded, WrongState when it is sealed already, NotReady without files or with uploads under way.
    """
    release = arrivals.locked(release)
    roles.require(by, release.listing.seller, "edit_listing")
    arrivals.require_open(release)
    if arrivals.under_way(release):
        raise NotReady(
            _("Files are still arriving or being checked."),
            code="uploads_under_way",
            next=_("Wait for the check; end or cancel the uploads."),
        )
    entries = manifest(release)
    if not entries:
        raise NotReady(
            _("This release has no file yet."), code="release_empty", next=_("Send at least one file first.")
        )
    release.sealed_at = clock.now()
    release.digest = digest_of(entries)
    release.size_bytes = sum(file.size_bytes for file in release.files.all())
    release.save(update_fields=["sealed_at", "digest", "size_bytes"])
    Profile.objects.create(release=release)
    journal.record("release.sealed", release, by=by, digest=release.digest, size_bytes=release.size_bytes)
    return release


def manifest(release: Release) -> list[dict[str, object]]:
    """What the digest of a release covers: its files by name, with size and SHA-256."""
    files = sorted(release.files.all(), key=lambda file: file.path)
    return [{"path": file.path, "size_bytes": file.size_bytes, "sha256": file.sha256} for file in files]


def _lapse() -> dt.datetime:
    return clock.now() + dt.timedelta(seconds=settings.UPLOAD_LAPSE_SECONDS)


def _text(value: object, longest: int, name: str, *, is_one_line: bool) -> str:
    try:
        return plain_text.cleaned(value, longest, shortest=int(is_one_line), is_one_line=is_one_line)
    except plain_text.NotPlain as wrong:
        says = {"label": _("The label of the release: %(why)s"), "notes": _("The notes of the release: %(why)s")}
        raise Invalid(says[name], why=str(wrong), code=f"wrong_{name}") from None
