"""Announcements of the exchange: written and withdrawn by its staff, shown at the top of pages to whom they concern.

A page asks the cache alone: what stands is put there when it changes, and every ten seconds by a worker, so a page
pays no statement for it and a lost cache hides a notice for seconds. What somebody dismissed is kept as a row, and in
their session, which every page reads anyway.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.core.cache import cache
from django.db import transaction
from django.db.models import Q, QuerySet
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from redis import RedisError

from marketplace import clock, journal, participants, roles
from marketplace.errors import Invalid, WrongState
from marketplace.models import Announcement, AnnouncementDismissal, Organisation, User
from marketplace.signed_in import person

LANGUAGES = ("en", "zh-hans", "zh-hant")
# Where one language is missing, those to read instead, the nearest first.
INSTEAD = {
    "en": ("en", "zh-hant", "zh-hans"),
    "zh-hans": ("zh-hans", "zh-hant", "en"),
    "zh-hant": ("zh-hant", "zh-hans", "en"),
}
HTML = {"en": "en", "zh-hans": "zh-Hans", "zh-hant": "zh-Hant-HK"}
LONGEST_TITLE, LONGEST_TEXT, LONGEST_WHY = 150, 4000, 1000
KEPT_AS = "announcements-1"  # count up when Shown changes
DISMISSED = "dismissed_announcements"  # of the session: public ids
A = Announcement.Audience
SELLERS = {Organisation.Kind.SUPPLIER, Organisation.Kind.JOINT, Organisation.Kind.BROKER}


@dataclass(frozen=True)
class Shown:
    """An announcement as pages show it."""

    public_id: str
    kind: str
    severity: str
    audience: str
    titles: dict[str, str]
    texts: dict[str, str]
    starts_at: dt.datetime
    ends_at: dt.datetime

    @property
    def language(self) -> str:
        """The language it is read in: the page's, else the nearest it was written in."""
        asked = INSTEAD.get(get_language() or "", INSTEAD["en"])
        return next(code for code in asked if code in self.titles)

    @property
    def lang(self) -> str:
        """The same for HTML; '' where it is the page's own."""
        return "" if self.language == get_language() else HTML[self.language]

    @property
    def title(self) -> str:
        return self.titles[self.language]

    @property
    def text(self) -> str:
        return self.texts.get(self.language, "")

    @property
    def is_now(self) -> bool:
        return self.starts_at <= clock.now() < self.ends_at


def shown(row: Announcement) -> Shown:
    """What pages show of the row."""
    return Shown(**{name: getattr(row, name) for name in Shown.__dataclass_fields__})


# --- the staff write and withdraw ----------------------------------------------------------------------------------


@transaction.atomic
def write(
    *,
    kind: str,
    severity: str,
    audience: str,
    titles: Mapping[str, str],
    texts: Mapping[str, str],
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    why: str,
    by: User,
) -> Announcement:
    """Announce something from one moment until another. Raises RoleNeeded, Invalid."""
    roles.require_staff(by, "announce")
    for choice, known in ((kind, Announcement.Kind), (severity, Announcement.Severity), (audience, A)):
        if choice not in known.values:
            raise Invalid(_("Choose one of %(known)s."), known=", ".join(known.values), code="unknown_choice")
    titles = {code: text.strip() for code, text in titles.items() if text.strip()}
    texts = {code: text.strip() for code, text in texts.items() if text.strip()}
    if not titles:
        raise Invalid(_("An announcement needs a title in one language at least."), code="title_missing")
    if set(texts) - set(titles):
        raise Invalid(_("A text needs a title in the same language."), code="title_missing")
    if not why.strip():
        raise Invalid(_("Say why it is announced."), code="why_missing")
    if starts_at >= ends_at or ends_at <= clock.now():
        raise Invalid(
            _("It ends before it begins, or has ended already."),
            code="until_before_from",
            next=_("Choose a later end."),
        )
    row = Announcement.objects.create(
        kind=kind,
        severity=severity,
        audience=audience,
        titles=titles,
        texts=texts,
        starts_at=starts_at,
        ends_at=ends_at,
        why=why.strip(),
        written_by=by,
    )
    journal.record("announcement.written", row, by=by, audience=audience, ends_at=ends_at.isoformat())
    transaction.on_commit(put_on_pages)
    return row


@transaction.atomic
def withdraw(announcement: Announcement, *, why: str, by: User) -> Announcement:
    """Take it from the pages; it stays in the history with the reason. Raises RoleNeeded, Invalid, WrongState."""
    roles.require_staff(by, "announce")
    row = Announcement.objects.select_for_update().get(pk=announcement.pk)
    if row.withdrawn_at:
        raise WrongState(_("It is withdrawn already."))
    if not why.strip():
        raise Invalid(_("Say why it is withdrawn."), code="why_missing")
    row.withdrawn_at, row.withdrawn_by, row.withdrawn_why = clock.now(), by, why.strip()
    row.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_why"])
    journal.record("announcement.withdrawn", row, by=by)
    transaction.on_commit(put_on_pages)
    return row


# --- the pages -----------------------------------------------------------------------------------------------------


def put_on_pages() -> None:
    """Let pages know what stands, now and to come. While the cache is away nobody is told."""
    rows = Announcement.objects.filter(withdrawn_at=None, ends_at__gt=clock.now()).order_by("starts_at", "pk")
    try:
        cache.set(KEPT_AS, [shown(row) for row in rows], None)
    except RedisError:
        return


def notices_for(request: HttpRequest) -> list[Shown]:
    """What stands now for whoever reads this page and was not dismissed; the most urgent first. No statement."""
    try:
        standing: list[Shown] = [one for one in cache.get(KEPT_AS) or [] if one.is_now]
    except RedisError:
        return []
    if not standing or not hasattr(request, "user"):
        return []
    of, gone = audiences_of(request), request.session.get(DISMISSED, []) if hasattr(request, "session") else []
    rank = list(Announcement.Severity.values)
    found = [one for one in standing if one.audience in of and one.public_id not in gone]
    return sorted(found, key=lambda one: -rank.index(one.severity))


def audiences_of(request: HttpRequest) -> set[str]:
    """To which audiences this reader belongs."""
    user = request.user
    if not user.is_authenticated:
        return {A.EVERYBODY}
    found = {A.EVERYBODY} | ({A.STAFF} if user.is_staff else set())
    memberships = participants.memberships_of(request)
    kinds = {kind for membership in memberships for kind in membership.organisation.kinds}
    found |= {A.MEMBERS} if memberships else set()
    found |= {A.SELLERS} if SELLERS & kinds else set()
    return {str(one) for one in found | ({A.BUYERS} if Organisation.Kind.BUYER in kinds else set())}


def readable(request: HttpRequest) -> QuerySet[Announcement]:
    """What was announced to this reader until now and not withdrawn, the newest first; to the staff all there is."""
    rows = Announcement.objects.filter(withdrawn_at=None).order_by("-starts_at", "-pk")
    if roles.sees_desk(request.user if request.user.is_authenticated else None, "announcements"):
        return rows
    return rows.filter(Q(audience__in=audiences_of(request)), starts_at__lte=clock.now())


def dismiss(request: HttpRequest, announcement: Announcement) -> None:
    """Show it no more to whoever is signed in, here or elsewhere."""
    AnnouncementDismissal.objects.get_or_create(announcement=announcement, user=person(request))
    gone = request.session.get(DISMISSED, [])
    request.session[DISMISSED] = [*[one for one in gone if one != announcement.public_id], announcement.public_id]


@receiver(user_logged_in)
def remember_dismissed(request: HttpRequest | None, user: Any, **_kwargs: Any) -> None:
    """A new session knows what its person dismissed of what still stands."""
    if request is None or not hasattr(request, "session"):
        return
    rows = AnnouncementDismissal.objects.filter(user=user, announcement__ends_at__gt=clock.now())
    gone = list(rows.values_list("announcement__public_id", flat=True))
    if gone:
        request.session[DISMISSED] = gone
