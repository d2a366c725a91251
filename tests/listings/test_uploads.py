"""Files come in as streams, resume where they stopped, and leave nothing behind when they do not arrive."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
import threading
import time
import tracemalloc
from pathlib import Path

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone

from listings import arrivals, publishing, storage, uploads
from listings.models import Listing, Profile, Release, ReleaseFile, Upload
from marketplace.canonical import digest_of
from marketplace.errors import Invalid, NotReady, Refused, RoleNeeded, TooLarge, WrongState
from marketplace.models import User
from marketplace.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db

CONTENT = os.urandom(100_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def release() -> Release:
    return new_release()


def new_release() -> Release:
    seller = factories.make_organisation()
    by = factories.owner_of(seller)
    return uploads.open_release(
        publishing.create_listing(seller=seller, product_type="dataset", by=by), label="1", by=by
    )


def owner(release: Release) -> User:
    return factories.owner_of(release.listing.seller)


def start(release: Release, **changes: object) -> Upload:
    announced = {"path": "data.bin", "size_bytes": len(CONTENT), "by": owner(release)}
    return uploads.start_upload(release, **announced | changes)


def stored() -> list[Path]:
    return [path for path in Path(settings.STORAGE_DIR).rglob("*") if path.is_file()]


def test_a_file_arrives_whole_with_its_digest(release):
    file = uploads.put_file(release, path="data.bin", stream=io.BytesIO(CONTENT), by=owner(release))
    assert (file.size_bytes, file.sha256) == (100_000, SHA256)
    assert storage.path_of(file.stored_as).read_bytes() == CONTENT
    assert not Upload.objects.exists()
    assert stored() == [storage.path_of(file.stored_as)]


def test_an_upload_resumes_where_it_stopped_and_its_digest_covers_all_of_it(release):
    upload = start(release, expected_sha256=SHA256)
    assert uploads.append(upload, offset=0, chunks=[CONTENT[:30_000]], by=owner(release)) == upload
    assert uploads.offset_of(Upload.objects.get()) == 30_000
    file = uploads.append(upload, offset=30_000, chunks=[CONTENT[30_000:70_000], CONTENT[70_000:]], by=owner(release))
    assert isinstance(file, ReleaseFile)
    assert file.sha256 == SHA256


def test_what_arrived_before_the_connection_broke_is_kept(release):
    def breaking():
        yield CONTENT[:40_000]
        raise ConnectionResetError

    upload = start(release)
    with pytest.raises(ConnectionResetError):
        uploads.append(upload, offset=0, chunks=breaking(), by=owner(release))
    assert uploads.offset_of(Upload.objects.get()) == 40_000
    file = uploads.append(upload, offset=40_000, chunks=[CONTENT[40_000:]], by=owner(release))
    assert file.sha256 == SHA256


@pytest.mark.parametrize("offset", [0, 29_999, 30_001, 100_000])
def test_bytes_that_do_not_follow_on_are_refused_and_change_nothing(release, offset):
    upload = start(release)
    uploads.append(upload, offset=0, chunks=[CONTENT[:30_000]], by=owner(release))
    with pytest.raises(uploads.WrongOffset):
        uploads.append(upload, offset=offset, chunks=[b"x" * 10], by=owner(release))
    assert uploads.offset_of(Upload.objects.get()) == 30_000
    assert storage.path_of(upload.public_id).read_bytes() == CONTENT[:30_000]


def test_more_than_announced_is_refused_and_the_upload_stands_where_it_stood(release):
    upload = start(release)
    uploads.append(upload, offset=0, chunks=[CONTENT[:50_000]], by=owner(release))
    with pytest.raises(TooLarge) as refusal:
        uploads.append(upload, offset=50_000, chunks=[CONTENT[50_000:], b"one more"], by=owner(release))
    assert refusal.value.code == "more_than_announced"
    assert uploads.offset_of(Upload.objects.get()) == 50_000
    assert not ReleaseFile.objects.exists()


def test_a_wrong_checksum_leaves_neither_file_nor_upload(release):
    upload = start(release, expected_sha256="0" * 64)
    with pytest.raises(Invalid) as refusal:
        uploads.append(upload, offset=0, chunks=[CONTENT], by=owner(release))
    assert refusal.value.code == "wrong_checksum"
    assert (ReleaseFile.objects.count(), Upload.objects.count(), stored()) == (0, 0, [])


def test_a_file_that_ends_early_leaves_nothing(release):
    with pytest.raises(Invalid) as refusal:
        uploads.put_file(
            release, path="a.bin", stream=io.BytesIO(CONTENT), size_bytes=len(CONTENT) + 1, by=owner(release)
        )
    assert refusal.value.code == "ended_early"
    assert (ReleaseFile.objects.count(), Upload.objects.count(), stored()) == (0, 0, [])


TRICKY_NAMES = [
    "",
    "/etc/passwd",
    "../secret.csv",
    "a/../../b.csv",
    "a//b.csv",
    "./a.csv",
    "a/.",
    "C:\\data.csv",
    "C:data.csv",
    "a\\b.csv",
    "nul\0.csv",
    "line\nbreak.csv",
    "turned\u202eVSC.exe",
    "half\ud800.csv",
    "con.csv",
    "data/LPT1.txt",
    "ends.",
    "ends ",
    " begins",
    "<script>.csv",
    "what?.csv",
    "SHA256SUMS",
    "x" * 301,
    "字" * 80,
    "/".join("abcdefghijk"),
    None,
    7,
    ["a.csv"],
]


def test_a_name_that_plays_tricks_is_refused_and_leaves_no_trace(release):
    for path in TRICKY_NAMES:
        with pytest.raises(Invalid) as refusal:
            start(release, path=path)
        assert refusal.value.code == "wrong_path"
        assert not Upload.objects.exists()
        assert stored() == []


@pytest.mark.parametrize("path", ["航班/2013年.csv", "=1+1.csv", "-data.csv", "a'b.csv", "@home.parquet"])
def test_a_harmless_name_stays_as_it_is(release, path):
    assert uploads.put_file(release, path=path, stream=io.BytesIO(b"x"), by=owner(release)).path == path


@pytest.mark.parametrize("twin", ["Data.CSV", "data.csv", "ｄata.csv"])
def test_two_files_cannot_share_a_name_whatever_its_capitals(release, twin):
    uploads.put_file(release, path="data.csv", stream=io.BytesIO(b"x"), by=owner(release))
    with pytest.raises(Invalid) as refusal:
        start(release, path=twin)
    assert refusal.value.code == "duplicate_path"
    assert not Upload.objects.exists()


def test_of_two_uploads_of_one_name_the_first_to_end_wins_and_the_other_leaves_nothing(release):
    first, second = start(release), start(release)
    uploads.append(first, offset=0, chunks=[CONTENT], by=owner(release))
    with pytest.raises(Invalid) as refusal:
        uploads.append(second, offset=0, chunks=[CONTENT], by=owner(release))
    assert refusal.value.code == "duplicate_path"
    assert not Upload.objects.exists()
    assert [path.name for path in stored()] == [first.public_id]


@pytest.mark.parametrize(
    ("size_bytes", "code"),
    [(0, "wrong_size"), (-1, "wrong_size"), (True, "wrong_size"), ("7", "wrong_size"), (2_000_001, "too_large")],
)
def test_a_size_that_cannot_be_is_refused(release, settings, size_bytes, code):
    settings.UPLOAD_MAX_BYTES = 2_000_000
    with pytest.raises(Refused) as refusal:
        start(release, size_bytes=size_bytes)
    assert refusal.value.code == code
    assert not Upload.objects.exists()


def test_a_full_disk_refuses_before_the_first_byte(release, monkeypatch):
    monkeypatch.setattr(storage, "RESERVE_BYTES", 10**18)
    with pytest.raises(storage.StorageFull):
        start(release)
    assert not Upload.objects.exists()


def test_strangers_and_viewers_send_nothing(release):
    upload = start(release)
    for by in (factories.make_user(), factories.make_member(release.listing.seller, Role.VIEWER)):
        for command in (
            lambda by=by: start(release, path="other.bin", by=by),
            lambda by=by: uploads.append(upload, offset=0, chunks=[CONTENT], by=by),
            lambda by=by: uploads.cancel_upload(upload, by=by),
            lambda by=by: uploads.seal_release(release, by=by),
            lambda by=by: uploads.open_release(release.listing, label="2", by=by),
        ):
            with pytest.raises(RoleNeeded):
                command()
    assert Upload.objects.get().received_bytes == 0
    assert stored() == []


def test_an_abandoned_upload_is_swept_with_its_bytes_after_its_time(release, settings):
    upload = start(release)
    uploads.append(upload, offset=0, chunks=[CONTENT[:1000]], by=owner(release))
    assert arrivals.remove_abandoned() == 0
    Upload.objects.update(lapses_at=timezone.now() - dt.timedelta(seconds=1))
    with pytest.raises(arrivals.Gone):
        uploads.append(upload, offset=1000, chunks=[CONTENT[1000:]], by=owner(release))
    assert arrivals.remove_abandoned() == 1
    assert (Upload.objects.count(), stored()) == (0, [])
    with pytest.raises(arrivals.Gone):
        uploads.append(upload, offset=1000, chunks=[CONTENT[1000:]], by=owner(release))
    assert stored() == []


def test_an_upload_lives_for_its_time_after_each_arrival(release, settings):
    upload = start(release)
    Upload.objects.update(lapses_at=timezone.now() + dt.timedelta(seconds=5))
    uploads.append(upload, offset=0, chunks=[b"x"], by=owner(release))
    assert Upload.objects.get().lapses_at > timezone.now() + dt.timedelta(seconds=settings.UPLOAD_LAPSE_SECONDS - 60)


def test_a_file_that_no_row_knows_is_swept_when_it_is_old_and_the_others_stay(release, settings):
    kept = uploads.put_file(release, path="data.bin", stream=io.BytesIO(CONTENT), by=owner(release))
    arriving = start(release, path="arriving.bin")
    uploads.append(arriving, offset=0, chunks=[b"x"], by=owner(release))
    for name in ("orphan000001", "orphan000002"):
        storage.path_of(name).parent.mkdir(parents=True, exist_ok=True)
        storage.path_of(name).write_bytes(b"left by a crash")
    long_ago = time.time() - settings.UPLOAD_LAPSE_SECONDS - 10
    for path in stored():
        os.utime(path, (long_ago, long_ago))
    os.utime(storage.path_of("orphan000002"))
    assert arrivals.remove_abandoned() == 1
    assert {path.name for path in stored()} == {kept.stored_as, arriving.public_id, "orphan000002"}


def test_bytes_that_were_never_written_down_are_sent_again(release):
    """A crash between writing bytes and noting them: the row says less than the file."""
    upload = start(release)
    uploads.append(upload, offset=0, chunks=[CONTENT[:30_000]], by=owner(release))
    with storage.path_of(upload.public_id).open("ab") as file:
        file.write(b"never noted")
    assert uploads.offset_of(upload) == 30_000
    assert uploads.append(upload, offset=30_000, chunks=[CONTENT[30_000:]], by=owner(release)).sha256 == SHA256


def test_bytes_the_disk_lost_are_sent_again(release):
    upload = start(release)
    uploads.append(upload, offset=0, chunks=[CONTENT[:30_000]], by=owner(release))
    os.truncate(storage.path_of(upload.public_id), 10_000)
    assert uploads.offset_of(upload) == 10_000
    assert uploads.append(upload, offset=10_000, chunks=[CONTENT[10_000:]], by=owner(release)).sha256 == SHA256


def test_an_upload_that_was_whole_when_the_process_died_is_finished_by_an_empty_append(release):
    upload = start(release)
    with uploads.receiving(upload, 0) as receiver:
        receiver.write(CONTENT)
    assert not ReleaseFile.objects.exists()
    assert uploads.append(upload, offset=len(CONTENT), chunks=[], by=owner(release)).sha256 == SHA256


def test_a_sealed_release_has_the_digest_of_its_manifest_and_waits_to_be_measured(release):
    for path in ("b.csv", "a.csv"):
        uploads.put_file(release, path=path, stream=io.BytesIO(path.encode()), by=owner(release))
    sealed = uploads.seal_release(release, by=owner(release))
    entries = [
        {"path": path, "size_bytes": 5, "sha256": hashlib.sha256(path.encode()).hexdigest()}
        for path in ("a.csv", "b.csv")
    ]
    assert (sealed.digest, sealed.size_bytes) == (digest_of(entries), 10)
    assert Profile.objects.get().state == "due"


def test_a_sealed_release_takes_nothing_more(release):
    uploads.put_file(release, path="a.csv", stream=io.BytesIO(b"x"), by=owner(release))
    late = start(release, path="late.bin")
    with pytest.raises(NotReady) as refusal:
        uploads.seal_release(release, by=owner(release))
    assert refusal.value.code == "uploads_under_way"
    Upload.objects.update(lapses_at=timezone.now() - dt.timedelta(seconds=1))
    sealed = uploads.seal_release(release, by=owner(release))
    for command in (
        lambda: start(release, path="b.bin"),
        lambda: uploads.seal_release(release, by=owner(release)),
        lambda: uploads.finish(whole(late), by=owner(release)),
    ):
        with pytest.raises(WrongState):
            command()
    assert [file.path for file in sealed.files.all()] == ["a.csv"]


def whole(upload: Upload) -> Upload:
    """The upload as if all of it had arrived after its time."""
    with storage.growing(upload.public_id) as file:
        file.write(CONTENT)
    upload.received_bytes = upload.size_bytes
    upload.save()
    return upload


def test_an_empty_release_cannot_be_sealed(release):
    with pytest.raises(NotReady):
        uploads.seal_release(release, by=owner(release))
    release.refresh_from_db()
    assert (release.sealed_at, Profile.objects.count()) == (None, 0)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE listings_release SET label = 'new'",
        "UPDATE listings_release SET digest = 'sha256:0'",
        "UPDATE listings_release SET sealed_at = NULL, digest = ''",
        "DELETE FROM listings_release",
        "TRUNCATE listings_release CASCADE",
        "UPDATE listings_releasefile SET sha256 = repeat('0', 64)",
        "DELETE FROM listings_releasefile",
        "INSERT INTO listings_releasefile (release_id, path, size_bytes, sha256, stored_as, media_type, created_at) "
        "SELECT id, 'late.csv', 1, '', 'late', '', now() FROM listings_release",
    ],
)
def test_the_database_keeps_a_sealed_release_as_it_is(statement):
    release = factories.make_release(new_release().listing, label="sealed", is_profiled=False)
    before = list(Release.objects.filter(pk=release.pk).values()), list(ReleaseFile.objects.values())
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert (list(Release.objects.filter(pk=release.pk).values()), list(ReleaseFile.objects.values())) == before


def test_a_label_is_used_once_and_says_something(release):
    for label, code in (
        ("1", "duplicate_label"),
        ("  ", "wrong_label"),
        ("a\nb", "wrong_label"),
        ("x" * 61, "wrong_label"),
    ):
        with pytest.raises(Invalid) as refusal:
            uploads.open_release(release.listing, label=label, by=owner(release))
        assert refusal.value.code == code
    assert Release.objects.count() == 1


def test_a_large_file_never_lies_in_memory(release):
    """64 MiB in chunks of 256 KiB: the peak stays near one chunk."""

    class Zeros(io.RawIOBase):
        left = 64 * 1024**2

        def read(self, size: int = -1) -> bytes:
            size = min(size, self.left)
            self.left -= size
            return bytes(size)

    tracemalloc.start()
    uploads.put_file(release, path="zeros.bin", stream=Zeros(), size_bytes=64 * 1024**2, by=owner(release))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 1024**2


@pytest.mark.django_db(transaction=True)
def test_of_six_connections_sending_the_same_bytes_one_gets_through():
    release = new_release()
    upload, by = start(release), owner(release)
    gate, outcomes = threading.Barrier(6), []

    def send() -> None:
        mine = Upload.objects.get(pk=upload.pk)
        gate.wait()
        try:
            uploads.append(mine, offset=0, chunks=iter([CONTENT[:50_000], CONTENT[50_000:]]), by=by)
            outcomes.append("whole")
        except Refused as refusal:
            outcomes.append(refusal.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("whole") == 1
    assert set(outcomes) <= {"whole", "upload_busy", "wrong_offset", "upload_gone"}
    assert ReleaseFile.objects.get().sha256 == SHA256
    assert [path.name for path in stored()] == [upload.public_id]


@pytest.mark.django_db(transaction=True)
def test_a_file_that_arrives_while_its_release_is_sealed_is_in_the_digest_or_refused():
    release = new_release()
    by = owner(release)
    uploads.put_file(release, path="first.bin", stream=io.BytesIO(b"x"), by=by)
    gate, outcomes = threading.Barrier(2), {}

    def run(name: str, command: object) -> None:
        gate.wait()
        try:
            command()
            outcomes[name] = "done"
        except Refused as refusal:
            outcomes[name] = refusal.code
        finally:
            connections.close_all()

    threads = [
        threading.Thread(
            target=run,
            args=("put", lambda: uploads.put_file(release, path="late.bin", stream=io.BytesIO(CONTENT), by=by)),
        ),
        threading.Thread(target=run, args=("seal", lambda: uploads.seal_release(release, by=by))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    release = Release.objects.get()
    assert outcomes in (
        {"put": "done", "seal": "done"},
        {"put": "done", "seal": "uploads_under_way"},
        {"put": "release_sealed", "seal": "done"},
    )
    if release.sealed_at:
        assert release.digest == digest_of(uploads.manifest(release))
    assert len(stored()) == release.files.count()
    assert Listing.objects.count() == 1
