"""Whoever reported a product is told what was decided."""

from __future__ import annotations

from listings.models import ListingReport
from marketplace import notifications


def tell_of_decision(report: ListingReport) -> None:
    """Who reported it reads what was decided, and why."""
    listing, version = report.listing, report.listing.current_version
    title = version.titles if version else str(listing)
    notifications.tell(
        f"report.{report.state}",
        people=[report.by],
        path=listing.get_absolute_url(),
        facts={"title": title, "report": report.text, "quote": report.decision},
    )
