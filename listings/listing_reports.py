"""Reports of products: made by anyone signed in, decided by the review desk, every decision kept and told."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from listings import plain_text, report_notices
from listings.models import Listing, ListingReport, ReportCategory
from listings.states import REPORT_MOVES, ListingState, ReportState
from marketplace import clock, joint_merchants, journal, roles
from marketplace.errors import Invalid, Refused, RoleNeeded, WrongState
from marketplace.models import Membership, User

LONGEST_TEXT = 2000
MOST_A_DAY = 10


class TooManyReports(Refused):
    """You reported as many products as one person may in a day."""

    code = "too_many_reports"
    status = 429
    says = _("You reported as many products as one person may in a day.")
    next = _("Try again tomorrow, or write to the exchange.")


class NotOnSale(Refused):
    """This product is not on sale."""

    code = "not_on_sale"
    says = _("This product is not on sale.")
    next = _("Write to the exchange about what is not on sale any more.")


@transaction.atomic
def report(listing: Listing, *, category: str, text: str, by: User) -> ListingReport:
    """Report a product on sale to the exchange. Its seller is not told who did.

    Raises NotOnSale, Invalid, TooManyReports, and Refused `own_product`, `reported_already`.
    """
    # The person's row is locked, so that of two reports at once not both are the last one allowed.
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    found = Listing.objects.select_related("seller").get(pk=listing.pk)
    if Membership.objects.filter(user=by, organisation=found.seller, ended_at=None).exists():
        raise Refused(_("This is your own product."), code="own_product", next=_("Withdraw it, or send a new version."))
    if found.state != ListingState.LISTED:
        raise NotOnSale()
    if category not in ReportCategory.values:
        raise Invalid(
            _("Say what it is about: %(known)s."), code="no_such_category", known=", ".join(ReportCategory.values)
        )
    text = plain_text.needed(text, _("Say what is wrong with this product."), LONGEST_TEXT)
    own = ListingReport.objects.filter(by=by)
    if own.filter(listing=found, state=ReportState.OPEN).exists():
        raise Refused(
            _("You reported this product already."),
            code="reported_already",
            next=_("Wait for the decision; you are written to."),
        )
    if own.filter(reported_at__gt=clock.now() - dt.timedelta(days=1)).count() >= MOST_A_DAY:
        raise TooManyReports()
    made = ListingReport.objects.create(listing=found, category=category, text=text, by=by)
    journal.record("listing_report.made", made, by=by, listing=found.pk, category=category)
    return made


@transaction.atomic
def dismiss(made: ListingReport, *, decision: str, by: User) -> ListingReport:
    """Nothing is wrong, or nothing that the exchange acts upon. Raises RoleNeeded, WrongState, Invalid."""
    return _decide(made, "dismiss", decision, by)


@transaction.atomic
def act_upon(made: ListingReport, *, decision: str, by: User) -> ListingReport:
    """The report was right, and the reason says what was done. Raises RoleNeeded, WrongState, Invalid."""
    return _decide(made, "act_upon", decision, by)


def _decide(made: ListingReport, act: str, decision: str, by: User) -> ListingReport:
    roles.require_staff(by, "decide_report")
    rows = ListingReport.objects.select_for_update(no_key=True, of=("self",))
    found = rows.select_related("listing__current_version", "by").get(pk=made.pk)
    after = REPORT_MOVES[ReportState(found.state)].get(act)
    if after is None:
        raise WrongState(_("This report is decided already."))
    if found.by_id == by.pk or joint_merchants.has_interest(by, found.listing.seller_id):
        raise RoleNeeded(
            _("You have an interest in this report."),
            code="own_report",
            next=_("Let a colleague who has none decide."),
        )
    found.decision = plain_text.needed(decision, _("Say why, in words the reporter reads."), LONGEST_TEXT)
    found.state, found.decided_by, found.decided_at = after, by, clock.now()
    found.save(update_fields=["state", "decision", "decided_by", "decided_at"])
    journal.record(f"listing_report.{found.state}", found, by=by, listing=found.listing_id)
    report_notices.tell_of_decision(found)
    return found
