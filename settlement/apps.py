"""Django's registration of the settlement app."""

from django.apps import AppConfig


class SettlementConfig(AppConfig):
    name = "settlement"
    verbose_name = "Settlement"

    def ready(self) -> None:
        from settlement import due

        due.watch()
