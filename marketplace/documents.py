"""Papers: certificates, contracts and statements.

A paper is a canonical record that is kept with its digest the moment it is issued; its PDF is made from the record
when someone asks for it, and is the same every time. A paper never changes: two of the staff can revoke it, and
whoever checks it then sees when and why.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, reduce
from operator import or_
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from marketplace import clock, journal, roles
from marketplace.canonical import digest_of
from marketplace.errors import Invalid, Refused, WrongState
from marketplace.models import Annotation, Organisation, Paper, Revocation, User
from marketplace.numbers import new_check_code, new_number
from marketplace.regions import COUNTRY_NAMES
from marketplace.typesetting import LANGUAGES, SCHEMA, typeset

LONGEST_REASON = 2000


class SecondPersonNeeded(Refused):
    """Whoever asked for a revocation cannot confirm it."""

    code = "second_person_needed"
    status = 403
    says = _("Whoever asked for a revocation cannot confirm it.")
    next = _("Another of the staff confirms it.")


@dataclass(frozen=True)
class Sheet:
    """A paper that is to be issued: what it is about, what it says (see `typesetting`) and who may read it.

    `record` lacks schema, number, issuer and issued_at: `issue` fills them in.
    """

    kind: str
    subject: models.Model
    title: str
    record: dict[str, Any]
    readers: Sequence[Organisation] = field(default_factory=tuple)
    is_sandbox: bool = False

    @property
    def about(self) -> tuple[str, str, int]:
        """What there is one paper of: its kind, and its subject's kind and id."""
        return self.kind, str(self.subject._meta.model_name), self.subject.pk


def issue(
    kind: str,
    subject: models.Model,
    *,
    title: str,
    record: dict[str, Any],
    readers: Sequence[Organisation],
    is_sandbox: bool = False,
) -> Paper:
    """Issue the paper of this kind about `subject`; the one there is, if it was issued before.

    Raises NotCanonical when the record cannot be written as canonical JSON.
    """
    return issue_many([Sheet(kind, subject, title, record, readers, is_sandbox)])[0]


@transaction.atomic
def issue_many(sheets: Sequence[Sheet]) -> list[Paper]:
    """`issue` for many at once, in the order given and in five statements however many they are."""
    if not sheets:
        return []
    now = clock.now()
    drawn = {sheet.about: _written(sheet, now) for sheet in sheets}
    # The unique index decides between two that issue at once: the other one's paper is then found by its subject.
    with connection.cursor() as cursor:
        cursor.execute(INSERT_PAPERS, [json.dumps([_columns(paper) for paper in drawn.values()])])
    found = Paper.objects.filter(_about(drawn)).defer("record")  # what was drawn here is known, and may be long
    kept = {(paper.kind, paper.subject_kind, paper.subject_id): paper for paper in found}
    fresh = [
        sheet
        for about, sheet in {sheet.about: sheet for sheet in sheets}.items()
        if kept[about].number == drawn[about].number
    ]
    for sheet in fresh:
        kept[sheet.about].record = drawn[sheet.about].record
    if fresh:
        may_read = Paper.readers.through
        may_read.objects.bulk_create(
            may_read(paper_id=kept[sheet.about].pk, organisation_id=reader.pk)
            for sheet in fresh
            for reader in {reader.pk: reader for reader in sheet.readers}.values()
        )
        issued = [kept[sheet.about] for sheet in fresh]
        journal.record_many(
            (
                ("paper.issued", paper, {"number": paper.number, "kind": paper.kind, "digest": paper.digest})
                for paper in issued
            ),
            by=None,
        )
    return [kept[sheet.about] for sheet in sheets]


# One text of JSON: in an array, as Django would send them, each record is read and quoted again byte by byte.
INSERT_PAPERS = """
    INSERT INTO marketplace_paper
        (number, kind, subject_kind, subject_id, title, record, digest, check_code, is_sandbox, issued_at)
    SELECT number, kind, subject_kind, subject_id, title, record, digest, check_code, is_sandbox, issued_at
    FROM json_to_recordset(%s) AS drawn (
        number text, kind text, subject_kind text, subject_id bigint, title text, record jsonb, digest text,
        check_code text, is_sandbox boolean, issued_at timestamptz
    )
    ON CONFLICT DO NOTHING
"""


def _columns(paper: Paper) -> dict[str, Any]:
    return {
        "number": paper.number,
        "kind": paper.kind,
        "subject_kind": paper.subject_kind,
        "subject_id": paper.subject_id,
        "title": paper.title,
        "record": paper.record,
        "digest": paper.digest,
        "check_code": paper.check_code,
        "is_sandbox": paper.is_sandbox,
        "issued_at": paper.issued_at.isoformat(),
    }


def _written(sheet: Sheet, now: dt.datetime) -> Paper:
    kind, subject_kind, subject_id = sheet.about
    number = new_number(kind)
    record = sheet.record | {
        "schema": SCHEMA,
        "number": number,
        "issuer": settings.EXCHANGE_NAME,
        "issued_at": now.isoformat(),
    }
    return Paper(
        number=number,
        kind=kind,
        subject_kind=subject_kind,
        subject_id=subject_id,
        title=sheet.title[:300],
        record=record,
        digest=digest_of(record),
        check_code=new_check_code(),
        is_sandbox=sheet.is_sandbox,
        issued_at=now,
    )


def _about(subjects: Iterable[tuple[str, str, int]]) -> Q:
    """The papers about these subjects, written so that PostgreSQL finds them by the unique index."""
    ids: dict[tuple[str, str], list[int]] = {}
    for kind, subject_kind, subject_id in subjects:
        ids.setdefault((kind, subject_kind), []).append(subject_id)
    return reduce(
        or_,
        (
            Q(kind=kind, subject_kind=subject_kind, subject_id__in=subject_ids)
            for (kind, subject_kind), subject_ids in ids.items()
        ),
    )


def party(organisation: Organisation) -> dict[str, Any]:
    """An organisation as papers name it, with the country or territory of its seat."""
    return {
        "name": organisation.name,
        "latin_name": organisation.latin_name,
        "number_kind": organisation.number_kind,
        "registration_number": organisation.registration_number,
        "seat": _seat(organisation.country),
    }


@cache
def _seat(country: str) -> dict[str, str]:
    """What a country or territory is called in each language of the papers."""
    names = {}
    for language in LANGUAGES:
        with override(language):
            names[language] = str(COUNTRY_NAMES.get(country, country))
    return names


def verify_url(paper: Paper) -> str:
    """Where anyone who holds the paper can check it; holds the check code, so it shows the whole record."""
    return f"{settings.BASE_URL}/verify/{paper.number}/?{urlencode({'code': paper.check_code})}"


def pdf(paper: Paper, *, language: str) -> bytes:
    """The paper as PDF in `en`, `zh-hans` or `zh-hant`. Raises CannotTypeset."""
    return typeset(paper.kind, paper.record, language=language, verify_url=verify_url(paper), sandbox=paper.is_sandbox)


def revocation_of(paper: Paper) -> Revocation | None:
    """The paper's revocation once two people have made it; None while the paper is valid."""
    return Revocation.objects.filter(paper=paper, revoked_at__isnull=False).first()


def annotate(papers: Iterable[Paper], code: str) -> None:
    """Note on papers what became of what they are about, in the caller's transaction."""
    noted = list(papers)
    Annotation.objects.bulk_create(Annotation(paper=paper, code=code) for paper in noted)
    journal.record_many(
        (("paper.annotated", paper, {"number": paper.number, "code": code}) for paper in noted), by=None
    )


@transaction.atomic
def ask_revocation(paper: Paper, *, reason: str, by: User) -> Revocation:
    """The first of the staff asks that a paper be revoked, for a reason the public will read.

    It stays valid until another one confirms. Raises RoleNeeded, Invalid, WrongState.
    """
    roles.require_staff(by, "revoke_paper")
    if not reason.strip():
        raise Invalid(_("Say why the paper is revoked; whoever checks it reads this."), code="reason_needed")
    revocation, is_new = Revocation.objects.get_or_create(
        paper=paper, defaults={"reason": reason.strip()[:LONGEST_REASON], "by": by}
    )
    if not is_new:
        says = _("A second person has yet to confirm the revocation of paper %(paper)s.")
        if revocation.revoked_at:
            says = _("Paper %(paper)s is revoked already.")
        raise WrongState(says, code="revocation_asked", paper=paper)
    journal.record("paper.revocation_asked", paper, by=by, number=paper.number)
    return revocation


@transaction.atomic
def confirm_revocation(revocation: Revocation, *, by: User) -> Revocation:
    """The second of the staff confirms: from now on the paper is not valid. Raises RoleNeeded, WrongState,
    SecondPersonNeeded.
    """
    roles.require_staff(by, "revoke_paper")
    revocation = Revocation.objects.select_for_update(of=("self",)).select_related("paper").get(pk=revocation.pk)
    if revocation.revoked_at is not None:
        raise WrongState(_("Paper %(paper)s is revoked already."), paper=revocation.paper)
    if revocation.by_id == by.pk:
        raise SecondPersonNeeded()
    revocation.second_by, revocation.revoked_at = by, clock.now()
    revocation.save(update_fields=["second_by", "revoked_at"])
    journal.record("paper.revoked", revocation.paper, by=by, number=revocation.paper.number)
    return revocation
