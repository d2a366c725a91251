"""`/healthz`: this process answers. `/readyz`: everything the exchange needs is in order."""

from __future__ import annotations

import time

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from marketplace import health

KEPT_SECONDS = 1.0  # anyone may ask, but nobody makes the database count more often than that
_kept: tuple[float, list[health.Sign]] | None = None


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers; nothing else is asked, so that a lost database does not restart web servers."""
    return JsonResponse({"is_alive": True})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Every sign, 200 when all that are needed are in order, else 503."""
    signs = _signs()
    is_ready = health.is_ready(signs)
    answer = {
        "is_ready": is_ready,
        "signs": [
            {"name": sign.name, "is_ok": sign.is_ok, "is_needed": sign.is_needed, "detail": sign.detail}
            for sign in signs
        ],
    }
    return JsonResponse(answer, status=200 if is_ready else 503)


def _signs() -> list[health.Sign]:
    global _kept
    if _kept is None or time.monotonic() - _kept[0] >= KEPT_SECONDS:
        _kept = (time.monotonic(), health.signs())
    return _kept[1]
