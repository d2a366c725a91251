"""The staff's desk: Django's own admin, without a login of its own."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _


class Desk(admin.AdminSite):
    """Looks everywhere; decides only through commands."""

    site_header = _("Databourse desk")
    site_title = _("Databourse desk")
    index_title = _("Desks")

    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """The exchange has one sign-in for everyone."""
        return redirect_to_login(request.get_full_path())
