"""The pages of a trade: follow it, act on it; and the lists of what one buys and sells."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from listings import licence_contract
from listings.product_page import language_of
from marketplace import posted
from marketplace.bells import ring
from marketplace.models import Organisation
from marketplace.participants import acting_organisation
from marketplace.signed_in import person
from settlement import trade_acts, trade_page, waits
from settlement.models import Trade
from settlement.states import TRADE_MOVES, TradeState

ON_A_PAGE = 25
ENDED = [state for state, moves in TRADE_MOVES.items() if not moves]
WAITS_FOR = {
    "buyer": Q(state__in=[TradeState.REGISTERED, TradeState.DELIVERED]),
    "seller": Q(state=TradeState.PROPOSED) | Q(state=TradeState.DISPUTED, dispute__answer=""),
}
PARTIES = ("seller", "buyer")
PARTS = (
    *PARTIES,
    "offer",
    "listing",
    "version__registration",
    "version__release",
    "release",
    "fee_schedule",
    "cycle",
    "certificate",
    "renews",
    "upgrades",
)


# --- lists ---------------------------------------------------------------------------------------------------------


@login_required
@require_safe
def orders(request: HttpRequest) -> HttpResponse:
    """What this organisation buys."""
    return _trades(request, "buyer")


@login_required
@require_safe
def sales(request: HttpRequest) -> HttpResponse:
    """What this organisation sells."""
    return _trades(request, "seller")


def _trades(request: HttpRequest, side: str) -> HttpResponse:
    organisation = acting_organisation(request)
    own = Trade.objects.bought_by(organisation) if side == "buyer" else Trade.objects.sold_by(organisation)
    shows = {"waiting": WAITS_FOR[side], "open": ~Q(state__in=ENDED), "ended": Q(state__in=ENDED), "all": Q()}
    counts = own.aggregate(**{name: Count("pk", filter=shows[name]) for name in ("waiting", "open", "ended")})
    show = request.GET.get("show", "all")
    rows = own.filter(shows.get(show, Q())).select_related("version", *PARTIES).order_by("-pk")
    page = Paginator(rows, ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "side": side,
        "page": page,
        "rows": _rows(page.object_list, organisation),
        "show": show if show in shows else "all",
        "tabs": [
            {"show": "all", "label": _("All"), "count": counts["open"] + counts["ended"]},
            {"show": "waiting", "label": _("Waiting for you"), "count": counts["waiting"]},
            {"show": "open", "label": _("Under way"), "count": counts["open"]},
            {"show": "ended", "label": _("Ended"), "count": counts["ended"]},
        ],
    }
    return render(request, "settlement/trades.html", context)


def _rows(shown: QuerySet[Trade] | Any, organisation: Organisation) -> list[dict[str, Any]]:
    """Each trade with who acts next and by when, in a fixed number of statements."""
    found = list(shown)
    following_of = waits.of_many(found)
    rows = []
    for trade in found:
        following = following_of[trade.pk]
        side = "buyer" if trade.buyer_id == organisation.pk else "seller"
        rows.append(
            {
                "trade": trade,
                "title_lang": language_of(trade.version, trade.version.titles),
                "other": trade.seller if side == "buyer" else trade.buyer,
                "following": following,
                "is_ours": following.who == side,
                "who": trade_page.who(following.who, trade, None),
            }
        )
    return rows


# --- one trade -----------------------------------------------------------------------------------------------------


@login_required
@require_safe
@never_cache
def trade(request: HttpRequest, trade_id: str) -> HttpResponse:
    """One trade, as the organisation acted for sees it. Its links to files are this person's alone."""
    organisation = acting_organisation(request)
    found = get_object_or_404(Trade.objects.visible_to(organisation).select_related(*PARTS), public_id=trade_id)
    return render(request, "settlement/trade.html", trade_page.context(found, organisation, person(request)))


@login_required
@require_safe
@never_cache
def trade_contract(request: HttpRequest, trade_id: str) -> HttpResponse:
    """The contract of a trade as it was proposed, with who agreed and when as far as they have."""
    organisation = acting_organisation(request)
    own = Trade.objects.visible_to(organisation).exclude(text_digest="")
    found = get_object_or_404(
        own.select_related(*PARTS, "agreement__buyer_by", "agreement__seller_by"), public_id=trade_id
    )
    context = {
        "trade": found,
        "contract": licence_contract.shown(found.offer, found.version, found.discount),
        "agreement": getattr(found, "agreement", None),
    }
    return render(request, "settlement/contract.html", context)


@login_required
@require_POST
def trade_act(request: HttpRequest, trade_id: str, act: str) -> HttpResponse:
    """One of the acts of either side, once for each form that was shown."""
    asked = trade_acts.ACTS.get(act)
    if asked is None:
        raise Http404
    organisation = acting_organisation(request)
    own = Trade.objects.sold_by(organisation) if asked.side == "seller" else Trade.objects.bought_by(organisation)
    found = get_object_or_404(own.select_related(*PARTS), public_id=trade_id)
    said: dict[str, Any] = {}
    if asked.form is not None:
        form = asked.form(request.POST, auto_id=f"{act}_%s")
        if not form.is_valid():
            context = trade_page.context(found, organisation, person(request), {act: form})
            return render(request, "settlement/trade.html", context, status=422)
        said = form.cleaned_data
    posted.posted_once(request, organisation, lambda: bool(asked.run(found, said, person(request))))
    if asked.bell is not None:
        ring(asked.bell)
    messages.success(request, asked.done)
    if request.POST.get("back") == "requests" and asked.side == "seller":
        return redirect("studio_requests")
    return redirect("trade", trade_id)
