"""The public register: every registration, found by number, holder, product or words, with its whole history.

It shows what is registered and what became of it; never evidence, objections' texts, reasons of the staff, or prices.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from listings import catalogue, objections
from listings.models import Listing, Objection, Registration
from listings.states import ListingState, ObjectionState
from marketplace import journal
from marketplace.models import Paper
from marketplace.numbers import NotANumber, normalise

MOST_REMEMBERED = 200  # entries of a history
_PARTS = ("holder", "version__listing")
_LONG_COLUMNS = [
    f"version__{name}"
    for name in ("fields", "use_scenarios", "forbidden_uses", "source_statement", "rights", "summaries")
]


@dataclass(frozen=True)
class Standing:
    """Where a registration stands: a stable code, a word for it and the tone of its tag."""

    code: str
    label: str
    tone: str


@dataclass(frozen=True)
class Happened:
    """One line of a history; `number` is of the registration it concerns, where it is another one's too."""

    at: dt.datetime
    code: str
    label: str
    number: str = ""


def search(text: str) -> Any:
    """Registrations that match: by their number, by the holder's name, or by words of the product; newest first."""
    found = Registration.objects.select_related(*_PARTS).defer("rights", *_LONG_COLUMNS)
    text = text.strip()
    if text:
        number = _number(text)
        if number:
            found = found.filter(number=number)
        else:
            by_name = Q(holder__name__icontains=text) | Q(holder__latin_name__icontains=text)
            by_title = Q(version__titles__icontains=text)
            by_words = Q(version__listing__in=catalogue.saying(text))
            found = found.filter(by_name | by_title | by_words)
    return found.order_by("-pk")


def _number(text: str) -> str:
    try:
        return normalise(text)
    except NotANumber:
        return ""


def one(number: str) -> Registration | None:
    """The registration of this number, however it is typed."""
    return Registration.objects.select_related(*_PARTS).filter(number=_number(number)).first()


def standing(registration: Registration, objected: dict[int, set[str]]) -> Standing:
    """Where it stands. `objected` are the states of objections by registration, as `objected_to` gives them."""
    listing: Listing = registration.version.listing
    states = objected.get(registration.pk, set())
    if ObjectionState.UPHELD in states:
        return Standing("objection_upheld", _("Objection upheld, not listed"), "stop")
    if listing.current_version_id != registration.version_id:
        return Standing("superseded", _("Superseded by a later version"), "quiet")
    if ObjectionState.OPEN in states:
        return Standing("objected", _("Objection under examination"), "wait")
    if objections.takes_objections(registration):
        return Standing("public", _("Open to objections"), "wait")
    tones = {ListingState.LISTED: "good", ListingState.REGISTERED: "wait", ListingState.SUSPENDED: "stop"}
    return Standing(listing.state, listing.get_state_display(), tones.get(ListingState(listing.state), "quiet"))


def objected_to(registrations: list[Registration]) -> dict[int, set[str]]:
    """The states of the objections to these registrations. One statement."""
    found: dict[int, set[str]] = {}
    rows = Objection.objects.filter(registration__in=[one.pk for one in registrations])
    for registration, state in rows.values_list("registration", "state").distinct():
        found.setdefault(registration, set()).add(state)
    return found


def certificates(registration: Registration) -> list[Paper]:
    """The papers whose numbers the register names; whoever has a number may check it."""
    about = Paper.objects.filter(subject_kind="registration", subject_id=registration.pk)
    return list(about.select_related("revocation").defer("record").order_by("pk"))


def history(registration: Registration) -> list[Happened]:
    """What happened to the product's registrations, the oldest first: four statements however long it is."""
    listing = registration.version.listing
    told = _listing_events()
    entries = list(
        Registration.objects.filter(version__listing=listing).order_by("pk").only("pk", "number", "registered_at")
    )[-MOST_REMEMBERED:]
    happened = [
        Happened(
            entry.registered_at,
            "first_registration" if place == 0 else "change",
            _("First registration") if place == 0 else _("Change: a later version"),
            entry.number,
        )
        for place, entry in enumerate(entries)
    ]
    numbers = {entry.pk: entry.number for entry in entries}
    for objection in Objection.objects.filter(registration__in=numbers).order_by("-pk")[:MOST_REMEMBERED]:
        number = numbers[objection.registration_id]
        happened.append(Happened(objection.filed_at, "objection", _("Objection filed"), number))
        if objection.decided_at is not None:
            happened.append(
                Happened(objection.decided_at, f"objection_{objection.state}", _decided(objection.state), number)
            )
    events = journal.of(listing).filter(kind__in=told).order_by("-pk")[:MOST_REMEMBERED]
    happened += [Happened(event.at, event.kind.partition(".")[2], told[event.kind]) for event in events]
    return sorted(happened, key=lambda one: one.at)


def _decided(state: str) -> str:
    return _("Objection upheld") if state == ObjectionState.UPHELD else _("Objection dismissed")


def _listing_events() -> dict[str, str]:
    return {
        "listing.published": pgettext("register", "Listed"),
        "listing.suspended": pgettext("register", "Suspended"),
        "listing.resumed": pgettext("register", "On sale again"),
        "listing.withdrawn": pgettext("register", "Withdrawn"),
    }
