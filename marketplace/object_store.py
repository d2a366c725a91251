"""A bucket of an S3 store. Only this module imports boto3.

Its keys come from boto3's own places: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or the machine's role. A file
too large for one request goes up in parts; from a browser or a script the parts go straight to the store, by addresses
signed here (`part_link`), so that their bytes never pass through us.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.utils.http import content_disposition_header

from marketplace import storage, store_address
from marketplace.storage import NoSuchParts, StorageAway, Stored

# Amazon S3 User Guide, "Multipart upload limits": 5 MiB to 5 GiB a part, at most 10,000 parts.
PART_BYTES = 16 * 1024**2
_GONE = {"NoSuchKey", "NoSuchUpload", "404", "NotFound"}


@dataclass(frozen=True)
class Part:
    """One part that has arrived."""

    number: int
    size_bytes: int
    tag: str


@contextlib.contextmanager
def _asking() -> Iterator[None]:
    """The client's errors in the words of `storage`."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code == "NoSuchUpload":
            raise NoSuchParts(code) from error
        if code in _GONE:
            raise FileNotFoundError(code) from error
        raise StorageAway(f"the store answers {code or 'an error'}") from error
    except BotoCoreError as error:
        raise StorageAway(f"the store does not answer: {type(error).__name__}") from error


class _Body:
    """What a store sends, read through `_asking`: a broken line is a StorageAway here too."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def read(self, size: int = -1, /) -> bytes:
        with _asking():
            return bytes(self._body.read(None if size < 0 else size))

    def close(self) -> None:
        self._body.close()

    def __enter__(self) -> _Body:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class Bucket:
    """The store behind one `STORAGE_URL`."""

    is_on_this_machine = False

    def __init__(self, url: str) -> None:
        address = store_address.read(url)
        self._bucket, self._prefix = address.bucket, address.prefix
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=address.endpoint or None,
            region_name=address.region,
            config=Config(
                signature_version="s3v4",
                connect_timeout=5,
                read_timeout=30,
                retries={"mode": "standard", "max_attempts": 4},
                s3={"addressing_style": "path" if address.endpoint else "virtual"},
                # Not every store knows Amazon's newer checksums; what we send carries Content-MD5, which all know.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def _place(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + name}

    # --- whole files -----------------------------------------------------------------------------------------------

    def put(self, name: str, chunks: Iterable[bytes], *, most_bytes: int) -> Stored:
        counted = storage.Counted(chunks, most_bytes)
        parts = _in_parts(counted)
        first = next(parts, b"")
        second = next(parts, None)
        with _asking():
            if second is None:
                self._client.put_object(**self._place(name), Body=first, ContentMD5=_md5(first))
                return counted.stored
        begun = self.begin(name)
        try:
            self._send(name, begun, 1, first)
            self._send(name, begun, 2, second)
            for number, part in enumerate(parts, start=3):
                self._send(name, begun, number, part)
            self.complete(name, begun, self.parts(name, begun))
        except BaseException:
            with contextlib.suppress(OSError):
                self.abort(name, begun)
            raise
        return counted.stored

    def adopt(self, name: str, path: Path) -> None:
        size_bytes = path.stat().st_size
        if self.size(name) == size_bytes:
            return
        with path.open("rb") as file:
            self.put(name, storage.chunks_of(file), most_bytes=size_bytes)

    def open(self, name: str, *, first: int = 0) -> _Body:
        wanted = {"Range": f"bytes={first}-"} if first else {}
        with _asking():
            return _Body(self._client.get_object(**self._place(name), **wanted)["Body"])

    def size(self, name: str) -> int | None:
        try:
            with _asking():
                return int(self._client.head_object(**self._place(name))["ContentLength"])
        except FileNotFoundError:
            return None

    def delete(self, name: str) -> None:
        with _asking():
            self._client.delete_object(**self._place(name))

    def untouched_for(self, area: str, seconds: float) -> Iterator[str]:
        before = time.time() - seconds
        with _asking():
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=f"{self._prefix}{area}/"):
                for entry in page.get("Contents", []):
                    if entry["LastModified"].timestamp() < before:
                        yield entry["Key"].removeprefix(self._prefix)

    def link(self, name: str, *, save_as: str, seconds: int) -> str:
        answer = {
            "ResponseContentDisposition": str(content_disposition_header(True, save_as)),
            "ResponseContentType": "application/octet-stream",
            "ResponseCacheControl": "private, no-store",
        }
        place = self._place(name)
        return str(self._client.generate_presigned_url("get_object", Params=place | answer, ExpiresIn=seconds))

    def health(self) -> str:
        try:
            with _asking():
                self._client.head_bucket(Bucket=self._bucket)
        except OSError as error:
            return f"The storage of files does not answer: {error}."
        return ""

    # --- in parts --------------------------------------------------------------------------------------------------

    def begin(self, name: str) -> str:
        """Begin an upload in parts; the store's word for it."""
        with _asking():
            begun = self._client.create_multipart_upload(**self._place(name), ContentType="application/octet-stream")
        return str(begun["UploadId"])

    def part_link(self, name: str, begun: str, number: int, *, size_bytes: int, seconds: int) -> str:
        """An address one part of exactly this size can be PUT to without us, for so long."""
        asked = self._place(name) | {"UploadId": begun, "PartNumber": number, "ContentLength": size_bytes}
        return str(self._client.generate_presigned_url("upload_part", Params=asked, ExpiresIn=seconds))

    def parts(self, name: str, begun: str) -> list[Part]:
        """The parts that have arrived, by number. Raises NoSuchParts."""
        with _asking():
            pages = self._client.get_paginator("list_parts").paginate(**self._place(name), UploadId=begun)
            return [
                Part(entry["PartNumber"], entry["Size"], entry["ETag"])
                for page in pages
                for entry in page.get("Parts", [])
            ]

    def complete(self, name: str, begun: str, parts: list[Part]) -> None:
        """Make one file of the parts. Raises NoSuchParts."""
        listed = [{"PartNumber": part.number, "ETag": part.tag} for part in parts]
        with _asking():
            self._client.complete_multipart_upload(
                **self._place(name), UploadId=begun, MultipartUpload={"Parts": listed}
            )

    def abort(self, name: str, begun: str) -> None:
        """Take the parts away; safe to repeat."""
        with contextlib.suppress(NoSuchParts), _asking():
            self._client.abort_multipart_upload(**self._place(name), UploadId=begun)

    def begun_before(self, area: str, seconds: float) -> Iterator[tuple[str, str]]:
        """Uploads in parts under `area/` that were begun so long ago and never finished: name and the store's word."""
        before = time.time() - seconds
        with _asking():
            pages = self._client.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self._bucket, Prefix=f"{self._prefix}{area}/"):
                for entry in page.get("Uploads", []):
                    if entry["Initiated"].timestamp() < before:
                        yield entry["Key"].removeprefix(self._prefix), entry["UploadId"]

    def _send(self, name: str, begun: str, number: int, part: bytes) -> None:
        with _asking():
            asked = self._place(name) | {"UploadId": begun, "PartNumber": number}
            self._client.upload_part(**asked, Body=part, ContentMD5=_md5(part))


def _in_parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in parts of PART_BYTES; one part at a time lies in memory."""
    part = bytearray()
    for chunk in chunks:
        part += chunk
        while len(part) >= PART_BYTES:
            yield bytes(part[:PART_BYTES])
            del part[:PART_BYTES]
    if part:
        yield bytes(part)


def _md5(part: bytes) -> str:
    return b64encode(hashlib.md5(part, usedforsecurity=False).digest()).decode()
