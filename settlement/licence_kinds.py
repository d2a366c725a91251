"""What buyers are told of their licences' ends: that they come, that they are renewed, or cannot be."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from marketplace.notifications import Group, Kind

KINDS = [
    Kind(
        code="grant.ending",
        group=Group.TRADES,
        label=_("An access of yours ends soon"),
        subject=_("Your access to “%(title)s” ends on %(until)s"),
        text=_("Take what you need before, or buy it again: the product's page shows the offers there are."),
        act="download",
    ),
    Kind(
        code="grant.renewing",
        group=Group.TRADES,
        label=_("A licence of yours will be renewed"),
        subject=_("Your licence of “%(title)s” is renewed on %(on)s"),
        text=_(
            "It ends on %(until)s. The exchange buys it again for you on the same offer, at the price in force then"
            " (now %(price)s), unless you stop that before."
        ),
        act="propose",
    ),
    Kind(
        code="renewal.stopped",
        group=Group.TRADES,
        label=_("A licence of yours cannot be renewed"),
        subject=_("Your licence of “%(title)s” is not renewed"),
        text=_(
            "The same offer cannot be bought again: it is off sale or sold out, or whoever ordered the renewal may not"
            " buy any more. The licence lasts until its end."
        ),
        next_step=_("See what is offered now, or order the renewal anew:"),
        act="propose",
        is_required=True,
    ),
    Kind(
        code="renewal.upgraded",
        group=Group.TRADES,
        label=_("A licence of yours was upgraded, and its renewal ended"),
        subject=_("Your upgraded licence of “%(title)s” is not renewed by itself"),
        text=_(
            "The order to renew ended with the licence it was given for: the new one costs more. If the new one is to"
            " be renewed too, say so on its order."
        ),
        act="propose",
    ),
    Kind(
        code="trial.ending",
        group=Group.TRADES,
        label=_("A trial of yours ends"),
        subject=_("Your trial of “%(title)s” ends on %(until)s"),
        text=_("Nothing is bought unless you say so. To go on, take the paid plan: it costs %(price)s."),
        act="propose",
    ),
    Kind(
        code="trial.converting",
        group=Group.TRADES,
        label=_("A trial of yours goes on with its paid plan"),
        subject=_("Your trial of “%(title)s” goes on with the paid plan on %(on)s"),
        text=_(
            "As you ordered, the exchange then buys the paid plan for you, for %(price)s. Until the moment the trial"
            " ends you may stop that in your library."
        ),
        act="propose",
        is_required=True,
    ),
    Kind(
        code="trial.stopped",
        group=Group.TRADES,
        label=_("A trial of yours cannot go on"),
        subject=_("Your trial of “%(title)s” does not go on"),
        text=_(
            "The paid plan cannot be bought: it is off sale or sold out, or whoever ordered it may not buy any more."
            " Nothing is charged; the trial is over at its end."
        ),
        next_step=_("See what is offered now:"),
        act="propose",
        is_required=True,
    ),
    Kind(
        code="grant.end_moved",
        group=Group.TRADES,
        label=_("An access of yours ends on another day"),
        subject=_("Your access to “%(title)s” now ends on %(until)s"),
        text=_(
            "The licence before it ended early, because its money went back. The term of this one begins there; it is"
            " as long as what you paid for."
        ),
        act="download",
        is_required=True,
    ),
    Kind(
        code="grant.ended",
        group=Group.TRADES,
        label=_("An access of yours has ended"),
        subject=_("Your access to “%(title)s” has ended"),
        text=_("The term of the licence is over."),
        act="download",
    ),
]
