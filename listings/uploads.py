"""Releases and the files that come into them: streamed, hashed as they stream, resumable by offset as in tus 1.0.

The row of an upload exists before the first byte and goes in the same transaction that makes the file part of the
release. So whatever stops an upload, its row or its file's age betrays it, and `remove_abandoned` takes it away.
"""

from __future__ import annotations

import datetime as dt
import errno
import mimetypes
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import BinaryIO

from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from listings import file_names, plain_text, storage
from listings.models import Listing, Profile, Release, ReleaseFile, Upload
from listings.states import ListingState
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
    next = "Ask for the offset (HEAD) and send on from there."


class Gone(WrongState):
    """This upload has lapsed or ended."""

    code = "upload_gone"
    status = 410
    next = "Start a new upload."


@transaction.atomic
def open_release(listing: Listing, *, label: str, by: User, notes: str = "") -> Release:
    """Open a release that files can be sent to. Raises RoleNeeded, WrongState, Invalid."""
    listing = Listing.objects.select_for_update(no_key=True, of=("self",)).select_related("seller").get(pk=listing.pk)
    roles.require(by, listing.seller, "edit_listing")
    if listing.state == ListingState.WITHDRAWN:
        raise WrongState("This product was withdrawn; it takes no new release.")
    label = _text(label, 60, "label", is_one_line=True)
    notes = _text(notes, 4000, "notes", is_one_line=False)
    if listing.releases.filter(label=label).exists():
        raise Invalid(f"This product has a release {label!r} already.", code="duplicate_label")
    release = Release.objects.create(listing=listing, label=label, notes=notes, created_by=by)
    journal.record("release.opened", release, by=by, listing=listing.pk)
    return release


@transaction.atomic
def start_upload(release: Release, *, path: str, size_bytes: int, by: User, expected_sha256: str = "") -> Upload:
    """Announce a file of `size_bytes`; its bytes come by `append`. `expected_sha256` (hex) is checked at its end.

    Raises RoleNeeded, WrongState once the release is sealed, Invalid, TooLarge, StorageFull.
    """
    release = _locked(release)
    roles.require(by, release.listing.seller, "edit_listing")
    _require_open(release)
    path = file_names.cleaned(path)
    if not isinstance(size_bytes, int) or isinstance(size_bytes, bool) or size_bytes < 1:
        raise Invalid("Say how many bytes the file has; an empty file cannot be sold.", code="wrong_size")
    if size_bytes > settings.UPLOAD_MAX_BYTES:
        raise TooLarge(f"A file has at most {settings.UPLOAD_MAX_BYTES:,} bytes, this one {size_bytes:,}.")
    expected_sha256 = str(expected_sha256).lower().removeprefix("sha256:")
    if expected_sha256 and not _SHA256.fullmatch(expected_sha256):
        raise Invalid("The expected SHA-256 is 64 hexadecimal digits.", code="wrong_sha256")
    _require_new_path(release, path)
    if release.files.count() >= MOST_FILES:
        raise TooLarge(f"A release has at most {MOST_FILES:,} files.", code="too_many_files")
    if release.uploads.filter(lapses_at__gt=clock.now()).count() >= MOST_OPEN_UPLOADS:
        raise TooLarge(
            f"At most {MOST_OPEN_UPLOADS} uploads are open at once.", code="too_many_uploads", next="End some."
        )
    _require_quota(release, size_bytes)
    storage.require_room(size_bytes)
    return Upload.objects.create(
        release=release,
        path=path,
        size_bytes=size_bytes,
        expected_sha256=expected_sha256,
        created_by=by,
        lapses_at=_lapse(),
    )


def _require_quota(release: Release, size_bytes: int) -> None:
    """Raises TooLarge when one seller would take up the disk all sellers share."""
    seller = release.listing.seller_id
    kept = ReleaseFile.objects.filter(release__listing__seller=seller).aggregate(sum=Sum("size_bytes"))["sum"] or 0
    arriving = Upload.objects.filter(release__listing__seller=seller).aggregate(sum=Sum("size_bytes"))["sum"] or 0
    if kept + arriving + size_bytes > settings.SELLER_MAX_BYTES:
        raise TooLarge(
            f"The files of one seller have at most {settings.SELLER_MAX_BYTES:,} bytes together.",
            code="seller_full",
            next="Cancel uploads you do not need, or write to the exchange's operators.",
        )


def offset_of(upload: Upload) -> int:
    """How many bytes have arrived for certain: what is written down, or less if the disk kept less."""
    return min(upload.received_bytes, storage.arrived_bytes(upload.public_id))


def append(upload: Upload, *, offset: int, chunks: Iterable[bytes], by: User) -> Upload | ReleaseFile:
    """Write `chunks` at `offset`, which must be where the upload stands; the ReleaseFile once it is whole.

    What arrived before a connection broke is kept. Raises RoleNeeded, WrongOffset, Gone, Busy, TooLarge (then nothing
    of these chunks is kept), and at the end Invalid for a wrong checksum (then the upload is gone).
    """
    roles.require(by, upload.release.listing.seller, "edit_listing")
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
                f"More than the announced {self._upload.size_bytes:,} bytes were sent.", code="more_than_announced"
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
            raise Gone()


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
            raise Gone() from None
        if upload.lapses_at <= clock.now():
            raise Gone("This upload was abandoned and has lapsed.")
        arrived = offset_of(upload)
        if offset != arrived:
            raise WrongOffset(f"{arrived:,} bytes have arrived; these begin at {offset:,}.")
        file.truncate(offset)
        file.seek(offset)
        receiver = Receiving(upload, offset, file)
        try:
            yield receiver
        finally:
            receiver.note()


def finish(upload: Upload, *, by: User, sha256_hex: str = "") -> ReleaseFile:
    """Make a whole upload a file of its release. `sha256_hex` is what was hashed on the way in; '' reads it again.

    Safe to repeat after a crash. Raises NotReady, WrongState when the release was sealed meanwhile, and Invalid when
    the checksum is not the expected one or another file took the name; then the upload is gone.
    """
    if offset_of(upload) != upload.size_bytes:
        raise NotReady(f"{offset_of(upload):,} of {upload.size_bytes:,} bytes have arrived.", code="upload_not_whole")
    found = sha256_hex or storage.sha256_of(upload.public_id)
    try:
        if upload.expected_sha256 and found != upload.expected_sha256:
            raise Invalid(
                f"The file that arrived has the SHA-256 {found}, not the expected one.",
                code="wrong_checksum",
                next="Send the file again.",
            )
        storage.make_lasting(upload.public_id)
        file = _add_file(upload, found, by=by)
    except (Invalid, WrongState):
        _discard(upload)
        raise
    storage.clear_the_grounds(file.stored_as)
    return file


@transaction.atomic
def _add_file(upload: Upload, sha256_hex: str, *, by: User) -> ReleaseFile:
    release = _locked(upload.release)
    roles.require(by, release.listing.seller, "edit_listing")
    if not Upload.objects.select_for_update().filter(pk=upload.pk).exists():
        raise Gone()
    _require_open(release)
    _require_new_path(release, upload.path)
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


def put_file(
    release: Release, *, path: str, stream: BinaryIO, by: User, size_bytes: int | None = None, expected_sha256: str = ""
) -> ReleaseFile:
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
        _discard(upload)
        raise
    if isinstance(added, Upload):
        arrived = added.received_bytes
        _discard(upload)
        raise Invalid(f"Only {arrived:,} of {size_bytes:,} bytes came.", code="ended_early", next="Send it again.")
    return added


def end_here(upload: Upload) -> None:
    """What has arrived is the whole file: for a form, which does not tell the size of its files beforehand."""
    upload.size_bytes = upload.received_bytes
    upload.save(update_fields=["size_bytes"])


def cancel_upload(upload: Upload, *, by: User) -> None:
    """End an upload and remove what arrived; safe to repeat. Raises RoleNeeded."""
    roles.require(by, upload.release.listing.seller, "edit_listing")
    _discard(upload)


@transaction.atomic
def seal_release(release: Release, *, by: User) -> Release:
    """Close a release for ever under the digest of its manifest; a worker then measures it.

    Raises RoleNeeded, WrongState when it is sealed already, NotReady without files or with uploads under way.
    """
    release = _locked(release)
    roles.require(by, release.listing.seller, "edit_listing")
    _require_open(release)
    entries = manifest(release)
    if not entries:
        raise NotReady("This release has no file yet.", code="release_empty", next="Send at least one file first.")
    if release.uploads.filter(lapses_at__gt=clock.now()).exists():
        raise NotReady("Files are still arriving.", code="uploads_under_way", next="End or cancel the uploads first.")
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


def remove_abandoned() -> int:
    """Remove lapsed uploads, and files that belong to nothing; how many. Safe to run at any time, and twice."""
    removed = 0
    for upload in Upload.objects.filter(lapses_at__lte=clock.now()):
        removed += _discard(upload)
    for name in list(storage.untouched_for(settings.UPLOAD_LAPSE_SECONDS)):
        # In this order: a row moves from the first table to the second in one transaction, never back.
        if Upload.objects.filter(public_id=name).exists():
            continue
        if ReleaseFile.objects.filter(stored_as=name).exists():
            storage.clear_the_grounds(name)
        else:
            storage.remove(name)
            removed += 1
    return removed


def _discard(upload: Upload) -> bool:
    """The row first: should the file stay behind, its age betrays it."""
    deleted, _ = Upload.objects.filter(pk=upload.pk).delete()
    if deleted:
        storage.remove(upload.public_id)
    return bool(deleted)


def _lapse() -> dt.datetime:
    return clock.now() + dt.timedelta(seconds=settings.UPLOAD_LAPSE_SECONDS)


def _locked(release: Release) -> Release:
    return (
        Release.objects.select_for_update(no_key=True, of=("self",))
        .select_related("listing__seller")
        .get(pk=release.pk)
    )


def _require_open(release: Release) -> None:
    if release.sealed_at is not None:
        raise WrongState(
            f"Release {release.label} is sealed and never changes.", code="release_sealed", next="Open a new release."
        )


def _require_new_path(release: Release, path: str) -> None:
    if file_names.alike(path) in {file_names.alike(name) for name in release.files.values_list("path", flat=True)}:
        raise Invalid(
            f"This release has a file {path!r} already, or one that differs in capitals only.", code="duplicate_path"
        )


def _media_type(path: str) -> str:
    return {"jsonl": "application/jsonl", "parquet": "application/vnd.apache.parquet"}.get(
        path.rpartition(".")[2].lower(), mimetypes.guess_type(path)[0] or "application/octet-stream"
    )


def _text(value: object, longest: int, name: str, *, is_one_line: bool) -> str:
    try:
        return plain_text.cleaned(value, longest, shortest=int(is_one_line), is_one_line=is_one_line)
    except plain_text.NotPlain as wrong:
        raise Invalid(f"The {name} of the release: {wrong}", code=f"wrong_{name}") from None
