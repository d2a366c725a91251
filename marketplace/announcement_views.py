"""The page of announcements, open to anyone, and the button that hides a notice from whoever is signed in."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from marketplace import announcements

SHOWN = 20


@require_safe
def announcement_list(request: HttpRequest) -> HttpResponse:
    """What is and was announced to whoever reads this."""
    page = Paginator(announcements.readable(request), SHOWN).get_page(request.GET.get("page"))
    context = {"page": page, "rows": [announcements.shown(row) for row in page]}
    return render(request, "marketplace/announcements.html", context)


@login_required
@require_POST
def dismissal(request: HttpRequest, public_id: str) -> HttpResponse:
    """Hide the notice from now on; the announcement stays on its page."""
    announcements.dismiss(request, get_object_or_404(announcements.readable(request), public_id=public_id))
    url = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(url if is_ours and url.startswith("/") else "/")
