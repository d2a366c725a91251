"""A participant in one view: organisation, people, facts, papers, holds, products, trades, money, notes and history.

Each of the staff sees what their desks show them anyway; lists are short and lead to all of them, and on to the desks.
"""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from compliance import clearance, facts_desk, joint_members, notes, proofs, tiers
from compliance.desk_forms import SentenceForm
from compliance.proof_views import shown
from marketplace import roles
from marketplace.desk_pages import ROWS_ON_A_PAGE, act_button, acted, desk, desks_of, parsed, render_desk
from marketplace.desks import participant_lists
from marketplace.models import Organisation, User
from marketplace.money import Money
from marketplace.regions import COUNTRY_NAMES, REGION_NAMES
from marketplace.signed_in import person
from settlement import payout_accounts, reserve_desk, reserve_terms, reserves
from settlement.models import Account, Payout
from settlement.states import OutgoingState


@desk("participants")
@require_safe
def participants(request: HttpRequest) -> HttpResponse:
    """Find an organisation by name, number or public id; without a search the newest."""
    asked = request.GET.get("q", "").strip()[:100]
    rows = Organisation.objects.select_related("verification").order_by("-pk")
    if asked:
        rows = rows.filter(
            Q(name__icontains=asked)
            | Q(latin_name__icontains=asked)
            | Q(registration_number__icontains=asked)
            | Q(public_id=asked)
        )
    page = Paginator(rows, ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    return render_desk(request, "participants", "admin/desks/participants.html", {"page": page, "asked": asked})


@desk("participants")
@require_safe
def participant(request: HttpRequest, public_id: str) -> HttpResponse:
    """One organisation and everything about it that this person may see."""
    found = get_object_or_404(Organisation.objects.select_related("verification"), public_id=public_id)
    by = person(request)
    form = SentenceForm(auto_id="note_%s")
    note = act_button("note", _("Write a note"), reverse("desk_participant_note", args=[public_id]), form=form)
    may_note = roles.staff_may(by, "note")
    seen = desks_of(by)
    sees_vetting = "organisations" in seen
    papers = list(proofs.with_pictures(found) if sees_vetting else proofs.standing(found))
    context: dict[str, Any] = {
        "organisation": found,
        "country": COUNTRY_NAMES.get(found.country, found.country),
        "region": REGION_NAMES.get(found.region, found.region),
        "kinds": [Organisation.Kind(kind).label for kind in found.kinds],
        "standing": getattr(found, "verification", None),
        "tier": tiers.tier_of(found),
        "reasons": [*clearance.reasons_against_listing(found), *proofs.expired_reasons(papers)],
        "joint_rows": [{"row": row} for row in joint_members.of(found)],
        "note_acts": [note] if may_note else [],
        "lists": participant_lists.first(found, seen),
        "sees_vetting": sees_vetting,
        "sees_money": not {"payments", "clearing"}.isdisjoint(seen),
    }
    if sees_vetting:
        context["sections"] = facts_desk.sections_of(found)
        context["papers"] = [shown(proof, desk_of=public_id) for proof in papers]
    if context["sees_money"]:
        context |= _money(found) | {
            "reserve_terms": reserve_terms.told_to(found),
            "reserves": reserves.held(found)[:ROWS_ON_A_PAGE],
            "reserve_acts": reserve_desk.acts_on(found, by),
        }
    return render_desk(request, "participants", "admin/desks/participant.html", context)


@desk("participants")
@require_safe
def participant_list(request: HttpRequest, public_id: str, name: str) -> HttpResponse:
    """All of one list of a participant, page by page; nothing for whose desks do not show it."""
    found = get_object_or_404(Organisation, public_id=public_id)
    asked, seen = participant_lists.LISTS.get(name), desks_of(person(request))
    if asked is None or asked.desks.isdisjoint(seen):
        raise Http404
    page = Paginator(asked.rows(found, seen), ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {"organisation": found, "list": asked, "rows": asked.shown(list(page.object_list)), "page": page}
    return render_desk(request, "participants", "admin/desks/participant_list.html", context)


def _money(found: Organisation) -> dict[str, Any]:
    """By currency what lies in escrow for its sales, what is kept back, what the exchange owes it, what it was paid."""
    sums: dict[str, dict[str, Money]] = {}

    def add(currency: str, name: str, minor: int) -> None:
        sums.setdefault(currency, {})[name] = Money(minor, currency)

    held = Account.objects.filter(balance_minor__gt=0).values_list("kind", "currency").annotate(Sum("balance_minor"))
    escrow = held.filter(kind=Account.Kind.ESCROW, trade__seller=found)
    for kind, currency, minor in escrow.union(held.filter(kind=Account.Kind.RESERVE, organisation=found), all=True):
        add(currency, kind, minor)
    payouts = Payout.objects.filter(organisation=found).values("currency", "state")
    for row in payouts.annotate(total=Sum("amount_minor")).order_by("currency", "state"):
        name = "paid" if row["state"] == OutgoingState.PAID else "due"
        if row["state"] != OutgoingState.BOUNCED:
            before = sums.get(row["currency"], {}).get(name)
            add(row["currency"], name, row["total"] + (before.minor if before else 0))
    return {
        "sums": [{"currency": currency, **parts} for currency, parts in sorted(sums.items())],
        "account": payout_accounts.account_of(found),
        "coming": payout_accounts.coming(found),
    }


@desk("participants")
@require_POST
def note(request: HttpRequest, public_id: str) -> HttpResponse:
    """Leave a note for the staff."""
    found = get_object_or_404(Organisation, public_id=public_id)
    if request.POST.get("act") != "note":
        raise Http404
    said = parsed(SentenceForm(request.POST))
    back = reverse("desk_participant", args=[public_id])
    by: User = person(request)
    command = notes.write
    return acted(request, lambda: command(found, text=said["reason"], by=by), done=_("Noted."), back=back)
