"""Questions about joint merchants. For an organisation that is none they take no statement."""

from __future__ import annotations

from django.db.models import Q

from marketplace.models import JointMember, Membership, Organisation, User


def is_joint(organisation: Organisation) -> bool:
    """Whether several organisations sell as this one."""
    return Organisation.Kind.JOINT in organisation.kinds


def members_of(organisation: Organisation) -> list[Organisation]:
    """The members of a joint merchant, as they were named; none for any other."""
    if not is_joint(organisation):
        return []
    rows = JointMember.objects.filter(joint=organisation).in_force().select_related("member")
    return [row.member for row in rows.order_by("pk")]


def are_one_party(first: Organisation, second: Organisation) -> bool:
    """Whether the two are one, or one is a joint merchant of which the other is a member."""
    if first.pk == second.pk:
        return True
    if not (is_joint(first) or is_joint(second)):
        return False
    together = Q(joint=first, member=second) | Q(joint=second, member=first)
    return JointMember.objects.in_force().filter(together).exists()


def ids_of_the_party(organisation: Organisation) -> set[int]:
    """The ids of all that are one party with it, itself among them. One statement."""
    rows = JointMember.objects.in_force().filter(Q(joint=organisation) | Q(member=organisation))
    return {organisation.pk}.union(*rows.values_list("joint", "member"))


def has_interest(user: User, organisation_id: int) -> bool:
    """Whether this person belongs or belonged to it or, where it is joint, to one that is or was a member of it."""
    members = JointMember.objects.filter(joint=organisation_id, consented_at__isnull=False).values("member")
    concerned = Q(organisation=organisation_id) | Q(organisation__in=members)
    return Membership.objects.filter(concerned, user=user).exists()
