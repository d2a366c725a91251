"""Django's registration of the ground floor."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class MarketplaceConfig(AppConfig):
    name = "marketplace"
    verbose_name = _("Members and journal")

    def ready(self) -> None:
        from marketplace import checks  # noqa: F401  registers the system checks


class DeskConfig(AdminConfig):
    """The admin, with the exchange's own site as its default."""

    default_site = "marketplace.admin_site.Desk"
