"""Demands as pages show them: lists by whom they concern, and one with its answers and what its reader may do."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from compliance import demand_answers
from compliance.demand_forms import DecliningForm, MessageForm, ProductForm, ResponseForm
from compliance.models import Demand, DemandMatch, DemandResponse
from compliance.states import DemandState, ResponseState
from listings.models import Version
from marketplace import clock, joint_merchants, posted, roles
from marketplace.desk_pages import act_button
from marketplace.models import Organisation, User

ON_A_PAGE = 20
ANSWERS_ON_A_PAGE = 10
SHOWS: dict[str, Promise] = {
    "open": gettext_lazy("Open demands"),
    "own": gettext_lazy("Posted by us"),
    "matched": gettext_lazy("Matched with us"),
    "answered": gettext_lazy("Answered by us"),
}
LONG_COLUMNS = [
    f"listing__current_version__{name}"
    for name in ("fields", "use_scenarios", "forbidden_uses", "source_statement", "rights")
]


def shown(reader: Organisation | None, show: str, sector: str = "") -> QuerySet[Demand]:
    """The demands of one list, the newest first, never one the reader may not see."""
    rows = Demand.objects.visible_to(reader)
    if show == "own":
        rows = rows.filter(organisation=reader)
    elif show == "matched":
        rows = rows.filter(pk__in=DemandMatch.objects.filter(seller=reader).values("demand"))
    elif show == "answered":
        rows = rows.filter(pk__in=DemandResponse.objects.filter(seller=reader).values("demand"))
    else:
        rows = rows & Demand.objects.open()
    rows = rows.filter(sector=sector) if sector else rows
    return rows.select_related("organisation").order_by("-posted_at", "-pk")


def of_list(reader: Organisation | None, show: str, sector: str, number: str | None) -> dict[str, Any]:
    """One page of a list; unknown words fall back to all that is open."""
    show = show if show in SHOWS and reader is not None else "open"
    sector = sector if sector in Version.Sector.values else ""
    page = Paginator(shown(reader, show, sector), ON_A_PAGE).get_page(number)
    return {
        "page": page,
        "cards": [card(demand, reader) for demand in page],
        "show": show,
        "sector": sector,
        "sectors": Version.Sector.choices,
        "tabs": _tabs(reader, show),
    }


def _tabs(reader: Organisation | None, show: str) -> list[dict[str, Any]]:
    if reader is None:
        return []
    return [{"show": name, "label": label, "current": name == show} for name, label in SHOWS.items()]


def card(demand: Demand, reader: Organisation | None) -> dict[str, Any]:
    """A demand in a list."""
    traits = [
        demand.get_sector_display(),
        demand.region_name,
        demand.coverage,
        demand.get_frequency_display(),
        budget(demand),
    ]
    return {
        "demand": demand,
        "poster": poster(demand, reader),
        "is_own": reader is not None and demand.organisation_id == reader.pk,
        "traits": [str(one) for one in traits if one],
        "standing": standing(demand),
    }


def poster(demand: Demand, reader: Organisation | None) -> str:
    """Who posted it, as this reader is told."""
    is_own = reader is not None and demand.organisation_id == reader.pk
    return demand.organisation.shown_name if demand.is_named or is_own else _("A member of the exchange")


def standing(demand: Demand) -> dict[str, str]:
    """Its state as _state.html takes it; what lapsed counts as such before a worker has noted it."""
    if demand.hidden_at is not None:
        return {"state": "hidden", "label": pgettext("demand", "Hidden"), "tone": "stop"}
    state = DemandState(demand.state)
    if state == DemandState.OPEN and not demand.is_open:
        state = DemandState.LAPSED
    tones = {DemandState.OPEN: "move", DemandState.MET: "good"}
    return {"state": str(state), "label": str(state.label), "tone": tones.get(state, "quiet")}


def budget(demand: Demand) -> str:
    """The budget as one phrase; '' where it does not say."""
    if demand.budget is None:
        return ""
    least, most = demand.budget
    if least is not None and most is not None:
        return _("%(currency)s %(least)s to %(most)s") % {
            "currency": demand.currency, "least": least.amount, "most": most.amount,
        }  # fmt: skip
    if most is not None:
        return _("up to %(amount)s") % {"amount": most}
    return _("from %(amount)s") % {"amount": least}


def facts(demand: Demand) -> list[dict[str, Any]]:
    """What is known of it beside its words."""
    day = demand.needed_by and formats.date_format(demand.needed_by)
    told = [
        (_("Sector"), demand.get_sector_display()),
        (_("Region the data is about"), demand.region_name),
        (_("Coverage"), demand.coverage),
        (_("Update frequency"), demand.get_frequency_display()),
        (_("Budget"), budget(demand)),
        (_("Needed by"), day),
    ]
    return [{"label": label, "value": value} for label, value in told if value]


# --- one demand ----------------------------------------------------------------------------------------------------


def context(
    demand: Demand, reader: Organisation | None, by: User | None, number: str | None, form: ResponseForm | None = None
) -> dict[str, Any]:
    """One demand for this reader: its poster reads every answer, a seller its own."""
    is_own = reader is not None and reader.pk == demand.organisation_id
    rows = responses(demand, reader)
    page = Paginator(rows, ANSWERS_ON_A_PAGE).get_page(number)
    answering = form or _answering(demand, reader, by, len(page.object_list))
    return {
        "demand": demand,
        "poster": poster(demand, reader),
        "is_own": is_own,
        "facts": facts(demand),
        "columns": demand.columns.split("\n") if demand.columns else [],
        "standing": standing(demand),
        "match": _match(demand, reader),
        "page": page,
        "responses": _shown_responses(page, demand, reader, by),
        "acts": _acts(demand, by) if is_own else [],
        "form": answering,
        "key": posted.new_key(),
        "days_left": max(0, (demand.open_until - clock.now()).days),
    }


def responses(demand: Demand, reader: Organisation | None) -> QuerySet[DemandResponse]:
    """The answers this reader may see: the poster all, a seller its own, anybody else none."""
    rows = demand.responses.select_related("seller", "listing__current_version").defer(*LONG_COLUMNS)
    if reader is None:
        return rows.none()
    if reader.pk != demand.organisation_id:
        rows = rows.filter(seller=reader)
    return rows.prefetch_related("messages").order_by("pk")


def _match(demand: Demand, reader: Organisation | None) -> DemandMatch | None:
    if reader is None:
        return None
    rows = demand.matches.filter(seller=reader).select_related("listing__current_version")
    return rows.first()


def _answering(demand: Demand, reader: Organisation | None, by: User | None, given: int) -> ResponseForm | None:
    """The form for whoever may answer."""
    if reader is None or not demand.is_open or given >= demand_answers.MOST_ANSWERS:
        return None
    if joint_merchants.are_one_party(reader, demand.organisation) or not roles.may(by, reader, "answer_demand"):
        return None
    return ResponseForm(seller=reader)


def _acts(demand: Demand, by: User | None) -> list[dict[str, Any]]:
    if not roles.may(by, demand.organisation, "post_demand"):
        return []
    again = {"label": _("Post it again"), "url": f"{reverse('new_demand')}?like={demand.public_id}", "is_link": True}
    if demand.state != DemandState.OPEN:
        return [again]
    closing = act_button(
        "close",
        _("Close"),
        reverse("demand_act", args=[demand.public_id, "closing"]),
        confirm=_("It takes no more answers. Sellers whose answers stand are written to."),
        tone="quiet",
    )
    if not demand.is_open:
        return [again, closing]
    url = reverse("demand_act", args=[demand.public_id, "fulfilment"])
    form = ProductForm(auto_id="met_%s")
    return [act_button("meet", _("Met by a product"), url, form=form), closing]


def _shown_responses(page: Page, demand: Demand, reader: Organisation | None, by: User | None) -> list[dict[str, Any]]:
    """Each answer with what both sides wrote and what this reader may do."""
    is_poster = reader is not None and reader.pk == demand.organisation_id
    may_post = is_poster and roles.may(by, demand.organisation, "post_demand")
    may_answer = not is_poster and reader is not None and roles.may(by, reader, "answer_demand")
    tones = {ResponseState.OPEN: "wait"}
    return [
        {
            "response": one,
            "is_of_reader": not is_poster,
            "met": demand.met_by_id is not None and demand.met_by_id == one.listing_id,
            "tone": tones.get(ResponseState(one.state), "quiet"),
            "acts": [
                *(_offering(one, demand) if may_answer and roles.may(by, one.seller, "offer") else []),
                *_response_acts(one, demand, may_post=may_post, may_answer=may_answer),
            ],
        }
        for one in page
    ]


def _offering(one: DemandResponse, demand: Demand) -> list[dict[str, Any]]:
    """The way to an offer to the poster alone, where the seller's answer is a product and the poster gave its name."""
    if not demand.is_named or not demand.is_open or one.listing is None or one.state != ResponseState.OPEN:
        return []
    begun = {
        "buyers": demand.organisation.registration_number,
        "note": _("About your demand “%(title)s”.") % {"title": demand.title},
    }
    url = f"{reverse('studio_offer', args=[one.listing.public_id])}?{urlencode(begun)}"
    return [{"label": _("Make them a private offer"), "url": url, "is_link": True}]


def _response_acts(one: DemandResponse, demand: Demand, *, may_post: bool, may_answer: bool) -> list[dict[str, Any]]:
    if one.state != ResponseState.OPEN or not (may_post or may_answer):
        return []

    def url(act: str) -> str:
        return reverse("demand_answer_act", args=[demand.public_id, one.pk, act])

    acts = []
    if demand.is_open:
        if may_post and one.listing:
            acts.append(
                act_button(
                    "meet",
                    _("This meets our need"),
                    reverse("demand_act", args=[demand.public_id, "fulfilment"]),
                    fields={"product": one.listing.public_id},
                    confirm=_("The demand ends as met by this product. Buy it on its own page."),
                )
            )
        acts.append(
            act_button("write", _("Ask or reply"), url("message"), form=MessageForm(auto_id=f"write_{one.pk}_%s"))
        )
    if may_post:
        form = DecliningForm(auto_id=f"decline_{one.pk}_%s")
        acts.append(act_button("decline", _("Decline"), url("refusal"), form=form, tone="quiet"))
    else:
        confirm = _("The poster still reads that there was an answer, and that you took it back.")
        acts.append(act_button("withdraw", _("Take back"), url("withdrawal"), confirm=confirm, tone="quiet"))
    return acts
