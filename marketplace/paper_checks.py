"""Checking a paper: what anyone sees by its number, what its check code opens, and who reads it without a code."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass

import redis
from django.core.cache import cache
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from marketplace import clock, journal, roles
from marketplace.errors import Refused
from marketplace.models import Annotation, Organisation, Paper, Revocation, User
from marketplace.numbers import NotANumber, check_code_matches, new_check_code, normalise

logger = logging.getLogger(__name__)
# Read by those of an organisation who see its money.
ABOUT_MONEY = (Paper.Kind.SETTLEMENT_STATEMENT, Paper.Kind.INVOICE, Paper.Kind.CREDIT_NOTE)

COUNTED_SECONDS = 600
MISSES_ALLOWED = 30  # wrong codes and unknown numbers of one address
RENDERINGS_ALLOWED = 60  # PDFs for one address
MOST_ANNOTATIONS = 50
_NOBODYS_CODE = new_check_code()


class NoSuchPaper(Refused):
    """No paper has this number."""

    code = "not_found"
    status = 404
    says = _("No paper has this number.")
    next = _("Compare the number with the paper; it has two letters and twelve characters.")


class WrongCode(Refused):
    """The check code is not that of this paper."""

    code = "wrong_check_code"
    status = 403
    says = _("The check code is not that of this paper.")
    next = _("Scan the paper's QR code again, or ask whoever gave you the paper.")


class TooMany(Refused):
    """Too many tries from your address."""

    code = "too_many"
    status = 429
    says = _("Too many tries from your address.")
    next = _("Try again in ten minutes.")


@dataclass(frozen=True)
class Check:
    """A paper as somebody may see it: `is_whole` shows its record, else only validity, kind, product and date."""

    paper: Paper
    is_whole: bool
    is_code_wrong: bool = False

    @property
    def revocation(self) -> Revocation | None:
        """Present once two people have revoked the paper."""
        found = getattr(self.paper, "revocation", None)
        return found if found is not None and found.revoked_at is not None else None

    @property
    def is_valid(self) -> bool:
        return self.revocation is None

    @property
    def lapsed_at(self) -> dt.datetime | None:
        """Since when what the paper offers is over; None of a paper whose offer still stands, or that makes none."""
        until = self.paper.record.get("valid_until_at")
        moment = dt.datetime.fromisoformat(until) if until else None
        return moment if moment and moment <= clock.now() else None

    def annotations(self) -> list[Annotation]:
        """What became of what the paper is about, the oldest first."""
        return list(self.paper.annotations.all()[:MOST_ANNOTATIONS])

    def position(self) -> int | None:
        """Where in the journal the paper's issue stands; None for the moment until it is sealed."""
        issued = journal.of(self.paper).filter(kind="paper.issued").first()
        seal = getattr(issued, "seal", None)
        return seal.position if seal else None


def look_up(number: str, code: str, *, asker: str) -> Check:
    """The paper of this number for a stranger at the address `asker`, whole if `code` is its check code.

    Raises NoSuchPaper, and TooMany after too many misses. An unknown number costs the same time as a wrong code.
    """
    if _counted("misses", asker) >= MISSES_ALLOWED:
        raise TooMany()
    try:
        written = normalise(number)
    except NotANumber as mistake:
        raise NoSuchPaper(str(mistake)) from mistake
    paper = Paper.objects.select_related("revocation").filter(number=written).first()
    is_right = check_code_matches(code, paper.check_code if paper else _NOBODYS_CODE)
    if paper is None or (code and not is_right):
        _count("misses", asker)
    if paper is None:
        raise NoSuchPaper()
    return Check(paper, is_whole=is_right, is_code_wrong=bool(code) and not is_right)


def require_rendering(asker: str) -> None:
    """Count a PDF that is made for this address. Raises TooMany."""
    if _count("renderings", asker) > RENDERINGS_ALLOWED:
        raise TooMany()


def _key(what: str, asker: str) -> str:
    return f"paper-{what}:{asker}"


def _counted(what: str, asker: str) -> int:
    try:
        return int(cache.get(_key(what, asker), 0))
    except redis.RedisError:
        return 0


def _count(what: str, asker: str) -> int:
    """One more. A counter that cannot be reached lets everyone pass: check codes have 80 bits."""
    try:
        cache.add(_key(what, asker), 0, COUNTED_SECONDS)
        return int(cache.incr(_key(what, asker)))
    except (redis.RedisError, ValueError):
        logger.warning("%s of papers are not counted: the cache does not answer", what)
        return 0


# --- readers -------------------------------------------------------------------------------------------------------


def sees_every_paper(by: User) -> bool:
    return roles.staff_may(by, "look_everywhere") or roles.staff_may(by, "revoke_paper")


def readable(by: User, organisation: Organisation | None) -> QuerySet[Paper]:
    """The papers this person reads without a check code, newest first: their organisation's, as their role allows;
    for some of the staff, all.
    """
    rows = Paper.objects.select_related("revocation").order_by("-pk")
    if sees_every_paper(by):
        return rows
    rows = rows.visible_to(organisation)  # type: ignore[attr-defined]
    if organisation is None or not roles.may(by, organisation, "see_money"):
        rows = rows.exclude(kind__in=ABOUT_MONEY)
    return rows


def own(number: str, by: User, organisation: Organisation | None) -> Check:
    """The paper of this number, whole, for one of its readers. Raises NoSuchPaper, RoleNeeded."""
    rows = Paper.objects.select_related("revocation")
    if not sees_every_paper(by):
        rows = rows.visible_to(organisation)  # type: ignore[attr-defined]
    try:
        paper = rows.filter(number=normalise(number)).first()
    except NotANumber as mistake:
        raise NoSuchPaper(str(mistake)) from mistake
    if paper is None:
        raise NoSuchPaper()
    if organisation is not None and not sees_every_paper(by):
        roles.require(by, organisation, "see_money" if paper.kind in ABOUT_MONEY else "look")
    return Check(paper, is_whole=True)
