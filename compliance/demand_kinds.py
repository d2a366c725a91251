"""What people are told of demands."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from marketplace.notifications import Group, Kind

POSTER, SELLER = "post_demand", "answer_demand"

KINDS = [
    Kind(
        code="demand.answered",
        group=Group.BUYING,
        label=_("Your demand has an answer"),
        subject=_("Your demand “%(title)s” has an answer"),
        text=_("A seller answers your demand “%(title)s”:"),
        next_step=_("Ask, decline, or mark the demand as met on its page:"),
        act=POSTER,
    ),
    Kind(
        code="demand.seller_wrote",
        group=Group.BUYING,
        label=_("A seller writes about your demand"),
        subject=_("A seller writes about your demand “%(title)s”"),
        text=_("A seller who answered your demand “%(title)s” writes:"),
        act=POSTER,
    ),
    Kind(
        code="demand.poster_wrote",
        group=Group.PRODUCTS,
        label=_("The poster of a demand writes to you"),
        subject=_("The poster of “%(title)s” writes to you"),
        text=_("You answered the demand “%(title)s”. Its poster writes:"),
        act=SELLER,
    ),
    Kind(
        code="demand.answer_declined",
        group=Group.PRODUCTS,
        label=_("Your answer to a demand was declined"),
        subject=_("Your answer to the demand “%(title)s” was declined"),
        text=_("The poster of the demand “%(title)s” declined your answer."),
        act=SELLER,
    ),
    Kind(
        code="demand.answer_withdrawn",
        group=Group.BUYING,
        label=_("An answer to your demand was taken back"),
        subject=_("An answer to your demand “%(title)s” was taken back"),
        text=_("A seller took its answer to your demand “%(title)s” back:"),
        act=POSTER,
    ),
    Kind(
        code="demand.ended",
        group=Group.PRODUCTS,
        label=_("A demand you answered has ended"),
        subject=_("The demand “%(title)s” has ended"),
        text=_("The demand “%(title)s”, which you answered, was met or closed, or has lapsed; its page says which:"),
        act=SELLER,
    ),
    Kind(
        code="demand.lapsed",
        group=Group.BUYING,
        label=_("Your demand has lapsed"),
        subject=_("Your demand “%(title)s” has lapsed"),
        text=_("Your demand “%(title)s” takes no more answers: its time has passed."),
        next_step=_("If you still need it, post it again from its page:"),
        act=POSTER,
    ),
    Kind(
        code="demand.matched",
        group=Group.PRODUCTS,
        label=_("The exchange matched you with a demand"),
        subject=_("The exchange matched you with the demand “%(title)s”"),
        text=_("The exchange’s staff think you may have what the demand “%(title)s” asks for."),
        next_step=_("Answer on its page:"),
        act=SELLER,
    ),
    Kind(
        code="demand.hidden",
        group=Group.BUYING,
        label=_("The exchange has hidden your demand"),
        subject=_("The exchange has hidden your demand “%(title)s”"),
        text=_(
            "The exchange has hidden your demand “%(title)s”; only you and who answered it still see it. The reason:"
        ),
        act=POSTER,
    ),
]
