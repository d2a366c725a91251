"""What people are told, in the app and by e-mail, in the command's own transaction.

A kind is registered once, by the app it belongs to, when that app is loaded (`<app>/notices.py`). A command, or a
follower of the journal, then tells those it concerns; whoever did it is not told of their own act:

    notifications.register(
        Kind(
            code="question.asked",
            group=Group.PRODUCTS,
            label=_("A question about your product"),
            subject=_("A question about “%(title)s”"),
            text=_("Somebody asks:"),
            act="edit_listing",
        )
    )

    notifications.tell(
        "question.asked",
        organisation=question.listing.seller_id,  # those of its people whose role allows the kind's act; or people=[…]
        path=reverse("product_questions", args=[question.listing.public_id]) + f"#question-{question.pk}",
        facts={"title": version.titles, "quote": question.text},
        by=question.by,
    )

`subject` and `text` name facts by `%(name)s`. Facts are put into words when they are read (marketplace/told_facts.py
says which there are), so that whoever changes their language reads all in the new one. The fact `quote` is words of a
person: shown as a quotation below `text`. `next_step` says what to do. A letter says the same, with a link.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet, TextChoices
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, override, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from marketplace import clock, letter_html, letters, roles
from marketplace.errors import Invalid
from marketplace.models import Letter, Notification, NotificationSwitch, User
from marketplace.told_facts import kept, shown

FORGOTTEN_AT_ONCE = 2000


class Group(TextChoices):
    """What a notification is about: the sections of the settings page."""

    TRADES = "trades", pgettext_lazy("notifications", "Trades")
    MONEY = "money", pgettext_lazy("notifications", "Money")
    PRODUCTS = "products", pgettext_lazy("notifications", "Products")
    BUYING = "buying", pgettext_lazy("notifications", "What you look for and hold")
    ORGANISATION = "organisation", pgettext_lazy("notifications", "Organisation and people")
    SECURITY = "security", pgettext_lazy("notifications", "Security")


@dataclass(frozen=True)
class Kind:
    """One kind of thing people are told of. `code` is stable: programs and switches go by it.

    `act` is the act of roles.py whose roles are told for an organisation. `is_required` is for money and security:
    nobody can switch it off, and whoever did it is told too, for a stolen session would act in their name.
    """

    code: str
    group: Group
    label: Promise
    subject: Promise
    text: Promise | str = ""
    next_step: Promise | str = ""
    act: str = "look"
    in_app: bool = True
    by_mail: bool = True
    is_required: bool = False


@dataclass(frozen=True)
class Ways:
    """Where a kind reaches a person."""

    in_app: bool
    by_mail: bool


_kinds: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    """Make kinds known; called when an app is loaded."""
    _kinds.update({kind.code: kind for kind in kinds})


def kinds() -> list[Kind]:
    """Every kind, by group and in the order they were registered."""
    order = list(Group)
    return sorted(_kinds.values(), key=lambda kind: order.index(kind.group))


def known(code: str) -> Kind | None:
    """The kind of this code; None for one that is gone."""
    return _kinds.get(code)


def kind_of(code: str) -> Kind:
    """The kind of this code. Raises Invalid `no_such_kind`."""
    if code not in _kinds:
        raise Invalid(_("There is no kind of notification “%(kind)s”."), code="no_such_kind", kind=code)
    return _kinds[code]


# --- telling -------------------------------------------------------------------------------------------------------


@transaction.atomic
def tell(
    code: str,
    *,
    path: str,
    organisation: int | None = None,
    people: Iterable[User] = (),
    facts: Mapping[str, Any] | None = None,
    by: User | None = None,
    unsubscribe_path: str = "",
) -> list[Notification]:
    """Tell the people of an organisation (by its id), or `people`, in the caller's transaction.

    Each is told where they want to be: in the app, by e-mail, or not at all. Gives what was written for the app.
    `unsubscribe_path` is where whoever holds the letter ends letters of its sort, without signing in.
    """
    kind = kind_of(code)
    if organisation is not None:
        people = letters.members(organisation, roles.MEMBER_ACTS[kind.act])
    told = [(organisation, person) for person in people]
    return _tell(kind, told, path=path, facts=facts, by=by, unsubscribe_path=unsubscribe_path)


@transaction.atomic
def tell_each(
    code: str, *, path: str, organisations: Collection[int], facts: Mapping[str, Any] | None = None, by: User | None
) -> None:
    """`tell` for each of these organisations, by their ids: as many statements as for one."""
    kind = kind_of(code)
    _tell(kind, letters.members_of_each(organisations, roles.MEMBER_ACTS[kind.act]), path=path, facts=facts, by=by)


def _tell(
    kind: Kind,
    people: Iterable[tuple[int | None, User]],
    *,
    path: str,
    facts: Mapping[str, Any] | None,
    by: User | None,
    unsubscribe_path: str = "",
) -> list[Notification]:
    """Tell each person, for the organisation of this id if it is told for one."""
    told = [one for one in people if kind.is_required or by is None or one[1].pk != by.pk]
    plain = {name: kept(value) for name, value in (facts or {}).items()}
    wanted = _ways(kind, [person for _organisation, person in told])
    by_mail = [person for _organisation, person in told if wanted[person.pk].by_mail]
    _write_letters(kind, by_mail, path, plain, unsubscribe_path)
    return Notification.objects.bulk_create(
        Notification(to=person, organisation_id=organisation, kind=kind.code, facts=plain, path=path)
        for organisation, person in told
        if wanted[person.pk].in_app
    )


def _ways(kind: Kind, people: list[User]) -> dict[int, Ways]:
    ways = {person.pk: Ways(kind.in_app, kind.by_mail) for person in people}
    if people and not kind.is_required:
        for switch in NotificationSwitch.objects.filter(kind=kind.code, user__in=people):
            ways[switch.user_id] = Ways(switch.in_app, switch.by_mail)
    return ways


def _write_letters(kind: Kind, people: list[User], path: str, facts: dict[str, Any], unsubscribe_path: str) -> None:
    """One letter each, rendered once a language."""
    by_language: dict[str, list[User]] = {}
    for person in people:
        by_language.setdefault(person.language or get_language() or settings.LANGUAGE_CODE, []).append(person)
    written = []
    for language, readers in by_language.items():
        with override(language):
            words = words_of(kind.code, facts)
            context = {
                "words": words,
                "quote": letter_html.quoted(words.quote),
                "url": settings.BASE_URL + path,
                "exchange_name": settings.EXCHANGE_NAME,
            }
            body = str(render_to_string("marketplace/notification_letter.txt", context))
            if not kind.is_required:
                url = settings.BASE_URL + reverse("notification_settings")
                chosen = _("What the exchange writes to you about, you choose here:")
                body = f"{body.rstrip()}\n\n{chosen}\n\n{url}\n"
            unsubscribe = settings.BASE_URL + unsubscribe_path if unsubscribe_path else ""
            if unsubscribe:
                stop = _("To get no more of these letters, without signing in:")
                body = f"{body.rstrip()}\n\n{stop}\n\n{unsubscribe}\n"
            written += [letters.drafted(person, words.subject, body, language, unsubscribe) for person in readers]
    Letter.objects.bulk_create(written)


# --- reading -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Words:
    """A notification in the language of whoever reads now."""

    subject: str
    text: str
    quote: str
    next_step: str


def words_of(code: str, facts: Mapping[str, Any]) -> Words:
    """A notification's words. One whose kind is gone is shown by its code."""
    kind = _kinds.get(code)
    if kind is None:
        return Words(code, "", "", "")
    said = {name: shown(fact) for name, fact in facts.items()}
    return Words(
        " ".join((str(kind.subject) % said).split()),
        str(kind.text) % said,
        said.get("quote", ""),
        str(kind.next_step) % said,
    )


def mark_read(user: User, *, only: int | None = None, among: QuerySet[Notification] | None = None) -> int:
    """This person has read one notification, or all they may see (`among`: of these); how many were unread."""
    visible = Notification.objects.visible_to(user)
    unread = (visible if among is None else visible.filter(pk__in=among.values("pk"))).filter(read_at=None)
    if only is not None:
        unread = unread.filter(pk=only)
    return unread.update(read_at=clock.now())


def forget_read() -> int:
    """Delete what was read NOTIFICATION_DAYS ago; how many."""
    over = clock.now() - dt.timedelta(days=settings.NOTIFICATION_DAYS)
    forgotten = 0
    while batch := list(Notification.objects.filter(read_at__lt=over).values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]):
        forgotten += Notification.objects.filter(pk__in=batch).delete()[0]
    return forgotten


def unread_count(user: User, organisations: Iterable[int], *, most: int = 100) -> int:
    """How many a person has not read, counted up to `most`; `organisations` are those they belong to now."""
    unread = Notification.objects.visible_to_member(user, organisations).filter(read_at=None)
    return unread[:most].count()


# --- switches ------------------------------------------------------------------------------------------------------


def ways_of(user: User) -> dict[str, Ways]:
    """Where each kind reaches this person."""
    ways = {kind.code: Ways(kind.in_app, kind.by_mail) for kind in kinds()}
    for switch in NotificationSwitch.objects.filter(user=user, kind__in=ways):
        if not _kinds[switch.kind].is_required:
            ways[switch.kind] = Ways(switch.in_app, switch.by_mail)
    return ways


@transaction.atomic
def choose(user: User, wanted: Mapping[str, Ways]) -> None:
    """Set where kinds reach this person. Raises Invalid `no_such_kind`, `always_told`."""
    now = ways_of(user)
    for code, ways in wanted.items():
        kind = kind_of(code)
        if ways == now[code]:
            continue
        if kind.is_required:
            raise Invalid(
                _("“%(kind)s” is about money or security and cannot be switched off."),
                code="always_told",
                kind=kind.label,
            )
        NotificationSwitch.objects.update_or_create(
            user=user, kind=code, defaults={"in_app": ways.in_app, "by_mail": ways.by_mail}
        )
