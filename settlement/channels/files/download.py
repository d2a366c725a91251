"""The data plane: check a link, check the grant, leave a receipt, send the bytes.

It knows the grant and never the trade's story. Responses and resuming follow RFC 9110, digests RFC 9530.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from listings import storage
from listings.models import ReleaseFile
from marketplace import roles
from marketplace.errors import NotReady, Refused
from marketplace.models import User
from marketplace.storage import Reading
from settlement import deliveries
from settlement.channels.files import links, ranges, slots
from settlement.models import Grant

CHUNK_BYTES = 256 * 1024
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069/\\]")


class NoSuchFile(Refused):
    """There is no such file in this delivery."""

    code = "not_found"
    status = 404
    says = _("There is no such file in this delivery.")
    next = _("Ask for new links in your order.")


class StorageAway(NotReady):
    """The file cannot be read just now."""

    code = "storage_away"
    status = 503
    says = _("The file cannot be read just now.")


class OutOfRange(Refused):
    """The file is shorter than the range that was asked for."""

    code = "range_not_satisfiable"
    status = 416
    says = _("The file is shorter than the range that was asked for.")
    next = _("Ask for a range within the file, or for the whole.")

    def __init__(self, whole_bytes: int) -> None:
        super().__init__(f"The file has {whole_bytes} bytes.")
        self.whole_bytes = whole_bytes


@dataclass(frozen=True)
class Content:
    """What a link points to: a stored file, or the manifest, which is made as it is asked for."""

    path: str
    size_bytes: int
    sha256: str
    media_type: str
    stored_as: str = ""
    text: bytes = b""

    @property
    def etag(self) -> str:
        return f'"{self.sha256}"'

    def open(self, first: int) -> AbstractContextManager[Reading]:
        """The bytes from `first` on. Raises StorageAway."""
        if not self.stored_as:
            return io.BytesIO(self.text[first:])
        try:
            return storage.opened(self.stored_as, first=first)
        except OSError as error:
            raise StorageAway() from error


class Sending:
    """The bytes of one part, from a file opened at its first; `held` is given back however it ends."""

    def __init__(self, file: Reading, part: ranges.Part, held: contextlib.ExitStack) -> None:
        self.file, self.part, self.held = file, part, held

    def __iter__(self) -> Iterator[bytes]:
        left = self.part.size_bytes
        while left:
            chunk = self.file.read(min(CHUNK_BYTES, left))
            if not chunk:
                raise OSError("a stored file is shorter than it was registered")
            left -= len(chunk)
            yield chunk

    def close(self) -> None:
        self.held.close()


@require_safe
def download(request: HttpRequest, token: str, name: str) -> HttpResponseBase:
    """GET or HEAD a file by its signed link."""
    try:
        signed = links.read(token)
        grant, by = _entitled(request, signed)
        content = _content(grant, signed, name)
        call = hashlib.sha256(token.encode()).hexdigest() if signed.file_id is not None else ""
        response = _answer(request, grant, content, by, call)
    except Refused as refusal:
        response = _refused(request, refusal)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _entitled(request: HttpRequest, signed: links.Signed) -> tuple[Grant, User]:
    """The grant, if the person of the link may use it at this very moment; else raises Refused."""
    if request.user.is_authenticated and request.user.pk != signed.user_id:
        raise links.LinkForeign()
    grant = Grant.objects.select_related("trade__buyer", "trade__release").filter(trade__public_id=signed.trade).first()
    by = User.objects.filter(pk=signed.user_id).first()
    if grant is None or by is None:
        raise NoSuchFile()
    roles.require(by, grant.trade.buyer, "download")
    deliveries.require_use(grant, by=by)
    return grant, by


def _content(grant: Grant, signed: links.Signed, name: str) -> Content:
    """Raises NoSuchFile."""
    if signed.file_id is None:
        text = links.manifest_of(list(grant.trade.release.files.order_by("path")))
        content = Content(
            links.MANIFEST, len(text), hashlib.sha256(text).hexdigest(), "text/plain; charset=utf-8", text=text
        )
    else:
        file = ReleaseFile.objects.filter(pk=signed.file_id, release=grant.trade.release).first()
        if file is None:
            raise NoSuchFile()
        # The seller's word on the type is not passed on: whatever it is, a browser saves it.
        content = Content(file.path, file.size_bytes, file.sha256, "application/octet-stream", file.stored_as)
    if links.last_name(content.path) != name:
        raise NoSuchFile()
    return content


def _answer(request: HttpRequest, grant: Grant, content: Content, by: User, call: str) -> HttpResponseBase:
    asked, whole = request.headers, ranges.Part(0, content.size_bytes)
    status = ranges.failed_precondition(
        content.etag, if_match=asked.get("If-Match", ""), if_none_match=asked.get("If-None-Match", "")
    )
    if status:
        return _described(HttpResponse(status=status), content)
    if request.method == "HEAD":
        return _described(HttpResponse(headers={"Content-Length": str(content.size_bytes)}), content)
    # A web server that sends for us judges If-Range by its own tag: then the receipt says the most it may send.
    part = whole
    if ranges.may_be_partial(asked.get("If-Range", ""), content.etag):
        try:
            part = ranges.asked_part(asked.get("Range", ""), content.size_bytes) or whole
        except ranges.NotSatisfiable as error:
            raise OutOfRange(content.size_bytes) from error
    return _described(_send(grant, content, part, is_partial=part is not whole, by=by, call=call), content)


def _send(
    grant: Grant, content: Content, part: ranges.Part, *, is_partial: bool, by: User, call: str
) -> HttpResponseBase:
    """Leave the receipt, then send. Raises TooManyDownloads, StorageAway, CallsUsedUp before either."""
    elsewhere = _elsewhere(content)
    with contextlib.ExitStack() as held:
        file = None
        if not elsewhere:
            slots.take(by.pk)
            held.callback(slots.give_back, by.pk)
            file = held.enter_context(content.open(part.first))
        deliveries.leave_receipt(
            grant,
            path=content.path,
            sha256=content.sha256,
            first_byte=part.first,
            size_bytes=part.size_bytes,
            by=by,
            call=call,
        )
        held = held.pop_all()
    if file is None:
        return HttpResponse(status=302 if "Location" in elsewhere else 200, headers=elsewhere)
    response = StreamingHttpResponse(Sending(file, part, held), status=206 if is_partial else 200)
    response.headers["Content-Length"] = str(part.size_bytes)
    if is_partial:
        response.headers["Content-Range"] = part.content_range(content.size_bytes)
    return response


def _elsewhere(content: Content) -> dict[str, str]:
    """The header that lets another send the bytes: the store, or the web server before us; empty where we send.
    Raises StorageAway.

    The store's address opens the file for STORE_LINK_SECONDS to whoever has it, so it is made anew at every use.
    """
    if not content.stored_as:
        return {}
    name = storage.name_of(content.stored_as)
    save_as = _UNPRINTABLE.sub("_", links.last_name(content.path))
    if link := storage.store().link(name, save_as=save_as, seconds=settings.STORE_LINK_SECONDS):
        try:
            is_whole = storage.size_of(content.stored_as) == content.size_bytes
        except OSError as error:
            raise StorageAway() from error
        if not is_whole:
            raise StorageAway()
        return {"Location": link}
    if settings.ACCEL_LOCATION:
        return {"X-Accel-Redirect": f"{settings.ACCEL_LOCATION.rstrip('/')}/{quote(name)}"}
    return {}


def _described(response: HttpResponseBase, content: Content) -> HttpResponseBase:
    """The headers that say what the whole content is, whichever part of it is sent."""
    digest = base64.b64encode(bytes.fromhex(content.sha256)).decode()
    name = _UNPRINTABLE.sub("_", links.last_name(content.path))
    response.headers["Content-Type"] = content.media_type
    response.headers["Content-Disposition"] = str(content_disposition_header(True, name))
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = content.etag
    response.headers["Repr-Digest"] = f"sha-256=:{digest}:"
    return response


def _refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """A script reads `{code, detail, next}`, a person a page."""
    if request.get_preferred_type(["application/json", "text/html"]) == "text/html":
        response = render(request, "refused.html", {"refusal": refusal}, status=refusal.status)
    else:
        response = JsonResponse(refusal.as_json(), status=refusal.status)
    if isinstance(refusal, slots.TooManyDownloads):
        response.headers["Retry-After"] = str(slots.RETRY_AFTER_SECONDS)
    if isinstance(refusal, OutOfRange):
        response.headers["Content-Range"] = f"bytes */{refusal.whole_bytes}"
    return response
