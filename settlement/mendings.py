"""Another account for a refund that came back: one of the payments desk names it, another confirms it."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from compliance.verification import SamePerson
from marketplace import clock, journal, roles
from marketplace.errors import Invalid, Refused, WrongState
from marketplace.models import User
from settlement import payments
from settlement.gateways import gateway
from settlement.models import Refund, RefundMending


@transaction.atomic
def send_again(refund: Refund, *, payer_reference: str = "", by: User) -> Refund:
    """Send a bounced refund anew; to another account it waits for a second person, and the bounced one is given.

    Raises RoleNeeded, WrongState, Invalid `wrong_account`, Refused `mending_waits`.
    """
    roles.require_staff(by, "match_payment")
    payer_reference = payer_reference.strip()
    if not payer_reference or payer_reference == refund.payer_reference:
        return payments.send_again(refund, by=by)
    if not payer_reference.isprintable():
        raise Invalid(_("Name the account in one line."), code="wrong_account")
    payer_reference = gateway(refund.gateway).check_account(payer_reference)
    refund = payments.bounced(refund)
    if refund.mendings.filter(confirmed_at=None, dropped_at=None).exists():
        raise Refused(
            _("Another account waits for its second person."),
            code="mending_waits",
            next=_("Confirm it or drop it first."),
        )
    mending = RefundMending.objects.create(refund=refund, payer_reference=payer_reference, by=by)
    journal.record("refund.mending_named", refund, by=by, mending=mending.pk)
    return refund


@transaction.atomic
def confirm(mending: RefundMending, *, by: User) -> Refund:
    """The second person confirms the account: the refund goes there. Raises RoleNeeded, SamePerson, WrongState."""
    roles.require_staff(by, "match_payment")
    refund = payments.bounced(mending.refund)
    mending = _open(mending)
    if mending.by_id == by.pk:
        raise SamePerson()
    mending.second_by, mending.confirmed_at = by, clock.now()
    mending.save(update_fields=["second_by", "confirmed_at"])
    return payments.send_again(refund, payer_reference=mending.payer_reference, by=by)


@transaction.atomic
def drop(mending: RefundMending, *, by: User) -> RefundMending:
    """One of the desk drops an account that waits for its second person. Raises RoleNeeded, WrongState."""
    roles.require_staff(by, "match_payment")
    refund = payments.bounced(mending.refund)
    mending = _open(mending)
    mending.dropped_at = clock.now()
    mending.save(update_fields=["dropped_at"])
    journal.record("refund.mending_dropped", refund, by=by, mending=mending.pk)
    return mending


def _open(mending: RefundMending) -> RefundMending:
    mending = RefundMending.objects.select_for_update(of=("self",)).get(pk=mending.pk)
    if mending.confirmed_at or mending.dropped_at:
        raise WrongState(_("This account was confirmed or dropped already."))
    return mending
