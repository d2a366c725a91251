"""Between arriving and belonging: parts straight to the store, the check by a worker, quarantine, quotas."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
import threading

import httpx
import pytest
from django.db import DatabaseError, connections, transaction
from django.utils import timezone

from listings import arrivals, direct, publishing, quotas, storage, uploads
from listings.models import Quota, Release, ReleaseFile, Upload
from listings.states import UploadState
from marketplace import scanning
from marketplace.clamav import ClamAV
from marketplace.errors import Invalid, NotReady, Refused, RoleNeeded, TooLarge, WrongState
from marketplace.models import Event, Organisation, User
from tests import clamd, factories
from tests import object_store as others

pytestmark = pytest.mark.django_db

CONTENT = os.urandom(12 * 1024**2 + 5)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PART_BYTES = 5 * 1024**2


def new_release() -> Release:
    seller = factories.make_organisation()
    by = factories.owner_of(seller)
    return uploads.open_release(
        publishing.create_listing(seller=seller, product_type="dataset", by=by), label="1", by=by
    )


@pytest.fixture
def release() -> Release:
    return new_release()


def owner(release: Release) -> User:
    return factories.owner_of(release.listing.seller)


# --- parts straight to the store -----------------------------------------------------------------------------------


@pytest.fixture
def bucket(settings, monkeypatch, tmp_path):
    settings.STORAGE_DIR = tmp_path / "grounds"
    settings.STORAGE_URL = others.new_bucket()
    monkeypatch.setattr(direct, "LEAST_PART_BYTES", PART_BYTES)
    return storage.store()


def announce(release: Release, *, sha256: str = "", content: bytes = CONTENT, path: str = "data.bin") -> Upload:
    upload = uploads.start_upload(
        release, path=path, size_bytes=len(content), expected_sha256=sha256, in_parts=True, by=owner(release)
    )
    return direct.begin(upload)


def send(upload: Upload, *numbers: int, content: bytes = CONTENT) -> None:
    """PUT the missing parts of these numbers (default: all) as a browser would: to the store, without a token."""
    for part in direct.parts(upload).missing:
        if not numbers or part.number in numbers:
            first = (part.number - 1) * upload.part_bytes
            answer = httpx.put(part.url, content=content[first : first + part.size_bytes])
            assert answer.status_code == 200, answer.text


def test_a_file_goes_to_the_store_in_parts_and_a_worker_gives_it_its_digest(release, bucket):
    upload = announce(release, sha256=SHA256)
    send(upload)
    assert uploads.finish(upload, by=owner(release)).state == UploadState.CHECKING
    with pytest.raises(NotReady) as refusal:
        uploads.seal_release(release, by=owner(release))
    assert refusal.value.code == "uploads_under_way"
    arrivals.check_next()
    file = ReleaseFile.objects.get()
    assert (file.path, file.size_bytes, file.sha256) == ("data.bin", len(CONTENT), SHA256)
    assert not Upload.objects.exists()
    assert storage.size_of(file.stored_as) == len(CONTENT)
    assert not storage.path_of(file.stored_as).exists(), "no byte passed through this machine"
    assert uploads.seal_release(release, by=owner(release)).size_bytes == len(CONTENT)


def test_an_interrupted_upload_goes_on_with_the_parts_the_store_lacks(release, bucket):
    upload = announce(release)
    send(upload, 2)
    told = direct.parts(Upload.objects.get())
    assert (told.count, told.arrived, [part.number for part in told.missing]) == (3, [2], [1, 3])
    assert [part.size_bytes for part in told.missing] == [PART_BYTES, 2 * 1024**2 + 5]
    assert uploads.offset_of(Upload.objects.get()) == PART_BYTES
    with pytest.raises(direct.PartsMissing, match="2 of 3 parts are missing"):
        uploads.finish(Upload.objects.get(), by=owner(release))
    assert Upload.objects.get().state == UploadState.ARRIVING
    send(upload)
    uploads.finish(Upload.objects.get(), by=owner(release))
    arrivals.check_next()
    assert ReleaseFile.objects.get().sha256 == SHA256


def test_a_part_of_the_wrong_size_counts_as_missing(release, bucket):
    upload = announce(release)
    short = direct.parts(upload).missing[1]
    assert httpx.put(short.url, content=CONTENT[:100]).status_code == 200
    assert direct.parts(upload).arrived == []


def test_a_wrong_checksum_is_refused_by_the_check_and_nothing_of_the_file_is_kept(release, bucket):
    upload = announce(release, sha256="0" * 64)
    send(upload)
    uploads.finish(upload, by=owner(release))
    arrivals.check_next()
    refused = Upload.objects.get()
    assert (refused.state, refused.refusal_code) == (UploadState.REFUSED, "wrong_checksum")
    assert SHA256 in refused.refusal
    assert not ReleaseFile.objects.exists()
    assert storage.size_of(upload.public_id) == 0
    assert Event.objects.filter(kind="release.file_refused").count() == 1


def test_completing_twice_or_after_a_crash_is_one_file(release, bucket):
    upload = announce(release)
    send(upload)
    direct.complete(upload)  # and here the web process dies
    uploads.finish(Upload.objects.get(), by=owner(release))
    uploads.finish(Upload.objects.get(), by=owner(release))
    arrivals.check_next()
    assert arrivals.check_next() is None
    assert ReleaseFile.objects.get().sha256 == SHA256


def test_a_check_that_died_is_taken_up_by_another_worker(release, bucket):
    upload = announce(release)
    send(upload)
    uploads.finish(upload, by=owner(release))
    dead = Upload.claim_next(Upload.objects.filter(state=UploadState.CHECKING))
    assert arrivals.check_next() is None, "the claim is respected while it lasts"
    Upload.objects.update(claimed_until=timezone.now() - dt.timedelta(seconds=1))
    assert arrivals.check_next().pk == dead.pk
    assert ReleaseFile.objects.get().sha256 == SHA256


def test_a_store_that_is_away_postpones_the_check_and_refuses_nothing(release, bucket, settings):
    upload = announce(release)
    send(upload)
    uploads.finish(upload, by=owner(release))
    away, settings.STORAGE_URL = settings.STORAGE_URL, "s3://exchange-away?endpoint=http://127.0.0.1:9"
    arrivals.check_next()
    waiting = Upload.objects.get()
    assert waiting.state == UploadState.CHECKING and "StorageAway" in waiting.error
    settings.STORAGE_URL = away
    Upload.objects.update(next_try_at=timezone.now())
    arrivals.check_next()
    assert ReleaseFile.objects.get().sha256 == SHA256


def test_cancelled_and_abandoned_parts_are_taken_away(release, bucket, settings):
    cancelled, lapsed = announce(release), announce(release, path="b.bin")
    for upload in (cancelled, lapsed):
        send(upload, 1)
    uploads.cancel_upload(Upload.objects.get(pk=cancelled.pk), by=owner(release))
    Upload.objects.update(lapses_at=timezone.now())
    assert arrivals.remove_abandoned() == 1
    crashed = bucket.begin(storage.name_of("left0by0crash"))
    kept = announce(release, path="c.bin")
    settings.UPLOAD_LAPSE_SECONDS = -60
    assert direct.abort_abandoned() == 1
    left = [begun for _name, begun in bucket.begun_before(storage.AREA, -60)]
    assert left == [kept.begun_as] and crashed not in left


def test_small_files_still_pass_through_us_into_the_bucket(release, bucket):
    file = uploads.put_file(release, path="a.csv", stream=io.BytesIO(b"a,b\n1,2\n"), by=owner(release))
    assert (storage.size_of(file.stored_as), storage.path_of(file.stored_as).exists()) == (8, False)
    with storage.at_hand(file.stored_as) as path:
        assert path.read_bytes() == b"a,b\n1,2\n"
    assert not path.exists()


def test_an_upload_in_parts_takes_no_bytes_by_offset(release, bucket):
    upload = announce(release)
    with pytest.raises(WrongState) as refusal:
        uploads.append(upload, offset=0, chunks=[CONTENT], by=owner(release))
    assert refusal.value.code == "goes_in_parts"


def test_where_files_lie_in_a_folder_nothing_goes_in_parts(release):
    upload = uploads.start_upload(release, path="a.bin", size_bytes=9, in_parts=True, by=owner(release))
    assert upload.part_bytes == 0
    with pytest.raises(direct.NotInParts):
        direct.parts(upload)


def test_the_parts_road_by_api(bucket, client):
    release = new_release()
    seller = release.listing.seller
    client.force_login(owner(release))
    headers = {"Organisation": seller.public_id}
    address = f"/api/v1/listings/{release.listing.public_id}/releases/{release.pk}/uploads"
    announced = {"path": "data.bin", "size_bytes": len(CONTENT), "sha256": SHA256, "in_parts": True}
    keyed = headers | {"Idempotency-Key": "one"}
    told = client.post(address, announced, content_type="application/json", headers=keyed)
    assert (told.status_code, told.json()["part_bytes"]) == (201, PART_BYTES)
    upload = f"/api/v1/uploads/{told.json()['public_id']}"
    for part in client.get(f"{upload}/parts", headers=headers).json()["missing"]:
        first = (part["number"] - 1) * PART_BYTES
        httpx.put(part["url"], content=CONTENT[first : first + part["size_bytes"]])
    completed = client.post(f"{upload}/completion", headers=headers | {"Idempotency-Key": "two"})
    assert (completed.status_code, completed.json()["state"]) == (202, "checking")
    arrivals.check_next()
    assert client.get(upload, headers=headers).status_code == 404
    assert ReleaseFile.objects.get().sha256 == SHA256


# --- scanners ------------------------------------------------------------------------------------------------------


@pytest.fixture
def clamav(settings) -> None:
    settings.CLAMAV_ADDRESS = clamd.address()
    settings.CLAMAV_STREAM_BYTES = clamd.STREAM_BYTES
    settings.SCANNERS = {"clamav": "marketplace.clamav.ClamAV"}


def put(release: Release, content: bytes, path: str = "a.bin", **more: object) -> Upload | ReleaseFile:
    return uploads.put_file(release, path=path, stream=io.BytesIO(content), by=owner(release), **more)


def test_a_clean_file_joins_its_release_when_the_scanner_has_seen_it(release, clamav):
    assert put(release, b"harmless").state == UploadState.CHECKING
    assert not release.files.exists()
    arrivals.check_next()
    assert release.files.get().sha256 == hashlib.sha256(b"harmless").hexdigest()


def test_malware_is_locked_away_and_joins_nothing(release, clamav):
    upload = put(release, b"before " + clamd.SIGNED + b" after")
    arrivals.check_next()
    upload.refresh_from_db()
    assert (upload.state, upload.refusal_code) == (UploadState.QUARANTINED, "malware_found")
    assert upload.refusal == f"A scanner found {clamd.FOUND_AS} in a.bin."
    assert not ReleaseFile.objects.exists()
    with pytest.raises(WrongState) as refusal:
        uploads.cancel_upload(upload, by=owner(release))
    assert refusal.value.code == "in_quarantine"
    with pytest.raises(DatabaseError, match="was refused"), transaction.atomic():
        ReleaseFile.objects.create(
            release=release, path="a.bin", size_bytes=1, sha256="0" * 64, stored_as=upload.public_id
        )
    with pytest.raises(NotReady) as refusal:
        uploads.seal_release(release, by=owner(release))
    assert refusal.value.code == "release_empty"
    Upload.objects.update(lapses_at=timezone.now())
    assert arrivals.remove_abandoned() == 1
    assert storage.arrived_bytes(upload.public_id) == 0


@pytest.mark.parametrize("at", [clamd.STREAM_BYTES - 10, clamd.STREAM_BYTES + 5, 9 * 1024**2])
def test_a_file_longer_than_clamd_takes_is_scanned_to_its_end(at, clamav):
    content = bytes(at) + clamd.SIGNED + bytes(10 * 1024**2 - at)
    assert ClamAV().scan(io.BytesIO(content)) == clamd.FOUND_AS
    assert ClamAV().scan(io.BytesIO(bytes(len(content)))) == ""


def test_a_scanner_that_is_away_keeps_the_file_waiting(release, clamav, settings):
    put(release, b"harmless")
    well, settings.CLAMAV_ADDRESS = settings.CLAMAV_ADDRESS, "unix:///nonexistent"
    arrivals.check_next()
    waiting = Upload.objects.get()
    assert waiting.state == UploadState.CHECKING and waiting.error.startswith("TryLater: clamd does not answer")
    assert not release.files.exists()
    settings.CLAMAV_ADDRESS = well
    Upload.objects.update(next_try_at=timezone.now())
    arrivals.check_next()
    assert release.files.count() == 1


def test_what_clamd_cannot_judge_is_never_clean(clamav, settings):
    settings.CLAMAV_STREAM_BYTES = 2 * clamd.STREAM_BYTES
    with pytest.raises(scanning.TryLater):
        ClamAV().scan(io.BytesIO(bytes(2 * clamd.STREAM_BYTES)))


def test_a_wrong_checksum_is_told_at_once_even_where_a_scan_would_follow(release, clamav):
    with pytest.raises(Invalid) as refusal:
        put(release, b"harmless", expected_sha256="0" * 64)
    assert refusal.value.code == "wrong_checksum"
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE listings_release SET sealed_at = now(), digest = 'x'",
        "UPDATE listings_upload SET state = 'arriving'",
        "UPDATE listings_upload SET state = 'quarantined'",
        "UPDATE listings_upload SET path = 'another.bin'",
        "UPDATE listings_upload SET received_bytes = 0",
    ],
)
def test_the_database_keeps_what_is_being_checked_as_it_is(release, clamav, statement):
    put(release, b"harmless")
    with pytest.raises(DatabaseError), transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute(statement)
    assert Upload.objects.get().state == UploadState.CHECKING


# --- quotas --------------------------------------------------------------------------------------------------------


def test_a_full_member_is_refused_before_the_first_byte_and_staff_may_give_more(release, settings):
    settings.SELLER_MAX_BYTES = 100
    seller, officer = release.listing.seller, factories.make_staff("vetting")
    put(release, b"x" * 60)
    with pytest.raises(TooLarge) as refusal:
        uploads.start_upload(release, path="b.bin", size_bytes=41, by=owner(release))
    assert refusal.value.code == "seller_full" and "40 are left" in refusal.value.detail
    assert not Upload.objects.exists()
    quotas.set_quota(seller, most_bytes=200, most_files=2, reason="A larger customer.", by=officer)
    put(release, b"x" * 41, path="b.bin")
    with pytest.raises(TooLarge, match="at most 2 files"):
        uploads.start_upload(release, path="c.bin", size_bytes=1, by=owner(release))
    allowed = quotas.allowance(seller)
    assert (allowed.used_bytes, allowed.used_files, allowed.share) == (101, 2, 1.0)
    assert quotas.allowance(factories.make_organisation()).most_bytes == 100, "others keep the default"


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"reason": " "}, "reason_needed"), ({"most_bytes": -1}, "wrong_quota"), ({"most_files": True}, "wrong_quota")],
)
def test_a_quota_without_sense_is_refused_and_changes_nothing(release, changes, code):
    decided = {"most_bytes": 1, "most_files": 1, "reason": "So.", "by": factories.make_staff("vetting")}
    with pytest.raises(Refused) as refusal:
        quotas.set_quota(release.listing.seller, **decided | changes)
    assert refusal.value.code == code
    assert not Quota.objects.exists()


def test_only_staff_decide_quotas_and_a_decision_is_never_rewritten(release):
    with pytest.raises(RoleNeeded):
        quotas.set_quota(release.listing.seller, most_bytes=1, most_files=1, reason="Mine.", by=owner(release))
    officer = factories.make_staff("vetting")
    quotas.set_quota(release.listing.seller, most_bytes=1, most_files=1, reason="So.", by=officer)
    with pytest.raises(DatabaseError), transaction.atomic():
        Quota.objects.update(most_bytes=2)
    assert quotas.allowance(release.listing.seller).most_bytes == 1


@pytest.mark.django_db(transaction=True)
def test_of_six_announcements_at_once_no_more_get_in_than_there_is_room(settings):
    settings.SELLER_MAX_BYTES = 100
    first = new_release()
    seller: Organisation = first.listing.seller
    by = factories.owner_of(seller)
    others_ = [uploads.open_release(first.listing, label=f"r{number}", by=by) for number in range(6)]
    refused, gate = [], threading.Barrier(6)

    def announce_one(release: Release) -> None:
        gate.wait()
        try:
            uploads.start_upload(release, path="a.bin", size_bytes=40, by=by)
        except TooLarge as refusal:
            refused.append(refusal.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=announce_one, args=[release]) for release in others_]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (Upload.objects.count(), refused) == (2, ["seller_full"] * 4)
