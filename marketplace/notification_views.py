"""The pages of notifications: the list behind the bell, and where each kind reaches one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace import notifications, participants
from marketplace.models import Notification
from marketplace.notifications import Group, Ways
from marketplace.signed_in import person

ROWS_ON_A_PAGE = 20


@login_required
@require_safe
@never_cache
def notification_list(request: HttpRequest) -> HttpResponse:
    """What one was told, newest first."""
    own = Notification.objects.visible_to(person(request)).select_related("organisation").order_by("-pk")
    only_unread = request.GET.get("show") == "unread"
    page = Paginator(own.filter(read_at=None) if only_unread else own, ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [_row(one) for one in page.object_list],
        "only_unread": only_unread,
        "has_several": len(participants.memberships_of(request)) > 1,
    }
    return render(request, "marketplace/notifications.html", context)


def _row(notification: Notification) -> dict[str, Any]:
    known = notifications.known(notification.kind)
    return {
        "notification": notification,
        "words": notifications.words_of(notification.kind, notification.facts),
        "group": known.group.label if known else "",
    }


@login_required
@require_POST
def notification_reading(request: HttpRequest, notification_id: int) -> HttpResponse:
    """One was read: on to what it is about, or, for whoever only ticks it off, back to the list."""
    own = Notification.objects.visible_to(person(request)).select_related("organisation")
    notification = get_object_or_404(own, pk=notification_id)
    notifications.mark_read(person(request), only=notification.pk)
    if "stay" in request.POST:
        return _back(request)
    if notification.organisation is not None:
        participants.act_for(request, notification.organisation)
    return redirect(notification.path)


@login_required
@require_POST
def notifications_reading(request: HttpRequest) -> HttpResponse:
    """All were read."""
    notifications.mark_read(person(request))
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    url = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    return redirect(url if is_ours else "notifications")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def notification_settings(request: HttpRequest) -> HttpResponse:
    """Where each kind reaches one: in the app, by e-mail."""
    if request.method == "POST":
        wanted = {
            kind.code: Ways(in_app=f"app-{kind.code}" in request.POST, by_mail=f"mail-{kind.code}" in request.POST)
            for kind in notifications.kinds()
            if not kind.is_required
        }
        notifications.choose(person(request), wanted)
        messages.success(request, _("Your choice is kept."))
        return redirect("notification_settings")
    ways = notifications.ways_of(person(request))
    groups = [
        {
            "label": group.label,
            "kinds": [(kind, ways[kind.code]) for kind in notifications.kinds() if kind.group == group],
        }
        for group in Group
    ]
    context = {"groups": [group for group in groups if group["kinds"]]}
    return render(request, "marketplace/notification_settings.html", context)
