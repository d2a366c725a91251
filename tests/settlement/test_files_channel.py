"""The file channel over HTTP: links, entitlement at every use, ranges, receipts, and nothing in the logs."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import io
import logging
import os
import random
import shutil
import subprocess
import sys
from urllib.parse import quote, urlsplit

import httpx
import pytest
from django.core.signing import TimestampSigner
from django.test import Client
from django.utils import timezone

from compliance import holds
from listings import storage
from listings.models import Classification, ReleaseFile
from marketplace import participants
from marketplace.errors import NotCleared, RoleNeeded
from marketplace.log_lines import Line
from marketplace.roles import Role
from settlement import deliveries
from settlement.channels import CannotDeliver, channel
from settlement.channels.files import download, links, slots
from settlement.models import Grant, Receipt
from settlement.states import GrantState
from tests import rows
from tests.factories import make_member, make_organisation, make_staff, make_user, membership_of

CONTENT = random.Random(7).randbytes(3 * 1024 * 1024 + 17)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NOTE = "春眠不觉晓\n".encode()
FILES = {"2013/flights.bin": CONTENT, "读我.txt": NOTE}


@pytest.fixture(autouse=True)
def storage_folder(settings, tmp_path):
    settings.STORAGE_DIR = tmp_path / "storage"


@pytest.fixture
def grant(db) -> Grant:
    return rows.opened(rows.a_grant(rows.a_trade(rows.an_offer(FILES)), "files"))


@pytest.fixture
def buyer(grant):
    return grant.trade.buyer.created_by


def path_to(grant: Grant, name: str = "flights.bin", *, by=None) -> str:
    """The path of a fresh link to the file of that last name."""
    signed = links.links(grant, by=by or grant.trade.buyer.created_by)
    [url] = [link["url"] for link in signed if links.last_name(link["path"]) == name]
    return urlsplit(url).path


def body(response) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def uses() -> list[tuple[str, int, int]]:
    return list(Receipt.objects.order_by("pk").values_list("path", "first_byte", "size_bytes"))


# --- links -------------------------------------------------------------------------------------------------------


def test_every_file_and_the_manifest_have_a_link_that_lapses(grant, buyer, settings):
    signed = channel("files").links(grant, by=buyer)
    assert [(link["path"], link["size_bytes"], link["sha256"]) for link in signed[:2]] == [
        ("2013/flights.bin", len(CONTENT), SHA256),
        ("读我.txt", len(NOTE), hashlib.sha256(NOTE).hexdigest()),
    ]
    assert signed[2]["path"] == "SHA256SUMS"
    for link in signed:
        assert link["url"].startswith(settings.BASE_URL + "/data/files/")
        left = link["expires_at"] - timezone.now()
        assert dt.timedelta(seconds=settings.LINK_SECONDS - 5) < left <= dt.timedelta(seconds=settings.LINK_SECONDS)
    assert not Receipt.objects.exists(), "asking for a link uses nothing"


@pytest.mark.parametrize("role", [Role.FINANCE, Role.COMPLIANCE, Role.VIEWER])
def test_a_role_that_may_not_download_gets_no_link(grant, role):
    with pytest.raises(RoleNeeded):
        links.links(grant, by=make_member(grant.trade.buyer, role))


def test_neither_seller_nor_stranger_gets_a_link(grant):
    for person in (grant.trade.seller.created_by, make_user(), make_organisation().created_by):
        with pytest.raises(RoleNeeded):
            links.links(grant, by=person)


def test_a_held_grant_gives_no_link(grant, buyer):
    hold_on(grant)
    with pytest.raises(NotCleared):
        links.links(grant, by=buyer)


def test_a_lapsed_link_says_what_to_do_and_uses_nothing(grant, client, settings):
    path = path_to(grant)
    settings.LINK_SECONDS = -1
    answer = client.get(path)
    assert answer.status_code == 403
    assert answer.json()["code"] == "link_lapsed" and "new link" in answer.json()["next"]
    assert uses() == []


def test_a_forged_link_is_refused(grant, client):
    path = path_to(grant)
    _data, _files, token, name = path.lstrip("/").split("/")
    payload, stamp, signature = token.split(".")
    other = TimestampSigner(salt="another", sep=".").sign_object([grant.trade.public_id, 1, 1])
    later = TimestampSigner(sep=".").sign(f"{payload}.{stamp}").split(".")[-1]
    forged = [
        f"{payload}.{stamp}.{signature[:-1]}{'A' if signature[-1] != 'A' else 'B'}",
        f"{payload}.{stamp}.{later}",
        f"{payload}x.{stamp}.{signature}",
        f"{payload}.zzzzzz.{signature}",
        f"{payload}.{signature}",
        payload,
        other,
        "...",
        "x",
        "é",
    ]
    for token in forged:
        answer = client.get(f"/data/files/{token}/{name}")
        assert (answer.status_code, answer.json()["code"]) == (403, "link_forged"), token
    assert client.get(f"/data/files/%00/{name}").status_code == 400
    assert uses() == []


def test_a_link_opens_only_the_file_it_was_made_for(grant, client):
    path = path_to(grant)
    assert client.get(path.replace("flights.bin", quote("读我.txt"))).status_code == 404
    other = rows.opened(rows.a_grant(rows.a_trade(rows.an_offer(FILES), grant.trade.buyer), "files"))
    foreign_file = other.trade.release.files.first()
    token = links._SIGNER.sign_object([grant.trade.public_id, foreign_file.pk, grant.trade.buyer.created_by.pk])
    assert client.get(f"/data/files/{token}/flights.bin").status_code == 404
    assert uses() == []


def test_a_link_serves_nobody_else_who_is_signed_in(grant, buyer, client):
    path = path_to(grant)
    client.force_login(make_user())
    assert (client.get(path).status_code, client.get(path).json()["code"]) == (403, "link_foreign")
    client.force_login(buyer)
    assert body(client.get(path)) == CONTENT


def test_a_link_dies_with_the_membership_it_was_made_under(grant, client):
    steward = make_member(grant.trade.buyer, Role.DATA_STEWARD)
    path = path_to(grant, by=steward)
    assert body(client.get(path)) == CONTENT
    participants.end_membership(membership_of(steward, grant.trade.buyer), by=grant.trade.buyer.created_by)
    assert (client.get(path).status_code, client.get(path).json()["code"]) == (403, "role_needed")
    assert len(uses()) == 1


# --- the very next request ---------------------------------------------------------------------------------------


def hold_on(grant: Grant):
    return holds.place(
        "trade", grant.trade_id, reason_code="complaint", reason="A complaint is looked into.", by=make_staff("vetting")
    )


def test_a_hold_refuses_the_very_next_request_and_lifting_it_serves_again(grant, client):
    path = path_to(grant)
    assert body(client.get(path, headers={"Range": "bytes=0-9"})) == CONTENT[:10]
    hold = hold_on(grant)
    for ask in (client.get, client.head):
        assert ask(path).status_code == 403
    assert client.get(path).json()["code"] == "not_cleared"
    holds.lift(hold, reason="It was looked into.", by=hold.placed_by)
    assert body(client.get(path)) == CONTENT
    assert uses() == [("2013/flights.bin", 0, 10), ("2013/flights.bin", 0, len(CONTENT))]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"state": GrantState.SUSPENDED}, 409, "grant_suspended"),
        ({"state": GrantState.CLOSED}, 403, "grant_closed"),
        ({"is_close_due": True}, 403, "grant_closed"),
        ({"ends_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}, 403, "licence_ended"),
    ],
)
def test_a_grant_that_ended_or_is_suspended_refuses_the_very_next_request(grant, client, change, status, code):
    path = path_to(grant)
    assert body(client.get(path)) == CONTENT
    Grant.objects.filter(pk=grant.pk).update(**change)
    for part in ({}, {"Range": "bytes=5-"}, {"If-None-Match": f'"{SHA256}"'}):
        answer = client.get(path, headers=part)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert client.head(path).status_code == status
    assert len(uses()) == 1


# --- the whole and its parts -------------------------------------------------------------------------------------


def test_the_whole_file_comes_with_everything_that_describes_it(grant, client):
    answer = client.get(path_to(grant))
    assert answer.status_code == 200 and answer.streaming
    assert body(answer) == CONTENT
    assert {name: answer[name] for name in ("Content-Length", "Accept-Ranges", "ETag", "Content-Disposition")} == {
        "Content-Length": str(len(CONTENT)),
        "Accept-Ranges": "bytes",
        "ETag": f'"{SHA256}"',
        "Content-Disposition": 'attachment; filename="flights.bin"',
    }
    assert answer["Repr-Digest"] == f"sha-256=:{base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()}:"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Content-Type"] == "application/octet-stream"
    assert uses() == [("2013/flights.bin", 0, len(CONTENT))]
    receipt = Receipt.objects.get()
    assert (receipt.sha256, receipt.by) == (SHA256, grant.trade.buyer.created_by)


@pytest.mark.parametrize(
    ("asked", "first", "size_bytes"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 10),
        ("bytes=1048570-1048585", 1048570, 16),
        ("bytes=3145728-", 3145728, 17),
        ("bytes=-17", 3145728, 17),
        ("bytes=5-99999999", 5, 3145740),
    ],
)
def test_a_part_is_byte_exact_and_still_carries_the_digest_of_the_whole(grant, client, asked, first, size_bytes):
    answer = client.get(path_to(grant), headers={"Range": asked})
    assert answer.status_code == 206
    assert body(answer) == CONTENT[first : first + size_bytes]
    assert answer["Content-Length"] == str(size_bytes)
    assert answer["Content-Range"] == f"bytes {first}-{first + size_bytes - 1}/{len(CONTENT)}"
    assert answer["ETag"] == f'"{SHA256}"'
    assert base64.b64decode(answer["Repr-Digest"].split(":")[1]).hex() == SHA256
    assert uses() == [("2013/flights.bin", first, size_bytes)]


@pytest.mark.parametrize("asked", ["bytes=9-5", "bytes=x", "items=0-5", "bytes=0-4,10-14", "bytes="])
def test_what_is_no_single_range_gets_the_whole(grant, client, asked):
    answer = client.get(path_to(grant), headers={"Range": asked})
    assert answer.status_code == 200 and "Content-Range" not in answer
    assert body(answer) == CONTENT


@pytest.mark.parametrize("asked", ["bytes=3145745-", "bytes=99999999-", "bytes=-0"])
def test_a_range_outside_the_file_is_416_with_its_size(grant, client, asked):
    answer = client.get(path_to(grant), headers={"Range": asked})
    assert answer.status_code == 416
    assert answer["Content-Range"] == f"bytes */{len(CONTENT)}"
    assert answer.json()["code"] == "range_not_satisfiable"
    assert uses() == []


def test_if_range_with_another_tag_gets_the_whole(grant, client):
    path = path_to(grant)
    for tag, status in ((f'"{SHA256}"', 206), (f'W/"{SHA256}"', 200), ('"other"', 200)):
        answer = client.get(path, headers={"Range": "bytes=5-9", "If-Range": tag})
        assert answer.status_code == status
        assert body(answer) == (CONTENT[5:10] if status == 206 else CONTENT)


def test_preconditions_are_kept_and_send_nothing(grant, client):
    path = path_to(grant)
    unchanged = client.get(path, headers={"If-None-Match": f'"{SHA256}"'})
    assert (unchanged.status_code, unchanged.content, unchanged["ETag"]) == (304, b"", f'"{SHA256}"')
    assert client.get(path, headers={"If-Match": '"other"'}).status_code == 412
    assert uses() == []


def test_head_says_everything_sends_nothing_and_leaves_no_receipt(grant, client):
    path = path_to(grant)
    answer = client.head(path, headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer["Content-Length"]) == (200, str(len(CONTENT)))
    assert answer["ETag"] == f'"{SHA256}"' and answer["Accept-Ranges"] == "bytes"
    assert body(answer) == b"" and uses() == []


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_but_reading_is_possible(grant, client, method):
    assert getattr(client, method)(path_to(grant)).status_code == 405
    assert uses() == []


def test_the_manifest_is_what_sha256sum_checks(grant, client, tmp_path):
    answer = client.get(path_to(grant, "SHA256SUMS"))
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    folder = tmp_path / "delivered"
    (folder / "2013").mkdir(parents=True)
    (folder / "2013/flights.bin").write_bytes(CONTENT)
    (folder / "读我.txt").write_bytes(NOTE)
    (folder / "SHA256SUMS").write_bytes(body(answer))
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, check=True)
    assert body(client.get(path_to(grant, "SHA256SUMS"))).decode().splitlines() == [
        f"{SHA256}  2013/flights.bin",
        f"{hashlib.sha256(NOTE).hexdigest()}  读我.txt",
    ]
    assert [path for path, _first, _size in uses()] == ["SHA256SUMS", "SHA256SUMS"]


def test_a_name_can_neither_break_a_header_nor_a_folder(db, client):
    """Uploads refuse such names; the data plane does not rely on it."""
    trade = rows.a_trade(rows.an_offer({"plain.csv": b"1"}))
    plain = trade.release.files.get()
    for name in ('a"; filename="b.exe', "a\r\nSet-Cookie: x=1.csv", "数据.csv", "a\\b.csv", "a\u202egpj.exe"):
        file = ReleaseFile(pk=0, release=trade.release, path=f"x/{name}", size_bytes=1, sha256=plain.sha256)
        content = download.Content(file.path, 1, file.sha256, "application/octet-stream")
        headers = download._described(download.HttpResponse(), content)
        disposition = headers["Content-Disposition"]
        assert disposition.startswith("attachment; filename")
        assert not {"\r", "\n", "\u202e"} & set(disposition) and "Set-Cookie" not in headers
    assert download._described(download.HttpResponse(), download.Content("数据.csv", 1, SHA256, ""))[
        "Content-Disposition"
    ] == "attachment; filename*=utf-8''" + quote("数据.csv")
    assert 'filename="a\\"; filename=\\"b.exe"' in str(
        download._described(download.HttpResponse(), download.Content('a"; filename="b.exe', 1, SHA256, ""))[
            "Content-Disposition"
        ]
    )


def test_a_person_sees_a_page_and_a_script_json(grant, client, settings):
    path = path_to(grant)
    settings.LINK_SECONDS = -1
    page = client.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.status_code == 403 and page["Content-Type"].startswith("text/html") and "link_lapsed" in page.text
    script = client.get(path, headers={"Accept": "*/*"})
    assert set(script.json()) == {"code", "detail", "next"}
    assert page["Cache-Control"] == script["Cache-Control"] == "private, no-store"


# --- what may not leave as files ---------------------------------------------------------------------------------


@pytest.mark.parametrize("classification", [Classification.CORE, Classification.IMPORTANT, Classification.GENERAL_4])
def test_important_and_grade_4_data_never_leave_as_files(db, classification):
    offer = rows.an_offer(FILES, classification=classification)
    assert channel("files").check(offer) != []
    with pytest.raises(CannotDeliver, match="never delivered as files"):
        channel("files").open(rows.a_grant(rows.a_trade(offer), "files"))


def test_a_lost_file_leaves_no_receipt(grant, client):
    path = path_to(grant)
    storage.remove(ReleaseFile.objects.get(path="2013/flights.bin").stored_as)
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_away")
    assert uses() == []


def test_a_refused_receipt_sends_nothing_and_closes_the_file(grant, client, monkeypatch):
    path, opened = path_to(grant), []
    real = download.Content.open
    monkeypatch.setattr(download.Content, "open", lambda *asked: opened.append(real(*asked)) or opened[-1])
    Grant.objects.filter(pk=grant.pk).update(ends_at=timezone.now() + dt.timedelta(hours=1))
    monkeypatch.setattr(deliveries, "leave_receipt", _broken)
    client.raise_request_exception = False
    assert client.get(path).status_code == 500
    assert [file.closed for file in opened] == [True]
    assert slots._taken == {}


def _broken(*_args: object, **_kwargs: object) -> None:
    raise RuntimeError("the database is away")


# --- sending -----------------------------------------------------------------------------------------------------


def test_the_file_is_never_whole_in_memory():
    class Watched(io.BytesIO):
        most = 0

        def read(self, size: int | None = -1) -> bytes:
            Watched.most = max(Watched.most, size or 0) if size != -1 else 1 << 40
            return super().read(size)

    held, file = contextlib.ExitStack(), Watched(CONTENT[3:])
    held.enter_context(file)
    sending = download.Sending(file, download.ranges.Part(3, len(CONTENT) - 5), held)
    chunks = list(sending)
    assert b"".join(chunks) == CONTENT[3:-2]
    assert Watched.most <= download.CHUNK_BYTES and max(map(len, chunks)) <= download.CHUNK_BYTES
    sending.close()
    assert file.closed
    sending.close()


def test_a_file_that_shrank_breaks_the_connection_rather_than_pass_for_whole():
    part = download.ranges.Part(0, len(CONTENT))
    sending = download.Sending(io.BytesIO(CONTENT[:-1]), part, contextlib.ExitStack())
    with pytest.raises(OSError, match="shorter"):
        list(sending)


def test_slow_readers_leave_threads_for_everybody_else(grant, client, settings):
    settings.DOWNLOADS_AT_ONCE, settings.DOWNLOADS_AT_ONCE_PER_PERSON = 3, 2
    steward = make_member(grant.trade.buyer, Role.DATA_STEWARD)
    own, other = path_to(grant), path_to(grant, by=steward)
    slow = [client.get(own), client.get(own)]
    refused = client.get(own)
    assert (refused.status_code, refused.json()["code"], refused["Retry-After"]) == (503, "too_many_downloads", "10")
    slow.append(client.get(other))
    assert client.get(other).status_code == 503
    assert client.head(other).status_code == 200
    assert len(uses()) == 3, "what is not sent leaves no receipt"
    for response in slow:
        assert body(response) == CONTENT
    assert body(client.get(own)) == CONTENT
    assert slots._taken == {}


def test_nginx_sends_where_it_is_told_to(grant, client, settings):
    settings.ACCEL_LOCATION = "/_files/"
    stored_as = ReleaseFile.objects.get(path="2013/flights.bin").stored_as
    answer = client.get(path_to(grant), headers={"Range": "bytes=5-9"})
    assert answer["X-Accel-Redirect"] == f"/_files/releases/{stored_as[:2]}/{stored_as}"
    assert body(answer) == b"" and answer.status_code == 200
    assert answer["Repr-Digest"].startswith("sha-256=:")
    assert uses() == [("2013/flights.bin", 5, 5)]
    assert body(client.get(path_to(grant, "SHA256SUMS"))) != b"", "the manifest is ours to send"


@pytest.mark.django_db(transaction=True)
def test_an_interrupted_download_goes_on_and_has_the_same_digest(live_server, settings, tmp_path):
    settings.BASE_URL = live_server.url
    grant = rows.opened(rows.a_grant(rows.a_trade(rows.an_offer(FILES)), "files"))
    url = live_server.url + path_to(grant)
    arrived = bytearray()
    with httpx.Client() as client:
        with client.stream("GET", url) as first:
            tag = first.headers["ETag"]
            for chunk in first.iter_raw(50_000):
                arrived += chunk
                if len(arrived) > len(CONTENT) // 3:
                    break  # the line is cut
        assert 0 < len(arrived) < len(CONTENT)
        rest = client.get(url, headers={"Range": f"bytes={len(arrived)}-", "If-Range": tag})
    assert rest.status_code == 206
    first_byte = len(arrived)
    arrived += rest.content
    assert hashlib.sha256(arrived).hexdigest() == SHA256
    assert uses() == [
        ("2013/flights.bin", 0, len(CONTENT)),
        ("2013/flights.bin", first_byte, len(CONTENT) - first_byte),
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_resumes_where_it_stopped(live_server, settings, tmp_path):
    settings.BASE_URL = live_server.url
    grant = rows.opened(rows.a_grant(rows.a_trade(rows.an_offer(FILES)), "files"))
    url = live_server.url + path_to(grant)
    (tmp_path / "got").write_bytes(CONTENT[:1_000_000])
    subprocess.run(["curl", "-sS", "-f", "--noproxy", "*", "-C", "-", "-o", "got", url], cwd=tmp_path, check=True)
    assert hashlib.sha256((tmp_path / "got").read_bytes()).hexdigest() == SHA256
    assert uses() == [("2013/flights.bin", 1_000_000, len(CONTENT) - 1_000_000)]


# --- logs --------------------------------------------------------------------------------------------------------


def test_no_log_line_holds_a_signed_link(grant, settings, monkeypatch):
    path = path_to(grant)
    token = path.split("/")[3]
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(Line(settings.LOGGING["formatters"]["line"]["fmt"]))
    logger = logging.getLogger("django.request")
    monkeypatch.setattr(deliveries, "leave_receipt", _broken)
    logger.addHandler(handler)
    try:
        client = Client(raise_request_exception=False)
        assert client.get(path).status_code == 500
        logger.error("%s refused", path)
    finally:
        logger.removeHandler(handler)
    assert written.getvalue().count("/data/files/…/flights.bin") >= 2
    assert token not in written.getvalue()


def test_no_logger_of_the_running_exchange_writes_a_signed_link():
    script = """
import django, logging
django.setup()
for name in ("django", "django.request", "django.server", "django.security.csrf", "celery", "settlement", "granian"):
    logging.getLogger(name).error("Broken: %s", "/data/files/SECRET.of.link/a.csv", extra={"status_code": 500})
try:
    raise OSError("/data/files/SECRET.of.link/a.csv")
except OSError:
    logging.getLogger("settlement").exception("failed")
"""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "marketplace.settings", "DEBUG": "true"}
    ran = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    written = ran.stdout + ran.stderr
    assert written.count("/data/files/…/a.csv") == 8
    assert "SECRET" not in written


@pytest.mark.parametrize(
    ("line", "safe"),
    [
        ("GET /data/files/abc.def-_.x/a.csv 200", "GET /data/files/…/a.csv 200"),
        ("url=http://h/data/files/abc/a.csv", "url=http://h/data/files/…/a.csv"),
        ("Bearer dbt_Abc-9_x, next", "Bearer dbt_…, next"),
        ("/sandbox/pay/payment-1234/ and /join/secret/", "/sandbox/pay/…/ and /join/…/"),
        ("nothing secret", "nothing secret"),
    ],
)
def test_secrets_are_cut_out_of_lines(line, safe):
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "%s", (line,), None)
    assert Line("%(message)s").format(record) == safe
