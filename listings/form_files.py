"""Files sent by an HTML form, straight into storage: nothing of them lies in memory or in a temporary folder.

Django calls the handler while it reads the form, before the form's CSRF token is checked: what arrives is therefore
only an upload, which the view finishes afterwards; otherwise it is swept away like any other that was abandoned.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopFutureHandlers
from django.utils.translation import gettext_lazy as _

from listings import uploads
from listings.models import Release, Upload
from marketplace.errors import Invalid, Refused
from marketplace.models import User


class ArrivedFile:
    """What the form's field holds: an upload whose bytes are all there."""

    def __init__(self, upload: Upload, sha256_hex: str) -> None:
        self.upload = upload
        self.sha256_hex = sha256_hex

    def close(self) -> None:
        """Django closes the files of a form; ours is closed already."""


class IntoRelease(FileUploadHandler):
    """Takes the files of one form into a release. What it refuses is collected in `refusals`."""

    def __init__(self, release: Release, by: User) -> None:
        super().__init__()
        self.refusals: list[Refused] = []
        self._release, self._by = release, by
        self._form_bytes = 0
        self._open = ExitStack()

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *_rest: Any, **_more: Any) -> None:
        """A form tells its whole length, which no file in it exceeds."""
        self._form_bytes = content_length

    def new_file(self, field_name: str, file_name: str, *rest: Any, **more: Any) -> None:
        super().new_file(field_name, file_name, *rest, **more)
        try:
            self._upload = uploads.start_upload(self._release, path=file_name, size_bytes=self._form_bytes, by=self._by)
            self._receiver = self._open.enter_context(uploads.receiving(self._upload, 0))
        except Refused as refusal:
            self._refuse(refusal)
        raise StopFutureHandlers

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        try:
            self._receiver.write(raw_data)
        except Refused as refusal:
            self._refuse(refusal)

    def file_complete(self, file_size: int) -> ArrivedFile | None:  # type: ignore[override]
        self._open.close()
        if file_size == 0:
            uploads.cancel_upload(self._upload, by=self._by)
            self.refusals.append(
                Invalid(
                    _("%(upload)s is empty; an empty file cannot be sold."), code="wrong_size", upload=self._upload.path
                )
            )
            return None
        uploads.end_here(self._upload)
        return ArrivedFile(self._upload, self._receiver.sha256_hex)

    def upload_interrupted(self) -> None:
        self._open.close()

    def _refuse(self, refusal: Refused) -> None:
        self._open.close()
        self.refusals.append(refusal)
        raise SkipFile
