"""Measuring releases: a worker claims a profile that is due, reads each file in a disposable process, and stores it.

A broken file ends in a failure the seller can read; what may only be a bad moment (time, memory, a missing wall around
the process) is tried again.
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction

from listings import isolation, storage
from listings.models import Profile, Release, ReleaseFile, Version
from listings.profiler.quality import DECIMALS
from listings.states import ProfileState, VersionState
from marketplace import clock, journal
from marketplace.claims import kept, postponed_on_failure
from marketplace.models import User

MOST_TRIES = 3
PERHAPS_A_BAD_MOMENT = {"took_too_long", "out_of_memory"}
# The longest part of a report by far; more files than these are described in a line each.
FILES_IN_FULL = 20


class FileFailed(Exception):
    """One file of the release cannot be measured; `code` is stable, the message is for the seller."""

    def __init__(self, path: str, failure: isolation.ProfileFailed) -> None:
        self.code = failure.code
        self.told = {"path": path, "says": failure.says, "facts": failure.facts}
        super().__init__(f"{path}: {failure.sentence}")


class StorageDamaged(Exception):
    """What lies in storage is not what arrived."""


class ClaimLost(Exception):
    """It took so long that another worker has taken the profile over."""


def profile_next(*, claim_seconds: int | None = None) -> Profile | None:
    """Measure the release that has waited longest, or None. Safe to run late, twice and in parallel."""
    due = Profile.objects.filter(state=ProfileState.DUE)
    profile = Profile.claim_next(due, claim_seconds=claim_seconds)
    if profile is None:
        return None
    with postponed_on_failure(profile):
        try:
            with kept(profile):
                report = _measured(profile)
        except FileFailed as failure:
            if failure.code in PERHAPS_A_BAD_MOMENT and profile.tries < MOST_TRIES:
                raise
            _fail(profile, failure)
        else:
            finish(profile, report)
    return profile


def try_again(profile: Profile) -> Profile:
    """Measure a release once more whose measuring failed, on the operators' word. Raises nothing if it did not fail."""
    with transaction.atomic():
        profile = Profile.objects.select_for_update().get(pk=profile.pk)
        if profile.state == ProfileState.FAILED:
            profile.state, profile.tries, profile.next_try_at = ProfileState.DUE, 0, clock.now()
            profile.error_code, profile.error, profile.failure, profile.claimed_until = "", "", None, None
            profile.save()
    return profile


def measure_again(version: Version, *, by: User | None) -> bool:
    """Whether the release a draft names is put back in the queue, because the draft now names other key columns.

    A release that was handed in for review keeps its facts: they are what was reviewed. Call inside a transaction.
    """
    profile = Profile.objects.select_for_update().filter(release=version.release_id).first()
    if profile is None or profile.state != ProfileState.DONE or not _has_other_keys(profile):
        return False
    if profile.release.versions.exclude(state=VersionState.DRAFT).exists():
        return False
    profile.state, profile.tries, profile.next_try_at = ProfileState.DUE, 0, clock.now()
    profile.bytes_done, profile.claimed_until = 0, None
    profile.save()
    journal.record("release.to_be_measured_again", profile.release, by=by, version=version.pk)
    return True


def _has_other_keys(profile: Profile) -> bool:
    """Whether the manual names other keys, among the columns there are, than duplicates were counted by."""
    keys = set(_declared(profile.release)[0])
    return any(
        keys & {column["name"] for column in table["columns"]} != set(table["duplicates"]["key_columns"])
        for table in (profile.report or {}).get("files", [])
        if table.get("columns")
    )


def _measured(profile: Profile) -> dict[str, Any]:
    """The report on the whole release. Raises FileFailed, StorageDamaged, ClaimLost, IsolationUnavailable."""
    release = profile.release
    keys, update_frequency = _declared(release)
    described: list[dict[str, Any]] = []
    bytes_done = 0
    for file in release.files.all():
        _require_held(profile)
        _note_progress(profile, bytes_done)
        try:
            with storage.at_hand(file.stored_as) as path:
                report = isolation.profile_file(
                    path,
                    name=file.path.rpartition("/")[2],
                    key_columns=keys or None,
                    timeout_seconds=settings.PROFILE_TIMEOUT_SECONDS,
                    memory_bytes=settings.PROFILE_MEMORY_BYTES,
                    update_frequency=update_frequency,
                    require_isolation=settings.PROFILE_NEEDS_ISOLATION,
                    on_progress=partial(_note_share, profile, bytes_done, file.size_bytes),
                )
        except isolation.ProfileFailed as failure:
            raise FileFailed(file.path, failure) from failure
        _require_same(file, report)
        bytes_done += file.size_bytes
        described += tables_of(file.path, report)
    return summed_up(described)


def tables_of(path: str, report: dict[str, Any]) -> list[dict[str, Any]]:
    """One file's report, and one for each further sheet or packed file in it, which is named after it."""
    more = report.pop("more_tables", [])
    first = {"path": path, **report}
    return [
        first,
        *(
            {
                "path": f"{path} › {table.get('sheet') or table.get('entry')}",
                "format": report["format"],
                "size_bytes": 0,
                "is_part": True,
                **table,
            }
            for table in more
        ),
    ]


def _note_share(profile: Profile, before: int, size_bytes: int, share: float) -> None:
    _note_progress(profile, before + int(share * size_bytes))


def _note_progress(profile: Profile, bytes_done: int) -> None:
    """Show how far the reading is; a worker that lost its claim changes nothing."""
    mine = Profile.objects.filter(pk=profile.pk, state=ProfileState.DUE, tries=profile.tries)
    mine.update(bytes_done=bytes_done)


def summed_up(files: list[dict[str, Any]]) -> dict[str, Any]:
    """One report on all files: `files`, and of them together rows, newest_date, personal_columns, isolation, quality.

    The quality of a release is the mean of its files' scores, each counted by its rows; None when no file is a table.
    """
    tables = [report for report in files if "quality" in report]
    scored = [
        (report["quality"]["score"], report["rows"]) for report in tables if report["quality"]["score"] is not None
    ]
    weight = sum(rows for _score, rows in scored)
    for report in files[FILES_IN_FULL:]:
        for part in ("columns", "preview"):
            report.pop(part, None)
    return {
        "files": files,
        "rows": sum(report["rows"] for report in tables) if tables else None,
        "newest_date": max((report["newest_date"] for report in tables if report["newest_date"]), default=None),
        "personal_columns": [
            {"path": report["path"], "column": column["name"], "kinds": sorted(column["personal"]["kinds"])}
            for report in tables
            for column in report.get("columns", [])
            if column["personal"]["verdict"] == "personal" and set(column["personal"]["kinds"]) - {"uscc"}
        ],
        "isolation": files[0]["isolation"] if files else None,
        "quality": sum(score * rows for score, rows in scored) / weight if weight else None,
    }


def _declared(release: Release) -> tuple[list[str], str]:
    """The key columns and the promised interval, as the newest manual of the product says."""
    version = release.listing.versions.order_by("-number").first()
    if version is None:
        return [], ""
    return [entry["name"] for entry in version.fields if entry.get("is_key")], version.update_frequency


def _require_same(file: ReleaseFile, report: dict[str, Any]) -> None:
    if report["sha256"] != file.sha256:
        raise StorageDamaged(f"file {file.pk} of release {file.release_id} has changed in storage")


def _require_held(profile: Profile) -> None:
    """Whether one more file is worth reading. Raises ClaimLost when another worker has the profile."""
    if not Profile.objects.filter(pk=profile.pk, state=ProfileState.DUE, tries=profile.tries).exists():
        raise ClaimLost(f"profile {profile.pk}, try {profile.tries}")


@transaction.atomic
def finish(claimed: Profile, report: dict[str, Any]) -> None:
    """Store what a claimed profile's release was found to be. Raises ClaimLost."""
    profile = _held(claimed)
    profile.state, profile.report, profile.measured_at = ProfileState.DONE, report, clock.now()
    quality = report["quality"]
    profile.quality = None if quality is None else Decimal(str(round(quality, DECIMALS)))
    profile.error, profile.error_code, profile.failure = "", "", None
    profile.claimed_until, profile.bytes_done = None, profile.release.size_bytes
    profile.save()
    basis_points = None if quality is None else round(quality * 10_000)
    journal.record("release.profiled", profile.release, by=None, rows=report["rows"], quality_basis_points=basis_points)
    draft = profile.release.versions.filter(state=VersionState.DRAFT).first()
    if draft is not None:
        measure_again(draft, by=None)  # its keys may have changed while the files were read


@transaction.atomic
def _fail(claimed: Profile, failure: FileFailed) -> None:
    profile = _held(claimed)
    profile.state, profile.error_code, profile.error = ProfileState.FAILED, failure.code, str(failure)
    profile.failure, profile.measured_at, profile.claimed_until = failure.told, clock.now(), None
    profile.save()
    journal.record("release.profile_failed", profile.release, by=None, code=failure.code)


def _held(claimed: Profile) -> Profile:
    """The profile, locked. Raises ClaimLost when another worker has it, or has finished it."""
    profile = Profile.objects.select_for_update().get(pk=claimed.pk)
    if profile.state != ProfileState.DUE or profile.tries != claimed.tries:
        raise ClaimLost(f"profile {profile.pk}, try {claimed.tries}")
    return profile
