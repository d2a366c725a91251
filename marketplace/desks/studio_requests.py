"""Requests for access: who asks for what and why, until when the seller answers, and the answer in place."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from compliance.dossier_models import DossierSection, Section
from compliance.models import Verification
from compliance.states import VerificationState
from listings.models import Version
from listings.product_page import language_of
from marketplace import clock
from marketplace.models import Organisation, User
from marketplace.participants import acting_organisation
from marketplace.regions import place_name
from marketplace.roles import MEMBER_ACTS
from marketplace.signed_in import person
from settlement import deadlines, merchant_page, track_record, trade_page
from settlement.models import Trade
from settlement.states import TradeState

ON_A_PAGE = 20


@login_required
@require_safe
def requests(request: HttpRequest) -> HttpResponse:
    """What waits for the seller's answer, the nearest deadline first, and how it answered so far."""
    seller = acting_organisation(request)
    waiting = Trade.objects.sold_by(seller).filter(state=TradeState.PROPOSED)
    shown = waiting.select_related("buyer", "version", "offer", "listing").order_by("agree_until", "pk")
    page = Paginator(shown, ON_A_PAGE).get_page(request.GET.get("page"))
    record = track_record.of(seller)
    context = {
        "seller": seller,
        "page": page,
        "rows": _rows(list(page.object_list), seller, person(request)),
        "answered": record.answered,
        "answer_time": merchant_page.long_words(record.answer_time) if record.answer_time else "",
        "days": trade_page.days_to_answer(),
    }
    return render(request, "settlement/requests.html", context)


def _rows(shown: list[Trade], seller: Organisation, by: User) -> list[dict[str, Any]]:
    """Each request with its buyer as the exchange knows it, in a fixed number of statements."""
    buyers = {trade.buyer_id for trade in shown}
    verified = set(
        Verification.objects.filter(organisation__in=buyers, state=VerificationState.VERIFIED).values_list(
            "organisation", flat=True
        )
    )
    told = DossierSection.objects.filter(organisation__in=buyers, section=Section.ACTIVITY)
    sectors = {row.organisation_id: row.facts.get("sector", "") for row in told}
    until = deadlines.of_many(shown)
    role = by.role_in(seller)
    may = [act for act in ("agree", "decline") if role in MEMBER_ACTS[act]]
    return [
        {
            "trade": trade,
            "title_lang": language_of(trade.version, trade.version.titles),
            "is_verified": trade.buyer_id in verified,
            "place": place_name(trade.buyer.country, trade.buyer.region),
            "sector": Version.Sector(sector).label if (sector := sectors.get(trade.buyer_id)) else "",
            "age_days": (clock.now() - trade.proposed_at).days,
            "until": until[trade.pk],
            "acts": trade_page.answer_buttons(trade, may),
        }
        for trade in shown
    ]
