"""On the desk of organisations: what an organisation told of itself, and changes of it, old and new side by side."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from compliance import dossier, dossier_facts, fact_changes, tiers
from compliance.desk_forms import SentenceForm, TierForm
from compliance.dossier_models import Section
from compliance.models import FactChange
from marketplace import roles
from marketplace.desk_pages import act_button, acted, parsed, posted_id
from marketplace.models import Organisation, User
from marketplace.signed_in import person

ACTS = ("confirm_change", "refuse_change", "decide_tier")


def sections_of(organisation: Organisation) -> list[dict[str, Any]]:
    """What it told, section by section; what nobody filled in is marked as missing."""
    told = dossier.facts_of(organisation)
    return [
        {
            "title": Section(section).label,
            "shown": dossier_facts.shown(section, facts),
            "is_missing": bool(dossier_facts.lacks(section, facts)),
        }
        for section, facts in told.items()
        if section != Section.IDENTITY
    ]


def changes_of(organisation: Organisation, url: str, *, by: User) -> list[dict[str, Any]]:
    """The changes that wait: each fact that differs, old and new, and what this person may do."""
    waiting = organisation.fact_changes.filter(outcome="").select_related("asked_by", "by").order_by("pk")
    return [{"change": change, "rows": _differences(change), "acts": _acts(change, url, by)} for change in waiting]


def _differences(change: FactChange) -> list[dict[str, Any]]:
    """Each fact that differs, with its label, old and new."""
    before = {row["field"]: row for row in dossier_facts.shown(change.section, change.before)}
    after = dossier_facts.shown(change.section, change.after)
    return [
        {"label": row["label"], "before": _joined(before[row["field"]]["value"]), "after": _joined(row["value"])}
        for row in after
        if before[row["field"]]["value"] != row["value"]
    ]


def _joined(value: Any) -> Any:
    comma = pgettext("between things named", ", ")
    return comma.join(str(one) for one in value) if isinstance(value, list) else value


def _acts(change: FactChange, url: str, by: User) -> list[dict[str, Any]]:
    if not roles.staff_may(by, "vet"):
        return []
    fields = {"change": change.pk}
    label = _("Confirm as the second person") if change.by_id else _("Confirm the change")
    confirm = act_button("confirm_change", label, url, fields=fields, tone="primary")
    if change.by_id == by.pk:
        confirm["why_not"] = _("You confirmed it first; a colleague confirms it too.")
    form = SentenceForm(auto_id=f"refuse_change_{change.pk}_%s")
    return [confirm, act_button("refuse_change", _("Refuse the change"), url, fields=fields, form=form)]


def tier_acts(url: str, *, by: User) -> list[dict[str, Any]]:
    """Decide on the tier; nothing for those who may only look, or where there are no tiers."""
    if not roles.staff_may(by, "vet"):
        return []
    form = TierForm(auto_id="tier_%s")
    return [act_button("decide_tier", _("Decide on the tier"), url, form=form)]


def act(request: HttpRequest, name: str, organisation: Organisation, *, back: str) -> HttpResponse:
    """Confirm or refuse one of the organisation's changes."""
    by = person(request)
    if name == "decide_tier":
        said = parsed(TierForm(request.POST))
        return acted(
            request, lambda: tiers.decide(organisation, by=by, **said), done=_("The tier is decided."), back=back
        )
    own = FactChange.objects.filter(organisation=organisation).select_related("organisation")
    change = get_object_or_404(own, pk=posted_id(request, "change"))
    if name == "confirm_change":
        return acted(request, lambda: fact_changes.confirm(change, by=by), done=_("Confirmed."), back=back)
    said = parsed(SentenceForm(request.POST))
    return acted(
        request, lambda: fact_changes.refuse(change, by=by, **said), done=_("The change is refused."), back=back
    )
