"""What every store of files keeps to: one suite, run on a folder and on an S3 server that is not ours."""

from __future__ import annotations

import hashlib
import os

import httpx
import pytest

from marketplace import object_store, storage, store_address
from marketplace.errors import TooLarge
from marketplace.storage import Folder, Store, chunks_of
from tests import object_store as others

CONTENT = os.urandom(700_000)
NAME = "releases/ab/ab12cd34ef56"


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, settings, tmp_path) -> Store:
    settings.STORAGE_DIR = tmp_path / "storage"
    settings.STORAGE_URL = others.new_bucket() if request.param == "bucket" else ""
    return storage.store()


def in_chunks(content: bytes, size: int = 100_000) -> list[bytes]:
    return [content[at : at + size] for at in range(0, len(content), size)]


def read(store: Store, *, first: int = 0, name: str = NAME) -> bytes:
    with store.open(name, first=first) as reading:
        return b"".join(chunks_of(reading))


def test_what_is_put_comes_back_with_its_size_and_digest(store: Store) -> None:
    stored = store.put(NAME, in_chunks(CONTENT), most_bytes=len(CONTENT))
    assert (stored.size_bytes, stored.sha256) == (700_000, hashlib.sha256(CONTENT).hexdigest())
    assert store.size(NAME) == 700_000
    assert read(store) == CONTENT


@pytest.mark.parametrize("first", [1, 333_333, 699_999])
def test_it_can_be_read_from_any_place_on(store: Store, first: int) -> None:
    store.put(NAME, [CONTENT], most_bytes=len(CONTENT))
    assert read(store, first=first) == CONTENT[first:]


def test_more_than_the_cap_is_refused_and_nothing_is_kept(store: Store) -> None:
    with pytest.raises(TooLarge):
        store.put(NAME, in_chunks(CONTENT), most_bytes=len(CONTENT) - 1)
    assert store.size(NAME) is None
    assert list(store.untouched_for("releases", -60)) == []


def test_a_source_that_breaks_leaves_nothing(store: Store, monkeypatch) -> None:
    monkeypatch.setattr(object_store, "PART_BYTES", 5 * 1024**2)

    def breaking():
        yield from [bytes(1024**2)] * 12
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.put(NAME, breaking(), most_bytes=10**9)
    assert store.size(NAME) is None
    assert list(store.untouched_for("releases", -60)) == []
    if isinstance(store, object_store.Bucket):
        assert list(store.begun_before("releases", -60)) == [], "no part lies about unpaid for"


def test_a_large_file_goes_up_in_parts_and_comes_back_the_same(store: Store, monkeypatch) -> None:
    monkeypatch.setattr(object_store, "PART_BYTES", 5 * 1024**2)
    large = os.urandom(12 * 1024**2 + 1)
    stored = store.put(NAME, in_chunks(large, 999_999), most_bytes=len(large))
    assert stored.sha256 == hashlib.sha256(large).hexdigest() == hashlib.sha256(read(store)).hexdigest()


def test_nothing_is_read_where_nothing_lies(store: Store) -> None:
    assert store.size(NAME) is None
    with pytest.raises(FileNotFoundError):
        store.open(NAME)


def test_taking_away_is_safe_twice(store: Store) -> None:
    store.put(NAME, [CONTENT], most_bytes=len(CONTENT))
    store.delete(NAME)
    store.delete(NAME)
    assert store.size(NAME) is None


def test_a_file_of_this_machine_is_adopted_and_again_after_a_crash(store: Store, tmp_path, settings) -> None:
    grown = Folder(settings.STORAGE_DIR).path_of(NAME)
    grown.parent.mkdir(parents=True)
    grown.write_bytes(CONTENT)
    store.adopt(NAME, grown)
    store.adopt(NAME, grown)
    assert read(store) == CONTENT


def test_what_nobody_touched_is_listed_by_area_and_age(store: Store) -> None:
    store.put(NAME, [b"old"], most_bytes=10)
    store.put("evidence/xy/xy99", [b"other"], most_bytes=10)
    assert list(store.untouched_for("releases", -60)) == [NAME]
    assert list(store.untouched_for("releases", 60)) == []


def test_a_link_gives_the_bytes_under_the_name_asked_for_and_any_range_of_them(store: Store) -> None:
    store.put(NAME, [CONTENT], most_bytes=len(CONTENT))
    link = store.link(NAME, save_as="航班.csv", seconds=60)
    if not link:
        assert store.is_on_this_machine
        return
    whole = httpx.get(link)
    assert (whole.status_code, whole.content) == (200, CONTENT)
    assert whole.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''%E8%88%AA")
    part = httpx.get(link, headers={"Range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, CONTENT[5:10])


def test_a_store_says_whether_it_is_well(store: Store, settings, tmp_path) -> None:
    assert store.health() == ""
    if store.is_on_this_machine:
        (tmp_path / "a file").write_bytes(b"")
        settings.STORAGE_DIR = tmp_path / "a file"
    else:
        settings.STORAGE_URL = settings.STORAGE_URL.replace("s3://exchange", "s3://no-exchange")
    assert storage.store().health() != ""


def test_a_store_that_is_away_says_so_in_its_own_error(settings) -> None:
    settings.STORAGE_URL = "s3://exchange-away?endpoint=http://127.0.0.1:9&region=us-east-1"
    others.server()
    with pytest.raises(storage.StorageAway):
        storage.store().open(NAME)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("s3://exchange", "https://exchange.s3.us-east-1.amazonaws.com"),
        ("s3://exchange/ours?region=cn-north-1", "https://exchange.s3.cn-north-1.amazonaws.com.cn"),
        ("s3://exchange?endpoint=https://store.example:9000/&region=eu-west-1", "https://store.example:9000"),
    ],
)
def test_an_address_says_where_browsers_send_parts(url: str, origin: str) -> None:
    assert store_address.read(url).origin == origin


@pytest.mark.parametrize(
    "url",
    [
        "https://exchange",
        "s3://EX",
        "s3://exchange/../other",
        "s3://exchange?endpoint=ftp://store",
        "s3://exchange?endpoint=https://store/path; script-src *",
        "s3://exchange?key=secret",
    ],
)
def test_an_address_that_cannot_be_is_refused(url: str) -> None:
    with pytest.raises(store_address.WrongAddress):
        store_address.read(url)
