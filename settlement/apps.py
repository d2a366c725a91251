"""Django's registration of the settlement app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SettlementConfig(AppConfig):
    name = "settlement"
    verbose_name = _("Settlement")

    def ready(self) -> None:
        from settlement import checks, due, figures, money_notices, notification_kinds, trade_notices, webhook_events

        checks.register()
        due.watch()
        notification_kinds.register()
        trade_notices.register()
        money_notices.register()
        webhook_events.register()
        figures.tell()
