"""Answers to demands: a seller gives one, both sides write to each other, and either ends it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from compliance import clearance, demand_facts, demand_notices, demands
from compliance.models import Demand, DemandMessage, DemandResponse
from compliance.states import RESPONSE_MOVES, ResponseState
from listings import plain_text
from marketplace import clock, joint_merchants, journal, roles
from marketplace.errors import Refused, WrongState
from marketplace.models import Organisation, User

MOST_ANSWERS = 3  # of one seller to one demand, whatever became of them
MOST_A_DAY = 30  # of one person: each is a letter
MOST_MESSAGES = 30  # of one answer, both sides together
LONGEST_MESSAGE = 2000


class TooManyResponses(Refused):
    """You answered as often as one may."""

    code = "too_many_responses"
    status = 429
    says = _("You answered as often as one may.")
    next = _("Wait for the answers of those who posted.")


class TooManyMessages(Refused):
    """This answer has as many messages as one may have."""

    code = "too_many_messages"
    status = 429
    says = _("This answer has as many messages as one may have.")
    next = _("Settle it: take the product, or decline the answer.")


@transaction.atomic
def answer(demand: Demand, *, seller: Organisation, product: str = "", by: User, **said: Any) -> DemandResponse:
    """Answer a demand the seller sees, with the product of this number or by what it proposes.

    `said` is what `demand_facts.of_answer` reads. Raises RoleNeeded, NotCleared, DemandEnded, Invalid, NoSuchProduct,
    TooManyResponses, and Refused `own_demand`.
    """
    found = demands.locked(demand)
    roles.require(by, seller, "answer_demand")
    if joint_merchants.are_one_party(seller, found.organisation):
        raise Refused(_("This is your own demand."), code="own_demand", next=_("Wait for the answers of others."))
    demands.require_open(found)
    clearance.require_listing(seller)
    facts = demand_facts.of_answer(said)
    listing = demands.product_on_sale(product) if product.strip() else None
    if listing is not None and listing.seller_id != seller.pk:
        raise demands.NoSuchProduct(_("This is no product of yours."))
    if found.responses.filter(seller=seller).count() >= MOST_ANSWERS:
        raise TooManyResponses(_("You answered this demand %(most)s times."), most=MOST_ANSWERS)
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    if DemandResponse.objects.filter(by=by, answered_at__gt=clock.now() - dt.timedelta(days=1)).count() >= MOST_A_DAY:
        raise TooManyResponses(_("You gave %(most)s answers within a day."), next=_("Go on tomorrow."), most=MOST_A_DAY)
    given = DemandResponse.objects.create(demand=found, seller=seller, listing=listing, by=by, **facts)
    journal.record(
        "demand.answered", found, by=by, response=given.pk, seller=seller.pk, listing=listing.pk if listing else None
    )
    demand_notices.tell_poster(given)
    return given


@transaction.atomic
def write(response: DemandResponse, *, text: str, acting_for: Organisation, by: User) -> DemandMessage:
    """Say something to the other side of an answer. Raises RoleNeeded, DemandEnded, WrongState, Invalid,
    TooManyMessages.
    """
    found = _locked(response)
    is_of_poster = acting_for.pk == found.demand.organisation_id
    roles.require(by, acting_for, "post_demand" if is_of_poster else "answer_demand")
    demands.require_open(found.demand)
    _require_open(found)
    said = plain_text.needed(text, _("Write what you want to say."), LONGEST_MESSAGE)
    if found.messages.count() >= MOST_MESSAGES:
        raise TooManyMessages()
    message = DemandMessage.objects.create(response=found, is_of_poster=is_of_poster, text=said, by=by)
    journal.record("demand.discussed", found.demand, by=by, response=found.pk, message=message.pk)
    demand_notices.tell_other_side(message)
    return message


@transaction.atomic
def decline(response: DemandResponse, *, reason: str = "", by: User) -> DemandResponse:
    """The poster does not want it; the seller reads why, if told. Raises RoleNeeded, WrongState, Invalid."""
    found = _locked(response)
    roles.require(by, found.demand.organisation, "post_demand")
    found.reason = plain_text.needed(reason, _("Say why."), LONGEST_MESSAGE, shortest=0)
    return _end(found, "decline", by=by)


@transaction.atomic
def withdraw(response: DemandResponse, *, by: User) -> DemandResponse:
    """The seller takes its answer back. Raises RoleNeeded, WrongState."""
    found = _locked(response)
    roles.require(by, found.seller, "answer_demand")
    return _end(found, "withdraw", by=by)


def _end(response: DemandResponse, act: str, *, by: User) -> DemandResponse:
    _require_open(response)
    response.state = RESPONSE_MOVES[ResponseState(response.state)][act]
    response.ended_at = clock.now()
    response.save(update_fields=["state", "ended_at", "reason"])
    journal.record(f"demand.answer_{response.state}", response.demand, by=by, response=response.pk)
    demand_notices.tell_of_ended_answer(response, by=by)
    return response


def _require_open(response: DemandResponse) -> None:
    if response.state != ResponseState.OPEN:
        raise WrongState(_("This answer was declined or taken back."))


def _locked(response: DemandResponse) -> DemandResponse:
    """The answer, its demand locked before it."""
    demand = demands.locked(Demand.objects.get(pk=response.demand_id))
    rows = DemandResponse.objects.select_for_update(no_key=True, of=("self",))
    found = rows.select_related("seller", "by", "listing__current_version").get(pk=response.pk)
    found.demand = demand
    return found
