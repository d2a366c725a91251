"""Organisations and their people: register, invite, change a role; and for whom a person acts just now."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from marketplace import clock, journal, organisation_facts, roles, trails
from marketplace.errors import Invalid, Refused
from marketplace.models import AccessToken, Invitation, Membership, Organisation, User
from marketplace.roles import Role

INVITATION_DAYS = 14
INVITATIONS_A_DAY = 50  # of one person, whatever the organisation: each is a letter to an address of their choosing
ACTING_KEY = "acting"  # of the session: the public id of the organisation a person acts for


class NoOrganisation(Refused):
    """You act for no organisation."""

    code = "no_organisation"
    status = 403
    says = _("You act for no organisation.")
    next = _("Register your organisation, or ask one of its owners to invite you.")


class OtherAddress(Refused):
    """This invitation was written to another e-mail address."""

    code = "other_address"
    status = 403
    says = _("This invitation was written to another e-mail address.")
    next = _("Sign in with the address the letter came to, or add and confirm it in your account.")


class TooManyInvitations(Refused):
    """You invited as many people as one may in a day."""

    code = "too_many_invitations"
    status = 429
    says = _("You invited as many people as one may in a day.")
    next = _("Go on tomorrow, or let another owner invite.")


class NotYours(Refused):
    """You do not belong to an organisation of this name."""

    code = "not_found"
    status = 404
    says = _("You do not belong to an organisation of this name.")
    next = _("Choose one of your own organisations.")


# --- organisations -------------------------------------------------------------------------------------------------


@transaction.atomic
def register_organisation(
    *,
    kinds: Sequence[str],
    name: str,
    latin_name: str,
    country: str,
    region: str,
    number_kind: str,
    registration_number: str,
    by: User,
) -> Organisation:
    """Enter an organisation and make `by` its owner. It may look; to list or trade it must be verified.

    Two may enter the same number: only one of them will be verified. Raises Invalid, naming the field.
    """
    facts = organisation_facts.checked(kinds, name, latin_name, country, region, number_kind, registration_number)
    organisation = Organisation(created_by=by, **facts)
    organisation.save()
    Membership.objects.create(user=by, organisation=organisation, role=Role.OWNER)
    journal.record("organisation.registered", organisation, by=by, country=country, region=region)
    return organisation


@transaction.atomic
def correct(
    organisation: Organisation,
    *,
    kinds: Sequence[str],
    name: str,
    latin_name: str,
    country: str,
    region: str,
    number_kind: str,
    registration_number: str,
    by: User,
) -> Organisation:
    """Correct what an organisation says of itself. Whether it still may is for compliance to ask first.

    Raises RoleNeeded, Invalid.
    """
    organisation = Organisation.objects.select_for_update().get(pk=organisation.pk)
    roles.require(by, organisation, "apply")
    facts = organisation_facts.checked(kinds, name, latin_name, country, region, number_kind, registration_number)
    organisation_facts.require_same_jointness(organisation, kinds)
    return write_facts(organisation, facts, by=by)


@transaction.atomic
def write_facts(organisation: Organisation, facts: Mapping[str, object], *, by: User) -> Organisation:
    """Facts that were checked become the organisation's; the caller asks who may."""
    changed = sorted(field for field, value in facts.items() if getattr(organisation, field) != value)
    for field in changed:
        setattr(organisation, field, facts[field])
    if changed:
        organisation.save()
        journal.record("organisation.corrected", organisation, by=by, fields=changed)
    return organisation


# --- people --------------------------------------------------------------------------------------------------------


@transaction.atomic
def invite(organisation: Organisation, *, email: str, role: str, by: User) -> tuple[Invitation, str]:
    """Invite a person to join in a role; an earlier open invitation to the same address is withdrawn.

    Gives the invitation and the secret of its letter, which is kept nowhere. Raises RoleNeeded, Invalid, Refused
    `already_member`, TooManyInvitations.
    """
    roles.require(by, organisation, "manage_members")
    role = _role(role)
    email = email.strip().lower()
    try:
        validate_email(email)
        Invitation._meta.get_field("email").run_validators(email)  # type: ignore[union-attr]  # no longer than is kept
    except ValidationError as mistake:
        raise Invalid(_("This is not an e-mail address."), code="email_invalid") from mistake
    if Membership.objects.filter(organisation=organisation, user__email__iexact=email, ended_at=None).exists():
        raise Refused(
            _("%(email)s already belongs to %(organisation)s."),
            code="already_member",
            next=_("Change their role."),
            email=email,
            organisation=organisation,
        )
    now = clock.now()
    if Invitation.objects.filter(invited_by=by, created_at__gt=now - dt.timedelta(days=1)).count() >= INVITATIONS_A_DAY:
        raise TooManyInvitations()
    _open_invitations(organisation).filter(email=email).update(withdrawn_at=now)
    secret = secrets.token_urlsafe(24)
    invitation = Invitation.objects.create(
        organisation=organisation,
        email=email,
        role=role,
        secret_digest=_digest(secret),
        invited_by=by,
        lapses_at=now + dt.timedelta(days=INVITATION_DAYS),
    )
    journal.record("member.invited", organisation, by=by, invitation=invitation.pk, role=role)
    return invitation, secret


@transaction.atomic
def withdraw_invitation(invitation: Invitation, *, by: User) -> Invitation:
    """Make an open invitation worthless. Raises RoleNeeded, Refused `invitation_closed`."""
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    roles.require(by, invitation.organisation, "manage_members")
    if invitation.accepted_at or invitation.withdrawn_at:
        raise _invitation_closed()
    invitation.withdrawn_at = clock.now()
    invitation.save(update_fields=["withdrawn_at"])
    journal.record("member.uninvited", invitation.organisation, by=by, invitation=invitation.pk)
    return invitation


@transaction.atomic
def accept_invitation(secret: str, *, by: User) -> Membership:
    """Join the organisation of the letter. Only the person it was written to may: by an address they confirmed.

    Raises Refused `not_found`, `invitation_closed`, `other_address`, `inviter_left`, `already_member`.
    """
    found = Invitation.objects.select_for_update().filter(secret_digest=_digest(secret)).first()
    invitation = _require_open(found)
    if not _has_address(by, invitation.email):
        raise OtherAddress()
    Organisation.objects.select_for_update(no_key=True).get(pk=invitation.organisation_id)  # no role changes meanwhile
    _require_standing_inviter(invitation)
    membership, is_new = Membership.objects.get_or_create(
        user=by, organisation=invitation.organisation, ended_at=None, defaults={"role": invitation.role}
    )
    if not is_new:
        raise Refused(_("You already belong to this organisation."), code="already_member")
    invitation.accepted_at = clock.now()
    invitation.accepted_by = by
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    journal.record("member.joined", invitation.organisation, by=by, membership=membership.pk, role=str(membership.role))
    return membership


def invitation_of(secret: str) -> Invitation:
    """The open invitation of a letter's secret. Raises NotYours, Refused `invitation_closed`, `inviter_left`."""
    invitation = (
        Invitation.objects.select_related("organisation", "invited_by").filter(secret_digest=_digest(secret)).first()
    )
    invitation = _require_open(invitation)
    _require_standing_inviter(invitation)
    return invitation


def _require_standing_inviter(invitation: Invitation) -> None:
    """An invitation lives no longer than the role it was written in."""
    if not roles.may(invitation.invited_by, invitation.organisation, "manage_members"):
        raise Refused(
            _("Whoever wrote this invitation may no longer invite people to this organisation."),
            code="inviter_left",
            next=_("Ask an owner of the organisation for a new one."),
        )


def _require_open(invitation: Invitation | None) -> Invitation:
    if invitation is None:
        raise NotYours(
            _("There is no such invitation."), next=_("Open the link of the letter again, or ask for a new one.")
        )
    if invitation.accepted_at or invitation.withdrawn_at or invitation.lapses_at < clock.now():
        raise _invitation_closed()
    return invitation


@transaction.atomic
def change_role(membership: Membership, role: str, *, by: User) -> Membership:
    """Give a member another role. Raises RoleNeeded, Invalid, Refused `membership_ended`, `last_owner`."""
    membership = _locked(membership, by=by, act="manage_members")
    role = _role(role)
    if membership.role == Role.OWNER and role != Role.OWNER:
        _require_another_owner(membership)
    before, membership.role = membership.role, role
    membership.save(update_fields=["role"])
    journal.record(
        "member.role_changed", membership.organisation, by=by, membership=membership.pk, before=before, role=role
    )
    return membership


@transaction.atomic
def end_membership(membership: Membership, *, by: User) -> Membership:
    """A member leaves, or is made to; their tokens for this organisation end with it. The last owner stays.

    Raises RoleNeeded (leaving oneself needs no role), Refused `membership_ended`, `last_owner`.
    """
    act = "look" if membership.user_id == by.pk else "manage_members"
    membership = _locked(membership, by=by, act=act)
    if membership.role == Role.OWNER:
        _require_another_owner(membership)
    membership.ended_at = clock.now()
    membership.save(update_fields=["ended_at"])
    AccessToken.objects.filter(
        user=membership.user_id, organisation=membership.organisation_id, revoked_at=None
    ).update(revoked_at=membership.ended_at)
    journal.record("member.left", membership.organisation, by=by, membership=membership.pk)
    return membership


def _locked(membership: Membership, *, by: User, act: str) -> Membership:
    """The membership, with its organisation locked: of two last owners who leave at once, one stays."""
    organisation = Organisation.objects.select_for_update().get(pk=membership.organisation_id)
    roles.require(by, organisation, act)
    membership = Membership.objects.select_related("organisation", "user").get(pk=membership.pk)
    if membership.ended_at:
        raise Refused(_("This person no longer belongs to the organisation."), code="membership_ended")
    return membership


def _require_another_owner(membership: Membership) -> None:
    others = Membership.objects.filter(organisation=membership.organisation_id, role=Role.OWNER, ended_at=None)
    if not others.exclude(pk=membership.pk).exists():
        raise Refused(
            _("An organisation keeps at least one owner."),
            code="last_owner",
            next=_("Make somebody else an owner first."),
        )


def _open_invitations(organisation: Organisation) -> QuerySet[Invitation]:
    return Invitation.objects.filter(organisation=organisation, accepted_at=None, withdrawn_at=None)


def _role(role: str) -> Role:
    try:
        return Role(role)
    except ValueError as mistake:
        raise Invalid(_("A role is one of: %(known)s."), code="no_such_role", known=", ".join(Role.values)) from mistake


def _has_address(user: User, email: str) -> bool:
    return (
        user.email.lower() == email
        or EmailAddress.objects.filter(user=user, email__iexact=email, verified=True).exists()
    )


def _digest(secret: str) -> str:
    return "sha256:" + hashlib.sha256(secret.encode()).hexdigest()


def _invitation_closed() -> Refused:
    return Refused(
        _("This invitation was used or withdrawn, or its time has passed."),
        code="invitation_closed",
        next=_("Ask an owner of the organisation for a new one."),
    )


# --- for whom a person acts ----------------------------------------------------------------------------------------


def memberships_of(request: HttpRequest) -> list[Membership]:
    """The person's open memberships, oldest first; with a token that is bound to one organisation, that one.

    Read once a request.
    """
    user = request.user
    if not user.is_authenticated:
        return []
    known: tuple[int, list[Membership]] | None = getattr(request, "_memberships", None)
    if known is None or known[0] != user.pk:
        rows = Membership.objects.filter(user=user, ended_at=None).select_related("organisation").order_by("pk")
        known = (user.pk, list(rows))
        request._memberships = known  # type: ignore[attr-defined]
    token = getattr(request, "auth", None)
    bound = token.organisation_id if isinstance(token, AccessToken) else None
    return [membership for membership in known[1] if bound in (None, membership.organisation_id)]


def own_organisation(request: HttpRequest, public_id: str) -> Organisation:
    """The organisation of this name, if the person (and their token) belongs to it. Raises NotYours: 404."""
    for membership in memberships_of(request):
        if membership.organisation.public_id == public_id:
            return membership.organisation
    raise NotYours()


def acting_or_none(request: HttpRequest) -> Organisation | None:
    """The organisation a request acts for: the one its header `Organisation` names, else the chosen one.

    Raises NotYours when the header names another's.
    """
    named = request.headers.get("Organisation")
    return own_organisation(request, named) if named else _chosen(request)


def _chosen(request: HttpRequest) -> Organisation | None:
    """The organisation chosen on the pages (a token's own, where it is bound), else the person's first."""
    own = [membership.organisation for membership in memberships_of(request)]
    chosen = request.session.get(ACTING_KEY) if hasattr(request, "session") else None
    return next((organisation for organisation in own if organisation.public_id == chosen), own[0] if own else None)


def acting_organisation(request: HttpRequest) -> Organisation:
    """The organisation this request acts for. Raises NoOrganisation, NotYours."""
    organisation = acting_or_none(request)
    if organisation is None:
        raise NoOrganisation()
    trails.act_for(organisation.pk)
    return organisation


def act_for(request: HttpRequest, organisation: Organisation) -> None:
    """From now on the pages act for this organisation."""
    request.session[ACTING_KEY] = organisation.public_id


class ActingMiddleware:
    """`request.acting`, for the frame of pages: the chosen organisation, or something empty; read when asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.acting = SimpleLazyObject(lambda: _chosen(request))  # type: ignore[attr-defined]
        return self.get_response(request)
