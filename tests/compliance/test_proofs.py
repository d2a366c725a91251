"""Papers of an organisation: hostile files refused by content, pictures instead of files, expiry told once."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client
from PIL import Image

from compliance import paper_files, proofs, tasks
from compliance.models import Proof, ProofPicture
from marketplace import clock, journal, scanning
from marketplace.errors import Invalid, Refused, RoleNeeded, TooLarge, WrongState
from tests.factories import make_member, make_organisation, make_staff, make_verified, owner_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_storage(settings: Any, tmp_path: Any) -> None:
    settings.STORAGE_DIR = tmp_path


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "white").save(out, kind)
    return out.getvalue()


def archive(**members: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, text in members.items():
            made.writestr(name.replace("__", "/").replace("_xml", ".xml").replace("_bin", ".bin"), text)
    return out.getvalue()


XML = b'<?xml version="1.0" encoding="UTF-8"?>\n<licence><number>1</number></licence>'


def shown(organisation: Any, content: bytes | None = None, **said: Any) -> Proof:
    said = {"kind": "licence", "issuer": "Companies Registry", **said}
    return proofs.add(organisation, content=content or picture(), by=owner_of(organisation), **said)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (picture(), paper_files.PNG),
        (picture("JPEG"), paper_files.JPEG),
        (picture("PDF"), paper_files.PDF),
        (archive(OFD_xml="<ofd/>"), paper_files.OFD),
        (XML, paper_files.XML),
    ],
)
def test_the_kind_of_a_file_is_told_by_its_content(content, kind):
    assert paper_files.media_type_of(content) == kind


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"hello", "unknown_file_type"),
        (b"<html><script>alert(1)</script></html>", "active_content"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="x"/>', "active_content"),
        (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "active_content"),
        (b'<?xml version="1.0"?><?xml-stylesheet href="x"?><a/>', "active_content"),
        (b'<?xml version="1.0"?><svg ></svg>', "active_content"),
        (picture() + b"<script >alert(1)</script>", "polyglot"),
        (picture() + archive(a="b"), "polyglot"),
        (picture("JPEG") + b"trailing", "polyglot"),
        (picture("PDF") + archive(a="b"), "polyglot"),
        (picture("PDF").replace(b"/Catalog", b"/Catalog /OpenAction << /S /JavaScript /JS (x) >>"), "active_content"),
        (archive(a="b"), "unknown_file_type"),
        (archive(**{"[Content_Types]_xml": "x", "word__vbaProject_bin": "x"}), "office_document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1macro", "office_document"),
        (archive(OFD_xml="<ofd/>", **{"run.js": "x"}), "active_content"),
        (b"GIF89a", "unknown_file_type"),
        (b"MZ\x90\x00", "unknown_file_type"),
    ],
)  # fmt: skip
def test_a_hostile_file_is_refused_with_a_code_and_not_kept(content, code, tmp_path):
    with pytest.raises(Invalid) as refusal:
        proofs.add(
            (organisation := make_organisation()),
            kind="licence",
            issuer="Registry",
            content=content,
            by=owner_of(organisation),
        )
    assert refusal.value.code == code
    assert not Proof.objects.exists()
    assert not list(tmp_path.rglob("papers/*"))


def test_a_file_beyond_the_limit_is_refused():
    with pytest.raises(TooLarge):
        shown(make_organisation(), picture() + b"\0" * paper_files.MOST_BYTES)


def test_what_stands_on_a_paper_must_hold_together():
    organisation = make_organisation()
    today = clock.today()
    for said in (
        {"kind": "passport"},
        {"issuer": " "},
        {"issued_on": today + dt.timedelta(days=1)},
        {"expires_on": today - dt.timedelta(days=1)},
        {"kind": "e_licence"},
    ):
        with pytest.raises(Invalid):
            shown(organisation, **said)
    with pytest.raises(RoleNeeded):
        proofs.add(organisation, kind="licence", issuer="X", content=picture(), by=make_member(organisation, "trader"))
    assert not Proof.objects.exists()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "PDF"])
def test_a_worker_draws_a_paper_and_people_see_the_picture_alone(kind):
    organisation = make_organisation()
    proof = shown(organisation, picture(kind, (3000, 2000)))
    tasks.draw_papers()
    proof.refresh_from_db()
    assert (proof.pictures.count(), proof.failure) == (1, "")
    client = Client()
    client.force_login(owner_of(organisation))
    seen = client.get(f"/organisation/papers/{proof.pk}/pages/1.png")
    assert seen["Content-Type"] == "image/png"
    assert max(Image.open(io.BytesIO(seen.content)).size) <= 1600
    saved = client.get(f"/organisation/papers/{proof.pk}/file/")
    assert saved["Content-Disposition"].startswith("attachment")
    assert (saved["Content-Type"], saved["X-Content-Type-Options"]) == ("application/octet-stream", "nosniff")
    assert client.get(f"/organisation/papers/{proof.pk}/pages/2.png").status_code == 404
    tasks.draw_papers()
    assert ProofPicture.objects.count() == 1


def test_a_paper_that_cannot_be_drawn_says_why():
    organisation = make_organisation()
    broken = b"%PDF-1.7\nnonsense\n%%EOF\n"
    proof = shown(organisation, broken)
    tasks.draw_papers()
    proof.refresh_from_db()
    assert (proof.failure, proof.pictures.count()) == ("broken_file", 0)
    kept = shown(organisation, XML, kind="e_licence", number="1", issued_on=clock.today())
    tasks.draw_papers()
    kept.refresh_from_db()
    assert (kept.failure, kept.pictures.count(), kept.may_be_saved) == ("", 0, True)


class Suspicious:
    """A scanner of this test: finds what says so of itself, and cannot judge what it should see later."""

    def scan(self, stream: Any) -> str:
        content = stream.read()
        if b"LATER" in content:
            raise scanning.TryLater("the scanner is restarting")
        return "Test.Signature" if b"INFECTED" in content else ""


def test_a_paper_is_kept_from_everybody_until_it_was_scanned_and_for_ever_where_something_was_found(settings):
    settings.SCANNERS = {"suspicious": f"{__name__}.Suspicious"}
    organisation = make_organisation()
    said = {"kind": "e_licence", "number": "1", "issued_on": clock.today()}
    waits = shown(organisation, XML.replace(b">1<", b">LATER<"), **said)
    found = shown(organisation, XML.replace(b">1<", b">INFECTED<"), **said)
    clean = shown(organisation, XML, **said)
    client = Client()
    client.force_login(owner_of(organisation))
    assert client.get(f"/organisation/papers/{clean.pk}/file/").status_code == 404
    tasks.draw_papers()
    assert [client.get(f"/organisation/papers/{one.pk}/file/").status_code for one in (waits, found, clean)] == [
        404,
        404,
        200,
    ]
    for proof, drawn, failure in ((waits, False, ""), (found, True, "malware"), (clean, True, "")):
        proof.refresh_from_db()
        assert (proof.drawn_at is not None, proof.failure) == (drawn, failure)
    assert not ProofPicture.objects.exists()


def test_a_paper_about_to_expire_is_told_once_and_an_expired_one_is_a_reason():
    member = make_verified()
    soon = shown(member, expires_on=clock.today() + dt.timedelta(days=10))
    shown(member, expires_on=clock.today() + dt.timedelta(days=300))
    assert list(proofs.expiring()) == [soon]
    tasks.tell_expiring_papers()
    tasks.tell_expiring_papers()
    kinds = list(journal.of(member).values_list("kind", flat=True))
    assert kinds.count("proof.expiring") == 1
    assert proofs.expired_reasons(proofs.standing(member)) == []
    client = Client()
    client.force_login(make_staff("vetting"))
    assert member.name in client.get("/admin/desks/expiring-papers/").content.decode()
    with clock.moved_to(clock.now() + dt.timedelta(days=12)):
        [reason] = proofs.expired_reasons(proofs.standing(member))
        assert reason["code"] == "paper_expired"
        assert "paper_expired" in client.get(f"/admin/desks/organisations/{member.public_id}/").content.decode()
    proofs.withdraw(soon, by=owner_of(member))
    assert not proofs.expiring().exists()
    with pytest.raises(WrongState):
        proofs.withdraw(soon, by=owner_of(member))


def test_an_organisation_shows_only_so_many_papers(monkeypatch):
    monkeypatch.setattr(proofs, "MOST_PAPERS", 1)
    organisation = make_organisation()
    shown(organisation)
    with pytest.raises(Refused) as refusal:
        shown(organisation)
    assert refusal.value.code == "too_many_papers"


def test_the_database_keeps_a_paper_as_it_came():
    proof = shown(make_organisation())
    mine = Proof.objects.filter(pk=proof.pk)
    for write in (lambda: mine.update(digest="x"), lambda: mine.update(expires_on=None, kind="address"), mine.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            write()


def test_an_owner_shows_and_withdraws_a_paper_on_the_page_and_the_staff_look_at_it():
    organisation = make_verified()
    client = Client()
    client.force_login(owner_of(organisation))
    said = {"kind": "licence", "issuer": "Companies Registry", "number": "7"}
    sent = client.post("/organisation/papers/", {**said, "file": SimpleUploadedFile("a.svg", picture())})
    assert sent.url == "/organisation/papers/"
    wrong = client.post("/organisation/papers/", {**said, "file": SimpleUploadedFile("a.png", b"<svg onload=x>")})
    assert wrong.status_code == 422
    proof = Proof.objects.get()
    tasks.draw_papers()
    officer, stranger = Client(), Client()
    officer.force_login(make_staff("vetting"))
    stranger.force_login(owner_of(make_organisation()))
    desk = f"/admin/desks/organisations/{organisation.public_id}/"
    page = officer.get(desk).content.decode()
    assert f"{desk}papers/{proof.pk}/pages/1.png" in page
    assert officer.get(f"{desk}papers/{proof.pk}/pages/1.png")["Content-Type"] == "image/png"
    assert officer.get(f"{desk}papers/{proof.pk}/file/")["Content-Disposition"].startswith("attachment")
    assert stranger.get(f"/organisation/papers/{proof.pk}/file/").status_code == 404
    assert client.post(f"/organisation/papers/{proof.pk}/withdrawal/").url == "/organisation/papers/"
    assert not proofs.standing(organisation).exists()


def test_an_owner_shows_lists_saves_and_withdraws_a_paper_by_the_api(settings):
    organisation = make_verified()
    client, stranger = Client(), Client()
    client.force_login(owner_of(organisation))
    stranger.force_login(owner_of(make_organisation()))
    papers = f"/api/v1/organisations/{organisation.public_id}/papers"

    def send(key: str, **changes: Any) -> Any:
        said = {"kind": "licence", "issuer": "Companies Registry", "number": "7", "issued_on": "2026-01-02"}
        file = SimpleUploadedFile("a.png", picture())
        return client.post(papers, {**said, **changes, "file": file}, headers={"Idempotency-Key": key})

    sent = send("first-key-of-mine")
    assert sent.status_code == 201
    proof = Proof.objects.get()
    told = sent.json()
    assert (told["id"], told["media_type"], told["digest"]) == (proof.pk, "image/png", proof.digest)
    assert (told["issued_on"], told["expires_on"], told["may_be_saved"]) == ("2026-01-02", None, False)
    files = sorted(path for path in settings.STORAGE_DIR.rglob("*") if path.is_file())
    assert send("first-key-of-mine").json() == told and Proof.objects.count() == 1
    assert send("first-key-of-mine", number="8").json()["code"] == "key_reused"
    assert sorted(path for path in settings.STORAGE_DIR.rglob("*") if path.is_file()) == files
    assert [one["id"] for one in client.get(papers).json()] == [proof.pk]
    assert client.get(f"{papers}/{proof.pk}/file").status_code == 404  # not scanned yet
    tasks.draw_papers()
    assert client.get(f"{papers}/{proof.pk}/file").content == picture()
    assert [stranger.get(path).status_code for path in (papers, f"{papers}/{proof.pk}/file")] == [404, 404]
    ended = client.post(f"{papers}/{proof.pk}/withdrawal", headers={"Idempotency-Key": "another-key-of-mine"})
    assert ended.status_code == 200 and ended.json()["withdrawn_at"]
    assert client.get(papers).json() == []


def test_what_is_refused_leaves_no_file_in_the_store(settings):
    organisation = make_organisation()
    for wrong in ({"kind": "passport"}, {"issuer": " "}, {"expires_on": dt.date(2001, 1, 1)}):
        with pytest.raises(Invalid):
            shown(organisation, **wrong)
    assert [path for path in settings.STORAGE_DIR.rglob("*") if path.is_file()] == []
