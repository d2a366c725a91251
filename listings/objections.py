"""Objections to a registration while it is made public: filed by anyone signed in, decided by the staff.

Filing and publishing lock the same listing, so that an objection either comes before the product is on sale, and stops
it, or is told that the window is over.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from listings import objection_notices, plain_text, product_papers
from listings.models import Listing, Objection, Registration
from listings.states import OBJECTION_MOVES, ListingState, ObjectionState
from marketplace import clock, documents, joint_merchants, journal, roles
from marketplace.errors import Refused, RoleNeeded, WrongState
from marketplace.models import Annotation, Membership, User

LONGEST_TEXT = 4000
MOST_A_DAY = 5


class WindowOver(Refused):
    """This registration takes no objections now."""

    code = "window_over"
    says = _("This registration takes no objections now.")
    next = _("Write to the exchange; it may still suspend a product or revoke a certificate.")


class TooManyObjections(Refused):
    """You filed as many objections as one person may in a day."""

    code = "too_many_objections"
    status = 429
    says = _("You filed as many objections as one person may in a day.")
    next = _("Try again tomorrow, or write to the exchange.")


def takes_objections(registration: Registration) -> bool:
    """Whether anyone may object to this registration now. Expects its version and listing."""
    listing = registration.version.listing
    return (
        registration.objections_until is not None
        and registration.objections_until > clock.now()
        and listing.state == ListingState.REGISTERED
        and listing.current_version_id == registration.version_id
    )


@transaction.atomic
def file(registration: Registration, *, reason: str, evidence: str = "", by: User) -> Objection:
    """Object to a registration; its product is not listed before this is decided.

    Raises WindowOver, Invalid, TooManyObjections, and Refused `own_product`, `objected_already`.
    """
    listing = Listing.objects.select_for_update(no_key=True, of=("self",)).get(versions=registration.version_id)
    registration = Registration.objects.select_related("version__listing").get(pk=registration.pk)
    registration.version.listing = listing
    if not takes_objections(registration):
        raise WindowOver()
    if Membership.objects.filter(user=by, organisation=registration.holder_id, ended_at=None).exists():
        next_step = _("Withdraw it, or send a new version.")
        raise Refused(_("This is your own product."), code="own_product", next=next_step)
    own = Objection.objects.filter(by=by)
    if own.filter(registration=registration, state=ObjectionState.OPEN).exists():
        next_step = _("Wait for the decision; you are written to.")
        raise Refused(_("You objected to this registration already."), code="objected_already", next=next_step)
    # The person's row is locked so that two objections to two products cannot both be the last one allowed.
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    if own.filter(filed_at__gt=clock.now() - dt.timedelta(days=1)).count() >= MOST_A_DAY:
        raise TooManyObjections()
    objection = Objection.objects.create(
        registration=registration,
        reason=plain_text.needed(
            reason, _("Say what is wrong with this registration."), LONGEST_TEXT, code="reason_needed"
        ),
        evidence=plain_text.needed(evidence, _("The evidence:"), LONGEST_TEXT, shortest=0, code="reason_needed"),
        by=by,
    )
    journal.record("objection.filed", objection, by=by, listing=listing.pk, registration=registration.pk)
    objection_notices.tell_of_filing(objection)
    return objection


@transaction.atomic
def uphold(objection: Objection, *, decision: str, by: User) -> Objection:
    """The objection is right: the product is not listed under this registration, and its certificate says so.

    The seller may send a new version. Raises RoleNeeded, WrongState, Invalid.
    """
    objection = _decide(objection, "uphold", decision, by)
    documents.annotate(product_papers.certificates_of(objection.registration), Annotation.Code.OBJECTED)
    return objection


@transaction.atomic
def dismiss(objection: Objection, *, decision: str, by: User) -> Objection:
    """The objection is not right and stands in nobody's way. Raises RoleNeeded, WrongState, Invalid."""
    return _decide(objection, "dismiss", decision, by)


def _decide(objection: Objection, act: str, decision: str, by: User) -> Objection:
    roles.require_staff(by, "decide_objection")
    Listing.objects.select_for_update(no_key=True, of=("self",)).get(versions=objection.registration.version_id)
    found = (
        Objection.objects.select_for_update(of=("self",))
        .select_related("registration__version", "by")
        .get(pk=objection.pk)
    )
    after = OBJECTION_MOVES[ObjectionState(found.state)].get(act)
    if after is None:
        raise WrongState(_("This objection is decided already."))
    if found.by_id == by.pk or _belongs_to_holder(found.registration, by):
        raise RoleNeeded(
            _("You have an interest in this objection."),
            code="own_objection",
            next=_("Let a colleague who has none decide."),
        )
    found.decision = plain_text.needed(
        decision, _("Say why, in words both sides read."), LONGEST_TEXT, code="reason_needed"
    )
    found.state, found.decided_by, found.decided_at = after, by, clock.now()
    found.save(update_fields=["state", "decision", "decided_by", "decided_at"])
    journal.record(f"objection.{found.state}", found, by=by, registration=found.registration_id)
    objection_notices.tell_of_decision(found)
    return found


def _belongs_to_holder(registration: Registration, by: User) -> bool:
    """Who ever belonged to the holder has an interest, also after leaving it."""
    return joint_merchants.has_interest(by, registration.holder_id)
