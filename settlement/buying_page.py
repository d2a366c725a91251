"""The page on which one takes an offer: the plan, what it costs in all, the licence, one's side of it, one button."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods

from compliance import clearance
from listings import licence_contract, pricing, terms, terms_apart
from listings.models import Offer
from listings.product_page import language_of
from marketplace import clock, posted
from marketplace.bells import ring
from marketplace.errors import Invalid, Refused, RoleNeeded
from marketplace.models import Organisation
from marketplace.money import Money
from marketplace.participants import acting_or_none, acting_organisation
from marketplace.signed_in import person
from settlement import (
    buying,
    deadlines,
    deliveries,
    fees,
    instalments,
    line_taxes,
    quotes,
    tasks,
    taxes,
    trade_page,
    trades,
    upgrades,
)
from settlement.forms import ProposalForm
from settlement.models import Quote, Trade

MOST_DIGITS = 12
MOST_PLANS = 50  # as many as a product has open offers
# Beside which field a refusal of the command is told; others stand above the form.
FIELD_OF = {
    "contract_changed": "accept",
    "quantity_needed": "quantity",
    "quantity_out_of_range": "quantity",
}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: HttpRequest, offer_id: str) -> HttpResponse:
    """Take an offer. What is refused is told on the same page, and what was typed stays there.

    Choosing another plan (`plan`) shows the page of that one with what was typed so far, and `show` the total of the
    quantity that was typed.
    """
    organisation = acting_or_none(request)
    offers = Offer.objects.visible_to(organisation).select_related(
        "listing__seller", "listing__current_version__release", "listing__current_version__registration", "converts_to"
    )
    offer = get_object_or_404(offers, public_id=offer_id)
    plans = list(offers.filter(listing=offer.listing)[:MOST_PLANS])
    if request.method != "POST":
        renewed = _renewed(organisation, offer, request.GET.get("renews", ""))
        typed: dict[str, Any] = {"purpose": renewed.purpose, "renews": renewed.public_id} if renewed else {}
        if quote := _quoted(organisation, offer, request.GET.get("quote", "")):
            typed |= {"purpose": quote.purpose, "quote": quote.public_id}
        if upgraded := _upgraded(organisation, offer, request.GET.get("upgrades", "")):
            typed = {"purpose": upgraded.purpose, "upgrades": upgraded.public_id}
        if offer.sells_blocks:
            asked = request.GET.get("quantity", "") or getattr(quote or renewed, "quantity", None)
            typed |= {"quantity": asked or offer.least_quantity}
        return _page(request, offer, plans, _unbound(offer, typed))
    if wanted := request.POST.get("plan"):
        chosen = next((plan for plan in plans if plan.public_id == wanted), None)
        if chosen is None:
            raise Http404
        return _page(request, chosen, plans, _unbound(chosen, _typed(request, "purpose", "purchase_order", "upgrades")))
    if request.POST.get("show"):
        kept = _typed(request, "converts", "quantity", "purpose", "purchase_order", "renews", "quote", "upgrades")
        return _page(request, offer, plans, _unbound(offer, kept))
    form = ProposalForm(offer, request.POST)
    refusal: Refused | None = None
    if form.is_valid():
        try:
            return redirect("trade", _proposed(request, offer, form))
        except RoleNeeded:
            raise
        except Refused as refused:
            refusal = refused
            if (field := FIELD_OF.get(refused.code)) in form.fields:
                form.add_error(field, f"{refused.detail} {refused.next}")
    vars(offer).pop("discounts_in_force", None)  # as it was before the command
    # What is agreed to next is the text this page links to, at the price this page names.
    again = request.POST.copy()
    again.update(_seen(offer))
    form.data = again
    return _page(request, offer, plans, form, refusal=refusal, status=refusal.status if refusal else 422)


def _typed(request: HttpRequest, *names: str) -> dict[str, str]:
    return {name: request.POST.get(name, "") for name in names}


def _unbound(offer: Offer, typed: dict[str, Any]) -> ProposalForm:
    """The form with what was typed so far, to be sent later."""
    return ProposalForm(offer, initial=typed | _seen(offer))


def _seen(offer: Offer) -> dict[str, Any]:
    """What the page shows and the form sends back: contract, price and fee schedule. The price of a block is
    in the contract, as a price of each call, for another number may be typed before it is sent."""
    discount = pricing.discount_of(offer)
    version = offer.listing.current_version
    text_digest = licence_contract.digest(offer, version, discount) if version else ""
    seen = {"text_digest": text_digest, "fee_version": fees.schedule_for(offer.listing, offer.currency).version}
    if offer.sells_blocks:
        return seen
    cost = pricing.priced(offer, None, discount)
    return seen | {"price_minor": cost.price_minor or cost.unit_price_minor or 0}


def _cost(offer: Offer, form: ProposalForm) -> tuple[pricing.Priced, str]:
    """What is paid for what the form says, of the least block where it says nothing that is sold; and why."""
    discount = pricing.discount_of(offer)
    typed = str(form["quantity"].value() or "") if offer.sells_blocks else ""
    try:
        quantity = int(typed) if typed.isdecimal() and len(typed) <= MOST_DIGITS else None
        return pricing.priced(offer, quantity, discount), ""
    except Invalid as refused:
        return pricing.priced(offer, offer.least_quantity, discount), f"{refused.detail} {refused.next}"


def _page(
    request: HttpRequest,
    offer: Offer,
    plans: list[Offer],
    form: ProposalForm,
    *,
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    organisation = acting_or_none(request)
    version = offer.listing.current_version
    language = get_language() or "en"
    renewed = _renewed(organisation, offer, str(form["renews"].value() or ""))
    cost, why_not = _cost(offer, form)
    upgraded = _upgraded(organisation, offer, str(form["upgrades"].value() or ""))
    full, credit = cost, None
    against: list[clearance.Reason] = []
    if upgraded is not None:
        cost, credit, against = _replacing(upgraded, cost)
        seen: Any = form.data if form.is_bound else form.initial
        seen["price_minor"] = cost.price_minor
    context: dict[str, Any] = {
        "offer": offer,
        "plans": plans,
        "version": version,
        "title_lang": language_of(version, version.titles) if version else "",
        "organisation": organisation,
        "form": form,
        "steps": pricing.steps_shown(offer, cost.discount),
        "cost": cost,
        "why_not": why_not if not form.is_bound else "",
        "cheaper": pricing.cheaper(offer, cost),
        "renewed": renewed,
        "quote": _quoted(organisation, offer, str(form["quote"].value() or "")),
        "may_be_quoted": bool(cost.price_minor) and offer.audience != Offer.Audience.ON_REQUEST and upgraded is None,
        "upgraded": upgraded,
        "credit": credit,
        "full": full,
        "begins_at": renewed.grant.ends_at if renewed else None,
        "refusal": refusal,
        "key": posted.new_key(),
        "reasons": [*buying.reasons_against_proposal(offer, organisation, cost, by=person(request)), *against],
        "licence": trade_page.said_plainly(offer.terms),
        "apart": terms_apart.from_standard(offer.terms, language if language in terms.LANGUAGES else "en"),
        "days_to_fund": deadlines.days_to_fund(offer),
        "has_contract": bool(offer.contract_version),
        "jurisdiction": dict(licence_contract.choices()).get(offer.jurisdiction, ""),
        "tax": taxes.shown(taxes.of_offer(offer, organisation, cost.price_minor), offer.currency),
        "afterwards": _afterwards(offer, organisation) if offer.converts_to else None,
        **_paid(offer, cost, organisation),
    }
    return render(request, "settlement/propose.html", context, status=status)


def _paid(offer: Offer, cost: pricing.Priced, buyer: Organisation | None) -> dict[str, Any]:
    """What the buyer pays in all: the price and its own fee; and what the exchange takes of the seller."""
    schedule = fees.schedule_for(offer.listing, offer.currency)
    fee_minor = schedule.buyer_fee_minor(cost.price_minor, offer.currency)
    tax = line_taxes.of_fee(buyer.country, fee_minor, on=clock.today()) if buyer and fee_minor else None
    vat_minor = tax.gross_minor - tax.net_minor if tax else 0
    return {
        "schedule": schedule,
        "fee_percent": schedule.percent,
        "fee": Money(schedule.fee_minor(cost.price_minor), offer.currency),
        "buyer_fee": Money(fee_minor, offer.currency),
        "fee_vat": Money(vat_minor, offer.currency) if vat_minor else None,
        "total": cost.price + Money(fee_minor, offer.currency),
        "instalments": instalments.planned(cost.price_minor, fee_minor, offer.currency, offer),
    }


def _afterwards(trial: Offer, organisation: Organisation | None) -> dict[str, Any]:
    """What a trial goes on with, from when, and for how much: told before anybody takes it."""
    paid: Any = trial.converts_to
    paid.listing = trial.listing
    schedule, price_minor = fees.schedule_for(trial.listing, paid.currency), pricing.now(paid).price.minor
    return {
        "offer": paid,
        "buyer_fee": Money(schedule.buyer_fee_minor(price_minor, paid.currency), paid.currency),
        "days": trial.terms["term_days"],
        "ends_at": deliveries.end_of_term(clock.now(), trial.terms),
        "licence": trade_page.said_plainly(paid.terms),
        "tax": taxes.shown(taxes.of_offer(paid, organisation, price_minor), paid.currency),
    }


def _renewed(organisation: Organisation | None, offer: Offer, trade_id: str) -> Trade | None:
    """The trade whose licence is extended; one of another offer or buyer is as if there were none."""
    rows = Trade.objects.bought_by(organisation).select_related("grant")
    rows = rows.filter(Q(offer=offer) | Q(offer__converts_to=offer), grant__ends_at__isnull=False)
    return rows.filter(public_id=trade_id).first() if trade_id else None


def _quoted(organisation: Organisation | None, offer: Offer, quote_id: str) -> Quote | None:
    """The quote one orders by; one of another offer or buyer is as if there were none."""
    return Quote.objects.of(organisation).filter(public_id=quote_id, offer=offer).first() if quote_id else None


def _upgraded(organisation: Organisation | None, offer: Offer, trade_id: str) -> Trade | None:
    """The trade whose licence is replaced; one of another product or buyer is as if there were none."""
    rows = Trade.objects.bought_by(organisation).select_related("grant", "listing", "seller")
    return rows.filter(public_id=trade_id, listing=offer.listing).first() if trade_id else None


def _replacing(
    old: Trade, full: pricing.Priced
) -> tuple[pricing.Priced, upgrades.Credit | None, list[clearance.Reason]]:
    """What is paid once the unused part of the old licence is taken off; or why it cannot be replaced."""
    try:
        upgrades.require_possible(old, price_minor=full.price_minor, currency=full.currency)
    except upgrades.NotUpgradable as refusal:
        return full, None, [buying.reason(refusal.code, refusal.detail, refusal.next)]
    credit = upgrades.credit_of(old, old.grant)
    return replace(full, price_minor=full.price_minor - credit.minor), credit, []


def _proposed(request: HttpRequest, offer: Offer, form: ProposalForm) -> str:
    """The public id of the trade this form led to."""
    organisation: Organisation = acting_organisation(request)
    said = form.cleaned_data
    quote = _quoted(organisation, offer, said["quote"])
    if quote is not None and quote.quantity != said.get("quantity"):
        quote = None  # another block was typed: it is ordered as any other
    facts: dict[str, Any] = {
        "fee_version": said["fee_version"],
        "purpose": said["purpose"],
        "purchase_order": said["purchase_order"],
        "text_digest": said["text_digest"],
        "renews": _renewed(organisation, offer, said["renews"]),
        "by": person(request),
    }
    if quote is not None:
        command = partial(quotes.order, quote, **facts)
    else:
        facts |= {"quantity": said.get("quantity"), "price_minor": said.get("price_minor")}
        facts |= {"converts": said.get("converts", False), "upgrades": _upgraded(organisation, offer, said["upgrades"])}
        command = partial(trades.propose, offer, buyer=organisation, **facts)
    trade_id = posted.posted_once(request, organisation, lambda: command().public_id)
    ring(tasks.register_trades)
    return str(trade_id)
