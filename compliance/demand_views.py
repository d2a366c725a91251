"""The pages of the demand board: look, post, answer, write to each other, end."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance import demand_answers, demand_page, demands
from compliance.demand_forms import DecliningForm, DemandForm, MessageForm, ProductForm, ResponseForm
from compliance.models import Demand, DemandResponse
from marketplace import posted
from marketplace.desk_pages import parsed
from marketplace.errors import Refused
from marketplace.forms import add_refusal
from marketplace.models import Organisation
from marketplace.money import format_minor
from marketplace.participants import acting_or_none, acting_organisation
from marketplace.signed_in import person

COPIED = ("title", "description", "sector", "region", "columns", "coverage", "frequency", "is_named")


def _visible(public_id: str, reader: Organisation | None) -> Demand:
    rows = Demand.objects.visible_to(reader).select_related("organisation", "met_by__current_version")
    return get_object_or_404(rows, public_id=public_id)


@require_safe
def demands_list(request: HttpRequest) -> HttpResponse:
    """What members look for: open to everybody; one's own, those matched and those answered for members."""
    asked = request.GET
    context = demand_page.of_list(
        acting_or_none(request), asked.get("show", "open"), asked.get("sector", ""), asked.get("page")
    )
    return render(request, "compliance/demands.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_demand(request: HttpRequest) -> HttpResponse:
    """Post a demand; `?title=` fills the words in, `?like=` what an earlier one of one's own said."""
    organisation = acting_organisation(request)
    if request.method != "POST":
        return _new(request, DemandForm(initial=_initial(request, organisation)))
    form = DemandForm(request.POST)
    if not form.is_valid():
        return _new(request, form)
    make = partial(demands.post, organisation, by=person(request), **form.facts())
    try:
        public_id = posted.posted_once(request, organisation, lambda: make().public_id)
    except Refused as refusal:
        if not refusal.reasons or refusal.code != "invalid":
            raise
        add_refusal(form, refusal)
        return _new(request, form)
    messages.success(request, _("Your demand is posted. You are written to when somebody answers."))
    return redirect("demand", public_id)


def _new(request: HttpRequest, form: DemandForm) -> HttpResponse:
    context = {"form": form, "key": posted.new_key(), "open_days": demands.OPEN_DAYS}
    return render(request, "compliance/demand_new.html", context, status=422 if form.errors else 200)


def _initial(request: HttpRequest, organisation: Organisation) -> dict[str, Any]:
    earlier = Demand.objects.filter(organisation=organisation, public_id=request.GET.get("like", "")).first()
    if earlier is None:
        return {"title": request.GET.get("title", "")[:120]}
    told = {name: getattr(earlier, name) for name in COPIED} | {"is_public": "yes" if earlier.is_public else "no"}
    if earlier.currency:
        told["currency"] = earlier.currency
        for name in ("budget_from", "budget_until"):
            minor = getattr(earlier, f"{name}_minor")
            told[name] = "" if minor is None else format_minor(minor, earlier.currency)
    return told


@require_safe
def demand(request: HttpRequest, public_id: str) -> HttpResponse:
    """One demand; its poster reads the answers, a seller its own."""
    reader = acting_or_none(request)
    return _shown(request, _visible(public_id, reader), reader)


def _shown(
    request: HttpRequest, found: Demand, reader: Organisation | None, form: ResponseForm | None = None
) -> HttpResponse:
    by = person(request) if request.user.is_authenticated else None
    context = demand_page.context(found, reader, by, request.GET.get("page"), form)
    return render(request, "compliance/demand.html", context, status=422 if form else 200)


@login_required
@require_POST
def demand_act(request: HttpRequest, public_id: str, act: str) -> HttpResponse:
    """The poster ends it: met by a product, or no longer needed."""
    organisation = acting_organisation(request)
    found = get_object_or_404(Demand.objects.filter(organisation=organisation), public_id=public_id)
    run: Callable[[], Any]
    if act == "fulfilment":
        product = parsed(ProductForm(request.POST))["product"]
        run, done = partial(demands.meet, found, product=product, by=person(request)), _("The demand is met.")
    elif act == "closing":
        run, done = partial(demands.close, found, by=person(request)), _("The demand is closed.")
    else:
        raise Http404
    posted.posted_once(request, organisation, lambda: bool(run()))
    messages.success(request, done)
    return redirect(found)


@login_required
@require_POST
def new_answer(request: HttpRequest, public_id: str) -> HttpResponse:
    """A seller answers."""
    seller = acting_organisation(request)
    found = _visible(public_id, seller)
    form = ResponseForm(request.POST, seller=seller)
    if not form.is_valid():
        return _shown(request, found, seller, form)
    give = partial(demand_answers.answer, found, seller=seller, by=person(request), **form.facts())
    try:
        pk = posted.posted_once(request, seller, lambda: give().pk)
    except Refused as refusal:
        if not refusal.reasons or refusal.code != "invalid":
            raise
        add_refusal(form, refusal)
        return _shown(request, found, seller, form)
    messages.success(request, _("Your answer is with the poster."))
    return redirect(f"{found.get_absolute_url()}#answer-{pk}")


ANSWER_ACTS: dict[str, tuple[type[forms.Form], Callable[..., Any]]] = {
    "message": (MessageForm, demand_answers.write),
    "refusal": (DecliningForm, demand_answers.decline),
    "withdrawal": (forms.Form, demand_answers.withdraw),
}


@login_required
@require_POST
def answer_act(request: HttpRequest, public_id: str, answer_id: int, act: str) -> HttpResponse:
    """One of the two sides of an answer writes to the other or ends it."""
    if act not in ANSWER_ACTS:
        raise Http404
    organisation = acting_organisation(request)
    found = own_answer(organisation, public_id, answer_id, act)
    form, command = ANSWER_ACTS[act]
    said = parsed(form(request.POST))
    if act == "message":
        said["acting_for"] = organisation
    posted.posted_once(request, organisation, lambda: bool(command(found, by=person(request), **said)))
    done = {"message": _("Your message is sent."), "refusal": _("The answer is declined.")}
    messages.success(request, done.get(act, _("The answer is taken back.")))
    return redirect(f"{reverse('demand', args=[public_id])}#answer-{answer_id}")


def own_answer(organisation: Organisation, public_id: str, answer_id: int, act: str) -> DemandResponse:
    """An answer this organisation gave or was given, as the act asks; 404 for any other."""
    rows = DemandResponse.objects.visible_to(organisation).select_related("demand")
    own = {
        "message": rows,
        "refusal": rows.filter(demand__organisation=organisation),
        "withdrawal": rows.filter(seller=organisation),
    }[act]
    return get_object_or_404(own, demand__public_id=public_id, pk=answer_id)
