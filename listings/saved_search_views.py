"""The pages of saved searches: keep one from the catalogue, see what each has newly found, change or end it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, F, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from listings import facets, saved_searches
from listings.filters import Filters
from listings.models import SavedSearch
from listings.saved_search_models import LONGEST_NAME, LONGEST_QUERY
from listings.states import ListingState
from marketplace import posted
from marketplace.desk_pages import act_button, parsed
from marketplace.errors import Invalid
from marketplace.models import User
from marketplace.participants import acting_or_none
from marketplace.signed_in import person


class SavedSearchForm(forms.Form):
    """What a search is called, and how often one is told."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=LONGEST_NAME)
    frequency = forms.ChoiceField(
        label=gettext_lazy("Tell me of new products"),
        choices=SavedSearch.Frequency.choices,
        initial=SavedSearch.Frequency.DAILY,
    )


class NewSearchForm(SavedSearchForm):
    """The same, with what is searched."""

    query = forms.CharField(required=False, max_length=LONGEST_QUERY, widget=forms.HiddenInput)


def own(by: User) -> QuerySet[SavedSearch]:
    """A person's searches by name, each with how many products it found since its owner last looked."""
    new = Q(found__found_at__gt=F("seen_at"), found__listing__state=ListingState.LISTED)
    return SavedSearch.objects.of(by).annotate(new=Count("found", filter=new)).order_by("name", "pk")


def words_of(queries: Sequence[str]) -> list[list[str]]:
    """What each of these searches asks for, in words."""
    asked = [QueryDict(query) for query in queries]
    filters = facets.said([_filters(one) for one in asked])
    return [([one["q"]] if one.get("q") else []) + words for one, words in zip(asked, filters, strict=True)]


def _filters(asked: QueryDict) -> Filters:
    """Its filters; none where the catalogue no longer knows one of them."""
    try:
        return Filters.asked(asked)
    except Invalid:
        return Filters()


@login_required
@require_safe
def searches_list(request: HttpRequest) -> HttpResponse:
    """One's saved searches."""
    found = list(own(person(request)))
    words = words_of([one.query for one in found])
    rows = [_row(one, chips) for one, chips in zip(found, words, strict=True)]
    return render(request, "listings/saved_searches.html", {"rows": rows})


def _row(search: SavedSearch, chips: list[str]) -> dict[str, Any]:
    def url(act: str) -> str:
        return reverse("saved_search_act", args=[search.pk, act])

    form = SavedSearchForm(initial={"name": search.name, "frequency": search.frequency}, auto_id=f"s{search.pk}_%s")
    return {
        "search": search,
        "chips": chips,
        "show": act_button("show", _("Show"), url("show")),
        "acts": [
            act_button("change", _("Change"), url("change"), form=form, tone="quiet"),
            act_button("delete", _("Delete"), url("delete"), confirm=_("It is gone for good."), tone="quiet"),
        ],
    }


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_search(request: HttpRequest) -> HttpResponse:
    """Keep what the catalogue shows."""
    reader = acting_or_none(request)
    if request.method == "POST":
        said = parsed(NewSearchForm(request.POST))
        posted.posted_once(request, reader, lambda: saved_searches.save(reader=reader, by=person(request), **said).pk)
        messages.success(request, _("The search is saved."))
        return redirect("saved_searches")
    query = saved_searches.canonical(request.META.get("QUERY_STRING", ""))
    [words] = words_of([query])
    form = NewSearchForm(initial={"query": query, "name": " · ".join(words)[:LONGEST_NAME]})
    context = {"form": form, "chips": words, "key": posted.new_key(), "back_url": f"{reverse('catalogue')}?{query}"}
    return render(request, "listings/saved_search_new.html", context)


@login_required
@require_POST
def search_act(request: HttpRequest, search_id: int, act: str) -> HttpResponse:
    """Look at what it finds, change or delete it."""
    by = person(request)
    found = get_object_or_404(SavedSearch.objects.of(by), pk=search_id)
    if act == "show":
        saved_searches.mark_seen(found)
        return redirect(saved_searches.address(found))
    if act == "change":
        said = parsed(SavedSearchForm(request.POST))
        posted.posted_once(request, None, lambda: saved_searches.change(found, by=by, **said).pk)
        messages.success(request, _("The search is changed."))
    elif act == "delete":
        saved_searches.delete(found)
        messages.success(request, _("The search is deleted."))
    else:
        raise Http404
    return redirect("saved_searches")


@csrf_exempt  # mail programs post without a cookie: the address itself is signed (RFC 8058)
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """End the letters of one search: by one click in a mail program, or by the button here. Looking changes nothing."""
    search = saved_searches.of_token(token)
    if search is None:
        raise Http404
    if request.method == "POST":
        saved_searches.stop(search)
    context = {"is_stopped": request.method == "POST" or search.frequency == SavedSearch.Frequency.NEVER}
    return render(request, "listings/saved_search_stop.html", context)
