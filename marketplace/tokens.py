"""Keys for scripts: a person's own, or bound to one organisation; and how API requests say who asks.

A token acts as the person who made it, with that person's role, narrowed by its scopes. Only its digest is kept.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from marketplace import clock, journal, roles, second_factor
from marketplace.errors import Invalid, Refused, RoleNeeded
from marketplace.models import AccessToken, Organisation, User

PREFIX = "dbt_"
SHOWN_CHARACTERS = 10
LAST_USE_EVERY = dt.timedelta(minutes=1)

SCOPES = {
    "read": _("Look at everything its person may see"),
    "trade": _("Buy: propose, pay, download, accept, dispute"),
    "sell": _("Sell: listings, releases, offers, answers to proposals"),
    "manage": _("Manage: organisations, members, invitations, tokens, payout accounts"),
    "staff": _("The exchange's staff: vet, review, hold, release, resolve"),
}


@transaction.atomic
def create_token(
    *,
    user: User,
    organisation: Organisation | None,
    name: str,
    scopes: Sequence[str],
    lapses_at: dt.datetime | None,
    by: User,
) -> tuple[AccessToken, str]:
    """Make a key for `user`, bound to `organisation` if one is given; and its secret, shown this once.

    Raises RoleNeeded (nobody makes a key for another person; an organisation's needs `manage_tokens`), Invalid.
    """
    if by.pk != user.pk:
        raise RoleNeeded(_("A token is made by the person it acts as."))
    if organisation is not None:
        roles.require(by, organisation, "manage_tokens")
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise Invalid(_("A token has scopes, each one of: %(known)s."), code="no_such_scope", known=", ".join(SCOPES))
    if "staff" in scopes and (not user.is_staff or organisation is not None):
        raise RoleNeeded(_("The scope “staff” is for personal tokens of the exchange's staff."))
    if not 1 <= len(name.strip()) <= 80:
        raise Invalid(_("A token has a name of 1 to 80 characters, so that you know it again."), code="name_needed")
    if lapses_at is not None and lapses_at <= clock.now():
        raise Invalid(_("A token cannot lapse in the past."), code="lapses_in_the_past")
    secret = PREFIX + secrets.token_urlsafe(32)
    token = AccessToken.objects.create(
        user=user,
        organisation=organisation,
        name=name.strip(),
        scopes=sorted(set(scopes)),
        digest=_digest(secret),
        prefix=secret[:SHOWN_CHARACTERS],
        lapses_at=lapses_at,
    )
    journal.record("token.created", organisation or user, by=by, token=token.pk, scopes=token.scopes)
    return token, secret


@transaction.atomic
def revoke(token: AccessToken, *, by: User) -> AccessToken:
    """End a key: its own person may, and an owner of the organisation it is bound to. Raises RoleNeeded, Refused."""
    token = AccessToken.objects.select_for_update().get(pk=token.pk)
    if token.user_id != by.pk:
        if token.organisation is None:
            raise RoleNeeded(_("A personal token is revoked by its person."))
        roles.require(by, token.organisation, "manage_tokens")
    if token.revoked_at:
        raise Refused(_("This token was revoked already."), code="token_revoked")
    token.revoked_at = clock.now()
    token.save(update_fields=["revoked_at"])
    journal.record("token.revoked", token.organisation or token.user, by=by, token=token.pk)
    return token


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer dbt_…`. A wrong, revoked or lapsed token is answered 401."""

    def authenticate(self, request: Request) -> tuple[User, AccessToken] | None:
        kind, _space, secret = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        token = (
            AccessToken.objects.select_related("user", "organisation").filter(digest=_digest(secret.strip())).first()
        )
        now = clock.now()
        if (
            token is None
            or token.revoked_at is not None
            or (token.lapses_at is not None and token.lapses_at <= now)
            or not token.user.is_active
        ):
            raise AuthenticationFailed("This token is not valid: unknown, revoked or lapsed.", code="token_invalid")
        second_factor.require(token.user)
        if token.last_used_at is None or token.last_used_at < now - LAST_USE_EVERY:
            AccessToken.objects.filter(pk=token.pk).update(last_used_at=now)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class PageSession(SessionAuthentication):
    """The session of somebody signed in on the pages; changes need the CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        found = super().authenticate(request)
        if found is not None:
            second_factor.require(found[0])
        return found


def _digest(secret: str) -> str:
    return "sha256:" + hashlib.sha256(secret.encode()).hexdigest()
