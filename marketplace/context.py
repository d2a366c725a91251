"""What every page shows: where one can go, for whom one acts, and on which exchange one is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from marketplace import announcements, notifications, participants
from marketplace.signed_in import person

MOST_SHOWN = 99  # at the bell


def page(request: HttpRequest) -> dict[str, Any]:
    """Context of templates/base.html. Lazy where it asks the database, so that plain answers cost nothing."""
    signed_in = getattr(request, "user", None) is not None and request.user.is_authenticated
    return {
        "exchange_name": settings.EXCHANGE_NAME,
        "is_sandbox": "sandbox" in settings.GATEWAYS,
        "acting": getattr(request, "acting", None),
        "memberships": SimpleLazyObject(lambda: participants.memberships_of(request)) if signed_in else [],
        "navigation": SimpleLazyObject(lambda: _navigation(request, signed_in)),
        "unread_notifications": SimpleLazyObject(lambda: _unread(request)) if signed_in else None,
        "account_links": SimpleLazyObject(lambda: _account_links(request)),
        "announcements": SimpleLazyObject(lambda: announcements.notices_for(request)),
        "footer_links": SimpleLazyObject(lambda: _places(request, _footer())),
    }


def _unread(request: HttpRequest) -> dict[str, Any]:
    """How many notifications the person has not read: one statement, and only where a page shows the bell."""
    organisations = [membership.organisation_id for membership in participants.memberships_of(request)]
    count = notifications.unread_count(person(request), organisations, most=MOST_SHOWN + 1)
    return {"count": count, "shown": f"{MOST_SHOWN}+" if count > MOST_SHOWN else str(count)}


def _navigation(request: HttpRequest, signed_in: bool) -> list[dict[str, Any]]:
    places = [("catalogue", _("Catalogue")), ("demands", _("Demands"))]
    if signed_in and participants.memberships_of(request):
        places += [("studio", _("Studio")), ("sales", _("Sales")), ("orders", _("Orders")), ("library", _("Library"))]
        places += [("organisation", _("Organisation"))]
    elif signed_in and not request.user.is_staff:
        places += [("apply", _("Apply"))]
    if signed_in and request.user.is_staff:
        places += [("admin:index", _("Desk"))]
    if not signed_in:
        places += [("verify", _("Verify a certificate"))]
    return _places(request, places)


def _footer() -> list[tuple[str, str]]:
    places = [
        ("market", _("The market")),
        ("register", _("Public register")),
        ("rules", _("Rules of the exchange")),
        ("fees", _("Fees")),
        ("api_docs", _("API")),
        ("verify", _("Verify a certificate")),
        ("announcements", _("Announcements")),
    ]
    return [*places, ("letters", _("Letters"))] if settings.DEBUG else places


def _account_links(request: HttpRequest) -> list[dict[str, Any]]:
    places = [
        ("saved_searches", _("Saved searches")),
        ("papers", _("Papers")),
        ("verify", _("Verify a certificate")),
        ("notifications", _("Notifications")),
        ("tokens", _("Access tokens")),
    ]
    if participants.memberships_of(request):
        places += [("webhooks", _("Webhooks"))]
    return _places(request, places)


def _places(request: HttpRequest, places: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """The places that have an address here: an exchange may leave a page out."""
    found = []
    for name, label in places:
        try:
            url = reverse(name)
        except NoReverseMatch:
            continue
        found.append({"label": label, "url": url, "current": request.path.startswith(url)})
    return found
