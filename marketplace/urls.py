"""Every address of the exchange."""

from django.contrib import admin
from django.urls import include, path

from marketplace import languages
from marketplace.api import no_such_route

api = [
    path("", include("marketplace.api_urls")),
    path("", include("listings.api_urls")),
    path("", include("compliance.api_urls")),
    path("", include("settlement.api_urls")),
    path("<path:rest>", no_such_route),
]

desks = [
    path("", include("listings.desk_urls")),
    path("", include("compliance.desk_urls")),
    path("", include("settlement.desk_urls")),
    path("", include("marketplace.desk_urls")),
]

urlpatterns = [
    path("", include("marketplace.desks.urls")),
    path("api/v1/", include(api)),
    path("accounts/", include("allauth.urls")),
    path("i18n/setlang/", languages.choose, name="set_language"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/desks/", include(desks)),
    path("admin/", admin.site.urls),
    path("data/", include("settlement.channels.files.urls")),
    path("sandbox/", include("settlement.gateways.sandbox_urls")),
    path("", include("listings.page_urls")),
    path("", include("compliance.urls")),
    path("", include("marketplace.page_urls")),
    path("", include("settlement.page_urls")),
]

handler404 = "marketplace.api.missing"
handler500 = "marketplace.api.broken"
