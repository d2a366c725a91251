"""Django's registration of the ground floor."""

import gc

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class MarketplaceConfig(AppConfig):
    name = "marketplace"
    verbose_name = _("Members and journal")

    def ready(self) -> None:
        from marketplace import checks, languages, lookups, member_notices, task_trails, webhook_notices  # noqa: F401  they listen once loaded
        from marketplace.slowness import watch_statements
        from marketplace.trigger_owners import keep_to_owners

        post_migrate.connect(keep_to_owners, sender=self)
        watch_statements()
        member_notices.register()
        webhook_notices.register()
        gc.freeze()  # what is loaded by now stays: the collector need not search half a million objects again and again


class DeskConfig(AdminConfig):
    """The admin, with the exchange's own site as its default."""

    default_site = "marketplace.admin_site.Desk"
