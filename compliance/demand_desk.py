"""The desk of demands: what members look for, how long already, matched with sellers or hidden for a reason."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from compliance import demand_page, demands
from compliance.demand_forms import DemandHidingForm, MatchForm
from compliance.models import Demand
from marketplace import clock, roles
from marketplace.desk_pages import ROWS_ON_A_PAGE, act_button, acted, desk, parsed, render_desk
from marketplace.errors import Invalid
from marketplace.models import Organisation, User
from marketplace.signed_in import person

SHOWS = {"open", "unanswered", "ended", "hidden"}
LATEST_SHOWN = 50


@desk("demands")
@require_safe
def demands_list(request: HttpRequest) -> HttpResponse:
    """Open demands, the oldest first; then those ended and hidden."""
    show = request.GET.get("show", "open")
    show = show if show in SHOWS else "open"
    rows = Demand.objects.open() if show in ("open", "unanswered") else Demand.objects.all()
    rows = rows.select_related("organisation").annotate(
        answers=Count("responses", distinct=True), matched=Count("matches", distinct=True)
    )
    if show in ("open", "unanswered"):
        rows = rows.order_by("posted_at", "pk")
        rows = rows.filter(answers=0) if show == "unanswered" else rows
    elif show == "hidden":
        rows = rows.filter(hidden_at__isnull=False).order_by("-hidden_at", "-pk")
    else:
        rows = rows.filter(ended_at__isnull=False).order_by("-ended_at", "-pk")
    page = Paginator(rows, ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    now = clock.now()
    shown = [{"demand": one, "standing": demand_page.standing(one), "days": (now - one.posted_at).days} for one in page]
    return render_desk(request, "demands", "admin/desks/demands.html", {"page": page, "rows": shown, "show": show})


@desk("demands")
@require_safe
def demand(request: HttpRequest, public_id: str) -> HttpResponse:
    """One demand with its matches and answers, and what this person may do."""
    found = get_object_or_404(
        Demand.objects.select_related("organisation", "by", "hidden_by", "met_by__current_version", "met_by__seller"),
        public_id=public_id,
    )
    rows = found.responses.select_related("seller", "listing__seller", "listing__current_version")
    context = {
        "demand": found,
        "standing": demand_page.standing(found),
        "facts": demand_page.facts(found),
        "matches": found.matches.select_related("seller", "by", "listing__seller", "listing__current_version"),
        "responses": rows.defer(*demand_page.LONG_COLUMNS).order_by("-pk")[:LATEST_SHOWN],
        "acts": _acts(found, person(request)),
        "days": (clock.now() - found.posted_at).days,
    }
    return render_desk(request, "demands", "admin/desks/demand.html", context)


def _acts(found: Demand, by: User) -> list[dict[str, Any]]:
    url = reverse("desk_demand_act", args=[found.public_id])
    acts = []
    if found.is_open and roles.staff_may(by, "match_demand"):
        acts.append(act_button("match", _("Match with a seller"), url, form=MatchForm(auto_id="match_%s")))
    if found.hidden_at is None and roles.staff_may(by, "hide_demand"):
        confirm = _("Only its poster and who answered it see it from then on, and your reason.")
        form = DemandHidingForm(auto_id="hide_%s")
        acts.append(act_button("hide", _("Hide"), url, form=form, confirm=confirm, tone="danger"))
    return acts


@desk("demands")
@require_POST
def demand_act(request: HttpRequest, public_id: str) -> HttpResponse:
    """Match it, or hide it."""
    found = get_object_or_404(Demand, public_id=public_id)
    by, act = person(request), request.POST.get("act", "")
    back = reverse("desk_demand", args=[public_id])
    if act == "match":
        said = parsed(MatchForm(request.POST))
        seller = seller_of(said["seller"], said["product"])
        done = _("The seller is written to.")
        told = {"product": said["product"], "note": said["note"]}
        return acted(request, lambda: demands.match(found, seller=seller, by=by, **told), done=done, back=back)
    if act == "hide":
        reason = parsed(DemandHidingForm(request.POST))["reason"]
        return acted(
            request, lambda: demands.hide(found, reason=reason, by=by), done=_("The demand is hidden."), back=back
        )
    raise Http404


def seller_of(number: str, product: str) -> Organisation:
    """The seller of this number, or of a page address that ends in it; else the seller of the product.

    Raises Invalid, NoSuchProduct.
    """
    if not number.strip() and product.strip():
        return demands.product_on_sale(product).seller
    public_id = number.strip().rstrip("/").rpartition("/")[2][:40]
    found = None if "\0" in public_id else Organisation.objects.filter(public_id=public_id).first()
    if found is None:
        raise Invalid(_("There is no such seller."), code="no_such_seller")
    return found
