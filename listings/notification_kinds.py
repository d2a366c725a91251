"""What people are told of products: offers made to them, questions, objections, reports."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from marketplace import notifications
from marketplace.notifications import Group, Kind

KINDS = [
    Kind(
        code="listing.published",
        group=Group.PRODUCTS,
        label=_("A product of yours is listed"),
        subject=_("“%(title)s” is listed"),
        text=_("Buyers find it in the catalogue now."),
        act="edit_listing",
    ),
    Kind(
        code="listing.suspended",
        group=Group.PRODUCTS,
        label=_("A product of yours is suspended"),
        subject=_("“%(title)s” is suspended"),
        text=_("No new trades are made until it is resumed; trades that were agreed go on. The reason:"),
        act="edit_listing",
    ),
    Kind(
        code="listing.resumed",
        group=Group.PRODUCTS,
        label=_("A product of yours is on sale again"),
        subject=_("“%(title)s” is on sale again"),
        act="edit_listing",
    ),
    Kind(
        code="listing.withdrawn",
        group=Group.PRODUCTS,
        label=_("A product of yours is withdrawn"),
        subject=_("“%(title)s” was withdrawn"),
        text=_("It is sold no more; accesses that were bought stay. The reason:"),
        act="edit_listing",
    ),
    Kind(
        code="offer.for_you",
        group=Group.BUYING,
        label=_("An offer made to you"),
        subject=_("%(seller)s makes you an offer for “%(title)s”"),
        text=_("%(seller)s offers “%(title)s” to your organisation for %(price)s."),
        next_step=_("Only those the offer names see it:"),
        act="propose",
    ),
    Kind(
        code="question.asked",
        group=Group.PRODUCTS,
        label=_("A question about your product"),
        subject=_("A question about “%(title)s”"),
        text=_("Somebody asks about “%(title)s”:"),
        next_step=_(
            "Only you and whoever asked see the question until you answer it; then everybody reads question "
            "and answer "
            "on the product's page. Answer here:"
        ),
        act="edit_listing",
    ),
    Kind(
        code="question.answered",
        group=Group.BUYING,
        label=_("Your question is answered"),
        subject=_("The seller of “%(title)s” answered your question"),
        text=_("You asked: “%(question)s” The seller answers:"),
        next_step=_("Question and answer stand on the product's page, without your name:"),
    ),
    Kind(
        code="question.hidden",
        group=Group.PRODUCTS,
        label=_("A question is hidden"),
        subject=_("A question about “%(title)s” is hidden"),
        text=_("The exchange has hidden this question about “%(title)s”; only its two sides still see it:"),
        next_step=_("The reason: %(reason)s"),
        act="edit_listing",
    ),
    Kind(
        code="objection.filed",
        group=Group.PRODUCTS,
        label=_("An objection to a registration of yours"),
        subject=_("An objection to the registration of “%(title)s”"),
        text=_("Somebody objects to the registration of “%(title)s” (%(number)s) while it is made public:"),
        next_step=_(
            "Until the exchange has decided, the product is not listed. You need do nothing; if you wish to answer, "
            "write to the exchange. The entry in the register:"
        ),
        act="edit_listing",
    ),
    Kind(
        code="objection.upheld",
        group=Group.PRODUCTS,
        label=_("An objection to a registration of yours is upheld"),
        subject=_("The objection to “%(title)s” is decided"),
        text=_(
            "The exchange upheld the objection to the registration of “%(title)s” (%(number)s): it is not "
            "listed under "
            "this registration."
        ),
        next_step=_("You may send a new version for review. The entry in the register:"),
        act="edit_listing",
    ),
    Kind(
        code="objection.dismissed",
        group=Group.PRODUCTS,
        label=_("An objection to a registration of yours is dismissed"),
        subject=_("The objection to “%(title)s” is decided"),
        text=_(
            "The exchange dismissed the objection to the registration of “%(title)s” (%(number)s); it no "
            "longer stands "
            "in the way of the listing."
        ),
        next_step=_("The entry in the register:"),
        act="edit_listing",
    ),
    Kind(
        code="own_objection.upheld",
        group=Group.BUYING,
        label=_("Your objection is upheld"),
        subject=_("The objection to “%(title)s” is decided"),
        text=_(
            "The exchange upheld the objection to the registration of “%(title)s” (%(number)s): it is not "
            "listed under "
            "this registration."
        ),
        next_step=_("The entry in the register:"),
    ),
    Kind(
        code="own_objection.dismissed",
        group=Group.BUYING,
        label=_("Your objection is dismissed"),
        subject=_("The objection to “%(title)s” is decided"),
        text=_(
            "The exchange dismissed the objection to the registration of “%(title)s” (%(number)s); it no "
            "longer stands "
            "in the way of the listing."
        ),
        next_step=_("The entry in the register:"),
    ),
    Kind(
        code="report.acted_upon",
        group=Group.BUYING,
        label=_("The exchange acted upon your report"),
        subject=_("Your report of “%(title)s” is decided"),
        text=_("The exchange acted upon your report of “%(title)s”:"),
        next_step=_("You reported: %(report)s"),
    ),
    Kind(
        code="report.dismissed",
        group=Group.BUYING,
        label=_("The exchange dismissed your report"),
        subject=_("Your report of “%(title)s” is decided"),
        text=_("The exchange dismissed your report of “%(title)s”:"),
        next_step=_("You reported: %(report)s"),
    ),
    Kind(
        code="saved_search.found",
        group=Group.BUYING,
        label=_("A saved search found new products"),
        subject=_("New products for “%(name)s”: %(count)s"),
        text=_("Your saved search “%(name)s” found what was newly listed:"),
        next_step=_("See them, or change how often you are told, on this page:"),
    ),
]


def register() -> None:
    """Make them known; called once, when Django has loaded the app."""
    notifications.register(*KINDS)
