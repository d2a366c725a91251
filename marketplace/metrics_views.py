"""`/metrics`, for Prometheus alone: anybody else finds no such page."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from marketplace import metrics

LOOPBACK = ("127.0.0.1", "::1")


@require_safe
@never_cache
def figures(request: HttpRequest) -> HttpResponse:
    """Every figure; 404 for whoever neither has the token nor asks from this machine where that is allowed."""
    if not (_has_token(request) or _is_this_machine(request)):
        raise Http404
    return HttpResponse(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)


def _has_token(request: HttpRequest) -> bool:
    kind, _space, token = request.headers.get("Authorization", "").partition(" ")
    return bool(settings.METRICS_TOKEN) and kind == "Bearer" and constant_time_compare(token, settings.METRICS_TOKEN)


def _is_this_machine(request: HttpRequest) -> bool:
    """A proxy on this machine is this machine too; but it says for whom it asks."""
    is_proxied = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    return settings.METRICS_LOOPBACK and not is_proxied and request.META.get("REMOTE_ADDR") in LOOPBACK
