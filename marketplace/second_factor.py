"""The exchange's staff sign in with a second factor: a one-time code (TOTP) or a passkey."""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace.errors import Refused
from marketplace.models import User

SECOND_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


class SecondFactorNeeded(Refused):
    """The exchange's staff need a second factor."""

    code = "second_factor_needed"
    status = 403
    says = _("The exchange's staff need a second factor.")
    next = _("Set up a one-time code or a passkey under two-step sign-in, then sign in with it.")


def is_missing(user: User) -> bool:
    """Whether this person is staff, needs a second factor and has none."""
    return (
        settings.STAFF_NEED_SECOND_FACTOR
        and user.is_staff
        and not Authenticator.objects.filter(user=user, type__in=SECOND_FACTORS).exists()
    )


def require(user: User) -> None:
    """Raises SecondFactorNeeded for staff who have none where it is demanded."""
    if is_missing(user):
        raise SecondFactorNeeded()


class StaffNeedSecondFactor:
    """Sends staff without a second factor to set one up; until then only their account pages open."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not settings.STAFF_NEED_SECOND_FACTOR or request.path.startswith(_open_paths()):
            return self.get_response(request)
        if request.user.is_authenticated and is_missing(request.user):
            messages.warning(request, _("Before you work here, set up a one-time code or a passkey."))
            return redirect("mfa_index")
        return self.get_response(request)


def _open_paths() -> tuple[str, ...]:
    """The account pages themselves, and what answers for itself: the API, health and assets."""
    return ("/accounts/", "/api/", "/healthz", "/readyz", "/metrics", settings.STATIC_URL, reverse("set_language"))
