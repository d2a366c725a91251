"""What docs/api.md tells people to run, run: before the real web server, and an S3 store that is not ours."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connections

from listings import arrivals, direct, publishing, uploads
from listings.models import Release, Upload
from marketplace import tokens
from tests import factories, web_server
from tests import object_store as others

pytestmark = pytest.mark.django_db(transaction=True)

MEGABYTE = 1024**2


def documented(name: str) -> str:
    """The block of docs/api.md that stands under this mark."""
    page = (Path(django_settings.BASE_DIR) / "docs" / "api.md").read_text("utf-8")
    [block] = re.findall(rf"<!-- tested: {re.escape(name)} -->\n```\w+\n(.*?)```\n", page, re.DOTALL)
    return str(block)


@pytest.fixture
def release() -> Release:
    seller = factories.make_organisation()
    by = factories.owner_of(seller)
    listing = publishing.create_listing(seller=seller, product_type="dataset", by=by)
    return uploads.open_release(listing, label="2026-11", by=by)


def surroundings(url: str, release: Release) -> dict[str, str]:
    by = factories.owner_of(release.listing.seller)
    _token, secret = tokens.create_token(
        user=by, organisation=release.listing.seller, name="script", scopes=["read", "sell"], lapses_at=None, by=by
    )
    address = f"{url}/api/v1/listings/{release.listing.public_id}/releases/{release.pk}"
    return {name: value for name, value in os.environ.items() if "proxy" not in name.lower()} | {
        "TOKEN": secret,
        "RELEASE": address,
    }


@pytest.fixture
def folder(tmp_path) -> tuple[Path, dict[str, bytes]]:
    contents = {"a.csv": b"a,b\n1,2\n", "2025/b.bin": os.urandom(20 * MEGABYTE), "2026/旧.csv": b"x,y\n3,4\n"}
    place = tmp_path / "folder"
    for name, content in contents.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    return place, contents


def run_script(tmp_path: Path, env: dict[str, str], place: Path) -> subprocess.CompletedProcess[str]:
    script = tmp_path / "send_files.py"
    script.write_text(documented("send_files.py"))
    return subprocess.run(
        [sys.executable, str(script), env["RELEASE"], str(place)],
        env=env, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


def kept(release: Release) -> dict[str, str]:
    return {file.path: file.sha256 for file in release.files.all()}


def digests(contents: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


@contextlib.contextmanager
def a_worker():
    """Checks what arrives, as the worker does when its bell rings."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.3):
            arrivals.check_next()
        connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        ended.set()
        worker.join()


def test_the_line_of_curl_puts_a_file_with_its_checksum(release, tmp_path):
    (tmp_path / "ships.csv").write_bytes(b"ship,teu\nHAI FENG,1200\n")
    with web_server.running(tmp_path / "web.log") as url:
        done = subprocess.run(
            ["bash", "-eu", "-c", documented("put")],
            cwd=tmp_path, env=surroundings(url, release), capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert kept(release) == digests({"2026/ships.csv": b"ship,teu\nHAI FENG,1200\n"})


def test_the_script_sends_a_folder_and_again_only_what_is_missing(release, tmp_path, folder):
    place, contents = folder
    by = factories.owner_of(release.listing.seller)
    begun = uploads.start_upload(release, path="2025/b.bin", size_bytes=20 * MEGABYTE, by=by)
    uploads.append(begun, offset=0, chunks=[contents["2025/b.bin"][: 7 * MEGABYTE]], by=by)
    with web_server.running(tmp_path / "web.log") as url:
        env = surroundings(url, release)
        done = run_script(tmp_path, env, place)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert kept(release) == digests(contents)
        assert release.files.get(path="2025/b.bin").stored_as == begun.public_id, "it went on with what had arrived"
        again = run_script(tmp_path, env, place)
    assert (again.returncode, again.stdout) == (0, "3 files belong to the release\n")


def test_the_script_sends_a_folder_straight_to_a_store(release, tmp_path, folder, settings):
    place, contents = folder
    settings.STORAGE_URL = others.new_bucket()
    by = factories.owner_of(release.listing.seller)
    upload = uploads.start_upload(release, path="2025/b.bin", size_bytes=20 * MEGABYTE, in_parts=True, by=by)
    direct.begin(upload)
    with web_server.running(tmp_path / "web.log", STORAGE_URL=settings.STORAGE_URL) as url, a_worker():
        done = run_script(tmp_path, surroundings(url, release), place)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert kept(release) == digests(contents)
    assert release.files.get(path="2025/b.bin").stored_as == upload.public_id
    assert not Upload.objects.exists()
