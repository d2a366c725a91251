"""What a token may be used for: the scope each API view asks for."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from marketplace.errors import Refused, RoleNeeded
from marketplace.models import AccessToken


class ScopeNeeded(Refused):
    """This token's scopes do not allow this."""

    code = "scope_needed"
    status = 403
    says = _("This token's scopes do not allow this.")
    next = _("Make a token with the scope that is named.")


class SignedInWithScope(BasePermission):
    """Somebody signed in; a token also needs a scope: `read` to look, else the one the view names as `scope`.

    A view that names none asks for `manage`, the narrowest kept.
    """

    def has_permission(self, request: Request, view: object) -> bool:
        if not (request.user and request.user.is_authenticated):
            return False
        require_scope(request, "read" if request.method in SAFE_METHODS else getattr(view, "scope", "manage"))
        return True


def require_scope(request: Request, scope: str) -> None:
    """Raises ScopeNeeded when the request comes with a token that lacks the scope; RoleNeeded where none could help."""
    if scope == "staff" and not request.user.is_staff:
        raise RoleNeeded(_("This is for the exchange's staff."))
    if isinstance(request.auth, AccessToken) and scope not in request.auth.scopes:
        raise ScopeNeeded(_("This needs a token with the scope “%(scope)s”."), scope=scope)


def require_unbound(request: Request) -> None:
    """Raises ScopeNeeded when the request comes with a token that is bound to one organisation."""
    if isinstance(request.auth, AccessToken) and request.auth.organisation_id is not None:
        raise ScopeNeeded(_("This token is bound to one organisation."), next=_("Use a personal token."))
