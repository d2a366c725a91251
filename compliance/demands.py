"""Demands: posted by a member, matched with sellers or hidden by the staff; ended as met, closed or lapsed."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from compliance import clearance, demand_facts, demand_notices
from compliance.models import Demand, DemandMatch
from compliance.states import DEMAND_MOVES, DemandState
from listings import plain_text
from listings.models import Listing
from listings.states import ListingState
from marketplace import clock, joint_merchants, journal, roles
from marketplace.errors import Refused, RoleNeeded, WrongState
from marketplace.models import Organisation, User

OPEN_DAYS = 60
MOST_OPEN = 10  # of one organisation
MOST_A_DAY = 10  # of one organisation, whatever became of them
MOST_MATCHES = 20  # of one demand: each is a letter
LONGEST_NOTE = 1000
LAPSED_AT_ONCE = 200


class TooManyDemands(Refused):
    """Your organisation has as many open demands as one may."""

    code = "too_many_demands"
    status = 429
    says = _("Your organisation has as many open demands as one may.")
    next = _("Close one that is no longer needed, or post this one tomorrow.")


class DemandEnded(WrongState):
    """This demand takes nothing more."""

    code = "demand_ended"
    says = _("This demand was met, closed or hidden, or has lapsed.")
    next = _("Look at the demands that are open.")


class NoSuchProduct(Refused):
    """No such product is on sale here."""

    code = "no_such_product"
    status = 422
    says = _("No such product is on sale here.")
    next = _("Give the number at the end of the product page’s address.")


@transaction.atomic
def post(organisation: Organisation, *, by: User, **said: Any) -> Demand:
    """Say what the organisation needs; `said` is what `demand_facts.of_demand` reads, amounts in minor units.

    Raises RoleNeeded, NotCleared, Invalid, TooManyDemands.
    """
    # The organisation's row is locked, so that two at once are not both the last one allowed.
    organisation = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    roles.require(by, organisation, "post_demand")
    clearance.require_member(organisation)
    facts = demand_facts.of_demand(said)
    now = clock.now()
    own = Demand.objects.filter(organisation=organisation)
    if own.open().count() >= MOST_OPEN or own.filter(posted_at__gt=now - dt.timedelta(days=1)).count() >= MOST_A_DAY:
        raise TooManyDemands()
    demand = Demand.objects.create(
        organisation=organisation, by=by, posted_at=now, open_until=_open_until(now, facts["needed_by"]), **facts
    )
    journal.record("demand.posted", demand, by=by, organisation=organisation.pk, is_public=demand.is_public)
    return demand


def _open_until(now: dt.datetime, needed_by: dt.date | None) -> dt.datetime:
    """The end of the day it is needed by, in the exchange's time zone, and at most OPEN_DAYS from now."""
    latest = now + dt.timedelta(days=OPEN_DAYS)
    if needed_by is None or needed_by >= latest.date():
        return latest
    zone = ZoneInfo(settings.TIME_ZONE)
    return min(latest, dt.datetime.combine(needed_by + dt.timedelta(days=1), dt.time(), zone))


@transaction.atomic
def meet(demand: Demand, *, product: str, by: User) -> Demand:
    """The poster found what it needs: the product of this number. Raises RoleNeeded, DemandEnded, NoSuchProduct."""
    found = locked(demand)
    roles.require(by, found.organisation, "post_demand")
    require_open(found)
    found.met_by = product_on_sale(product)
    if joint_merchants.are_one_party(found.met_by.seller, found.organisation):
        raise NoSuchProduct(_("This is your own product."))
    found = _end(found, "meet", by=by, listing=found.met_by.pk)
    demand_notices.tell_of_end(found)
    return found


@transaction.atomic
def close(demand: Demand, *, by: User) -> Demand:
    """The poster needs it no more. Raises RoleNeeded, DemandEnded."""
    found = locked(demand)
    roles.require(by, found.organisation, "post_demand")
    if found.state != DemandState.OPEN:
        raise DemandEnded()
    found = _end(found, "close", by=by)
    demand_notices.tell_of_end(found)
    return found


def lapse_due() -> int:
    """End what nobody met in its time, each in a transaction of its own with the letter to its poster. How many.

    Safe to run late, twice and in parallel: what another worker has in hand is left to it.
    """
    lapsed = 0
    for pk in list(Demand.objects.due_to_lapse().order_by("open_until").values_list("pk", flat=True)[:LAPSED_AT_ONCE]):
        lapsed += _lapse(pk)
    return lapsed


@transaction.atomic
def _lapse(pk: int) -> bool:
    rows = Demand.objects.due_to_lapse().select_for_update(no_key=True, skip_locked=True, of=("self",))
    found = rows.select_related("organisation", "by").filter(pk=pk).first()
    if found is None:
        return False
    demand_notices.tell_of_end(_end(found, "lapse", by=None))
    return True


def _end(demand: Demand, act: str, *, by: User | None, **facts: Any) -> Demand:
    demand.state = DEMAND_MOVES[DemandState(demand.state)][act]
    demand.ended_at = clock.now()
    demand.save(update_fields=["state", "ended_at", "met_by"])
    journal.record(f"demand.{demand.state}", demand, by=by, organisation=demand.organisation_id, **facts)
    return demand


# --- the staff -----------------------------------------------------------------------------------------------------


@transaction.atomic
def match(demand: Demand, *, seller: Organisation, product: str = "", note: str = "", by: User) -> DemandMatch:
    """Show a demand to a seller who may have it, perhaps as one of its products; the seller is written to.

    Raises RoleNeeded, DemandEnded, NotCleared, NoSuchProduct, Invalid, and Refused `matched_already`,
    `own_demand`, `too_many_matches`.
    """
    roles.require_staff(by, "match_demand")
    found = locked(demand)
    require_open(found)
    _require_no_interest(by, found.organisation_id, seller.pk)
    if joint_merchants.are_one_party(seller, found.organisation):
        raise Refused(
            _("This seller posted the demand itself."), code="own_demand", next=_("Match it with another seller.")
        )
    clearance.require_listing(seller)
    listing = product_on_sale(product) if product else None
    if listing is not None and listing.seller_id != seller.pk:
        raise NoSuchProduct(_("This seller does not sell that product."))
    said = plain_text.needed(note, _("Write a note for the seller."), LONGEST_NOTE, shortest=0)
    if found.matches.filter(seller=seller).exists():
        raise Refused(
            _("This demand was matched with this seller already."),
            code="matched_already",
            next=_("Wait for the seller’s answer, or match another."),
        )
    if found.matches.count() >= MOST_MATCHES:
        raise Refused(
            _("This demand was matched with as many sellers as one may be."),
            code="too_many_matches",
            next=_("Wait for their answers."),
        )
    made = DemandMatch.objects.create(demand=found, seller=seller, listing=listing, note=said, by=by)
    journal.record("demand.matched", found, by=by, seller=seller.pk, listing=listing.pk if listing else None)
    demand_notices.tell_of_match(made)
    return made


@transaction.atomic
def hide(demand: Demand, *, reason: str, by: User) -> Demand:
    """Show a demand to nobody but its poster and who answered it. Raises RoleNeeded, WrongState, Invalid."""
    roles.require_staff(by, "hide_demand")
    found = locked(demand)
    if found.hidden_at is not None:
        raise WrongState(_("This demand is hidden already."))
    _require_no_interest(by, found.organisation_id)
    found.hidden_reason = plain_text.needed(reason, _("Say why, in words the poster reads."), LONGEST_NOTE)
    found.hidden_at, found.hidden_by = clock.now(), by
    found.save(update_fields=["hidden_at", "hidden_by", "hidden_reason"])
    journal.record("demand.hidden", found, by=by, organisation=found.organisation_id)
    demand_notices.tell_of_hiding(found)
    return found


def _require_no_interest(by: User, *organisations: int) -> None:
    if any(joint_merchants.has_interest(by, one) for one in organisations):
        raise RoleNeeded(
            _("You have an interest in this demand."),
            code="own_demand",
            next=_("Let a colleague who has none decide."),
        )


# --- what the commands share ---------------------------------------------------------------------------------------


def locked(demand: Demand) -> Demand:
    """The demand as it is now, for this transaction alone."""
    rows = Demand.objects.select_for_update(no_key=True, of=("self",)).select_related("organisation", "by")
    return rows.get(pk=demand.pk)


def require_open(demand: Demand) -> None:
    """Raises DemandEnded."""
    if not demand.is_open:
        raise DemandEnded()


def product_on_sale(number: str) -> Listing:
    """The product of this number, or of a page address that ends in it. Raises NoSuchProduct."""
    public_id = number.strip().rstrip("/").rpartition("/")[2][:40]
    rows = Listing.objects.filter(state=ListingState.LISTED).select_related("seller", "current_version")
    found = None if "\0" in public_id else rows.filter(public_id=public_id).first()
    if found is None:
        raise NoSuchProduct()
    return found
