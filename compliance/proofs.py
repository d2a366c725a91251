"""Papers of an organisation: shown by its owners, scanned, drawn as pictures in the jail, watched until they expire."""

from __future__ import annotations

import datetime as dt
import json
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from compliance import paper_files
from compliance.models import Proof, ProofPicture, Verification
from compliance.states import VerificationState
from listings.profiler import warden
from marketplace import clock, journal, roles, scanning
from marketplace.claims import postponed_on_failure
from marketplace.errors import Invalid, Refused, WrongState
from marketplace.models import Organisation, User
from marketplace.organisation_facts import one_line
from marketplace.storage import chunks_of, store

MOST_PAPERS = 40
WARN_DAYS = 30
TIMEOUT_SECONDS, MEMORY_BYTES = 30, 1024**3
DRAW = "from profiler import system_calls; system_calls.refuse(); from profiler.pictures import main; main(INPUT)"
MOST_TRIES = 3


class TooManyPapers(Refused):
    """An organisation shows only so many papers at a time."""

    code = "too_many_papers"
    says = _("An organisation shows only so many papers at a time.")
    next = _("Withdraw those that no longer hold.")


class CannotDraw(Exception):
    """The process that draws did not answer as it should."""


def standing(organisation: Organisation) -> QuerySet[Proof]:
    """Papers that were not withdrawn, newest first."""
    return Proof.objects.filter(organisation=organisation, withdrawn_at=None)


def with_pictures(organisation: Organisation) -> QuerySet[Proof]:
    """Papers that stand, with their pictures and who showed them. Two statements."""
    return standing(organisation).select_related("uploaded_by").prefetch_related("pictures")


@dataclass(frozen=True)
class Held:
    """A file in the store, and what it is."""

    name: str
    media_type: str
    size_bytes: int
    digest: str


@contextmanager
def held(content: bytes) -> Iterator[Held]:
    """The file in the store while a paper is made of it; gone again when none was. No transaction may be open.

    Raises Invalid with the codes of compliance.paper_files, TooLarge.
    """
    media_type = paper_files.media_type_of(content)
    name = f"papers/{secrets.token_hex(16)}"
    stored = store().put(name, [content], most_bytes=paper_files.MOST_BYTES)
    try:
        yield Held(name, media_type, stored.size_bytes, f"sha256:{stored.sha256}")
    finally:
        if not Proof.objects.filter(stored_as=name).exists():
            store().delete(name)


def add(organisation: Organisation, *, content: bytes, by: User, **facts: Any) -> Proof:
    """An owner shows a paper. Its kind of file is told by its content; a worker draws it.

    `facts` are those of `show`. Raises what `held` and `show` raise.
    """
    roles.require(by, organisation, "apply")
    with held(content) as file:
        return show(organisation, file=file, by=by, **facts)


@transaction.atomic
def show(
    organisation: Organisation,
    *,
    kind: str,
    issuer: str,
    number: str = "",
    issued_on: dt.date | None = None,
    expires_on: dt.date | None = None,
    file: Held,
    by: User,
) -> Proof:
    """A paper of a file that is held. Raises RoleNeeded, Invalid, TooManyPapers."""
    roles.require(by, organisation, "apply")
    issuer, number = one_line(issuer)[:200], one_line(number)[:100]
    if kind not in Proof.Kind.values:
        raise Invalid(_("A paper is one of: %(known)s."), code="no_such_kind", known=", ".join(Proof.Kind.values))
    if not issuer:
        raise Invalid(_("Say who issued the paper."), code="issuer_needed")
    if issued_on and issued_on > clock.today():
        raise Invalid(_("The paper cannot be issued after today."), code="wrong_day")
    if expires_on and expires_on < (issued_on or clock.today()):
        raise Invalid(_("The paper expires before it was issued, or has expired."), code="wrong_day")
    if kind == Proof.Kind.E_LICENCE and not (number and issued_on):
        raise Invalid(_("An electronic licence has a number and a day of issue."), code="e_licence_incomplete")
    organisation = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    if standing(organisation).count() >= MOST_PAPERS:
        raise TooManyPapers()
    proof = Proof.objects.create(
        organisation=organisation,
        kind=kind,
        issuer=issuer,
        number=number,
        issued_on=issued_on,
        expires_on=expires_on,
        media_type=file.media_type,
        size_bytes=file.size_bytes,
        digest=file.digest,
        stored_as=file.name,
        uploaded_by=by,
    )
    journal.record("proof.shown", organisation, by=by, proof=proof.pk, paper=kind, digest=proof.digest)
    return proof


@transaction.atomic
def withdraw(proof: Proof, *, by: User) -> Proof:
    """An owner takes a paper back; the exchange keeps what it saw. Raises RoleNeeded, WrongState."""
    proof = Proof.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=proof.pk)
    roles.require(by, proof.organisation, "apply")
    if proof.withdrawn_at is not None:
        raise WrongState(_("This paper was withdrawn already."))
    proof.withdrawn_at, proof.withdrawn_by = clock.now(), by
    proof.save(update_fields=["withdrawn_at", "withdrawn_by"])
    journal.record("proof.withdrawn", proof.organisation, by=by, proof=proof.pk)
    return proof


# --- drawing -------------------------------------------------------------------------------------------------------


def draw_next() -> Proof | None:
    """Draw the paper that has waited longest, or None. Safe to run late, twice and in parallel."""
    proof = Proof.claim_next(Proof.objects.filter(drawn_at=None))
    if proof is not None:
        with postponed_on_failure(proof):
            try:
                pictures, failure = draw(proof)
            except CannotDraw:
                if proof.tries < MOST_TRIES:
                    raise
                pictures, failure = [], "broken_file"
            record_drawn(proof, pictures, failure)
    return proof


def draw(proof: Proof) -> tuple[list[bytes], str]:
    """The pictures of its pages, or why there are none; each page in a jailed process of its own.

    A paper in which a scanner finds something is never drawn. Raises CannotDraw, scanning.TryLater.
    """
    if scanning.found_in(lambda: store().open(proof.stored_as)):
        return [], Proof.MALWARE
    if proof.media_type not in paper_files.DRAWN:
        return [], ""
    with tempfile.NamedTemporaryFile(prefix="paper-") as file:
        with store().open(proof.stored_as) as reading:
            for chunk in chunks_of(reading):
                file.write(chunk)
        file.flush()
        pictures: list[bytes] = []
        pages = 1
        while len(pictures) < pages:
            pages, picture, failure = _page(Path(file.name), proof.media_type, len(pictures))
            if failure:
                return [], failure
            pictures.append(picture)
    return pictures, ""


def _page(path: Path, media_type: str, page: int) -> tuple[int, bytes, str]:
    outcome = warden.run_jailed(
        DRAW,
        json.dumps({"media_type": media_type, "page": page}).encode(),
        input_file=path,
        timeout_seconds=TIMEOUT_SECONDS,
        memory_bytes=MEMORY_BYTES,
        all_walls_required=settings.PROFILE_NEEDS_ISOLATION,
    )
    line, _newline, picture = outcome.answer.partition(b"\n")
    try:
        told = json.loads(line) if outcome.status == 0 else None
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise CannotDraw(f"the process that draws ended with {outcome.status}")
    if "failed" in told:
        return 1, b"", str(told["failed"])[:40]
    if not picture.startswith(b"\x89PNG\r\n") or not isinstance(told.get("pages"), int):
        raise CannotDraw("the process that draws answered nonsense")
    return min(told["pages"], 20), picture, ""


def record_drawn(proof: Proof, pictures: list[bytes], failure: str) -> None:
    """Keep the pictures of a claimed paper; nothing, if another worker was faster."""
    kept = []
    for picture in pictures:
        name = f"papers/{secrets.token_hex(16)}"
        kept.append((name, store().put(name, [picture], most_bytes=warden.ANSWER_BYTES).sha256))
    with transaction.atomic():
        current = Proof.objects.select_for_update().get(pk=proof.pk)
        if current.drawn_at is None:
            ProofPicture.objects.bulk_create(
                ProofPicture(proof=current, page=page, stored_as=name, digest=f"sha256:{sha256}")
                for page, (name, sha256) in enumerate(kept, start=1)
            )
            current.drawn_at, current.failure, current.claimed_until = clock.now(), failure, None
            current.save(update_fields=["drawn_at", "failure", "claimed_until"])
            return
    for name, _sha256 in kept:
        store().delete(name)


# --- expiry --------------------------------------------------------------------------------------------------------


def expiring(days: int = WARN_DAYS) -> QuerySet[Proof]:
    """Papers of members that expire within so many days or have expired, the nearest first."""
    until = clock.today() + dt.timedelta(days=days)
    members = Verification.objects.filter(state__in=[VerificationState.VERIFIED, VerificationState.SUSPENDED])
    rows = Proof.objects.filter(
        withdrawn_at=None, expires_on__lte=until, organisation__in=members.values("organisation")
    )
    return rows.select_related("organisation").order_by("expires_on", "pk")


def expired_reasons(papers: Iterable[Proof]) -> list[dict[str, str]]:
    """One reason for each of an organisation's standing papers that has expired."""
    return [
        {
            "code": "paper_expired",
            "detail": gettext("%(paper)s expired on %(day)s.") % {"paper": proof, "day": proof.expires_on},
            "next": gettext("Show the new one under Organisation → Papers and withdraw the old."),
        }
        for proof in papers
        if proof.expires_on and proof.expires_on < clock.today()
    ]


def tell_expiring(most: int = 500) -> int:
    """Leave an event for every paper that is about to expire, once each. How many."""
    told = 0
    for proof in expiring().filter(expiry_told_at=None)[:most]:
        told += _tell(proof)
    return told


@transaction.atomic
def _tell(proof: Proof) -> int:
    changed = Proof.objects.filter(pk=proof.pk, expiry_told_at=None).update(expiry_told_at=clock.now())
    if changed:
        journal.record(
            "proof.expiring", proof.organisation, by=None, proof=proof.pk, paper=proof.kind,
            expires_on=str(proof.expires_on),
        )  # fmt: skip
    return changed
