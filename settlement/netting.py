"""Who is paid one net sum for a cycle: asked for by the member's owner, granted by the clearing desk.

Only what is domestic is netted: both parties of the trade, and whoever is paid, have their seats in the mainland. A
trade across the border is paid alone, always.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from compliance.crossborder import MAINLAND
from compliance.reasons import require_sentence
from marketplace import clock, joint_merchants, journal, roles
from marketplace.errors import Refused, RoleNeeded, WrongState
from marketplace.models import Organisation, User
from settlement.models import ClearingCycle, Netting


class NotDomestic(Refused):
    """Netting is for members with their seat in the mainland."""

    code = "not_domestic"
    says = _("Netting is for members registered in the Chinese mainland. You are paid trade by trade.")
    next = _("Nothing has to be done: each trade is paid alone.")


@transaction.atomic
def ask(organisation: Organisation, *, by: User) -> Netting:
    """A member's owner asks that its domestic trades of a cycle be paid as one sum.

    Raises RoleNeeded, NotDomestic, WrongState.
    """
    roles.require(by, organisation, "choose_netting")
    organisation = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    if not organisation.is_in_mainland:
        raise NotDomestic()
    if current(organisation) is not None:
        raise WrongState(_("Netting was asked for already."), code="asked_already")
    netting = Netting.objects.create(organisation=organisation, asked_by=by)
    journal.record("netting.asked", netting, by=by, organisation=organisation.pk)
    return netting


@transaction.atomic
def grant(netting: Netting, *, opinion: str, by: User) -> Netting:
    """The clearing desk grants it, citing the opinion that it holds; it counts for cycles that close from now.

    Raises RoleNeeded, Invalid, NotDomestic, WrongState.
    """
    netting = _locked(netting)
    _require_desk(netting, by)
    if netting.granted_at is not None:
        raise WrongState(_("This netting was granted already."))
    if not netting.organisation.is_in_mainland:
        raise NotDomestic()
    netting.opinion, netting.granted_by, netting.granted_at = require_sentence(opinion), by, clock.now()
    netting.save(update_fields=["opinion", "granted_by", "granted_at"])
    journal.record("netting.granted", netting, by=by, organisation=netting.organisation_id)
    return netting


@transaction.atomic
def stop(netting: Netting, *, by: User) -> Netting:
    """The member's owner ends it, or withdraws what it asked for: cycles that close from now are paid trade by trade.

    Raises RoleNeeded, WrongState.
    """
    netting = _locked(netting)
    roles.require(by, netting.organisation, "choose_netting")
    return _stop(netting, by=by)


@transaction.atomic
def refuse(netting: Netting, *, reason: str, by: User) -> Netting:
    """The clearing desk refuses what was asked for, or ends it, with a reason the member reads.

    Raises RoleNeeded, Invalid, WrongState.
    """
    netting = _locked(netting)
    _require_desk(netting, by)
    netting.reason = require_sentence(reason)
    return _stop(netting, by=by)


def _stop(netting: Netting, *, by: User) -> Netting:
    netting.stopped_by, netting.stopped_at = by, clock.now()
    netting.save(update_fields=["reason", "stopped_by", "stopped_at"])
    journal.record("netting.stopped", netting, by=by, organisation=netting.organisation_id)
    return netting


def current(organisation: Organisation) -> Netting | None:
    """What a member asked for and neither side stopped, granted or not."""
    return Netting.objects.filter(organisation=organisation, stopped_at=None).first()


def waiting() -> QuerySet[Netting]:
    """What waits for the clearing desk."""
    return Netting.objects.filter(granted_at=None, stopped_at=None)


def in_force(organisation_ids: Collection[int], cycle: ClearingCycle | None) -> set[int]:
    """The ids of those of these members that are paid one net sum in a closed cycle; of None in one that closes now."""
    closed_at = cycle.closed_at if cycle is not None and cycle.closed_at else clock.now()
    rows = Netting.objects.filter(
        Q(stopped_at=None) | Q(stopped_at__gt=closed_at),
        organisation__in=organisation_ids,
        organisation__country=MAINLAND,
        granted_at__lte=closed_at,
    )
    return set(rows.values_list("organisation", flat=True))


def _locked(netting: Netting) -> Netting:
    found = Netting.objects.select_for_update(no_key=True, of=("self",)).select_related("organisation")
    netting = found.get(pk=netting.pk)
    if netting.stopped_at is not None:
        raise WrongState(_("This netting was stopped already."))
    return netting


def _require_desk(netting: Netting, by: User) -> None:
    roles.require_staff(by, "grant_netting")
    if joint_merchants.has_interest(by, netting.organisation_id):
        raise RoleNeeded(
            _("You belong to this organisation."), code="own_organisation", next=_("Let a colleague decide.")
        )
