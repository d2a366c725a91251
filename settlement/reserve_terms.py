"""On what terms a member's proceeds are kept back: written by one of the staff, agreed to by another, told before.

Terms count until those that follow them begin; terms that keep back nothing end the reserve. Those of one currency go
before those of all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from compliance.reasons import require_sentence
from compliance.verification import SamePerson
from marketplace import clock, joint_merchants, journal, roles
from marketplace.errors import Invalid, Refused, RoleNeeded, WrongState
from marketplace.models import Organisation, User
from marketplace.money import BASIS_POINTS_OF_THE_WHOLE
from settlement.models import ReserveTerms
from settlement.models.reserves import MOST_DAYS
from settlement.positions import Member


class BeginsTooEarly(Refused):
    """A reserve begins on a later day than it is agreed on."""

    code = "begins_too_early"
    says = _("A reserve begins on a later day than it is agreed on: the member is told before.")
    next = _("Name tomorrow or a later day.")


@transaction.atomic
def ask(
    organisation: Organisation,
    *,
    basis_points: int,
    days: int,
    begins_on: dt.date,
    currency: str = "",
    reason: str,
    by: User,
) -> ReserveTerms:
    """One of the staff writes what is kept back of a member's proceeds, and for how many days; another has to agree.

    No currency means every one. Raises RoleNeeded, Invalid, BeginsTooEarly.
    """
    _require_may(organisation, by)
    reason = require_sentence(reason)
    if not 0 <= basis_points <= BASIS_POINTS_OF_THE_WHOLE:
        raise Invalid(
            _("A reserve is between 0 and 100 percent."),
            code="wrong_reserve",
            next=_("Write the share in percent, such as 10."),
        )
    if not 1 <= days <= MOST_DAYS:
        raise Invalid(
            _("A reserve is kept for between 1 and %(most)s days."),
            code="wrong_days",
            next=_("Write the number of days, such as 90."),
            most=MOST_DAYS,
        )
    if currency and currency not in settings.CURRENCIES:
        raise Invalid(
            _("Nothing is traded in “%(currency)s” here."),
            code="wrong_currency",
            next=_("Choose one that the desk offers."),
            currency=currency,
        )
    if begins_on <= clock.today():
        raise BeginsTooEarly()
    terms = ReserveTerms.objects.create(
        organisation=organisation,
        currency=currency,
        basis_points=basis_points,
        days=days,
        begins_on=begins_on,
        reason=reason,
        asked_by=by,
    )
    journal.record("reserve_terms.asked", terms, by=by, organisation=organisation.pk, basis_points=basis_points)
    return terms


@transaction.atomic
def confirm(terms: ReserveTerms, *, by: User) -> ReserveTerms:
    """A second person agrees: from their first day they take the place of those before, and the member is told.

    Raises RoleNeeded, SamePerson, BeginsTooEarly, WrongState.
    """
    terms = _locked(terms)
    _require_may(terms.organisation, by)
    if terms.asked_by_id == by.pk:
        raise SamePerson()
    if terms.begins_on <= clock.today():
        raise BeginsTooEarly()
    same = _agreed().filter(organisation=terms.organisation, currency=terms.currency)
    if same.filter(begins_on__gte=terms.begins_on).exists():
        raise WrongState(
            _("Other terms of this member begin on that day or later."),
            code="begins_already",
            next=_("Drop these, and write some that begin after the others."),
        )
    same.filter(Q(ends_on=None) | Q(ends_on__gte=terms.begins_on)).update(
        ends_on=terms.begins_on - dt.timedelta(days=1)
    )
    terms.confirmed_by, terms.confirmed_at = by, clock.now()
    terms.save(update_fields=["confirmed_by", "confirmed_at"])
    journal.record("reserve_terms.confirmed", terms, by=by, organisation=terms.organisation_id)
    return terms


@transaction.atomic
def drop(terms: ReserveTerms, *, by: User) -> ReserveTerms:
    """Give up terms that wait for their second person. Raises RoleNeeded, WrongState."""
    terms = _locked(terms)
    _require_may(terms.organisation, by)
    terms.dropped_by, terms.dropped_at = by, clock.now()
    terms.save(update_fields=["dropped_by", "dropped_at"])
    journal.record("reserve_terms.dropped", terms, by=by, organisation=terms.organisation_id)
    return terms


def waiting() -> QuerySet[ReserveTerms]:
    """Terms that wait for a second person."""
    return ReserveTerms.objects.filter(confirmed_at=None, dropped_at=None)


def told_to(organisation: Organisation) -> QuerySet[ReserveTerms]:
    """The terms that count for a member now, and those that were agreed on and come."""
    not_over = Q(ends_on=None) | Q(ends_on__gte=clock.today())
    return _agreed().filter(not_over, organisation=organisation).order_by("currency", "begins_on")


def in_force(owners: Collection[Member], day: dt.date) -> dict[Member, ReserveTerms]:
    """The terms that count on a day for each of these (organisation id, currency) that has any. One statement."""
    not_over = Q(ends_on=None) | Q(ends_on__gte=day)
    rows = _agreed().filter(not_over, begins_on__lte=day, organisation__in={owner for owner, _currency in owners})
    found = {(terms.organisation_id, terms.currency): terms for terms in rows}
    counting = {key: found.get(key) or found.get((key[0], "")) for key in owners}
    return {key: terms for key, terms in counting.items() if terms is not None and terms.basis_points}


def _agreed() -> QuerySet[ReserveTerms]:
    return ReserveTerms.objects.filter(confirmed_at__isnull=False)


def _locked(terms: ReserveTerms) -> ReserveTerms:
    """The terms while they wait, locked after their member, so that those of one are agreed on one at a time."""
    Organisation.objects.select_for_update(no_key=True).get(pk=terms.organisation_id)
    found = ReserveTerms.objects.select_for_update(no_key=True, of=("self",)).select_related("organisation")
    terms = found.get(pk=terms.pk)
    if terms.confirmed_at or terms.dropped_at:
        raise WrongState(_("These terms were decided on already."))
    return terms


def _require_may(organisation: Organisation, by: User) -> None:
    roles.require_staff(by, "set_reserve")
    if joint_merchants.has_interest(by, organisation.pk):
        raise RoleNeeded(
            _("You belong to this organisation."), code="own_organisation", next=_("Let a colleague decide.")
        )
