"""A merchant as anybody sees it: who it is, what its trades tell, and what it sells."""

from __future__ import annotations

import datetime as dt

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_safe

from compliance.models import Verification
from compliance.states import VerificationState
from compliance.tiers import tier_of
from listings import catalogue
from listings.filters import Filters
from listings.models import Registration
from listings.product_page import card
from marketplace import joint_merchants, marks
from marketplace.models import Organisation
from marketplace.participants import acting_or_none
from marketplace.regions import place_name
from settlement import track_record
from settlement.track_record import Counted

SHOWN = (VerificationState.VERIFIED, VerificationState.SUSPENDED)


@require_safe
def merchant(request: HttpRequest, public_id: str) -> HttpResponse:
    """A member that is verified, or suspended, and ever had a product in the register; 404 for any other."""
    verification = (
        Verification.objects.filter(organisation__public_id=public_id, state__in=SHOWN)
        .select_related("organisation")
        .first()
    )
    if verification is None or not Registration.objects.filter(holder=verification.organisation).exists():
        raise Http404
    found: Organisation = verification.organisation
    on_sale = Filters(merchant=(found.public_id,), show="products")
    page = catalogue.page_of(
        catalogue.browse(filters=on_sale, reader=acting_or_none(request), sort="newest"), request.GET.get("page", "1")
    )
    is_verified = verification.state == VerificationState.VERIFIED
    context = {
        "merchant": found,
        "verification": verification,
        "is_verified": is_verified,
        "place": place_name(found.country, found.region),
        "kinds": [Organisation.Kind(kind).label for kind in found.kinds],
        "tier": tier_of(found),
        "members": joint_merchants.members_of(found),
        "registrations": Registration.objects.filter(holder=found).count(),
        "record": _record(found),
        "page": page,
        "cards": [card(listing) | {"seller_is_verified": is_verified} for listing in page],
    }
    return render(request, "settlement/merchant.html", context)


def _record(found: Organisation) -> list[dict[str, str]]:
    """The record as labels, values and notes."""
    record = track_record.of(found)
    lines = [{"label": _("Trades cleared"), "value": str(record.settled), "note": ""}]
    lines.append(_line(_("Delivered"), record.delivered, _("of the trades that were paid")))
    if record.delivery_time is not None:
        lines.append({"label": _("From payment to delivery"), "value": long_words(record.delivery_time), "note": ""})
    lines.append(_line(_("Objected to"), record.disputed, _("of the trades that were delivered")))
    lines.append({"label": _("Disputes and chargebacks lost"), "value": str(record.lost), "note": ""})
    if record.answered.of:
        lines.append(_line(_("Requests answered in time"), record.answered, _("of the requests it was sent")))
    if record.answer_time is not None:
        lines.append({"label": _("From request to answer"), "value": long_words(record.answer_time), "note": ""})
    return lines


def _line(label: str, counted: Counted, what: str) -> dict[str, str]:
    share = counted.share
    said = _("%(number)s of %(of)s") % {"number": counted.number, "of": counted.of}
    return {
        "label": label,
        "value": said if share is None else marks.percent(share),
        "note": what if share is None else f"{said}{pgettext('between parts of a sentence', ', ')}{what}",
    }


def long_words(time: dt.timedelta) -> str:
    """A duration in the unit people would use: minutes, hours or days."""
    minutes = max(1, round(time.total_seconds() / 60))
    if minutes < 120:
        return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}
    hours = round(minutes / 60)
    if hours < 48:
        return ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": hours}
    days = round(hours / 24)
    return ngettext("%(count)s day", "%(count)s days", days) % {"count": days}
