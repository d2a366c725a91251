"""What owners are told of their webhooks."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from marketplace import notifications
from marketplace.notifications import Group, Kind

KINDS = [
    Kind(
        code="webhook.stopped",
        group=Group.ORGANISATION,
        label=_("A webhook is stopped because it fails"),
        subject=_("A webhook of %(organisation)s was stopped"),
        text=_("%(url)s answered that it is gone, or failed for days. Nothing is sent to it any more."),
        next_step=_("Mend it, resume it on this page and send again what failed:"),
        act="manage_tokens",
    ),
]


def register() -> None:
    """Make the kinds known; called once, when Django has loaded the app."""
    notifications.register(*KINDS)
