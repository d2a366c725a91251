"""Members of a joint merchant: named by it, consenting by an owner of their own, gone by withdrawal or release.

The exchange verifies a joint merchant only with two members at least, all of them verified. From then on its members
stay as they are until the staff release one. Each command locks the joint merchant first, then its standing.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from compliance.models import Verification
from compliance.reasons import require_sentence
from compliance.states import VerificationState
from marketplace import clock, joint_merchants, journal, roles
from marketplace.errors import Invalid, Refused, RoleNeeded, WrongState
from marketplace.models import JointMember, Organisation, User

FEWEST, MOST = 2, 20
OPEN = (None, VerificationState.APPLIED, VerificationState.MORE_REQUESTED, VerificationState.REFUSED)


class MembersNotReady(Refused):
    """Not every member of the joint merchant has consented and is verified."""

    code = "joint_members_not_ready"
    says = _("Not every member of this joint merchant has consented and is verified.")
    next = _("See who is lacking; decide once nobody is.")


def of(organisation: Organisation) -> QuerySet[JointMember]:
    """Rows that concern this organisation, as joint merchant or as member, and that nobody took back."""
    rows = JointMember.objects.filter(Q(joint=organisation) | Q(member=organisation)).standing()
    return rows.select_related("joint", "member__verification", "consented_by").order_by("pk")


def waiting_for(organisation: Organisation) -> QuerySet[JointMember]:
    """Rows that wait for the consent of an owner of this organisation."""
    rows = JointMember.objects.filter(member=organisation, consented_at=None).standing()
    return rows.select_related("joint").order_by("pk")


@transaction.atomic
def name(joint: Organisation, public_id: str, *, by: User) -> JointMember:
    """An owner of a joint merchant names a member, who then has to consent.

    Raises RoleNeeded, Invalid `not_joint`, `no_such_organisation`, `joint_in_joint`, `named_already`, `joint_is_full`,
    WrongState.
    """
    roles.require(by, joint, "apply")
    if not joint_merchants.is_joint(joint):
        raise Invalid(
            _("This organisation is no joint merchant."),
            code="not_joint",
            next=_("Register an organisation of the kind “joint merchant”."),
        )
    _open(joint)
    member = Organisation.objects.filter(public_id=public_id.strip()).first()
    if member is None:
        raise Invalid(
            _("No organisation has this public id."),
            code="no_such_organisation",
            next=_("Ask the organisation for the public id on its page “Organisation”."),
        )
    if joint_merchants.is_joint(member):
        raise Invalid(_("A joint merchant is not a member of another."), code="joint_in_joint")
    standing = list(JointMember.objects.filter(joint=joint).standing().values_list("member_id", flat=True))
    if member.pk in standing:
        raise Invalid(_("This organisation is named already."), code="named_already")
    if len(standing) >= MOST:
        raise Invalid(_("A joint merchant has %(most)s members at most."), code="joint_is_full", most=MOST)
    row = JointMember.objects.create(joint=joint, member=member, named_by=by)
    journal.record("joint_member.named", joint, by=by, row=row.pk, member=member.pk)
    return row


@transaction.atomic
def consent(row: JointMember, *, by: User) -> JointMember:
    """An owner of the named organisation consents for it. Raises RoleNeeded, WrongState."""
    _open(row.joint)
    row = _standing(row)
    roles.require(by, row.member, "apply")
    if row.consented_at is not None:
        raise WrongState(_("This organisation has consented already."))
    row.consented_at, row.consented_by = clock.now(), by
    row.save(update_fields=["consented_at", "consented_by"])
    journal.record("joint_member.consented", row.joint, by=by, row=row.pk, member=row.member_id)
    return row


@transaction.atomic
def withdraw(row: JointMember, *, by: User) -> JointMember:
    """An owner of the member, or of the joint merchant, takes the member out before the exchange verified them.

    Raises RoleNeeded, WrongState.
    """
    _open(row.joint)
    row = _standing(row)
    if not roles.may(by, row.joint, "apply"):
        roles.require(by, row.member, "apply")
    return _end(row, "joint_member.withdrawn", by)


@transaction.atomic
def release(row: JointMember, *, reason: str, by: User) -> JointMember:
    """The staff let a member go, whatever the standing of the joint merchant; two remain where it was verified.

    Raises RoleNeeded, Invalid, WrongState, Refused `joint_needs_two`.
    """
    roles.require_staff(by, "vet")
    reason = require_sentence(reason)
    state = _lock(row.joint)
    row = _standing(row)
    if joint_merchants.has_interest(by, row.joint_id):
        raise RoleNeeded(
            _("Nobody decides on an organisation they belong or belonged to."),
            code="own_organisation",
            next=_("Let a colleague who does not decide."),
        )
    if state not in OPEN and JointMember.objects.filter(joint=row.joint_id).in_force().count() <= FEWEST:
        raise Refused(
            _("A verified joint merchant keeps two members at least."),
            code="joint_needs_two",
            next=_("Suspend or expel the joint merchant instead."),
        )
    return _end(row, "joint_member.released", by, reason=reason)


def require_ready(joint: Organisation) -> None:
    """The members, locked as they stand, are two at least, have all consented and are verified; true of any other
    organisation. The joint merchant's standing is locked before. Raises MembersNotReady with one reason for each.
    """
    if not joint_merchants.is_joint(joint):
        return
    rows = list(JointMember.objects.filter(joint=joint).standing().select_related("member").order_by("pk"))
    members = Verification.objects.select_for_update(no_key=True).filter(
        organisation__in=[row.member_id for row in rows]
    )
    states = dict(members.order_by("pk").values_list("organisation_id", "state"))
    reasons = [_lacks(row) for row in rows if row.consented_at is None or states.get(row.member_id) != "verified"]
    if len(rows) < FEWEST:
        detail = gettext("It has %(count)s members; two are needed.") % {"count": len(rows)}
        reasons.append({"code": "joint_needs_two", "detail": detail, "next": gettext("It names its members.")})
    if reasons:
        raise MembersNotReady(reasons=reasons)


def _lacks(row: JointMember) -> dict[str, str]:
    if row.consented_at is None:
        return {
            "code": "member_not_consented",
            "detail": gettext("%(organisation)s has not consented.") % {"organisation": row.member},
            "next": gettext("One of its owners consents under “Organisation”."),
        }
    return {
        "code": "member_not_verified",
        "detail": gettext("%(organisation)s is not verified.") % {"organisation": row.member},
        "next": gettext("Decide on this member first."),
    }


def _end(row: JointMember, event: str, by: User, *, reason: str = "") -> JointMember:
    row.withdrawn_at, row.withdrawn_by, row.withdrawal_reason = clock.now(), by, reason
    row.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawal_reason"])
    journal.record(event, row.joint, by=by, row=row.pk, member=row.member_id)
    return row


def _lock(joint: Organisation) -> str | None:
    """The state of the joint merchant, which nobody changes meanwhile."""
    Organisation.objects.select_for_update(no_key=True).get(pk=joint.pk)
    verification = Verification.objects.select_for_update().filter(organisation=joint).first()
    return verification.state if verification else None


def _open(joint: Organisation) -> None:
    """Locks the joint merchant. Raises WrongState once it is verified."""
    if _lock(joint) not in OPEN:
        raise WrongState(
            _("The exchange has verified this joint merchant with its members."),
            code="joint_is_verified",
            next=_("Write to the exchange; its staff can release a member."),
        )


def _standing(row: JointMember) -> JointMember:
    row = JointMember.objects.select_for_update(of=("self",)).select_related("joint", "member").get(pk=row.pk)
    if row.withdrawn_at is not None:
        raise WrongState(_("This member was taken out already."))
    return row
