"""What the worker makes of a release: measured facts, readable failures, and nothing stuck."""

from __future__ import annotations

import datetime as dt
import io
import time
import zipfile

import pytest
from django.utils import timezone

from listings import isolation, profiling, publishing, storage, uploads
from listings.models import Profile
from listings.states import ProfileState
from marketplace import claims, journal
from tests import factories

pytestmark = pytest.mark.django_db


def unmeasured(files: dict[str, bytes]):
    seller = factories.make_organisation()
    listing = publishing.create_listing(seller=seller, product_type="dataset", by=factories.owner_of(seller))
    return factories.make_release(listing, files=files, is_profiled=False)


def measured(files: dict[str, bytes]) -> Profile:
    release = unmeasured(files)
    profiling.profile_next()
    return Profile.objects.get(release=release)


def bomb() -> bytes:
    """A workbook of a few kilobytes whose sheet unpacks to 2 GiB of nothing."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(2048):
                sheet.write(bytes(1024**2))
    return packed.getvalue()


def test_a_release_is_measured_file_by_file_and_summed_up():
    clean = b"id,day\n1,2026-01-01\n2,2026-01-02\n"
    doubled = b"id,day\n" + b"1,2026-03-01\n" * 2
    profile = measured({"clean.csv": clean, "doubled.csv": doubled, "readme.pdf": b"%PDF-1.7 not a table"})
    report = profile.report
    assert profile.state == ProfileState.DONE
    assert [file["path"] for file in report["files"]] == ["clean.csv", "doubled.csv", "readme.pdf"]
    assert [file["format"] for file in report["files"]] == ["csv", "csv", "other"]
    assert (report["rows"], report["newest_date"], report["personal_columns"]) == (4, "2026-03-01", [])
    assert report["files"][1]["quality"]["parts"]["uniqueness"]["score"] == 0.5
    scores = [file["quality"]["score"] for file in report["files"][:2]]
    assert report["quality"] == pytest.approx(sum(scores) / 2)
    assert float(profile.quality) == pytest.approx(report["quality"], abs=0.0001)
    assert [event.kind for event in journal.of(profile.release)][-1] == "release.profiled"


def test_a_release_without_tables_is_measured_too():
    profile = measured({"model.bin": b"\x00\x01\x02"})
    assert (profile.state, profile.quality, profile.report["rows"]) == (ProfileState.DONE, None, None)


def keyed(version, *names: str):
    """The draft with these key columns in its dictionary."""
    entries = [{"name": name, "type": "", "meaning": "Number", "unit": "", "is_key": True} for name in names]
    return publishing.edit(version, fields=entries, by=factories.owner_of(version.listing.seller))


def test_a_release_is_measured_again_when_the_keys_of_its_manual_change():
    version = factories.make_draft(files={"a.csv": b"id,seen\n1,a\n1,b\n2,c\n3,d\n"})
    assert Profile.objects.get(release=version.release).state == ProfileState.DONE
    version = keyed(version, "id", "not there")
    assert [problem["code"] for problem in publishing.problems(version)] == ["profile_not_ready"]
    profiling.profile_next()
    profile = Profile.objects.get(release=version.release)
    assert (profile.state, profile.report["files"][0]["duplicates"]["rows"]) == (ProfileState.DONE, 1)
    keyed(version, "id")
    assert profiling.profile_next() is None
    kinds = [event.kind for event in journal.of(version.release)]
    assert kinds.count("release.to_be_measured_again") == 1


def test_keys_that_change_while_the_files_are_read_are_not_lost(monkeypatch):
    version = factories.make_draft(files={"a.csv": b"id,seen\n1,a\n1,b\n"})
    version = keyed(version, "seen")
    really = isolation.profile_file

    def changed_meanwhile(path, **wishes):
        monkeypatch.setattr(isolation, "profile_file", really)
        keyed(version, "id")
        return really(path, **wishes)

    monkeypatch.setattr(isolation, "profile_file", changed_meanwhile)
    profiling.profile_next()
    assert Profile.objects.get(release=version.release).state == ProfileState.DUE
    profiling.profile_next()
    profile = Profile.objects.get(release=version.release)
    assert profile.report["files"][0]["duplicates"]["key_columns"] == ["id"]


def test_what_was_reviewed_is_not_measured_again():
    listing = factories.make_listed_product()
    draft = publishing.draft(listing, by=factories.owner_of(listing.seller))
    before = Profile.objects.get(release=draft.release)
    keyed(draft, "carrier")
    after = Profile.objects.get(release=draft.release)
    assert (after.state, after.report) == (ProfileState.DONE, before.report)


def test_the_keys_the_manual_declares_tell_duplicates():
    version = factories.make_draft()
    by = factories.owner_of(version.listing.seller)
    entry = {"name": "id", "type": "integer", "meaning": "Number", "unit": "", "is_key": True}
    publishing.edit(version, fields=[entry], by=by)
    files = {"a.csv": b"id,seen\n1,a\n1,b\n2,c\n3,d\n"}
    release = factories.make_release(version.listing, files=files, label="keyed", is_profiled=False)
    profiling.profile_next()
    report = Profile.objects.get(release=release).report["files"][0]
    assert report["duplicates"]["key_columns"] == ["id"]
    assert report["quality"]["parts"]["uniqueness"]["score"] == 0.75


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("broken.parquet", b"PAR1 and then nothing"),
        ("broken.xlsx", b"PK\x03\x04 but no workbook"),
        ("bomb.xlsx", None),
        ("bytes.csv", b"\x00\xff\x00\xfe" * 100),
    ],
)
def test_a_broken_or_hostile_file_ends_in_a_failure_the_seller_can_read(name, content):
    release = unmeasured({name: content if content is not None else bomb()})
    for _ in range(profiling.MOST_TRIES):
        Profile.objects.update(next_try_at=timezone.now())
        profiling.profile_next()
    profile = Profile.objects.get(release=release)
    assert profile.state == ProfileState.FAILED
    assert profile.error_code
    assert profile.error.startswith(f"{name}: ")
    assert profile.claimed_until is None
    assert profiling.profile_next() is None
    assert [event.kind for event in journal.of(release)][-1] == "release.profile_failed"


def test_a_failed_profile_is_measured_again_on_the_operators_word():
    profile = measured({"broken.parquet": b"PAR1 and then nothing"})
    again = profiling.try_again(profile)
    assert (again.state, again.tries, again.error) == (ProfileState.DUE, 0, "")
    assert profiling.profile_next() == profile


def test_what_may_be_a_bad_moment_is_tried_again_before_it_is_final(monkeypatch):
    def takes_too_long(*args, **kwargs):
        raise isolation.ProfileFailed("took_too_long", "Reading the file took more than 300 seconds.")

    monkeypatch.setattr(isolation, "profile_file", takes_too_long)
    profile = measured({"slow.csv": b"a\n1\n"})
    assert (profile.state, profile.tries) == (ProfileState.DUE, 1)
    assert profile.next_try_at > timezone.now()
    assert profiling.profile_next() is None
    for _ in range(profiling.MOST_TRIES - 1):
        Profile.objects.update(next_try_at=timezone.now())
        profiling.profile_next()
    profile.refresh_from_db()
    assert (profile.state, profile.error_code) == (ProfileState.FAILED, "took_too_long")


def test_where_walls_are_required_and_missing_nothing_is_measured_and_nothing_is_final(settings, monkeypatch):
    bare = isolation.Isolation(network=False, files=False, processes=False, memory=True)
    required = []

    def refuses(*args, require_isolation, **kwargs):
        required.append(require_isolation)
        raise isolation.IsolationUnavailable(bare)

    settings.PROFILE_NEEDS_ISOLATION = True
    monkeypatch.setattr(isolation, "profile_file", refuses)
    profile = measured({"a.csv": b"a\n1\n"})
    assert required == [True]
    assert (profile.state, profile.report) == (ProfileState.DUE, None)
    assert "isolation" in profile.error


def test_a_file_that_changed_in_storage_is_never_passed_off_as_measured():
    release = unmeasured({"a.csv": b"a\n1\n"})
    path = storage.path_of(release.files.get().stored_as)
    path.chmod(0o600)
    path.write_bytes(b"a\n2\n")
    profiling.profile_next()
    profile = Profile.objects.get()
    assert (profile.state, profile.report) == (ProfileState.DUE, None)
    assert profile.error.startswith("StorageDamaged")


def test_a_worker_that_lost_its_claim_stores_nothing():
    release = unmeasured({"a.csv": b"a\n1\n"})
    slow = Profile.claim_next(Profile.objects.all())
    Profile.objects.update(claimed_until=timezone.now() - dt.timedelta(seconds=1))
    profiling.profile_next()
    report = Profile.objects.get().report
    with pytest.raises(profiling.ClaimLost):
        profiling.finish(slow, {"quality": None, "rows": 9})
    profile = Profile.objects.get()
    assert (profile.state, profile.report) == (ProfileState.DONE, report)
    assert profile.release == release


@pytest.mark.django_db(transaction=True)
def test_a_claim_is_kept_while_the_work_lasts_and_no_longer(settings):
    settings.CLAIM_SECONDS = 2
    unmeasured({"a.csv": b"a\n1\n"})
    claimed = Profile.claim_next(Profile.objects.all())
    with claims.kept(claimed):
        time.sleep(3)
        assert Profile.claim_next(Profile.objects.all()) is None
    time.sleep(2.5)
    assert Profile.claim_next(Profile.objects.all()).pk == claimed.pk


def test_a_claimed_profile_is_left_to_its_worker():
    unmeasured({"a.csv": b"a\n1\n"})
    Profile.claim_next(Profile.objects.all(), claim_seconds=60)
    assert profiling.profile_next() is None


def test_html_and_formulas_in_a_file_stay_text():
    profile = measured({"=1+1.csv": b"=cmd()|x,<script>\n<b>1</b>,=2+2\n<i>2</i>,@SUM(A1)\n"})
    file = profile.report["files"][0]
    assert [column["name"] for column in file["columns"]] == ["=cmd()|x", "<script>"]
    assert uploads.manifest(profile.release)[0]["path"] == "=1+1.csv"


def test_the_profile_says_how_many_bytes_were_read(monkeypatch):
    files = {"a.csv": b"id\n1\n2\n", "b.csv": b"id\n1\n2\n3\n"}
    release = unmeasured(files)
    seen: list[int] = []

    def heard_on_the_way(path, *, on_progress, **wishes):
        seen.append(Profile.objects.get().bytes_done)
        on_progress(0.5)
        seen.append(Profile.objects.get().bytes_done)
        return really(path, **wishes)

    really = isolation.profile_file
    monkeypatch.setattr(isolation, "profile_file", heard_on_the_way)
    profiling.profile_next()
    assert seen == [0, 3, 7, 11]
    assert Profile.objects.get().bytes_done == release.size_bytes == 16


def test_progress_of_a_lost_claim_is_not_shown():
    unmeasured({"a.csv": b"a\n1\n"})
    slow = Profile.claim_next(Profile.objects.all())
    Profile.objects.update(tries=2, bytes_done=1)
    profiling._note_progress(slow, 3)
    assert Profile.objects.get().bytes_done == 1


def test_every_sheet_and_packed_table_of_a_file_counts_for_the_release():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", "id,day\n1,2026-01-01\n2,2026-01-02\n")
        archive.writestr("b/c.csv", "id\n1\n1\n1\n1\n")
    profile = measured({"both.zip": packed.getvalue()})
    files = profile.report["files"]
    assert [(one["path"], one["rows"]) for one in files] == [("both.zip", 2), ("both.zip › b/c.csv", 4)]
    assert (profile.report["rows"], profile.report["newest_date"]) == (6, "2026-01-02")
    assert files[1]["quality"]["parts"]["uniqueness"]["score"] == 0.25
