"""Files that mean harm: an upload takes them as bytes, and measuring them ends in words."""

from __future__ import annotations

import io
import zipfile

import pytest
from django.utils import timezone

from listings import arrivals, profiling, publishing, storage, uploads
from listings.models import Profile, Release
from listings.states import ProfileState
from tests import factories

pytestmark = pytest.mark.django_db

SCRIPT = b"<script>fetch('https://elsewhere.example')</script>"


def zipped(**entries: bytes) -> bytes:
    carrier = io.BytesIO()
    with zipfile.ZipFile(carrier, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name.replace("__", "/"), content)
    return carrier.getvalue()


def bomb() -> bytes:
    """A workbook whose only sheet is some hundred megabytes of zeros."""
    return zipped(**{"[Content_Types].xml": b"<Types/>", "xl__worksheets__sheet1.xml": bytes(300 * 1024**2)})


HOSTILE = {
    "picture.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">' + SCRIPT + b"</svg>",
    "page.html": b"<!doctype html>" + SCRIPT,
    "polyglot.pdf": b"%PDF-1.7\n" + SCRIPT + b"\n" + zipped(**{"a.js": b"alert(1)"}),
    "polyglot.csv": b"GIF89a=1,2\n" + SCRIPT + b",3\n",
    "formulas.csv": b"name,score\n=cmd|' /C calc'!A0,1\n@SUM(1+1),2\n",
    "macros.xlsm": zipped(**{"[Content_Types].xml": b"<Types/>", "xl__vbaProject.bin": b"Attribute VB_Name"}),
    "climbs.xlsx": zipped(**{"..__..__etc__passwd": b"root:x"}),
    "10000 columns.csv": b",".join(b"c%d" % number for number in range(10_000)) + b"\n" + b"1," * 9_999 + b"1\n",
    "one line.csv": b"x" * (32 * 1024**2),
    "bomb.xlsx": bomb(),
}


@pytest.fixture
def release() -> Release:
    seller = factories.make_organisation()
    by = factories.owner_of(seller)
    return uploads.open_release(
        publishing.create_listing(seller=seller, product_type="dataset", by=by), label="1", by=by
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_kept_byte_for_byte_and_measured_or_refused_in_words(release, name):
    by, content = factories.owner_of(release.listing.seller), HOSTILE[name]
    file = uploads.put_file(release, path=name, stream=io.BytesIO(content), by=by)
    with storage.opened(file.stored_as) as kept:
        assert kept.read() == content
    uploads.seal_release(release, by=by)
    for _ in range(profiling.MOST_TRIES):
        Profile.objects.update(next_try_at=timezone.now())
        profiling.profile_next()
    profile = Profile.objects.get()
    assert profile.state in (ProfileState.DONE, ProfileState.FAILED)
    if profile.state == ProfileState.FAILED:
        assert profile.error_code and profile.error.startswith(name)
    assert arrivals.remove_abandoned() == 0
