"""What people are told of reviews; of demands, in a module of its own."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from compliance import demand_kinds
from marketplace import notifications
from marketplace.notifications import Group, Kind

KINDS = [
    Kind(
        code="review.question_asked",
        group=Group.PRODUCTS,
        label=_("The reviewers ask about your product"),
        subject=_("The reviewers ask about “%(title)s”"),
        text=_("The reviewers ask about “%(title)s”, version %(number)s:"),
        next_step=_("Answer on this page. Until then the review waits, and its time stands still:"),
        act="edit_listing",
    ),
    Kind(
        code="review.approved",
        group=Group.PRODUCTS,
        label=_("Your product is approved"),
        subject=_("“%(title)s” was approved"),
        text=_(
            "Two reviewers approved “%(title)s”, version %(number)s. The exchange now registers it; you need do "
            "nothing."
        ),
        act="edit_listing",
    ),
    Kind(
        code="review.changes_requested",
        group=Group.PRODUCTS,
        label=_("The reviewers ask for changes"),
        subject=_("The reviewers ask for changes of “%(title)s”"),
        text=_("The review of “%(title)s”, version %(number)s, asks for changes before it can be approved:"),
        next_step=_("Open a new draft, change what is named, and hand it in again. The decision stands on this page:"),
        act="edit_listing",
    ),
    Kind(
        code="review.refused",
        group=Group.PRODUCTS,
        label=_("Your product is refused"),
        subject=_("“%(title)s” was refused"),
        text=_("The review refused “%(title)s”, version %(number)s:"),
        next_step=_("If the reason no longer holds, send a new version. The decision stands on this page:"),
        act="edit_listing",
    ),
]


def register() -> None:
    """Make them known; called once, when Django has loaded the app."""
    notifications.register(*KINDS, *demand_kinds.KINDS)
