"""Takes in what other exchanges list, keeps it in step with their catalogues, and withdraws it.

Reading the same catalogue again changes nothing; a row that changed is written anew, one that disappeared is marked
with a date. One reading is one transaction: cut off, it has changed nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from listings import catalogue_columns, catalogue_files, shelf
from listings.catalogue_columns import CannotUse
from listings.catalogue_files import Looked, Problem, Tell
from listings.models import CatalogueEntry, CatalogueReading
from marketplace import clock, journal, roles
from marketplace.errors import Invalid, WrongState
from marketplace.models import User, new_public_id

AT_ONCE = 500
READING_LOCK = 7_302_511  # advisory: one reading at a time

COLUMNS = (
    "source", "exchange", "identifier", "address", "title", "summary", "details", "merchant", "category", "kind",
    "product_type", "sector", "price", "coverage", "update_frequency", "keywords", "digest",
)  # fmt: skip


# After these, more of a file was lost than the rows that are named.
LOSING_CODES = {"broken_csv", "broken_json", "line_too_long", "not_a_list", "no_title_column", "wrong_columns"}


@dataclass
class Told:
    """What a reading came to."""

    counts: Counter[str] = field(default_factory=Counter)  # rows, created, changed, unchanged, returned, gone, refused
    reasons: Counter[str] = field(default_factory=Counter)  # refused rows and files by code
    columns: dict[str, dict[str, str]] = field(default_factory=dict)  # of each file, {meaning: column}

    @property
    def is_whole(self) -> bool:
        """Whether every row is known, if not usable: only then can it be told what disappeared."""
        return not self.reasons.keys() & LOSING_CODES

    @property
    def usable(self) -> int:
        """How many rows are entries now."""
        return sum(self.counts[name] for name in ("created", "changed", "returned", "unchanged"))


class _TakenBack(Exception):
    """A dry run ends here."""


def read(
    files: Iterable[Looked],
    *,
    exchange: str = "",
    mapping: Mapping[str, str] | None = None,
    is_partial: bool = False,
    is_dry_run: bool = False,
    report: Callable[[Problem], None] = lambda _problem: None,
    advance: Callable[[int], None] = lambda _bytes: None,
) -> Told:
    """Take in these files. `is_partial` says that they do not hold all their exchange lists, so nothing is gone.

    `report` hears of each row that cannot be used; `advance` how many bytes were read since.
    """
    told = Told()
    try:
        with transaction.atomic():
            _read(list(files), told, exchange, mapping or {}, is_partial, report, advance)
            if is_dry_run:
                raise _TakenBack
    except _TakenBack:
        pass
    return told


def _read(
    files: list[Looked],
    told: Told,
    exchange: str,
    mapping: Mapping[str, str],
    is_partial: bool,
    report: Callable[[Problem], None],
    advance: Callable[[int], None],
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [READING_LOCK])
    names = {one.path.name: one.sha256 for one in files}
    reading = CatalogueReading.objects.create(digest=f"sha256:{hashlib.sha256(json.dumps(names).encode()).hexdigest()}")
    sources: set[str] = set()
    for looked in files:

        def refuse(line: int, code: str, detail: str, *, of: str = looked.path.name) -> None:
            told.counts["refused"] += 1
            told.reasons[code] += 1
            report(Problem(of, line, code, detail))

        rows = _rows(looked, told, reading, exchange, mapping, refuse, advance)
        while batch := list(islice(rows, AT_ONCE)):
            _take_in(batch, reading, told, refuse)
            sources.update(entry["source"] for _line, entry in batch)
    if told.is_whole and not is_partial:
        told.counts["gone"] = (
            CatalogueEntry.objects.filter(source__in=sources, gone_at=None)
            .exclude(last_reading=reading)
            .update(gone_at=reading.read_at)
        )
    reading.counts = dict(told.counts)
    reading.save(update_fields=["counts"])
    journal.record("catalogue.read", reading, by=None, digest=reading.digest, counts=reading.counts)


def _rows(
    looked: Looked,
    told: Told,
    reading: CatalogueReading,
    exchange: str,
    mapping: Mapping[str, str],
    refuse: Tell,
    advance: Callable[[int], None],
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a file that can become entries, each with its line."""
    header = catalogue_files.header(looked)
    columns = catalogue_columns.recognised(header, mapping)
    told.columns[looked.path.name] = columns
    if not header:
        refused = told.counts["refused"]
        deque(catalogue_files.rows(looked, tell=refuse, advance=advance), maxlen=0)  # says why it has no row
        if told.counts["refused"] == refused:
            refuse(0, "empty_file", "There is no row in it.")
        return
    if "title" not in columns:
        refuse(0, "no_title_column", "No column is known to hold the titles; name it: --map title=…")
        return
    for row in catalogue_files.rows(looked, tell=refuse, advance=advance):
        told.counts["rows"] += 1
        try:
            yield row.line, catalogue_columns.entry_of(row.values, columns, exchange=exchange)
        except CannotUse as reason:
            refuse(row.line, reason.code, reason.detail)
            # What was read of it before stays, and is not gone.
            source, identifier = reason.key
            CatalogueEntry.objects.filter(source=source, identifier=identifier).update(last_reading=reading)


def _take_in(batch: list[tuple[int, dict[str, Any]]], reading: CatalogueReading, told: Told, refuse: Tell) -> None:
    """Write what is new or changed, and note what is unchanged."""
    known = {(source, identifier): rest for source, identifier, *rest in _known([entry for _line, entry in batch])}
    written: dict[tuple[str, str], dict[str, Any]] = {}
    unchanged: dict[tuple[str, str], int] = {}
    for line, entry in batch:
        key = (entry["source"], entry["identifier"])
        pk, digest, gone_at, last_reading = known.get(key, (None, "", None, None))
        if key in written or key in unchanged or last_reading == reading.pk:
            refuse(line, "repeated", f"Number {key[1]} of {key[0]} was read before; the first counts.")
        elif pk and digest == entry["digest"] and gone_at is None:
            unchanged[key] = pk
        else:
            written[key] = entry
            told.counts["created" if pk is None else "returned" if gone_at else "changed"] += 1
    told.counts["unchanged"] += len(unchanged)
    CatalogueEntry.objects.filter(pk__in=unchanged.values()).update(last_reading=reading)
    if written:
        _write(list(written.values()), reading)


def _known(entries: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT source, identifier, id, digest, gone_at, last_reading_id FROM listings_catalogueentry
            WHERE (source, identifier) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
            """,
            [[entry["source"] for entry in entries], [entry["identifier"] for entry in entries]],
        )
        return cursor.fetchall()


def _write(entries: list[dict[str, Any]], reading: CatalogueReading) -> None:
    """All of them in one statement, and what they are searched by in another."""
    rows, values = [], []
    for entry in entries:
        rows.append(f"(%s, {', '.join(['%s'] * len(COLUMNS))}, %s::bigint, %s::bigint)")
        values += [new_public_id(), *(entry[name] for name in COLUMNS), reading.pk, reading.pk]
    changed = [name for name in COLUMNS if name not in ("source", "identifier")]
    renewed = ", ".join(f"{name} = excluded.{name}" for name in (*changed, "last_reading_id"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO listings_catalogueentry
                (public_id, {", ".join(COLUMNS)}, first_reading_id, last_reading_id, withdrawal_reason)
            SELECT t.*, '' FROM (VALUES {", ".join(rows)}) AS t
            ON CONFLICT (source, identifier) DO UPDATE SET {renewed}, gone_at = NULL
            RETURNING source, identifier, id
            """,  # noqa: S608
            values,
        )
        pks = {(source, identifier): pk for source, identifier, pk in cursor.fetchall()}
    shelf.put_entries({pks[entry["source"], entry["identifier"]]: entry for entry in entries})


@transaction.atomic
def withdraw(entry: CatalogueEntry, *, reason: str, by: User) -> CatalogueEntry:
    """Take an entry off the catalogue for good; reading its row again does not bring it back.

    Raises RoleNeeded, Invalid without a reason, WrongState where it is withdrawn.
    """
    roles.require_staff(by, "withdraw_entry")
    if not reason.strip():
        raise Invalid(_("Say why it is withdrawn."), code="reason_needed")
    entry = CatalogueEntry.objects.select_for_update().get(pk=entry.pk)
    if entry.withdrawn_at:
        raise WrongState(_("This entry is withdrawn already."))
    entry.withdrawn_at, entry.withdrawn_by, entry.withdrawal_reason = clock.now(), by, reason.strip()
    entry.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawal_reason"])
    shelf.take_off(entry)
    journal.record("catalogue_entry.withdrawn", entry, by=by, source=entry.source, identifier=entry.identifier)
    return entry
