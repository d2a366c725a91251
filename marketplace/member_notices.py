"""Who is told of people who join, change or leave, and of keys made for the organisation. From the journal."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from marketplace import notifications, telling
from marketplace.models import AccessToken, Event, Membership
from marketplace.notifications import Group, Kind
from marketplace.roles import Role

KINDS = [
    Kind(
        code="member.joined",
        group=Group.ORGANISATION,
        label=_("Somebody joins your organisation"),
        subject=_("%(person)s joined %(organisation)s"),
        text=_("Role: %(role)s."),
        act="manage_members",
    ),
    Kind(
        code="member.role_changed",
        group=Group.SECURITY,
        label=_("Your role in an organisation changes"),
        subject=_("Your role in %(organisation)s is now: %(role)s"),
        is_required=True,
    ),
    Kind(
        code="member.removed",
        group=Group.SECURITY,
        label=_("Your membership is ended by others"),
        subject=_("You no longer belong to %(organisation)s"),
        text=_("An owner ended your membership. Keys you made for it are revoked."),
        is_required=True,
    ),
    Kind(
        code="token.created",
        group=Group.SECURITY,
        label=_("A key is made for your organisation"),
        subject=_("A key was made for %(organisation)s"),
        text=_("%(person)s made the access token “%(name)s”, which acts for the organisation."),
        next_step=_("If you did not expect this, revoke it on this page:"),
        act="manage_tokens",
        is_required=True,
    ),
]


def register() -> None:
    """Make the kinds known and follow the members; called once, when Django has loaded the app."""
    notifications.register(*KINDS)
    telling.register(
        {"member.joined": _joined, "member.role_changed": _changed, "member.left": _left, "token.created": _key}
    )


def _membership(event: Event) -> Membership:
    return Membership.objects.select_related("user", "organisation").get(pk=(event.facts or {})["membership"])


def _joined(event: Event) -> None:
    membership = _membership(event)
    notifications.tell(
        "member.joined",
        organisation=membership.organisation_id,
        path=reverse("members"),
        facts={
            "person": str(membership.user),
            "organisation": membership.organisation,
            "role": Role(membership.role),
        },
        by=event.by,
    )


def _changed(event: Event) -> None:
    membership = _membership(event)
    facts = {"organisation": membership.organisation, "role": Role((event.facts or {})["role"])}
    notifications.tell("member.role_changed", people=[membership.user], path=reverse("members"), facts=facts)


def _left(event: Event) -> None:
    membership = _membership(event)
    if event.by_id != membership.user_id:
        facts = {"organisation": membership.organisation}
        notifications.tell("member.removed", people=[membership.user], path="/", facts=facts)


def _key(event: Event) -> None:
    token = AccessToken.objects.select_related("user", "organisation").get(pk=(event.facts or {})["token"])
    if token.organisation is not None:
        notifications.tell(
            "token.created",
            organisation=token.organisation_id,
            path=reverse("tokens"),
            facts={"person": str(token.user), "organisation": token.organisation, "name": token.name},
            by=event.by,
        )
