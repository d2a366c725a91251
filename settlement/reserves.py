"""Rolling reserves at work: a cycle keeps back and releases, a loss after clearing draws.

In this order: what a member owes is set off first; of what then remains a part is kept back; what earlier cycles kept
back and is due is released on top, less what is still owed. A loss takes the reserve first, what is released soonest
before the rest, and only what it does not cover becomes a debt. A gateway's charge that the seller bears draws nothing.

Whoever books on a reserve holds the member's account `payable` locked, so its rows need no lock of their own.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import F, QuerySet

from compliance import holds
from compliance.models import Hold
from marketplace import clock, journal
from marketplace.models import Organisation
from settlement import ledger, positions, reserve_terms
from settlement.models import Break, ClearingCycle, Reserve, ReserveTerms
from settlement.positions import Member


def held(organisation: Organisation) -> QuerySet[Reserve]:
    """What a member has in reserve, what is released first before the rest."""
    return _left().filter(organisation=organisation).select_related("cycle").order_by("release_on", "pk")


def _left() -> QuerySet[Reserve]:
    return Reserve.objects.filter(released_in=None, drawn_minor__lt=F("amount_minor"))


def overdue() -> QuerySet[Reserve]:
    """What was to be released before today and was not: of held members, or where nothing has been cleared since."""
    return _left().filter(release_on__lt=clock.today()).order_by()


def due(day: dt.date, currency: str = "") -> list[Reserve]:
    """What is to be released on a day, of one currency or of all: not to members that are held, nor in currencies
    whose books do not agree."""
    broken = Break.objects.filter(ended_at=None).values("currency")
    left = _left().filter(currency=currency) if currency else _left()
    rows = list(left.filter(release_on__lte=day).exclude(currency__in=broken).order_by("pk"))
    lying = holds.lying_on(organisations={row.organisation_id for row in rows}) if rows else []
    barred = {pk for kind, pk in lying if kind == Hold.Subject.ORGANISATION}
    return [row for row in rows if row.organisation_id not in barred]


def count_in(
    found: positions.Positions, releasing: Iterable[Reserve], owed: Mapping[Member, int], day: dt.date
) -> dict[Member, ReserveTerms]:
    """Set off what is owed, in minor units, keep a part of the rest back, count in what is released, and set off what
    is still owed against that.

    By which terms, for each member that has any in force.
    """
    terms = reserve_terms.in_force(found, day)
    positions.set_off(found, owed)
    positions.keep_back(found, {key: one.basis_points for key, one in terms.items()})
    positions.release(found, ((row.organisation_id, row.currency, row.left_minor) for row in releasing))
    positions.set_off(found, owed)
    return terms


def book(
    cycle: ClearingCycle,
    found: positions.Positions,
    releasing: Sequence[Reserve],
    terms: Mapping[Member, ReserveTerms],
    payables: Mapping[Member, int],
    day: dt.date,
) -> list[ledger.Move]:
    """Write what a cycle keeps back and releases, and give the transfers for it, which the caller books.

    A statement each for what is kept back, for what is released and for the events of both.
    """
    kept = Reserve.objects.bulk_create(
        Reserve(
            cycle=cycle,
            organisation_id=key[0],
            currency=key[1],
            terms=terms[key],
            amount_minor=one.reserved_minor,
            release_on=day + dt.timedelta(days=terms[key].days),
        )
        for key, one in found.items()
        if one.reserved_minor
    )
    Reserve.objects.filter(pk__in=[row.pk for row in releasing]).update(
        released_in=cycle, released_on=day, released_minor=F("amount_minor") - F("drawn_minor")
    )
    journal.record_many((("reserve.kept", row, {"amount_minor": row.amount_minor}) for row in kept), by=None)
    journal.record_many((("reserve.released", row, {"amount_minor": row.left_minor}) for row in releasing), by=None)
    accounts = ledger.locked_reserves({(row.organisation_id, row.currency) for row in (*kept, *releasing)})
    return [
        (f"reserved-{row.pk}", payables[owner], accounts[owner], row.amount_minor)
        for row in kept
        for owner in [(row.organisation_id, row.currency)]
    ] + [
        (f"released-{row.pk}", accounts[owner], payables[owner], row.left_minor)
        for row in releasing
        for owner in [(row.organisation_id, row.currency)]
    ]


def draw(organisation: Organisation, currency: str, at_most: int, key: str, *, to: ledger.Account) -> int:
    """Take a loss out of a member's reserve, at most so many minor units; how many it was.

    The caller holds the member's account `payable` locked.
    """
    drawn: Counter[int] = Counter()
    rows = held(organisation).filter(currency=currency)
    for row in rows:
        drawn[row.pk] = min(row.left_minor, at_most - drawn.total())
    for row in rows:
        if drawn[row.pk]:
            row.drawn_minor += drawn[row.pk]
            row.save(update_fields=["drawn_minor"])
            journal.record("reserve.drawn", row, by=None, amount_minor=drawn[row.pk], cause=key)
    if total := drawn.total():
        ledger.transfer(key, debit=ledger.reserve(organisation, currency), credit=to, amount_minor=total)
    return total
