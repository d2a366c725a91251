"""What people are told of payout accounts."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from marketplace import notifications
from marketplace.notifications import Group, Kind

IF_UNEXPECTED = _("If you did not expect this, stop it on this page and write to the exchange:")
KINDS = [
    Kind(
        code="payout_account.named",
        group=Group.SECURITY,
        label=_("A payout account is named"),
        subject=_("A payout account was named for %(organisation)s"),
        text=_(
            "%(by)s named a new payout account for %(organisation)s: %(account)s. A second person has to confirm it "
            "before it is used."
        ),
        next_step=IF_UNEXPECTED,
        act="manage_members",
        is_required=True,
    ),
    Kind(
        code="payout_account.confirmed",
        group=Group.SECURITY,
        label=_("A payout account is confirmed"),
        subject=_("The payout account of %(organisation)s changes"),
        text=_(
            "A new payout account of %(organisation)s, named by %(named_by)s, was confirmed by %(by)s: %(account)s. "
            "Payouts go to it from %(at)s."
        ),
        next_step=IF_UNEXPECTED,
        act="manage_members",
        is_required=True,
    ),
    Kind(
        code="payout_account.dropped",
        group=Group.SECURITY,
        label=_("A payout account is dropped"),
        subject=_("The new payout account of %(organisation)s was dropped"),
        text=_(
            "The new payout account that was named for %(organisation)s, %(account)s, was dropped by %(by)s. Payouts "
            "go where they went before."
        ),
        next_step=IF_UNEXPECTED,
        act="manage_members",
        is_required=True,
    ),
]


def register() -> None:
    """Make them known; called once, when Django has loaded the app."""
    notifications.register(*KINDS)
