"""Django's registration of the listings app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ListingsConfig(AppConfig):
    name = "listings"
    verbose_name = _("Listings")

    def ready(self) -> None:
        from listings import due, listing_notices, notification_kinds, webhook_events

        due.watch()
        notification_kinds.register()
        listing_notices.register()
        webhook_events.register()
