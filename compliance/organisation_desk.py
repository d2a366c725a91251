"""The desk of organisations: who applied and since when; one organisation in full, and every decision on it."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, DurationField, Exists, F, OuterRef, Q, Value
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from compliance import facts_desk, hold_acts, joint_desk, proofs, verification
from compliance.desk_forms import GIGABYTE, CodedReasonForm, QuotaForm
from compliance.models import TWO_PERSON_ACTS, Decision, FactChange, Hold, Verification
from compliance.proof_views import shown
from compliance.states import VerificationState
from listings import quotas
from marketplace import clock, desk_targets, journal, roles
from marketplace.desk_pages import ROWS_ON_A_PAGE, act_button, acted, desk, parsed, posted_id, render_desk
from marketplace.models import Organisation, User
from marketplace.regions import COUNTRY_NAMES, REGION_NAMES
from marketplace.signed_in import person

V = VerificationState
SHOWN_EVENTS = 30
PENDING = Q(decisions__decided_at=None, decisions__dropped_at=None, decisions__isnull=False)
CHANGING = Q(organisation__fact_changes__outcome="", organisation__fact_changes__isnull=False)
SHOWS = {
    "waiting": (gettext_lazy("Waiting for the desk"), Q(state=V.APPLIED) | PENDING),
    "changes": (gettext_lazy("Changes of facts"), CHANGING),
    "more_requested": (gettext_lazy("Asked for more"), Q(state=V.MORE_REQUESTED)),
    "verified": (gettext_lazy("Verified"), Q(state=V.VERIFIED)),
    "suspended": (gettext_lazy("Suspended"), Q(state=V.SUSPENDED)),
    "out": (gettext_lazy("Refused or expelled"), Q(state__in=[V.REFUSED, V.EXPELLED])),
}
LABELS = {
    "approve": gettext_lazy("Propose approval"),
    "request_more": gettext_lazy("Ask for more"),
    "refuse": gettext_lazy("Refuse"),
    "suspend": gettext_lazy("Suspend"),
    "reinstate": gettext_lazy("Reinstate"),
    "expel": gettext_lazy("Propose expulsion"),
}
DONE = {
    "approve": gettext_lazy("Proposed. A second person confirms it."),
    "request_more": gettext_lazy("The organisation was asked for more."),
    "refuse": gettext_lazy("The organisation is refused."),
    "suspend": gettext_lazy("The organisation is suspended."),
    "reinstate": gettext_lazy("The organisation is reinstated."),
    "expel": gettext_lazy("Proposed. A second person confirms it."),
    "confirm": gettext_lazy("Confirmed."),
    "drop": gettext_lazy("Dropped."),
}
TONES = {"approve": "primary", "refuse": "danger", "suspend": "danger", "expel": "danger", "reinstate": "primary"}
ALONE = {
    "request_more": verification.request_more,
    "refuse": verification.refuse,
    "suspend": verification.suspend,
    "reinstate": verification.reinstate,
}


@desk("organisations")
@require_safe
def organisations(request: HttpRequest) -> HttpResponse:
    """The queue, what is most behind its target first, and every organisation by its standing or by a search."""
    show, asked = request.GET.get("show", "waiting"), request.GET.get("q", "").strip()[:100]
    show = show if show in SHOWS else "waiting"
    pending = Decision.objects.filter(verification=OuterRef("pk"), decided_at=None, dropped_at=None)
    rows = Verification.objects.select_related("organisation").annotate(
        is_pending=Exists(pending),
        proposed_at=pending.order_by("proposed_at").values("proposed_at")[:1],
        asked_at=FactChange.objects.filter(organisation=OuterRef("organisation"), outcome="")
        .order_by("asked_at")
        .values("asked_at")[:1],
    )
    if asked:
        rows = rows.filter(
            Q(organisation__name__icontains=asked)
            | Q(organisation__latin_name__icontains=asked)
            | Q(organisation__registration_number__icontains=asked)
        )
    else:
        rows = rows.filter(Q(state=V.APPLIED) | Q(is_pending=True) if show == "waiting" else SHOWS[show][1]).distinct()
    oldest = {"waiting": _behind_target(), "changes": F("asked_at").asc()}
    newest = F("changed_at").desc()
    page = Paginator(rows.order_by(newest if asked else oldest.get(show, newest), "pk"), ROWS_ON_A_PAGE)
    counts = Verification.objects.aggregate(
        **{name: Count("pk", filter=condition, distinct=True) for name, (_label, condition) in SHOWS.items()}
    )
    context = {
        "page": page.get_page(request.GET.get("page")),
        "asked": asked,
        "show": "" if asked else show,
        "tabs": [{"show": name, "label": label, "count": counts[name]} for name, (label, _q) in SHOWS.items()],
    }
    return render_desk(request, "organisations", "admin/desks/organisations.html", context)


def _behind_target() -> Coalesce:
    """How far each is behind its own queue's target: since when it waits, less since when what is overdue now waits."""
    now = clock.now()
    seconded, applied = (desk_targets.overdue_since(queue) or now for queue in ("second_person", "applications"))
    return Coalesce(F("proposed_at") - Value(seconded), F("applied_at") - Value(applied), output_field=DurationField())


@desk("organisations")
@require_safe
def organisation(request: HttpRequest, public_id: str) -> HttpResponse:
    """One organisation: its facts and people, what was decided, what holds it, and what may be decided now."""
    found = get_object_or_404(Organisation, public_id=public_id)
    standing = Verification.objects.filter(organisation=found).first()
    pending = verification.pending_decision(standing) if standing else None
    placed = hold_acts.holds_on(Hold.Subject.ORGANISATION, found.pk)
    url = reverse("desk_organisation_act", args=[public_id])
    by = person(request)
    papers = list(proofs.with_pictures(found))
    context = {
        "organisation": found,
        "country": COUNTRY_NAMES.get(found.country, found.country),
        "region": REGION_NAMES.get(found.region, found.region),
        "kinds": [Organisation.Kind(kind).label for kind in found.kinds],
        "standing": standing,
        "sections": facts_desk.sections_of(found),
        "declaration": found.declarations.select_related("by").first(),
        "tier_decisions": found.tier_decisions.select_related("tier", "by")[:20],
        "tier_acts": facts_desk.tier_acts(url, by=by),
        "same_number": verification.others_with_number(found)[:10],
        "papers": [shown(proof, desk_of=public_id) for proof in papers],
        "expired": proofs.expired_reasons(papers),
        "fact_changes": facts_desk.changes_of(found, url, by=by),
        "joint_rows": joint_desk.rows_of(found, url, by=by),
        "pending": pending,
        "pending_acts": _pending_acts(pending, url, by),
        "acts": _acts(standing, url, by) if standing and pending is None else [],
        "room": quotas.allowance(found),
        "room_acts": _room_acts(found, url, by),
        "holds": placed,
        "hold_acts": hold_acts.buttons(placed, url, by=by),
        "decisions": standing.decisions.select_related("by", "second_by").order_by("-pk") if standing else [],
        "acceptances": found.rules_acceptances.select_related("by").order_by("-pk"),
        "people": found.memberships.filter(ended_at=None).select_related("user").order_by("pk"),
        "listings": found.listings.select_related("current_version").order_by("-pk")[:20],
        "events": journal.of(found).order_by("-pk")[:SHOWN_EVENTS],
    }
    return render_desk(request, "organisations", "admin/desks/organisation.html", context)


def _acts(standing: Verification, url: str, by: User) -> list[dict[str, Any]]:
    """What may be decided now; nothing for those who may only look."""
    if not roles.staff_may(by, "vet"):
        return []
    possible = verification.possible_acts(standing)
    return [
        act_button(
            name,
            label,
            url,
            tone=TONES.get(name, ""),
            confirm=_("It takes effect when a second person confirms it.") if name in TWO_PERSON_ACTS else "",
            form=CodedReasonForm(act=name, auto_id=f"{name}_%s"),
        )
        for name, label in LABELS.items()
        if name in possible
    ]


def _room_acts(found: Organisation, url: str, by: User) -> list[dict[str, Any]]:
    """Decide how much the organisation may keep here."""
    if not roles.staff_may(by, "set_quota"):
        return []
    now = quotas.allowance(found)
    given = {"most_gigabytes": now.most_bytes // GIGABYTE, "most_files": now.most_files}
    form = QuotaForm(initial=given, auto_id="quota_%s")
    return [act_button("set_quota", _("Decide how much it may keep"), url, form=form)]


def _pending_acts(pending: Decision | None, url: str, by: User) -> list[dict[str, Any]]:
    """Confirm or drop what waits for its second person."""
    if pending is None or not roles.staff_may(by, "vet"):
        return []
    fields = {"decision": pending.pk}
    confirm = act_button("confirm", _("Confirm as the second person"), url, fields=fields, tone="primary")
    if pending.by_id == by.pk:
        confirm["why_not"] = _("You proposed it; a colleague confirms it.")
    return [confirm, act_button("drop", _("Drop it"), url, fields=fields)]


@desk("organisations")
@require_POST
def organisation_act(request: HttpRequest, public_id: str) -> HttpResponse:
    """Decide on an organisation, through the commands."""
    found = get_object_or_404(Organisation, public_id=public_id)
    back = reverse("desk_organisation", args=[public_id])
    act, by = request.POST.get("act", ""), person(request)
    if act == "set_quota":
        said = parsed(QuotaForm(request.POST))
        said["most_bytes"] = said.pop("most_gigabytes") * GIGABYTE
        return acted(request, lambda: quotas.set_quota(found, by=by, **said), done=_("It was decided."), back=back)
    if act in hold_acts.ACTS:
        return hold_acts.act(request, act, Hold.Subject.ORGANISATION, found.pk, back=back)
    if act == joint_desk.RELEASE:
        return joint_desk.act(request, found, back=back)
    if act in facts_desk.ACTS:
        return facts_desk.act(request, act, found, back=back)
    standing = get_object_or_404(Verification.objects.select_related("organisation"), organisation=found)
    if act in ("confirm", "drop"):
        waiting = Decision.objects.filter(verification=standing).select_related("verification")
        decision = get_object_or_404(waiting, pk=posted_id(request, "decision"))
        command = verification.confirm if act == "confirm" else verification.drop
        return acted(request, lambda: command(decision, by=by), done=DONE[act], back=back)
    if act not in LABELS:
        raise Http404
    said = parsed(CodedReasonForm(request.POST, act=act))
    if act in TWO_PERSON_ACTS:
        return acted(
            request,
            lambda: verification.propose(standing, act, by=by, **said),
            done=DONE[act],
            back=back,
        )
    return acted(request, lambda: ALONE[act](standing, by=by, **said), done=DONE[act], back=back)
