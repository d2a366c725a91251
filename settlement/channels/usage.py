"""What a bill of calls delivers: its usage statement, how many calls were made on which day under which release.

The statement is a file of CSV, made once and kept with the access, so that its digest stands on the delivery record.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count
from django.db.models.functions import TruncDate

from marketplace.spreadsheets import safe_cell
from settlement.channels import Access, Use

if TYPE_CHECKING:
    from listings.models import Offer
    from settlement.models import Grant, Trade


class UsageStatements:
    """Delivers the usage statements of bills."""

    name = "usage"

    def check(self, offer: Offer) -> list[str]:
        return []

    def open(self, grant: Grant) -> Access:
        text = statement(grant.trade)
        digest = hashlib.sha256(text.encode()).hexdigest()
        file = {"path": f"usage-{grant.trade}.csv", "size_bytes": len(text.encode()), "sha256": digest}
        return Access(facts={"files": [file], "digest": f"sha256:{digest}", "statement": text})

    def close(self, grant: Grant) -> None:
        """Nothing stands outside our own books."""

    def usage(self, grant: Grant, since: dt.datetime) -> Iterable[Use]:
        return ()

    def health(self) -> str:
        return ""


def statement(bill: Trade) -> str:
    """The calls of a bill by day of the exchange's own time zone, as CSV; their sum is what it charges for."""
    from settlement.models import Call

    first, quantity = bill.first_call or 0, bill.quantity or 0
    calls = Call.objects.filter(grant__trade=bill.bills_id, number__gte=first, number__lt=first + quantity)
    days = calls.annotate(day=TruncDate("at", tzinfo=ZoneInfo(settings.TIME_ZONE))).values_list("day").order_by("day")
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    lines.writerow(["day", "release", "release_digest", "calls"])
    for day, number in days.annotate(number=Count("pk")):
        lines.writerow([day.isoformat(), safe_cell(bill.release.label), bill.release.digest, number])
    return text.getvalue()
