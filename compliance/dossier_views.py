"""The pages of an application, each section saved as it changes; and, once verified, changes asked for."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance import declaration_text, dossier, dossier_facts, fact_changes, verification
from compliance.dossier_forms import FORMS, AcceptanceForm, DeclarationForm, SectionForm
from compliance.dossier_models import Section
from compliance.models import Decision, FactChange, Verification
from compliance.states import VERIFICATION_MOVES
from marketplace import clock, participants, roles
from marketplace.errors import Refused
from marketplace.forms import OrganisationForm, add_refusal
from marketplace.models import Organisation
from marketplace.participants import acting_organisation
from marketplace.signed_in import person

SAYS = {
    Section.IDENTITY: gettext_lazy("As the register has it. The exchange compares it with your papers."),
    Section.REPRESENTATIVE: gettext_lazy("Who may bind the organisation by law."),
    Section.ACTIVITY: gettext_lazy("What the organisation does, on the exchange and elsewhere."),
    Section.OWNERS: gettext_lazy(
        "The natural persons who in the end own a quarter of it or more, or control it otherwise."
    ),
    Section.CONTACTS: gettext_lazy("Whom the exchange reaches when something happens."),
    Section.BANK: gettext_lazy("Optional. Changing where payouts go has a page of its own."),
}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def apply(request: HttpRequest) -> HttpResponse:
    """Apply: first the organisation is registered, then the sections are filled, then the rules are accepted.

    Somebody without an organisation (or with `?new=1`) registers one here.
    """
    organisation = None if "new" in request.GET else participants.acting_or_none(request)
    if organisation is None:
        return _register(request)
    standing = Verification.objects.filter(organisation=organisation).first()
    if not may_apply(standing):
        return redirect("organisation")
    roles.require(person(request), organisation, "apply")
    form = AcceptanceForm(request.POST or None)
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            verification.apply(organisation, rules_version=form.cleaned_data["rules_version"], by=person(request))
        except Refused as refused:
            add_refusal(form, refused)
            refusal = refused
        else:
            messages.success(request, _("Your application is with the exchange."))
            return redirect("organisation")
    context = _page(organisation, standing) | {
        "form": form,
        "asked": last_decision(standing),
        "missing": dossier.missing(organisation),
    }
    status = (refusal.status if refusal else 422) if form.errors else 200
    return render(request, "compliance/apply.html", context, status=status)


def _register(request: HttpRequest) -> HttpResponse:
    form = OrganisationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            organisation = participants.register_organisation(by=person(request), **form.cleaned_data)
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            participants.act_for(request, organisation)
            return redirect("apply")
    return render(request, "compliance/register.html", {"form": form}, status=422 if form.errors else 200)


def may_apply(standing: Verification | None) -> bool:
    """Whether the organisation can apply now, for the first time or again."""
    return standing is None or "apply" in VERIFICATION_MOVES[standing.state]


def last_decision(standing: Verification | None) -> Decision | None:
    """The exchange's last word on the organisation; what waits for a second person is not its word yet."""
    return standing.decisions.filter(decided_at__isnull=False).first() if standing else None


@login_required
@require_safe
def facts(request: HttpRequest) -> HttpResponse:
    """What the exchange verified, section by section, and the changes that are asked for."""
    organisation = acting_organisation(request)
    standing = Verification.objects.filter(organisation=organisation).first()
    if may_apply(standing):
        return redirect("apply")
    roles.require(person(request), organisation, "apply")
    context = _page(organisation, standing) | {
        "may_change": standing is not None and standing.state in dossier.MAY_ASK,
        "decided": organisation.fact_changes.exclude(outcome="").order_by("-pk")[:20],
    }
    return render(request, "compliance/facts.html", context)


def _page(
    organisation: Organisation, standing: Verification | None, wrong: tuple[str, Any] | None = None
) -> dict[str, Any]:
    told = dossier.facts_of(organisation)
    open_changes = {change.section: change for change in organisation.fact_changes.filter(outcome="")}
    sections = [_section(section, told[section], open_changes.get(section), wrong) for section in FORMS]
    declaration = organisation.declarations.select_related("by").first()
    return {
        "organisation": organisation,
        "standing": standing,
        "sections": sections,
        "declaration": declaration,
        "declaration_form": wrong[1] if wrong and wrong[0] == "declaration" else DeclarationForm(),
        "declaration_text": declaration_text.text(),
        "is_declared": declaration is not None and declaration.text_version == declaration_text.CURRENT_VERSION,
    }


def _section(
    section: str, told: dict[str, Any], change: FactChange | None, wrong: tuple[str, Any] | None
) -> dict[str, Any]:
    is_wrong = wrong is not None and wrong[0] == section
    return {
        "section": section,
        "title": Section(section).label,
        "says": SAYS[Section(section)],
        "form": wrong[1] if wrong and is_wrong else FORMS[section].of(told, auto_id=f"{section}_%s"),
        "is_wrong": is_wrong,
        "shown": dossier_facts.shown(section, told),
        "change": change,
        "lacks": [] if section == Section.IDENTITY else dossier_facts.lacks(section, told),
    }


@login_required
@require_POST
def save_section(request: HttpRequest, section: str) -> HttpResponse:
    """Save one section, or ask for the change of a verified one. A script is answered in JSON."""
    organisation = acting_organisation(request)
    if section not in FORMS:
        raise Http404
    form = FORMS[section](request.POST, auto_id=f"{section}_%s")
    roles.require(person(request), organisation, "apply")
    if form.is_valid():
        try:
            change = dossier.tell(organisation, section, form.facts(), by=person(request))
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            return _saved(request, organisation, section, change)
    if _wants_json(request):
        errors = {name: [str(error) for error in found] for name, found in form.errors.items()}
        return JsonResponse({"code": "invalid", "errors": errors}, status=422)
    return _wrong(request, organisation, section, form)


def _saved(request: HttpRequest, organisation: Organisation, section: str, change: FactChange | None) -> HttpResponse:
    told = _("Saved at %s") % formats.time_format(timezone.localtime(clock.now()), "H:i:s")
    if _wants_json(request):
        missing = dossier.missing(organisation)
        lacking = sorted({reason["field"].partition(".")[0] for reason in missing})
        return JsonResponse({"said": told, "missing": [reason["detail"] for reason in missing], "lacking": lacking})
    if change is not None:
        messages.success(request, _("The change is with the exchange. Until it is confirmed the verified facts stand."))
    else:
        messages.success(request, told)
    page = redirect("facts" if change is not None else "apply")
    page["Location"] += f"#{section}"
    return page


def _wrong(
    request: HttpRequest, organisation: Organisation, section: str, form: SectionForm | DeclarationForm
) -> HttpResponse:
    """The page again, with what is wrong beside its field."""
    standing = Verification.objects.filter(organisation=organisation).first()
    context = _page(organisation, standing, (section, form))
    if may_apply(standing):
        context |= {"form": AcceptanceForm(), "missing": dossier.missing(organisation)}
        return render(request, "compliance/apply.html", context, status=422)
    context |= {"may_change": True, "decided": organisation.fact_changes.exclude(outcome="").order_by("-pk")[:20]}
    return render(request, "compliance/facts.html", context, status=422)


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


@login_required
@require_POST
def declare(request: HttpRequest) -> HttpResponse:
    """Declare on sanctions and related parties."""
    organisation = acting_organisation(request)
    roles.require(person(request), organisation, "apply")
    form = DeclarationForm(request.POST)
    if form.is_valid():
        try:
            dossier.declare(organisation, by=person(request), **form.said())
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Declared."))
            standing = Verification.objects.filter(organisation=organisation).first()
            page = redirect("apply" if may_apply(standing) else "facts")
            page["Location"] += "#declaration"
            return page
    return _wrong(request, organisation, "declaration", form)


@login_required
@require_POST
def withdraw_change(request: HttpRequest, change_id: int) -> HttpResponse:
    """Take back a change that was asked for."""
    organisation = acting_organisation(request)
    change = get_object_or_404(FactChange.objects.filter(organisation=organisation), pk=change_id)
    fact_changes.withdraw(change, by=person(request))
    messages.success(request, _("The change is withdrawn."))
    return redirect("facts")
