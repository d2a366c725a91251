"""What people are told of their organisation's standing, of holds and reviews; of demands, in a module of its own."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from compliance import demand_kinds
from marketplace import notifications
from marketplace.notifications import Group, Kind

KINDS = [
    Kind(
        code="organisation.verified",
        group=Group.ORGANISATION,
        label=_("Your application is decided: verified"),
        subject=_("%(organisation)s is verified"),
        text=_("It may now do on the exchange what its tier allows."),
        act="apply",
    ),
    Kind(
        code="organisation.more_requested",
        group=Group.ORGANISATION,
        label=_("The exchange asks for more before it decides"),
        subject=_("The exchange asks %(organisation)s for more"),
        text=_("What is missing:"),
        next_step=_("Add it and send the application again:"),
        act="apply",
    ),
    Kind(
        code="organisation.refused",
        group=Group.ORGANISATION,
        label=_("Your application is decided: refused"),
        subject=_("The application of %(organisation)s was refused"),
        text=_("The reason:"),
        act="apply",
    ),
    Kind(
        code="organisation.suspended",
        group=Group.ORGANISATION,
        label=_("Your organisation is suspended"),
        subject=_("%(organisation)s is suspended"),
        text=_("It can make no new trades and accesses rest until it is reinstated. The reason:"),
        act="apply",
        is_required=True,
    ),
    Kind(
        code="organisation.reinstated",
        group=Group.ORGANISATION,
        label=_("Your organisation is reinstated"),
        subject=_("%(organisation)s is reinstated"),
        text=_("What rested goes on."),
        act="apply",
        is_required=True,
    ),
    Kind(
        code="organisation.expelled",
        group=Group.ORGANISATION,
        label=_("Your organisation is expelled"),
        subject=_("%(organisation)s is expelled"),
        text=_("The reason:"),
        act="apply",
        is_required=True,
    ),
    Kind(
        code="organisation.held",
        group=Group.ORGANISATION,
        label=_("A hold is placed on your organisation"),
        subject=_("The exchange holds %(organisation)s"),
        text=_(
            "Until the hold is lifted its trades, deliveries, clearing and payouts stand still, and so do their "
            "deadlines; refunds go on. The exchange says:"
        ),
        next_step=_("If you can help to clear it up, write to the exchange. How your organisation stands:"),
        act="apply",
        is_required=True,
    ),
    Kind(
        code="organisation.released",
        group=Group.ORGANISATION,
        label=_("A hold on your organisation is lifted"),
        subject=_("The hold on %(organisation)s is lifted"),
        text=_("What stood still because of it goes on; deadlines go on from where they stood."),
        act="apply",
        is_required=True,
    ),
    Kind(
        code="facts.changed",
        group=Group.ORGANISATION,
        label=_("A change of vetted facts is confirmed"),
        subject=_("A change of the facts of %(organisation)s is confirmed"),
        text=_("The new facts stand from now on."),
        act="apply",
    ),
    Kind(
        code="facts.change_refused",
        group=Group.ORGANISATION,
        label=_("A change of vetted facts is refused"),
        subject=_("A change of the facts of %(organisation)s is refused"),
        text=_("The old facts stand. The reason:"),
        act="apply",
    ),
    Kind(
        code="proof.expiring",
        group=Group.ORGANISATION,
        label=_("A paper of yours expires"),
        subject=_("A paper of %(organisation)s expires on %(day)s"),
        text=_("%(paper)s. Show the new one and withdraw the old."),
        act="apply",
    ),
    Kind(
        code="joint_member.named",
        group=Group.ORGANISATION,
        label=_("Your organisation is named as a member of a joint merchant"),
        subject=_("%(joint)s names %(organisation)s as a member"),
        text=_("It becomes one only if an owner of it consents."),
        act="apply",
    ),
    Kind(
        code="listing.held",
        group=Group.PRODUCTS,
        label=_("A hold is placed on a product of yours"),
        subject=_("The exchange holds “%(title)s”"),
        text=_(
            "Until the hold is lifted nothing of it is sold, and the trades of it stand still with their deadlines; "
            "refunds go on. The exchange says:"
        ),
        next_step=_("If you can help to clear it up, write to the exchange. Your product:"),
        act="edit_listing",
    ),
    Kind(
        code="listing.released",
        group=Group.PRODUCTS,
        label=_("A hold on a product of yours is lifted"),
        subject=_("The hold on “%(title)s” is lifted"),
        text=_("What stood still because of it goes on; deadlines go on from where they stood."),
        act="edit_listing",
    ),
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
