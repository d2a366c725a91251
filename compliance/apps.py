"""Django's registration of the compliance app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ComplianceConfig(AppConfig):
    name = "compliance"
    verbose_name = _("Compliance")

    def ready(self) -> None:
        from compliance import due, hold_notices, notification_kinds, standing_notices

        due.watch()
        notification_kinds.register()
        standing_notices.register()
        hold_notices.register()
