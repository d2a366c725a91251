"""Proving anew that it is oneself, before an act that a stolen session must not do."""

from __future__ import annotations

import time
from typing import Any

from allauth.account import app_settings
from allauth.account.authentication import get_authentication_records
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from marketplace.errors import Refused


class ReauthenticationNeeded(Refused):
    """This needs you to prove anew that it is you."""

    code = "reauthentication_needed"
    status = 403
    says = _("This needs you to prove anew that it is you.")
    next = _("Confirm your password or passkey on the page (a script's key cannot), then do it again.")


def is_fresh(request: Any) -> bool:
    """Whether the person proved within the last minutes who they are; never, for a script's key."""
    plain: HttpRequest = getattr(request, "_request", request)
    if getattr(request, "auth", None) is not None or not hasattr(plain, "session"):
        return False
    records = get_authentication_records(plain, request.user)
    return bool(records) and time.time() - records[-1]["at"] < app_settings.REAUTHENTICATION_TIMEOUT


def require_fresh(request: Any) -> None:
    """Raises ReauthenticationNeeded."""
    if not is_fresh(request):
        raise ReauthenticationNeeded()
