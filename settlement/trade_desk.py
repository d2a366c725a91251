"""One trade as the staff see it: its story, its money down to the transfers, its uses, and its holds."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from compliance import hold_acts
from compliance.desk_forms import SentenceForm
from compliance.models import Hold
from marketplace import paper_checks, roles
from marketplace.desk_pages import act_button, acted, desk, parsed, render_desk
from marketplace.errors import Invalid
from marketplace.models import Paper, User
from marketplace.money import Money
from marketplace.signed_in import person
from settlement import deadlines, defaults, instalments, tax_acts, taxes, timeline, trade_page, waits
from settlement.models import Trade, Transfer

EXCUSE = "excuse_default"
PARTS = (
    "seller",
    "buyer",
    "version__registration",
    "version__review",
    "listing",
    "release",
    "cycle",
    "fee_schedule",
    "offer",
)


@desk("trades")
@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """Find a trade by its register number or the name in its address."""
    asked = request.GET.get("q", "").strip()[:40]
    if asked:
        found = Trade.objects.filter(Q(register_number__iexact=asked) | Q(public_id=asked)).first()
        if found is None:
            raise Invalid(
                _("There is no trade “%(asked)s”."),
                code="not_found",
                status=404,
                next=_("Check the number."),
                asked=asked,
            )
        return redirect("desk_trade", found.public_id)
    newest = Trade.objects.select_related("seller", "buyer", "version").order_by("-pk")[:25]
    return render_desk(request, "trades", "admin/desks/trades.html", {"trades": newest})


@desk("trades")
@require_safe
def trade(request: HttpRequest, trade_id: str) -> HttpResponse:
    """One trade in full."""
    found = get_object_or_404(Trade.objects.select_related(*PARTS), public_id=trade_id)
    by = person(request)
    following = waits.of(found)
    placed = hold_acts.holds_on(Hold.Subject.TRADE, found.pk)
    moved = Transfer.objects.filter(Q(debit__trade=found) | Q(credit__trade=found)).select_related("debit", "credit")
    context = {
        "trade": found,
        "following": following,
        "following_who": trade_page.who(following.who, found, None),
        "steps": timeline.steps(found),
        "licence": trade_page.said_plainly(found.terms),
        "money": trade_page.money_of(found),
        "instalments": instalments.shown(found),
        "days_to_fund": deadlines.days_to_fund(found.offer),
        "transfers": [(row, Money(row.amount_minor, row.debit.currency)) for row in moved.order_by("pk")],
        "grant": getattr(found, "grant", None),
        "dispute": getattr(found, "dispute", None),
        "papers": Paper.objects.filter(subject_kind="trade", subject_id=found.pk).defer("record").order_by("pk"),
        "may_take_evidence": paper_checks.sees_every_paper(by),
        "tax": taxes.shown_of(found) if found.price_minor else None,
        "tax_acts": tax_acts.buttons(found, reverse("desk_trade_act", args=[trade_id]), by=by),
        "excuse_acts": _excuse_acts(found, by),
        "holds": placed,
        "hold_acts": hold_acts.buttons(placed, reverse("desk_trade_act", args=[trade_id]), by=by),
    }
    return render_desk(request, "trades", "admin/desks/trade.html", context)


def _excuse_acts(found: Trade, by: User) -> list[dict[str, Any]]:
    """What this person may do about a trade that expired unpaid."""
    if not roles.staff_may(by, EXCUSE) or not defaults.is_excusable(found):
        return []
    url = reverse("desk_trade_act", args=[found.public_id])
    return [act_button(EXCUSE, _("Excuse the default"), url, form=SentenceForm(auto_id="excuse_%s"))]


@desk("trades")
@require_POST
def trade_act(request: HttpRequest, trade_id: str) -> HttpResponse:
    """Hold a trade, lift its hold, decide on its tax or excuse its default; all else is its parties' to do."""
    found = get_object_or_404(Trade, public_id=trade_id)
    act, back = request.POST.get("act", ""), reverse("desk_trade", args=[trade_id])
    if act == tax_acts.ACT:
        return tax_acts.act(request, found, back=back)
    if act == EXCUSE:
        said, by = parsed(SentenceForm(request.POST)), person(request)
        done = _("It is held against its buyer no more.")
        return acted(request, lambda: defaults.excuse(found, by=by, **said), done=done, back=back)
    if act not in hold_acts.ACTS:
        raise Http404
    return hold_acts.act(request, act, Hold.Subject.TRADE, found.pk, back=back)
