"""The desk of papers: find one by its number, and revoke it in two steps by two persons."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import F, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from marketplace import documents, paper_words, roles
from marketplace.desk_pages import ROWS_ON_A_PAGE, act_button, acted, desk, parsed, render_desk
from marketplace.models import Paper, Revocation, User
from marketplace.signed_in import person

SHOWS = {"all": gettext_lazy("All papers"), "waiting": gettext_lazy("Revocations that wait for a second person")}
TITLED = {"titles": F("record__titles"), "cycle": F("record__cycle"), "currency": F("record__currency")}
WAITING = Q(revocation__isnull=False, revocation__revoked_at=None)


class RevocationForm(forms.Form):
    """Why a paper is revoked."""

    reason = forms.CharField(
        label=gettext_lazy("Reason, which whoever checks the paper reads"),
        max_length=documents.LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


@desk("papers")
@require_safe
def papers(request: HttpRequest) -> HttpResponse:
    """Every paper, the newest first or by its number; or those whose revocation waits for a second person."""
    asked, show = request.GET.get("q", "").strip()[:40], request.GET.get("show", "")
    show = show if show in SHOWS else "all"
    rows = Paper.objects.select_related("revocation__by").defer("record").annotate(**TITLED)
    waiting = rows.filter(WAITING)
    if asked:
        rows = rows.filter(number__iexact=asked)
    ordered = (
        waiting.order_by("revocation__asked_at", "pk") if show == "waiting" and not asked else rows.order_by("-pk")
    )
    counts = {"all": Paper.objects.count(), "waiting": waiting.count()}
    page = Paginator(ordered, ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    titled = [(one, {name: getattr(one, name) for name in TITLED if getattr(one, name)}) for one in page]
    context = {
        "asked": asked,
        "show": "" if asked else show,
        "tabs": [{"show": name, "label": label, "count": counts[name]} for name, label in SHOWS.items()],
        "page": page,
        "rows": [(one, _about(record, one)) for one, record in titled],
    }
    return render_desk(request, "papers", "admin/desks/papers.html", context)


@desk("papers")
@require_safe
def paper(request: HttpRequest, number: str) -> HttpResponse:
    """One paper: what it is about, its readers and its revocation."""
    found = get_object_or_404(Paper.objects.select_related("revocation__by", "revocation__second_by"), number=number)
    revocation = getattr(found, "revocation", None)
    context = {
        "paper": found,
        "about": _about(found.record, found),
        "readers": found.readers.order_by("pk"),
        "revocation": revocation,
        "acts": _acts(found, revocation, person(request)),
    }
    return render_desk(request, "papers", "admin/desks/paper.html", context)


def _about(record: dict[str, Any], found: Paper) -> str:
    """What the paper is about, in the reader's language."""
    return paper_words.title(record, found.title, paper_words.language_of(get_language()))


def _acts(found: Paper, revocation: Revocation | None, by: User) -> list[dict[str, Any]]:
    """Ask for the revocation, or confirm it as another person."""
    if not roles.staff_may(by, "revoke_paper") or (revocation and revocation.revoked_at):
        return []
    url = reverse("desk_paper_act", args=[found.number])
    if revocation is None:
        confirm = _("The paper stays valid until a colleague confirms.")
        form = RevocationForm(auto_id="revoke_%s")
        return [act_button("ask", _("Ask for its revocation"), url, tone="danger", confirm=confirm, form=form)]
    confirm = _("From then on whoever checks the paper reads that it is revoked, and why.")
    button = act_button("confirm", _("Confirm the revocation"), url, tone="danger", confirm=confirm)
    if revocation.by_id == by.pk:
        button["why_not"] = _("You asked for it; a colleague confirms it.")
    return [button]


@desk("papers")
@require_POST
def paper_act(request: HttpRequest, number: str) -> HttpResponse:
    """Ask for a revocation, or confirm it; through the commands."""
    found = get_object_or_404(Paper, number=number)
    back, act = reverse("desk_paper", args=[number]), request.POST.get("act", "")
    by = person(request)
    if act == "ask":
        said = parsed(RevocationForm(request.POST))
        done = _("Asked. A colleague confirms it.")
        return acted(request, lambda: documents.ask_revocation(found, by=by, **said), done=done, back=back)
    if act == "confirm":
        revocation = get_object_or_404(Revocation, paper=found)
        done = _("The paper is revoked.")
        return acted(request, lambda: documents.confirm_revocation(revocation, by=by), done=done, back=back)
    raise Http404
