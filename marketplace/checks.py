"""System checks: what must be in place before the exchange may open."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, register
from django.utils.module_loading import import_string


@register()
def drivers_import(**_kwargs: Any) -> list[Error]:
    """Every configured gateway, channel and follower can be imported."""
    problems = []
    for setting in ("GATEWAYS", "CHANNELS", "FOLLOWERS", "SCANNERS"):
        for name, path in getattr(settings, setting).items():
            try:
                import_string(path)
            except ImportError as error:
                problems.append(Error(f"{setting}[{name!r}] cannot be imported: {error}", id="marketplace.E001"))
    return problems


@register(Tags.security)
def production_is_safe(**_kwargs: Any) -> list[Error]:
    """With DEBUG off: its own secret key, hosts and address, and no sandbox gateway."""
    if settings.DEBUG:
        return []
    problems = []
    if settings.SECRET_KEY == settings.DEVELOPMENT_KEY:
        problems.append(Error("SECRET_KEY is not set.", hint="Set a long random SECRET_KEY.", id="marketplace.E002"))
    if not settings.ALLOWED_HOSTS:
        problems.append(
            Error("ALLOWED_HOSTS is empty.", hint="Name the hosts the exchange answers for.", id="marketplace.E003")
        )
    if "sandbox" in settings.GATEWAYS:
        problems.append(
            Error("The sandbox gateway moves no money.", hint="Unset SANDBOX_GATEWAY.", id="marketplace.E004")
        )
    if settings.WEBHOOK_LOOPBACK:
        problems.append(
            Error("WEBHOOK_LOOPBACK lets webhooks call this machine.", hint="Unset it.", id="marketplace.E006")
        )
    if settings.BASE_URL.startswith("http://127.0.0.1"):
        problems.append(
            Error("BASE_URL is not set.", hint="Set the address papers and letters point to.", id="marketplace.E005")
        )
    return problems
