"""The pages of the public register, open to anyone; who is signed in may object while a window is open."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from listings import catalogue, objections, register
from listings.models import Objection, Registration
from marketplace import paper_words, posted
from marketplace.participants import acting_or_none
from marketplace.signed_in import person


class ObjectionForm(forms.Form):
    """What somebody has against a registration."""

    reason = forms.CharField(
        label=gettext_lazy("What is wrong with this registration"),
        max_length=objections.LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("The holder and the exchange read this; the public sees only that somebody objected."),
    )
    evidence = forms.CharField(
        label=gettext_lazy("Evidence"),
        max_length=objections.LONGEST_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Contracts, registrations, judgments: name them so that they can be found."),
    )


@require_safe
def entries(request: HttpRequest) -> HttpResponse:
    """The register, the newest first, searched by number, holder or words."""
    text = request.GET.get("q", "").replace("\0", "")[:200]
    page = catalogue.page_of(register.search(text), request.GET.get("page", "1"))
    found = list(page)
    objected = register.objected_to(found)
    context = {
        "text": text,
        "page": page,
        "rows": [{"entry": one, "standing": register.standing(one, objected)} for one in found],
    }
    return render(request, "listings/register.html", context)


@require_safe
def entry(request: HttpRequest, number: str) -> HttpResponse:
    """One registration: what is registered, where it stands, and everything that happened to it."""
    found = _found(number)
    if found.number != number:
        return redirect("register_entry", found.number)
    return _page(request, found, ObjectionForm(), status=200)


def _found(number: str) -> Registration:
    found = register.one(number)
    if found is None:
        raise Http404
    return found


def _page(request: HttpRequest, found: Registration, form: ObjectionForm, *, status: int) -> HttpResponse:
    said = paper_words.words(paper_words.language_of(get_language()))
    seen = Objection.objects.none()
    if request.user.is_authenticated:
        seen = Objection.objects.visible_to(person(request), acting_or_none(request))
    context = {
        "entry": found,
        "version": found.version,
        "standing": register.standing(found, register.objected_to([found])),
        "rights": [
            {"label": said[f"right_{name}"], "is_held": bool(found.rights.get(name, {}).get("held"))}
            for name in ("holding", "use", "operation")
        ],
        "papers": [{"paper": paper, "kind": said[f"title_{paper.kind}"]} for paper in register.certificates(found)],
        "history": register.history(found),
        "takes_objections": objections.takes_objections(found),
        "objections": seen.filter(registration=found).order_by("-pk")[: register.MOST_REMEMBERED],
        "form": form,
        "key": posted.new_key(),
    }
    return render(request, "listings/register_entry.html", context, status=status)


@login_required
@require_POST
def objection(request: HttpRequest, number: str) -> HttpResponse:
    """Object to a registration."""
    found = _found(number)
    form = ObjectionForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form, status=422)
    said = form.cleaned_data
    posted.posted_once(request, None, lambda: objections.file(found, by=person(request), **said).pk)
    messages.success(request, _("Your objection is filed. The product is not listed before it is decided."))
    return redirect("register_entry", found.number)
