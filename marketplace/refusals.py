"""How a page answers a refusal its view did not handle itself, and requests no view could read."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import get_resolver
from django.utils.translation import gettext_lazy as _
from django.views.defaults import page_not_found

from marketplace.errors import Invalid, Refused


class RefuseNulls:
    """Refuses an address with a NUL character in it, which PostgreSQL's texts cannot hold."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" not in request.path and "%00" not in request.META.get("QUERY_STRING", ""):
            return self.get_response(request)
        refusal = Invalid(_("An address has no NUL characters."), status=400)
        if request.path.startswith("/api/"):
            return JsonResponse(refusal.as_json(), status=refusal.status)
        return render(request, "refused.html", {"refusal": refusal, "back_url": "/"}, status=refusal.status)


class RefusedPage:
    """Turns a Refused raised by a page into the page that says what was refused, why, and what to do next.

    What is not found is told by ourselves too: with DEBUG on, as in the demo, Django would show its addresses.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if settings.DEBUG and answer.status_code == 404 and request.resolver_match is None:
            missing: Callable[..., HttpResponse] = get_resolver().resolve_error_handler(404)
            return missing(request, exception=Http404())
        return answer

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Http404) and not request.path.startswith("/api/"):
            return page_not_found(request, exception)
        if not isinstance(exception, Refused):
            return None
        back = request.META.get("HTTP_REFERER", "") if request.method == "POST" else ""
        own = request.build_absolute_uri("/")
        context = {"refusal": exception, "back_url": back if back.startswith(own) else "/"}
        return render(request, "refused.html", context, status=exception.status)
