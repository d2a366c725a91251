"""How files come in by API: announced and resumed by offset as in tus 1.0 (tus.io/protocols/resumable-upload), or put
whole in one request. Neither ever holds a file in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from django.http import UnreadablePostError
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from listings import direct, tasks, uploads
from listings.api import own_release
from listings.models import Upload
from listings.presented import ReleaseFileOut, UploadIn, UploadOut
from listings.states import UploadState
from marketplace import roles
from marketplace.api import acted, idempotency_key, read
from marketplace.bells import ring
from marketplace.errors import Invalid
from marketplace.participants import acting_organisation
from marketplace.storage import chunks_of

RESUMABLE = {"Tus-Resumable": "1.0.0"}


class PartOut(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    size_bytes = serializers.IntegerField()
    url = serializers.CharField(help_text="PUT exactly these bytes here, without a token, within the hour.")


class PartsOut(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="How many parts the file has.")
    arrived: Any = serializers.ListField(child=serializers.IntegerField(), help_text="Numbers the store has.")
    missing = PartOut(many=True, help_text="The next that are missing, fifty at most.")


class _Stream(BaseParser):
    """Leaves the body unread: the view reads it in small parts."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        return stream


class OffsetOctets(_Stream):
    media_type = "application/offset+octet-stream"


class AnyOctets(_Stream):
    media_type = "*/*"


class OffsetNeeded(Invalid):
    """This needs the header Upload-Offset."""

    code = "offset_needed"
    status = 400
    says = _("This needs the header Upload-Offset.")
    next = _("Ask for the offset (HEAD) and send it as the header Upload-Offset.")


class Uploads(APIView):
    """Files that are about to come."""

    scope = "sell"

    @extend_schema(request=UploadIn, responses={201: UploadOut})
    def post(self, request: Request, public_id: str, release_id: int) -> Response:
        """Announce a file; its bytes follow by PATCH on the address in `Location`."""
        release, body = own_release(request, public_id, release_id), read(UploadIn, request)
        facts = {"path": body["path"], "size_bytes": body["size_bytes"], "expected_sha256": body["sha256"]}
        start = partial(uploads.start_upload, release, by=request.user, in_parts=body["in_parts"], **facts)
        answer = acted(request, release.listing.seller, body, lambda: UploadOut(start()).data, status=201)
        answer["Location"] = reverse("api_upload", args=[answer.data["public_id"]])
        answer["Upload-Offset"] = "0"
        return answer


class OneUpload(APIView):
    """One file on its way in."""

    scope = "sell"
    parser_classes = [OffsetOctets]

    @extend_schema(responses=UploadOut)
    def get(self, request: Request, public_id: str) -> Response:
        """How far it came; HEAD answers the same in the header Upload-Offset."""
        upload = own_upload(request, public_id)
        return Response(UploadOut(upload).data, headers=_headers(upload) | {"Cache-Control": "no-store"})

    @extend_schema(
        request={"application/offset+octet-stream": OpenApiTypes.BINARY},
        parameters=[OpenApiParameter("Upload-Offset", int, OpenApiParameter.HEADER, required=True)],
        responses={
            200: ReleaseFileOut,
            202: UploadOut,
            204: OpenApiResponse(description="More is to come, from the offset in Upload-Offset."),
        },
    )
    def patch(self, request: Request, public_id: str) -> Response:
        """Send bytes from the offset on; once all have come, the file belongs to its release.

        202: it is whole and is checked first. What arrived before a connection broke is kept. 409 `wrong_offset` where
        the bytes do not follow on.
        """
        upload = own_upload(request, public_id)
        offset = request.headers.get("Upload-Offset", "")
        if not (offset.isdecimal() and offset.isascii() and len(offset) < 19):
            raise OffsetNeeded()
        result = uploads.append(upload, offset=int(offset), chunks=_chunks(request), by=request.user)
        if isinstance(result, Upload) and result.state == UploadState.ARRIVING:
            return Response(status=204, headers=_headers(result))
        if isinstance(result, Upload):
            return _being_checked(result)
        size = str(result.size_bytes)
        return Response(ReleaseFileOut(result).data, headers=RESUMABLE | {"Upload-Offset": size, "Upload-Length": size})

    @extend_schema(responses={204: None})
    def delete(self, request: Request, public_id: str) -> Response:
        """Cancel it; what arrived is removed."""
        uploads.cancel_upload(own_upload(request, public_id), by=request.user)
        return Response(status=204, headers=RESUMABLE)


class UploadParts(APIView):
    """A file that goes to the store in parts."""

    scope = "sell"

    @extend_schema(
        responses=PartsOut,
        parameters=[OpenApiParameter("from", int, description="Addresses for missing parts from this number on.")],
    )
    def get(self, request: Request, public_id: str) -> Response:
        """Which parts have arrived, and where the next missing ones are PUT to. Ask it again after an interruption."""
        upload = own_upload(request, public_id)
        roles.require(request.user, upload.release.listing.seller, "edit_listing")
        asked = request.query_params.get("from", "1")
        first = int(asked) if asked.isdecimal() and asked.isascii() and len(asked) < 6 else 1
        return Response(PartsOut(direct.parts(upload, links_from=first)).data, headers={"Cache-Control": "no-store"})


class UploadCompletion(APIView):
    """The end of a file that went to the store in parts."""

    scope = "sell"

    @extend_schema(request=None, responses={202: UploadOut})
    def post(self, request: Request, public_id: str) -> Response:
        """All parts have arrived: the file is put together and its check begins. 409 `parts_missing`."""
        upload = own_upload(request, public_id)
        roles.require(request.user, upload.release.listing.seller, "edit_listing")
        idempotency_key(request)
        if upload.state == UploadState.ARRIVING:
            uploads.finish(upload, by=request.user)
            upload.refresh_from_db()
        return _being_checked(upload)


class WholeFile(APIView):
    """A file of a release, sent whole."""

    scope = "sell"
    parser_classes = [AnyOctets]

    @extend_schema(
        request={"application/octet-stream": OpenApiTypes.BINARY},
        parameters=[OpenApiParameter("sha256", description="If given, a file that differs is refused.")],
        responses={201: ReleaseFileOut, 202: UploadOut},
    )
    def put(self, request: Request, public_id: str, release_id: int, path: str) -> Response:
        """Put a whole file in one request. Larger ones are better announced, so that they can be resumed."""
        release = own_release(request, public_id, release_id)
        length = request.headers.get("Content-Length") or "0"
        file = uploads.put_file(
            release,
            path=path,
            stream=_Body(request),
            size_bytes=int(length) if length.isdecimal() and length.isascii() and len(length) < 19 else 0,
            expected_sha256=request.query_params.get("sha256", ""),
            by=request.user,
        )
        if isinstance(file, Upload):
            return _being_checked(file)
        return Response(ReleaseFileOut(file).data, status=201)


class _Body:
    """A request's body as a stream that ends where the connection does."""

    def __init__(self, request: Request) -> None:
        stream = request.data
        self._stream = stream if hasattr(stream, "read") else None

    def read(self, size: int = -1, /) -> bytes:
        try:
            return bytes(self._stream.read(size)) if self._stream else b""
        except UnreadablePostError:
            return b""

    def close(self) -> None:
        """The request closes its own body."""


def _chunks(request: Request) -> Iterator[bytes]:
    return chunks_of(_Body(request))


def own_upload(request: Request, public_id: str) -> Upload:
    own = Upload.objects.filter(release__listing__seller=acting_organisation(request))
    return get_object_or_404(own.select_related("release__listing__seller", "created_by"), public_id=public_id)


def _being_checked(upload: Upload) -> Response:
    ring(tasks.check_files)
    return Response(UploadOut(upload).data, status=202, headers=_headers(upload))


def _headers(upload: Upload) -> dict[str, str]:
    return RESUMABLE | {"Upload-Offset": str(uploads.offset_of(upload)), "Upload-Length": str(upload.size_bytes)}
