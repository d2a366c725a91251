"""What waits to be done here, for the health page and the desk of stuck work."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

from compliance.models import Demand, Proof
from marketplace import health


def watch() -> None:
    """Tell the health page of every kind of work; called once, when Django has loaded the app."""
    health.register(_("papers to draw"), lambda: Proof.objects.filter(drawn_at=None))
    health.register(_("demands to end"), Demand.objects.due_to_lapse, since="open_until")
