"""Files that lie in an S3 store: the licence is checked and the receipt left here, the bytes come from there."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import pytest

from listings import storage
from listings.models import ReleaseFile
from settlement.channels.files import Files, links, slots
from settlement.models import Grant, Receipt
from settlement.states import GrantState
from tests import object_store as others
from tests import rows

pytestmark = pytest.mark.django_db

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def grant(settings, tmp_path) -> Grant:
    settings.STORAGE_DIR, settings.STORAGE_URL = tmp_path / "grounds", others.new_bucket()
    return rows.opened(rows.a_grant(rows.a_trade(rows.an_offer({"2013/航班.bin": CONTENT})), "files"))


def path_to(grant: Grant, index: int = 0) -> str:
    return urlsplit(links.links(grant, by=grant.trade.buyer.created_by)[index]["url"]).path


def uses() -> list[tuple[str, int, int]]:
    return list(Receipt.objects.order_by("pk").values_list("path", "first_byte", "size_bytes"))


def test_a_download_is_sent_on_to_the_store_and_leaves_its_receipt(grant, client):
    assert Files().open(grant).facts["files"][0]["size_bytes"] == len(CONTENT)
    answer = client.get(path_to(grant))
    assert (answer.status_code, answer["Cache-Control"]) == (302, "private, no-store")
    assert "X-Amz-Expires=60" in answer["Location"]
    sent = httpx.get(answer["Location"])
    assert sent.content == CONTENT
    assert sent.headers["Content-Disposition"] == "attachment; filename*=utf-8''%E8%88%AA%E7%8F%AD.bin"
    assert sent.headers["Content-Type"] == "application/octet-stream"
    assert uses() == [("2013/航班.bin", 0, len(CONTENT))]
    assert slots._taken == {}, "no thread of ours sends"


def test_a_range_is_asked_of_the_store_and_counted_here(grant, client):
    answer = client.get(path_to(grant), headers={"Range": "bytes=100-199"})
    sent = httpx.get(answer["Location"], headers={"Range": "bytes=100-199"})
    assert (sent.status_code, sent.content) == (206, CONTENT[100:200])
    assert uses() == [("2013/航班.bin", 100, 100)]


def test_head_and_the_manifest_are_answered_here(grant, client):
    head = client.head(path_to(grant))
    assert (head.status_code, head["Content-Length"]) == (200, str(len(CONTENT)))
    manifest = client.get(path_to(grant, 1))
    assert (manifest.status_code, b"".join(manifest.streaming_content)[64:]) == (200, "  2013/航班.bin\n".encode())
    manifest.close()


def test_a_grant_that_ended_gets_no_address(grant, client):
    path = path_to(grant)
    Grant.objects.filter(pk=grant.pk).update(state=GrantState.SUSPENDED)
    answer = client.get(path)
    assert answer.status_code in (403, 409) and "Location" not in answer.headers
    assert uses() == []


def test_a_lost_file_leaves_no_receipt(grant, client):
    path = path_to(grant)
    storage.remove(ReleaseFile.objects.get().stored_as)
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_away")
    assert uses() == []
