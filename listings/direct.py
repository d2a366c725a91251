"""Files that go straight to the store, in parts, by addresses signed here: their bytes never pass through us.

The store tells which parts have arrived, so a seller goes on after any interruption, from any machine. What we know of
the whole is its size; its SHA-256 is read from the store by a worker (`arrivals`). The store's own checksum would not
do: of a file in parts S3 gives either a SHA-256 over the parts' SHA-256s or a CRC of the whole, and neither is what
`sha256sum` of the file says (Amazon S3 User Guide, "Checking object integrity").
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from listings import storage
from listings.models import Upload
from listings.states import UploadState
from marketplace import clock
from marketplace.errors import NotReady, Refused, WrongState
from marketplace.storage import NoSuchParts, bucket

if TYPE_CHECKING:
    from marketplace.object_store import Bucket

LEAST_PART_BYTES = 16 * 1024**2
MOST_PARTS = 10_000
LINK_SECONDS = 3600
LINKS_AT_ONCE = 50


class NotInParts(WrongState):
    """This upload comes by offset, not in parts."""

    code = "not_in_parts"
    says = _("This upload comes by offset, not in parts.")
    next = _("Send its bytes by PATCH.")


class PartsMissing(NotReady):
    """Not every part has arrived."""

    code = "parts_missing"
    says = _("Not every part has arrived.")
    next = _("Ask which parts are missing and send those.")


class StoreAway(Refused):
    """The storage of files does not answer just now."""

    code = "store_away"
    status = 503
    says = _("The storage of files does not answer just now.")
    next = _("Try again in a moment.")


@dataclass(frozen=True)
class Missing:
    """A part that is to come, and the address it is PUT to."""

    number: int
    size_bytes: int
    url: str


@dataclass(frozen=True)
class Parts:
    """How far an upload in parts is: the numbers that have arrived, and the next that are missing."""

    count: int
    arrived: list[int]
    missing: list[Missing]


def part_bytes_for(size_bytes: int) -> int:
    """How large the parts of a file are, where the store takes parts directly; else 0."""
    if bucket() is None:
        return 0
    return max(LEAST_PART_BYTES, math.ceil(size_bytes / MOST_PARTS / 1024**2) * 1024**2)


def begin(upload: Upload) -> Upload:
    """Let the store expect the parts; safe to repeat. Raises StoreAway."""
    if not upload.part_bytes or upload.begun_as:
        return upload
    place, name = _place(upload), storage.name_of(upload.public_id)
    try:
        begun = place.begin(name)
        if not Upload.objects.filter(pk=upload.pk, begun_as="").update(begun_as=begun):
            place.abort(name, begun)  # another request was faster
    except OSError as error:
        raise StoreAway() from error
    upload.refresh_from_db()
    return upload


def parts(upload: Upload, *, links_from: int = 1) -> Parts:
    """What has arrived, and addresses for the next missing parts from `links_from` on. Raises NotInParts, StoreAway.

    Asking keeps the upload from lapsing.
    """
    upload = begin(upload)
    place, name = _place(upload), storage.name_of(upload.public_id)
    arrived = _arrived(upload)
    count = math.ceil(upload.size_bytes / upload.part_bytes)
    wanted = [number for number in range(max(1, links_from), count + 1) if number not in arrived][:LINKS_AT_ONCE]
    missing = []
    for number in wanted:
        size = _size_of(upload, number)
        url = place.part_link(name, upload.begun_as, number, size_bytes=size, seconds=LINK_SECONDS)
        missing.append(Missing(number, size, url))
    received = sum(_size_of(upload, number) for number in arrived)
    lapses_at = clock.now() + dt.timedelta(seconds=settings.UPLOAD_LAPSE_SECONDS)
    Upload.objects.filter(pk=upload.pk, state=UploadState.ARRIVING).update(received_bytes=received, lapses_at=lapses_at)
    return Parts(count, sorted(arrived), missing)


def complete(upload: Upload) -> None:
    """Make one file of the parts in the store; safe to repeat. Raises NotInParts, PartsMissing, StoreAway."""
    place, name = _place(upload), storage.name_of(upload.public_id)
    count = math.ceil(upload.size_bytes / upload.part_bytes)
    try:
        try:
            listed = [part for part in place.parts(name, upload.begun_as) if part.number <= count]
            lacking = count - sum(part.size_bytes == _size_of(upload, part.number) for part in listed)
            if lacking:
                raise PartsMissing(_("%(lacking)s of %(count)s parts are missing."), lacking=lacking, count=count)
            place.complete(name, upload.begun_as, listed)
        except NoSuchParts:  # it was completed before; the size tells
            pass
        if place.size(name) != upload.size_bytes:
            raise PartsMissing(_("What the store has is not as long as was announced."))
    except OSError as error:
        raise StoreAway() from error


def abort(upload: Upload) -> None:
    """Take away the parts of an ended upload. Where the store is away, `abort_abandoned` finds them by their age."""
    place = bucket()
    if place is None or not upload.begun_as:
        return
    try:
        place.abort(storage.name_of(upload.public_id), upload.begun_as)
    except OSError:
        return


def abort_abandoned() -> int:
    """Take away parts whose upload is gone, as crashes leave them; how many uploads."""
    place, aborted = bucket(), 0
    if place is None:
        return 0
    for name, begun in list(place.begun_before(storage.AREA, settings.UPLOAD_LAPSE_SECONDS)):
        if not Upload.objects.filter(begun_as=begun).exists():
            place.abort(name, begun)
            aborted += 1
    return aborted


def _place(upload: Upload) -> Bucket:
    place = bucket()
    if place is None or not upload.part_bytes:
        raise NotInParts()
    return place


def _arrived(upload: Upload) -> set[int]:
    """The numbers of the parts the store has whole. Raises StoreAway; all of them, where it was completed."""
    try:
        listed = _place(upload).parts(storage.name_of(upload.public_id), upload.begun_as)
    except NoSuchParts:
        return set(range(1, math.ceil(upload.size_bytes / upload.part_bytes) + 1))
    except OSError as error:
        raise StoreAway() from error
    return {part.number for part in listed if part.size_bytes == _size_of(upload, part.number)}


def _size_of(upload: Upload, number: int) -> int:
    """The bytes of this part; 0 for one beyond the last."""
    return max(0, min(upload.part_bytes, upload.size_bytes - (number - 1) * upload.part_bytes))
