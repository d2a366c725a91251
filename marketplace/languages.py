"""Which language a person is written to in: the one they last chose, or signed in with."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import get_language
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from marketplace.models import User

KNOWN = dict(settings.LANGUAGES)


def remember(user: User, language: str | None) -> None:
    """Keep the language of the page this person uses."""
    if language in KNOWN and user.language != language:
        user.language = language
        user.save(update_fields=["language"])


def of_address(email: str) -> str:
    """The language of whoever has this address, else that of the page in use."""
    kept = User.objects.filter(email__iexact=email).values_list("language", flat=True).first()
    return kept or get_language() or settings.LANGUAGE_CODE


@receiver(user_logged_in)
def remember_at_sign_in(request: HttpRequest | None, user: Any, **_kwargs: Any) -> None:
    """The page somebody signed in on tells which language they read."""
    remember(user, getattr(request, "LANGUAGE_CODE", None))


@require_POST
def choose(request: HttpRequest) -> HttpResponseBase:
    """Choose the language of the pages, and of letters to come."""
    if request.user.is_authenticated:
        remember(request.user, request.POST.get("language"))
    return set_language(request)
