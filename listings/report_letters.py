"""The letter to whoever reported a product, when it is decided."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _

from listings.models import ListingReport
from listings.states import ReportState
from marketplace import letters


def tell_of_decision(report: ListingReport) -> None:
    """Who reported it reads what was decided, and why."""
    listing, version = report.listing, report.listing.current_version
    letters.write_to_each(
        [report.by],
        lambda: _("Your report of “%s” is decided") % (version.title if version else listing),
        "listings/report_decision_letter.txt",
        {
            "report": report,
            "version": version,
            "is_acted_upon": report.state == ReportState.ACTED_UPON,
            "url": settings.BASE_URL + listing.get_absolute_url(),
        },
    )
